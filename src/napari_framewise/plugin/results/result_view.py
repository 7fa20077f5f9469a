"""The result of a run: summary, diagnostics, plot and table, tied to the slider both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from napari_framewise.framework.outcome import Outcome, Plot, Table
from napari_framewise.plugin.choice_box import ChoiceBox
from napari_framewise.plugin.connections import Connections
from napari_framewise.plugin.layers.layers_in import frame_in_view, show_frame
from napari_framewise.plugin.results.pair_view import PairView, pair_of, shift_of
from napari_framewise.plugin.results.plot_choice import PlotChoice
from napari_framewise.plugin.results.record import Record
from napari_framewise.plugin.results.table import TableView
from napari_framewise.plugin.theme import colours_of
from napari_framewise.stacks.stack import Stack

if TYPE_CHECKING:
    from napari_framewise.plugin.results.plots import PlotCanvas

_TIED = ("frame", "pair")


class ResultView(QWidget):
    """Shows one record."""

    shown_changed = Signal()

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._outcome = Outcome()
        self._stack: Stack | None = None
        self._layer: Layer | None = None
        self._summary = _text_label()
        self._diagnostics = _text_label()
        self._plots = ChoiceBox()
        self._tables = ChoiceBox()
        self.plot_choice = PlotChoice()
        self.plot_choice.chosen.connect(self._plot_chosen)
        # What the user chose in place of a plot, by its title and table; it holds for later runs.
        self._chosen: dict[tuple[str, str], Plot] = {}
        self._canvas: PlotCanvas | None = None
        self.table = TableView()
        self.pair = PairView()
        self._plots.currentIndexChanged.connect(self._show_plot)
        self._tables.currentIndexChanged.connect(self._show_table)
        self.table.row_picked.connect(self._table_row_picked)
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        head = QWidget()
        beside = QHBoxLayout(head)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self._plots, 1)
        beside.addStretch()
        beside.addWidget(self.plot_choice)
        self._plot_part = _stacked(head)
        self._table_part = _stacked(self._tables, self.table)
        self._plot_part.hide()
        self._splitter.addWidget(self._plot_part)
        self._splitter.addWidget(self._table_part)
        self._splitter.addWidget(self.pair)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._summary)
        layout.addWidget(self._diagnostics)
        layout.addWidget(self._splitter, 1)
        layout.addStretch()  # Holds the words at the top where there is neither plot nor table.
        self._of_viewer = Connections(self)
        self._of_viewer.connect(viewer.dims.events.current_step, self._slider_moved)
        self._of_viewer.connect(viewer.events.theme, self._theme_changed)

    @property
    def canvas(self) -> PlotCanvas:
        """Where plots are drawn; made when there is one, as loading matplotlib takes a while."""
        if self._canvas is None:
            from napari_framewise.plugin.results.plots import PlotCanvas

            self._canvas = PlotCanvas(colours_of(self._viewer.theme))
            self._canvas.row_picked.connect(self._plot_row_picked)
            layout = self._plot_part.layout()
            assert layout is not None
            layout.addWidget(self._canvas)
        return self._canvas

    @property
    def summary_shown(self) -> str:
        """The summary in view."""
        return self._summary.text()

    @property
    def diagnostics_shown(self) -> str:
        """The diagnostics in view, a line for each."""
        return self._diagnostics.text()

    @property
    def shown_plot(self) -> Plot | None:
        """The plot in view, with the columns that were chosen."""
        index = self._plots.currentIndex()
        if not 0 <= index < len(self._outcome.plots):
            return None
        plot = self._outcome.plots[index]
        chosen = self._chosen.get((plot.title, plot.table), plot)
        columns = self._outcome.table(plot.table).columns
        wanted = {chosen.x, *(curve.y for curve in chosen.curves)}
        return chosen if wanted <= columns.keys() else plot

    @property
    def shown_table(self) -> Table | None:
        """The table in view."""
        index = self._tables.currentIndex()
        return self._outcome.tables[index] if 0 <= index < len(self._outcome.tables) else None

    def show_record(self, record: Record) -> None:
        """Show the result of a run."""
        self.show_outcome(record.outcome, record.stack, record.stack_layer)
        self.pair.set_images(next(iter(record.first_values), None))

    def show_outcome(self, outcome: Outcome, stack: Stack | None, layer: Layer | None) -> None:
        """Show a result whose rows are the frames of a stack, which a layer shows."""
        self._outcome, self._stack, self._layer = outcome, stack, layer
        self.pair.set_images(stack)
        self._summary.setText(outcome.summary)
        self._diagnostics.setText("\n".join(f"\N{BULLET} {d}" for d in outcome.diagnostics))
        self._diagnostics.setVisible(bool(outcome.diagnostics))
        _fill(self._plots, [plot.title for plot in outcome.plots])
        _fill(self._tables, [table.name for table in outcome.tables])
        self._plot_part.setVisible(bool(outcome.plots))
        self._table_part.setVisible(bool(outcome.tables))
        self._splitter.setVisible(bool(outcome.plots or outcome.tables))
        self._show_plot()
        self._show_table()

    def close_connections(self) -> None:
        """Stop listening to the viewer."""
        self._of_viewer.undo()
        self.pair.close_connections()

    def _show_plot(self) -> None:
        plot = self.shown_plot
        if plot is not None:
            table = self._outcome.table(plot.table)
            leaves = self._outcome.table(plot.leaves) if plot.leaves else None
            self.plot_choice.offer(plot, table)
            self.canvas.show_plot(plot, table, leaves)
            self._slider_moved()

    def _plot_chosen(self, plot: Plot) -> None:
        self._chosen[plot.title, plot.table] = plot
        self._show_plot()

    def _show_table(self) -> None:
        table = self.shown_table
        if table is not None:
            self.table.show_table(table)
            self._slider_moved()
        self.shown_changed.emit()

    def _slider_moved(self, event: object = None) -> None:
        del event
        if not self._outcome.tables or self._stack is None or self._layer is None:
            return
        index = frame_in_view(self._viewer, self._layer, self._stack)
        plot, table = self.shown_plot, self.shown_table
        if plot is not None:
            self.canvas.show_row(_row_of(self._outcome.table(plot.rows_of), self._stack, index))
        if table is not None and table.entity in _TIED:
            self.table.show_row(_row_of(table, self._stack, index))

    def _plot_row_picked(self, row: int) -> None:
        plot = self.shown_plot
        if plot is not None:
            table = self._outcome.table(plot.rows_of)
            if table is self.shown_table:
                self.table.show_row(row)
            self._pick(table, row)

    def _table_row_picked(self, row: int) -> None:
        table = self.shown_table
        if table is not None:
            self._pick(table, row)

    def _pick(self, table: Table, row: int) -> None:
        """Show what a row stands for: its frame, its two images, its place in the plot."""
        plot = self.shown_plot
        if plot is not None and plot.rows_of == table.name:
            self.canvas.show_row(row)
        pair = pair_of(table, row)
        if pair is None:
            self._move_slider(table, row)
            return
        numbers = None if self._stack is None else self._stack.frame_numbers
        first, second = pair if numbers is None else map(numbers.index, pair)
        self.pair.show_pair(first, second, shift_of(table, row))

    def _move_slider(self, table: Table, row: int) -> None:
        stack, layer = self._stack, self._layer
        if stack is None or layer is None or table.entity not in _TIED:
            return
        if layer not in self._viewer.layers:
            return
        number = int(table.columns[table.entity][row]) if table.entity in table.columns else row
        if number in stack.frame_numbers:
            show_frame(self._viewer, layer, stack, stack.frame_numbers.index(number))

    def _theme_changed(self, event: object = None) -> None:
        del event
        if self._canvas is not None:
            self._canvas.recolour(colours_of(self._viewer.theme))


def _row_of(table: Table, stack: Stack, index: int | None) -> int | None:
    """Row of a table that stands for one of the chosen frames."""
    if index is None or table.entity not in _TIED:
        return None
    numbers = table.columns.get(table.entity)
    if numbers is None:
        return index if index < len(table) else None
    number = stack.frame_numbers[index]
    if index < len(numbers) and numbers[index] == number:
        return index
    rows = np.flatnonzero(numbers == number)
    return int(rows[0]) if len(rows) else None


def _fill(combo: QComboBox, names: list[str]) -> None:
    combo.blockSignals(True)
    combo.clear()
    combo.addItems(names)
    combo.blockSignals(False)
    combo.setVisible(len(names) > 1)


def _stacked(*widgets: QWidget) -> QWidget:
    part = QWidget()
    layout = QVBoxLayout(part)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    for widget in widgets:
        layout.addWidget(widget)
    return part


def _text_label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
