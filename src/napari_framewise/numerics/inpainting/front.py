"""The front of a hole: its pixels and their normals, kept up to date tile by tile."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.contours import Contour, normals, outlines, smoothed
from napari_framewise.numerics.inpainting.filling import Array

_TILE = 48
_FEWEST = 4


class Front:
    """The pixels of a target that lie beside others, with the normals of its outline there.

    The normals in a tile depend on the target in and around it alone, whatever was done before, so
    that going back and forth gives the same numbers.

    Parameters
    ----------
    target : (y, x) bool
        What is still to be filled. It is kept, and may be changed where `changed` is told so.
    sigma : float
        By how much outlines are smoothed, in pixels.
    """

    def __init__(self, target: Array, sigma: float) -> None:
        self._target, self._sigma = target, sigma
        self._margin = int(np.ceil(4 * sigma)) + 2
        self._tiles: dict[tuple[int, int], tuple[Array, Array]] = {}
        rows, columns = np.nonzero(target)
        for tile in set(zip((rows // _TILE).tolist(), (columns // _TILE).tolist(), strict=True)):
            self._trace(tile)

    @property
    def places(self) -> Array:
        """(n, 2) rows and columns of the front's pixels."""
        return np.concatenate([np.empty((0, 2), np.int64), *(t[0] for t in self._tiles.values())])

    @property
    def normals(self) -> Array:
        """(n, 2) unit normals there, out of the target; NaN where it has none."""
        return np.concatenate([np.empty((0, 2)), *(t[1] for t in self._tiles.values())])

    def changed(self, box: tuple[slice, slice]) -> None:
        """Take up that the target has changed within a box."""
        ranges = [
            range(
                max(each.start - self._margin, 0) // _TILE,
                (each.stop - 1 + self._margin) // _TILE + 1,
            )
            for each in box
        ]
        for row in ranges[0]:
            for column in ranges[1]:
                if (row, column) in self._tiles:
                    self._trace((row, column))

    def _trace(self, tile: tuple[int, int]) -> None:
        low = [max(number * _TILE - self._margin, 0) for number in tile]
        high = [(number + 1) * _TILE + self._margin for number in tile]
        part = self._target[low[0] : high[0], low[1] : high[1]]
        core = [(number * _TILE - start, _TILE) for number, start in zip(tile, low, strict=True)]
        places, found = front_of(part, self._sigma)
        inside = np.all(
            [(places[:, k] >= core[k][0]) & (places[:, k] < sum(core[k])) for k in (0, 1)], axis=0
        )
        # A tile that lies wholly in the target has no front yet.
        self._tiles[tile] = places[inside] + low, found[inside]


def front_of(target: Array, sigma: float) -> tuple[Array, Array]:
    """The pixels of a target beside others, and the mean normal of the outline that runs by each.

    Returns
    -------
    places : (n, 2) int64
        By rows.
    normals : (n, 2) float64
        Out of the target; NaN where what runs by cancels, as at a line one pixel wide.

    Examples
    --------
    >>> places, found = front_of(np.arange(12).reshape(3, 4) % 4 < 2, 1.0)
    >>> places.tolist(), found.round(9).tolist()
    ([[0, 1], [1, 1], [2, 1]], [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    """
    height, width = target.shape
    sums = np.zeros((height * width, 2))
    touched = np.zeros(height * width, bool)
    for line in outlines(target):
        # As traced, one point lies between each pair of pixels.
        found = np.nan_to_num(normals(_smooth(line, sigma)))
        limit = np.array([height, width]) - 1
        low = np.clip(np.floor(line.points).astype(np.int64), 0, limit)
        high = np.clip(np.ceil(line.points).astype(np.int64), 0, limit)
        first = target[low[:, 0], low[:, 1]]
        beside = np.where(first[:, None], low, high)
        numbers = beside[:, 0] * width + beside[:, 1]
        np.add.at(sums, numbers, found)
        touched[numbers] = True
    numbers = np.flatnonzero(touched & target.ravel())
    sizes = np.hypot(*sums[numbers].T)
    sizes[sizes < 1e-9] = np.nan
    return np.stack(np.divmod(numbers, width), axis=1), sums[numbers] / sizes[:, None]


def _smooth(line: Contour, sigma: float) -> Contour:
    return smoothed(line, sigma) if len(line) > _FEWEST else line
