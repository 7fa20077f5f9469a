"""Layers that come and go: a preview of the frame in view, and what a run has so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QObject

from napari_framewise.framework.outcome import LayerResult, Outcome
from napari_framewise.plugin.layers.layers_out import make_layer, put_layer
from napari_framewise.plugin.running.runner import Turns


class PassingLayers(QObject):
    """Layers of one panel that change in place; napari is given one in each turn of its event loop.

    Neither the selection nor the slider nor the camera moves for them.

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
    ) -> None:
        """Show an outcome in place of the last one; what was selected stays selected."""
        self._turns.stop()
        for result in outcome.layers:
            show = partial(self._show, result, layer_of(result.grid.role), provenance)
            if self._shown(result.name) is None:
                self._turns.add(show)
            else:
                show()
        names = {result.name for result in outcome.layers}
        for name in [name for name in self._layers if name not in names]:
            self._remove(name)

    def clear(self) -> None:
        """Take all layers away."""
        self._turns.stop()
        for name in list(self._layers):
            self._turns.add(partial(self._remove, name))

    def clear_now(self) -> None:
        """Take all layers away before anything else happens."""
        self._turns.stop()
        for name in list(self._layers):
            self._remove(name)

    def release(self) -> dict[str, Layer]:
        """Hand the layers over, by result: they come and go no more."""
        self._turns.stop()
        layers = {name: layer for name in self._layers if (layer := self._shown(name)) is not None}
        self._layers = {}
        return layers

    def _shown(self, name: str) -> Layer | None:
        layer = self._layers.get(name)
        return layer if layer is not None and layer in self._viewer.layers else None

    def _show(
        self, result: LayerResult, like: Layer | None, provenance: Mapping[str, Any] | None
    ) -> None:
        viewer, previous = self._viewer, self._shown(result.name)
        selected, active = set(viewer.layers.selection), viewer.layers.selection.active
        step = viewer.dims.current_step
        layer = make_layer(replace(result, name=self._named(result.name)), like, provenance)
        shown = put_layer(viewer, layer, previous)
        self._layers[result.name] = shown
        if viewer.dims.current_step != step and len(viewer.dims.current_step) == len(step):
            viewer.dims.current_step = step
        if shown is not previous:
            viewer.layers.selection = {layer for layer in selected if layer in viewer.layers}
            if active is not None and active in viewer.layers:
                viewer.layers.selection.active = active

    def _remove(self, name: str) -> None:
        layer = self._shown(name)
        self._layers.pop(name, None)
        if layer is not None:
            self._viewer.layers.remove(layer)
