"""Factors and weights that are kept between previews and runs: of luminances, within a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import numpy as np

from napari_framewise.numerics.colorization import Affinity, Factored, Form, affinity, factored
from napari_framewise.stacks.source import Array

_MOST_BYTES = 2**30


class Kept:
    """The newest answers by their question, up to 1 GiB; the newest of all in any case."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[Any, tuple[Any, int]] = OrderedDict()

    def found(self, key: Any) -> Any:
        """The kept answer; None where there is none."""
        with self._lock:
            if key not in self._answers:
                return None
            self._answers.move_to_end(key)
            return self._answers[key][0]

    def answer(self, key: Any, find: Callable[[], Any], nbytes_of: Callable[[Any], int]) -> Any:
        """The kept answer, else a new one, which is kept."""
        kept = self.found(key)
        if kept is not None:
            return kept
        made = find()
        with self._lock:
            self._answers[key] = made, nbytes_of(made)
            while (
                len(self._answers) > 1
                and sum(size for _, size in self._answers.values()) > _MOST_BYTES
            ):
                self._answers.popitem(last=False)
        return made


_KEPT = Kept()


def _digest(*arrays: Array) -> bytes:
    digest = blake2b(digest_size=16)
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def weights_of(luminance: Array, form: Form) -> Affinity:
    """Weights of the neighbours, which follow from the luminance alone."""
    found: Affinity = _KEPT.answer(
        ("weights", form, _digest(luminance)),
        lambda: affinity(luminance, form),
        lambda made: made.weights.nbytes,
    )
    return found


def system_of(luminance: Array, marked: Array, form: Form) -> Factored:
    """Factors for a luminance and places of scribbles; their colours may change."""
    found: Factored = _KEPT.answer(
        ("factors", form, _digest(luminance, marked)),
        lambda: factored(weights_of(luminance, form), marked),
        lambda made: made.nbytes,
    )
    return found


def known_system(luminance: Array, marked: Array, form: Form) -> Factored | None:
    """The factors where they are there already."""
    found: Factored | None = _KEPT.found(("factors", form, _digest(luminance, marked)))
    return found
