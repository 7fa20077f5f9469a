"""MATLAB files: version 7.3 is HDF5, the older ones have a format of their own.

MATLAB keeps rows, columns, pages; a stack has its frames first. So the axes are turned: an array
of size H x W x N becomes (N, H, W). Files that SciPy wrote hold arrays as NumPy has them and stay.
"""

from __future__ import annotations

import zlib

import h5py
import numpy as np

from napari_framewise.io.formats import hdf5
from napari_framewise.io.formats.candidates import Candidate, choose
from napari_framewise.io.formats.guessing import GUESSED, guessed_axes
from napari_framewise.io.formats.hdf5_axes import text_of
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.hdf5_links import Links
from napari_framewise.stacks.sources.loaded import LOADED_BYTES, LoadedSource
from napari_framewise.stacks.sources.mapped import mapped_source
from napari_framewise.stacks.sources.mat5 import MatArray, arrays_of
from napari_framewise.stacks.sources.packed import PackedSource, check_claim
from napari_framewise.stacks.sources.transposed import TransposedSource

_NUMERIC = frozenset({"double", "single", "logical"}) | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
# Where version 7.3 keeps what cells, objects and function handles refer to.
_INTERNAL = ("#refs#", "#subsystem#")
_TEXT_BYTES = 116
_BY_SCIPY = (b"Platform: posix", b"Platform: nt")


def mat_parts(path: str, key: str | None) -> tuple[Source, tuple[Axis, ...], tuple[str, ...]]:
    """Source and axes of an array in a MATLAB file, and what is guessed of them.

    MATLAB's arrays have no names for their axes.

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
    if not turned:
        return (source, *guessed_axes(source.shape, source.dtype))
    remarks = (GUESSED,) if ndim > 2 else ()
    return source, tuple(Axis(name) for name in _names(source.shape)), remarks


def _names(shape: tuple[int, ...]) -> tuple[str, ...]:
    # MATLAB's colour films are H x W x 3 x N.
    if len(shape) == 4 and shape[1] == 3:
        return ("frame", "c", "y", "x")
    return default_axis_names(len(shape), rgb=False)


def _new(path: str, key: str | None) -> Source:
    """A version 7.3 array in MATLAB's order, which is the reverse of HDF5's."""
    with hdf5.opened(path) as file, Links() as links:
        nodes = {
            name: node
            for name, node in hdf5.contents(file, links).nodes.items()
            if not name.startswith(_INTERNAL)
            and text_of(node.attrs.get("MATLAB_class")) in _NUMERIC
            and "MATLAB_empty" not in node.attrs
        }
        arrays = [Candidate(name, node.shape[::-1], node.dtype) for name, node in nodes.items()]
        source, _ = hdf5.source_of(path, nodes[choose(path, arrays, key).key], links)
    return TransposedSource(source, tuple(range(len(source.shape) - 1, -1, -1)))


def _old(path: str, key: str | None) -> Source:
    """An array as MATLAB sees it: mapped where it lies plainly, else unpacked when it is read."""
    found = {array.name: array for array in arrays_of(path)}
    arrays = [
        Candidate(name, array.shape, np.dtype("c16" if array.is_complex else array.element))
        for name, array in found.items()
    ]
    array = found[choose(path, arrays, key).key]
    if array.is_complex:
        raise ValueError(
            f"{path} holds complex numbers in {array.name}; frames of real numbers are needed: "
            "save its magnitude, real or imaginary part."
        )
    if array.packed:
        return _packed(path, array)
    return mapped_source(path, array.shape, np.dtype(array.element), array.offset, fortran=True)


def _packed(path: str, array: MatArray) -> Source:
    """Source of a compressed array, in MATLAB's order of its axes.

    Raises
    ------
    ValueError
        Where it claims more than its bytes can become.
    """
    span = array.packed or (0, 0)
    check_claim(path, array.name, array.offset + array.nbytes, span[1] - span[0])
    if array.nbytes <= LOADED_BYTES:
        return LoadedSource(path, "mat", array.name, array.shape, array.element)
    reverse = tuple(reversed(range(len(array.shape))))
    shape = array.shape[::-1]
    source = PackedSource(path, shape, array.element, span, array.offset, zlib.MAX_WBITS)
    return TransposedSource(source, reverse)
