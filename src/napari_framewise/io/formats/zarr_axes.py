"""What zarr says of axes: OME-Zarr 0.4 and 0.5, names of dimensions, xarray, HyperSpy.

OME-Zarr after the specification at https://ngff.openmicroscopy.org (Moore et al. 2021).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import zarr

from napari_framewise.io.formats.guessing import guessed_axes
from napari_framewise.io.formats.no_data import no_data_values, numbers_of
from napari_framewise.io.formats.positions import LONGEST_POSITIONS, axis_along
from napari_framewise.io.formats.zarr_tree import Node, node_at
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.sources.zarrs import open_array
from napari_framewise.stacks.units import PIXEL, calibrated, unit_name


def ome_axes(
    image: Mapping[str, Any], level: Mapping[str, Any], shape: Sequence[int], dtype: np.dtype[Any]
) -> tuple[tuple[Axis, ...], tuple[str, ...]]:
    """Axes with the steps of one resolution, then those that hold for all resolutions.

    A step that is impossible (0, not finite) counts as none.
    """
    ndim = len(shape)
    said = image.get("axes")
    described = said if isinstance(said, list) and len(said) == ndim else [None] * ndim
    names = [_name(axis) for axis in described]
    guessed, remarks = guessed_axes(shape, dtype)
    if all(names):
        remarks = ()
    scale, translate = np.ones(ndim), np.zeros(ndim)
    for step in (*_steps(level), *_steps(image)):
        factor, offset = _vector(step, "scale", ndim), _vector(step, "translation", ndim)
        if factor is not None:
            scale, translate = scale * factor, translate * factor
        elif offset is not None:
            translate = translate + offset
    axes = []
    for number, axis in enumerate(described):
        unit = unit_name(axis.get("unit")) if isinstance(axis, Mapping) else None
        size = abs(float(scale[number]))
        possible = 0 < size < math.inf
        origin = float(translate[number]) if possible else 0.0
        axes.append(
            Axis(
                names[number] or guessed[number].name,
                size if possible else 1.0,
                origin if math.isfinite(origin) else 0.0,
                (unit or PIXEL) if possible else PIXEL,
            )
        )
    return tuple(axes), remarks


def named_axes(
    path: str, node: Node, array: zarr.Array[Any], parent: str
) -> tuple[tuple[Axis, ...], tuple[str, ...]]:
    """Axes by names of dimensions and the coordinates beside them, or of HyperSpy."""
    group = node_at(path, parent) if node.key else None
    hyperspy = _hyperspy(path, parent, array.ndim) if group is not None else None
    if hyperspy is not None:
        return hyperspy, ()
    given: Any = getattr(array.metadata, "dimension_names", None)
    given = given or node.attributes.get("_ARRAY_DIMENSIONS") or ()
    guessed, remarks = guessed_axes(array.shape, np.dtype(array.dtype))
    if not isinstance(given, (list, tuple)) or len(given) != array.ndim or not any(given):
        return guessed, remarks
    defaults = default_axis_names(array.ndim, rgb=False)
    axes = []
    for name, default, length in zip(given, defaults, array.shape, strict=True):
        along = _coordinate(path, parent, str(name), length) if name and group else None
        axes.append(along or Axis(str(name or default)))
    return tuple(axes), ()


def no_data_of(
    attributes: Mapping[str, Any], fill: object, dtype: np.dtype[Any]
) -> tuple[float, ...]:
    """Values that stand for no data: those declared, and a fill value other than the usual 0."""
    declared = no_data_values(attributes, dtype)
    return declared or tuple(each for each in numbers_of([fill], dtype) if each != 0)


def _hyperspy(path: str, parent: str, ndim: int) -> tuple[Axis, ...] | None:
    axes = []
    for number in range(ndim):
        node = node_at(path, f"{parent}/axis-{number}".strip("/"))
        if node is None:
            return None
        said = node.attributes
        name = str(said.get("name") or f"axis {number}")
        axes.append(calibrated(name, said.get("scale"), said.get("units"), said.get("offset", 0)))
    return tuple(axes)


def _coordinate(path: str, parent: str, name: str, length: int) -> Axis | None:
    """The axis that an array of positions beside the data describes, as xarray writes them."""
    node = node_at(path, f"{parent}/{name}".strip("/"))
    if node is None or not node.is_array:
        return None
    try:
        array = open_array(path, node.key)
        if array.ndim != 1 or array.shape[0] != length or length > LONGEST_POSITIONS:
            return None
        if np.dtype(array.dtype).kind not in "uif" or array.chunks[0] > LONGEST_POSITIONS:
            return None
        return axis_along(np.asarray(array[:]), name, str(node.attributes.get("units", "")))
    except Exception:  # noqa: BLE001 - damaged positions take nothing from the pixels
        return None


def _name(axis: Any) -> str:
    name = axis.get("name") if isinstance(axis, Mapping) else axis
    return name if isinstance(name, str) else ""


def _steps(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    steps = said.get("coordinateTransformations")
    return [step for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []


def _vector(step: Mapping[str, Any], kind: str, ndim: int) -> Any:
    values = step.get(kind)
    if step.get("type") != kind or not isinstance(values, list) or len(values) != ndim:
        return None
    try:
        return np.array([float(value) for value in values])
    except (TypeError, ValueError, OverflowError):
        return None
