"""Layers without units beside layers that have them: napari draws all in one set of units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from pint import get_application_registry

from napari_framewise.plugin.layers.layers_in import METADATA_KEY, OWN_UNITS


def join_view(layer: Layer, viewer: ViewerModel) -> None:
    """Give axes in pixels the units of the axes that they are drawn along, and note their own.

    napari lines axes up from the last, and draws nothing in units where two have other dimensions:
    a matrix, whose rows are images, beside a stack in micrometres.
    """
    shown = viewer.layers.extent.units
    if shown is None:
        return
    pixel = get_application_registry().Unit("pixel")
    units, changed = list(layer.units), False
    for back in range(1, min(len(units), len(shown)) + 1):
        if units[-back] == pixel and shown[-back].dimensionality != pixel.dimensionality:
            units[-back], changed = shown[-back], True
    if not changed:
        return
    noted = layer.metadata.get(METADATA_KEY, {})
    own: Mapping[str, Any] = noted if isinstance(noted, Mapping) else {}
    layer.metadata[METADATA_KEY] = {**own, OWN_UNITS: list(map(str, layer.units))}
    layer.units = units
