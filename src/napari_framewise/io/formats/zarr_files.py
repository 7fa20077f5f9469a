"""Zarr folders: plain arrays, groups, and OME-Zarr 0.4 and 0.5 with axes, scale and units.

OME-Zarr after the specification at https://ngff.openmicroscopy.org (Moore et al. 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import zarr

from napari_framewise.io.formats.candidates import Candidate, choose
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.sources.zarrs import ZarrSource
from napari_framewise.stacks.units import PIXEL, unit_name

_LOOKED_AT = 200


@dataclass(frozen=True)
class ZarrImage:
    """An array with what its groups say of it.

    Attributes
    ----------
    source : ZarrSource
        Its pixels.
    axes : tuple of Axis
        Its axes.
    rgb : bool
        The last axis holds colour components, as our own results note.
    complete : bool
        False where it is a result of ours that was not written to its end.
    """

    source: ZarrSource
    axes: tuple[Axis, ...]
    rgb: bool = False
    complete: bool = True
    remarks: tuple[str, ...] = ()


def open_zarr(path: str, key: str | None) -> ZarrImage:
    """An array in a zarr folder; of an OME-Zarr image the full resolution.

    Raises
    ------
    ValueError
        Where the folder is no zarr, holds no array, or several and no key was given.
    """
    group, place, inside = _opened(path), "", ""
    if isinstance(group, zarr.Array):
        return ZarrImage(_source(path, "", group), _named_axes(group))
    wanted = (key or "").strip("/")
    if wanted and wanted in group:
        place = wanted
        if isinstance(group[wanted], zarr.Array):
            place, _, inside = wanted.rpartition("/")
        group = _group(group, place)
    image = _image(group)
    levels = {str(level["path"]): level for level in image["datasets"]} if image else {}
    inside = inside or next(iter(levels), "") or choose(path, _arrays(group), key).key
    array = group[inside]
    if not isinstance(array, zarr.Array):
        raise ValueError(f"{path}: {inside} is no array; give the name of an array as key.")
    level = levels.get(inside)
    axes = _ome_axes(image, level, array.ndim) if image and level else _named_axes(array)
    ours: Any = group.attrs.get("framewise") or {}
    return ZarrImage(
        _source(path, f"{place}/{inside}".strip("/"), array),
        axes,
        bool(ours.get("rgb")),
        bool(ours.get("complete", True)),
    )


def _group(top: zarr.Group, place: str) -> zarr.Group:
    node = top[place] if place else top
    return node if isinstance(node, zarr.Group) else top


def _opened(path: str) -> zarr.Array[Any] | zarr.Group:
    try:
        return zarr.open(path, mode="r")
    except Exception as error:  # noqa: BLE001
        # The metadata of a damaged folder fail in as many ways as there are fields.
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise ValueError(f"{path} can't be read as zarr ({reason}); give a whole folder.") from None


def _source(path: str, place: str, array: zarr.Array[Any]) -> ZarrSource:
    chunks = tuple(int(length) for length in array.chunks)
    return ZarrSource(path, place, tuple(array.shape), np.dtype(array.dtype).str, chunks)


def _arrays(group: zarr.Group) -> list[Candidate]:
    """Arrays of a group and the groups in it, the first of them where there are very many."""
    members = islice(group.members(max_depth=None), _LOOKED_AT)
    return [
        Candidate(name, tuple(node.shape), np.dtype(node.dtype))
        for name, node in members
        if isinstance(node, zarr.Array)
    ]


def _image(group: zarr.Group) -> dict[str, Any] | None:
    """The description of an OME-Zarr image: under "ome" since 0.5."""
    attributes: dict[str, Any] = dict(group.attrs)
    images = attributes.get("ome", attributes).get("multiscales")
    return images[0] if images else None


def _ome_axes(image: Mapping[str, Any], level: Mapping[str, Any], ndim: int) -> tuple[Axis, ...]:
    """Axes with the steps of one resolution, then those that hold for all resolutions."""
    described = image.get("axes") or ()
    names = [axis if isinstance(axis, str) else axis["name"] for axis in described]
    if len(names) != ndim:
        names = list(default_axis_names(ndim, rgb=False))
    written = [axis.get("unit") for axis in described if isinstance(axis, Mapping)]
    units = [unit_name(unit) for unit in written] if len(written) == ndim else [None] * ndim
    scale, translate = np.ones(ndim), np.zeros(ndim)
    own = level.get("coordinateTransformations") or ()
    for step in (*own, *(image.get("coordinateTransformations") or ())):
        if step.get("type") == "scale" and len(step.get("scale", ())) == ndim:
            scale = scale * step["scale"]
            translate = translate * step["scale"]
        elif step.get("type") == "translation" and len(step.get("translation", ())) == ndim:
            translate = translate + step["translation"]
    return tuple(
        Axis(name, float(size), float(origin), unit or PIXEL)
        for name, size, origin, unit in zip(names, scale, translate, units, strict=True)
    )


def _named_axes(array: zarr.Array[Any]) -> tuple[Axis, ...]:
    """Axes by zarr 3's dimension names or xarray's attribute."""
    given: Any = getattr(array.metadata, "dimension_names", None)
    given = given or array.attrs.get("_ARRAY_DIMENSIONS") or (None,) * array.ndim
    defaults = default_axis_names(array.ndim, rgb=False)
    return tuple(Axis(str(name or default)) for name, default in zip(given, defaults, strict=True))
