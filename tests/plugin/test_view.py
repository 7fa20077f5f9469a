"""A preview of what is in view, and no more: the same numbers as of the whole frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from pytestqt.qtbot import QtBot
from scipy.ndimage import median_filter
from tests.helpers import filters, median

from napari_framewise.plugin.layers.layers_in import stack_of_layer
from napari_framewise.plugin.layers.previewing import preview_of
from napari_framewise.plugin.layers.view import in_view
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.stacks.stack import Selection

from .conftest import MakePanel, settle


def looked_at(layer: Image, rows: tuple[int, int], columns: tuple[int, int]) -> None:
    layer.corner_pixels[:, -2:] = np.array([rows, columns]).T


def test_rows_and_columns_in_view_with_what_they_depend_on(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((3, 2000, 1500)))
    stack = stack_of_layer(layer)
    looked_at(layer, (100, 199), (0, 49))
    part = in_view(viewer, layer, stack).part(5)
    assert part.stack.selection.region == ((95, 205), (0, 55))
    assert part.shown == ((5, 105), (0, 50))
    assert part.note == ""
    looked_at(layer, (-300, 4000), (0, 1499))
    part = in_view(viewer, layer, stack).part(5)
    assert part.stack.selection.region == ((739, 1261), (489, 1011))
    assert part.note == "Previewed is the middle of the view, 512 x 512 pixels."
    chosen = stack.select(Selection(region=((0, 60), (20, 100))))
    looked_at(layer, (50, 80), (0, 1000))
    part = in_view(viewer, layer, chosen).part(5)
    assert part.stack.selection.region == ((45, 60), (20, 100))
    small = viewer.add_image(np.zeros((30, 40)))
    assert in_view(viewer, small, stack_of_layer(small)).part(5) is None


def shown(viewer: Any) -> Any:
    return next(layer for layer in viewer.layers if layer.name.startswith("Preview"))


@pytest.mark.parametrize("name", ["plain", "channels", "rgb"])
def test_a_part_is_what_the_whole_frame_gives(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, name: str
) -> None:
    shape = {"plain": (2, 900, 700), "channels": (2, 3, 900, 700), "rgb": (2, 900, 700, 3)}[name]
    data = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    labels = {"plain": "tyx", "channels": "tcyx", "rgb": "tyx"}[name]
    layer = viewer.add_image(
        data, rgb=name == "rgb", axis_labels=labels, scale=(0.5,) * len(labels), name="noise"
    )
    looked_at(layer, (400, 459), (300, 389))
    panel = make_panel(median.TOOL)
    panel.parameters_form.set_values({"size": 5})
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    index = viewer.dims.current_step[0]
    outcome = median.TOOL.preview(panel.inputs(), panel.parameters(), index)
    whole = np.asarray(outcome.layers[0].data)
    part = (..., slice(400, 460), slice(300, 390)) + (slice(None),) * (name == "rgb")
    preview = shown(viewer)
    np.testing.assert_array_equal(preview.data, whole[part])
    if name == "plain":
        np.testing.assert_array_equal(whole, median_filter(data[index], 5))
    np.testing.assert_allclose(np.asarray(preview.translate)[-2:], (200, 150))


def test_the_preview_follows_the_view_in_a_window(
    make_napari_viewer: Callable[..., Any], qtbot: QtBot
) -> None:
    viewer = make_napari_viewer(show=True)
    data = np.random.default_rng(0).integers(0, 9999, (2, 3000, 3000)).astype(np.uint16)
    layer = viewer.add_image(data, name="noise")
    panel = ToolPanel(viewer, median.TOOL)
    qtbot.addWidget(panel)
    panel.show()
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    assert "Previewed is the middle of the view, 512 x 512 pixels." in panel.bar.message
    camera = viewer.scene.camera
    camera.center, camera.zoom = (0, 600, 700), 4
    qtbot.waitUntil(lambda: shown(viewer).data.shape != (512, 512), timeout=10_000)
    settle(qtbot, panel)
    preview = shown(viewer)
    top, left = (int(each) for each in preview.translate[-2:])
    rows, columns = preview.data.shape
    assert (top, left) == tuple(int(each) for each in layer.corner_pixels[0, -2:])
    part = median_filter(data[viewer.dims.current_step[0], top - 1 : top + rows + 1,
                              left - 1 : left + columns + 1], 3)[1:-1, 1:-1]  # fmt: skip
    np.testing.assert_array_equal(preview.data, part)
    panel.close()


def test_what_is_left_open_is_settled_by_the_whole_frame_not_by_the_view(viewer) -> None:
    data = np.arange(3 * 900 * 40.0).reshape(3, 900, 40)
    layer = viewer.add_image(data, name="s")
    stack = stack_of_layer(layer)
    looked_at(layer, (800, 899), (0, 39))
    inputs = filters.CLIP.check_inputs({"stack": stack})
    parameters = filters.CLIP.check_parameters({})
    outcome = preview_of(filters.CLIP, inputs, parameters, 1, in_view(viewer, layer, stack))
    found = outcome.layer("clipped")
    np.testing.assert_array_equal(found.data, np.minimum(data[1, 800:], data[0].mean()))
