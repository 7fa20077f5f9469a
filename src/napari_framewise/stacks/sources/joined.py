"""Several sources as one array: one behind the other, or each at its own place of leading axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array, Region, Source


def with_gaps(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type that holds what `dtype` does, and NaN where there is no data."""
    if dtype.kind == "f":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


@dataclass(frozen=True)
class JoinedSource:
    """Arrays of one type and shape but for the first axis, one behind the other along it.

    Attributes
    ----------
    parts : tuple of Source or None
        The arrays in order; None where one is missing, which reads as NaN.
    lengths : tuple of int
        Length of each along the first axis.
    """

    parts: tuple[Source | None, ...]
    lengths: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The sum of the lengths, then what all share."""
        return (sum(self.lengths), *_first(self.parts).shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element; floating point where a part is missing."""
        dtype = _first(self.parts).dtype
        return with_gaps(dtype) if None in self.parts else dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Those of the first part."""
        return _first(self.parts).chunks

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of all parts."""
        return _paths(self.parts)

    def read(self, region: Region) -> Array:
        """A region, part by part; NaN where one is missing."""
        numbers = range(*region[0].indices(self.shape[0]))
        inside = region[1:]
        shape = tuple(
            len(range(*p.indices(n))) for p, n in zip(inside, self.shape[1:], strict=True)
        )
        out = np.empty((len(numbers), *shape), self.dtype)
        ends = np.cumsum((0, *self.lengths)).tolist()
        for part, (start, stop) in zip(self.parts, pairwise(ends), strict=True):
            rows = [row for row, number in enumerate(numbers) if start <= number < stop]
            if not rows:
                continue
            target = slice(rows[0], rows[-1] + 1)
            first, last = numbers[rows[0]] - start, numbers[rows[-1]] - start
            wanted = slice(first, last + 1, numbers.step)
            out[target] = np.nan if part is None else part.read((wanted, *inside))
        return out


@dataclass(frozen=True)
class GatheredSource:
    """Arrays of one type, each at its own place of new leading axes.

    Attributes
    ----------
    parts : tuple of Source or None
        The arrays, the last of the leading axes fastest; None where one is missing: it reads as
        NaN.
    lead : tuple of int
        Lengths of the leading axes.
    part_shape : tuple of int
        What of each part is used: some formats pad their arrays.
    """

    parts: tuple[Source | None, ...]
    lead: tuple[int, ...]
    part_shape: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading axes, then a part's."""
        return (*self.lead, *self.part_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element; floating point where a part is missing."""
        dtype = _first(self.parts).dtype
        return with_gaps(dtype) if None in self.parts else dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Those of the first part."""
        chunks = _first(self.parts).chunks
        if chunks is None:
            return None
        return (*(1 for _ in self.lead), *map(min, chunks, self.part_shape))

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of all parts."""
        return _paths(self.parts)

    def read(self, region: Region) -> Array:
        """A region, part by part; NaN where one is missing."""
        places = np.arange(math.prod(self.lead)).reshape(self.lead)[region[: len(self.lead)]]
        inside = region[len(self.lead) :]
        shape = tuple(
            len(range(*p.indices(n))) for p, n in zip(inside, self.part_shape, strict=True)
        )
        out = np.empty((places.size, *shape), self.dtype)
        for row, place in enumerate(places.ravel().tolist()):
            part = self.parts[place]
            out[row] = np.nan if part is None else part.read(inside)
        return out.reshape(*places.shape, *shape)


def _first(parts: tuple[Source | None, ...]) -> Source:
    return next(part for part in parts if part is not None)


def _paths(parts: tuple[Source | None, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for part in parts if part for path in part.paths))
