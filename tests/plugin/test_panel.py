"""The panel as a person uses it: run, cancel, preview, update, and everything that goes wrong."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Points, Vectors
from pytestqt.qtbot import QtBot
from tests.helpers import toolbox

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import Outcome
from napari_framewise.stacks.stack import Selection
from napari_framewise.tools.curves import TOOL as CURVES

from .conftest import MakePanel, run_to_end, settle

PLACE = {
    "scale": (2.0, 0.5, 0.25),
    "translate": (10.0, 1.0, 2.0),
    "units": ("second", "micrometer", "micrometer"),
    "axis_labels": ("t", "y", "x"),
}


@pytest.fixture
def two_layers(viewer: ViewerModel, shifted: Any) -> tuple[Image, Image]:
    reference, moved, _ = shifted
    below = viewer.add_image(reference, name="reference", **PLACE)
    return viewer.add_image(moved, name="moved", **PLACE), below


def test_a_run_gives_layers_table_plot_and_model(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any, shifted: Any
) -> None:
    panel = make_panel()
    run_to_end(qtbot, panel)
    vectors = viewer.layers["moved shifts"]
    assert isinstance(vectors, Vectors)
    np.testing.assert_array_equal(vectors.data[:, 1, 1:], shifted[2])
    np.testing.assert_allclose(vectors.scale, PLACE["scale"])
    np.testing.assert_allclose(vectors.translate, PLACE["translate"])
    assert tuple(map(str, vectors.units)) == PLACE["units"]
    assert tuple(vectors.axis_labels) == PLACE["axis_labels"]
    table = panel.view.shown_table
    assert table is not None
    np.testing.assert_array_equal(table.columns["rows"], shifted[2][:, 0])
    (model,) = panel.record.outcome.models
    assert isinstance(model, Model)
    assert panel.bar.message == "Done: plot and table in Result; moved shifts added."


def test_provenance_says_how_a_layer_was_made(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any
) -> None:
    panel = make_panel()
    panel.parameters_form.set_values({"upsampling": 3})
    run_to_end(qtbot, panel)
    told = viewer.layers["moved shifts"].metadata["framewise"]
    assert told["tool"] == "shifts"
    (step,) = told["recipe"]["steps"]
    assert step["parameters"]["upsampling"] == 3
    assert set(step["inputs"]) == {"stack", "reference"}
    assert "napari-framewise" in told["recipe"]["versions"]


def test_results_get_names_of_their_own_or_update_the_last(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any
) -> None:
    panel = make_panel()
    run_to_end(qtbot, panel)
    mine = viewer.add_image(np.zeros((3, 3)), name="moved shifts [1]")
    run_to_end(qtbot, panel)
    names = [layer.name for layer in viewer.layers]
    assert len(set(names)) == len(names) == 5
    assert mine.data.shape == (3, 3)
    panel.bar.where_box.setCurrentIndex(1)
    panel.parameters_form.set_values({"largest": 2.0})
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    assert [layer.name for layer in viewer.layers] == names
    assert len(viewer.layers["moved shifts [2]"].data) < len(viewer.layers["moved shifts"].data)


def test_the_table_and_the_plot_follow_the_slider_and_move_it(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any
) -> None:
    panel = make_panel()
    run_to_end(qtbot, panel)
    viewer.dims.set_current_step(0, 7)
    assert panel.view.table.currentIndex().siblingAtColumn(0).data() == "7"
    panel.view.table.sortByColumn(1, panel.view.table.horizontalHeader().sortIndicatorOrder())
    panel.view.table.selectRow(3)
    shown = int(panel.view.table.currentIndex().siblingAtColumn(0).data())
    assert viewer.dims.current_step[0] == shown
    panel.view.canvas.row_picked.emit(12)
    assert viewer.dims.current_step[0] == 12
    assert panel.view.table.currentIndex().siblingAtColumn(0).data() == "12"


def test_points_hold_the_table_of_the_frames(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any, shifted: Any
) -> None:
    panel = make_panel()
    run_to_end(qtbot, panel)
    panel.result_actions.points_button.click()
    settle(qtbot, panel)
    points = viewer.layers[-1]
    assert isinstance(points, Points)
    np.testing.assert_array_equal(points.data[:, 0], np.arange(40))
    np.testing.assert_allclose(points.data[0, 1:], (11.5, 15.5))
    np.testing.assert_array_equal(points.features["rows"], shifted[2][:, 0])
    np.testing.assert_allclose(points.scale, PLACE["scale"])
    viewer.dims.set_current_step(0, 5)
    texts = points.text.values
    assert texts[5] == f"rows = {shifted[2][5, 0]:.4f}"


def test_preview_follows_slider_and_parameters_and_goes(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any, shifted: Any
) -> None:
    panel = make_panel()
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    preview = viewer.layers["Preview: moved difference"]
    viewer.dims.set_current_step(0, 3)
    settle(qtbot, panel)
    np.testing.assert_allclose(preview.data, shifted[1][3].astype(float) - shifted[0][3])
    np.testing.assert_allclose(preview.scale, PLACE["scale"][1:])
    assert tuple(map(str, preview.units)) == PLACE["units"][1:]
    assert viewer.dims.current_step[0] == 3
    assert preview not in panel.inputs_form.roles["stack"].pickers[0].candidates()
    rows, columns = shifted[2][3]
    assert panel.bar.message == f"Shift {rows} rows, {columns} columns."
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    assert [layer.name for layer in viewer.layers] == ["reference", "moved"]


def test_a_preview_never_lies_above_the_result_that_is_looked_at(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any
) -> None:
    panel = make_panel()
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    settle(qtbot, panel)
    viewer.dims.set_current_step(0, 5)
    settle(qtbot, panel)
    assert panel.bar.preview_box.isChecked()
    assert not [layer.name for layer in viewer.layers if layer.name.startswith("Preview")]
    assert panel.bar.message.startswith("Done")
    panel._tabs.setCurrentIndex(0)
    settle(qtbot, panel)
    assert viewer.layers[-1].name == "Preview: moved difference"
    panel._tabs.setCurrentIndex(1)
    settle(qtbot, panel)
    assert not [layer.name for layer in viewer.layers if layer.name.startswith("Preview")]
    panel.bar.preview_box.click()
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    assert panel._tabs.currentIndex() == 0
    assert viewer.layers[-1].name == "Preview: moved difference"


def test_a_hidden_or_closed_panel_previews_nothing(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any
) -> None:
    panel = make_panel()
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    panel.hide()
    settle(qtbot, panel)
    assert len(viewer.layers) == 2
    panel.show()
    settle(qtbot, panel)
    assert len(viewer.layers) == 3
    panel.close()
    assert len(viewer.layers) == 2


class Gate:
    """A tool that stands still until it is let go, so that things can happen meanwhile."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.closed = threading.Event()
        self.started = threading.Event()
        self.tool = replace(toolbox.TOOL, run=self.run)

    def run(self, inputs: Any, parameters: Any, engine: Any) -> Any:
        try:
            number = 0
            while not self.open.wait(0.005):
                number += 1
                self.started.set()
                yield Progress("Waiting", min(number, 99), 100, "frames", 0.01 * number)
            return (yield from toolbox.run(inputs, parameters, engine))
        finally:
            self.closed.set()


@pytest.fixture
def gate() -> Any:
    gate = Gate()
    yield gate
    gate.open.set()


def test_cancel_leaves_no_layer_and_closes_the_run(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any, gate: Gate
) -> None:
    panel = make_panel(gate.tool)
    panel.bar.run_button.click()
    qtbot.waitUntil(lambda: "of 100 frames" in panel.bar.count)
    assert panel.bar.cancel_button.isVisible()
    assert not panel.bar.run_button.isVisible()
    panel.bar.cancel_button.click()
    assert panel.bar.count == "Cancelling"
    settle(qtbot, panel)
    qtbot.waitUntil(gate.closed.is_set)  # The panel is free before the run has ended.
    assert [layer.name for layer in viewer.layers] == ["reference", "moved"]
    assert panel.bar.message.startswith("Cancelled; no layer was added.")
    assert panel.bar.run_button.isVisible()
    gate.open.set()
    run_to_end(qtbot, panel)
    assert "moved shifts" in viewer.layers


def test_a_layer_removed_or_edited_in_mid_run_harms_nothing(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any, gate: Gate
) -> None:
    panel = make_panel(gate.tool)
    panel.bar.run_button.click()
    qtbot.waitUntil(gate.started.is_set)
    viewer.layers.remove("moved")
    viewer.layers["reference"].name = "other"
    viewer.layers["other"].data = np.zeros((5, 6, 7))
    gate.open.set()
    settle(qtbot, panel)
    assert "moved shifts" in viewer.layers
    viewer.dims.set_current_step(0, 2)
    panel.view.canvas.row_picked.emit(4)
    assert not panel.bar.run_button.isEnabled()


def test_closing_the_panel_in_mid_run_stops_the_run(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any, gate: Gate
) -> None:
    panel = make_panel(gate.tool)
    panel.bar.run_button.click()
    qtbot.waitUntil(gate.started.is_set)
    panel.close()
    qtbot.waitUntil(gate.closed.is_set)
    settle(qtbot, panel)
    assert len(viewer.layers) == 2
    viewer.add_image(np.zeros((4, 4)))
    viewer.dims.set_current_step(0, 2)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("The frames are too dark; take brighter ones."), "The frames are too dark"),
        (RuntimeError("lost"), "RuntimeError: lost"),
        (MemoryError(), "not enough memory"),
        (KeyError(), "KeyError"),
    ],
)
def test_an_error_is_one_sentence_and_the_form_stays(
    qtbot: QtBot,
    viewer: ViewerModel,
    make_panel: MakePanel,
    two_layers: Any,
    error: Exception,
    said: str,
) -> None:
    def run(inputs: Any, parameters: Any, engine: Any) -> Any:
        yield Progress("Failing", 1, 2)
        raise error

    panel = make_panel(replace(toolbox.TOOL, run=run))
    panel.parameters_form.set_values({"upsampling": 7})
    settle(qtbot, panel)
    panel.bar.run_button.click()
    settle(qtbot, panel)
    assert said in panel.bar.message
    assert "\n" not in panel.bar.message
    assert len(viewer.layers) == 2
    assert panel.parameters_form.values()["upsampling"] == 7
    assert panel.bar.run_button.isEnabled()


@pytest.mark.parametrize(("error", "told"), [(ValueError("Too dark."), 0), (RuntimeError("x"), 1)])
def test_only_a_defect_leaves_a_trace_on_the_console(
    qtbot: QtBot,
    make_panel: MakePanel,
    two_layers: Any,
    error: Exception,
    told: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def run(inputs: Any, parameters: Any, engine: Any) -> Any:
        yield Progress("Failing", 1, 2)
        raise error

    panel = make_panel(replace(toolbox.TOOL, run=run))
    panel.bar.run_button.click()
    settle(qtbot, panel)
    assert sum("Traceback" in text for text in caplog.messages) == told
    assert str(error) in panel.bar.message


def test_how_a_run_is_cut_is_for_who_asks(
    qtbot: QtBot, make_panel: MakePanel, two_layers: Any
) -> None:
    panel = make_panel()
    assert panel.bar.message == "Ready: 40 frames."
    assert "in flight" in panel.bar._message.toolTip()


def test_one_frame_is_not_called_frames(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    viewer.add_image(np.random.default_rng(0).normal(size=(32, 48)))
    panel = make_panel(CURVES)
    assert panel.bar.message == "Ready: 1 frame."


def bad_inputs() -> dict[str, tuple[Any, dict[str, Any], str]]:
    """Pairs of stack data with words that the sentence must hold."""
    good = np.zeros((6, 24, 32))
    return {
        "nothing open": (None, {}, "stack"),
        "one image": (np.zeros((24, 32)), {}, "must have the same shape|as many"),
        "other length": (good, {}, "as many"),
        "other shape": (np.zeros((40, 24, 30)), {}, "must have the same shape"),
        "no frames": (np.zeros((0, 24, 32)), {}, "empty"),
        "colour": (np.zeros((40, 24, 32, 3), np.uint8), {"rgb": True}, "must have the same shape"),
        "complex": (np.zeros((40, 24, 32), complex), {}, "complex"),
    }


@pytest.mark.parametrize("case", bad_inputs())
def test_a_bad_input_gets_one_clear_sentence_before_run(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, shifted: Any, case: str
) -> None:
    data, options, said = bad_inputs()[case]
    if data is not None:
        viewer.add_image(shifted[0], name="good")
        # napari takes no empty or complex data, but a layer's data may be set to them.
        bad = viewer.add_image(np.zeros((40, 24, 32)), name="bad") if case in (
            "no frames", "complex",
        ) else viewer.add_image(data, name="bad", **options)  # fmt: skip
        panel = make_panel()
        if case in ("no frames", "complex"):
            bad._data = data
            bad.events.data()
        panel.inputs_form.choose("stack", [(bad, Selection())])
        panel.inputs_form.choose("reference", [(viewer.layers["good"], Selection())])
    else:
        panel = make_panel()
    settle(qtbot, panel)
    assert not panel.bar.run_button.isEnabled()
    assert any(words in panel.bar.message for words in said.split("|")), panel.bar.message
    assert panel.bar.run_button.toolTip() == panel.bar.message
    panel.run()
    assert not panel.busy


def test_all_nan_frames_give_a_diagnostic_not_an_error(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, shifted: Any
) -> None:
    viewer.add_image(shifted[0], name="reference")
    viewer.add_image(np.full((40, 24, 32), np.nan), name="empty")
    panel = make_panel()
    run_to_end(qtbot, panel)
    assert panel.record.outcome.diagnostics == ("40 frames gave no shift.",)
    assert panel.view.diagnostics_shown == "\N{BULLET} 40 frames gave no shift."
    assert len(viewer.layers["empty shifts"].data) == 0


def test_parameters_that_make_no_sense_are_told_and_stay(
    qtbot: QtBot, make_panel: MakePanel, two_layers: Any
) -> None:
    panel = make_panel()
    panel.parameters_form.set_values({"largest": 0.5})
    settle(qtbot, panel)
    assert not panel.bar.run_button.isEnabled()
    assert panel.bar.message.startswith("A largest shift of 0.5 pixels")
    panel.parameters_form.set_values({"upsampling": 10})
    settle(qtbot, panel)
    assert panel.bar.run_button.isEnabled()
    assert panel.parameters().largest == 0.5


def test_frames_region_and_step_are_used(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any, shifted: Any
) -> None:
    panel = make_panel()
    part = Selection(frames=(4, 31, 3), region=((2, 22), (4, 30)))
    panel.inputs_form.choose("stack", [(two_layers[0], part)])
    panel.inputs_form.choose("reference", [(two_layers[1], Selection(frames=(4, 31, 3)))])
    settle(qtbot, panel)
    inputs = panel.inputs()
    assert inputs.stack("stack").shape == (9, 20, 26)
    assert inputs.stack("reference").selection.region == part.region
    run_to_end(qtbot, panel)
    vectors = viewer.layers["moved shifts"]
    np.testing.assert_allclose(vectors.scale, (6.0, 0.5, 0.25))
    np.testing.assert_allclose(vectors.translate, (10.0 + 4 * 2.0, 1.0 + 2 * 0.5, 2.0 + 4 * 0.25))
    table = panel.view.shown_table
    assert table is not None
    np.testing.assert_array_equal(table.columns["frame"], np.arange(4, 31, 3))
    viewer.dims.set_current_step(0, 7)
    assert panel.view.table.currentIndex().siblingAtColumn(0).data() == "7"
    viewer.dims.set_current_step(0, 8)
    assert not panel.view.table.selectionModel().hasSelection()


def test_a_dask_stack_is_never_loaded_whole(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, shifted: Any
) -> None:
    reference, moved, _ = shifted
    asked: list[int] = []

    def block(number: int) -> np.ndarray:
        asked.append(number)
        return moved[number : number + 1]

    lazy = da.concatenate(
        [da.from_delayed(_delayed(block, n), (1, 24, 32), np.float32) for n in range(40)]
    )
    viewer.add_image(reference, name="reference")
    viewer.add_image(lazy, name="lazy", contrast_limits=(0, 200))
    panel = make_panel()
    settle(qtbot, panel)
    assert len(set(asked)) <= 3
    run_to_end(qtbot, panel)
    assert set(range(40)) <= set(asked)
    assert "lazy shifts" in viewer.layers


def _delayed(function: Any, *arguments: Any) -> Any:
    from dask import delayed

    return delayed(function)(*arguments)


def test_a_tool_that_gives_nothing_shows_its_summary(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, two_layers: Any
) -> None:
    def run(inputs: Any, parameters: Any, engine: Any) -> Any:
        yield Progress("Looking", 1, 1)
        return Outcome(summary="Nothing moved.")

    panel = make_panel(replace(toolbox.TOOL, run=run))
    run_to_end(qtbot, panel)
    assert panel.view.summary_shown == "Nothing moved."
    assert len(viewer.layers) == 2
