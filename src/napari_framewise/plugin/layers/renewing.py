"""Images that change many times a second: written into the layer that shows the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from napari_framewise.framework.outcome import ImageResult, LayerResult
from napari_framewise.plugin.layers.layers_out import (
    lay,
    limits_of,
    metadata_of,
    place_of,
    set_limits,
)
from napari_framewise.plugin.layers.own_slider import on_own_slider

# Larger images change too seldom for a copy to be worth its memory.
_MOST_BYTES = 2**25


def with_own_pixels(result: LayerResult) -> LayerResult:
    """A result whose pixels are nobody else's, so that a layer of them may be written into."""
    if not isinstance(result, ImageResult) or not _small(result.data):
        return result
    return replace(result, data=result.data.copy())


def renewed(
    layer: Layer,
    result: LayerResult,
    like: Layer | None,
    provenance: Mapping[str, Any] | None = None,
) -> bool:
    """Write an image into a layer of `with_own_pixels`; False where it can't show it so.

    A layer made anew, whose data another takes over, has napari go through all layers for each.
    """
    if not isinstance(result, ImageResult) or result.legend is not None:
        return False
    if not isinstance(layer, Labels if result.kind == "labels" else Image):
        return False
    if like is not None:
        result = on_own_slider(result, like)
    old, new = layer.data, result.data
    if not (_small(old) and _small(new) and old.flags.writeable and old.shape == new.shape):
        return False
    if old.dtype != new.dtype or bool(getattr(layer, "rgb", False)) != result.rgb:
        return False
    shown = None if result.rgb or result.kind == "labels" else limits_of(result)
    if shown is None and not result.rgb and result.kind != "labels":
        return False
    np.copyto(old, new)
    if shown is not None:
        set_limits(layer, shown, shown)
    lay(layer, place_of(result.grid, like))
    layer.metadata = metadata_of(result, provenance)
    layer.refresh()
    return True


def _small(data: Any) -> bool:
    return isinstance(data, np.ndarray) and data.nbytes <= _MOST_BYTES
