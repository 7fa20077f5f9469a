"""A value that stands for missing pixels: typed in the panel, kept in its recipe and script."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from tests.plugin.conftest import MakePanel, run_to_end, settle

import napari_framewise as fw
from napari_framewise.io.recipes.files import save_recipe
from napari_framewise.plugin.forms.selection_form import SelectionForm
from napari_framewise.tools.registry import get_tool


def test_a_typed_value_counts_as_missing_and_goes_with_the_recipe(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, tmp_path: Path
) -> None:
    frames = np.random.default_rng(0).integers(1, 9, (4, 12, 10)).astype(np.int16)
    wanted = frames[:, :6].mean(axis=(1, 2))
    frames[:, 6:] = -9999
    viewer.add_image(frames, name="index")
    panel = make_panel(get_tool("statistics"))
    (form,) = panel.inputs_form.roles["stack"].findChildren(SelectionForm)
    form.no_data_field.setText("-9999")
    form.no_data_field.editingFinished.emit()
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    record = panel.record
    assert record is not None
    np.testing.assert_allclose(record.outcome.table("images").columns["mean"], wanted)
    saved = save_recipe(record.recipe, tmp_path / "recipe.json", record.memory)
    (ref,) = saved.steps[0].inputs["stack"]
    assert ref.selection.no_data == -9999
    (again,) = fw.run_recipe(tmp_path / "recipe.json").runs
    np.testing.assert_allclose(again.outcomes[0].table("images").columns["mean"], wanted)
