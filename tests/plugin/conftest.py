"""A viewer without a window, and panels of the tests' own tool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from tests.helpers import toolbox

from napari_framewise.engine import Engine
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.forms.value_picker import SHELF
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.plugin.running import settings
from napari_framewise.tools import registry

MakePanel = Callable[..., ToolPanel]


@pytest.fixture(autouse=True)
def _own_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two threads, an empty shelf, and the tests' tool among the others."""
    monkeypatch.setitem(registry.TOOLS, "shifts", toolbox.ENTRY)
    engine = Engine.local(2)
    monkeypatch.setattr("napari_framewise.plugin.running.settings.current_engine", lambda: engine)
    yield
    SHELF.values.clear()
    settings.close_engines()


@pytest.fixture
def viewer() -> Iterator[ViewerModel]:
    model = ViewerModel()
    yield model
    model.layers.clear()


@pytest.fixture
def shifted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames, the same frames shifted, and how far."""
    rng = np.random.default_rng(3)
    shifts = rng.integers(-4, 5, (40, 2))
    reference = rng.normal(100, 20, (40, 24, 32)).astype(np.float32)
    moved = np.stack([np.roll(f, s, (0, 1)) for f, s in zip(reference, shifts, strict=True)])
    return reference, moved, shifts


@pytest.fixture
def make_panel(qtbot: QtBot, viewer: ViewerModel) -> Iterator[MakePanel]:
    made: list[ToolPanel] = []

    def make(tool: Tool[Any] = toolbox.TOOL, show: bool = True) -> ToolPanel:
        panel = ToolPanel(viewer, tool)
        if show:
            panel.show()
        made.append(panel)
        settle(qtbot, panel)
        return panel

    yield make
    for panel in made:
        panel.cancel()
        qtbot.waitUntil(lambda panel=panel: not panel.busy)
        panel.close()
        settle(qtbot, panel)
        panel.deleteLater()
        qtbot.wait(1)


def settle(qtbot: QtBot, panel: ToolPanel) -> None:
    """Wait until nothing is going on in a panel."""
    # The first call of a kernel compiles it, which takes its time on a busy machine.
    qtbot.waitUntil(lambda: not panel.at_work, timeout=200_000)


def run_to_end(qtbot: QtBot, panel: ToolPanel) -> None:
    """Press Run and wait for the result."""
    assert panel.bar.run_button.isEnabled(), panel.bar.message
    panel.bar.run_button.click()
    settle(qtbot, panel)
