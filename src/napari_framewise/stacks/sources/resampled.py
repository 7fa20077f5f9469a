"""Labels that were drawn on a pixel grid of their own, seen on another by their nearest pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array, Region, Source


@dataclass(frozen=True, eq=False)
class NearestSource:
    """Labels on another grid: each pixel is the nearest of the source, 0 outside of it.

    Attributes
    ----------
    source : Source
        The labels on their own grid.
    shape : tuple of int
        Shape of the other grid.
    matrix : ndarray
        (n + 1, m + 1): pixels of the source from pixels of the other grid.
    """

    source: Source
    shape: tuple[int, ...]
    matrix: Array

    @property
    def dtype(self) -> np.dtype[Any]:
        """The source's."""
        return self.source.dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """None: any region is as cheap."""
        return None

    @property
    def paths(self) -> tuple[str, ...]:
        """The source's."""
        return self.source.paths

    def read(self, region: Region) -> Array:
        """Labels of a region, each taken from the nearest pixel."""
        grid = np.meshgrid(
            *(np.arange(part.start, part.stop, part.step) for part in region),
            indexing="ij",
            sparse=True,
        )
        size = tuple(each.size for each in grid)
        inside = np.ones(size, bool)
        places = []
        for row, length in zip(self.matrix, self.source.shape, strict=False):
            place = np.full(size, row[-1])
            for factor, numbers in zip(row, grid, strict=False):
                if factor:
                    place += factor * numbers
            # Halves go up, as the pixel that napari shows there.
            near = np.floor(place + 0.5)
            inside &= (near >= 0) & (near < length)
            places.append(near)
        found = np.zeros(size, self.dtype)
        if not inside.any():
            return found
        indices = [place[inside].astype(np.int64) for place in places]
        low = [int(index.min()) for index in indices]
        part = self.source.read(
            tuple(
                slice(start, int(index.max()) + 1)
                for start, index in zip(low, indices, strict=True)
            )
        )
        found[inside] = part[tuple(i - start for i, start in zip(indices, low, strict=True))]
        return found
