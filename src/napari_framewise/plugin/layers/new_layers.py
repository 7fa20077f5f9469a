"""Empty layers to draw in, exactly on the pixels of another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Points, Shapes

from napari_framewise.framework.inputs import Kind
from napari_framewise.framework.outcome import PointsResult, ShapesResult
from napari_framewise.plugin.layers.geometry import shear_matrix, stands_apart
from napari_framewise.plugin.layers.layers_in import axes_of, stack_of_layer
from napari_framewise.plugin.layers.layers_out import make_layer
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid


def new_layer_on(kind: Kind, layer: Layer, title: str) -> Layer:
    """An empty layer on the frames of another, ready to be drawn in.

    It has the axes of one frame, so that it holds for all frames, where those are the layer's last
    ones and the layer is not turned out of them; else all of the layer's axes.

    Parameters
    ----------
    kind : Kind
        LABELS, SHAPES or POINTS.
    layer : Layer
        What it lies on.
    title : str
        What it is for.
    """
    stack = stack_of_layer(layer)
    inside = [axis for axis in stack.image_axes if axis != stack.channel_axis]
    last = list(range(layer.ndim - len(inside), layer.ndim))
    count = len(inside) if inside == last and stands_apart(layer, len(inside)) else layer.ndim
    part = slice(layer.ndim - count, layer.ndim)
    options: dict[str, Any] = {
        "name": f"{title} of {layer.name}",
        "scale": np.asarray(layer.scale)[part],
        "translate": np.asarray(layer.translate)[part],
        "rotate": np.asarray(layer.rotate)[part, part],
        "shear": shear_matrix(layer.shear, layer.ndim)[part, part],
        "affine": _affine(layer, part),
        "units": layer.units[part],
        "axis_labels": layer.axis_labels[part],
    }
    if kind is Kind.LABELS:
        shape = np.array(stack.source.shape[: layer.ndim])
        shape[[axis for axis in range(layer.ndim) if axis not in inside]] = 1
        labels = Labels(np.zeros(shape[part], np.uint16), opacity=0.5, **options)
        labels.mode = "paint"
        return labels
    if kind is Kind.SHAPES:
        shapes = Shapes(ndim=count, edge_color="yellow", face_color="#ffff0040", **options)
        shapes.mode = "add_polygon"
        return shapes
    points = Points(ndim=count, face_color="transparent", border_color="yellow", **options)
    points.mode = "add"
    return points


def drawn_layer(drawn: PointsResult | ShapesResult, under: Layer | None) -> Layer:
    """Points or shapes of a file as a layer, on the pixels of the layer that they are given with.

    Axes that say nothing of where they lie are the other layer's.
    """
    if under is None:
        return make_layer(drawn)
    axes, count = drawn.grid.axes, len(drawn.grid.axes)
    if count <= under.ndim and all(axis == Axis(axis.name) for axis in axes):
        axes = axes_of(under)[under.ndim - count :]
    return make_layer(replace(drawn, grid=Grid(axes, role="under")), under)


def _affine(layer: Layer, part: slice) -> Any:
    whole = np.asarray(layer.affine.affine_matrix)
    count = part.stop - part.start
    affine = np.eye(count + 1)
    affine[:count, :count], affine[:count, count] = whole[part, part], whole[part, -1]
    return affine
