"""The one way to open a file or a folder as a stack."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..stacks.stack import Stack


@dataclass(frozen=True)
class Format:
    """What can be opened: a title, its file extensions, and what is read of it."""

    title: str
    extensions: tuple[str, ...]
    reads: str


def formats() -> tuple[Format, ...]:
    """Everything that `open_stack` opens, for the docs and the manifest."""
    raise NotImplementedError


def can_open(path: str | os.PathLike[str]) -> bool:
    """Whether `open_stack` has a reader for a path; looks at its name and its first bytes."""
    raise NotImplementedError


def open_stack(
    path: str | os.PathLike[str], *, key: str | None = None, pattern: str | None = None
) -> Stack:
    """Open a file or a folder as a stack; nothing but its description is read."""
    raise NotImplementedError
