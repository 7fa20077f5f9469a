"""Points, shapes and labels in a panel: on the stack's grid, and as soon as they are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points, Shapes
from pytestqt.qtbot import QtBot

from napari_framewise.framework.inputs import Kind
from napari_framewise.plugin.layers.geometry import pixels_of, world_matrix
from napari_framewise.plugin.layers.layers_in import labels_on, points_of_layer, shapes_of_layer
from napari_framewise.plugin.layers.new_layers import new_layer_on
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.tools.registry import get_tool

from .conftest import MakePanel, run_to_end, settle

TRANSFORMS: list[dict[str, Any]] = [
    {},
    {"scale": (0.5, 2.0), "translate": (3, -7)},
    {"rotate": 33, "scale": (2, 2)},
    {"shear": np.array([[1, 0.4], [0, 1]]), "translate": (1, 2)},
    {"affine": np.array([[0.9, 0.3, 4], [-0.2, 1.1, 5], [0, 0, 1]]), "rotate": -70},
    {"scale": (500, 500), "units": ("nm", "nm")},
]


@pytest.mark.parametrize("mine", TRANSFORMS)
@pytest.mark.parametrize("its", TRANSFORMS)
def test_a_layers_pixels_are_found_in_another(mine: dict[str, Any], its: dict[str, Any]) -> None:
    options = {"units": ("um", "um")}
    image = Image(np.zeros((20, 30)), **{**options, **its})
    points = Points(np.array([[1, 2], [10, 4.5]]), **{**options, **mine})
    for layer in (image, points):
        for pixel in np.eye(2):
            np.testing.assert_allclose(
                layer.data_to_world(pixel), (world_matrix(layer) @ [*pixel, 1])[:2], atol=1e-9
            )
    found = points_of_layer(points, image)
    world = np.array([points.data_to_world(place) for place in points.data])
    ratio = 1000.0 if "units" in mine else 1.0
    ratio /= 1000.0 if "units" in its else 1.0
    expected = [image.world_to_data(place / ratio) for place in world]
    np.testing.assert_allclose(found.data, expected, atol=1e-9)


OUT_OF_SLICE = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


@OUT_OF_SLICE
def test_points_of_fewer_or_more_axes_share_the_last_ones() -> None:
    movie = Image(np.zeros((5, 20, 30)), scale=(10, 2, 2), translate=(0, 1, 1), axis_labels="tyx")
    flat = points_of_layer(Points(np.array([[5.0, 9.0]])), movie)
    np.testing.assert_array_equal(flat.data, [[2, 4]])
    assert [axis.name for axis in flat.grid.axes] == ["y", "x"]
    image = Image(np.zeros((20, 30)), scale=(2, 2))
    deep = points_of_layer(Points(np.array([[3.0, 4.0, 6.0]])), image)
    np.testing.assert_array_equal(deep.data, [[2, 3]])
    turned = Image(np.zeros((5, 20, 30)), rotate=(0, 20, 0))
    with pytest.raises(ValueError, match="turned or sheared along an axis that"):
        points_of_layer(Points(np.array([[5.0, 9.0]])), turned)


def test_shapes_of_all_types_come_with_features_colours_and_widths() -> None:
    square = np.array([[0, 0], [0, 4], [4, 4], [4, 0]])
    layer = Shapes(
        [square, square, square[:2]],
        shape_type=["rectangle", "ellipse", "line"],
        edge_width=[1, 2, 3],
        edge_color=["red", "lime", "blue"],
        features={"class": ["a", "b", "c"]},
        scale=(2, 2),
    )
    found = shapes_of_layer(layer, Image(np.zeros((9, 9))))
    assert found.types == ("rectangle", "ellipse", "line")
    np.testing.assert_array_equal(found.data[1], 2 * square)
    np.testing.assert_allclose(found.widths, [2, 4, 6])
    np.testing.assert_array_equal(found.colours[:, :3], np.eye(3))
    assert list(found.features.columns["class"]) == ["a", "b", "c"]


@pytest.mark.parametrize("mine", TRANSFORMS)
def test_labels_are_read_where_they_lie_on_the_stack(mine: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    image = Image(
        np.zeros((4, 20, 30)), scale=(5, 1.5, 1), translate=(0, 2, 0), units=("s", "um", "um")
    )
    labels = Labels(rng.integers(0, 5, (25, 35)), **{"units": ("um", "um"), **mine})
    found = labels_on(labels, image)
    assert found.frame_shape == (20, 30)
    ratio = 1000.0 if "units" in mine else 1.0
    expected = np.zeros((20, 30), int)
    edge = np.zeros((20, 30), bool)
    for place in np.ndindex(20, 30):
        world = np.array(image.data_to_world((0, *place)))[1:] * ratio
        pixel = np.array(labels.world_to_data(world))
        near = np.floor(pixel + 0.5).astype(int)
        edge[place] = np.abs(pixel + 0.5 - np.rint(pixel + 0.5)).min() < 1e-9
        if (near >= 0).all() and (near < labels.data.shape).all():
            expected[place] = labels.data[tuple(near)]
    same = (found.frame(0) == expected) | edge
    assert same.all()
    part = found.source.read((slice(3, 9, 2), slice(5, 30, 3)))
    np.testing.assert_array_equal(part, found.frame(0)[3:9:2, 5:30:3])


def test_labels_of_every_frame_keep_their_frames() -> None:
    image = Image(np.zeros((4, 20, 30)), scale=(2, 1, 1))
    data = np.random.default_rng(0).integers(0, 9, (4, 10, 15))
    labels = Labels(data, scale=(2, 2, 2), translate=(0, 0.5, 0.5))
    found = labels_on(labels, image)
    assert found.n_frames == 4
    expected = data.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(found.read(1, 3), expected[1:3])


def test_labels_on_the_same_grid_are_the_layers_own() -> None:
    options = {"scale": (0.5, 0.5), "rotate": 10}
    image, labels = Image(np.zeros((6, 7)), **options), Labels(np.ones((6, 7), int), **options)
    assert pixels_of(labels, image) is None
    assert labels_on(labels, image).source.array is labels.data


@OUT_OF_SLICE
@pytest.mark.parametrize("kind", [Kind.LABELS, Kind.SHAPES, Kind.POINTS])
@pytest.mark.parametrize("turn", [None, (0, 0, 30), (0, 20, 0)])
def test_a_new_layer_lies_on_the_stack(kind: Kind, turn: Any) -> None:
    image = Image(np.zeros((4, 20, 30)), scale=(2, 0.5, 0.5), translate=(1, 2, 3), rotate=turn)
    new = new_layer_on(kind, image, "Mask")
    assert new.ndim == (3 if turn == (0, 20, 0) else 2)
    assert pixels_of(new, image) is None or new.ndim == 2
    if kind is Kind.LABELS:
        new.data[..., 3, 4] = 1
        found = labels_on(new, image)
        assert found.frame(0)[3, 4] == 1
        assert found.frame(0).sum() == 1


# -- in a panel ------------------------------------------------------------------------------------


def add_stack(viewer: ViewerModel, name: str) -> None:
    rng = np.random.default_rng(1)
    scene = rng.random((2, 32, 32)) * 100
    if name == "mixing":
        for number in (0, 1):
            viewer.add_image(scene[number], name="AB"[number], scale=(0.5, 0.5))
    viewer.add_image(scene[0] + rng.random((6, 32, 32)), name="S", scale=(1, 0.5, 0.5))


def masked_panel(make_panel: MakePanel, viewer: ViewerModel, name: str) -> tuple[ToolPanel, Any]:
    add_stack(viewer, name)
    panel = make_panel(get_tool(name))
    return panel, panel.inputs_form.roles["mask"].pickers[0]


MASKED = ["statistics", "mixing", "normalise", "standardise", "alignment", "flow"]


@pytest.mark.parametrize("name", MASKED)
def test_an_empty_mask_that_is_painted_lets_the_tool_run(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, name: str
) -> None:
    panel, picker = masked_panel(make_panel, viewer, name)
    (button,) = [
        each for each in picker.findChildren(type(panel.load_button)) if each.text() == "new labels"
    ]
    button.click()
    labels = picker.layer
    assert isinstance(labels, Labels)
    assert viewer.layers.selection.active is labels
    settle(qtbot, panel)
    labels.brush_size = 40
    labels.paint((16, 16), 1)
    settle(qtbot, panel)
    assert panel.bar.run_button.isEnabled(), panel.bar.message
    labels.undo()
    qtbot.wait(60)
    settle(qtbot, panel)
    assert not labels.data.any()
    labels.redo()
    qtbot.wait(60)
    settle(qtbot, panel)
    assert panel.bar.run_button.isEnabled(), panel.bar.message


@pytest.mark.parametrize("name", MASKED)
def test_a_drawn_shape_is_a_mask(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, name: str
) -> None:
    panel, picker = masked_panel(make_panel, viewer, name)
    corners = np.array([[1, 1], [1, 15], [15, 15], [15, 1.0]])
    # Drawn in the world: the stack's pixels are half as large.
    drawn = viewer.add_shapes([corners, corners[:3]], shape_type=["ellipse", "polygon"])
    picker.choose(drawn)
    settle(qtbot, panel)
    assert picker.summary == "1 ellipse, 1 polygon"
    assert panel.bar.run_button.isEnabled(), panel.bar.message
    mask = panel.inputs().stack("mask").frame(0) != 0
    rows, columns = np.indices((32, 32)) * 0.5
    expected = (rows - 8) ** 2 + (columns - 8) ** 2 <= 49
    expected |= (rows >= 1) & (columns <= 15) & (columns >= rows)
    np.testing.assert_array_equal(mask, expected)
    drawn.data = [corners * 0.5]
    settle(qtbot, panel)
    assert (panel.inputs().stack("mask").frame(0) != 0).sum() < expected.sum() / 2


def test_what_is_drawn_previews_at_once(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    panel, picker = masked_panel(make_panel, viewer, "statistics")
    drawn = viewer.add_shapes([np.array([[1, 1], [1, 5], [5, 5], [5, 1.0]])])
    picker.choose(drawn)
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    before = panel.bar.message
    # As napari's vertex drag does: the shape is edited in place, then drawn anew.
    drawn._data_view.edit(0, np.array([[1, 1], [1, 15], [15, 15], [15, 1.0]]))
    drawn.refresh()
    qtbot.waitUntil(lambda: panel.bar.message != before, timeout=5000)
    settle(qtbot, panel)
    after = panel.bar.message
    viewer.dims.set_point(0, 3)
    settle(qtbot, panel)
    assert panel.bar.message != after


def test_a_slider_is_no_edit(qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel) -> None:
    panel, picker = masked_panel(make_panel, viewer, "statistics")
    picker.choose(viewer.add_labels(np.ones((32, 32), int), scale=(0.5, 0.5)))
    settle(qtbot, panel)
    told: list[int] = []
    picker.changed.connect(lambda: told.append(1))
    for step in (1, 2, 3):
        viewer.dims.set_current_step(0, step)
    viewer.layers[-1].visible = False
    viewer.layers[-1].visible = True
    assert not told


def test_what_was_painted_after_the_run_is_not_in_its_recipe(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    panel, picker = masked_panel(make_panel, viewer, "statistics")
    labels = viewer.add_labels(np.zeros((32, 32), int), scale=(0.5, 0.5))
    labels.data[4:9, 4:9] = 1
    picker.choose(labels)
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    labels.paint((20, 20), 1)
    (kept,) = panel.record.memory.values() if len(panel.record.memory) == 1 else [
        value for name, value in panel.record.memory.items() if "S" not in name
    ]  # fmt: skip
    assert kept.frame(0).sum() == 25
