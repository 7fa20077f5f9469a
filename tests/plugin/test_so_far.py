"""What a run has so far: shown in place, taken by Stop, gone after Cancel."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from tests.helpers import relaxing

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.partial import Partial
from napari_framewise.plugin.layers.passing_layers import PassingLayers
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.plugin.running.runner import Runner
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.tools import registry

from .conftest import MakePanel, settle


class Passes:
    """The relaxing tool, whose every pass waits until it is let go."""

    def __init__(self) -> None:
        self.pass_on = threading.Semaphore(0)
        self.closed = threading.Event()
        self.tool = replace(relaxing.TOOL, run=self.run)

    def run(self, *given: Any) -> Generator[Progress | Partial, None, Any]:
        steps = relaxing.run(*given)
        try:
            while True:
                try:
                    report = next(steps)
                except StopIteration as end:
                    return end.value
                if isinstance(report, Progress):
                    while not self.pass_on.acquire(timeout=0.005):
                        yield report
                yield report
        finally:
            self.closed.set()

    def let(self, count: int) -> None:
        self.pass_on.release(count)


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(5).random((3, 24, 32))


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Passes]:
    monkeypatch.setitem(registry.TOOLS, "relaxing", relaxing.ENTRY)
    made = Passes()
    yield made
    made.let(10_000)


def after(frame: np.ndarray, count: int) -> np.ndarray:
    for _ in range(count):
        frame = relaxing.relaxed(frame)
    return frame


def shown_passes(panel: ToolPanel) -> int:
    table = panel.view.shown_table
    return 0 if table is None else len(table)


def test_it_is_shown_in_place_and_becomes_the_result(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, passes: Passes, frame: np.ndarray
) -> None:
    mine = viewer.add_image(frame, name="S", scale=(1, 0.5, 0.25))
    viewer.dims.set_current_step(0, 2)
    panel = make_panel(passes.tool)
    zoom = viewer.scene.camera.zoom if hasattr(viewer, "scene") else viewer.camera.zoom
    panel.bar.run_button.click()
    assert panel.bar.stop_button.isHidden()
    passes.let(3)
    qtbot.waitUntil(lambda: shown_passes(panel) == 3)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    so_far = viewer.layers["S relaxed (so far)"]
    np.testing.assert_array_equal(so_far.data, after(frame[0], 3))
    assert so_far.metadata["framewise"]["unfinished"]
    assert viewer.layers.selection.active is mine
    assert viewer.dims.current_step[0] == 2
    assert panel.view.shown_plot is not None
    assert not panel.bar.stop_button.isHidden()
    assert panel.inputs_form.roles["stack"].pickers[0].candidates() == [mine]
    so_far.opacity = 0.5
    passes.let(4)
    qtbot.waitUntil(lambda: shown_passes(panel) == 7)
    assert viewer.layers["S relaxed (so far)"] is so_far
    np.testing.assert_array_equal(so_far.data, after(frame[0], 7))
    assert (viewer.scene.camera.zoom if hasattr(viewer, "scene") else viewer.camera.zoom) == zoom
    passes.let(20)
    settle(qtbot, panel)
    assert [layer.name for layer in viewer.layers] == ["S", "S relaxed"]
    assert viewer.layers["S relaxed"] is so_far
    assert so_far.opacity == 0.5
    assert "unfinished" not in so_far.metadata["framewise"]
    np.testing.assert_array_equal(so_far.data, after(frame[0], 20))
    assert panel.bar.message == "Done: plot and table in Result; S relaxed added."


def test_stop_takes_it_and_marks_it_unfinished(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, passes: Passes, frame: np.ndarray
) -> None:
    viewer.add_image(frame, name="S")
    panel = make_panel(passes.tool)
    panel.bar.run_button.click()
    passes.let(5)
    qtbot.waitUntil(lambda: shown_passes(panel) == 5)
    panel.bar.stop_button.click()
    settle(qtbot, panel)
    qtbot.waitUntil(passes.closed.is_set)  # The panel is free before the run has ended.
    layer = viewer.layers["S relaxed"]
    np.testing.assert_array_equal(layer.data, after(frame[0], 5))
    assert layer.metadata["framewise"]["unfinished"] is True
    assert layer.metadata["framewise"]["tool"] == "relaxing"
    assert panel.record is not None
    assert panel.record.unfinished
    assert "Stopped before its end" in panel.view.diagnostics_shown
    assert panel.bar.message.startswith("Stopped: plot and table in Result")
    assert panel.bar.run_button.isVisible()


@pytest.mark.parametrize("earlier", [False, True])
def test_cancel_leaves_nothing_of_it(
    qtbot: QtBot,
    viewer: ViewerModel,
    make_panel: MakePanel,
    passes: Passes,
    frame: np.ndarray,
    earlier: bool,
) -> None:
    viewer.add_image(frame, name="S")
    panel = make_panel(passes.tool)
    if earlier:
        passes.let(20)
        panel.bar.run_button.click()
        settle(qtbot, panel)
        passes.closed.clear()
    names = [layer.name for layer in viewer.layers]
    panel.bar.run_button.click()
    passes.let(2)
    qtbot.waitUntil(lambda: shown_passes(panel) == 2)
    panel.bar.cancel_button.click()
    settle(qtbot, panel)
    qtbot.waitUntil(passes.closed.is_set)  # The panel is free before the run has ended.
    assert [layer.name for layer in viewer.layers] == names
    assert panel.bar.message.startswith("Cancelled; no layer was added.")
    assert panel._tabs.isTabEnabled(1) == earlier
    if earlier:
        assert shown_passes(panel) == 20


def test_update_my_last_waits_for_the_end(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, passes: Passes, frame: np.ndarray
) -> None:
    viewer.add_image(frame, name="S")
    panel = make_panel(passes.tool)
    passes.let(20)
    panel.bar.run_button.click()
    settle(qtbot, panel)
    last = viewer.layers["S relaxed"]
    panel.bar.where_box.setCurrentIndex(1)
    panel.parameters_form.set_values({"passes": 3})
    settle(qtbot, panel)
    panel.bar.run_button.click()
    passes.let(1)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    np.testing.assert_array_equal(last.data, after(frame[0], 20))
    passes.let(2)
    settle(qtbot, panel)
    assert [layer.name for layer in viewer.layers] == ["S", "S relaxed"]
    assert viewer.layers["S relaxed"] is last
    np.testing.assert_array_equal(last.data, after(frame[0], 3))


def test_a_run_tells_what_it_has_five_times_a_second_at_most(qtbot: QtBot) -> None:
    def steps() -> Generator[Partial, None, str]:
        for number in range(600):
            yield Partial(Outcome(summary=str(number)))
            threading.Event().wait(0.001)
        return "done"

    runner, told, answers = Runner(), [], []
    runner.so_far.connect(lambda partial: told.append(partial.outcome.summary))
    runner.returned.connect(answers.append)
    began = threading.Event()
    with qtbot.waitSignal(runner.finished):
        runner.start(steps)
        began.set()
    assert answers == ["done"]
    # 600 of them in 0.6 s or more: whatever the machine, far fewer are told.
    assert 1 <= len(told) < 60
    assert told == sorted(told, key=int)


@pytest.mark.parametrize("shape", [(24, 32), (24, 32, 3)])
def test_images_are_written_into_their_layer_and_not_into_what_a_run_goes_on_with(
    qtbot: QtBot, viewer: ViewerModel, shape: tuple[int, ...]
) -> None:
    grid = Grid((Axis("y", 2.0), Axis("x", 0.5)), shape[:2])
    shown = PassingLayers(viewer, lambda name: f"{name} (so far)")

    def show(data: np.ndarray, scale: float = 0.5) -> None:
        there = replace(grid, axes=(grid.axes[0], replace(grid.axes[1], scale=scale)))
        limits = (0.0, float(data.max()))
        result = ImageResult("R", data, there, rgb=data.ndim == 3, contrast_limits=limits)
        shown.show(Outcome((result,)), lambda role: None)
        qtbot.waitUntil(lambda: not shown.busy)

    random = np.random.default_rng(1)
    first, second = random.random(shape), random.random(shape)
    before = first.copy()
    show(first)
    (layer,) = viewer.layers
    written = layer.data
    show(second, scale=0.25)
    assert viewer.layers[0] is layer
    assert layer.data is written
    np.testing.assert_array_equal(layer.data, second)
    np.testing.assert_array_equal(first, before)
    np.testing.assert_allclose(layer.scale, (2.0, 0.25))
    if len(shape) == 2:
        np.testing.assert_allclose(layer.contrast_limits, (0, second.max()))
    # What its array can't hold is shown as well.
    third = (100 * random.random((12, *shape[1:]))).astype(np.uint16)
    show(third)
    np.testing.assert_array_equal(viewer.layers[0].data, third)
    shown.clear_now()
    assert not viewer.layers


def test_only_the_newest_waits_while_something_is_being_shown(
    qtbot: QtBot, viewer: ViewerModel
) -> None:
    grid = Grid((Axis("y"), Axis("x")), (4, 5))
    shown, told = PassingLayers(viewer, lambda name: name), []
    for number in range(5):
        result = ImageResult("R", np.full((4, 5), float(number)), grid, contrast_limits=(0, 9))
        shown.show(
            Outcome((result,)), lambda role: None, first=lambda number=number: told.append(number)
        )
    qtbot.waitUntil(lambda: not shown.busy)
    assert told == [0, 4]
    assert (viewer.layers["R"].data == 4).all()
    shown.clear_now()
