"""The second page of a panel: what a run gave, as layers in the viewer and in words here."""

from __future__ import annotations

from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_framewise.framework.outcome import ImageResult, LayerResult
from napari_framewise.plugin.forms.value_picker import SHELF
from napari_framewise.plugin.layers.layers_out import make_layer, passing, put_layer
from napari_framewise.plugin.results.earlier import EarlierRun, EarlierRuns
from napari_framewise.plugin.results.earlier_bar import EarlierBar
from napari_framewise.plugin.results.pair_view import shift_between
from napari_framewise.plugin.results.record import Record
from napari_framewise.plugin.results.result_actions import ResultActions
from napari_framewise.plugin.results.result_view import ResultView
from napari_framewise.plugin.running.runner import Failure, Turns


class ResultPage(QWidget):
    """Puts a record's layers into the viewer, and shows the rest of it."""

    shown = Signal()
    filled = Signal(bool)
    values_wanted = Signal(object)
    failed = Signal(object)

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.view = ResultView(viewer)
        self.result_actions = ResultActions(viewer, self.view)
        self.record: Record | None = None
        self.made: dict[str, Layer] = {}
        self._turns = Turns(self)
        self.earlier = EarlierRuns()
        self.earlier_bar = EarlierBar(self.earlier)
        self.earlier_bar.picked.connect(self._show_earlier)
        self.earlier_bar.compare_clicked.connect(self._compare)
        self.earlier_bar.values_wanted.connect(lambda run: self.values_wanted.emit(run.parameters))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.earlier_bar)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.result_actions)

    @property
    def busy(self) -> bool:
        """Whether layers are still to be added."""
        return self._turns.busy

    def take(
        self, record: Record, so_far: dict[str, Layer] | None = None, *, update: bool = False
    ) -> None:
        """Show what a run gave.

        Parameters
        ----------
        record : Record
            The run.
        so_far : dict of Layer, optional
            Layers that showed what it had so far; its results take their places.
        update : bool
            Put the results in the places of the last run's.
        """
        passed = so_far or {}
        last = self.made if update else passed
        self.made = {}
        self.record = record
        names = {result.name for result in record.outcome.layers}
        gone = [layer for name, layer in passed.items() if update or name not in names]
        # napari takes a while for each layer, so that the window breathes between two.
        self._turns.add(
            *(partial(self._remove, layer) for layer in gone),
            *(partial(self._put, record, result, last) for result in record.outcome.layers),
            partial(self._show, record),
        )

    def show_so_far(self, record: Record, *, turn_to_it: bool) -> None:
        """Show tables and plots of a run that goes on."""
        self.view.show_record(record)
        self.result_actions.setEnabled(False)
        if turn_to_it:
            self.filled.emit(True)

    def show_again(self) -> None:
        """Show the last run again, where there is one."""
        self.result_actions.setEnabled(True)
        if self.record is not None:
            self.view.show_record(self.record)
        self.filled.emit(self.record is not None)

    def close_connections(self) -> None:
        """Stop adding layers, and listening to the viewer."""
        self._turns.stop()
        self.view.close_connections()

    def _put(self, record: Record, result: LayerResult, last: dict[str, Layer]) -> None:
        layer = make_layer(result, record.layer_of(result.grid.role), record.provenance())
        shown = put_layer(self._viewer, layer, last.get(result.name))
        if passing(shown):
            shown.name = result.name
        self.made[result.name] = shown
        if isinstance(result, ImageResult) and result.pairs:
            if shown is not last.get(result.name):
                # Its pixels are images, so that it lies beside what was in view.
                self._viewer.reset_view()
            shown.mouse_drag_callbacks.append(self._pair_clicked)

    def _pair_clicked(self, layer: Layer, event: Any) -> None:
        """Show the two images that a pixel of a matrix of pairs compares."""
        place = layer.world_to_data(event.position)
        first, second = (round(float(each)) for each in place[-2:])
        outcome = None if self.record is None else self.record.outcome
        numbers = self.view.pair.numbers(first, second)
        shift = None
        if outcome is not None and numbers is not None:
            shift = shift_between(outcome.tables, numbers)
        self.view.pair.show_pair(first, second, shift)

    def _remove(self, layer: Layer) -> None:
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _show_earlier(self, run: EarlierRun) -> None:
        """Show a run again; the newest with all that can be done with it."""
        if self.record is not None and run is self.earlier.runs[-1]:
            self.view.show_record(self.record)
            self.result_actions.show_record(self.record, self.made)
            return
        self.view.show_outcome(run.outcome, run.stack, run.layer)
        self.result_actions.show_record(None, {})

    def _compare(self) -> None:
        try:
            outcome = self.earlier.compared()
        except ValueError as error:
            self.failed.emit(Failure.of(error))
            return
        self.view.show_outcome(outcome, None, None)
        self.result_actions.show_record(None, {})

    def _show(self, record: Record) -> None:
        self.earlier.keep(record)
        self.earlier_bar.refresh()
        SHELF.keep(record.tool.title, record.outcome)
        self.view.show_record(record)
        self.result_actions.setEnabled(True)
        self.result_actions.show_record(record, self.made)
        self._select_matrix(record)
        self.filled.emit(True)
        self.shown.emit()

    def _select_matrix(self, record: Record) -> None:
        """Select the matrix of pairs that is shown: napari tells clicks to the selected layer."""
        for result in record.outcome.layers:
            matrix = self.made.get(result.name)
            if isinstance(result, ImageResult) and result.pairs and result.visible:
                if matrix in self._viewer.layers:
                    self._viewer.layers.selection = {matrix}
                return
