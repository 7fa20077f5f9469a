"""What is painted, drawn or moved in a layer, of which napari tells in many ways or in none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points, Shapes
from napari.utils.colormaps import DirectLabelColormap

from napari_framewise.plugin.connections import Connections

_PAINTED = ("paint", "labels_update", "data_update")
_SUMMED_BYTES = 2**23


class Edits:
    """Tells when the content of a layer changes.

    Painting tells so itself; undoing a stroke or dragging a vertex only has the layer drawn anew,
    which moving a slider does as well: then the content is compared.

    Parameters
    ----------
    layer : Labels, Points or Shapes
        What may be edited.
    viewer : ViewerModel
        Whose sliders have it drawn anew.
    changed : callable
        Called after each edit.
    connections : Connections
        Keeps the connections to the layer.
    colours : bool
        Whether another colour of a label is an edit too.
    """

    def __init__(
        self,
        layer: Layer,
        viewer: ViewerModel,
        changed: Callable[[], Any],
        connections: Connections,
        colours: bool = False,
    ) -> None:
        self._layer, self._viewer, self._changed = layer, viewer, changed
        self._sum = _sum_of(layer)
        self._view = self._in_view()
        for name in _PAINTED:
            emitter = getattr(layer.events, name, None)
            if emitter is not None:
                connections.connect(emitter, self._painted)
        connections.connect(layer.events.set_data, self._drawn)
        if colours and isinstance(layer, Labels):
            self._inks = _inks_of(layer)
            connections.connect(layer.events.colormap, self._recoloured)

    def _painted(self, event: Any = None) -> None:
        del event
        self._sum = _sum_of(self._layer)
        self._changed()

    def _drawn(self, event: Any = None) -> None:
        del event
        before, self._view = self._view, self._in_view()
        found = _sum_of(self._layer)
        # What is too large to compare changed only where nothing else had it drawn anew.
        changed = found != self._sum if found is not None else before == self._view
        self._sum = found
        if changed:
            self._changed()

    def _recoloured(self, event: Any = None) -> None:
        """Choosing a label tells of a colormap as well: then its colours are compared."""
        del event
        assert isinstance(self._layer, Labels)
        before, self._inks = self._inks, _inks_of(self._layer)
        if self._inks != before:
            self._changed()

    def _in_view(self) -> tuple[Any, ...]:
        dims = self._viewer.dims
        return (dims.point, dims.ndisplay, dims.order, self._layer.visible)


def _inks_of(layer: Labels) -> tuple[Any, ...]:
    """The colours of its labels."""
    colormap = layer.colormap
    if isinstance(colormap, DirectLabelColormap):
        return tuple((label, *map(float, ink)) for label, ink in colormap.color_dict.items())
    return (np.asarray(colormap.colors).tobytes(), getattr(colormap, "seed", 0))


def _sum_of(layer: Layer) -> int | None:
    """A check sum of what a layer holds; None where it is too large for that."""
    if isinstance(layer, Shapes):
        total = crc32(np.asarray(layer.edge_width, np.float64).tobytes())
        for shape in layer.data:
            total = crc32(np.ascontiguousarray(shape).tobytes(), total)
        return total
    data = layer.data
    if isinstance(layer, Points | Labels) and isinstance(data, np.ndarray):
        return crc32(np.ascontiguousarray(data).data) if data.nbytes <= _SUMMED_BYTES else None
    return 0
