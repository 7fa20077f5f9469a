"""The table: sorted without losing track of its rows."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_framewise.framework.outcome import Table
from napari_framewise.plugin.results.table import TableModel, TableView, text_of


def sample(n: int = 7) -> Table:
    rng = np.random.default_rng(1)
    x = rng.normal(size=n)
    x[1::3] = np.nan
    notes = np.array(["a", "b", ""])[np.arange(n) % 3]
    columns = {"frame": np.arange(n), "x": x, "bound": x > 0, "note": notes}
    return Table("t", "frame", columns, {"x": "Coefficient, no unit."})


@given(st.integers(0, 40), st.integers(-1, 3), st.booleans())
def test_sorting_orders_the_rows_and_keeps_track_of_them(n: int, column: int, down: bool) -> None:
    table = sample(n)
    model = TableModel(table)
    order = Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder
    model.sort(column, order)
    rows = [model.entity_row(shown) for shown in range(n)]
    assert sorted(rows) == list(range(n))
    assert [model.shown_row(row) for row in rows] == list(range(n))
    values = [np.arange(n), *table.columns.values()][column + 1][rows]
    if values.dtype.kind == "f":
        known = values[~np.isnan(values)]
        assert np.isnan(values[len(known) :]).all()
        values = known
    assert all((a >= b) if down else (a <= b) for a, b in itertools.pairwise(values))


def test_cells_headers_and_notes() -> None:
    model = TableModel(sample())
    assert (model.rowCount(), model.columnCount()) == (7, 4)
    assert model.data(model.index(2, 0)) == "2"
    assert model.data(model.index(1, 1)) == ""
    horizontal = Qt.Orientation.Horizontal
    assert model.headerData(1, horizontal) == "x"
    tip = Qt.ItemDataRole.ToolTipRole
    assert model.headerData(1, horizontal, tip) == "Coefficient, no unit."
    assert model.headerData(0, horizontal, tip) == "frame"


def test_texts() -> None:
    assert text_of(np.float64(0.123456789)) == "0.123457"
    assert text_of(np.float64(0.0457077)) == "0.04571"
    assert text_of(np.float64(7.98583e-09)) == "7.986e-09"
    assert text_of(np.bool_(True)) == "yes"
    assert text_of(np.int64(12)) == "12"


def test_a_row_that_is_shown_is_not_told_but_one_that_is_picked_is(qtbot: QtBot) -> None:
    view = TableView()
    qtbot.addWidget(view)
    view.show_table(sample(100))
    view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    with qtbot.assertNotEmitted(view.row_picked):
        view.show_row(42)
    assert view.currentIndex().row() == 57
    with qtbot.waitSignal(view.row_picked) as picked:
        view.selectRow(9)
    assert picked.args == [90]
    view.show_row(None)
    assert not view.selectionModel().hasSelection()
    view.show_row(1000)
    assert not view.selectionModel().hasSelection()


def test_marked_rows_are_copied_with_their_names(qtbot: QtBot) -> None:
    view = TableView()
    qtbot.addWidget(view)
    view.show_table(sample())
    view.selectRow(2)
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    head, row = QApplication.clipboard().text().split("\n")
    assert head.split("\t") == ["frame", "x", "bound", "note"]
    assert row.split("\t")[0] == "2"
    assert float(row.split("\t")[1]) == sample().columns["x"][2]


def test_an_empty_and_a_long_table_are_shown(qtbot: QtBot) -> None:
    view = TableView()
    qtbot.addWidget(view)
    view.show_table(sample(0))
    view.show_row(0)
    view.show_table(sample(96_108))
    view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    view.show_row(96_107)
    assert view.currentIndex().siblingAtColumn(0).data() == "96107"
