"""What can be done with a result: saved, copied, loaded again, written to disk whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QApplication, QFileDialog, QPushButton

import napari_framewise
from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.io import open_stack, read_table
from napari_framewise.io.formats.models import read_model
from napari_framewise.plugin.forms.value_picker import SHELF, ValuePicker
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.tools.registry import get_tool

from .conftest import MakePanel, run_to_end, settle

Choose = Callable[[str, Path], None]


@pytest.fixture
def done(qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, shifted: Any) -> ToolPanel:
    viewer.add_image(shifted[0], name="reference")
    viewer.add_image(shifted[1], name="moved", scale=(2, 0.5, 0.5), units=("s", "um", "um"))
    panel = make_panel()
    panel.parameters_form.set_values({"upsampling": 4, "largest": 50.0})
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    return panel


@pytest.fixture
def pick_path(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Answer the next file dialog with a path."""

    def pick(path: Path) -> None:
        for name in ("getSaveFileName", "getOpenFileName"):
            monkeypatch.setattr(QFileDialog, name, lambda *_: (str(path), "CSV (*.csv)"))

    return pick


def choose(panel: ToolPanel, menu: str, entry: str) -> None:
    """Choose an entry of a button's menu."""
    buttons = panel.result_actions.findChildren(QPushButton)
    (button,) = [each for each in buttons if each.text() == menu]
    (action,) = [each for each in button.menu().actions() if each.text() == entry]
    action.trigger()


def test_plot_table_and_model_are_saved(
    done: ToolPanel, tmp_path: Path, pick_path: Callable[[Path], None]
) -> None:
    pick_path(tmp_path / "shifts.svg")
    choose(done, "Save", "Plot…")
    assert (tmp_path / "shifts.svg").stat().st_size > 1000
    pick_path(tmp_path / "shifts")
    choose(done, "Save", "Table…")
    columns = read_table(tmp_path / "shifts.csv")
    np.testing.assert_array_equal(columns["rows"], done.record.outcome.table().columns["rows"])
    assert done.bar.message.startswith("40 rows were saved")
    pick_path(tmp_path / "model.npz")
    choose(done, "Save", "Model: translation…")
    model = read_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(model.shifts, done.record.outcome.models[0].shifts)


def test_a_place_that_cannot_be_written_is_one_sentence(
    done: ToolPanel, tmp_path: Path, pick_path: Callable[[Path], None]
) -> None:
    pick_path(tmp_path / "missing" / "plot.svg")
    choose(done, "Save", "Plot…")
    assert "is not there; check the path" in done.bar.message
    pick_path(Path())
    choose(done, "Save", "Recipe…")


def test_methods_and_script_are_copied(done: ToolPanel) -> None:
    choose(done, "Copy", "Methods sentence and sources")
    text = QApplication.clipboard().text()
    assert text.startswith("Shifts were found as the peak of the phase correlation.")
    assert f"napari-framewise {napari_framewise.__version__}" in text
    assert "Guizar-Sicairos" in text
    choose(done, "Copy", "As Python")
    script = QApplication.clipboard().text()
    compile(script, "script", "exec")
    assert "upsampling=4" in script


def test_a_recipe_brings_back_inputs_and_parameters(
    qtbot: QtBot,
    done: ToolPanel,
    viewer: ViewerModel,
    tmp_path: Path,
    pick_path: Callable[[Path], None],
) -> None:
    pick_path(tmp_path / "shifts.json")
    choose(done, "Save", "Recipe…")
    before = done.record.outcome.table().columns["rows"]
    viewer.layers.clear()
    done.parameters_form.set_values({"upsampling": 1, "largest": None})
    settle(qtbot, done)
    assert not done.bar.run_button.isEnabled()
    done.load_button.click()
    settle(qtbot, done)
    assert done.parameters_form.values()["upsampling"] == 4
    assert len(viewer.layers) == 2
    stack = done.inputs().stack("stack")
    assert [axis.scale for axis in stack.axes] == [2, 0.5, 0.5]
    run_to_end(qtbot, done)
    np.testing.assert_array_equal(done.record.outcome.table().columns["rows"], before)
    done.load_button.click()
    settle(qtbot, done)
    assert len(viewer.layers) == 3


def test_a_recipe_of_another_tool_or_a_broken_one_is_told(
    qtbot: QtBot, done: ToolPanel, tmp_path: Path, pick_path: Callable[[Path], None]
) -> None:
    for text, said in (
        ('{"schema_version": 1, "steps": [{"tool": "mixing"}]}', "holds no step of shifts"),
        ('{"schema_version": 1', "recipe"),
    ):
        path = tmp_path / "other.json"
        path.write_text(text)
        pick_path(path)
        done.load_button.click()
        assert said in done.bar.message
        assert done.parameters_form.values()["upsampling"] == 4


def test_models_and_tables_of_the_session_and_of_files_can_be_inputs(
    qtbot: QtBot, done: ToolPanel, viewer: ViewerModel, tmp_path: Path, pick_path: Any
) -> None:
    model = done.record.outcome.models[0]
    picker = ValuePicker(
        viewer, Input("model", Kind.MODEL, "Model", "Shifts.", model_kind="translation")
    )
    qtbot.addWidget(picker)
    assert picker.value() is model
    pick_path(tmp_path / "saved.npz")
    choose(done, "Save", "Model: translation…")
    SHELF.open(Kind.MODEL, str(tmp_path / "saved.npz"))
    assert picker.value() is model
    tables = ValuePicker(viewer, Input("table", Kind.TABLE, "Table", "Rows.", least=0))
    qtbot.addWidget(tables)
    assert tables.value() is None
    tables.choose_name("Shifts: Shifts")
    assert tables.value() is done.record.outcome.table()
    picker.close_connections()
    tables.close_connections()


def test_a_lazy_result_is_written_whole_and_its_layer_reads_from_there(
    qtbot: QtBot,
    viewer: ViewerModel,
    make_panel: MakePanel,
    tmp_path: Path,
    pick_path: Callable[[Path], None],
) -> None:
    rng = np.random.default_rng(0)
    references = rng.random((2, 12, 14)) * 500
    x = rng.uniform(0.4, 0.7, 30)
    frames = np.tensordot(np.stack([x, 1 - x], 1), references, 1) + rng.normal(0, 5, (30, 12, 14))
    for number, image in enumerate(references, 1):
        viewer.add_image(image, name=f"reference {number}")
    viewer.add_image(frames, name="film", axis_labels=("t", "y", "x"), scale=(2, 1, 1))
    panel = make_panel(get_tool("mixing"))
    run_to_end(qtbot, panel)
    layer = viewer.layers["residual of film"]
    lazy = np.asarray(layer.data)
    path = tmp_path / "residual.ome.zarr"
    pick_path(path)
    choose(panel, "Save", "residual of film to zarr…")
    settle(qtbot, panel)
    assert panel.bar.message.startswith("Saved as"), panel.bar.message
    stack = open_stack(path)
    np.testing.assert_array_equal(stack.read(0, 30), lazy)
    assert stack.axes[0].scale == 2
    np.testing.assert_array_equal(np.asarray(layer.data), lazy)
    assert layer.data.source.paths == stack.source.paths
    choose(panel, "Save", "residual of film to zarr…")
    settle(qtbot, panel)
    assert "residual.ome.zarr" in panel.bar.message
    assert panel.bar.run_button.isVisible()
