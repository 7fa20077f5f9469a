"""A source as the array-like that a napari layer wants."""

from __future__ import annotations

import math
import operator
import threading
from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.stacks.source import Array, Region, Source

# What the last blocks may take together; a block of chunks that takes more is not kept.
_KEPT_BYTES = 48 * 2**20


class SourceView:
    """Array-like over a source: reads what is looked at, and keeps the last blocks.

    Where the format reads in chunks, whole chunks are read and the last ones kept, up to 48 MiB,
    so that the next step of a slider finds its frame there. Several threads may read. The elements
    come in this machine's byte order, as napari needs them.

    Parameters
    ----------
    source : Source
        Where the pixels are.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._blocks: OrderedDict[tuple[tuple[int, int], ...], Array] = OrderedDict()

    @property
    def source(self) -> Source:
        """Where the pixels are."""
        return self._source

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole array."""
        return self._source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements, in this machine's byte order."""
        return self._source.dtype.newbyteorder("=")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        """Elements by integers, slices and Ellipsis.

        Raises
        ------
        IndexError
            Where an index lies outside, or there are more indices than axes.
        TypeError
            For any other index, such as an array.
        """
        region, dropped, flipped = _region_of(key, self.shape)
        block = self._read(region)
        return np.asarray(block[flipped][dropped], self.dtype)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("The array is read from its file, which makes a copy; allow one.")
        whole = self._source.read(tuple(slice(0, length, 1) for length in self.shape))
        return np.array(whole, self.dtype if dtype is None else dtype)

    def _read(self, region: Region) -> Array:
        bounds = self._block_around(region)
        if bounds is None:
            return self._source.read(region)
        with self._lock:
            block = self._blocks.get(bounds)
            if block is None:
                block = self._source.read(tuple(slice(*each, 1) for each in bounds))
                self._blocks[bounds] = block
                while sum(kept.nbytes for kept in self._blocks.values()) > _KEPT_BYTES:
                    self._blocks.popitem(last=False)
            else:
                self._blocks.move_to_end(bounds)
        inside = (
            slice(part.start - start, part.stop - start, part.step)
            for part, (start, _) in zip(region, bounds, strict=True)
        )
        return block[tuple(inside)]

    def _block_around(self, region: Region) -> tuple[tuple[int, int], ...] | None:
        """The chunks that a region touches; None where they are too many to be kept."""
        chunks = self._source.chunks
        if chunks is None or any(part.start >= part.stop for part in region):
            return None
        bounds = tuple(
            (part.start // chunk * chunk, min(-(-part.stop // chunk) * chunk, length))
            for part, chunk, length in zip(region, chunks, self.shape, strict=True)
        )
        extent = math.prod(stop - start for start, stop in bounds)
        return bounds if extent * self.dtype.itemsize <= _KEPT_BYTES else None


def _region_of(
    key: Any, shape: tuple[int, ...]
) -> tuple[Region, tuple[int | slice, ...], tuple[slice, ...]]:
    """An index as a region, what drops the axes of integers, and what turns backward slices."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if sum(part is Ellipsis for part in parts) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    missing = len(shape) - sum(part is not Ellipsis for part in parts)
    if missing < 0:
        raise IndexError(f"{len(parts)} indices were given for {len(shape)} axes")
    position = next((n for n, part in enumerate(parts) if part is Ellipsis), len(parts))
    parts[position : position + 1] = [slice(None)] * missing
    region: list[slice] = []
    dropped: list[int | slice] = []
    flipped: list[slice] = []
    for part, length in zip(parts, shape, strict=True):
        if isinstance(part, slice):
            steps = range(*part.indices(length))
            backward = steps.step < 0
            ordered = steps[::-1] if backward else steps
            stop = ordered[-1] + 1 if len(ordered) else ordered.start
            region.append(slice(ordered.start, max(stop, ordered.start), ordered.step))
            dropped.append(slice(None))
            flipped.append(slice(None, None, -1 if backward else 1))
        else:
            index = _index(part, length)
            region.append(slice(index, index + 1, 1))
            dropped.append(0)
            flipped.append(slice(None))
    return tuple(region), tuple(dropped), tuple(flipped)


def _index(part: Any, length: int) -> int:
    try:
        index = operator.index(part)
    except TypeError:
        raise TypeError(
            f"An index of type {type(part).__name__} was given; integers, slices and ... serve: "
            "convert with numpy.asarray first where the array fits in memory."
        ) from None
    if not -length <= index < length:
        raise IndexError(f"index {index} is out of bounds for an axis of length {length}")
    return index % length
