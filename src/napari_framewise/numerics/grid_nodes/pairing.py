"""Which node of one image is which of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
_LEAST_COMMON, _NEAREST, _TRIED = 0.5, 4, 24


def shift_between(
    places: Array, index: IntArray, others: Array, other_index: IntArray
) -> tuple[int, int]:
    """What to add to rows and columns of nodes so that they are counted as other nodes are.

    Of the shifts by whole rows and columns that leave half of the smaller set in common, the one by
    which the nodes have moved least (median): a grid is the same everywhere, so a movement by more
    than half a pitch from one image to the next can't be told from a smaller one.

    Parameters
    ----------
    places, others : (n, 2), (m, 2) float
        In pixels.
    index, other_index : (n, 2), (m, 2) int
        Row and column.

    Examples
    --------
    >>> grid = np.argwhere(np.ones((3, 4)))
    >>> shift_between(10.0 * grid[4:] + 2, grid[4:] - [1, 0], 10.0 * grid, grid)
    (1, 0)
    """
    near = min(_NEAREST, len(others))
    _, found = cKDTree(others).query(places, k=near)
    ways = other_index[np.reshape(found, (len(places), near))] - index[:, None]
    shifts, counts = np.unique(ways.reshape(-1, 2), axis=0, return_counts=True)
    known = {(int(r), int(c)): k for k, (r, c) in enumerate(other_index)}
    best, least = (0, 0), np.inf
    for down, right in shifts[np.argsort(-counts, kind="stable")[:_TRIED]].tolist():
        there = [known.get((int(r) + down, int(c) + right), -1) for r, c in index]
        theirs = np.array(there)
        common = theirs >= 0
        if common.sum() < _LEAST_COMMON * min(len(index), len(other_index)):
            continue
        moved = float(np.median(np.hypot(*(places[common] - others[theirs[common]]).T)))
        if moved < least:
            best, least = (down, right), moved
    return best
