"""A stretch of an outline that no path took."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SEEN = 0.5
_LEAST = 12.0
_POINTS = 7


def missed_stretch(left: Array, ways: NDArray[np.int64]) -> list[tuple[float, float]]:
    """Points (y, x) along the best part of a path through what other paths left.

    Parameters
    ----------
    left : (x, y)
        Score from 0 to 1 of each pixel, 0 around the paths that there are.
    ways : (x, 2) int64
        Rows at which the best path through it enters and leaves each column.

    Returns
    -------
    list of (float, float)
        Up to 7 points in the run of columns with the largest sum of ``score - 0.5``; none where
        that is below 12.

    Examples
    --------
    >>> left = np.zeros((60, 9))
    >>> left[10:50, 4] = 1
    >>> found = missed_stretch(left, np.full((60, 2), 4))
    >>> len(found), found[0][0], bool(10 <= found[0][1] < 15)
    (7, 4.0, True)
    """
    columns = np.arange(len(left))
    gain = left[columns, ways[:, 1]] - _SEEN
    sums = np.concatenate([[0.0], np.cumsum(gain)])
    lows = np.minimum.accumulate(sums)
    last = int(np.argmax(sums - lows))
    first = int(np.argmin(sums[: last + 1]))
    if sums[last] - sums[first] < _LEAST:
        return []
    run = columns[first:last]
    clear = run[(np.abs(ways[run, 1] - ways[run, 0]) <= 1) & (gain[run] > 0)]
    if not len(clear):
        return []
    chosen = clear[np.linspace(0, len(clear) - 1, min(_POINTS, len(clear))).round().astype(int)]
    return [(float(ways[x, 1]), float(x)) for x in chosen]
