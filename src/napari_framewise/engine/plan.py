"""A plan: the blocks that a pass is cut into, and what they take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from napari_framewise.engine.progress import duration
from napari_framewise.engine.work import Block, MapPairs, Work
from napari_framewise.stacks.stack import Stack

MIB = 2**20
LONG_SECONDS = 3600.0
_READ_RATE = (
    500e6  # Bytes a second of a good disk: what a tool says of its work leaves reading out.
)


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

    @property
    def seconds(self) -> float:
        """Seconds that the pass takes about: a tool's own guess of its work, and reading."""
        each = self.block_seconds / self.workers + self.read_bytes / _READ_RATE
        return len(self.blocks) * each

    def warnings(self) -> tuple[str, ...]:
        """What should be known before Run: a sentence for each thing that is out of the common."""
        said = []
        if self.seconds > LONG_SECONDS:
            said.append(
                f"This takes {duration(self.seconds)} or so for {self.items:,} {self.work.unit}; "
                "fewer frames or a smaller region take less."
            )
        if self.bytes_in_flight > self.budget:
            said.append(
                f"{_mib(self.bytes_in_flight)} of memory are needed at a time, more than the "
                f"{_mib(self.budget)} meant for it: it is the smallest unit that the tool and the "
                "file allow."
            )
        return tuple(said)

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


def _mib(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", MIB)):
        if count >= size:
            value = count / size
            return f"{value:,.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{count / 1024:,.0f} KiB"
