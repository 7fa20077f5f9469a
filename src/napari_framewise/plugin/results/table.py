"""A table of results: sorted by a click on a header, its row tied to the slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView, QWidget

from napari_framewise.framework.outcome import Table


class TableModel(QAbstractTableModel):
    """The columns of a table in the order that the user sorted them."""

    def __init__(self, table: Table, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = table
        self._names = list(table.columns)
        self._columns = [table.columns[name] for name in self._names]
        self._order = np.arange(len(table))
        self._shown_at = self._order

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell, all its digits as a tooltip, and its alignment."""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            value = self._columns[index.column()][self._order[index.row()]]
            return text_of(value) if role == Qt.ItemDataRole.DisplayRole else str(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name of a column, and its note as a tooltip."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        name = self._names[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.table.notes.get(name, name)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column; what is not a number stays at the end."""
        values = self._columns[column] if column >= 0 else np.arange(len(self._order))
        ranks = np.argsort(values, kind="stable")
        if order == Qt.SortOrder.DescendingOrder:
            missing = int(np.isnan(values).sum()) if values.dtype.kind == "f" else 0
            known = len(ranks) - missing
            ranks = np.concatenate([ranks[:known][::-1], ranks[known:]])
        self.layoutAboutToBeChanged.emit()
        self._order = ranks
        self._shown_at = np.empty_like(ranks)
        self._shown_at[ranks] = np.arange(len(ranks))
        self.layoutChanged.emit()

    def entity_row(self, shown: int) -> int:
        """Row of the table behind a row on the screen."""
        return int(self._order[shown])

    def shown_row(self, row: int) -> int:
        """Row on the screen of a row of the table."""
        return int(self._shown_at[row])


def text_of(value: Any) -> str:
    """A cell in few characters: six digits, or four of numbers below 0.1, such as p-values."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else ""
    if isinstance(value, float | np.floating):
        digits = 4 if abs(float(value)) < 0.1 else 6
        return "" if np.isnan(value) else f"{value:.{digits}g}"
    return str(value)


class TableView(QTableView):
    """Rows of a table; tells which one was picked, and shows the one that is told to it."""

    row_picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setMinimumHeight(66)
        self._header = QHeaderView(Qt.Orientation.Horizontal, self)
        self._header.setSectionsClickable(True)
        self._header.setHighlightSections(True)
        self._header.setStretchLastSection(True)
        self.setHorizontalHeader(self._header)
        # Fixed heights: otherwise Qt asks every one of 100,000 rows.
        rows = QHeaderView(Qt.Orientation.Vertical, self)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 6)
        rows.hide()
        self.setVerticalHeader(rows)
        self._model: TableModel | None = None
        self._telling = True

    def show_table(self, table: Table) -> None:
        """Show another table."""
        previous = self._model
        self._model = TableModel(table, self)
        self.setSortingEnabled(False)
        self.setModel(self._model)
        self._header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self._marks().currentRowChanged.connect(self._tell)
        self._fit_columns()
        if previous is not None:
            previous.deleteLater()

    def show_row(self, row: int | None) -> None:
        """Mark a row of the table, without telling of it."""
        model = self._model
        if model is None:
            return
        self._telling = False
        if row is None or not 0 <= row < model.rowCount():
            self.clearSelection()
        else:
            index = model.index(model.shown_row(row), max(self.currentIndex().column(), 0))
            self._marks().setCurrentIndex(
                index,
                QItemSelectionModel.SelectionFlag.ClearAndSelect
                | QItemSelectionModel.SelectionFlag.Rows,
            )
            self.scrollTo(index)
        self._telling = True

    def copy_all(self) -> int:
        """Copy all rows, as they are sorted, as text that a spreadsheet takes; how many."""
        if self._model is None:
            return 0
        self._copy(range(self._model.rowCount()))
        return self._model.rowCount()

    def keyPressEvent(self, event: Any) -> None:
        """Copy the marked rows as text that a spreadsheet takes."""
        if event.matches(QKeySequence.StandardKey.Copy) and self._model is not None:
            self._copy(sorted(index.row() for index in self._marks().selectedRows()))
            return
        super().keyPressEvent(event)

    def _copy(self, shown: Sequence[int]) -> None:
        """Put rows on the clipboard, with their header."""
        assert self._model is not None
        rows = [self._model.entity_row(each) for each in shown]
        columns = self._model.table.columns
        texts = [map(str, values[rows]) for values in columns.values()]
        lines = ["\t".join(row) for row in zip(*texts, strict=True)]
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        clipboard.setText("\n".join(["\t".join(columns), *lines]))

    def _marks(self) -> QItemSelectionModel:
        marks = self.selectionModel()
        assert marks is not None
        return marks

    def _tell(self, current: QModelIndex) -> None:
        if self._telling and self._model is not None and current.isValid():
            self.row_picked.emit(self._model.entity_row(current.row()))

    def _fit_columns(self) -> None:
        """Widths for the header and a few rows; asking all of them takes seconds."""
        model = self._model
        assert model is not None
        metrics = self.fontMetrics()
        few = np.linspace(0, model.rowCount() - 1, min(model.rowCount(), 20)).astype(int)
        for column in range(model.columnCount()):
            texts = [model.data(model.index(int(row), column)) for row in few]
            header = model.headerData(column, Qt.Orientation.Horizontal)
            width = max((metrics.horizontalAdvance(text) for text in texts), default=0)
            self.setColumnWidth(column, max(width + 16, metrics.horizontalAdvance(header) + 28))
