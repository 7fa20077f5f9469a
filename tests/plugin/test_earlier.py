"""The last runs of a panel: shown again, compared, and set as the form's values."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QApplication
from tests.helpers import relaxing

from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.tools import registry

from .conftest import MakePanel, run_to_end, settle


@pytest.fixture
def panel(viewer: ViewerModel, make_panel: MakePanel, monkeypatch: pytest.MonkeyPatch) -> ToolPanel:
    monkeypatch.setitem(registry.TOOLS, "relaxing", relaxing.ENTRY)
    viewer.add_image(np.random.default_rng(5).random((3, 24, 32)), name="S")
    return make_panel(relaxing.TOOL)


def run_with(qtbot: QtBot, panel: ToolPanel, passes: int) -> None:
    panel.parameters_form.set_values({"passes": passes})
    settle(qtbot, panel)
    run_to_end(qtbot, panel)


def choose(panel: ToolPanel, index: int) -> None:
    combo = panel.result.earlier_bar.combo
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def test_earlier_runs_are_shown_again_with_their_values(qtbot: QtBot, panel: ToolPanel) -> None:
    run_with(qtbot, panel, 4)
    assert panel.result.earlier_bar.isHidden()
    run_with(qtbot, panel, 9)
    bar = panel.result.earlier_bar
    assert not bar.isHidden()
    assert bar.combo.itemText(0).endswith("passes 9")
    assert bar.combo.itemText(1).endswith("passes 4")
    choose(panel, 1)
    assert panel.view.summary_shown == "Smoothed in 4 passes."
    assert len(panel.view.shown_table) == 4
    names = [action.text() for action in panel.result_actions._save_menu.actions()]
    assert names == ["Plot…", "Table…"]
    bar.values_button.click()
    assert panel.parameters_form.values()["passes"] == 4
    assert panel._tabs.currentIndex() == 0
    choose(panel, 0)
    assert len(panel.view.shown_table) == 9
    assert "Recipe…" in [action.text() for action in panel.result_actions._save_menu.actions()]


def test_they_are_compared_in_one_plot(qtbot: QtBot, panel: ToolPanel) -> None:
    for passes in (4, 9, 6):
        run_with(qtbot, panel, passes)
    panel.result.earlier_bar.compare_button.click()
    plot, table = panel.view.shown_plot, panel.view.shown_table
    assert plot is not None
    assert [curve.label.partition(", ")[2] for curve in plot.curves] == [
        "passes 4", "passes 9", "passes 6",
    ]  # fmt: skip
    np.testing.assert_array_equal(table.columns["iteration"], np.arange(1, 10))
    longest = table.columns[plot.curves[1].y]
    assert np.isfinite(longest).all()
    shortest = table.columns[plot.curves[0].y]
    np.testing.assert_array_equal(shortest[:4], longest[:4])
    assert np.isnan(shortest[4:]).all()


def test_ten_are_kept_and_no_layer_s_data(
    qtbot: QtBot, viewer: ViewerModel, panel: ToolPanel
) -> None:
    held: list[Any] = []
    for passes in range(1, 13):
        run_with(qtbot, panel, passes)
        held.append(weakref.ref(viewer.layers["S relaxed"].data))
        viewer.layers.remove("S relaxed")
    assert [len(run.outcome.table()) for run in panel.result.earlier.runs] == list(range(3, 13))
    gc.collect()
    # The last run's record still holds its image, as its actions need it.
    assert not [number for number, image in enumerate(held[:-1]) if image() is not None]
    choose(panel, 9)
    assert len(panel.view.shown_table) == 3


def test_one_button_copies_the_table(qtbot: QtBot, panel: ToolPanel) -> None:
    run_with(qtbot, panel, 3)
    panel.result_actions.table_button.click()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    header, *rows = clipboard.text().split("\n")
    assert header == "iteration\tchange"
    assert [row.split("\t")[0] for row in rows] == ["1", "2", "3"]
    assert float(rows[0].split("\t")[1]) == panel.view.shown_table.columns["change"][0]
    assert panel.bar.message == "3 rows were copied."
