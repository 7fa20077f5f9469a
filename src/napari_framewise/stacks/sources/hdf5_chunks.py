"""Packed chunks of an HDF5 dataset, which never become more bytes than the dataset says.

HDF5's own filters make whatever a chunk inflates to, so that a file of a megabyte may take a
gigabyte. What gzip packed is unpacked here, up to the size of a chunk; of other codings the size
that a chunk says of itself is looked at first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import product

import h5py
import numpy as np

from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.bounded import claimed_bytes

_DEFLATE, _SHUFFLE, _CHECKSUM = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, 3
_CHECKSUM_BYTES = 4
# Codings by their registered numbers.
_NAMES = {32001: "blosc", 32004: "lz4", 32015: "zstd"}
# Codings that say no size: a chunk that they did not make smaller is stored as it is.
_SILENT = (_DEFLATE, h5py.h5z.FILTER_LZF)
# Bytes that deflate can make of one, and what is no harm.
_TIMES, _HARMLESS = 1032, 2**26
_SLACK = 1024


def read_region(dataset: h5py.Dataset, region: Region) -> Array:
    """Elements of a region.

    Parameters
    ----------
    dataset : h5py.Dataset
    region : tuple of slice
        One for each axis.

    Raises
    ------
    ValueError
        Where a chunk becomes more bytes than a chunk of the dataset has.
    OSError
        Where HDF5 can't read.
    """
    filters = _filters(dataset)
    if not filters or dataset.chunks is None or 0 in dataset.shape:
        return np.asarray(dataset[region])
    ranges = [range(n)[part] for n, part in zip(dataset.shape, region, strict=True)]
    if _may_inflate(dataset, filters, ranges):
        return _unpacked(dataset, filters, ranges)
    return np.asarray(dataset[region])


def _filters(dataset: h5py.Dataset) -> list[int]:
    held = dataset.id.get_create_plist()
    return [held.get_filter(number)[0] for number in range(held.get_nfilters())]


def _is_plain(dataset: h5py.Dataset) -> bool:
    """Whether elements are stored as NumPy holds them."""
    kind = dataset.dtype
    return kind.kind in "iuf" and bool(h5py.h5t.py_create(kind) == dataset.id.get_type())


def _unpacked(dataset: h5py.Dataset, filters: list[int], ranges: list[range]) -> Array:
    out = np.full([len(each) for each in ranges], dataset.fillvalue, dataset.dtype)
    chunks = dataset.chunks
    for corner in _corners(ranges, chunks):
        values = _chunk(dataset, filters, corner)
        if values is None:
            continue
        into, of = [], []
        for first, length, wanted in zip(corner, chunks, ranges, strict=True):
            start, stop = _within(wanted, first, length)
            into.append(slice(start, stop))
            step = wanted.step
            of.append(slice(wanted[start] - first, wanted[stop - 1] - first + 1, step))
        out[tuple(into)] = values[tuple(of)]
    return out


def _within(wanted: range, first: int, length: int) -> tuple[int, int]:
    """Which of some places lie in a chunk: from, to."""
    start = max(0, -(-(first - wanted.start) // wanted.step))
    stop = min(len(wanted), -(-(first + length - wanted.start) // wanted.step))
    return start, stop


def _corners(ranges: list[range], chunks: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """First elements of the chunks that hold wanted elements."""
    along = []
    for wanted, length in zip(ranges, chunks, strict=True):
        places = range(wanted[0] // length * length, wanted[-1] + 1, length)
        along.append(
            places
            if wanted.step <= length
            else [each for each in places if np.diff(_within(wanted, each, length))[0] > 0]
        )
    return product(*along)


def _chunk(dataset: h5py.Dataset, filters: list[int], corner: tuple[int, ...]) -> Array | None:
    """A chunk; None where none was written."""
    if dataset.id.get_chunk_info_by_coord(corner).byte_offset is None:
        return None
    skipped, data = dataset.id.read_direct_chunk(corner)
    data, size = bytes(data), int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
    for number in range(len(filters) - 1, -1, -1):
        if skipped >> number & 1:
            continue
        if filters[number] == _DEFLATE:
            data = _inflated(data, size + _CHECKSUM_BYTES)
        elif filters[number] == _CHECKSUM:
            data = data[:-_CHECKSUM_BYTES]
        else:
            data = _in_order(data, dataset.dtype.itemsize)
    if len(data) != size:
        raise ValueError("a chunk is cut off")
    return np.frombuffer(data, dataset.dtype).reshape(dataset.chunks)


def _inflated(data: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, most + 1)
    except zlib.error:
        raise ValueError("a chunk is damaged") from None
    if len(found) > most:
        raise _too_much()
    return found


def _in_order(data: bytes, size: int) -> bytes:
    """Bytes of elements together again; those beyond the last whole element stay."""
    count = len(data) // size
    first = np.frombuffer(data, np.uint8, count * size).reshape(size, count)
    return first.T.tobytes() + data[count * size :]


def _may_inflate(dataset: h5py.Dataset, filters: list[int], ranges: list[range]) -> bool:
    """Whether a wanted chunk might become far more than it holds, and can be unpacked here.

    Raises
    ------
    ValueError
        Where a chunk says that it does, or is stored in more bytes than it holds.
    """
    if not all(len(each) for each in ranges):
        return False
    size = int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
    ours = set(filters) <= {_DEFLATE, _SHUFFLE, _CHECKSUM} and _is_plain(dataset)
    last = next((each for each in reversed(filters) if each != _CHECKSUM), None)
    for corner in _corners(ranges, dataset.chunks):
        held = dataset.id.get_chunk_info_by_coord(corner)
        if held.byte_offset is None or not held.size:
            continue
        if last == _DEFLATE and held.size * _TIMES > size + _HARMLESS:
            if ours:
                return True
            _inflated(bytes(dataset.id.read_direct_chunk(corner)[1]), size + _SLACK)
        if last in _SILENT and held.size > size + _SLACK + size // 8:
            raise _too_much()
        if last in _NAMES:
            stored = bytes(dataset.id.read_direct_chunk(corner)[1])
            if claimed_bytes(_NAMES[last], stored) > size + _SLACK:
                raise _too_much()
    return False


def _too_much() -> ValueError:
    return ValueError("a chunk becomes more bytes than a chunk of the dataset has")
