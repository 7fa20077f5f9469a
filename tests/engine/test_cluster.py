from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster
from tests.engine import computations as do
from tests.engine.conftest import Drain

from napari_framewise.engine import Engine
from napari_framewise.engine import cluster as cluster_module
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.results import write_frames
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames, Reduce
from napari_framewise.stacks.stack import Stack, stack_of


@pytest.fixture
def filed(movie: np.ndarray, tmp_path: Path) -> Stack:
    """The movie as a file that workers read by themselves."""
    np.save(tmp_path / "movie.npy", movie)
    return stack_of(do.Mapped(str(tmp_path / "movie.npy")))


def wait_for_workers(cluster: LocalCluster, count: int) -> None:
    cluster.wait_for_workers(count, timeout=30)


@pytest.fixture
def whole_again(cluster: LocalCluster) -> object:
    """The other tests find both workers after one was killed."""
    yield
    wait_for_workers(cluster, 2)


@pytest.mark.usefixtures("whole_again")
@pytest.mark.parametrize("place", ["file", "memory"])
def test_a_killed_worker_changes_nothing(
    cluster_engine: Engine,
    movie: np.ndarray,
    filed: Stack,
    drain: Drain,
    tmp_path: Path,
    place: str,
) -> None:
    stack = filed if place == "file" else stack_of(np.repeat(movie, 10, axis=0))
    flag = str(tmp_path / "killed")
    value = int(movie[800, 3, 4])
    values, _ = drain(
        run_pass(
            MapFrames(), do.frame_sums_once_killed, [stack], (flag, value), engine=cluster_engine
        )
    )
    assert Path(flag).exists()
    np.testing.assert_array_equal(
        np.concatenate(values), do.frame_sums(stack.read(0, stack.n_frames))
    )


@pytest.mark.usefixtures("whole_again")
def test_a_killed_worker_leaves_a_reduction_the_same_bits(
    cluster_engine: Engine, movie: np.ndarray, drain: Drain, tmp_path: Path
) -> None:
    stack = stack_of(movie / 7.0)
    flag = str(tmp_path / "killed")
    value = float(movie[800, 3, 4]) / 7.0
    killed, _ = drain(
        run_pass(
            Reduce(),
            do.float_sum_once_killed,
            [stack],
            (flag, value),
            merge=do.add,
            engine=cluster_engine,
        )
    )
    assert Path(flag).exists()
    plain = run_pass(Reduce(), do.float_sum, [stack], merge=do.add, engine=Engine.local(2))
    np.testing.assert_array_equal(killed, drain(plain)[0])


def test_files_are_read_by_the_workers(
    cluster_engine: Engine,
    filed: Stack,
    movie: np.ndarray,
    drain: Drain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(do.Mapped, "read", None)
    values, _ = drain(run_pass(MapFrames(), do.frame_sums, [filed], engine=cluster_engine))
    np.testing.assert_array_equal(np.concatenate(values), do.frame_sums(movie))


def test_a_small_array_goes_with_a_file(
    cluster_engine: Engine, filed: Stack, movie: np.ndarray, drain: Drain
) -> None:
    """Coefficients in memory do not make the pixels go through this process."""
    coefficients = stack_of(np.linspace(0, 1, 1500)[:, None], axes=("t", "k"))
    lazy = LazyFrames([filed, coefficients], do.add_from_twins, dtype=np.float32)
    assert cluster_module._travels(lazy)
    result = np.zeros(movie.shape, np.float32)
    drain(
        run_pass(
            MapFrames(),
            do.add_from_twins,
            [filed, coefficients],
            engine=cluster_engine,
            into=MemorySink(result),
        )
    )
    np.testing.assert_allclose(result, movie * np.linspace(0, 1, 1500)[:, None, None], rtol=1e-6)


def test_a_large_array_is_sent_block_by_block(cluster_engine: Engine, drain: Drain) -> None:
    data = np.random.default_rng(1).integers(0, 9, (600, 150, 160), dtype=np.uint16)
    stack = stack_of(data)
    assert not cluster_module._travels(stack.source)
    values, told = drain(run_pass(MapFrames(), do.frame_sums, [stack], engine=cluster_engine))
    np.testing.assert_array_equal(np.concatenate(values), do.frame_sums(data))
    assert told[-1].done == 600


def test_a_large_context_is_sent_without_a_warning(cluster_engine: Engine, drain: Drain) -> None:
    weights = np.random.default_rng(1).normal(size=(1200, 1300))
    data = np.ones((4, 1200, 1300), np.uint8)
    values, _ = drain(
        run_pass(
            MapFrames(), do.weighted_sums, [stack_of(data)], (weights, 1.0), engine=cluster_engine
        )
    )
    np.testing.assert_allclose(np.concatenate(values), np.full(4, weights.sum()))


def test_results_are_written_by_the_workers(
    cluster_engine: Engine,
    filed: Stack,
    drain: Drain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lazy = LazyFrames(filed, do.negative, dtype=np.int32)
    drain(write_frames(lazy, tmp_path / "here.zarr", engine=Engine.local(2)))
    monkeypatch.setattr("napari_framewise.engine.shards.ShardedArray.write", None)
    drain(write_frames(lazy, tmp_path / "there.zarr", engine=cluster_engine))
    here, there = (stack_of(read_zarr(tmp_path / name)) for name in ("here.zarr", "there.zarr"))
    np.testing.assert_array_equal(here.read(0, 1500), there.read(0, 1500))


def read_zarr(path: Path) -> np.ndarray:
    import zarr

    return zarr.open_array(str(path), path="0", mode="r")[...]


def test_a_file_that_workers_cannot_reach_is_named(
    cluster_engine: Engine, filed: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(do.Mapped, "paths", ("/nowhere/movie.npy",))
    running = run_pass(MapFrames(), do.frame_sums, [filed], engine=cluster_engine)
    next(running)
    with pytest.raises(ValueError, match=r"worker .* cannot reach /nowhere/movie.npy; use a place"):
        next(running)


def test_workers_of_another_version_are_refused(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "__version__", "99.0")
    with pytest.raises(ValueError, match=r"has napari-framewise .*, here is 99\.0"):
        Engine.cluster(cluster.scheduler_address)


def test_workers_without_the_package_are_refused(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> str:
        raise ModuleNotFoundError("No module named 'napari_framewise'")

    monkeypatch.setattr(cluster_module, "version", absent)
    with pytest.raises(ValueError, match="workers cannot import napari_framewise"):
        Engine.cluster(cluster.scheduler_address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://somewhere", ""])
def test_an_address_where_nothing_answers(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_CONNECT_SECONDS", 0.5)
    with pytest.raises(ValueError, match="No dask scheduler answers at"):
        Engine.cluster(address)


def test_a_cluster_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_CONNECT_SECONDS", 1)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        pytest.raises(ValueError, match="has no workers; start some with"),
    ):
        Engine.cluster(empty.scheduler_address)


def test_without_distributed_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r'pip install "napari-framewise\[cluster\]"'):
        Engine.cluster("tcp://127.0.0.1:8786")


def test_a_cancelled_task_stops_between_its_steps(
    cluster_engine: Engine, filed: Stack, tmp_path: Path
) -> None:
    """A block of two seconds ends soon after the cancel, and the next pass need not wait for it."""
    log = tmp_path / "calls"
    running = run_pass(
        MapFrames(),
        do.slow,
        [filed],
        (str(log), 5e-3),
        engine=cluster_engine,
        cost=Cost(output=2**16),
    )
    for _ in running:
        if log.exists():
            break
    running.close()
    time.sleep(0.5)
    size = log.stat().st_size
    time.sleep(0.3)
    assert log.stat().st_size == size


def test_the_cluster_keeps_nothing_of_a_pass(
    cluster: LocalCluster, cluster_engine: Engine, filed: Stack, drain: Drain
) -> None:
    drain(run_pass(MapFrames(), do.frame_sums, [filed], engine=cluster_engine))
    for _ in range(50):
        if not cluster.scheduler.tasks:
            break
        time.sleep(0.1)
    assert not cluster.scheduler.tasks


def test_every_worker_is_called_once(cluster_engine: Engine) -> None:
    places = cluster_engine.executor.everywhere(os.getpid)
    assert len(set(places)) == 2
    assert os.getpid() not in places
    assert Engine.local().executor.everywhere(os.getpid) == [os.getpid()]
