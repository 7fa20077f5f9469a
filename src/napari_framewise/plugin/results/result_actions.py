"""What can be done with a result: saved, copied, shown as points, written to disk whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QWidget,
)

from napari_framewise.framework.outcome import ImageResult, PointsResult
from napari_framewise.io import write_table
from napari_framewise.io.formats.models import write_model
from napari_framewise.io.recipes.files import save_recipe
from napari_framewise.io.recipes.scripts import to_python
from napari_framewise.plugin.layers.layers_out import make_layer, put_layer
from napari_framewise.plugin.results.frame_points import points_of_table
from napari_framewise.plugin.results.record import Record
from napari_framewise.plugin.results.result_view import ResultView
from napari_framewise.plugin.running.runner import Failure, Latest
from napari_framewise.stacks.faults import os_faults_told
from napari_framewise.tools.registry import MODEL_NAMES

_PLOT_FORMATS = "SVG (*.svg);;PDF (*.pdf);;PNG (*.png)"


class ResultActions(QWidget):
    """The buttons under a result."""

    said = Signal(str)
    failed = Signal(object)
    to_disk = Signal(object, str)

    def __init__(
        self, viewer: ViewerModel, view: ResultView, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._view = view
        self._record: Record | None = None
        self._made: dict[str, Layer] = {}
        self._making = Latest(self, settle_ms=0)
        self._making.answered.connect(self._put_points)
        self._making.failed.connect(self.failed)
        self.points_button = QPushButton("Add as points")
        self.points_button.setToolTip("One point per frame; its features hold the table.")
        self.points_button.clicked.connect(self._guarded(self._add_points))
        self.table_button = QPushButton("Copy table")
        self.table_button.setToolTip("All rows, as they are sorted, for a spreadsheet.")
        self.table_button.clicked.connect(self._guarded(self._copy_table))
        self._save = QPushButton("Save")
        self._copy = QPushButton("Copy")
        self._save_menu, self._copy_menu = QMenu(self), QMenu(self)
        self._save.setMenu(self._save_menu)
        self._copy.setMenu(self._copy_menu)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for button in (self.points_button, self.table_button, self._save, self._copy):
            layout.addWidget(button)
        layout.addStretch()
        view.shown_changed.connect(self._offer)

    @property
    def busy(self) -> bool:
        """Whether points are still to be added."""
        return self._making.busy

    def show_record(self, record: Record | None, made: dict[str, Layer]) -> None:
        """Offer what this result has; without a record only the plot and the table in view."""
        self._record, self._made = record, made
        self._offer()

    def _offer(self) -> None:
        record = self._record
        table = self._view.shown_table
        per_frame = table is not None and table.entity == "frame" and "frame" in table.columns
        placed = record is not None and record.stack_layer is not None
        self.points_button.setEnabled(per_frame and placed)
        self.table_button.setEnabled(table is not None)
        save, copy = self._save_menu, self._copy_menu
        save.clear()
        copy.clear()
        if self._view.shown_plot is not None:
            self._entry(save, "Plot…", self._save_plot)
        if table is not None:
            self._entry(save, "Table…", self._save_table)
        if record is None:
            return
        for model in record.outcome.models:
            self._entry(save, f"Model: {model.kind}…", partial(self._save_model, model))
        for result in record.outcome.layers:
            if isinstance(result, ImageResult) and not isinstance(result.data, np.ndarray):
                self._entry(save, f"{result.name} to zarr…", partial(self._save_whole, result))
        self._entry(save, "Recipe…", self._save_recipe)
        self._entry(copy, "Methods sentence and sources", lambda: self._put(record.methods()))
        self._entry(copy, "As Python", self._copy_script)

    def _entry(self, menu: QMenu, text: str, action: Callable[[], None]) -> None:
        entry = QAction(text, menu)
        entry.triggered.connect(self._guarded(action))
        menu.addAction(entry)

    def _guarded(self, action: Callable[[], None]) -> Callable[..., None]:
        """The action, with an error told as a sentence."""

        def guarded(*_: Any) -> None:
            try:
                action()
            except Exception as error:  # noqa: BLE001 - told in the panel, with its trace
                self.failed.emit(Failure.of(error))

        return guarded

    def _add_points(self) -> None:
        record, table = self._record, self._view.shown_table
        assert record is not None
        stack, layer = record.stack, record.stack_layer
        if stack is None or layer is None or table is None:
            return
        role = record.tool.inputs[0].name
        result = points_of_table(table, stack, layer, role, record.outcome.plots)
        size = max(min(stack.frame_shape[:2]) / 12, 0.5)
        self.points_button.setEnabled(False)
        # 100,000 texts take half a second to write, so a thread does it.
        self._making.ask(partial(_points_layer, result, layer, record.provenance(), size))

    def _put_points(self, points: Layer) -> None:
        self.points_button.setEnabled(True)
        put_layer(self._viewer, points)
        self.said.emit(f"{len(points.data):,} points were added, one per frame.")

    def _copy_table(self) -> None:
        count = self._view.table.copy_all()
        self.said.emit(f"{_rows(count)} copied.")

    def _save_plot(self) -> None:
        plot = self._view.shown_plot
        assert plot is not None
        path = self._ask("Save plot", f"{plot.title}.svg", _PLOT_FORMATS)
        if path:
            with os_faults_told(path, "written"):
                self._view.canvas.save(path)
            self.said.emit(f"The plot was saved as {path}.")

    def _save_table(self) -> None:
        table = self._view.shown_table
        assert table is not None
        path = self._ask("Save table", f"{table.name}.csv", "CSV (*.csv);;JSON (*.json)")
        if path:
            with os_faults_told(path, "written"):
                write_table(table, path)
            self.said.emit(f"{_rows(len(table))} saved as {path}.")

    def _save_model(self, model: Any) -> None:
        path = self._ask("Save model", f"{model.kind}.npz", MODEL_NAMES)
        if path:
            with os_faults_told(path, "written"):
                write_model(model, path)
            self.said.emit(f"The model was saved as {path}.")

    def _save_recipe(self) -> None:
        record = self._record
        assert record is not None
        path = self._ask("Save recipe", f"{record.tool.name}.json", "Recipes (*.json)")
        if path:
            # A script that is copied from now on takes from files what was only in memory.
            with os_faults_told(path, "written"):
                written = save_recipe(record.recipe, path, record.memory)
            self._record = replace(record, recipe=written)
            self.said.emit(f"The recipe was saved as {path}.")

    def _save_whole(self, result: ImageResult) -> None:
        path = self._ask(f"Save {result.name}", f"{result.name}.ome.zarr", "OME-Zarr (*.ome.zarr)")
        if path:
            self.to_disk.emit(result, path)

    def _ask(self, title: str, name: str, files: str) -> str:
        name = name.replace("/", "-")
        path, chosen = QFileDialog.getSaveFileName(self, title, name, files)
        if path and "." not in path.rpartition("/")[2]:
            path += chosen.partition("*")[2].partition(")")[0]
        return path

    def _copy_script(self) -> None:
        assert self._record is not None
        self._put(to_python(self._record.recipe))

    def _put(self, text: str) -> None:
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        clipboard.setText(text)
        self.said.emit("Copied.")


def _points_layer(
    result: PointsResult, like: Layer, provenance: Mapping[str, Any], size: float
) -> Layer:
    points = make_layer(result, like, provenance)
    points.size = size
    points.text.anchor = "lower_left"
    return points


def _rows(count: int) -> str:
    return "1 row was" if count == 1 else f"{count:,} rows were"
