"""A first pass over a stack for previews: over a part where it is large, and once per question."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from zlib import crc32

import numpy as np

from napari_framewise.framework.masks import Measured
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

T = TypeVar("T")

_MOST_BYTES = 512 * 2**20


def part_for_preview(given: Measured) -> tuple[Measured, str]:
    """What a preview measures of a stack, and the words for it where that is not all.

    Every k-th frame, so that not more than 512 MiB are read.
    """
    every = -(-given.stack.nbytes // _MOST_BYTES)
    if every < 2 or given.stack.n_frames < 2:
        return given, ""
    masks = None if given.masks is None else _every(given.masks, every)
    said = f" Levels are those of every {every}th frame; a run takes all."
    return replace(given, stack=_every(given.stack, every), masks=masks), said


def _every(stack: Stack, every: int) -> Stack:
    numbers = stack.frame_numbers
    frames = (numbers.start, numbers.stop, numbers.step * every)
    return stack.select(replace(stack.selection, frames=frames))


class _Last:
    """The last answer and its question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._question: Any = None
        self._answer: Any = None

    def answer(self, question: Any, find: Callable[[], T]) -> T:
        """The kept answer to an equal question, else a new one."""
        with self._lock:
            if self._question == question:
                kept: T = self._answer
                return kept
        found = find()
        with self._lock:
            self._question, self._answer = question, found
        return found


_LAST = _Last()


def once_for(given: Measured, parameters: dict[str, Any], find: Callable[[], T]) -> T:
    """What `find` gives for a stack, kept while the same is asked again.

    Arrays in memory may be painted into: masks are compared by their pixels, and nothing is kept
    where a mask has an image for every frame.
    """
    if given.masks is not None:
        return find()
    stack, fixed = given.stack, given.fixed
    array = getattr(stack.source, "array", None)
    place = stack.source if array is None else _Same(array)
    mask = None if fixed is None else (fixed.shape, fixed.tobytes())
    question = (place, stack.selection, stack.axes, given.names, mask, sorted(parameters.items()))
    return _LAST.answer(question, find)


def once_for_pixels(
    arrays: Sequence[Array | None], further: Sequence[Any], find: Callable[[], T]
) -> T:
    """What `find` gives for some arrays, kept while the same is asked again of equal pixels."""
    pixels = tuple(
        None if each is None else (each.shape, each.dtype, crc32(np.ascontiguousarray(each).data))
        for each in arrays
    )
    return _LAST.answer((pixels, *further), find)


class _Same:
    """Equal to itself in another wrapping: the very same array."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._array is self._array

    __hash__ = None  # type: ignore[assignment]
