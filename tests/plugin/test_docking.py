"""Panels in a real window: tabs of one another, keys, small screens, any way of closing them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget
from tests.helpers import relaxing, toolbox

from napari_framewise.plugin.panel import ToolPanel, made_in_pieces
from napari_framewise.plugin.shell import PanelShell

from .conftest import settle


@pytest.fixture
def window(make_napari_viewer: Callable[..., Any]) -> Any:
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1366, 768)
    viewer.add_image(np.random.default_rng(0).random((6, 24, 32)), name="S")
    viewer.add_image(np.random.default_rng(1).random((6, 24, 32)), name="R")
    return viewer


def docked(viewer: Any, qtbot: QtBot, tool: Any) -> tuple[QDockWidget, ToolPanel]:
    panel = ToolPanel(viewer, tool)
    dock = viewer.window.add_dock_widget(panel, name=tool.title)
    settle(qtbot, panel)
    qtbot.wait(20)
    return dock, panel


def test_a_second_panel_is_a_tab_of_the_first_and_both_work_at_600_pixels(
    window: Any, qtbot: QtBot
) -> None:
    main = window.window._qt_window
    main.resize(1000, 600)
    qtbot.wait(20)
    # What napari's own docks ask for.
    lowest = max(600, main.height())
    first, one = docked(window, qtbot, toolbox.TOOL)
    second, other = docked(window, qtbot, relaxing.TOOL)
    assert main.tabifiedDockWidgets(first) == [second]
    for dock, panel in ((first, one), (second, other)):
        dock.raise_()
        qtbot.waitUntil(panel.isVisible)
        for _ in range(2):
            panel.run()
            settle(qtbot, panel)
        assert not panel.result.earlier_bar.isHidden()
        main.resize(1000, 600)
        qtbot.wait(20)
        assert main.height() <= lowest
        assert panel.minimumSizeHint().height() < 520
    dock.setFloating(True)
    qtbot.wait(20)
    third, _ = docked(window, qtbot, toolbox.TOOL)
    assert main.tabifiedDockWidgets(third) == [first]


def test_keys_run_preview_and_cancel(window: Any, qtbot: QtBot) -> None:
    _, panel = docked(window, qtbot, relaxing.TOOL)
    panel.activateWindow()
    panel.setFocus()
    qtbot.waitUntil(panel.hasFocus)
    qtbot.keyClick(panel, Qt.Key.Key_Return, Qt.KeyboardModifier(
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    ))  # fmt: skip
    assert panel.bar.wants_preview
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    panel.parameters_form.set_values({"passes": 10_000})
    settle(qtbot, panel)
    panel.setFocus()
    qtbot.keyClick(panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert panel.busy
    panel.setFocus()
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    settle(qtbot, panel)
    assert panel.bar.message.startswith("Cancelled; no layer was added.")
    assert "Ctrl+Return" in panel.bar.run_button.toolTip()


CLOSING = """
import sys, time
from dataclasses import replace
import numpy as np, napari
from qtpy.QtWidgets import QApplication
from tests.helpers import relaxing
from napari_framewise.plugin.panel import ToolPanel

def slowly(*given):
    for report in relaxing.run(*given):
        time.sleep(0.01)
        yield report

def question(*given):
    time.sleep(0.3)
    return relaxing.plan(*given)

way = sys.argv[1]
viewer = napari.Viewer(show=True)
app = QApplication.instance()
viewer.add_image(np.random.default_rng(0).random((3, 24, 32)), name="S")
panel = ToolPanel(viewer, replace(relaxing.TOOL, run=slowly, plan=question))
dock = viewer.window.add_dock_widget(panel, name="P")
panel.parameters_form.set_values({"passes": 10_000})

def spin(until, most=60):
    began = time.monotonic()
    while not until() and time.monotonic() - began < most:
        app.processEvents()
        time.sleep(0.002)

spin(lambda: not panel.at_work)
panel.run()
spin(lambda: len(viewer.layers) == 2)
panel.parameters_form.set_values({"passes": 9_999})
panel._advice.ask(lambda: time.sleep(0.3))
spin(lambda: panel._advice._worker is not None)
assert panel.busy
if way == "panel":
    viewer.window.remove_dock_widget(dock)
    del panel, dock
    spin(lambda: len(viewer.layers) == 1)
    print("left:", [layer.name for layer in viewer.layers])
if way != "nothing":
    viewer.close()
    spin(lambda: False, 0.3)
print("ended")
"""


@pytest.mark.parametrize("way", ["panel", "viewer", "nothing"])
def test_whatever_is_closed_in_mid_run_says_nothing_on_the_console(way: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CLOSING, way],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=250,
    )
    assert run.returncode == 0, run.stderr
    assert "ended" in run.stdout
    assert "Traceback" not in run.stderr
    assert "Error" not in run.stderr
    if way == "panel":
        assert "left: ['S']" in run.stdout


def test_a_second_panel_from_the_menu_leaves_the_window_its_size(window: Any, qtbot: QtBot) -> None:
    main = window.window._qt_window
    # Of two panels one above the other, not of two tabs.
    main.resize(1366, max(700, main.minimumSizeHint().height()))
    qtbot.wait(20)
    height = main.height()
    docks = []
    for tool in (toolbox.TOOL, relaxing.TOOL):
        shell = PanelShell(window, partial(made_of, tool))
        docks.append(window.window.add_dock_widget(shell, name=tool.title))
        qtbot.waitUntil(lambda shell=shell: shell.panel is not None)
        settle(qtbot, shell.panel)
        shell.panel.run()
        settle(qtbot, shell.panel)
    assert main.tabifiedDockWidgets(docks[0]) == [docks[1]]
    assert main.height() == height


def made_of(tool: Any) -> Callable[[Any], Any]:
    return lambda viewer: made_in_pieces(viewer, tool)
