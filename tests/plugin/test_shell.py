"""A panel appears at once, and is filled when what it needs is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QLabel, QWidget
from tests.helpers import toolbox

from napari_framewise.plugin.panel import made_in_pieces
from napari_framewise.plugin.shell import PanelShell

from .conftest import settle


def labels_of(shell: PanelShell) -> list[str]:
    return [label.text() for label in shell.findChildren(QLabel)]


def test_a_panel_is_loaded_in_a_thread_and_made_in_pieces(
    qtbot: QtBot, viewer: ViewerModel
) -> None:
    go, places = threading.Event(), list[str]()

    def load() -> Callable[[Any], Generator[None, None, QWidget]]:
        go.wait(20)
        places.append(threading.current_thread().name)
        return lambda viewer: made_in_pieces(viewer, toolbox.TOOL)

    shell = PanelShell(viewer, load)
    qtbot.addWidget(shell)
    shell.show()
    qtbot.wait(30)
    assert shell.panel is None
    assert labels_of(shell) == ["Opening"]
    with qtbot.waitSignal(shell.filled):
        go.set()
    assert places != [threading.main_thread().name]
    panel: Any = shell.panel
    qtbot.waitUntil(panel.isVisible)
    settle(qtbot, panel)
    assert shell.sizeHint() == panel.sizeHint()
    shell.close()
    assert not panel.isVisible()
    settle(qtbot, panel)


def test_a_panel_that_cannot_be_loaded_says_so(
    qtbot: QtBot, viewer: ViewerModel, caplog: pytest.LogCaptureFixture
) -> None:
    def load() -> Callable[[Any], Generator[None, None, QWidget]]:
        raise ImportError("no such module")

    shell = PanelShell(viewer, load)
    qtbot.addWidget(shell)
    qtbot.waitUntil(lambda: "could not be loaded" in labels_of(shell)[0])
    assert "no such module" in caplog.text


def test_a_shell_that_is_closed_before_its_panel_came_makes_none(
    qtbot: QtBot, viewer: ViewerModel
) -> None:
    go = threading.Event()

    def load() -> Callable[[Any], Generator[None, None, QWidget]]:
        go.wait(20)
        return lambda viewer: made_in_pieces(viewer, toolbox.TOOL)

    shell = PanelShell(viewer, load)
    qtbot.addWidget(shell)
    shell.show()
    shell.close()
    go.set()
    qtbot.wait(100)
    assert shell.panel is None
