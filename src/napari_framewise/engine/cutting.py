"""How a pass is cut into blocks: from its shape, the budget, the clock and the file's chunks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from napari_framewise.engine import Engine
from napari_framewise.engine.job import STEP_SECONDS, chunk_frames
from napari_framewise.engine.plan import MIB, Blocks, Plan
from napari_framewise.engine.sinks import Sink
from napari_framewise.engine.work import Block, Cost, MapBands, MapPairs, MapTiles, Reduce, Work
from napari_framewise.stacks.stack import Stack

_BLOCK_BYTES = 4 * MIB
_LEAST_BYTES = MIB // 4
# The rest is for what decoding takes and the allocator keeps.
_OF_BUDGET = 0.75
# The cut of reductions: the same on every machine, or their last bits would differ.
_REDUCE_STEP_BYTES = 4 * MIB
_REDUCE_BLOCK_BYTES = 16 * MIB
_REDUCE_BLOCKS = 64


def make_plan(
    work: Work,
    inputs: Sequence[Stack | None],
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
    stacks = [stack for stack in inputs if stack is not None]
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
    elif isinstance(work, MapBands):
        size = span = step = work.band
        period, taken = work.height, work.band * each
    elif into is not None and into.cut is not None:
        size, period = into.cut
        if isinstance(work, MapPairs):
            span = size
            part = replace(cost, seconds=size * cost.seconds)
            step = span if work.side else _first_step(size * cost.output, part, span)
            taken = size * (2 * item + size * (cost.output + cost.scratch))
        else:
            span = min(size, _whole(_BLOCK_BYTES // each, together))
            step = _first_step(each, cost, span)
            taken = size * cost.output + span * each
    else:
        size = _map_size(work, each, total, cost, share, workers)
        if isinstance(work, MapPairs):
            size = _pair_size(item, cost, share, workers, total, work.side)
            taken = size * (2 * item + size * (cost.output + cost.scratch))
        else:
            # A chunk's rows in all frames may be far beyond the budget: then it is decoded again.
            fits = size >= together or not isinstance(work, MapTiles)
            size = min(_whole(size, together if fits else 1), total)
            taken = size * each
        span = size
        whole = isinstance(work, MapPairs) and work.side
        step = size if whole else _first_step(taken // size, cost, size)
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


def _pair_size(item: int, cost: Cost, share: int, workers: int, total: int, least: int = 0) -> int:
    """Side of a square tile of pairs: 2 s frames and s x s answers within the budget's share."""
    pair = cost.output + cost.scratch
    side = share // (2 * item)
    if pair:
        side = int((math.sqrt(item**2 + pair * share) - item) / pair)
    if cost.seconds:
        side = min(side, max(1, least, int(math.sqrt(10 * STEP_SECONDS / cost.seconds))))
    even = -(-total // (2 * workers))
    return max(1, min(side, even, total))


def _first_step(each: int, cost: Cost, most: int) -> int:
    step = int(STEP_SECONDS / cost.seconds) if cost.seconds else _LEAST_BYTES // max(1, each)
    return max(1, min(step, most))


def _whole(size: int, together: int) -> int:
    """A multiple of a unit: not more than the size, but at least one unit."""
    return max(1, size // together) * together
