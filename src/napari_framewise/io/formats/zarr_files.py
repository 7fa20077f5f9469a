"""Zarr folders: which array is meant; arrays, groups, OME-Zarr, layouts of several images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.io.formats.candidates import Candidate, choose
from napari_framewise.io.formats.zarr_axes import named_axes, no_data_of, ome_axes
from napari_framewise.io.formats.zarr_tree import Node, images_and_arrays, node_at
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.faults import reason_of
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.transposed import TransposedSource
from napari_framewise.stacks.sources.zarrs import ZarrSource, open_array


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
    remarks : tuple of str
        What is guessed.
    no_data : tuple of float
        Values that stand for no data.
    """

    source: Source
    axes: tuple[Axis, ...]
    rgb: bool = False
    complete: bool = True
    remarks: tuple[str, ...] = ()
    no_data: tuple[float, ...] = ()


def open_zarr(path: str, key: str | None) -> ZarrImage:
    """An array in a zarr folder; of an OME-Zarr image the full resolution.

    A folder of several images (bioformats2raw, plates) gives a choice among images, and opens where
    there is one only.

    Raises
    ------
    ValueError
        Where the folder is no zarr, holds no array, or several and no key was given.
    """
    top = node_at(path, "")
    if top is None:
        raise ValueError(
            f"{path} can't be read as zarr (it holds no metadata of zarr); give a whole folder."
        )
    wanted = (key or "").strip("/")
    node = node_at(path, wanted) if wanted else top
    if node is None or (wanted and not node.is_array and node.multiscale is None):
        node = node or top
        node = _chosen(path, node, None if node.key == wanted and wanted else key)
    elif not node.is_array and node.multiscale is None:
        node = _chosen(path, node, key)
    if node.is_array:
        return _array(path, node)
    levels = _levels(node)
    if not levels:
        raise ValueError(f"{path}: the image {node.key or top.key} names no array; write it again.")
    level = node_at(path, f"{node.key}/{levels[0]}".strip("/"))
    if level is None or not level.is_array:
        raise ValueError(f"{path}: the array {levels[0]} of the image is missing; write it again.")
    return _array(path, level, node)


def _chosen(path: str, group: Node, key: str | None) -> Node:
    """The image or array in a group that is meant."""
    nodes = {node.key: node for node in images_and_arrays(path, group)}
    candidates = [_candidate(path, node) for node in nodes.values()]
    usable = [each for each in candidates if each is not None]
    return nodes[choose(path, usable, key).key]


def _candidate(path: str, node: Node) -> Candidate | None:
    """An array, or the full resolution of an image, as something to choose."""
    array: Node | None = node
    if not node.is_array:
        levels = _levels(node)
        array = node_at(path, f"{node.key}/{levels[0]}".strip("/")) if levels else None
    if array is None or not array.is_array:
        return None
    try:
        opened = open_array(path, array.key)
        return Candidate(node.key, tuple(opened.shape), np.dtype(opened.dtype))
    except Exception:  # noqa: BLE001 - what can't be opened can't be chosen
        return None


def _levels(node: Node) -> Sequence[str]:
    """Names of the arrays of an image, the full resolution first."""
    datasets = (node.multiscale or {}).get("datasets")
    found = datasets if isinstance(datasets, list) else []
    return [str(each["path"]) for each in found if isinstance(each, Mapping) and "path" in each]


def _array(path: str, node: Node, image: Node | None = None) -> ZarrImage:
    """One array, with what its image says where it is part of one."""
    try:
        array = open_array(path, node.key)
        shape, dtype = tuple(int(each) for each in array.shape), np.dtype(array.dtype)
        chunks = tuple(int(length) for length in array.chunks)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001
        # The metadata of a damaged folder fail in as many ways as there are fields.
        raise ValueError(
            f"{path} can't be read as zarr ({reason_of(error)}); give a whole folder."
        ) from None
    source: Source = ZarrSource(path, node.key, shape, dtype.str, chunks)
    parent, _, name = node.key.rpartition("/")
    image = image or (node_at(path, parent) if node.key else None)
    scale = image.multiscale if image is not None else None
    ours = image.attributes.get("framewise") if image is not None else None
    ours = ours if isinstance(ours, Mapping) else {}
    level: Any = next(
        (each for each in (scale or {}).get("datasets", ()) if _is_of(each, name)), None
    )
    if scale is not None and level is not None:
        axes, remarks = ome_axes(scale, level, shape, dtype)
    else:
        axes, remarks = named_axes(path, node, array, parent)
    order = ours.get("order")
    if isinstance(order, list) and sorted(map(str, order)) == sorted(map(str, range(len(axes)))):
        # OME-NGFF has an order of its own; what we wrote comes back as it was.
        axes = tuple(axes[axis] for axis in order)
        source = TransposedSource(source, tuple(order))
    return ZarrImage(
        source,
        axes,
        bool(ours.get("rgb")),
        bool(ours.get("complete", True)),
        remarks,
        no_data_of(node.attributes, array.fill_value, dtype),
    )


def _is_of(level: Any, name: str) -> bool:
    return isinstance(level, Mapping) and str(level.get("path", "")).rpartition("/")[2] == name
