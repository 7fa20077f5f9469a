"""A table of frames as a points layer: one point per frame, its features the table's row."""

from __future__ import annotations

import numpy as np
from napari.layers import Layer

from napari_framewise.framework.outcome import Plot, PointsResult, Table
from napari_framewise.plugin.layers.layers_in import axes_of
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Stack


def points_of_table(
    table: Table, stack: Stack, layer: Layer, role: str, plots: tuple[Plot, ...] = ()
) -> PointsResult:
    """Points at the middle of each frame, showing the first curve's value of the frame in view.

    Parameters
    ----------
    table : Table
        One row per frame, with the column "frame": the frame's number in the whole stack.
    stack : Stack
        The frames.
    layer : Layer
        The layer that holds them, in pixels of which the points lie.
    role : str
        The role that layer stood in.
    plots : tuple of Plot
        The plots over the table; the first one's first curve is shown as text.
    """
    positions = np.zeros((len(table), layer.ndim))
    for axis, length, placed in zip(
        stack.image_axes, stack.frame_shape, stack.grid.axes, strict=True
    ):
        if axis < layer.ndim:
            whole = stack.axes[axis]
            start = (placed.translate - whole.translate) / whole.scale
            positions[:, axis] = start + (length - 1) / 2
    lengths = [stack.source.shape[axis] for axis in stack.frame_axes]
    if lengths:
        numbers = np.asarray(table.columns["frame"], dtype=int)
        places = np.unravel_index(numbers, lengths)
        for axis, place in zip(stack.frame_axes, places, strict=True):
            positions[:, axis] = place
    return PointsResult(
        f"{stack.name} {table.name}",
        positions,
        Grid(axes_of(layer), role=role),
        features=table,
        text=_text(table, plots),
    )


def _text(table: Table, plots: tuple[Plot, ...]) -> str | None:
    curves = [curve for plot in plots if plot.table == table.name for curve in plot.curves]
    if not curves:
        return None
    return f"{curves[0].y} = {{{curves[0].y}:.4f}}"
