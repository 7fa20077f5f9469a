"""Layers as inputs: what a tool reads of a layer, and which frame of it is in view."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points, Shapes
from pint import DimensionalityError

from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.io import can_open, open_stack
from napari_framewise.plugin.layers.geometry import pixels_of
from napari_framewise.plugin.layers.legends import legend_from
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import ArraySource
from napari_framewise.stacks.sources.resampled import NearestSource
from napari_framewise.stacks.stack import Origin, Stack, stack_of

METADATA_KEY = "framewise"
OWN_UNITS = "units"
"""In that metadata: units of a layer that is drawn in those of what lies beside it."""
COPIED_BYTES = 2**26
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
    stack = stack_of(
        data,
        axes=[axis.name for axis in axes],
        scale=[axis.scale for axis in axes],
        translate=[axis.translate for axis in axes],
        units=[axis.unit for axis in axes],
        rgb=rgb,
        name=layer.name,
        no_data=_no_data_of(layer),
    )
    legend = legend_from(layer.colormap, layer.features) if isinstance(layer, Labels) else None
    return replace(stack, remarks=_remarks_of(layer), legend=legend)


def _remarks_of(layer: Layer) -> tuple[str, ...]:
    """What there is to say of the file that a layer shows."""
    noted = layer.metadata.get(METADATA_KEY, {})
    said = noted.get("remarks") if isinstance(noted, Mapping) else None
    return tuple(map(str, said)) if isinstance(said, (list, tuple)) else ()


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
    units = own_units(layer.metadata, map(str, layer.units))
    places = zip(names, layer.scale, layer.translate, units, strict=True)
    return tuple(
        Axis(name, float(scale), float(translate), unit) for name, scale, translate, unit in places
    )


def own_units(metadata: Mapping[str, Any], drawn: Iterable[str]) -> list[str]:
    """Units of a layer's axes, from its metadata where it is drawn in others."""
    noted = metadata.get(METADATA_KEY, {})
    shown = list(drawn)
    own = noted.get(OWN_UNITS) if isinstance(noted, Mapping) else None
    return list(own) if isinstance(own, (list, tuple)) and len(own) == len(shown) else shown


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


def tool_of(layer: Layer) -> str:
    """Name of the tool that made a layer; empty for any other layer."""
    noted = layer.metadata.get(METADATA_KEY, {})
    return str(noted.get("tool", "")) if made_by_tool(layer) else ""


def as_painted(stack: Stack, layer: Layer) -> Stack:
    """Labels as they are now, whatever is painted later, with their file where it holds just them.

    What is too large to be copied is read during the run.
    """
    if isinstance(stack.source, NearestSource):
        return stack
    if stack.source.paths or _size(stack) > COPIED_BYTES:
        return with_origin(stack, layer)
    kept = replace(stack, source=ArraySource(np.array(_whole(stack))))
    told = with_origin(kept, layer)
    origin = told.origin
    if origin is None or origin.path is None:
        return kept
    try:
        filed = open_stack(origin.path, key=origin.key, pattern=origin.pattern)
        same = filed.source.shape == kept.source.shape and np.array_equal(
            _whole(filed), _whole(kept)
        )
    except (OSError, ValueError):
        same = False
    return told if same else kept


def _size(stack: Stack) -> int:
    return math.prod(stack.source.shape) * stack.dtype.itemsize


def _whole(stack: Stack) -> Any:
    return stack.source.read(tuple(slice(0, length) for length in stack.source.shape))


def labels_on(layer: Layer, under: Layer) -> Stack:
    """The labels of a layer on the pixel grid of another, from the nearest pixels.

    Where both lie on the same grid, or differ only in the axes that one of them has, these are the
    layer's own.

    Raises
    ------
    ValueError
        Where the other layer is turned along an axis that this one does not have.
    """
    stack = stack_of_layer(layer)
    onto = None if bool(getattr(layer, "rgb", False)) else pixels_of(layer, under)
    if onto is None:
        return stack
    ours, shared = layer.ndim, onto.shape[0] - 1
    # Axes that only the labels have, such as time, stay as they are.
    whole = np.eye(ours + 1)
    whole[ours - shared :, :] = onto
    sizes = under.data[0].shape if getattr(under, "multiscale", False) else under.data.shape
    sizes = sizes[: under.ndim][under.ndim - shared :]
    places = axes_of(under)[under.ndim - shared :]
    axes = (*stack.axes[: ours - shared], *places)
    source = NearestSource(
        stack.source, (*stack.source.shape[: ours - shared], *sizes), np.linalg.inv(whole)
    )
    return replace(stack, source=source, axes=axes)


def points_of_layer(layer: Points, under: Layer | None = None) -> PointsResult:
    """The points of a layer with their features and colours.

    Parameters
    ----------
    layer : Points
        What was drawn.
    under : Layer, optional
        The layer in whose pixels they are wanted, whatever transforms both have.
    """
    data, placing = _on(np.asarray(layer.data, np.float64), layer, under)
    colours = np.array(layer.face_color, np.float64).reshape(-1, 4)
    return PointsResult(layer.name, data, placing, _features_of(layer), colours=colours)


def shapes_of_layer(layer: Shapes, under: Layer | None = None) -> ShapesResult:
    """The shapes of a layer, of any types, with their features, colours and widths.

    Parameters
    ----------
    layer : Shapes
        What was drawn.
    under : Layer, optional
        The layer in whose pixels they are wanted, whatever transforms both have.
    """
    counts = np.cumsum([len(shape) for shape in layer.data])
    joined = np.concatenate([np.empty((0, layer.ndim)), *layer.data])
    data, placing = _on(joined, layer, under)
    sizes = _size_on(layer, under)
    kinds = tuple(layer.shape_type)
    return ShapesResult(
        layer.name,
        [each.copy() for each in np.split(data, counts[:-1])] if len(counts) else [],
        placing,
        kinds[0] if len(set(kinds)) == 1 else kinds or "path",
        _features_of(layer),
        np.array(layer.edge_color, np.float64).reshape(-1, 4),
        np.array(layer.face_color, np.float64).reshape(-1, 4),
        np.array(layer.edge_width, np.float64) * sizes,
    )


def _size_on(layer: Layer, under: Layer | None) -> float:
    """Pixels of the layer under it in one of a layer's, the mean of rows and columns."""
    onto = None if under is None else pixels_of(layer, under)
    if onto is None:
        return 1.0
    linear = onto[-3:-1, -3:-1]
    return float(np.sqrt(abs(np.linalg.det(linear))))


def _on(data: Any, layer: Layer, under: Layer | None) -> tuple[Any, Grid]:
    """Coordinates of a layer as those of the layer under it, along the axes that both have."""
    onto = None if under is None else pixels_of(layer, under)
    if onto is None:
        same = under if under is not None and under.ndim == layer.ndim else layer
        return data.copy(), Grid(axes_of(same))
    assert under is not None
    mapped = data @ onto[:-1, :-1].T + onto[:-1, -1]
    return mapped, Grid(axes_of(under)[under.ndim - mapped.shape[1] :])


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
