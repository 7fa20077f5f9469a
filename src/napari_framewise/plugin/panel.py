"""The one panel that serves all tools: inputs, parameters, preview, run, result."""

from __future__ import annotations

import logging
from functools import partial
from importlib import import_module
from importlib.metadata import metadata
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QSize, Qt, QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import ImageResult, LayerResult, Outcome
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.connections import Connections
from napari_framewise.plugin.forms.inputs_form import InputsForm
from napari_framewise.plugin.forms.parameters_form import ParametersForm
from napari_framewise.plugin.forms.value_picker import SHELF
from napari_framewise.plugin.layers.layers_in import frame_in_view
from napari_framewise.plugin.layers.layers_out import make_layer, put_layer
from napari_framewise.plugin.layers.preview import PreviewLayers
from napari_framewise.plugin.recipe_loading import ask_and_load
from napari_framewise.plugin.results.record import Record
from napari_framewise.plugin.results.result_actions import ResultActions
from napari_framewise.plugin.results.result_view import ResultView
from napari_framewise.plugin.results.whole_results import show_written, written_frames
from napari_framewise.plugin.running.run_bar import RunBar
from napari_framewise.plugin.running.runner import Failure, Latest, Runner, Turns
from napari_framewise.plugin.running.settings import current_engine
from napari_framewise.stacks.stack import Stack

_SETTLE_MS = 40
_log = logging.getLogger(__name__)


class ToolPanel(QWidget):
    """A tool in a window.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are read and added to.
    tool : Tool
        What is run.
    """

    def __init__(self, viewer: ViewerModel, tool: Tool[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.tool = tool
        self._docs_page = _docs_page(tool.name)
        self.inputs_form = InputsForm(viewer, tool)
        self.parameters_form = ParametersForm(tool.parameters)
        self.view = ResultView(viewer)
        self.result_actions = ResultActions(viewer, self.view)
        self.bar = RunBar(tool.title)
        self.record: Record | None = None
        self._made: dict[str, Layer] = {}
        self._runner = Runner(self)
        self._turns = Turns(self)
        self._advice = Latest(self)
        self._previews = Latest(self)
        self._preview_layers = PreviewLayers(viewer, self)
        self._previewed_layers: dict[str, list[Layer]] = {}
        self._check_soon = QTimer(self)
        self._check_soon.setSingleShot(True)
        self._check_soon.setInterval(_SETTLE_MS)
        self._check_soon.timeout.connect(self.check)
        self._lay_out()
        self._connect()
        self._warming = Latest(self, settle_ms=0)
        self._warming.ask(partial(_warm_up, tool))
        self.check()

    def sizeHint(self) -> QSize:
        """Wide enough for three numbers in a row, and no taller than a small screen."""
        return QSize(400, 560)

    # -- what is asked for -----------------------------------------------------------------------

    def inputs(self, origins: bool = False) -> Inputs:
        """The chosen inputs.

        Raises
        ------
        ValueError
            In one sentence, where they are not what the tool takes.
        """
        return self.tool.check_inputs(self.inputs_form.given(origins))

    def parameters(self) -> Parameters:
        """The parameters in the form.

        Raises
        ------
        ValueError
            In one sentence, where they make no sense.
        """
        checked: Parameters = self.tool.check_parameters(self.parameters_form.values())
        return checked

    @property
    def busy(self) -> bool:
        """Whether a run goes on, or its results are still being shown."""
        return self._runner.running or self._turns.busy

    @property
    def at_work(self) -> bool:
        """Whether anything is still to be computed, shown or said."""
        waiting = self._check_soon.isActive() or self._preview_layers.busy
        return self.busy or waiting or self._advice.busy or self._previews.busy

    def check(self) -> None:
        """Say whether the tool can run, and what can be said before it does."""
        if self.busy:
            return
        try:
            inputs, parameters = self.inputs(), self.parameters()
        except ValueError as error:
            self._advice.drop()
            self._previews.drop()
            self._preview_layers.clear()
            self.bar.set_runnable(str(error))
            self.bar.say(str(error))
            return
        self.inputs_form.settle()
        self.bar.set_runnable(None)
        for stack in inputs.stacks(self.tool.inputs[0].name)[:1]:
            self.parameters_form.set_axes(stack.grid)
        self._advice.ask(partial(_advice, self.tool, inputs, parameters))
        self._ask_preview()

    # -- running ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Start the tool with what is in the form."""
        if self.busy:
            return
        try:
            inputs, parameters = self.inputs(origins=True), self.parameters()
        except ValueError as error:
            self.bar.say(str(error))
            return
        self.inputs_form.settle(run=True)
        layers = self.inputs_form.layers()
        self._advice.drop()
        self._previews.drop()
        self._start(
            lambda: self.tool.run(inputs, parameters, current_engine()),
            partial(self._take, inputs, parameters, layers),
        )

    def cancel(self) -> None:
        """Stop what is under way; nothing of it is kept."""
        self.bar.show_cancelling()
        self._runner.cancel()

    def _start(self, make: Any, take: Any) -> None:
        self._take_answer = take
        self.bar.say("")
        self.bar.set_running(True)
        self._runner.start(make)

    def _take(
        self,
        inputs: Inputs,
        parameters: Parameters,
        layers: dict[str, list[Layer]],
        outcome: Outcome,
    ) -> None:
        """Show what a run gave."""
        self._preview_layers.clear()
        record = Record.of(self.tool, inputs, parameters, layers, outcome)
        last = self._made if self.bar.updates_last else {}
        self._made = {}
        self.record = record
        # napari takes a while for each layer, so that the window breathes between two.
        self._turns.add(
            *(partial(self._put, record, result, last) for result in outcome.layers),
            partial(self._show, record),
        )

    def _put(self, record: Record, result: LayerResult, last: dict[str, Layer]) -> None:
        layer = make_layer(result, record.like(result.placing.like), record.provenance())
        self._made[result.name] = put_layer(self._viewer, layer, last.get(result.name))

    def _show(self, record: Record) -> None:
        SHELF.keep(self.tool.title, record.outcome)
        self.view.show_record(record)
        self.result_actions.show_record(record, self._made)
        self.bar.offer_update()
        count = len(self._made)
        self.bar.say(f"Done: {count} layer{'' if count == 1 else 's'}.")
        self._tabs.setTabEnabled(1, True)
        self._tabs.setCurrentIndex(1)

    def _returned(self, answer: Any) -> None:
        self._take_answer(answer)

    def _failed(self, failure: Failure) -> None:
        _log.error("%s: %s", self.tool.name, failure.trace)
        self.bar.say(failure.sentence(), failure)

    def _cancelled(self) -> None:
        self.bar.say("Cancelled; no layer was added.")

    def _finished(self) -> None:
        self.bar.set_running(False)

    def _save_whole(self, result: ImageResult, path: str) -> None:
        """Write a lazy result to disk, then let its layer read from there."""
        if self.record is None or self.busy:
            return
        provenance = self.record.provenance()
        layer = self._made.get(result.name)
        self._start(
            lambda: written_frames(result, path, provenance, current_engine()),
            lambda written: self.bar.say(show_written(written, layer, self._viewer)),
        )

    # -- preview ---------------------------------------------------------------------------------

    def _ask_preview(self, event: object = None) -> None:
        del event
        if not self.bar.wants_preview or self.busy or not self.isVisible():
            return
        try:
            inputs, parameters = self.inputs(), self.parameters()
        except ValueError:
            return
        layers = self.inputs_form.layers()
        stack, layer = _first_stack(self.tool, inputs, layers)
        index = frame_in_view(self._viewer, layer, stack) if layer and stack else 0
        if index is None:
            self._preview_layers.clear()
            self.bar.say("The frame in view is not one of the chosen frames.")
            return
        self._previewed_layers = layers
        self._previews.ask(partial(self.tool.preview, inputs, parameters, index))

    def _show_preview(self, outcome: Outcome) -> None:
        if not self.bar.wants_preview or self.busy:
            return
        layers = self._previewed_layers
        self._preview_layers.show(
            outcome, lambda role: next(iter(layers.get(role or "", ())), None)
        )
        self.bar.say(" ".join((outcome.summary, *outcome.diagnostics)))

    def _preview_toggled(self, on: bool) -> None:
        if on:
            self._ask_preview()
        else:
            self._previews.drop()
            self._preview_layers.clear()
            self.check()

    # -- what is said ----------------------------------------------------------------------------

    def _show_advice(self, text: str) -> None:
        if not self.bar.wants_preview and self._tabs.currentIndex() == 0:
            self.bar.say(text)

    def _advice_failed(self, failure: Failure) -> None:
        """What cannot be said beforehand cannot be run either."""
        self.bar.set_runnable(failure.sentence())
        self.bar.say(failure.sentence(), None if isinstance(failure.error, ValueError) else failure)

    # -- Qt --------------------------------------------------------------------------------------

    def hideEvent(self, event: Any) -> None:
        """A hidden panel previews nothing."""
        self._previews.drop()
        self._preview_layers.clear()
        super().hideEvent(event)

    def showEvent(self, event: Any) -> None:
        """Preview again, where it was on."""
        super().showEvent(event)
        self._check_soon.start()

    def closeEvent(self, event: Any) -> None:
        """Stop everything."""
        self._check_soon.stop()
        self._runner.cancel()
        self._turns.stop()
        self._advice.drop()
        self._previews.drop()
        self._preview_layers.clear_now()
        self._of_viewer.undo()
        self.inputs_form.close_connections()
        self.view.close_connections()
        super().closeEvent(event)

    def _connect(self) -> None:
        self.inputs_form.changed.connect(self._check_soon.start)
        self.parameters_form.changed.connect(self._check_soon.start)
        self.bar.run_clicked.connect(self.run)
        self.bar.cancel_clicked.connect(self.cancel)
        self.bar.preview_toggled.connect(self._preview_toggled)
        self._runner.progressed.connect(self.bar.show_progress)
        self._runner.returned.connect(self._returned)
        self._runner.failed.connect(self._failed)
        self._runner.cancelled.connect(self._cancelled)
        self._runner.warned.connect(_log.warning)
        self._runner.finished.connect(self._finished)
        self._advice.answered.connect(self._show_advice)
        self._advice.failed.connect(self._advice_failed)
        self._previews.answered.connect(self._show_preview)
        self._previews.failed.connect(self._advice_failed)
        self.result_actions.said.connect(self.bar.say)
        self.result_actions.failed.connect(self._failed)
        self.result_actions.to_disk.connect(self._save_whole)
        self._tabs.currentChanged.connect(self._check_soon.start)
        self._of_viewer = Connections(self)
        self._of_viewer.connect(self._viewer.dims.events.current_step, self._ask_preview)

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
        asked = QWidget()
        inside = QVBoxLayout(asked)
        inside.setContentsMargins(0, 4, 6, 0)
        inside.addWidget(self.inputs_form)
        inside.addWidget(_rule())
        inside.addWidget(self.parameters_form)
        inside.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(asked)
        result = QWidget()
        shown = QVBoxLayout(result)
        shown.setContentsMargins(0, 4, 0, 0)
        shown.addWidget(self.view, 1)
        shown.addWidget(self.result_actions)
        self._tabs = QTabWidget()
        self._tabs.addTab(scroll, "Set up")
        self._tabs.addTab(result, "Result")
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
            self._failed(Failure.of(error))
            return
        if said:
            self._tabs.setCurrentIndex(0)
            self.bar.say(said)


def _docs_page(name: str) -> str:
    """Address of a tool's page; empty where the package names no documentation."""
    urls = metadata("napari-framewise").get_all("Project-URL") or []
    known = dict(url.split(", ", 1) for url in urls)
    place = known.get("Documentation", "").rstrip("/")
    return f"{place}/tools/{name}.html" if place else ""


def _warm_up(tool: Tool[Any]) -> None:
    """Load and compile what the first result needs."""
    import_module(f"{__package__}.results.plots")
    if tool.warm_up is not None:
        tool.warm_up()


def _advice(tool: Tool[Any], inputs: Inputs, parameters: Parameters) -> str:
    """What can be said before running."""
    said = [] if tool.advise is None else [tool.advise(inputs, parameters)]
    return " ".join([*said, tool.plan(inputs, parameters, current_engine()).describe()])


def _first_stack(
    tool: Tool[Any], inputs: Inputs, layers: dict[str, list[Layer]]
) -> tuple[Stack | None, Layer | None]:
    role = tool.inputs[0].name
    return next(iter(inputs.stacks(role)), None), next(iter(layers[role]), None)


def _rule() -> QFrame:
    rule = QFrame()
    rule.setFrameShape(QFrame.Shape.HLine)
    return rule
