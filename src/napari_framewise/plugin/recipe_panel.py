"""Run a recipe: its steps edited, on files, folders or layers, alone or all, or reproduced."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_framewise.engine.progress import Notice, Progress
from napari_framewise.framework.outcome import Outcome, Table
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.recipe import Recipe
from napari_framewise.io import write_table
from napari_framewise.io.recipes.files import load_recipe
from napari_framewise.io.runs.batch import Batch, FileRun, run_batch
from napari_framewise.io.runs.reproducing import Reproduction, check_results, with_results
from napari_framewise.io.runs.steps import run_step
from napari_framewise.plugin.layers.layers_out import make_layer, put_layer
from napari_framewise.plugin.recipe_inputs import RecipeInputs
from napari_framewise.plugin.recipe_layers import results_of
from napari_framewise.plugin.recipe_steps import RecipeSteps
from napari_framewise.plugin.results.table import TableView
from napari_framewise.plugin.running import settings
from napari_framewise.plugin.running.runner import Failure, Runner
from napari_framewise.stacks.faults import os_faults_told

_STEPS = 1000


class RecipePanel(QWidget):
    """A recipe in a window.

    Parameters
    ----------
    viewer : ViewerModel
        Whose selected layers it can run on, and which results are added to.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.recipe: Recipe | None = None
        self._path: str | None = None
        self._earlier: dict[int, Outcome] = {}
        self._done: list[FileRun] = []
        self._tables: tuple[Table, ...] = ()
        self._take: Callable[[Any], None] = lambda answer: None
        self.steps = RecipeSteps()
        self.files = RecipeInputs(viewer)
        self.table = TableView()
        self._runner = Runner(self)
        self._lay_out()
        self._runner.progressed.connect(self._progress)
        self._runner.returned.connect(lambda answer: self._take(answer))
        self._runner.failed.connect(self._failed)
        self._runner.cancelled.connect(lambda: self.say("Cancelled."))
        self._runner.finished.connect(self._finished)
        self.steps.run_alone.connect(self.run_alone)
        self.steps.changed.connect(self._earlier.clear)
        self._offer()

    @property
    def busy(self) -> bool:
        """Whether a run goes on."""
        return self._runner.running

    @property
    def message(self) -> str:
        """What is said."""
        return self._message.text()

    def say(self, text: str) -> None:
        """Say something."""
        self._message.setText(text)

    def open(self, path: str) -> None:
        """Take a recipe from a file."""
        try:
            recipe = load_recipe(path)
        except ValueError as error:
            self.say(str(error))
            return
        self.recipe, self._path = recipe, path
        self._earlier.clear()
        self.steps.show_recipe(recipe)
        self._name.setText(Path(path).name)
        self._name.setToolTip(path)
        count = len(recipe.steps)
        self.say(f"{count} step{'' if count == 1 else 's'}; with no files its own inputs are used.")
        self._offer()

    def edited(self) -> Recipe:
        """The recipe with the parameters as they stand in the forms.

        Raises
        ------
        ValueError
            Where they make no sense, or no recipe was opened.
        """
        if self.recipe is None:
            raise ValueError("Open a recipe first.")
        return self.steps.edited(self.recipe)

    def run(self) -> None:
        """Run all steps on every input."""
        try:
            recipe, output = self.edited(), self.files.output()
            refs, memory = self.files.references()
        except ValueError as error:
            self.say(str(error))
            return
        self._done = done = list[FileRun]()
        self.files.show_waiting()
        self._start(
            lambda: self._noting(
                run_batch(recipe, refs, output, settings.current_engine(), memory), done
            ),
            self._show_batch,
        )

    def run_alone(self, number: int) -> None:
        """Run one step, and before it what it needs of the others."""
        try:
            recipe = self.edited()
        except ValueError as error:
            self.say(str(error))
            return
        # A copy: a run that is cancelled and still ends leaves nothing behind.
        earlier = dict(self._earlier)
        engine, folder = settings.current_engine(), self.files.folder.text().strip()
        if folder:
            engine = engine.writing_to(Path(folder).expanduser() / f"step {number + 1} alone")
        self._start(
            lambda: run_step(recipe, number, engine, earlier),
            partial(self._show_step, number, earlier),
        )

    def reproduce(self) -> None:
        """Run the recipe as it was recorded, and compare its results."""
        recipe = self.recipe
        try:
            check_results(recipe or Recipe(steps=()))
        except ValueError as error:
            self.say(str(error))
            return
        assert recipe is not None
        self._start(
            lambda: with_results(recipe, settings.current_engine(), self._path),
            lambda answer: self._show_comparison(answer[1]),
        )

    def cancel(self) -> None:
        """Stop what is under way."""
        self._runner.cancel()

    def closeEvent(self, event: Any) -> None:
        """Stop everything."""
        self._runner.close()
        super().closeEvent(event)

    def _start(self, make: Callable[[], Any], take: Callable[[Any], None]) -> None:
        if self.busy:
            return
        self._take = take
        self.say("Starting")
        self._runner.start(make)
        self._offer()

    def _noting(
        self,
        steps: Generator[Progress | Partial | Notice | FileRun, None, Batch],
        done: list[FileRun],
    ) -> Generator[Progress | Partial | Notice, None, Batch]:
        """The run, its finished files noted on the way."""
        try:
            while True:
                report = next(steps)
                if isinstance(report, FileRun):
                    done.append(report)
                else:
                    yield report
        except StopIteration as end:
            batch: Batch = end.value
            return batch
        finally:
            steps.close()

    def _progress(self, progress: Progress) -> None:
        self._bar.setValue(round(_STEPS * progress.fraction))
        self.say(progress.text())
        self.files.show_progress(self._done, progress)

    def _show_batch(self, batch: Batch) -> None:
        self.files.show_done(batch.runs)
        self._show_tables(batch.tables)
        written = f" Written to {batch.written[-1].parent}." if batch.written else ""
        notes = [note for run in batch.runs for out in run.outcomes for note in out.diagnostics]
        lines = [f"{batch.summary}{written}", *dict.fromkeys(notes)]
        if len(batch.runs) == 1:
            lines[1:1] = [out.summary for out in batch.runs[0].outcomes if out.summary]
        if not batch.written:
            for run in batch.runs:
                self._add_layers(run, alone=len(batch.runs) == 1)
        self.say("\n".join(lines))

    def _show_step(self, number: int, earlier: dict[int, Outcome], outcome: Outcome) -> None:
        assert self.recipe is not None
        self._earlier.update(earlier)
        self._show_tables(outcome.tables)
        self._put(self.recipe, {**self._earlier, number: outcome}, number)
        self.say("\n".join([f"Step {number + 1}: {outcome.summary}", *outcome.diagnostics]))

    def _show_comparison(self, found: Reproduction) -> None:
        self._show_tables((found.table(),))
        self.say(found.summary)

    def _add_layers(self, run: FileRun, *, alone: bool) -> None:
        """The results of one input: of several only those of layers, for files may be forty."""
        if run.recipe is not None and (alone or run.source in self.files.layers_given):
            self._put(run.recipe, dict(enumerate(run.outcomes)))

    def _put(self, recipe: Recipe, outcomes: dict[int, Outcome], only: int | None = None) -> None:
        given = self.files.layers_given if only is None else {}
        for number, result, under, told in results_of(recipe, outcomes, self._viewer, given):
            if only in (None, number):
                put_layer(self._viewer, make_layer(result, under, told))

    def _show_tables(self, tables: tuple[Table, ...]) -> None:
        self._tables = tables
        self._which.blockSignals(True)
        self._which.clear()
        self._which.addItems([table.name for table in tables])
        self._which.blockSignals(False)
        self._show_table()
        if tables:
            self._pages.setCurrentIndex(2)

    def _show_table(self) -> None:
        index = self._which.currentIndex()
        if 0 <= index < len(self._tables):
            self.table.show_table(self._tables[index])
        self._save.setEnabled(bool(self._tables))

    def _save_table(self) -> None:
        table = self._tables[self._which.currentIndex()]
        path, _ = QFileDialog.getSaveFileName(
            self, "Save table", f"{table.name}.csv", "CSV (*.csv);;JSON (*.json)"
        )
        if path:
            try:
                with os_faults_told(path, "written"):
                    write_table(table, path)
            except OSError as error:
                self.say(str(error))
                return
            self.say(f"The table was saved as {path}.")

    def _failed(self, failure: Failure) -> None:
        self.say(failure.sentence())

    def _finished(self) -> None:
        self._bar.setValue(0)
        self._offer()

    def _offer(self) -> None:
        """Enable what can be done now."""
        ready = self.recipe is not None and not self.busy
        self.run_button.setEnabled(ready)
        self.reproduce_button.setEnabled(ready and bool(self.recipe and self.recipe.results))
        self.cancel_button.setEnabled(self.busy)
        self.steps.setEnabled(not self.busy)

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open recipe", "", "Recipes (*.json)")
        if path:
            self.open(path)

    def _lay_out(self) -> None:
        self._name = QLabel("no recipe yet")
        opener = QPushButton("Open recipe…")
        opener.clicked.connect(self._ask)
        head = QHBoxLayout()
        head.addWidget(self._name, 1)
        head.addWidget(opener)
        self._which = QComboBox()
        self._which.currentIndexChanged.connect(self._show_table)
        self._save = QPushButton("Save table…")
        self._save.setEnabled(False)
        self._save.clicked.connect(self._save_table)
        above = QHBoxLayout()
        above.addWidget(self._which, 1)
        above.addWidget(self._save)
        result = QWidget()
        shown = QVBoxLayout(result)
        shown.setContentsMargins(0, 4, 0, 0)
        shown.addLayout(above)
        shown.addWidget(self.table, 1)
        self._pages = QTabWidget()
        for page, title in ((self.steps, "Steps"), (self.files, "Inputs"), (result, "Tables")):
            self._pages.addTab(page, title)
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self.run_button = QPushButton("Run")
        self.run_button.clicked.connect(self.run)
        self.reproduce_button = QPushButton("Reproduce")
        self.reproduce_button.setToolTip(
            "Run the recipe again and compare item by item with the results that it holds."
        )
        self.reproduce_button.clicked.connect(self.reproduce)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(self.cancel)
        foot = QHBoxLayout()
        foot.addStretch()
        for button in (self.reproduce_button, self.cancel_button, self.run_button):
            foot.addWidget(button)
        body = QSplitter(Qt.Orientation.Vertical)
        body.addWidget(self._pages)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(head)
        layout.addWidget(body, 1)
        layout.addWidget(self._message)
        layout.addWidget(self._bar)
        layout.addLayout(foot)
        self.setMinimumWidth(360)
