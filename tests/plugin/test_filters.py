"""Filters of frames in a real window: where their results lie, previews, Cancel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from scipy import ndimage
from tests.helpers import filters, median

from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.panel import ToolPanel

from .conftest import run_to_end, settle

Docked = Callable[[Any, Tool[Any]], ToolPanel]


@pytest.fixture
def docked(qtbot: QtBot) -> Iterator[Docked]:
    """Put a panel beside a real viewer."""
    made: list[ToolPanel] = []

    def dock(viewer: Any, tool: Tool[Any]) -> ToolPanel:
        panel = ToolPanel(viewer, tool)
        viewer.window.add_dock_widget(panel, name=tool.title)
        made.append(panel)
        settle(qtbot, panel)
        return panel

    yield dock
    for panel in made:
        panel.cancel()
        qtbot.waitUntil(lambda panel=panel: not panel.busy)
        settle(qtbot, panel)


def test_a_median_filter_lies_on_its_stack(
    make_napari_viewer: Callable[..., Any], docked: Docked, qtbot: QtBot
) -> None:
    viewer = make_napari_viewer()
    data = np.random.default_rng(0).integers(0, 255, (3, 2, 40, 50), np.uint8)
    layer = viewer.add_image(
        data,
        name="cells",
        axis_labels=("t", "c", "y", "x"),
        scale=(1, 1, 0.5, 0.5),
        translate=(0, 0, 10, 20),
    )
    panel = docked(viewer, median.TOOL)
    run_to_end(qtbot, panel)
    found = viewer.layers["cells median"]
    np.testing.assert_array_equal(np.asarray(found.data), ndimage.median_filter(data, (1, 1, 3, 3)))
    np.testing.assert_array_equal(found.extent.world, layer.extent.world)
    assert found.axis_labels == layer.axis_labels


def test_a_result_on_another_grid_covers_its_stack(
    make_napari_viewer: Callable[..., Any], docked: Docked, qtbot: QtBot
) -> None:
    viewer = make_napari_viewer()
    layer = viewer.add_image(
        np.random.default_rng(0).normal(size=(3, 40, 50)),
        name="cells",
        axis_labels=("t", "y", "x"),
        scale=(1, 0.5, 0.25),
        translate=(0, 10, 20),
        units=("s", "um", "um"),
        rotate=[[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]],
    )
    panel = docked(viewer, filters.SHRINK)
    run_to_end(qtbot, panel)
    found = viewer.layers["cells shrunk"]
    assert found.units == layer.units
    np.testing.assert_allclose(found.scale, (1, 1, 0.5))
    # The corner of the corner pixel, half a pixel out, is at the same place in the world.
    np.testing.assert_allclose(
        found.data_to_world((1, -0.5, -0.5)), layer.data_to_world((1, -0.5, -0.5))
    )
    np.testing.assert_allclose(
        found.data_to_world((1, 19.5, 24.5)), layer.data_to_world((1, 39.5, 49.5))
    )


def test_whole_frame_work_leaves_the_panel_free_on_cancel(
    make_napari_viewer: Callable[..., Any], docked: Docked, qtbot: QtBot
) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((4, 8, 8)), name="cells")
    panel = docked(viewer, filters.SLEEP)
    panel.parameters_form.set_values({"result": "memory"})
    settle(qtbot, panel)
    panel.bar.run_button.click()
    qtbot.wait(300)
    assert panel.busy
    began = time.perf_counter()
    panel.cancel()
    qtbot.waitUntil(lambda: not panel.busy, timeout=2500)
    assert time.perf_counter() - began < 2.5
    qtbot.wait(3000)
    assert [layer.name for layer in viewer.layers] == ["cells"]
