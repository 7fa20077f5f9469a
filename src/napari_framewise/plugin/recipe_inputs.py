"""What a recipe runs on, how far each input is, and where results go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.inputs import Value
from napari_framewise.framework.recipe import InputRef
from napari_framewise.io import can_open
from napari_framewise.io.recipes.naming import parse_input, text_of
from napari_framewise.io.recipes.references import reference_to
from napari_framewise.io.runs.batch import FileRun
from napari_framewise.io.runs.outputs import Output
from napari_framewise.plugin.layers.layers_in import stack_of_layer, with_origin


class RecipeInputs(QWidget):
    """A list of files, folders and layers with the state of each, and the output."""

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._given: list[str | Layer] = []
        self.layers_given: dict[str, Layer] = {}
        self.list = QTableWidget(0, 2)
        self.list.setHorizontalHeaderLabels(["input", "state"])
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.list.horizontalHeader()
        assert header is not None
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        above = QHBoxLayout()
        for text, action in (
            ("Files…", self._ask_files),
            ("Folder…", self._ask_folder),
            ("Selected layers", self.add_layers),
            ("Clear", self.clear),
        ):
            button = QPushButton(text)
            button.clicked.connect(action)
            above.addWidget(button)
        note = QLabel("Each takes the place of the first input; none: the recipe's own.")
        note.setWordWrap(True)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("write nothing")
        self.folder.setToolTip("Folder for tables, images and the recipe; empty writes nothing.")
        choose = QPushButton("…")
        choose.setFixedWidth(32)
        choose.clicked.connect(self._ask_output)
        where = QHBoxLayout()
        where.addWidget(QLabel("Write to"))
        where.addWidget(self.folder, 1)
        where.addWidget(choose)
        self.layers = QComboBox()
        for text, kept in (("shown", "shown"), ("all", "all"), ("none", "none")):
            self.layers.addItem(text, kept)
        self.layers.setToolTip("Images, points and vectors to write; tables always are.")
        self.image_format = QComboBox()
        self.image_format.addItems(["zarr", "tif"])
        self.results = QCheckBox("Record results")
        self.results.setToolTip("Keep hashes of inputs and results in the recipe, to reproduce it.")
        how = QHBoxLayout()
        for widget in (QLabel("Images"), self.layers, self.image_format, self.results):
            how.addWidget(widget)
        how.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addLayout(above)
        layout.addWidget(note)
        layout.addWidget(self.list, 1)
        layout.addLayout(where)
        layout.addLayout(how)

    def add(self, *given: str | Layer) -> None:
        """Run on these as well: files, folders or layers."""
        for each in given:
            self._given.append(each)
            row = self.list.rowCount()
            self.list.insertRow(row)
            name = each.name if isinstance(each, Layer) else os.path.basename(each)
            for column, text in enumerate((name, "")):
                item = QTableWidgetItem(text)
                item.setToolTip(name if isinstance(each, Layer) else each)
                self.list.setItem(row, column, item)

    def add_layers(self) -> None:
        """Run on the selected layers as well, in the layer list's order."""
        chosen = self._viewer.layers.selection
        layers = [layer for layer in self._viewer.layers if layer in chosen]
        self.add(*(layer for layer in layers if isinstance(layer, Image | Labels)))

    def clear(self) -> None:
        """Run on nothing but the recipe's own."""
        self._given.clear()
        self.list.setRowCount(0)

    def references(self) -> tuple[list[InputRef], dict[str, Value]]:
        """What is given as references, and what of it exists only in memory, by name."""
        refs: list[InputRef] = []
        memory: dict[str, Value] = {}
        self.layers_given = {}
        for each in self._given:
            if not isinstance(each, Layer):
                refs.append(parse_input(each))
                continue
            stack = with_origin(stack_of_layer(each), each)
            ref = reference_to(stack)
            if ref is None:
                ref = InputRef(memory=each.name, name=each.name)
                memory[each.name] = stack
            self.layers_given[text_of(ref)] = each
            refs.append(ref)
        return refs, memory

    def output(self) -> Output | None:
        """Where results go.

        Raises
        ------
        ValueError
            Where results are to be recorded, but nothing is written.
        """
        place = self.folder.text().strip()
        if not place:
            if self.results.isChecked():
                raise ValueError(
                    "Results are recorded in the recipe that is written; choose a folder for it."
                )
            return None
        return Output(
            Path(place).expanduser(),
            layers=self.layers.currentData(),
            image_format=self.image_format.currentText(),  # type: ignore[arg-type]
            results=self.results.isChecked(),
        )

    def show_waiting(self) -> None:
        """Nothing is done yet."""
        for row in range(self.list.rowCount()):
            self._tell(row, "waiting", "")

    def show_progress(self, done: Sequence[FileRun], progress: Progress) -> None:
        """Show what is done, and how far the next one is."""
        self.show_done(done)
        if len(done) < self.list.rowCount():
            self._tell(len(done), f"{progress.fraction:.0%}", progress.text())

    def show_done(self, runs: Sequence[FileRun]) -> None:
        """Show what became of the first inputs."""
        for row, run in enumerate(runs[: self.list.rowCount()]):
            self._tell(row, "failed" if run.failure is not None else "done", run.error or "done")

    def _tell(self, row: int, text: str, more: str) -> None:
        item = self.list.item(row, 1)
        if item is not None:
            item.setText(text)
            item.setToolTip(more)

    def _ask_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Files to run on")
        self.add(*paths)

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of files to run on")
        if path:
            self.add_folder(path)

    def add_folder(self, path: str) -> None:
        """Run on every file of a folder that can be opened, each for itself."""
        with os.scandir(path) as entries:
            found = sorted(entry.path for entry in entries if not entry.name.startswith("."))
        self.add(*(each for each in found if can_open(each)))

    def _ask_output(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder for the results")
        if path:
            self.folder.setText(path)
