"""Results along an axis of their own, such as spectra: on a slider of their own as well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from napari.layers import Layer

from napari_framewise.framework.outcome import ImageResult
from napari_framewise.plugin.layers.layers_in import axes_of
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid


def on_own_slider(result: ImageResult, like: Layer) -> ImageResult:
    """A result whose first axis is not one of its input's, so that both have a slider each.

    napari lays layers on each other by their last axes: four abundances would share the slider of
    sixteen bands and be gone beyond the fourth. Each axis that only the input has is added as one
    pixel that is as long as that whole axis, so that the result is seen all along it.

    Parameters
    ----------
    result : ImageResult
        What is to be shown.
    like : Layer
        The layer on whose pixels it lies.
    """
    grid, data = result.grid, result.data
    ours, theirs = grid.names, axes_of(like)
    own = [name for name in ours if name not in [axis.name for axis in theirs]]
    missing = [(n, axis) for n, axis in enumerate(theirs) if axis.name not in ours]
    # Chosen frames are counted anew along "frame", which stands for the input's own axes.
    simple = isinstance(data, np.ndarray) and grid.moved is None and own != ["frame"]
    if not own or not missing or not simple or list(ours[: len(own)]) != own:
        return result
    whole = like.data[0] if getattr(like, "multiscale", False) else like.data
    longs = tuple(
        Axis(
            axis.name,
            axis.scale * whole.shape[n],
            axis.translate + axis.scale * (whole.shape[n] - 1) / 2,
            axis.unit,
        )
        for n, axis in missing
    )
    count = len(own)
    place = (slice(None),) * count + (None,) * len(longs)
    axes = (*grid.axes[:count], *longs, *grid.axes[count:])
    return replace(result, data=data[place], grid=Grid(axes, role=grid.role))
