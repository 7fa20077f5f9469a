"""The one panel that serves all tools: setup, run, preview and result, brought together."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from importlib.metadata import metadata
from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QSize, QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QHBoxLayout, QLabel, QTabWidget, QToolButton, QVBoxLayout, QWidget

from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.on_disk import needs_folder
from napari_framewise.framework.outcome import ImageResult
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.connections import Connections
from napari_framewise.plugin.docking import join_panels
from napari_framewise.plugin.forms.inputs_form import InputsForm
from napari_framewise.plugin.forms.parameters_form import ParametersForm
from napari_framewise.plugin.forms.setup_form import SetupForm
from napari_framewise.plugin.layers.previewing import Previewing
from napari_framewise.plugin.recipe_loading import ask_and_load
from napari_framewise.plugin.results.account import account_of
from napari_framewise.plugin.results.record import Record, recorded
from napari_framewise.plugin.results.result_page import ResultPage
from napari_framewise.plugin.results.so_far import ResultSoFar
from napari_framewise.plugin.results.whole_results import (
    ask_for_folder,
    show_written,
    written_frames,
)
from napari_framewise.plugin.running import settings
from napari_framewise.plugin.running.advice import Advice, advice, warm_up
from napari_framewise.plugin.running.run_bar import RunBar
from napari_framewise.plugin.running.run_control import RunControl
from napari_framewise.plugin.running.runner import Failure, Latest
from napari_framewise.plugin.running.shortcuts import add_shortcuts
from napari_framewise.plugin.steering.control import Steering

_SETTLE_MS = 20


class ToolPanel(QWidget):
    """A tool in a window.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are read and added to.
    tool : Tool
        What is run.
    setup, result, bar : SetupForm, ResultPage, RunBar
        Its two pages and what stands below them, where they were made before.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        tool: Tool[Any],
        parent: QWidget | None = None,
        *,
        setup: SetupForm | None = None,
        result: ResultPage | None = None,
        bar: RunBar | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.tool = tool
        self._docs_page = _docs_page(tool.name)
        self.setup = setup or SetupForm(viewer, tool)
        self.inputs_form = self.setup.inputs_form
        self.parameters_form = self.setup.parameters_form
        self.result = result or ResultPage(viewer)
        self.view, self.result_actions = self.result.view, self.result.result_actions
        self.bar = bar or RunBar(tool.title, tool.compile_seconds)
        self._so_far = ResultSoFar(viewer, self.result, self)
        self._run = RunControl(tool.name, self.bar, self)
        self.steering: Steering | None = None
        if tool.session is not None:
            self.steering = Steering(
                tool, tool.session, self.setup, self._run, self._so_far, self.bar, self
            )
            self.bar.steer_by(self.steering.buttons)
            self.steering.begun.connect(self._leave_preview)
            self.steering.done.connect(self._take)
        self._advice = Latest(self, settle_ms=0)
        self._preview = Previewing(viewer, tool, self.setup, self)
        self._joined = False
        self._check_soon = QTimer(self)
        self._check_soon.setSingleShot(True)
        self._check_soon.setInterval(_SETTLE_MS)
        self._check_soon.timeout.connect(self.check)
        self._lay_out()
        self._connect()
        self._warming = Latest(self, settle_ms=0)
        self._warming.ask(partial(warm_up, tool))
        self.check()

    def sizeHint(self) -> QSize:
        """Wide enough for three numbers in a row, and no taller than a small screen."""
        return QSize(400, 560)

    @property
    def record(self) -> Record | None:
        """The last run."""
        return self.result.record

    @property
    def busy(self) -> bool:
        """Whether a run goes on, or its results are still being shown."""
        return self._run.running or self.result.busy or self._so_far.busy

    @property
    def at_work(self) -> bool:
        """Whether anything is still to be computed, shown or said."""
        waiting = self._check_soon.isActive() or self._preview.busy or self.result_actions.busy
        return self.busy or waiting or self._advice.busy

    # -- before a run ----------------------------------------------------------------------------

    def inputs(self, origins: bool = False) -> Inputs:
        """The chosen inputs; see `SetupForm.inputs`."""
        return self.setup.inputs(origins)

    def parameters(self) -> Parameters:
        """The parameters in the form; see `SetupForm.parameters`."""
        return self.setup.parameters()

    def check(self) -> None:
        """Say whether the tool can run, and what can be said before it does."""
        if self.steering is not None and self.steering.active:
            self.steering.offer_edits()
            return
        if self.busy:
            return
        try:
            inputs, parameters = self.inputs(), self.parameters()
        except ValueError as error:
            self._advice.drop()
            self._preview.clear()
            self.bar.set_runnable(str(error))
            self.bar.say(str(error))
            return
        self.inputs_form.settle()
        self.bar.set_runnable(None)
        for role in self.tool.inputs[:1]:
            for stack in inputs.stacks(role.name)[:1]:
                self.parameters_form.set_axes(stack.grid.axes)
        self._ask_preview(given=(inputs, parameters))
        self._advice.ask(partial(advice, self.tool, inputs, parameters))

    def _show_advice(self, said: Advice) -> None:
        if not self.bar.wants_preview and self._tabs.currentIndex() == 0:
            self.bar.say(said.text, detail=said.detail)

    def _advice_failed(self, failure: Failure) -> None:
        """What cannot be said beforehand cannot be run either."""
        self.bar.set_runnable(failure.sentence())
        self.bar.say(failure.sentence(), None if isinstance(failure.error, ValueError) else failure)

    def _ask_preview(
        self, event: object = None, given: tuple[Inputs, Parameters] | None = None
    ) -> None:
        del event
        at_setup = self._tabs.currentIndex() == 0
        if self.bar.wants_preview and at_setup and not self.busy and self.isVisible():
            self._preview.ask(given)

    def _view_moved(self, event: object = None) -> None:
        del event
        if self.bar.wants_preview and self._tabs.currentIndex() == 0 and not self.busy:
            self._preview.view_moved()

    def _preview_toggled(self, on: bool) -> None:
        if on:
            self._tabs.setCurrentIndex(0)
            self._ask_preview()
        else:
            self._preview.clear()
            self.check()

    # -- running ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Start the tool with what is in the form."""
        if self.busy:
            return
        if self.steering is not None:
            self.steering.run()
            return
        try:
            inputs, parameters = self.inputs(origins=True), self.parameters()
        except ValueError as error:
            self.bar.say(str(error))
            return
        folder = ask_for_folder(self, self.tool, inputs, parameters)
        if folder == "":
            why = needs_folder(self.tool, inputs, parameters)
            self.bar.say(f"{why}: choose a folder for it, or {self.tool.instead}.")
            return
        self.inputs_form.settle(run=True)
        layers = self.setup.layers()
        self._leave_preview()
        self._run.start(
            lambda: recorded(
                self.tool, inputs, parameters, layers, settings.current_engine, folder
            ),
            self._take,
            self._so_far,
        )

    def _leave_preview(self) -> None:
        """Ask for nothing more before the run."""
        self._advice.drop()
        self._preview.drop()

    def stop(self) -> None:
        """Stop what is under way, and take what it has so far as its result."""
        if self._run.running or self.steering is None:
            self._run.stop()
        else:
            self.steering.take()

    def cancel(self) -> None:
        """Stop what is under way; nothing of it is kept."""
        if self._run.running or self.steering is None or not self.steering.active:
            self._run.cancel()
        else:
            self.steering.drop()
            self.bar.say("Cancelled; no layer was added.")

    def _take(self, record: Record) -> None:
        """Show what a run gave."""
        self._preview.clear()
        self.result.take(record, self._so_far.release(), update=self.bar.updates_last)

    def _result_filled(self, filled: bool) -> None:
        """Turn to the result, or away from where there is none."""
        # What the run has just said stays, as if nobody had turned the page.
        self._tabs.blockSignals(True)
        self._tabs.setTabEnabled(1, filled)
        self._tabs.setCurrentIndex(int(filled))
        self._tabs.blockSignals(False)
        if filled:
            self._preview.clear()
        elif self.bar.wants_preview:
            self._check_soon.start()

    def _result_shown(self) -> None:
        self.bar.offer_update()
        assert self.record is not None
        self.bar.say(account_of(self.record, self.result.made))

    def _page_turned(self, index: int) -> None:
        """A preview belongs to what is set up: it would lie above the result that is looked at."""
        if index != 0:
            self._preview.clear()
        self._check_soon.start()

    def _use_values(self, values: dict[str, Any]) -> None:
        """Set the form to the parameters of an earlier run."""
        self.parameters_form.set_values(values)
        self._tabs.setCurrentIndex(0)

    def _save_whole(self, result: ImageResult, path: str) -> None:
        """Write a lazy result to disk, then let its layer read from there."""
        if self.record is None or self.busy:
            return
        provenance = self.record.provenance()
        layer = self.result.made.get(result.name)
        self._run.start(
            lambda: written_frames(result, path, provenance, settings.current_engine()),
            lambda written: self.bar.say(show_written(written, layer, self._viewer)),
        )

    # -- Qt --------------------------------------------------------------------------------------

    def hideEvent(self, event: Any) -> None:
        """A hidden panel previews nothing."""
        self._preview.clear()
        super().hideEvent(event)

    def showEvent(self, event: Any) -> None:
        """Preview again, where it was on."""
        super().showEvent(event)
        if not self._joined:
            self._joined = True
            QTimer.singleShot(0, self._join)
        self._check_soon.start()

    def _join(self) -> None:
        join_panels(self, ToolPanel)

    def event(self, event: Any) -> bool:
        """Stop what goes on where the panel is taken out of its window, which closes nothing."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.end()
        return super().event(event)

    def closeEvent(self, event: Any) -> None:
        """Stop everything."""
        self.end()
        self._of_viewer.undo()
        self.setup.close_connections()
        self.result.close_connections()
        super().closeEvent(event)

    def end(self) -> None:
        """Stop what goes on, and take away what was only passing."""
        self._check_soon.stop()
        self._run.close()
        if self.steering is not None and self.steering.active:
            self.steering.drop()
        self._so_far.close()
        self._advice.close()
        self._warming.close()
        self._preview.close()

    def _connect(self) -> None:
        add_shortcuts(self, self.bar)
        self.setup.changed.connect(self._check_soon.start)
        self.bar.run_clicked.connect(self.run)
        self.bar.stop_clicked.connect(self.stop)
        self.bar.cancel_clicked.connect(self.cancel)
        self.bar.preview_toggled.connect(self._preview_toggled)
        self._advice.answered.connect(self._show_advice)
        self._advice.failed.connect(self._advice_failed)
        self._preview.said.connect(self.bar.say)
        self._preview.rested.connect(self._ask_preview)
        self._preview.failed.connect(self._advice_failed)
        self.result.filled.connect(self._result_filled)
        self.result.shown.connect(self._result_shown)
        self.result.values_wanted.connect(self._use_values)
        self.result.failed.connect(self._run.report)
        self.result_actions.said.connect(self.bar.say)
        self.result_actions.failed.connect(self._run.report)
        self.result_actions.to_disk.connect(self._save_whole)
        self._tabs.currentChanged.connect(self._page_turned)
        self._so_far.begun.connect(self._preview.clear)
        self._of_viewer = Connections(self)
        self._of_viewer.connect(self._viewer.dims.events.current_step, self._ask_preview)
        camera = self._viewer.scene.camera
        for moved in (camera.events.center, camera.events.zoom):
            self._of_viewer.connect(moved, self._view_moved)

    def _lay_out(self) -> None:
        title = QLabel(f"<b>{self.tool.title}</b>")
        docs = QToolButton()
        docs.setText("Docs")
        docs.setToolTip(self._docs_page)
        docs.setVisible(bool(self._docs_page))
        docs.clicked.connect(self._open_docs)
        self.load_button = QToolButton()
        self.load_button.setText("Load recipe…")
        self.load_button.setToolTip("Fill inputs and parameters from a recipe.")
        self.load_button.clicked.connect(self._load_recipe)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch()
        head.addWidget(self.load_button)
        head.addWidget(docs)
        sentence = QLabel(self.tool.sentence)
        sentence.setWordWrap(True)
        self._tabs = QTabWidget()
        self._tabs.addTab(self.setup, "Set up")
        self._tabs.addTab(self.result, "Result")
        self._tabs.setTabEnabled(1, False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(head)
        layout.addWidget(sentence)
        layout.addWidget(self._tabs, 1)
        layout.addWidget(self.bar)
        self.setMinimumWidth(360)

    def _open_docs(self) -> None:
        QDesktopServices.openUrl(QUrl(self._docs_page))

    def _load_recipe(self) -> None:
        try:
            said = ask_and_load(
                self, self._viewer, self.tool, self.inputs_form, self.parameters_form
            )
        except Exception as error:  # noqa: BLE001 - told in the panel, with its trace
            self._run.report(Failure.of(error))
            return
        if said:
            self._tabs.setCurrentIndex(0)
            self.bar.say(said)


def made_in_pieces(viewer: ViewerModel, tool: Tool[Any]) -> Generator[None, None, ToolPanel]:
    """A panel, made in pieces of less than a tenth of a second each."""
    inputs = yield from InputsForm.in_pieces(viewer, tool)
    yield
    parameters = yield from ParametersForm.in_pieces(tool.parameters)
    yield
    setup = SetupForm(viewer, tool, inputs_form=inputs, parameters_form=parameters)
    yield
    result = ResultPage(viewer)
    yield
    bar = RunBar(tool.title, tool.compile_seconds)
    yield
    return ToolPanel(viewer, tool, setup=setup, result=result, bar=bar)


def _docs_page(name: str) -> str:
    """Address of a tool's page; empty where the package names no documentation."""
    urls = metadata("napari-framewise").get_all("Project-URL") or []
    known = dict(url.split(", ", 1) for url in urls)
    place = known.get("Documentation", "").rstrip("/")
    return f"{place}/tools/{name}.html" if place else ""
