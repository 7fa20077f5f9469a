"""In a real napari window, through the real manifest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.settings import get_plugin_settings
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QTimer

from napari_framewise.engine import Engine
from napari_framewise.plugin.layers.layers_in import part_of
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.plugin.running.settings import current_engine

from .conftest import run_to_end, settle


@pytest.fixture
def window(make_napari_viewer: Callable[..., Any], qtbot: QtBot) -> Any:
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1366, 768)
    return viewer


def opened(viewer: Any, qtbot: QtBot, title: str) -> ToolPanel:
    _, shell = viewer.window.add_plugin_dock_widget("napari-framewise", title)
    qtbot.waitUntil(lambda: shell.panel is not None, timeout=60_000)
    settle(qtbot, shell.panel)
    # Nothing else takes room in the dock.
    qtbot.waitUntil(lambda: shell.panel.size() == shell.size())
    return shell.panel


def test_a_sample_is_fitted_in_two_clicks(window: Any, qtbot: QtBot) -> None:
    window.open_sample("napari-framewise", "pages")
    panel = opened(window, qtbot, "Mixing coefficients")
    assert panel.bar.message.startswith("Smallest difference")
    run_to_end(qtbot, panel)
    stack = next(layer for layer in window.layers[::-1] if part_of(layer) == "stack")
    truth = np.asarray(stack.metadata["framewise"]["truth"]["coefficients"])[:, 0]
    table = panel.record.outcome.table("mixing")
    off = (table.columns["x1"] - truth) / table.columns["x1_error"]
    assert np.abs(np.median(off)) < 0.3
    assert 0.8 < np.std(off) < 1.3
    names = [layer.name for layer in window.layers]
    assert names[-2:] == [f"residual of {stack.name}", f"mean residual of {stack.name}"]
    window.dims.set_current_step(0, 33)
    assert panel.view.table.currentIndex().siblingAtColumn(0).data() == "33"
    qtbot.wait(50)


def test_pixels_are_unmixed(window: Any, qtbot: QtBot) -> None:
    window.open_sample("napari-framewise", "bands")
    panel = opened(window, qtbot, "Unmix pixels")
    run_to_end(qtbot, panel)
    assert any("abundance" in layer.name.lower() for layer in window.layers)


def test_the_panel_fits_a_small_screen_in_both_themes(window: Any, qtbot: QtBot) -> None:
    window.open_sample("napari-framewise", "pages")
    panel = opened(window, qtbot, "Mixing coefficients")
    run_to_end(qtbot, panel)
    window.theme = "light"
    qtbot.wait(50)
    assert window.window._qt_window.height() <= 768
    assert panel.minimumSizeHint().height() < 560
    assert panel.minimumSizeHint().width() <= 380
    for child in (panel.bar, panel.inputs_form, panel.parameters_form, panel.result_actions):
        assert child.minimumSizeHint().width() <= 380, child


def test_closing_the_window_in_mid_run_harms_nothing(
    window: Any, qtbot: QtBot, shifted: Any
) -> None:
    window.add_image(shifted[0])
    panel = opened(window, qtbot, "Mixing coefficients")
    panel.bar.preview_box.click()
    window.window.remove_dock_widget(panel.parentWidget())
    window.add_image(np.zeros((5, 5)))
    window.dims.set_current_step(0, 3)
    qtbot.wait(20)


def test_the_engine_is_the_one_of_the_preferences(
    window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cluster(address: str) -> Engine:
        raise ValueError(f"Nothing answers at {address}.")

    monkeypatch.setattr(Engine, "cluster", cluster)
    chosen = get_plugin_settings("napari-framewise").engine
    try:
        chosen.threads, chosen.memory = 1, 32
        engine = current_engine()
        assert engine.executor.workers == 1
        assert engine.budget == 32 * 2**20
        assert current_engine() is engine
        chosen.scheduler = "tcp://127.0.0.1:9"
        with pytest.raises(ValueError, match=r"Nothing answers at tcp://127\.0\.0\.1:9"):
            current_engine()
        assert engine.executor.workers == 1
    finally:
        chosen.threads, chosen.memory, chosen.scheduler = 0, 96, ""


def test_the_window_lives_while_a_tool_runs(window: Any, qtbot: QtBot, shifted: Any) -> None:
    """Ticks of the event loop come in while frames are being fitted."""
    rng = np.random.default_rng(0)
    for image in rng.random((2, 64, 64)):
        window.add_image(image)
    window.add_image(rng.random((3000, 64, 64)))
    panel = opened(window, qtbot, "Mixing coefficients")
    ticks: list[str] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(panel.bar.count))
    timer.start(2)
    run_to_end(qtbot, panel)
    timer.stop()
    assert any("frames" in text for text in ticks)
