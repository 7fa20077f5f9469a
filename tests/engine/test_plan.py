from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import MIB, Blocks
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import (
    Cost,
    MapFrames,
    MapNeighbours,
    MapPairs,
    MapTiles,
    Reduce,
    Scan,
)
from napari_framewise.stacks.source import ArraySource
from napari_framewise.stacks.stack import Selection, stack_of


class Chunked(ArraySource):
    """An array that says its file reads several frames at once."""

    extent: tuple[int, ...] = ()

    @property
    def chunks(self) -> tuple[int, ...]:
        return self.extent


def chunked(shape: tuple[int, ...], extent: tuple[int, ...], dtype: str = "u2") -> Chunked:
    source = Chunked(np.broadcast_to(np.zeros((), dtype), shape))
    object.__setattr__(source, "extent", extent)
    return source


def big(frames: int, *frame: int) -> np.ndarray:
    return np.broadcast_to(np.uint16(0), (frames, *frame))


@given(st.integers(0, 60), st.integers(1, 20), st.integers(0, 30))
def test_blocks_cover_every_frame_once(total: int, size: int, first: int) -> None:
    blocks = Blocks(MapFrames(), [stack_of(np.zeros((total, 2, 3)))], size, first)
    seen = [frame for block in blocks for frame in range(*block.frames)]
    assert seen == list(range(total))
    assert all(0 < block.length <= size for block in blocks)
    assert blocks.items() == total
    assert {(block.frames[0] - first) % size for block in blocks[1:]} <= {0}


@given(st.integers(1, 6), st.integers(1, 25), st.integers(1, 20))
def test_a_cut_starts_anew_after_every_period(times: int, period: int, size: int) -> None:
    stack = stack_of(np.zeros((times * period, 2, 3)))
    blocks = Blocks(MapFrames(), [stack], size, period=period)
    seen = [frame for block in blocks for frame in range(*block.frames)]
    assert seen == list(range(times * period))
    assert all(0 < block.length <= size for block in blocks)
    assert set(range(0, times * period, period)) <= {block.frames[0] for block in blocks}


@given(st.integers(1, 30), st.integers(1, 12), st.booleans())
def test_tiles_cover_every_pair_once(total: int, size: int, symmetric: bool) -> None:
    stack = stack_of(np.zeros((total, 2, 3)))
    blocks = Blocks(MapPairs(symmetric), [stack], size)
    times = np.zeros((total, total), int)
    for block in blocks:
        times[MapPairs().place(block)] += 1
        assert block.partner is not None
        assert not symmetric or block.frames[0] <= block.partner[0]
    assert times.max() == 1
    wanted = times + times.T if symmetric else times
    assert (wanted > 0).all()
    assert blocks.items() == times.sum() == sum(block.size for block in blocks)


@given(st.integers(1, 40), st.integers(1, 15), st.integers(0, 4), st.integers(0, 4), st.data())
def test_parts_of_a_block_reach_what_is_there(
    total: int, size: int, before: int, after: int, data: st.DataObject
) -> None:
    work, stack = MapNeighbours(before, after), stack_of(np.arange(total * 2).reshape(total, 1, 2))
    blocks = Blocks(work, [stack], size)
    block = blocks[data.draw(st.integers(0, len(blocks) - 1))]
    start = data.draw(st.integers(0, block.length - 1))
    stop = data.draw(st.integers(start + 1, block.length))
    ((first, last),) = work.ranges(block)
    part = work.part(block, start, stop)
    (view,) = work.views([stack.read(first, last)], block, part, 1)
    begin, end = part.frames
    wanted = stack.read(max(0, begin - before), min(total, end + after))
    np.testing.assert_array_equal(view, wanted)
    np.testing.assert_array_equal(view[work.keywords(part)["core"]], stack.read(begin, end))


@pytest.mark.parametrize("workers", [1, 2, 16])
@pytest.mark.parametrize("frame", [(7, 7), (64, 64), (2048, 2048)])
@pytest.mark.parametrize("work", [MapFrames(), MapNeighbours(), Reduce(), Scan()])
def test_stays_within_the_budget(workers: int, frame: tuple[int, int], work: MapFrames) -> None:
    stack = stack_of(big(100_000, *frame))
    each = 2 * math.prod(frame)
    cost = Cost(output=2 * each, scratch=each)
    plan = make_plan(work, [stack], cost, Engine.local(workers))
    assert plan.bytes_in_flight <= 96 * MIB or plan.window == plan.span == 1
    assert plan.block_bytes == plan.span * 4 * each
    assert plan.workers <= workers
    assert plan.window <= workers + 2


def test_small_stacks_are_shared_among_the_workers() -> None:
    stack = stack_of(big(96_108, 7, 7))
    plan = make_plan(MapFrames(), [stack], Cost(), Engine.local(2))
    assert 8 <= len(plan.blocks) <= 12


def test_never_one_task_a_frame() -> None:
    stack = stack_of(big(1_000_000, 2, 2))
    for work in (MapFrames(), Reduce(), Scan()):
        assert len(make_plan(work, [stack], Cost(), Engine.local(64)).blocks) <= 300


def test_slow_work_gets_small_blocks() -> None:
    stack = stack_of(big(10_000, 64, 64))
    plan = make_plan(MapFrames(), [stack], Cost(seconds=0.01), Engine.local(2))
    assert plan.size <= 20
    assert plan.step <= 2
    for work in (MapFrames(), Reduce(), Scan()):
        assert make_plan(work, [stack], Cost(seconds=5.0), Engine.local(2)).size == 1


def test_the_cut_of_a_reduction_does_not_depend_on_who_reduces() -> None:
    stack = stack_of(big(10_000, 64, 64))
    plans = [
        make_plan(Reduce(), [stack], Cost(), Engine(Engine.local(workers).executor, budget))
        for workers in (1, 2, 7)
        for budget in (8 * MIB, 96 * MIB)
    ]
    assert len({(plan.size, plan.span, plan.step, len(plan.blocks)) for plan in plans}) == 1


@pytest.mark.parametrize("work", [MapFrames(), Reduce(), Scan()])
@pytest.mark.parametrize("start", [0, 10])
def test_blocks_begin_with_chunks(work: MapFrames, start: int) -> None:
    source = chunked((5000, 64, 64), (48, 64, 64))
    stack = stack_of(source, selection=Selection(frames=(start, 5000, 1)))
    plan = make_plan(work, [stack], Cost(), Engine.local(2))
    assert plan.span % 48 == 0
    assert {(block.frames[0] + start) % 48 for block in plan.blocks[1:]} == {0}


def test_says_what_a_file_asks_for_beyond_the_budget() -> None:
    stack = stack_of(chunked((1000, 512, 512), (1000, 512, 512)))
    plan = make_plan(MapFrames(), [stack], Cost(), Engine.local(2))
    assert plan.workers == 1
    assert plan.describe() == (
        "1 block of 1,000 frames, 500 MiB in flight: more than the 96 MiB meant for it, because "
        "this is the smallest unit that the tool and the file allow"
    )


def test_says_what_it_does() -> None:
    engine = Engine.local(2)
    stack = stack_of(big(10_000, 64, 64))
    plan = make_plan(MapFrames(), [stack], Cost(output=8192), engine)
    mib = plan.bytes_in_flight / MIB
    assert (
        plan.describe()
        == f"{len(plan.blocks)} blocks of {plan.size} frames, {mib:.0f} MiB in flight"
    )
    tiles = make_plan(MapTiles(), [stack_of(big(10, 64, 64))], Cost(), engine)
    assert "rows" in tiles.describe()
    pairs = make_plan(MapPairs(), [stack_of(big(100, 64, 64))], Cost(output=8), engine)
    assert pairs.describe().startswith(f"{len(pairs.blocks)} blocks of 25 x 25 frames, ")
    single = make_plan(MapFrames(), [stack_of(big(1, 64, 64))], Cost(), engine)
    assert single.describe() == "1 block of 1 frame, 8 KiB in flight"


@pytest.mark.parametrize("extent", [(1, 512, 2048), (10_000, 8, 2048), (16, 4, 4)])
def test_rows_of_all_frames_stay_within_the_budget(extent: tuple[int, ...]) -> None:
    stack = stack_of(chunked((1000, 2048, 2048), extent))
    plan = make_plan(MapTiles(), [stack], Cost(), Engine.local(2))
    assert plan.bytes_in_flight <= 96 * MIB
    assert plan.size % extent[1] == 0 or plan.size < extent[1]


def test_tiles_of_pairs_stay_within_the_budget() -> None:
    stack = stack_of(big(3000, 256, 256))
    plan = make_plan(MapPairs(), [stack], Cost(output=8), Engine.local(2))
    assert plan.bytes_in_flight <= 96 * MIB
    assert plan.size > 20


def test_no_frames_are_no_blocks() -> None:
    for work in (MapFrames(), MapNeighbours(), Reduce(), Scan(), MapPairs()):
        plan = make_plan(work, [stack_of(np.zeros((0, 4, 5)))], Cost(), Engine.local(2))
        assert len(plan.blocks) == plan.items == 0


def test_a_result_in_memory_is_not_cut_otherwise() -> None:
    stack = stack_of(big(1000, 8, 8))
    sink = MemorySink(np.empty((1000, 8, 8)))
    with_sink = make_plan(MapFrames(), [stack], Cost(512), Engine.local(2), sink)
    without = make_plan(MapFrames(), [stack], Cost(512), Engine.local(2))
    assert list(with_sink.blocks) == list(without.blocks)


def test_workers_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="give 1 or more"):
        Engine.local(0)
