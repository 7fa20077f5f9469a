"""Pixels that stand alone: hot and dead pixels, impulses of transmission, cosmic rays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Times the typical size of what a pixel differs from its neighbours' mean by.
_OUTLYING = 10.0
# How many of the eight neighbours must stay within which share of the excess: a spot that optics
# made has more than one bright pixel, and so has a line.
_QUIET, _SHARE = 7, 0.2
_SAMPLED = 4
_AROUND = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))


def without_impulses(planes: NDArray[Any]) -> NDArray[Any]:
    """Finite planes (channels, y, x) whose lone pixels have their neighbours' median.

    A pixel stands alone where it differs from the mean of its four neighbours by more than ten
    times what is typical, and at least seven of its eight neighbours stay close to their median.
    Where more than half of an image is of one value nothing is typical, and nothing is changed.

    Returns
    -------
    (channels, y, x)
        The same array where no pixel stands alone.
    """
    if min(planes.shape[1:]) < 3:
        return planes
    found = planes
    for number, plane in enumerate(planes):
        excess = plane[1:-1, 1:-1] - 0.25 * (
            plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:]
        )
        typical = 1.4826 * float(np.median(np.abs(excess[::_SAMPLED])))
        rows, columns = np.nonzero(np.abs(excess) > _OUTLYING * typical)
        if typical == 0 or not len(rows):
            continue
        rows, columns = rows + 1, columns + 1
        around = np.stack([plane[rows + i, columns + j] for i, j in _AROUND])
        middle = np.median(around, axis=0)
        away = np.sort(np.abs(around - middle), axis=0)[_QUIET - 1]
        alone = away < _SHARE * np.abs(plane[rows, columns] - middle)
        if alone.any():
            found = planes.copy() if found is planes else found
            found[number, rows[alone], columns[alone]] = middle[alone]
    return found
