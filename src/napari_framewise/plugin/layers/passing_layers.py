"""Layers that come and go: a preview of the frame in view, and what a run has so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QObject

from napari_framewise.framework.outcome import LayerResult, Outcome
from napari_framewise.plugin.layers.layers_out import make_layer, put_layer
from napari_framewise.plugin.layers.renewing import renewed, with_own_pixels
from napari_framewise.plugin.running.runner import Turns

_TURN_SECONDS = 0.03


@dataclass(frozen=True, eq=False)
class _Shown:
    """What is to be shown: results, the layers that they lie on, and what comes before them."""

    outcome: Outcome
    layer_of: Callable[[str | None], Layer | None]
    provenance: Mapping[str, Any] | None
    first: Callable[[], None] | None


class PassingLayers(QObject):
    """Layers of one panel that change in place, a few of them in each turn of napari's event loop.

    Neither the selection nor the slider nor the camera moves for them. What is to be shown while
    something else is still being shown waits for that, and only the newest of it does.

    Parameters
    ----------
    named : callable
        The layer's name, from that of the result.
    """

    def __init__(
        self, viewer: ViewerModel, named: Callable[[str], str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._named = named
        self._layers: dict[str, Layer] = {}
        self._next: _Shown | None = None
        self._turns = Turns(self)

    @property
    def busy(self) -> bool:
        """Whether layers are still to come or to go."""
        return self._turns.busy

    def show(
        self,
        outcome: Outcome,
        layer_of: Callable[[str | None], Layer | None],
        provenance: Mapping[str, Any] | None = None,
        first: Callable[[], None] | None = None,
    ) -> None:
        """Show an outcome in place of the last one; what was selected stays selected.

        `first` is called before its layers are.
        """
        self._next = _Shown(outcome, layer_of, provenance, first)
        if not self._turns.busy:
            self._show_next()

    def clear(self) -> None:
        """Take all layers away."""
        self._stop()
        for name in list(self._layers):
            self._turns.add(partial(self._remove, name))

    def clear_now(self) -> None:
        """Take all layers away before anything else happens."""
        self._stop()
        for name in list(self._layers):
            self._remove(name)

    def release(self) -> dict[str, Layer]:
        """Hand the layers over, by result: they come and go no more."""
        self._stop()
        layers = {name: layer for name in self._layers if (layer := self._shown(name)) is not None}
        self._layers = {}
        return layers

    def _stop(self) -> None:
        self._next = None
        self._turns.stop()

    def _show_next(self) -> None:
        shown, self._next = self._next, None
        if shown is None:
            return
        results = shown.outcome.layers
        names = {result.name for result in results}
        actions: list[Callable[[], None]] = [] if shown.first is None else [shown.first]
        actions += [
            partial(self._show, result, shown.layer_of(result.grid.role), shown.provenance)
            for result in results
        ]
        actions += [partial(self._remove, name) for name in self._layers if name not in names]
        self._turns.add(partial(self._some_of, actions))

    def _some_of(self, actions: list[Callable[[], None]]) -> None:
        """What can be done in one turn; the rest comes in further ones, then what waits."""
        began = time.monotonic()
        while actions and time.monotonic() - began < _TURN_SECONDS:
            actions.pop(0)()
        if actions:
            self._turns.add(partial(self._some_of, actions))
        else:
            self._show_next()

    def _shown(self, name: str) -> Layer | None:
        layer = self._layers.get(name)
        return layer if layer is not None and layer in self._viewer.layers else None

    def _show(
        self, result: LayerResult, like: Layer | None, provenance: Mapping[str, Any] | None
    ) -> None:
        viewer, previous = self._viewer, self._shown(result.name)
        shown = replace(result, name=self._named(result.name))
        if previous is not None and renewed(previous, shown, like, provenance):
            return
        selected, active = set(viewer.layers.selection), viewer.layers.selection.active
        step = viewer.dims.current_step
        layer = make_layer(with_own_pixels(shown), like, provenance)
        put = put_layer(viewer, layer, previous)
        self._layers[result.name] = put
        if viewer.dims.current_step != step and len(viewer.dims.current_step) == len(step):
            viewer.dims.current_step = step
        if put is not previous:
            viewer.layers.selection = {layer for layer in selected if layer in viewer.layers}
            if active is not None and active in viewer.layers:
                viewer.layers.selection.active = active

    def _remove(self, name: str) -> None:
        layer = self._shown(name)
        self._layers.pop(name, None)
        if layer is not None:
            self._viewer.layers.remove(layer)
