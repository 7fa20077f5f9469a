"""HDF5 files: which dataset, and what its attributes say of its axes."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from napari_framewise.io.formats.candidates import Candidate, choose
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.hdf5 import Hdf5Source
from napari_framewise.stacks.sources.mapped import mapped_source
from napari_framewise.stacks.units import PIXEL, scaled, unit_name


def hdf5_parts(path: str, key: str | None) -> tuple[Source, tuple[Axis, ...]]:
    """Source and axes of a dataset.

    Raises
    ------
    ValueError
        Where the file is damaged, holds no dataset of numbers, or several and no key was given.
    """
    with opened(path) as file:
        named = file.get(key) if key else None
        # A file may hold very many datasets: they are listed only where they have to be.
        found = [_candidate(named)] if isinstance(named, h5py.Dataset) else datasets(file)
        dataset = file[choose(path, found, key).key]
        return source_of(path, dataset), _axes(dataset)


def opened(path: str) -> h5py.File:
    """The file, open for reading; a sentence where it can't be opened."""
    try:
        return h5py.File(path, "r")
    except OSError as error:
        reason = "is cut off" if "truncated" in str(error) else f"can't be opened ({error})"
        raise ValueError(f"{path} {reason}; give a whole HDF5 file.") from None


def datasets(file: h5py.File) -> list[Candidate]:
    """All datasets that lie in the file itself."""
    found: list[Candidate] = []

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and node.shape is not None:
            found.append(_candidate(node))

    file.visititems(visit)
    return found


def _candidate(dataset: h5py.Dataset) -> Candidate:
    return Candidate(dataset.name.strip("/"), dataset.shape or (), dataset.dtype)


def source_of(path: str, dataset: h5py.Dataset) -> Source:
    """Source of a dataset: mapped where it lies in the file in one plain piece."""
    key = dataset.name
    offset = dataset.id.get_offset()
    plain = dataset.chunks is None and offset is not None and dataset.dtype.kind in "uif"
    if (
        plain
        and dataset.external is None
        and not dataset.is_virtual
        and dataset.file.userblock_size == 0
    ):
        return mapped_source(path, dataset.shape, dataset.dtype, offset)
    return Hdf5Source(path, key, dataset.shape, dataset.dtype.str, dataset.chunks)


def _axes(dataset: h5py.Dataset) -> tuple[Axis, ...]:
    """Names, steps and units by dimension labels and scales, and by element_size_um."""
    ndim = dataset.ndim
    names = [
        dimension.label or name
        for dimension, name in zip(dataset.dims, default_axis_names(ndim, rgb=False), strict=True)
    ]
    axes = [_scale_of(dimension, name) for dimension, name in zip(dataset.dims, names, strict=True)]
    sizes = np.atleast_1d(np.asarray(dataset.attrs.get("element_size_um", ())))
    # The attribute speaks of the spatial axes, which are the last ones.
    for axis, size in zip(range(ndim - 1, -1, -1), sizes[::-1].tolist(), strict=False):
        step, unit = scaled(size, "micrometer")
        axes[axis] = Axis(axes[axis].name, step, axes[axis].translate, unit)
    return tuple(axes)


def _scale_of(dimension: Any, name: str) -> Axis:
    """An axis by its dimension scale, where that has equal steps."""
    if not len(dimension):
        return Axis(name)
    scale = dimension[0]
    values = (
        np.asarray(scale[...], np.float64).ravel() if scale.dtype.kind in "uif" else np.empty(0)
    )
    if values.size < 2:
        return Axis(name)
    steps = np.diff(values)
    even = steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-3)
    unit = scale.attrs.get("units", scale.attrs.get("unit", b""))
    unit = unit_name(unit.decode() if isinstance(unit, bytes) else unit)
    if not even:
        return Axis(name)
    return Axis(name, float(steps.mean()), float(values[0]), unit or PIXEL)
