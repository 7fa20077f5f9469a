"""Results along an axis of their own are seen wherever the input's slider stands."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_framewise.framework.outcome import ImageResult
from napari_framewise.plugin.layers.layers_out import make_layer
from napari_framewise.plugin.samples import open_sample
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.tools.registry import get_tool

from .conftest import MakePanel, run_to_end, settle


def test_abundances_are_seen_at_every_band(viewer: ViewerModel) -> None:
    bands = viewer.add_image(
        np.zeros((16, 5, 6)),
        axis_labels=("band", "y", "x"),
        scale=(10, 2, 2),
        translate=(400, 1, 1),
    )
    data = np.random.default_rng(0).random((4, 5, 6))
    grid = Grid((Axis("spectrum"), Axis("y", 2, 1), Axis("x", 2, 1)), role="stack")
    layer = viewer.add_layer(make_layer(ImageResult("abundances", data, grid), bands))
    assert layer.axis_labels == ("spectrum", "band", "y", "x")
    for band in (0, 3, 7, 15):
        for spectrum in range(4):
            viewer.dims.set_current_step((0, 1), (spectrum, band))
            np.testing.assert_array_equal(layer._slice.image.raw, data[spectrum])
    assert viewer.dims.nsteps[1] == 16
    assert bands._slice.image.raw.shape == (5, 6)


def test_the_frames_of_an_input_stay_on_its_slider(viewer: ViewerModel) -> None:
    movie = viewer.add_image(np.zeros((7, 5, 6)), axis_labels=("t", "y", "x"))
    grid = Grid((Axis("t"), Axis("y"), Axis("x")), role="stack")
    layer = make_layer(ImageResult("residual", np.zeros((7, 5, 6)), grid), movie)
    assert layer.ndim == 3


def test_unmixing_with_the_slider_beyond_the_spectra(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    for data, options, _ in open_sample("bands"):
        viewer.add_image(data, **options)
    viewer.dims.set_current_step(0, 14)
    panel = make_panel(get_tool("unmixing"))
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    layer = next(each for each in viewer.layers if each.name.startswith("abundances of"))
    assert layer.ndim == 4
    assert np.isfinite(layer._slice.image.raw).any()
    assert viewer.dims.current_step[1] == 14
