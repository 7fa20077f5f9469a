"""Preview layers: what a run would give for the frame in view; they come and go together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from napari.components import ViewerModel
from napari.layers import Layer

from ..tools.outcome import Outcome
from .layers_out import PREVIEW_PREFIX, make_layer, put_layer


class PreviewLayers:
    """The preview layers of one panel."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: dict[str, Layer] = {}

    def show(self, outcome: Outcome, like: Callable[[str | None], Layer | None]) -> None:
        """Show an outcome in place of the last one; what was selected stays selected."""
        viewer = self._viewer
        selected, active = set(viewer.layers.selection), viewer.layers.selection.active
        step = viewer.dims.current_step
        shown: dict[str, Layer] = {}
        for result in outcome.layers:
            named = replace(result, name=f"{PREVIEW_PREFIX}{result.name}")
            layer = make_layer(named, like(result.placing.like))
            previous = self._layers.pop(result.name, None)
            shown[result.name] = put_layer(viewer, layer, previous)
        self.clear()
        self._layers = shown
        if len(viewer.dims.current_step) == len(step):
            viewer.dims.current_step = step
        viewer.layers.selection = {layer for layer in selected if layer in viewer.layers}
        if active is not None and active in viewer.layers:
            viewer.layers.selection.active = active

    def clear(self) -> None:
        """Take all preview layers away."""
        layers, self._layers = self._layers, {}
        for layer in layers.values():
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
