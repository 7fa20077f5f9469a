"""How a pass is cut into blocks, from its shape, the budget, the clock and the file's chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .engine import Engine
from .results import Sink
from .stack import Stack
from .work import Cost, Work


@dataclass(frozen=True)
class Block:
    """A piece of a pass: frames, and what other shapes add to them."""

    number: int
    frames: tuple[int, int]
    reach: tuple[int, int] = (0, 0)
    rows: tuple[int, int] | None = None
    partner: tuple[int, int] | None = None


@dataclass(frozen=True)
class Plan:
    """Blocks of a pass and the memory they take."""

    blocks: Sequence[Block]
    work: Work
    bytes_in_flight: int

    def describe(self) -> str:
        """One sentence to tell before Run: "40 blocks of 256 frames, 36 MiB in flight"."""
        raise NotImplementedError


def make_plan(
    work: Work,
    stacks: Sequence[Stack],
    cost: Cost,
    engine: Engine,
    into: Sink | None = None,
) -> Plan:
    """Cut a pass into blocks."""
    raise NotImplementedError
