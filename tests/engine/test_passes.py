from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engine import computations as do
from tests.engine.conftest import Drain
from threadpoolctl import threadpool_info

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.job import BlockError, Pace
from napari_framewise.engine.passes import run_pass
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
from napari_framewise.stacks.stack import Selection, stack_of


def test_maps_frames_in_order(engine: Engine, movie: np.ndarray, drain: Drain) -> None:
    values, told = drain(run_pass(MapFrames(), do.frame_sums, [stack_of(movie)], engine=engine))
    np.testing.assert_array_equal(np.concatenate(values), do.frame_sums(movie))
    assert len(values) < 100
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert (told[0].done, told[-1].done, told[-1].total) == (0, 1500, 1500)


def test_hands_over_context_and_several_stacks(
    engine: Engine, movie: np.ndarray, drain: Drain
) -> None:
    weights = np.linspace(0, 1, 720).reshape(24, 30)
    stack = stack_of(movie)
    values, _ = drain(
        run_pass(MapFrames(), do.weighted_sums, [stack], (weights, 2.0), engine=engine)
    )
    np.testing.assert_allclose(np.concatenate(values), do.weighted_sums(movie, weights, 2.0))
    backwards = stack_of(movie[::-1])
    values, _ = drain(run_pass(MapFrames(), do.dot_products, [stack, backwards], engine=engine))
    np.testing.assert_allclose(np.concatenate(values), do.dot_products(movie, movie[::-1]))


def test_writes_straight_into_the_result(engine: Engine, movie: np.ndarray, drain: Drain) -> None:
    result = np.zeros(movie.shape, np.int32)
    counts, _ = drain(
        run_pass(
            MapFrames(),
            do.negative,
            [stack_of(movie)],
            engine=engine,
            cost=Cost(output=4 * 720),
            into=MemorySink(result),
        )
    )
    np.testing.assert_array_equal(result, -movie.astype(np.int32))
    assert sum(counts) == 1500


def test_gives_neighbours(engine: Engine, movie: np.ndarray, drain: Drain) -> None:
    stack = stack_of(movie)
    values, _ = drain(
        run_pass(
            MapNeighbours(2, 1), do.window_sums, [stack], engine=engine, cost=Cost(seconds=1e-4)
        )
    )
    assert len(values) > 5
    np.testing.assert_allclose(
        np.concatenate(values), do.window_sums(movie, core=slice(0, len(movie)))
    )
    steps, _ = drain(run_pass(MapNeighbours(), do.steps_between, [stack], engine=engine))
    np.testing.assert_allclose(np.concatenate(steps), np.diff(do.frame_sums(movie)))
    result = np.zeros(movie.shape)
    drain(
        run_pass(
            MapNeighbours(2, 1), do.window_means, [stack], engine=engine, into=MemorySink(result)
        )
    )
    np.testing.assert_allclose(result[700], movie[698:702].mean(0))
    np.testing.assert_allclose(result[-1], movie[-3:].mean(0))


def test_scans_in_order(engine: Engine, movie: np.ndarray, drain: Drain) -> None:
    stack = stack_of(movie)
    (state, values), _ = drain(
        run_pass(Scan(), do.running_sum, [stack], engine=engine, state=0.0, cost=Cost(seconds=1e-4))
    )
    np.testing.assert_array_equal(np.concatenate(values), np.cumsum(do.frame_sums(movie)))
    assert len(values) > 5
    assert state == movie.sum()
    result = np.zeros(movie.shape)
    drain(
        run_pass(
            Scan(), do.smoothed, [stack], engine=engine, state=movie[0] * 1.0,
            into=MemorySink(result),
        )
    )  # fmt: skip
    wanted = np.zeros(movie.shape)
    do.smoothed(movie[0] * 1.0, movie, out=wanted)
    np.testing.assert_array_equal(result, wanted)


def test_maps_rows_with_all_frames(engine: Engine, movie: np.ndarray, drain: Drain) -> None:
    values, told = drain(run_pass(MapTiles(), do.time_means, [stack_of(movie)], engine=engine))
    np.testing.assert_allclose(np.concatenate(values), movie.mean(0))
    assert told[-1].text() == "Working: 24 of 24 rows"
    maxima = np.zeros((24, 30), np.uint16)
    drain(
        run_pass(
            MapTiles(), do.time_maxima, [stack_of(movie)], engine=engine, into=MemorySink(maxima)
        )
    )
    np.testing.assert_array_equal(maxima, movie.max(0))


def test_rows_of_volumes_and_of_colours(drain: Drain) -> None:
    engine, rng = Engine.local(2), np.random.default_rng(0)
    volumes = rng.integers(0, 200, (20, 3, 12, 5), dtype=np.uint8)
    stack = stack_of(volumes, axes=("t", "z", "y", "x"))
    values, _ = drain(run_pass(MapTiles(), do.time_means, [stack], engine=engine))
    np.testing.assert_allclose(np.concatenate(values, axis=1), volumes.mean(0))
    colours = stack_of(rng.integers(0, 200, (20, 12, 5, 3), dtype=np.uint8), rgb=True)
    values, _ = drain(run_pass(MapTiles(), do.time_means, [colours], engine=engine))
    np.testing.assert_allclose(np.concatenate(values), colours.read(0, 20).mean(0))


@pytest.mark.parametrize("symmetric", [True, False])
def test_maps_tiles_of_pairs(
    engine: Engine, movie: np.ndarray, drain: Drain, symmetric: bool
) -> None:
    frames = movie[:301]
    matrix = np.full((301, 301), np.nan)
    _, told = drain(
        run_pass(
            MapPairs(symmetric),
            do.inner_products,
            [stack_of(frames)],
            engine=engine,
            cost=Cost(output=8),
            into=MemorySink(matrix),
        )
    )
    flat = frames.reshape(301, -1).astype(float)
    wanted = flat @ flat.T
    # The tiles above the diagonal are mirrored, and only one half of them is computed.
    np.testing.assert_allclose(matrix, wanted)
    assert told[-1].done == told[-1].total
    assert (told[-1].total < matrix.size) == symmetric


@pytest.mark.parametrize("frames", [1, 7, 1499])
def test_a_reduction_has_the_same_bits_everywhere(
    cluster_engine: Engine, drain: Drain, frames: int
) -> None:
    data = np.random.default_rng(0).normal(size=(frames, 24, 30)) * 10.0 ** np.arange(30)
    stack = stack_of(data)
    results = [
        drain(run_pass(Reduce(), do.float_sum, [stack], merge=do.add, engine=engine))[0]
        for engine in (Engine.local(1), Engine.local(2), Engine.local(5), cluster_engine)
    ]
    np.testing.assert_allclose(results[0], data.sum(0), rtol=1e-9)
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_a_reduction_is_cut_and_merged(engine: Engine, movie: np.ndarray, drain: Drain) -> None:
    total, told = drain(
        run_pass(
            Reduce(),
            do.count_frames,
            [stack_of(movie)],
            engine=engine,
            merge=int.__add__,
            cost=Cost(seconds=1e-3),
        )
    )
    assert total == 1500
    assert told[-1].done == 1500


def test_no_frames_give_no_values(engine: Engine, drain: Drain) -> None:
    stack = stack_of(np.zeros((0, 4, 5)))
    assert drain(run_pass(MapFrames(), do.frame_sums, [stack], engine=engine))[0] == []
    reduced = run_pass(Reduce(), do.float_sum, [stack], merge=do.add, engine=engine)
    assert drain(reduced)[0] is None
    scanned = run_pass(Scan(), do.running_sum, [stack], state=4.0, engine=engine)
    assert drain(scanned)[0] == (4.0, [])


def test_functions_get_native_byte_order(engine: Engine, drain: Drain) -> None:
    swapped = stack_of(np.arange(60, dtype=">u2").reshape(5, 3, 4))
    values, _ = drain(run_pass(MapFrames(), do.native_byte_order, [swapped], engine=engine))
    assert all(values)
    sums, _ = drain(run_pass(MapFrames(), do.frame_sums, [swapped], engine=engine))
    np.testing.assert_array_equal(np.concatenate(sums), np.arange(60.0).reshape(5, 12).sum(1))


def test_an_error_names_its_frames(engine: Engine, movie: np.ndarray, drain: Drain) -> None:
    data = np.zeros((2000, 8, 8), np.uint16)
    data[1234] = 1
    with pytest.raises(
        BlockError, match=r"^Sorting: frames .* failed: nothing but dust$"
    ) as caught:
        drain(
            run_pass(
                MapFrames(), do.failing, [stack_of(data)], (1,), engine=engine, label="Sorting"
            )
        )
    assert isinstance(caught.value.__cause__, ValueError)
    first, last = (int(word.replace(",", "")) for word in str(caught.value).split()[2:5:2])
    assert first <= 1234 <= last
    # The next pass is none the worse.
    again = run_pass(MapFrames(), do.frame_sums, [stack_of(data)], engine=engine)
    assert np.concatenate(drain(again)[0]).sum() == 64


def test_an_error_that_cannot_be_sent_keeps_its_words(engine: Engine, drain: Drain) -> None:
    stack = stack_of(np.zeros((10, 4, 4)))
    with pytest.raises(BlockError, match="cannot be sent"):
        drain(run_pass(MapFrames(), do.failing_stubbornly, [stack], engine=engine))


@pytest.mark.parametrize(
    ("stacks", "work", "merge", "message"),
    [
        ([], MapFrames(), None, "No stack was given"),
        ([(5, 2, 2), (6, 2, 2)], MapFrames(), None, r"stack has 5, stack has 6"),
        ([(5, 2, 2), (5, 3, 2)], MapTiles(), None, "frames have 2, 3 rows"),
        ([(5, 2, 2)], Reduce(), None, "A reduction, and nothing else, takes merge="),
        ([(5, 2, 2)], MapFrames(), do.add, "A reduction, and nothing else, takes merge="),
    ],
)
def test_what_does_not_fit_is_refused(
    stacks: list[tuple[int, ...]], work: Any, merge: Any, message: str
) -> None:
    made = [stack_of(np.zeros(shape)) for shape in stacks]
    with pytest.raises(ValueError, match=message):
        next(run_pass(work, do.frame_sums, made, merge=merge, engine=Engine.local(1)))


def calls(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def test_closing_stops_the_work(engine: Engine, movie: np.ndarray, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    running = run_pass(
        MapFrames(), do.slow, [stack_of(movie)], (str(log), 1e-3), engine=engine,
        cost=Cost(seconds=1e-3),
    )  # fmt: skip
    for progress in running:
        if progress.done:
            break
    running.close()
    # What was under way on a worker ends with its next check.
    time.sleep(0.3)
    after = calls(log)
    time.sleep(0.3)
    assert calls(log) == after
    assert 0 < after < 50


def test_tells_before_the_first_block_is_finished(movie: np.ndarray, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    running = run_pass(
        MapFrames(), do.slow, [stack_of(movie[:1])], (str(log), 0.5), engine=Engine.local(1)
    )
    waiting = [progress for progress in running if not progress.done]
    assert len(waiting) >= 5


def test_nothing_is_written_after_a_cancel(movie: np.ndarray, tmp_path: Path) -> None:
    result = np.zeros(movie.shape, np.int32)
    running = run_pass(
        MapFrames(), do.slow_negative, [stack_of(movie)], (str(tmp_path / "calls"), 1e-4),
        engine=Engine.local(2), into=MemorySink(result),
    )  # fmt: skip
    for progress in running:
        if progress.done:
            break
    running.close()
    left = result.copy()
    assert (left == 0).any()
    time.sleep(0.3)
    np.testing.assert_array_equal(result, left)


def test_passes_take_turns_on_one_pool(movie: np.ndarray, tmp_path: Path, drain: Drain) -> None:
    before = threading.active_count()
    long = run_pass(
        MapFrames(), do.slow, [stack_of(movie)], (str(tmp_path / "calls"), 1e-3),
        engine=Engine.local(40), cost=Cost(seconds=1e-3),
    )  # fmt: skip
    with contextlib.closing(long):
        next(long)
        next(long)
        values, _ = drain(
            run_pass(MapFrames(), do.frame_sums, [stack_of(movie)], engine=Engine.local(2))
        )
        assert len(np.concatenate(values)) == 1500
        assert threading.active_count() - before <= 40


def test_a_reduction_takes_no_more_blocks_than_the_window(drain: Drain) -> None:
    """A first block that hangs holds up the others after a few, for they would wait in memory."""
    started: list[int] = []
    go_on = threading.Event()

    def hanging(block: np.ndarray) -> int:
        started.extend(block[:, 0, 0].tolist())
        if block[0, 0, 0] == 0:
            go_on.wait(10)
        return len(block)

    data = np.broadcast_to(np.arange(1000, dtype=np.uint16)[:, None, None], (1000, 8, 8))
    stack = stack_of(data)
    cost = Cost(seconds=0.02)
    plan = make_plan(Reduce(), [stack], cost, Engine.local(2))
    running = run_pass(
        Reduce(), hanging, [stack], engine=Engine.local(2), cost=cost, merge=int.__add__
    )
    for progress in running:
        if progress.elapsed > 0.3:
            break
    assert plan.size < len(started) <= plan.window * plan.size < 1000
    go_on.set()
    assert drain(running)[0] == 1000
    assert sorted(started) == list(range(1000))


def test_blas_has_one_thread_inside_and_its_own_outside(drain: Drain) -> None:
    def threads(block: np.ndarray) -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = threads(np.zeros(1))
    values, _ = drain(
        run_pass(MapFrames(), threads, [stack_of(np.zeros((9, 4, 4)))], engine=Engine.local(2))
    )
    assert all(value == {1} for value in values)
    assert threads(np.zeros(1)) == before


def test_the_pace_follows_the_clock() -> None:
    pace = Pace(100)
    pace.took(100, 2.0)
    assert pace.items == 24
    for _ in range(20):
        pace.took(pace.items, pace.items * 1e-5)
    assert pace.items == 2000
    for _ in range(20):
        pace.took(pace.items, pace.items * 1.0)
    assert pace.items == 1


def test_takes_a_choice_of_frames(engine: Engine, movie: np.ndarray, drain: Drain) -> None:
    chosen = stack_of(movie, selection=Selection(frames=(10, 1400, 7), region=((2, 9), (0, 30))))
    values, _ = drain(run_pass(MapFrames(), do.frame_sums, [chosen], engine=engine))
    np.testing.assert_array_equal(np.concatenate(values), do.frame_sums(movie[10:1400:7, 2:9]))
