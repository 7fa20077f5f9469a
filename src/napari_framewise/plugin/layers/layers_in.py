"""Layers as inputs: what a tool reads of a layer, and which frame of it is in view."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Points, Shapes
from pint import DimensionalityError

from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.io import can_open, open_stack
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.sources.view import SourceView
from napari_framewise.stacks.stack import Origin, Stack, stack_of

METADATA_KEY = "framewise"
_UNNAMED = re.compile(r"(axis )?-?\d+")


def stack_of_layer(layer: Layer) -> Stack:
    """The stack that an image or labels layer holds; nothing of its pixels is read.

    Of a multiscale layer the full resolution is taken.

    Raises
    ------
    ValueError
        Where the layer holds no real numbers.
    """
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    rgb = bool(getattr(layer, "rgb", False))
    axes = axes_of(layer)
    if rgb:
        axes = (*axes, Axis("c"))
    return stack_of(
        data.source if isinstance(data, SourceView) else data,
        axes=[axis.name for axis in axes],
        scale=[axis.scale for axis in axes],
        translate=[axis.translate for axis in axes],
        units=[axis.unit for axis in axes],
        rgb=rgb,
        name=layer.name,
        no_data=_no_data_of(layer),
    )


def _no_data_of(layer: Layer) -> float | None:
    """The value that a layer's file says stands for missing pixels."""
    noted = layer.metadata.get(METADATA_KEY, {})
    value = noted.get("no_data") if isinstance(noted, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def axes_of(layer: Layer) -> tuple[Axis, ...]:
    """The axes of a layer's data, without the components of a colour."""
    names = [str(name) for name in layer.axis_labels]
    if all(_UNNAMED.fullmatch(name) for name in names):
        names = list(default_axis_names(layer.ndim, rgb=False))
    units = (str(unit) for unit in layer.units)
    places = zip(names, layer.scale, layer.translate, units, strict=True)
    return tuple(
        Axis(name, float(scale), float(translate), unit) for name, scale, translate, unit in places
    )


def with_origin(stack: Stack, layer: Layer) -> Stack:
    """The stack with the file or sample that stands behind its layer, where one does."""
    if stack.origin is not None:
        return stack
    noted = layer.metadata.get(METADATA_KEY, {})
    origin = noted.get("origin") if isinstance(noted, Mapping) else None
    if isinstance(origin, Mapping):
        origin = Origin(**origin)
    if isinstance(origin, Origin):
        return replace(stack, origin=origin)
    path = layer.source.path
    if path and _holds_the_same(path, stack):
        return replace(stack, origin=Origin(path=str(path)))
    return stack


def _holds_the_same(path: str, stack: Stack) -> bool:
    """Whether our own reader gives an array of this shape and type for a path."""
    try:
        if not can_open(path):
            return False
        source = open_stack(path).source
    except (OSError, ValueError):
        return False
    return source.shape == stack.source.shape and source.dtype == stack.source.dtype


def part_of(layer: Layer) -> str:
    """The role that a layer of a sample was made for; empty where nothing is noted."""
    noted = layer.metadata.get(METADATA_KEY, {})
    return str(noted.get("part", "")) if isinstance(noted, Mapping) else ""


def made_by_tool(layer: Layer) -> bool:
    """Whether a layer is the result of a tool, which is never an input unless somebody says so."""
    noted = layer.metadata.get(METADATA_KEY, {})
    return isinstance(noted, Mapping) and "result" in noted


def points_of_layer(layer: Points) -> PointsResult:
    """The points of a layer with their features."""
    return PointsResult(
        layer.name, np.asarray(layer.data), Grid(axes_of(layer)), _features_of(layer)
    )


def shapes_of_layer(layer: Shapes) -> ShapesResult:
    """The shapes of a layer with their features."""
    kinds = set(layer.shape_type) or {"path"}
    if len(kinds) > 1:
        raise ValueError(
            f"{layer.name} holds {' and '.join(sorted(kinds))} shapes; shapes of one type are "
            "needed."
        )
    data = [np.asarray(shape) for shape in layer.data]
    return ShapesResult(layer.name, data, Grid(axes_of(layer)), kinds.pop(), _features_of(layer))


def _features_of(layer: Layer) -> Table | None:
    features = layer.features
    if features.empty:
        return None
    columns = {str(name): features[name].to_numpy() for name in features.columns}
    return Table(f"{layer.name} features", "object", columns)


def frame_in_view(viewer: ViewerModel, layer: Layer, stack: Stack) -> int | None:
    """Number of the frame that the slider stands on; None where it is not one of the chosen."""
    if not stack.frame_axes:
        return 0
    # World coordinates are in the viewer's units, a layer's transform is in its own.
    factors = _units_ratio(viewer, layer)
    point = np.asarray(viewer.dims.point, dtype=float)
    point = point[-len(factors) :] * factors if len(point) >= len(factors) else point
    position = np.rint(np.asarray(layer.world_to_data(point))).astype(int)
    for axis in stack.frame_axes:
        if axis >= len(position) or not 0 <= position[axis] < stack.source.shape[axis]:
            return None
    return stack.frame_number(position.tolist())


def show_frame(viewer: ViewerModel, layer: Layer, stack: Stack, index: int) -> None:
    """Move the sliders to a frame of a layer's stack."""
    if not stack.frame_axes:
        return
    position = np.zeros(layer.ndim)
    for axis, place in stack.frame_position(index).items():
        position[axis] = place
    world = np.asarray(layer.data_to_world(position)) / _units_ratio(viewer, layer)
    offset = viewer.dims.ndim - layer.ndim
    axes = [axis for axis in stack.frame_axes if axis < layer.ndim]
    viewer.dims.set_point([axis + offset for axis in axes], [world[axis] for axis in axes])


def _units_ratio(viewer: ViewerModel, layer: Layer) -> np.ndarray[Any, Any]:
    """Layer units per viewer unit along each axis of the layer."""
    shown: Sequence[Any] = viewer.dims.units or layer.units
    ratios = np.ones(layer.ndim)
    pairs = zip(reversed(shown), reversed(layer.units), strict=False)
    try:
        for number, (of_viewer, of_layer) in enumerate(pairs, start=1):
            if of_viewer != of_layer:
                ratios[-number] = (1 * of_viewer).to(of_layer).magnitude
    except DimensionalityError:
        # Seconds beside pixels: napari then takes no notice of any unit.
        return np.ones(layer.ndim)
    return ratios
