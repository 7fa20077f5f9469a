"""Reading and writing through napari: what goes out comes back where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication

from napari_framewise.io import open_stack, read_table
from napari_framewise.plugin.readers import get_reader, read
from napari_framewise.plugin.writers import write_features, write_image_layer


@pytest.mark.parametrize("ending", [".zarr", ".tif"])
def test_an_image_goes_out_and_comes_back(
    viewer: ViewerModel, tmp_path: Path, ending: str, qapp: QApplication
) -> None:
    data = np.arange(4 * 20 * 30, dtype=np.uint16).reshape(4, 20, 30)
    layer = viewer.add_image(
        data,
        scale=(2.0, 0.5, 0.25),
        units=("s", "um", "um"),
        axis_labels=("t", "y", "x"),
        metadata={"framewise": {"tool": "mixing"}},
    )
    path = str(tmp_path / f"out{ending}")
    state = layer.as_layer_data_tuple()
    assert write_image_layer(path, state[0], state[1]) == [path]
    stack = open_stack(path)
    np.testing.assert_array_equal(stack.read(0, 4), data)
    assert [axis.name for axis in stack.axes] == ["t", "y", "x"]
    np.testing.assert_allclose([axis.scale for axis in stack.axes], (2.0, 0.5, 0.25))
    assert [axis.unit for axis in stack.axes] == ["second", "micrometer", "micrometer"]


def test_colour_and_several_resolutions_are_written(
    viewer: ViewerModel, tmp_path: Path, qapp: QApplication
) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (3, 40, 50, 3), dtype=np.uint8)
    layer = viewer.add_image(colour, rgb=True)
    path = str(tmp_path / "colour.zarr")
    write_image_layer(path, *layer.as_layer_data_tuple()[:2])
    np.testing.assert_array_equal(open_stack(path).read(0, 3), colour)
    levels = viewer.add_image([np.ones((40, 60)), np.ones((20, 30))], multiscale=True)
    path = str(tmp_path / "levels.zarr")
    write_image_layer(path, *levels.as_layer_data_tuple()[:2])
    assert open_stack(path).frame_shape == (40, 60)


def test_a_path_is_read_lazily_and_names_where_it_came_from(
    viewer: ViewerModel, tmp_path: Path
) -> None:
    path = tmp_path / "film.npy"
    np.save(path, np.arange(60.0).reshape(3, 4, 5))
    reader = get_reader(str(path))
    assert reader is not None
    ((data, options, kind),) = reader(str(path))
    assert kind == "image"
    assert options["metadata"]["framewise"]["origin"]["path"] == str(path)
    layer = viewer.add_image(data, **options)
    assert tuple(layer.contrast_limits) == (0.0, 59.0)
    assert len(read([str(path), str(path)])) == 2


def test_a_stack_longer_than_a_slider_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = str(tmp_path / "long.zarr")
    zarr.create_array(path, shape=(10**12, 8, 8), chunks=(10**6, 8, 8), dtype="u1")
    with pytest.raises(ValueError, match=r"1,000,000,000,000 long .* ends at 2,147,483,647; use"):
        read(path)


def test_what_cannot_be_read_is_left_to_others(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("no image")
    assert get_reader(str(other)) is None
    assert get_reader(str(tmp_path / "missing.npy")) is None
    assert get_reader([str(other)]) is None


@pytest.mark.parametrize("features", [{"x": [0.25, 0.5]}, {}])
def test_features_are_written_as_a_table(
    viewer: ViewerModel, tmp_path: Path, features: dict[str, Any]
) -> None:
    points = viewer.add_points(np.array([[1.0, 2.0], [3.0, 4.0]]), features=features)
    path = str(tmp_path / "points.csv")
    assert write_features(path, *points.as_layer_data_tuple()[:2]) == [path]
    columns = read_table(path)
    assert set(columns) == (set(features) or {"axis 0", "axis 1"})
    np.testing.assert_array_equal(next(iter(columns.values())), features.get("x", [1.0, 3.0]))
