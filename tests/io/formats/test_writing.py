"""Image data to TIFF and zarr and back, in blocks."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import tifffile
import zarr

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.io import open_stack, write_image
from napari_framewise.io.formats import tiff_writing
from napari_framewise.stacks.stack import Selection, Stack, stack_of

RNG = np.random.default_rng(9)
UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
SCALE = {"t": 0.5, "z": 2.0, "y": 0.25, "x": 0.2}

T = TypeVar("T")


def run(steps: Generator[Progress, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def stack(names: str, dtype: str, **options: Any) -> Stack:
    shape = tuple({"t": 5, "z": 3, "c": 4, "y": 16, "x": 12}[name] for name in names)
    data = RNG.integers(0, 2 if dtype == "?" else 120, shape).astype(dtype)
    return stack_of(
        data,
        axes=tuple(names),
        scale=[SCALE.get(name, 1.0) for name in names],
        units=[UNITS.get(name, "pixel") for name in names],
        **options,
    )


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.local(2)


def whole(opened: Stack) -> np.ndarray:
    return opened.source.read(tuple(slice(0, length, 1) for length in opened.source.shape))


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "i2", "f8", "i8", "?"])
@pytest.mark.parametrize("names", ["yx", "tyx", "zyx", "tzyx", "tcyx", "tzcyx"])
@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_tiff_comes_back(tmp_path: Path, engine: Engine, names: str, dtype: str, name: str) -> None:
    given = stack(names, dtype)
    assert run(write_image(given, tmp_path / name, engine=engine)) == tmp_path / name
    back = open_stack(tmp_path / name)
    np.testing.assert_array_equal(whole(back), whole(given))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / name), whole(given))
    assert "".join(axis.name for axis in back.axes) == names
    known = [axis for axis in given.axes if axis.name in "yx" or dtype != "i8"]
    for axis, read in zip(given.axes, back.axes, strict=True):
        if axis in known:
            assert (read.scale, read.unit) == (pytest.approx(axis.scale), axis.unit)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "?"])
@pytest.mark.parametrize("names", ["yx", "tyx", "tzcyx"])
def test_zarr_comes_back(tmp_path: Path, engine: Engine, names: str, dtype: str) -> None:
    given = stack(names, dtype)
    path = tmp_path / "a.ome.zarr"
    assert run(write_image(given, path, engine=engine, provenance={"tool": "x"})) == path
    back = open_stack(path)
    np.testing.assert_array_equal(
        back.read(0, back.n_frames).reshape(given.shape), given.read(0, given.n_frames)
    )
    by_name = {axis.name: axis for axis in back.axes}
    assert all(by_name[axis.name] == axis for axis in given.axes)
    assert back.name == "a.ome.zarr"


def test_a_result_that_was_not_written_to_its_end_says_so(tmp_path: Path, engine: Engine) -> None:
    run(write_image(stack("tyx", "u2"), tmp_path / "a.ome.zarr", engine=engine))
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="r+")
    group.attrs["framewise"] = {**dict(group.attrs["framewise"]), "complete": False}
    assert open_stack(tmp_path / "a.ome.zarr").name == "a.ome.zarr (unfinished)"


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.ome.zarr"])
@pytest.mark.parametrize("components", [3, 4])
def test_colour_comes_back(tmp_path: Path, engine: Engine, name: str, components: int) -> None:
    data = RNG.integers(0, 255, (5, 16, 12, components)).astype(np.uint8)
    given = stack_of(data, axes=("t", "y", "x", "c"), rgb=True)
    run(write_image(given, tmp_path / name, engine=engine))
    back = open_stack(tmp_path / name)
    assert back.rgb
    np.testing.assert_array_equal(back.read(0, 5), data)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.zarr"])
def test_only_what_was_chosen_is_written(tmp_path: Path, engine: Engine, name: str) -> None:
    given = stack("tyx", "u2")
    chosen = given.select(Selection(frames=(1, 5, 2), region=((2, 10), (3, 9))))
    run(write_image(chosen, tmp_path / name, engine=engine))
    back = open_stack(tmp_path / name)
    np.testing.assert_array_equal(whole(back), whole(given)[1:5:2, 2:10, 3:9])
    assert [axis.scale for axis in back.axes] == pytest.approx([1.0, 0.25, 0.2])


def test_frames_along_another_axis_come_first(tmp_path: Path, engine: Engine) -> None:
    given = stack("zyx", "u2").select(Selection(frames_along=(2,)))
    run(write_image(given, tmp_path / "a.ome.zarr", engine=engine))
    np.testing.assert_array_equal(
        whole(open_stack(tmp_path / "a.ome.zarr")), np.moveaxis(whole(given), 2, 0)
    )


def test_unnamed_axes_get_the_letters_that_are_left(tmp_path: Path, engine: Engine) -> None:
    data = RNG.integers(0, 99, (2, 3, 16, 12)).astype(np.uint16)
    run(write_image(stack_of(data), tmp_path / "a.tif", engine=engine))
    back = open_stack(tmp_path / "a.tif")
    assert [axis.name for axis in back.axes] == ["t", "z", "y", "x"]
    np.testing.assert_array_equal(whole(back), data)


@pytest.mark.parametrize(
    ("name", "dtype", "where"),
    [("a.tif", "u2", "imagej"), ("a.ome.tif", "u2", "ome"), ("a.tif", "i8", "own")],
)
def test_provenance_stays_with_the_file(
    tmp_path: Path, engine: Engine, name: str, dtype: str, where: str
) -> None:
    provenance = {"tool": "mixing", "version": "1.0", "parameters": {"bounds": [0.4, 0.7]}}
    run(write_image(stack("tyx", dtype), tmp_path / name, engine=engine, provenance=provenance))
    with tifffile.TiffFile(tmp_path / name) as file:
        if where == "imagej":
            text = (file.imagej_metadata or {})["Info"]
        elif where == "ome":
            text = (file.ome_metadata or "").split('K="framewise">')[1].split("</M>")[0]
            text = text.replace("&quot;", '"')
        else:
            text = (file.shaped_metadata or ({},))[0]["framewise"]
    assert json.loads(text) == provenance


def test_large_files_become_bigtiff(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiff_writing, "_PLAIN_BYTES", 1000)
    given = stack("tyx", "u2")
    run(write_image(given, tmp_path / "a.tif", engine=engine))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_bigtiff
        assert file.is_ome
    np.testing.assert_array_equal(whole(open_stack(tmp_path / "a.tif")), whole(given))


def test_what_is_cancelled_leaves_no_file(tmp_path: Path, engine: Engine) -> None:
    steps = write_image(stack("tyx", "u2"), tmp_path / "a.tif", engine=engine)
    assert next(steps).done == 0
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_what_fails_leaves_no_file(tmp_path: Path, engine: Engine) -> None:
    class Broken:
        shape, dtype = (5, 16, 12), np.dtype("u2")

        def __getitem__(self, key: Any) -> np.ndarray:
            raise OSError("gone")

    with pytest.raises(Exception, match="gone"):
        run(write_image(stack_of(Broken()), tmp_path / "a.tif", engine=engine))
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_frames(tmp_path: Path, engine: Engine) -> None:
    reports = list(write_image(stack("tyx", "u2"), tmp_path / "a.tif", engine=engine))
    assert (reports[-1].done, reports[-1].total) == (5, 5)
    assert "a.tif" in reports[-1].text()


def test_what_tiff_can_not_hold(tmp_path: Path, engine: Engine) -> None:
    data = np.zeros((2, 2, 2, 2, 4, 4), np.uint8)
    with pytest.raises(ValueError, match=r"axis 3, y, x, and TIFF has .*write it as \.zarr"):
        run(write_image(stack_of(data), tmp_path / "a.tif", engine=engine))
    with pytest.raises(ValueError, match=r"ends in \.jpg; images are written as \.zarr"):
        run(write_image(stack("yx", "u1"), tmp_path / "a.jpg", engine=engine))
    assert list(tmp_path.iterdir()) == []
