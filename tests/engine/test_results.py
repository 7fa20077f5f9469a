from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine import computations as do
from tests.engine.conftest import Drain

from napari_framewise.engine import Engine
from napari_framewise.engine.job import BlockError
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.plan import MIB
from napari_framewise.engine.results import copy_frames, image_attributes, write_frames
from napari_framewise.engine.shards import cut_array
from napari_framewise.engine.work import Cost
from napari_framewise.io import open_stack
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.stack import Selection, Stack, stack_of


def read(path: Path) -> np.ndarray:
    return zarr.open_array(str(path), path="0", mode="r")[...]


def attributes(path: Path) -> dict[str, Any]:
    return dict(zarr.open_group(str(path), mode="r").attrs)


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 6), max_size=3),
    st.lists(st.integers(1, 20), min_size=1, max_size=3),
    st.sampled_from(["u1", "i4", "f4", ">f8", "?"]),
    st.integers(1, 40_000),
    st.integers(100, 3000),
)
def test_shards_read_back_through_zarr(
    tmp_path_factory: pytest.TempPathFactory,
    leading: list[int],
    frame: list[int],
    element: str,
    shard_bytes: int,
    chunk_bytes: int,
) -> None:
    path = tmp_path_factory.mktemp("shards") / "a.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_framewise.engine.shards._CHUNK_BYTES", chunk_bytes)
        patch.setattr("napari_framewise.engine.shards._LARGEST_SHARD", 4 * chunk_bytes)
        array = cut_array(str(path), tuple(leading), tuple(frame), np.dtype(element), shard_bytes)
    array.create(zarr.open_group(str(path), mode="w"), [f"a{n}" for n in range(len(array.shape))])
    data = np.random.default_rng(0).integers(0, 2, array.shape).astype(array.dtype)
    frames = data.reshape(-1, *frame)
    size, period = array.cut
    assert math.prod(leading) % period == 0
    for base in range(0, len(frames), period):
        for start in range(base, base + period, size):
            stop = min(start + size, base + period)
            array.write(start, frames[start:stop], lambda: None)
    found = read(path)
    assert found.dtype == data.dtype
    np.testing.assert_array_equal(found, data)
    files = [file for file in (path / "0" / "c").rglob("*") if file.is_file()]
    assert len(files) == math.prod(map(_shards, array.shape, array.shard))


def _shards(length: int, extent: int) -> int:
    return -(-length // extent)


def test_shards_and_chunks_are_neither_large_nor_small() -> None:
    for leading, frame in [((100_000,), (7, 7)), ((10_000,), (64, 64)), ((50, 200), (512, 640))]:
        array = cut_array("", leading, frame, np.dtype("f4"), 16 * MIB)
        assert MIB // 8 <= 4 * math.prod(array.chunk) <= MIB
        assert 4 * MIB <= 4 * math.prod(array.shard) <= 17 * MIB
    volume = cut_array("", (10,), (200, 2048, 2048), np.dtype("u2"), 16 * MIB)
    assert 2 * math.prod(volume.shard) <= 64 * MIB
    assert 2 * math.prod(volume.chunk) <= MIB


def test_writes_frames_with_axes_and_provenance(
    engine: Engine, drain: Drain, movie: np.ndarray, tmp_path: Path
) -> None:
    stack = stack_of(
        movie,
        axes=("t", "y", "x"),
        scale=(0.5, 2.0, 2.0),
        translate=(0.0, 10.0, 20.0),
        units=("second", "micrometer", "micrometer"),
        selection=Selection(frames=(100, 1100, 2), region=((4, 20), (0, 30))),
    )
    lazy = LazyFrames(stack, do.negative, dtype=np.int32)
    path, told = drain(
        write_frames(
            lazy, tmp_path / "n.ome.zarr", engine=engine, provenance={"tool": "negative"}, name="n"
        )
    )
    assert path == tmp_path / "n.ome.zarr"
    np.testing.assert_array_equal(read(path), -movie[100:1100:2, 4:20].astype(np.int32))
    assert told[-1].text() == "Writing: 500 of 500 frames"
    found = attributes(path)
    assert found["framewise"] == {
        "rgb": False, "provenance": {"tool": "negative"}, "complete": True, "fingerprint": "",
    }  # fmt: skip
    (image,) = found["ome"]["multiscales"]
    assert found["ome"]["version"] == "0.5"
    assert image["axes"] == [
        {"name": "t", "type": "time", "unit": "second"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    (level,) = image["datasets"]
    assert level["coordinateTransformations"] == [
        {"type": "scale", "scale": [1.0, 2.0, 2.0]},
        {"type": "translation", "translation": [50.0, 18.0, 20.0]},
    ]
    metadata = json.loads((path / "0" / "zarr.json").read_text())
    assert metadata["dimension_names"] == ["t", "y", "x"]
    assert sorted(file.name for file in path.iterdir()) == ["0", "zarr.json"]


def test_frame_axes_become_leading_axes(drain: Drain, tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(3, 5, 6, 7, 2)).astype(np.float32)
    stack = stack_of(data, axes=tuple("tzyxc"), selection=Selection((0, 1)))
    path, _ = drain(write_frames(stack, tmp_path / "a.zarr", engine=Engine.local(2)))
    # OME-NGFF wants channels before space.
    np.testing.assert_array_equal(read(path), data.transpose(0, 4, 1, 2, 3))
    names = [axis["name"] for axis in attributes(path)["ome"]["multiscales"][0]["axes"]]
    assert names == list("tczyx")
    assert [axis.name for axis in open_stack(path).axes] == list("tzyxc")


def test_results_of_another_frame_shape_get_axes_of_their_own() -> None:
    lazy = LazyFrames(
        stack_of(np.zeros((5, 6, 7))), do.negative, dtype=np.float32, frame_shape=(2, 6, 7)
    )
    from napari_framewise.engine.results import result_axes

    assert [axis.name for axis in result_axes(lazy)] == ["axis 0", "axis 0", "y", "x"]


def test_colours_are_marked(drain: Drain, tmp_path: Path) -> None:
    stack = stack_of(np.zeros((2, 5, 6, 3), np.uint8), rgb=True)
    path, _ = drain(write_frames(stack, tmp_path / "a.zarr", engine=Engine.local(1)))
    assert attributes(path)["framewise"]["rgb"] is True


def test_axes_without_type_or_unit_say_nothing() -> None:
    (image,) = image_attributes([Axis("band 3"), Axis("c")], "n")["ome"]["multiscales"]
    assert image["axes"] == [{"name": "band 3"}, {"name": "c", "type": "channel"}]


class Interrupted(NamedTuple):
    path: Path
    lazy: LazyFrames
    log: Path


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    """A result that was cancelled after some of its shards."""
    for name in ("results._SMALLEST_SHARD", "results._LARGEST_SHARD", "shards._CHUNK_BYTES"):
        monkeypatch.setattr(f"napari_framewise.engine.{name}", 100_000)
    data = np.random.default_rng(0).integers(1, 999, (400, 40, 50), dtype=np.uint16)
    log = tmp_path / "calls"
    lazy = LazyFrames(
        stack_of(data), do.slow_negative, (str(log), 1e-3), dtype=np.int16, cost=Cost(seconds=1e-3)
    )
    path = tmp_path / "n.zarr"
    running = write_frames(lazy, path, engine=Engine.local(2), fingerprint="one")
    for progress in running:
        if progress.done > 100:
            break
    running.close()
    return Interrupted(path, lazy, log)


def test_a_cancelled_result_is_marked_and_shows_what_it_has(interrupted: Interrupted) -> None:
    assert attributes(interrupted.path)["framewise"]["complete"] is False
    found = read(interrupted.path)
    written = (found != 0).any(axis=(1, 2))
    assert 0 < written.sum() < 400
    wanted = interrupted.lazy[...]
    np.testing.assert_array_equal(found[written], wanted[written])
    assert not list(interrupted.path.rglob("*.partial"))


def test_a_cancelled_result_is_resumed(interrupted: Interrupted, drain: Drain) -> None:
    before = interrupted.log.stat().st_size
    _, told = drain(
        write_frames(interrupted.lazy, interrupted.path, engine=Engine.local(3), fingerprint="one")
    )
    assert 0 < told[0].total < 400
    assert told[-1].done == told[-1].total
    assert interrupted.log.stat().st_size > before
    np.testing.assert_array_equal(read(interrupted.path), interrupted.lazy[...])
    assert attributes(interrupted.path)["framewise"]["complete"] is True
    assert not (interrupted.path / "framewise-finished.txt").exists()


def test_a_crash_costs_what_was_not_listed(interrupted: Interrupted, drain: Drain) -> None:
    """A shard of which only a part came to the disk is not on the list, and is written again."""
    listed = interrupted.path / "framewise-finished.txt"
    first, *others = listed.read_text().splitlines()
    listed.write_text("".join(f"{line}\n" for line in others))
    for file in (interrupted.path / "0" / "c" / "0").rglob("*"):
        if file.is_file():
            file.write_bytes(b"broken")
            file.with_name("0.left.partial").touch()
    assert "0" not in others
    assert list(interrupted.path.rglob("*.partial"))
    assert first
    drain(
        write_frames(interrupted.lazy, interrupted.path, engine=Engine.local(2), fingerprint="one")
    )
    np.testing.assert_array_equal(read(interrupted.path), interrupted.lazy[...])
    assert not list(interrupted.path.rglob("*.partial"))


@pytest.mark.parametrize("fingerprint", ["another", ""])
def test_another_computation_does_not_resume_it(interrupted: Interrupted, fingerprint: str) -> None:
    running = write_frames(
        interrupted.lazy, interrupted.path, engine=Engine.local(2), fingerprint=fingerprint
    )
    with pytest.raises(FileExistsError, match="unfinished result of another computation"):
        next(running)


def test_a_finished_result_is_not_overwritten(
    drain: Drain, movie: np.ndarray, tmp_path: Path
) -> None:
    engine, stack, path = Engine.local(2), stack_of(movie), tmp_path / "a.zarr"
    drain(write_frames(stack, path, engine=engine, fingerprint="one"))
    with pytest.raises(FileExistsError, match="already exists; choose another name"):
        drain(write_frames(stack, path, engine=engine, fingerprint="one"))
    (tmp_path / "file.txt").touch()
    with pytest.raises(FileExistsError, match="already exists"):
        drain(write_frames(stack, tmp_path / "file.txt", engine=engine))


def test_an_empty_folder_may_be_filled(drain: Drain, movie: np.ndarray, tmp_path: Path) -> None:
    path, _ = drain(write_frames(stack_of(movie[:9]), tmp_path, engine=Engine.local(1)))
    np.testing.assert_array_equal(read(path), movie[:9])


def test_a_full_disk_is_seen_before(
    movie: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: used)
    running = write_frames(stack_of(movie), tmp_path / "a.zarr", engine=Engine.local(1))
    with pytest.raises(OSError, match=r"may take 0\.0 GiB, but only 0\.0 GiB are free in"):
        next(running)
    assert not (tmp_path / "a.zarr").exists()


def failing_frames() -> Stack:
    data = np.zeros((50, 4, 4), np.uint16)
    data[30] = 1
    return stack_of(data)


def fail_on_ones(block: np.ndarray, *, out: np.ndarray) -> None:
    do.failing(block, 1)
    out[...] = block


def test_an_error_leaves_an_unfinished_result(drain: Drain, tmp_path: Path) -> None:
    lazy = LazyFrames(failing_frames(), fail_on_ones, dtype=np.uint16)
    with pytest.raises(BlockError, match="nothing but dust"):
        drain(write_frames(lazy, tmp_path / "a.zarr", engine=Engine.local(2)))
    assert attributes(tmp_path / "a.zarr")["framewise"]["complete"] is False


def test_what_is_not_written_yet_is_nan(tmp_path: Path, movie: np.ndarray) -> None:
    lazy = LazyFrames(stack_of(movie), do.negative, dtype=np.float32)
    running = write_frames(lazy, tmp_path / "a.zarr", engine=Engine.local(1))
    next(running)
    assert np.isnan(read(tmp_path / "a.zarr")).all()
    running.close()


def test_no_frames_make_an_empty_image(drain: Drain, tmp_path: Path) -> None:
    stack = stack_of(np.zeros((0, 4, 5), np.float32))
    path, _ = drain(write_frames(stack, tmp_path / "a.zarr", engine=Engine.local(1)))
    assert read(path).shape == (0, 4, 5)


@pytest.mark.parametrize("order", [(0, 3, 1, 2), (3, 0, 1, 2), (1, 2, 0, 3)])
def test_whole_results_keep_the_order_of_axes(
    drain: Drain, tmp_path: Path, order: tuple[int, ...]
) -> None:
    cube = np.arange(5 * 4 * 3 * 2, dtype=np.int32).reshape(5, 4, 3, 2)
    stack = stack_of(cube, axes=tuple("tyxc"))
    lazy = LazyFrames(stack, copy_frames, dtype=np.int32, order=order)
    drain(write_frames(lazy, tmp_path / "turned.ome.zarr", engine=Engine.local(2)))
    # On disk the axes stand as OME-NGFF wants them; opened, they stand as they were.
    np.testing.assert_array_equal(read(tmp_path / "turned.ome.zarr"), cube.transpose(0, 3, 1, 2))
    described = attributes(tmp_path / "turned.ome.zarr")["ome"]["multiscales"][0]["axes"]
    assert [axis["name"] for axis in described] == list("tcyx")
    opened = open_stack(tmp_path / "turned.ome.zarr")
    whole = opened.source.read(tuple(slice(0, length, 1) for length in opened.source.shape))
    np.testing.assert_array_equal(whole, cube.transpose(order))
    assert [axis.name for axis in opened.axes] == ["tyxc"[number] for number in order]
