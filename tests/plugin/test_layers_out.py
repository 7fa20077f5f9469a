"""Results as layers: nothing of where they lie is left to chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points, Shapes, Vectors

from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.framework.outcome import (
    ImageResult,
    PointsResult,
    ShapesResult,
    Table,
    VectorsResult,
)
from napari_framewise.framework.placing import frame_placing, stack_placing
from napari_framewise.plugin.layers.layers_in import axes_of, stack_of_layer
from napari_framewise.plugin.layers.layers_out import lay, make_layer, place_of, put_layer
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Axis, Selection, Stack, stack_of

TURNED = {
    "scale": (2.0, 0.5, 0.25),
    "translate": (10.0, 1.0, 2.0),
    "rotate": 30.0,
    "shear": (0.0, 0.0, 0.2),
    "units": ("second", "micrometer", "micrometer"),
    "axis_labels": ("t", "y", "x"),
}


def turned(viewer: ViewerModel) -> tuple[Any, Stack]:
    affine = np.eye(4)
    affine[1:3, 1:3] = [[1.1, 0.1], [0.0, 0.9]]
    affine[1:3, 3] = (3.0, -4.0)
    layer = viewer.add_image(np.zeros((6, 20, 30)), affine=affine, name="turned", **TURNED)
    return layer, stack_of_layer(layer)


@pytest.mark.parametrize("region", [None, ((3, 15), (4, 28))])
def test_every_pixel_of_a_frame_lies_on_its_pixel_of_the_input(
    viewer: ViewerModel, region: Any
) -> None:
    like, stack = turned(viewer)
    stack = stack.select(Selection(region=region))
    result = ImageResult("mean", np.zeros(stack.frame_shape), frame_placing(stack, "stack"))
    layer = make_layer(result, like)
    first = (0, 0) if region is None else (region[0][0], region[1][0])
    for pixel in [(0, 0), (5, 7), (11, 2)]:
        there = like.data_to_world((2, pixel[0] + first[0], pixel[1] + first[1]))
        np.testing.assert_allclose(layer.data_to_world(pixel), there[1:])
    assert tuple(layer.axis_labels) == ("y", "x")
    assert tuple(map(str, layer.units)) == TURNED["units"][1:]


def test_frames_of_a_result_lie_on_the_chosen_frames(viewer: ViewerModel) -> None:
    like, stack = turned(viewer)
    stack = stack.select(Selection(frames=(1, 6, 2), region=((3, 15), (4, 28))))
    result = ImageResult("all", np.zeros(stack.shape), stack_placing(stack, "stack"))
    layer = make_layer(result, like)
    np.testing.assert_allclose(layer.data_to_world((2, 5, 6)), like.data_to_world((5, 8, 10)))


def test_a_result_without_a_layer_lies_where_it_says() -> None:
    axes = (Axis("y", 3.0, 5.0, "um"), Axis("x", 2.0, 7.0, "um"))
    layer = make_layer(ImageResult("alone", np.zeros((4, 5)), Grid(axes)))
    np.testing.assert_allclose(layer.data_to_world((1, 1)), (8.0, 9.0))
    assert layer.axis_labels == ("y", "x")


@pytest.mark.parametrize("unit", ["quux", "counts (raw", "1/"])
def test_a_unit_that_nobody_knows_is_a_pixel(unit: str) -> None:
    axes = (Axis("y", 2.0, 0.0, unit), Axis("x", 2.0, 0.0, "nm"))
    layer = make_layer(ImageResult("odd", np.zeros((4, 5)), Grid(axes)))
    assert tuple(map(str, layer.units)) == ("pixel", "nanometer")


def plane(*names: str) -> Grid:
    return Grid(tuple(Axis(name) for name in names))


def test_lazy_data_always_get_contrast_limits() -> None:
    stack = stack_of(np.linspace(5, 900, 6 * 8 * 9).reshape(6, 8, 9))
    lazy = LazyFrames(stack, _doubled, dtype=np.float32)
    layer = make_layer(ImageResult("lazy", lazy, plane("t", "y", "x")))
    assert layer.data is lazy
    low, high = layer.contrast_limits
    assert 10 <= low < high <= 1800
    assert high > 1000
    given = make_layer(
        ImageResult("lazy", lazy, plane("t", "y", "x"), contrast_limits=(3.0, 4.0), visible=False)
    )
    assert tuple(given.contrast_limits) == (3.0, 4.0)
    assert not given.visible


def _doubled(frames: np.ndarray, *, out: np.ndarray) -> None:
    np.multiply(frames, 2, out=out)


def test_images_of_nothing_and_of_one_value_are_shown() -> None:
    for data in (np.full((4, 5), np.nan), np.full((4, 5), 3.0)):
        low, high = make_layer(ImageResult("flat", data, plane("y", "x"))).contrast_limits
        assert low < high
    equal = ImageResult("flat", np.zeros((4, 5)), plane("y", "x"), contrast_limits=(2.0, 2.0))
    low, high = make_layer(equal).contrast_limits
    assert low < high


def test_narrow_images_are_not_taken_for_colour() -> None:
    layer = make_layer(ImageResult("narrow", np.zeros((40, 50, 3)), plane("t", "y", "x")))
    assert not layer.rgb
    colour = ImageResult("colour", np.zeros((40, 50, 3), np.uint8), plane("y", "x"), rgb=True)
    assert make_layer(colour).rgb


def test_labels_vectors_points_and_shapes() -> None:
    labels = make_layer(ImageResult("mask", np.ones((4, 5), bool), plane("y", "x"), kind="labels"))
    assert isinstance(labels, Labels)
    assert labels.data.dtype == np.uint8
    features = Table("features", "object", {"length": np.array([1.0, 2.0])})
    data = np.zeros((2, 2, 3))
    data[:, 1, 2] = (1, 2)
    vectors = make_layer(
        VectorsResult("flow", data, plane("t", "y", "x"), features, color_by="length")
    )
    assert isinstance(vectors, Vectors)
    np.testing.assert_array_equal(vectors.features["length"], [1, 2])
    empty = make_layer(VectorsResult("none", np.zeros((0, 2, 3)), plane("t", "y", "x")))
    assert empty.ndim == 3
    points = make_layer(
        PointsResult("spots", np.zeros((2, 3)), plane("t", "y", "x"), features, "{length:.1f}")
    )
    assert isinstance(points, Points)
    assert list(points.text.values) == ["1.0", "2.0"]
    shapes = make_layer(
        ShapesResult("tracks", [np.array([[0.0, 0], [3, 4]])], plane("y", "x"), "path")
    )
    assert isinstance(shapes, Shapes)
    assert list(shapes.shape_type) == ["path"]


def test_metadata_hold_provenance_and_what_the_tool_said() -> None:
    result = ImageResult(
        "map", np.zeros((4, 5)), plane("y", "x"), metadata={"unit": "counts", "framewise": {"k": 1}}
    )
    layer = make_layer(result, provenance={"tool": "mixing"})
    assert layer.metadata == {
        "unit": "counts",
        "framewise": {"k": 1, "tool": "mixing", "result": "map"},
    }


def test_an_update_keeps_the_looks_that_the_user_gave(viewer: ViewerModel) -> None:
    first = put_layer(viewer, make_layer(ImageResult("a", np.zeros((4, 5)), plane("y", "x"))))
    put_layer(viewer, make_layer(ImageResult("b", np.zeros((4, 5)), plane("y", "x"))))
    first.colormap, first.opacity, first.visible = "magma", 0.4, False
    axes = (Axis("y", 2.0, 1.0, "um"), Axis("x", 2.0, 1.0, "um"))
    again = ImageResult("a", np.ones((6, 7)), Grid(axes), contrast_limits=(0.0, 5.0))
    layer = put_layer(viewer, make_layer(again, provenance={"tool": "t"}), first)
    assert layer is first
    assert [each.name for each in viewer.layers] == ["a", "b"]
    assert (layer.colormap.name, layer.opacity, layer.visible) == ("magma", 0.4, False)
    np.testing.assert_array_equal(layer.data, np.ones((6, 7)))
    np.testing.assert_allclose(layer.scale, (2, 2))
    np.testing.assert_allclose(layer.translate, (1, 1))
    assert tuple(map(str, layer.units)) == ("micrometer", "micrometer")
    assert tuple(layer.contrast_limits) == (0.0, 5.0)
    assert layer.metadata["framewise"]["tool"] == "t"


def test_an_update_of_another_kind_takes_the_place_of_the_last(viewer: ViewerModel) -> None:
    first = put_layer(viewer, make_layer(ImageResult("a", np.zeros((4, 5)), plane("y", "x"))))
    viewer.add_image(np.zeros((3, 3)), name="top")
    first.visible = False
    deeper = make_layer(ImageResult("a", np.zeros((3, 4, 5)), plane("t", "y", "x")))
    layer = put_layer(viewer, deeper, first)
    assert [each.name for each in viewer.layers] == ["a", "top"]
    assert isinstance(layer, Image)
    assert layer.ndim == 3
    assert not layer.visible
    viewer.layers.remove(layer)
    back = make_layer(ImageResult("a", np.zeros((4, 5)), plane("y", "x")))
    assert put_layer(viewer, back, layer) is viewer.layers[-1]


@pytest.mark.parametrize("kinds", ["rectangle", ("polygon", "rectangle"), "ellipse"])
def test_shapes_change_in_place(viewer: ViewerModel, kinds: str | tuple[str, ...]) -> None:
    def outlines(count: int, kinds: str | tuple[str, ...]) -> ShapesResult:
        random = np.random.default_rng(count)
        corners = [np.array([[0, 0], [0, 3 + k], [4, 3 + k], [4, 0.0]]) for k in range(count)]
        features = Table("features", "object", {"area": np.arange(count)}) if count else None
        colours, fill = random.random((2, count, 4))
        widths = np.arange(1.0, count + 1)
        return ShapesResult(
            "cells", corners, plane("y", "x"), kinds, features, colours, fill, widths
        )

    shown = put_layer(viewer, make_layer(outlines(3, "path")))
    other = viewer.add_image(np.zeros((4, 5)))
    viewer.layers.selection = {other}
    gone: list[object] = []
    viewer.layers.events.removed.connect(gone.append)
    for count, each in ((2, kinds), (0, "path"), (2, kinds)):
        result = outlines(count, each)
        assert put_layer(viewer, make_layer(result), shown) is shown
        wanted = make_layer(result)
        assert isinstance(shown, Shapes)
        assert isinstance(wanted, Shapes)
        assert list(shown.shape_type) == list(wanted.shape_type)
        assert len(shown.data) == count
        for one, two in zip(shown.data, wanted.data, strict=True):
            np.testing.assert_array_equal(one, two)
        for name in ("edge_color", "face_color", "edge_width"):
            np.testing.assert_allclose(getattr(shown, name), getattr(wanted, name))
        if count:
            assert shown.features.equals(wanted.features)
    assert not gone
    assert viewer.layers.selection == {other}


def test_a_result_in_pixels_beside_a_layer_with_units_is_drawn_in_these_and_keeps_its_own() -> None:
    viewer = ViewerModel()
    stack = viewer.add_image(
        np.zeros((3, 8, 9)), scale=(1, 0.5, 0.5), units=("pixel", "micrometer", "micrometer")
    )
    grid = Grid((Axis("first"), Axis("second")), (4, 4))
    result = ImageResult("matrix", np.eye(4), grid, contrast_limits=(0, 1))
    layer = put_layer(viewer, make_layer(result))
    # Of units that differ in dimension napari warns, and draws none.
    assert viewer.layers.extent.units is not None
    assert [axis.unit for axis in axes_of(layer)] == ["pixel", "pixel"]
    again = put_layer(viewer, make_layer(result), layer)
    assert again is layer
    lay(layer, place_of(grid, None))
    assert viewer.layers.extent.units is not None
    assert [axis.unit for axis in axes_of(layer)] == ["pixel", "pixel"]
    viewer.layers.remove(stack)
    beside = put_layer(viewer, make_layer(result))
    assert [axis.unit for axis in axes_of(beside)] == ["pixel", "pixel"]
