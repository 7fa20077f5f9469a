"""A steered run in a panel: Step, Run, Pause, Undo, and edits that reach it between steps."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from pytestqt.qtbot import QtBot
from tests.helpers import filling
from tests.helpers.filling import Filled

import napari_framewise as fw
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.session import Change, Course
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.tools import registry

from .conftest import MakePanel, settle

IMAGE = np.random.default_rng(4).random((2, 24, 32)) + 0.2


@pytest.fixture(autouse=True)
def _tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TOOLS, "filling", filling.ENTRY)


@pytest.fixture
def seeds(viewer: ViewerModel) -> Labels:
    viewer.add_image(IMAGE, name="S")
    labels = viewer.add_labels(np.zeros((24, 32), np.uint8), name="seeds")
    labels.data[3, 4] = 1
    return labels


@pytest.fixture
def panel(make_panel: MakePanel, seeds: Labels, qtbot: QtBot) -> ToolPanel:
    return ready(make_panel(filling.TOOL), seeds, qtbot)


def ready(panel: ToolPanel, seeds: Labels, qtbot: QtBot) -> ToolPanel:
    picker = panel.inputs_form.roles["seeds"].pickers[0]
    picker.choose(seeds)
    panel.inputs_form._changed()
    settle(qtbot, panel)
    return panel


def press(qtbot: QtBot, panel: ToolPanel, name: str) -> None:
    button = panel.steering.buttons.buttons[name]
    assert button.isEnabled(), name
    button.click()
    settle(qtbot, panel)


def paint(qtbot: QtBot, panel: ToolPanel, seeds: Labels, row: int, column: int, label: int) -> None:
    seeds.paint((row, column), label)
    settle(qtbot, panel)


def again(first: np.ndarray, changes: list[Change], steps: int | None = None) -> np.ndarray:
    course = Course(changes, steps)
    return np.asarray(fw.run("filling", stack=IMAGE, seeds=first, course=course).layer().data)


def so_far(viewer: ViewerModel) -> np.ndarray:
    return np.asarray(viewer.layers["S filled (so far)"].data)


def test_steps_edits_and_undo_lead_where_their_record_leads(
    qtbot: QtBot, viewer: ViewerModel, panel: ToolPanel, seeds: Labels, tmp_path: Path
) -> None:
    assert panel.bar.run_button.isHidden()
    first = seeds.data.copy()
    press(qtbot, panel, "step")
    press(qtbot, panel, "step")
    np.testing.assert_array_equal(so_far(viewer), again(first, [], 2))
    assert panel.bar.message.startswith("After 2 steps:")
    assert not panel.bar.stop_button.isHidden()
    paint(qtbot, panel, seeds, 15, 20, 2)
    second = seeds.data.copy()
    assert not np.array_equal(first, second)
    press(qtbot, panel, "step")
    press(qtbot, panel, "step")
    np.testing.assert_array_equal(so_far(viewer), again(first, [Change(2, "seeds", [second])], 4))
    press(qtbot, panel, "undo")
    np.testing.assert_array_equal(so_far(viewer), again(first, [Change(2, "seeds", [second])], 3))
    press(qtbot, panel, "undo")
    press(qtbot, panel, "undo")
    moved = [Change(1, "seeds", [second])]
    np.testing.assert_array_equal(so_far(viewer), again(first, moved, 1))
    paint(qtbot, panel, seeds, 10, 10, 3)
    third = seeds.data.copy()
    moved = [Change(1, "seeds", [third])]
    press(qtbot, panel, "run")
    assert "S filled (so far)" not in viewer.layers
    result = np.asarray(viewer.layers["S filled"].data)
    np.testing.assert_array_equal(result, again(first, moved))
    assert panel.record is not None
    assert not panel.record.unfinished
    (step,) = panel.record.recipe.steps
    assert [(change.step, change.role) for change in step.changes] == [(1, "seeds")]
    assert step.steps is None
    seeds.data[:] = 7
    fw.save_recipe(panel.record.recipe, tmp_path / "r.json", panel.record.memory)
    (run,) = fw.run_recipe(tmp_path / "r.json").runs
    np.testing.assert_array_equal(run.outcomes[0].layer().data, result)
    assert not panel.steering.active
    assert panel.bar.cancel_button.isHidden()


def test_stop_between_two_steps_keeps_what_there_is(
    qtbot: QtBot, viewer: ViewerModel, panel: ToolPanel, seeds: Labels
) -> None:
    press(qtbot, panel, "step")
    press(qtbot, panel, "step")
    panel.bar.stop_button.click()
    settle(qtbot, panel)
    layer = viewer.layers["S filled"]
    np.testing.assert_array_equal(layer.data, again(seeds.data, [], 2))
    told = layer.metadata["framewise"]
    assert told["unfinished"]
    assert told["recipe"]["steps"][0]["steps"] == 2
    assert not panel.steering.active
    assert panel.bar.stop_button.isHidden()
    press(qtbot, panel, "step")
    assert len(panel.view.shown_table) == 1


def test_cancel_between_two_steps_leaves_nothing(
    qtbot: QtBot, viewer: ViewerModel, panel: ToolPanel
) -> None:
    press(qtbot, panel, "step")
    assert len(viewer.layers) == 3
    panel.bar.cancel_button.click()
    settle(qtbot, panel)
    assert [layer.name for layer in viewer.layers] == ["S", "seeds"]
    assert not panel.steering.active
    assert not panel.steering.buttons.buttons["undo"].isEnabled()
    assert panel.bar.cancel_button.isHidden()


class Gate(filling.FillSession):
    """Each step waits until it is let go."""

    let = threading.Semaphore(0)

    def advance(self, state: Filled) -> Generator[Progress, None, Filled]:
        while not self.let.acquire(timeout=0.005):
            yield Progress("Waiting", 0, 1, "steps")
        return (yield from super().advance(state))


@pytest.fixture
def gate() -> Iterator[type[Gate]]:
    Gate.let = threading.Semaphore(0)
    yield Gate
    Gate.let.release(1000)


def test_pause_waits_after_the_step_and_edits_reach_a_run_that_goes_on(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, seeds: Labels, gate: type[Gate]
) -> None:
    panel = ready(make_panel(replace(filling.TOOL, session=gate)), seeds, qtbot)
    buttons: Any = panel.steering.buttons.buttons
    first = seeds.data.copy()
    buttons["run"].click()
    assert not buttons["step"].isEnabled()
    gate.let.release(2)
    qtbot.waitUntil(lambda: "S filled (so far)" in viewer.layers)
    qtbot.waitUntil(lambda: len(panel.view.shown_table) == 2)
    seeds.paint((15, 20), 2)
    qtbot.waitUntil(lambda: bool(panel.steering._edits))
    second = seeds.data.copy()
    # The third step was begun before the edit, so the edit counts from the fourth on.
    gate.let.release(1)
    qtbot.waitUntil(lambda: len(panel.view.shown_table) == 3)
    buttons["pause"].click()
    gate.let.release(1)
    settle(qtbot, panel)
    assert panel.bar.message.startswith("After 4 steps:")
    np.testing.assert_array_equal(so_far(viewer), again(first, [Change(3, "seeds", [second])], 4))
    gate.let.release(1000)
    press(qtbot, panel, "run")
    np.testing.assert_array_equal(
        viewer.layers["S filled"].data, again(first, [Change(3, "seeds", [second])])
    )


def test_cancel_in_mid_step_and_closing_the_panel_leave_nothing(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, seeds: Labels, gate: type[Gate]
) -> None:
    panel = ready(make_panel(replace(filling.TOOL, session=gate)), seeds, qtbot)
    panel.steering.buttons.buttons["run"].click()
    gate.let.release(1)
    qtbot.waitUntil(lambda: "S filled (so far)" in viewer.layers)
    panel.bar.cancel_button.click()
    settle(qtbot, panel)
    assert not panel.steering.active
    assert [layer.name for layer in viewer.layers] == ["S", "seeds"]
    gate.let.release(1)
    press(qtbot, panel, "step")
    panel.close()
    settle(qtbot, panel)
    assert [layer.name for layer in viewer.layers] == ["S", "seeds"]


def test_what_does_not_fit_is_said_and_the_session_stands(
    qtbot: QtBot, viewer: ViewerModel, panel: ToolPanel, seeds: Labels
) -> None:
    first = seeds.data.copy()
    press(qtbot, panel, "step")
    seeds.data = np.zeros((5, 5), np.uint8)
    settle(qtbot, panel)
    assert "seeds" in panel.bar.message
    seeds.data = first
    settle(qtbot, panel)
    press(qtbot, panel, "step")
    np.testing.assert_array_equal(so_far(viewer), again(first, [], 2))
