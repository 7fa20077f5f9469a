"""How a pass is cut into blocks: from its shape, the budget, the clock and the file's chunks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from .job import STEP_SECONDS, chunk_frames
from .sinks import Sink
from .stack import Stack
from .work import Block, Cost, MapPairs, MapTiles, Reduce, Work

if TYPE_CHECKING:
    from .engine import Engine

MIB = 2**20
_BLOCK_BYTES = 4 * MIB
_LEAST_BYTES = MIB // 4
# The rest is for what decoding takes and the allocator keeps.
_OF_BUDGET = 0.75
# The cut of reductions: the same on every machine, or their last bits would differ.
_REDUCE_STEP_BYTES = 4 * MIB
_REDUCE_BLOCK_BYTES = 16 * MIB
_REDUCE_BLOCKS = 64


class Blocks(Sequence[Block]):
    """The blocks of a pass, each made when it is asked for.

    Parameters
    ----------
    work : Work
        The shape that turns ranges into blocks.
    stacks : sequence of Stack
        What is cut.
    size : int
        Items of a block.
    first : int
        Items of block 0 where it is shorter, so that the others begin with a unit of the file.
    period : int, optional
        Items after which the cut starts anew.
    """

    def __init__(
        self,
        work: Work,
        stacks: Sequence[Stack],
        size: int,
        first: int = 0,
        period: int | None = None,
    ) -> None:
        self._work, self._stacks = work, tuple(stacks)
        self._total = work.length(stacks)
        self.size = size
        self._first = first % size
        self._period = period or max(1, self._total)
        self._per_period = -(-(self._period - self._first) // size) + bool(self._first)
        rows = -(-self._total // self._period) * self._per_period
        self._ranges = rows
        self._pairs = isinstance(work, MapPairs)
        self._symmetric = isinstance(work, MapPairs) and work.symmetric

    def __len__(self) -> int:
        if not self._pairs:
            return self._ranges
        return self._ranges * (self._ranges + 1) // 2 if self._symmetric else self._ranges**2

    @overload
    def __getitem__(self, number: int) -> Block: ...
    @overload
    def __getitem__(self, number: slice) -> list[Block]: ...
    def __getitem__(self, number: int | slice) -> Block | list[Block]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        number = range(len(self))[number]
        if not self._pairs:
            return self._work.block(self._range(number), self._stacks)
        if self._symmetric:
            # Column by column: columns 0 to c - 1 hold c (c + 1) / 2 tiles.
            column = (math.isqrt(8 * number + 1) - 1) // 2
            row = number - column * (column + 1) // 2
        else:
            row, column = divmod(number, self._ranges)
        return Block(self._range(row), partner=self._range(column))

    def items(self) -> int:
        """Number of all items."""
        if not self._pairs:
            return self._total
        if not self._symmetric:
            return self._total**2
        lengths = [stop - start for start, stop in map(self._range, range(self._ranges))]
        return (self._total**2 + sum(length**2 for length in lengths)) // 2

    def _range(self, number: int) -> tuple[int, int]:
        period, within = divmod(number, self._per_period)
        base = period * self._period
        last = min(self._period, self._total - base)
        start = within * self.size
        if self._first:
            start = self._first + (within - 1) * self.size if within else 0
        stop = self._first if self._first and not within else start + self.size
        return base + start, base + min(stop, last)


@dataclass(frozen=True, eq=False)
class Plan:
    """Blocks of a pass and what they take.

    Attributes
    ----------
    blocks : sequence of Block
        In order; what an earlier run has left in the sink is not among them.
    work : Work
        The pass's shape.
    items : int
        Items of all those blocks.
    size : int
        Items of one block.
    span, step : int
        Items that are read at once; items per call of the function, to begin with.
    workers : int
        Blocks that are computed at once.
    window : int
        Blocks in flight: computed, or waiting to be merged.
    block_bytes : int
        Bytes that one takes.
    read_bytes : int
        Bytes of its input.
    block_seconds : float
        Seconds that it takes; 0 where that is not known.
    budget : int
        Bytes that were meant for all in flight.
    """

    blocks: Sequence[Block]
    work: Work
    items: int
    size: int
    span: int
    step: int
    workers: int
    window: int
    block_bytes: int
    read_bytes: int
    block_seconds: float
    budget: int

    @property
    def bytes_in_flight(self) -> int:
        """Bytes of all blocks in flight."""
        return min(self.window, len(self.blocks)) * self.block_bytes

    def describe(self) -> str:
        """One sentence to tell before Run: "40 blocks of 256 frames, 36 MiB in flight"."""
        count = len(self.blocks)
        if isinstance(self.work, MapPairs):
            size = f"{self.size:,} x {self.size:,} frames"
        else:
            size = f"{self.size:,} {self.work.unit if self.size > 1 else self.work.unit[:-1]}"
        blocks = "1 block" if count == 1 else f"{count:,} blocks"
        text = f"{blocks} of {size}, {_mib(self.bytes_in_flight)} in flight"
        if self.bytes_in_flight <= self.budget:
            return text
        return (
            f"{text}: more than the {_mib(self.budget)} meant for it, because this is the smallest "
            "unit that the tool and the file allow"
        )


def make_plan(
    work: Work,
    stacks: Sequence[Stack],
    cost: Cost,
    engine: Engine,
    into: Sink | None = None,
) -> Plan:
    """Cut a pass into blocks.

    (workers + 2) blocks, each with input, output and temporaries, stay within three quarters of the
    budget, which leaves room for decoding, except where one unit of the file is larger. A
    reduction's cut follows from the stacks and the cost alone, so that its result has the same
    bits wherever it runs.
    """
    workers, budget = engine.executor.workers, engine.budget
    item = work.item_bytes(stacks)
    each = max(1, item + cost.output + cost.scratch)
    total = max(1, work.length(stacks))
    together, lead = _unit_of(work, stacks)
    # Rows of all frames are large, and what waits to be merged holds only their answer.
    window = workers if isinstance(work, MapTiles) else workers + 2
    share = max(1, int(_OF_BUDGET * budget) // window)
    period = None
    if isinstance(work, Reduce):
        size, step = _reduce_cut(item, each, total, cost, together)
        span = _whole(min(size, max(step, _REDUCE_STEP_BYTES // max(1, item))), together)
        size = _whole(size, span)
        taken = span * each
    elif into is not None and into.cut is not None:
        size, period = into.cut
        span = min(size, _whole(_BLOCK_BYTES // each, together))
        step = _first_step(each, cost, span)
        taken = size * cost.output + span * each
    else:
        size = _map_size(work, each, total, cost, share, workers)
        if isinstance(work, MapPairs):
            size = _pair_size(item, cost, share, workers, total)
            taken = size * (2 * item + size * (cost.output + cost.scratch))
        else:
            # A chunk's rows in all frames may be far beyond the budget: then it is decoded again.
            fits = size >= together or not isinstance(work, MapTiles)
            size = min(_whole(size, together if fits else 1), total)
            taken = size * each
        span = size
        step = _first_step(taken // size, cost, size)
    first = lead if period is None and size % together == 0 else 0
    blocks = Blocks(work, stacks, size, first, period)
    left: Sequence[Block] = blocks
    if into is not None and into.cut is not None:
        left = [block for block in blocks if not into.finished(block)]
    items = blocks.items() if left is blocks else sum(block.size for block in left)
    fitting = max(1, min(window, budget // max(1, taken)))
    return Plan(
        blocks=left,
        work=work,
        items=items,
        size=size,
        span=span,
        step=step,
        workers=min(workers, fitting),
        window=fitting,
        block_bytes=taken,
        read_bytes=size * item,
        block_seconds=cost.seconds * (size**2 if isinstance(work, MapPairs) else size),
        budget=budget,
    )


def _unit_of(work: Work, stacks: Sequence[Stack]) -> tuple[int, int]:
    """Items that the files' formats read together, and how many come before the first such unit."""
    if isinstance(work, MapTiles):
        rows = [
            stack.source.chunks[stack.row_axis]
            for stack in stacks
            if stack.source.chunks is not None
        ]
        whole = max(rows, default=1) >= work.length(stacks)
        return (1 if whole else max(rows, default=1)), 0
    return max(
        (chunk_frames(stack) for stack in stacks),
        key=lambda unit: unit[0],
    )


def _reduce_cut(item: int, each: int, total: int, cost: Cost, together: int) -> tuple[int, int]:
    """Items of a block and of a call, from the data alone."""
    step = max(1, _REDUCE_STEP_BYTES // each)
    even = max(-(-total // _REDUCE_BLOCKS), min(total, _LEAST_BYTES // each))
    size = max(1, min(_REDUCE_BLOCK_BYTES // max(1, item), even))
    if cost.seconds:
        step = min(step, max(1, int(STEP_SECONDS / cost.seconds)))
        size = min(size, max(1, int(10 * STEP_SECONDS / cost.seconds)))
    return size, min(step, size)


def _map_size(work: Work, each: int, total: int, cost: Cost, share: int, workers: int) -> int:
    """Items of a block: within the budget's share, and enough blocks for every worker."""
    target = share if isinstance(work, MapTiles) else min(share, _BLOCK_BYTES)
    size = max(1, min(target // each, -(-total // (4 * workers))))
    if cost.seconds and not isinstance(work, MapTiles):
        size = min(size, max(1, int(10 * STEP_SECONDS / cost.seconds)))
    return size if size < 8 else size - size % 8


def _pair_size(item: int, cost: Cost, share: int, workers: int, total: int) -> int:
    """Side of a square tile of pairs: 2 s frames and s x s answers within the budget's share."""
    pair = cost.output + cost.scratch
    side = share // (2 * item)
    if pair:
        side = int((math.sqrt(item**2 + pair * share) - item) / pair)
    if cost.seconds:
        side = min(side, max(1, int(math.sqrt(10 * STEP_SECONDS / cost.seconds))))
    even = -(-total // (2 * workers))
    return max(1, min(side, even, total))


def _first_step(each: int, cost: Cost, most: int) -> int:
    step = int(STEP_SECONDS / cost.seconds) if cost.seconds else _LEAST_BYTES // max(1, each)
    return max(1, min(step, most))


def _whole(size: int, together: int) -> int:
    """A multiple of a unit: not more than the size, but at least one unit."""
    return max(1, size // together) * together


def _mib(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", MIB)):
        if count >= size:
            value = count / size
            return f"{value:,.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{count / 1024:,.0f} KiB"
