"""Legends in files: OME-Zarr's own place for them, and a table beside other files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from yaozarrs import validate_zarr_store

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.io import open_stack, write_image
from napari_framewise.stacks.legend import Legend
from napari_framewise.stacks.stack import stack_of

LEGEND = Legend(
    np.array([1, 4]),
    np.array([[1, 0, 0, 1], [0, 0.2, 1, 0.4]]),
    {"index": np.array([4, 9]), "area": np.array([3.5, np.nan]), "kind": np.array(["cell", "no"])},
)


def write(path: Path) -> None:
    data = np.arange(60, dtype=np.uint8).reshape(5, 12) % 10
    stack = replace(stack_of(data, axes=("y", "x"), name="cells"), legend=LEGEND)
    with Engine.local(1) as engine:
        finish(write_image(stack, path, engine=engine), lambda _: None)


@pytest.mark.parametrize("name", ["a.zarr", "a.tif", "a.ome.tif"])
def test_colours_and_features_come_back(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    found = open_stack(tmp_path / name).legend
    assert found is not None
    np.testing.assert_array_equal(found.numbers, LEGEND.numbers)
    np.testing.assert_array_equal(found.colours, LEGEND.colours)
    rows, expected = found.rows(), LEGEND.rows()
    assert rows.keys() == expected.keys()
    places = np.isin(expected["index"], LEGEND.index)
    np.testing.assert_array_equal(rows["area"][places], expected["area"][places])
    assert list(rows["kind"][places]) == ["cell", "no"]


def test_the_zarr_is_one_of_labels_for_other_programs(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr")
    validate_zarr_store(str(tmp_path / "a.zarr"))
    said = zarr.open_group(str(tmp_path / "a.zarr"), mode="r").attrs["ome"]["image-label"]
    assert said["colors"][1] == {"label-value": 4, "rgba": [0, 51, 255, 102]}
    assert said["properties"][0] == {"label-value": 4, "area": 3.5, "kind": "cell"}


@pytest.mark.parametrize("text", ["", "nothing", "index,color\nx,#ff0000\n", "a,b\n1,2\n"])
def test_what_can_not_be_read_beside_a_file_is_no_legend(tmp_path: Path, text: str) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 5), np.uint8))
    (tmp_path / "a.npy.labels.csv").write_text(text)
    assert open_stack(tmp_path / "a.npy").legend is None
