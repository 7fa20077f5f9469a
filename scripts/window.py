"""A real napari window, driven as a person drives it: for the demo and the pictures of the docs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from qtpy.QtWidgets import QAbstractButton, QApplication

PATIENCE = 120.0


def opened(sample: str, size: tuple[int, int] = (1366, 768), theme: str = "dark") -> Any:
    """A napari window with a sample's layers in it."""
    viewer = napari.Viewer()
    viewer.theme = theme
    viewer.window._qt_window.resize(*size)
    viewer.open_sample("napari-framewise", sample)
    settle()
    return viewer


def panel_of(viewer: Any, title: str) -> Any:
    """The panel of a tool, opened as from the Plugins menu."""
    _, shell = viewer.window.add_plugin_dock_widget("napari-framewise", title)
    wait(lambda: shell.panel is not None)
    settle()
    return shell.panel


def button(panel: Any, text: str) -> QAbstractButton:
    """The button of a panel with this text."""
    return next(each for each in panel.findChildren(QAbstractButton) if each.text() == text)


def run(panel: Any) -> None:
    """Press Run and wait for the result."""
    press = button(panel, "Run")
    wait(press.isEnabled)
    press.click()
    wait(lambda: not panel.busy)
    if panel.record is None:
        raise SystemExit("The run gave no result.")
    settle()


def wait(done: Callable[[], bool]) -> None:
    """Let the window live until something is done."""
    end = time.monotonic() + PATIENCE
    while not done():
        QApplication.processEvents()
        time.sleep(0.005)
        if time.monotonic() > end:
            raise SystemExit(f"Nothing happened within {PATIENCE:.0f} s.")


def settle(seconds: float = 0.6) -> None:
    """Let the window draw what is waiting."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def picture(viewer: Any, path: Path) -> None:
    """Save the whole window as a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    settle()
    viewer.window._qt_window.grab().save(str(path))
    print(f"wrote {path}")
