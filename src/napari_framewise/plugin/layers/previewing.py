"""When a panel previews, and of which frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_framewise.engine.job import one_blas_thread
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.forms.setup_form import SetupForm
from napari_framewise.plugin.layers.layers_in import frame_in_view
from napari_framewise.plugin.layers.layers_out import PREVIEW_PREFIX
from napari_framewise.plugin.layers.passing_layers import PassingLayers
from napari_framewise.plugin.layers.view import InView, in_view
from napari_framewise.plugin.running.runner import Latest
from napari_framewise.stacks.stack import Stack

_REST_MS = 80


class Previewing(QObject):
    """Asks for the preview of the frame in view, and shows it while it is wanted."""

    said = Signal(str)
    failed = Signal(object)
    rested = Signal()

    def __init__(
        self, viewer: ViewerModel, tool: Tool[Any], setup: SetupForm, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._tool, self._setup = viewer, tool, setup
        self._layers = PassingLayers(viewer, lambda name: f"{PREVIEW_PREFIX}{name}", self)
        self._previewed: dict[str, list[Layer]] = {}
        self._latest = Latest(self, settle_ms=0)
        # Apart, so that a quick answer never waits for an exact one.
        self._exact = Latest(self)
        self._refined: Callable[[], Outcome] | None = None
        self._rested = QTimer(self)
        self._rested.setSingleShot(True)
        self._rested.setInterval(_REST_MS)
        self._rested.timeout.connect(self.rested)
        self._latest.answered.connect(self._show)
        self._latest.failed.connect(self.failed)
        self._exact.answered.connect(self._show)
        self._exact.failed.connect(self.failed)

    @property
    def busy(self) -> bool:
        """Whether a preview is still to come or to go."""
        return self._latest.busy or self._exact.busy or self._layers.busy

    def ask(self, given: tuple[Inputs, Parameters] | None = None) -> None:
        """Preview the frame in view, in place of what was asked before.

        `given` is what stands in the form, where somebody has just read it.
        """
        try:
            inputs, parameters = given or (self._setup.inputs(), self._setup.parameters())
        except ValueError:
            return
        layers = self._setup.layers()
        stack, layer = _first_stack(self._tool, inputs, layers)
        index = frame_in_view(self._viewer, layer, stack) if layer and stack else 0
        if index is None:
            self.clear()
            self.said.emit("The frame in view is not one of the chosen frames.")
            return
        self._previewed = layers
        seen = None
        if self._tool.halo is not None and stack is not None and layer is not None:
            seen = in_view(self._viewer, layer, stack)
        self._exact.drop()
        self._refined = None
        if self._tool.refine is not None:
            self._refined = partial(self._tool.refine, inputs, parameters, index)
        self._latest.ask(partial(preview_of, self._tool, inputs, parameters, index, seen))

    def view_moved(self) -> None:
        """Preview again, once the view rests, where what is in view decides what is computed."""
        if self._tool.halo is not None:
            self._rested.start()

    def drop(self) -> None:
        """Forget what was asked."""
        self._latest.drop()
        self._exact.drop()
        self._refined = None

    def clear(self) -> None:
        """Forget what was asked, and take the preview layers away."""
        self.drop()
        self._layers.clear()

    def close(self) -> None:
        """The same before anything else happens; nothing is compiled for it any more."""
        self._latest.close()
        self._exact.close()
        self._layers.clear_now()

    def _show(self, outcome: Outcome) -> None:
        layers = self._previewed
        self._layers.show(outcome, lambda role: next(iter(layers.get(role or "", ())), None))
        self.said.emit(" ".join((outcome.summary, *outcome.diagnostics)))
        refined, self._refined = self._refined, None
        if refined is not None:
            self._exact.ask(refined)


def preview_of(
    tool: Tool[Any], inputs: Inputs, parameters: Parameters, index: int, seen: InView | None
) -> Outcome:
    """The preview of a frame; what is left open is settled by all of it, not by what is in view."""
    parameters = tool.settled(inputs, parameters)
    halo = None if tool.halo is None else tool.halo(parameters)
    part = None if seen is None or halo is None else seen.part(halo)
    if part is not None:
        inputs = inputs.with_stack(tool.inputs[0].name, part.stack)
    with one_blas_thread():
        outcome = tool.preview(inputs, parameters, index)
    if part is None:
        return outcome
    trimmed = part.trimmed(outcome)
    notes = (*trimmed.diagnostics, part.note) if part.note else trimmed.diagnostics
    return replace(trimmed, diagnostics=notes)


def _first_stack(
    tool: Tool[Any], inputs: Inputs, layers: dict[str, list[Layer]]
) -> tuple[Stack | None, Layer | None]:
    if not tool.inputs:
        return None, None
    role = tool.inputs[0].name
    return next(iter(inputs.stacks(role)), None), next(iter(layers[role]), None)
