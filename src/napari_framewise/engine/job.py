"""What a worker does with a block, whether a thread here or a process of a cluster."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from napari_framewise.engine.sinks import Sink
from napari_framewise.engine.work import Block, MapPairs, Scan, Work, row_position
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

STEP_SECONDS = 0.02
_PIECE_BYTES = 4 * 2**20


class Stopped(Exception):
    """The pass was cancelled."""


class BlockError(RuntimeError):
    """A block failed; says which frames, with the error itself as the cause."""


class Pace:
    """How many items make a step of about 20 ms, learned from the steps before.

    Shared by threads without a lock: a lost update costs one step of another length.
    """

    def __init__(self, items: int) -> None:
        self.items = max(1, items)

    def took(self, items: int, seconds: float) -> None:
        """Learn from a step; a first call that compiled something counts only fourfold."""
        fitting = items * STEP_SECONDS / max(seconds, 1e-6)
        items = max(1, int(min(4 * self.items, max(self.items / 4, fitting))))
        self.items = items if items < 8 else items - items % 8


@dataclass(frozen=True, eq=False)
class Job:
    """All that a worker needs to know of a pass.

    Attributes
    ----------
    span : int
        Items that are read at once.
    step : int
        Items per call of the function: to begin with where the clock paces them, else exactly.
    rows_at : int
        Axis of the blocks that rows of pixels run along.
    given : tuple of bool
        Which of the function's arguments is a stack: None stands for the others; empty for all.
    """

    work: Work
    function: Callable[..., Any]
    stacks: tuple[Stack, ...]
    context: tuple[Any, ...]
    merge: Callable[[Any, Any], Any] | None
    into: Sink | None
    span: int
    step: int
    rows_at: int
    given: tuple[bool, ...] = ()

    def parts(self, block: Block, items: int) -> Iterator[Block]:
        """A block in parts of so many items."""
        for start in range(0, block.length, items):
            yield self.work.part(block, start, min(start + items, block.length))

    def read(self, span: Block, check: Callable[[], None]) -> list[Array]:
        """A part's pixels, native-endian; `check` is called between pieces of what is large."""
        known: dict[tuple[int, int], list[Array]] = {}
        for limits in self.work.ranges(span):
            if limits not in known:
                rows = self.work.rows(span)
                known[limits] = [
                    _read(
                        stack,
                        (0, 1) if still else limits,
                        rows if is_planar(stack) else None,
                        check,
                    )
                    for stack, still in zip(self.stacks, self.still, strict=True)
                ]
        return [array for limits in self.work.ranges(span) for array in known[limits]]

    @property
    def still(self) -> tuple[bool, ...]:
        """Which stacks hold one frame that goes with every frame of the first."""
        several = self.stacks[0].n_frames != 1
        return tuple(several and stack.n_frames == 1 for stack in self.stacks)

    def run(
        self,
        block: Block,
        pace: Pace,
        check: Callable[[], None],
        report: Callable[[int], None],
        *,
        out: Array | None = None,
        arrays: Sequence[Array] | None = None,
        state: Any = None,
    ) -> tuple[Any, list[Any]]:
        """Compute a block: final state (of a scan) and values in order, one merged of a reduction.

        `check` raises `Stopped` after a cancel; `report` takes the number of finished items.
        """
        values: list[Any] = []
        spans = [block] if arrays is not None else self.parts(block, self.span)
        for span in spans:
            check()
            read = self.read(span, check) if arrays is None else arrays
            start = 0
            while start < span.length:
                check()
                items = pace.items if self.work.paced else self.step
                part = self.work.part(span, start, min(start + items, span.length))
                began = time.perf_counter()
                value = self._call(block, span, part, read, out, state)
                pace.took(part.length, time.perf_counter() - began)
                if isinstance(self.work, Scan):
                    state, value = value
                if self.merge is not None and values:
                    values[0] = self.merge(values[0], value)
                else:
                    values.append(value)
                start += part.length
                report(part.size)
        return state, values

    def _call(
        self,
        block: Block,
        span: Block,
        part: Block,
        read: Sequence[Array],
        out: Array | None,
        state: Any,
    ) -> Any:
        views = self._views(read, span, part)
        keywords = self.work.keywords(part)
        if out is not None:
            keywords["out"] = out[self.work.place_within(block, part)]
        first = (state,) if isinstance(self.work, Scan) else ()
        return self.function(*first, *views, *self.context, **keywords)

    def _views(self, read: Sequence[Array], span: Block, part: Block) -> list[Array | None]:
        """The arguments: a part of what was read for each stack, None where none was given."""
        views: list[Array | None] = []
        if isinstance(self.work, MapPairs):
            views.extend(self.work.views(read, span, part, self.rows_at))
            return views
        by_rows = self.work.rows(span) is not None
        arrays = iter(zip(read, self.stacks, self.still, strict=True))
        for there in self.given or (True,) * len(read):
            if not there:
                views.append(None)
                continue
            array, stack, still = next(arrays)
            whole = not is_planar(stack) if by_rows else still
            views.append(array if whole else self.work.views([array], span, part, self.rows_at)[0])
        return views


def chunk_frames(stack: Stack) -> tuple[int, int]:
    """Frames that the file's format reads together, and how many precede the first such unit."""
    chunks, numbers = stack.source.chunks, stack.frame_numbers
    if chunks is None or not stack.frame_axes or not numbers:
        return 1, 0
    together = 1
    for axis in reversed(stack.frame_axes):
        length = stack.source.shape[axis]
        together *= min(chunks[axis], length)
        if chunks[axis] < length:
            break
    if numbers.step > 1:
        return max(1, together // numbers.step), 0
    return together, -numbers.start % together


def is_planar(stack: Stack) -> bool:
    """Whether a frame has rows of pixels, and is not a row of numbers."""
    return sum(axis != stack.channel_axis for axis in stack.image_axes) > 1


def rows_at(stacks: Sequence[Stack]) -> int:
    """Axis of the blocks that rows of pixels run along."""
    return row_position(stacks[0])


def native(array: Array) -> Array:
    """The array in this machine's byte order, which compiled kernels need."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _read(
    stack: Stack,
    limits: tuple[int, int],
    rows: tuple[int, int] | None,
    check: Callable[[], None],
) -> Array:
    """Frames of a stack; large ones of a file in pieces, so that a cancel answers."""
    start, stop = limits
    together, _ = chunk_frames(stack)
    # Whole frames are decoded for a few rows of them.
    piece = max(1, _PIECE_BYTES // max(1, stack.frame_bytes) // together) * together
    in_memory = stack.source.chunks is None and not stack.source.paths
    if in_memory or rows is None or stop - start <= piece:
        return native(stack.read(start, stop, rows))
    first = stack.read(start, start + piece, rows)
    whole = np.empty((stop - start, *first.shape[1:]), stack.dtype.newbyteorder("="))
    whole[:piece] = first
    for at in range(start + piece, stop, piece):
        check()
        whole[at - start : at - start + piece] = stack.read(at, min(at + piece, stop), rows)
    return whole


class _BlasCap:
    """One BLAS thread while any pass runs, for its setting holds for the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._libraries: Any = None
        self._modules = 0
        self._limits: Any = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._limits = self._found().limit(limits=1, user_api="blas")
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._limits.restore_original_limits()

    def _found(self) -> Any:
        """The loaded libraries; looking for them takes 2 ms, so only where one may be new."""
        if self._modules != len(sys.modules):
            self._modules = len(sys.modules)
            self._libraries = ThreadpoolController()
        return self._libraries


one_blas_thread = _BlasCap()
