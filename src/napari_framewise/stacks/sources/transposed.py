"""A source with its axes in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array, Region, Source


@dataclass(frozen=True)
class TransposedSource:
    """A source seen as `numpy.transpose(array, order)`.

    Attributes
    ----------
    source : Source
        The array as its file has it.
    order : tuple of int
        For each axis its number in the file.
    """

    source: Source
    order: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in the new order."""
        return tuple(self.source.shape[axis] for axis in self.order)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return self.source.dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Chunks in the new order."""
        chunks = self.source.chunks
        return None if chunks is None else tuple(chunks[axis] for axis in self.order)

    @property
    def paths(self) -> tuple[str, ...]:
        """The source's."""
        return self.source.paths

    def read(self, region: Region) -> Array:
        """A transposed view of what the source reads."""
        inner = [slice(0)] * len(self.order)
        for axis, part in zip(self.order, region, strict=True):
            inner[axis] = part
        return self.source.read(tuple(inner)).transpose(self.order)
