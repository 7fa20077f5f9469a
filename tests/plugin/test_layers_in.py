"""Layers as stacks: what is read of them, and which frame of them is in view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from napari.components import ViewerModel

from napari_framewise.io import layer_data, open_stack
from napari_framewise.plugin.layers.layers_in import (
    frame_in_view,
    points_of_layer,
    shapes_of_layer,
    show_frame,
    stack_of_layer,
    with_origin,
)
from napari_framewise.plugin.readers import image_tuple
from napari_framewise.stacks.stack import Origin, Selection


def test_axes_scale_translate_and_units_come_along(viewer: ViewerModel) -> None:
    layer = viewer.add_image(
        np.zeros((5, 6, 7)),
        scale=(2, 0.5, 0.25),
        translate=(1, 2, 3),
        units=("s", "um", "um"),
        axis_labels=("t", "row", "col"),
        name="film",
    )
    stack = stack_of_layer(layer)
    told = [(axis.name, axis.scale, axis.translate, axis.unit) for axis in stack.axes]
    assert told == [
        ("t", 2.0, 1.0, "second"),
        ("row", 0.5, 2.0, "micrometer"),
        ("col", 0.25, 3.0, "micrometer"),
    ]
    assert stack.name == "film"
    assert stack.summary().startswith("5 frames of 6 x 7, float64, frames along axis 0")


def test_unnamed_axes_are_rows_and_columns(viewer: ViewerModel) -> None:
    stack = stack_of_layer(viewer.add_image(np.zeros((5, 6, 7))))
    assert [axis.name for axis in stack.axes] == ["axis 0", "y", "x"]


def test_colour_is_a_channel_not_an_axis_of_frames(viewer: ViewerModel) -> None:
    colour = stack_of_layer(viewer.add_image(np.zeros((5, 40, 50, 3), np.uint8), rgb=True))
    assert colour.shape == (5, 40, 50, 3)
    narrow = stack_of_layer(viewer.add_image(np.zeros((5, 40, 3)), rgb=False))
    assert narrow.shape == (5, 40, 3)
    assert not narrow.rgb


def test_multiscale_gives_its_full_resolution(viewer: ViewerModel) -> None:
    levels = [np.zeros((5, 40, 60)), np.zeros((5, 20, 30))]
    assert stack_of_layer(viewer.add_image(levels, multiscale=True)).shape == (5, 40, 60)


def test_labels_zarr_and_masked_arrays_are_read(viewer: ViewerModel, tmp_path: Path) -> None:
    array = zarr.create_array(
        str(tmp_path / "a.zarr"), shape=(4, 8, 9), dtype="u2", chunks=(1, 8, 9)
    )
    array[2] = 7
    stack = stack_of_layer(viewer.add_image(array, contrast_limits=(0, 9)))
    np.testing.assert_array_equal(stack.frame(2), np.full((8, 9), 7))
    assert stack_of_layer(viewer.add_labels(np.ones((8, 9), int))).n_frames == 1
    masked = np.ma.masked_array(np.ones((3, 8, 9)), mask=np.zeros((3, 8, 9), bool))
    masked[1, 2, 3] = np.ma.masked
    layer = viewer.add_image(np.zeros((3, 8, 9)))
    layer._data = masked
    assert np.isnan(stack_of_layer(layer).frame(1)[2, 3])


def test_complex_data_are_refused_in_one_sentence(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((4, 4)), name="field")
    layer._data = np.zeros((4, 4), complex)
    with pytest.raises(ValueError, match="field holds complex numbers"):
        stack_of_layer(layer)


def test_a_lazy_layer_keeps_its_source(viewer: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "film.npy"
    np.save(path, np.arange(60).reshape(3, 4, 5))
    data, options, _ = image_tuple(open_stack(path))
    layer = viewer.add_image(data, **options)
    stack = with_origin(stack_of_layer(layer), layer)
    assert stack.origin == Origin(path=str(path))
    np.testing.assert_array_equal(stack.frame(1), np.arange(20, 40).reshape(4, 5))


def test_the_path_of_another_reader_counts_where_ours_reads_the_same(
    viewer: ViewerModel, tmp_path: Path
) -> None:
    path = tmp_path / "film.npy"
    np.save(path, np.zeros((3, 4, 5)))

    def layer(array: np.ndarray) -> Any:
        made = viewer.add_image(array)
        made._source = made.source.replace(path=str(path)) if hasattr(
            made.source, "replace"
        ) else made.source.model_copy(update={"path": str(path)})  # fmt: skip
        return made

    same = layer(np.zeros((3, 4, 5)))
    assert with_origin(stack_of_layer(same), same).origin == Origin(path=str(path))
    other = layer(np.zeros((2, 4, 5)))
    assert with_origin(stack_of_layer(other), other).origin is None
    path.write_bytes(b"nothing")
    assert with_origin(stack_of_layer(same), same).origin is None


def test_points_and_shapes_bring_their_features(viewer: ViewerModel) -> None:
    points = viewer.add_points(np.ones((2, 3)), features={"weight": [1.0, 2.0]}, ndim=3)
    result = points_of_layer(points)
    assert result.features is not None
    np.testing.assert_array_equal(result.features.columns["weight"], [1, 2])
    square = np.array([[0, 0], [0, 4], [4, 4], [4, 0]])
    assert shapes_of_layer(viewer.add_shapes([square])).shape_type == "rectangle"
    mixed = viewer.add_shapes([square, square], shape_type=["rectangle", "ellipse"], name="both")
    assert shapes_of_layer(mixed).types == ("rectangle", "ellipse")


@pytest.mark.parametrize("number", [0, 3, 11])
def test_the_slider_finds_a_frame_and_a_frame_moves_the_slider(
    viewer: ViewerModel, number: int
) -> None:
    layer = viewer.add_image(
        np.zeros((3, 4, 10, 12)), scale=(5, 0.1, 2, 2), translate=(100, -7, 0, 0)
    )
    stack = stack_of_layer(layer)
    show_frame(viewer, layer, stack, number)
    assert viewer.dims.current_step[:2] == divmod(number, 4)
    assert frame_in_view(viewer, layer, stack) == number


def test_frames_are_found_in_another_unit_and_beside_more_axes(viewer: ViewerModel) -> None:
    layer = viewer.add_image(
        np.zeros((6, 10, 12)), scale=(3, 1, 1), units=("ms", "um", "um"), name="short"
    )
    viewer.add_image(np.zeros((2, 5, 10, 12)), scale=(1, 0.002, 1, 1), units=("s", "s", "um", "um"))
    stack = stack_of_layer(layer)
    for number in range(6):
        show_frame(viewer, layer, stack, number)
        assert frame_in_view(viewer, layer, stack) == number


def test_frames_are_found_beside_a_layer_whose_units_do_not_go_with_it(
    viewer: ViewerModel,
) -> None:
    layer = viewer.add_image(np.zeros((6, 10, 12)), scale=(3, 1, 1), units=("ms", "um", "um"))
    viewer.add_image(np.zeros((6, 10, 12)), scale=(1, 1, 1))
    stack = stack_of_layer(layer)
    for number in range(6):
        show_frame(viewer, layer, stack, number)
        assert frame_in_view(viewer, layer, stack) == number


def test_a_frame_that_was_not_chosen_is_none(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((10, 4, 5)))
    stack = stack_of_layer(layer).select(Selection(frames=(2, 9, 3)))
    found = []
    for step in range(10):
        viewer.dims.set_current_step(0, step)
        found.append(frame_in_view(viewer, layer, stack))
    assert found == [None, None, 0, None, None, 1, None, None, 2, None]
    longer = viewer.add_image(np.zeros((20, 4, 5)))
    viewer.dims.set_current_step(0, 15)
    assert frame_in_view(viewer, layer, stack) is None
    assert frame_in_view(viewer, longer, stack_of_layer(longer)) == 15


def test_layer_data_and_back_is_the_same_stack(viewer: ViewerModel, shifted: Any) -> None:
    layer = viewer.add_image(shifted[0], scale=(2, 1, 1), units=("s", "um", "um"))
    stack = stack_of_layer(layer)
    data, options = layer_data(stack)
    again = stack_of_layer(viewer.add_image(data, **options))
    assert again.axes == stack.axes
