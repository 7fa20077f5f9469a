"""Places that a pass writes frames to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from napari_framewise.engine.work import Block, MapPairs, Work
from napari_framewise.stacks.source import Array


class Sink(Protocol):
    """A place for what a function writes to `out=`."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Folder that workers write to by themselves; empty where blocks come back to us."""
        ...

    @property
    def cut(self) -> tuple[int, int] | None:
        """Frames that one writer writes at once, and after how many that count starts anew."""
        ...

    def buffer(self, work: Work, block: Block) -> Any:
        """The array that the block's answer is written into, or several."""
        ...

    def commit(self, work: Work, block: Block, answer: Array, check: Callable[[], None]) -> None:
        """Keep a finished block's answer; called by whoever computed it.

        `check` raises where the pass was cancelled.
        """
        ...

    def finished(self, block: Block) -> bool:
        """Whether an earlier run has left this block's answer here."""
        ...

    def mark(self, block: Block) -> None:
        """Note that a block is kept; called in our own process, one at a time."""
        ...


class MemorySink:
    """An array that the caller made: (n_frames, ...), (..., rows, columns) or (n, n) by shape.

    Of symmetric pairs both triangles are filled.
    """

    paths = ()
    cut = None

    def __init__(self, array: Array) -> None:
        self.array = array

    def buffer(self, work: Work, block: Block) -> Array:
        """The block's own part of the array: nothing is copied."""
        part: Array = self.array[work.place(block)]
        return part

    def commit(self, work: Work, block: Block, answer: Array, check: Callable[[], None]) -> None:
        """Copy what was computed elsewhere; what is in its place already stays."""
        place = self.buffer(work, block)
        if not np.may_share_memory(place, answer):
            place[...] = answer
        if isinstance(work, MapPairs) and work.mirrors(block):
            self.array[work.place(block)[::-1]] = answer.T

    def finished(self, block: Block) -> bool:
        """Nothing is kept from an earlier run."""
        return False

    def mark(self, block: Block) -> None:
        """Nothing to note."""


class Several(tuple[Array, ...]):
    """Places for several answers of one block, all with the same indices."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        return Several(array[index] for array in self)


class MemorySinks:
    """Arrays for several answers of each frame: the function's `out` is a tuple of places."""

    paths = ()
    cut = None

    def __init__(self, arrays: Sequence[Array]) -> None:
        self._sinks = tuple(MemorySink(array) for array in arrays)

    def buffer(self, work: Work, block: Block) -> Any:
        """The block's own part of each array."""
        return Several(sink.buffer(work, block) for sink in self._sinks)

    def commit(self, work: Work, block: Block, answer: Any, check: Callable[[], None]) -> None:
        """Copy what was computed elsewhere."""
        for sink, each in zip(self._sinks, answer, strict=True):
            sink.commit(work, block, each, check)

    def finished(self, block: Block) -> bool:
        """Nothing is kept from an earlier run."""
        return False

    def mark(self, block: Block) -> None:
        """Nothing to note."""


Place: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]


def made(place: Place | list[Place]) -> Any:
    """An array for a block's answer elsewhere, or one for each of several."""
    if isinstance(place, list):
        return Several(np.empty(*each) for each in place)
    return np.empty(*place)


def shape_of(sink: Sink, work: Work, block: Block) -> Place | list[Place]:
    """Shape and type of each array that a worker elsewhere makes for a block's answer."""
    place = sink.buffer(work, block)
    if isinstance(place, Several):
        return [(each.shape, each.dtype) for each in place]
    return place.shape, place.dtype
