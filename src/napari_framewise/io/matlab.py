"""MATLAB files: version 7.3 is HDF5, the older ones are read by SciPy.

MATLAB keeps rows, columns, pages; a stack has its frames first. So the axes are turned: an array
of size H x W x N becomes (N, H, W). Files that SciPy wrote hold arrays as NumPy has them and stay.
"""

from __future__ import annotations

import h5py
import numpy as np
from scipy.io import whosmat

from ..stacks.axes import Axis, default_axis_names
from ..stacks.source import Source
from ..stacks.sources.loaded import MATLAB_TYPES, loaded_source
from ..stacks.sources.transposed import TransposedSource
from . import hdf5
from .candidates import Candidate, choose

_TEXT_BYTES = 116
_BY_SCIPY = (b"Platform: posix", b"Platform: nt")


def mat_parts(path: str, key: str | None) -> tuple[Source, tuple[Axis, ...]]:
    """Source and axes of an array in a MATLAB file.

    Raises
    ------
    ValueError
        Where the file is damaged, holds no array of numbers, or several and no key was given.
    """
    with open(path, "rb") as file:
        text = file.read(_TEXT_BYTES)
    if h5py.is_hdf5(path):
        source, turned = _new(path, key), True
    else:
        source = _old(path, key)
        turned = not any(mark in text for mark in _BY_SCIPY)
    ndim = len(source.shape)
    if turned and ndim > 2:
        source = TransposedSource(source, (*range(ndim - 1, 1, -1), 0, 1))
    return source, tuple(Axis(name) for name in _names(source.shape, turned))


def _names(shape: tuple[int, ...], turned: bool) -> tuple[str, ...]:
    names = default_axis_names(len(shape), rgb=False)
    # MATLAB's colour films are H x W x 3 x N.
    if turned and len(shape) == 4 and shape[1] == 3:
        return ("frame", "c", "y", "x")
    return names


def _new(path: str, key: str | None) -> Source:
    """A version 7.3 array in MATLAB's order, which is the reverse of HDF5's."""
    with hdf5.opened(path) as file:
        arrays = [
            Candidate(each.key, each.shape[::-1], each.dtype)
            for each in hdf5.datasets(file)
            if file[each.key].attrs.get("MATLAB_class", b"").decode() in MATLAB_TYPES
        ]
        source = hdf5.source_of(path, file[choose(path, arrays, key).key])
    return TransposedSource(source, tuple(range(len(source.shape) - 1, -1, -1)))


def _old(path: str, key: str | None) -> Source:
    try:
        found = whosmat(path)
    except Exception as error:  # noqa: BLE001
        # SciPy has many errors for what is no MATLAB file.
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise ValueError(
            f"{path} is no whole MATLAB file ({reason}); save it again in MATLAB."
        ) from None
    arrays = [
        Candidate(name, shape, np.dtype(MATLAB_TYPES[kind]))
        for name, shape, kind in found
        if kind in MATLAB_TYPES
    ]
    chosen = choose(path, arrays, key)
    return loaded_source(path, "mat", chosen.key)
