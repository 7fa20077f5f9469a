"""Arrays in one file: which of them is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.io.formats.natural import natural_key

_SHOWN = 10


@dataclass(frozen=True)
class Candidate:
    """An array that could be opened."""

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def usable(self) -> bool:
        """Whether it is an image of numbers."""
        return len(self.shape) > 1 and self.dtype.kind in "buifc"

    def __str__(self) -> str:
        return f"{self.key} ({' x '.join(map(str, self.shape)) or 'one value'} {self.dtype})"


def choose(path: str, candidates: Sequence[Candidate], key: str | None) -> Candidate:
    """The array that was asked for, or the only one that can be a stack.

    Raises
    ------
    ValueError
        Where there is none, or several and no key was given; the sentence lists them.
    """
    by_key = {candidate.key.strip("/"): candidate for candidate in candidates}
    if key is not None:
        wanted = key.strip("/")
        if wanted not in by_key:
            raise ValueError(f"{path} has no array {key}; it holds {_list(candidates)}.")
        found = by_key[wanted]
        if not found.shape or found.dtype.kind not in "buifc":
            raise ValueError(f"{path}: {found} is no array of numbers; choose another key.")
        return found
    usable = [candidate for candidate in candidates if candidate.usable]
    if not usable:
        raise ValueError(
            f"{path} holds no array of numbers with two or more axes (it holds "
            f"{_list(candidates)}); give a file with frames."
        )
    if len(usable) > 1:
        raise ValueError(
            f"{path} holds several arrays: {_list(usable)}; give the name of one of them as key."
        )
    return usable[0]


def _list(candidates: Sequence[Candidate]) -> str:
    ordered = sorted(candidates, key=lambda candidate: natural_key(candidate.key))
    shown = ", ".join(str(candidate) for candidate in ordered[:_SHOWN])
    more = len(ordered) - _SHOWN
    return (shown + (f" and {more:,} more" if more > 0 else "")) or "no arrays"
