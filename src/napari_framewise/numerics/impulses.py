"""What a detector made: hot and dead pixels, cosmic rays, rows and columns read out wrong."""

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
# Times the typical difference of lines two pixels apart by which a line of the detector's own must
# exceed both; in how many of its pixels; what of that the step to the next pixel makes, where
# optics would have rounded it; and of all lines, the most that may.
_LINE, _AS_ONE, _STEP, _FEW = 8.0, 0.8, 0.75, 0.05
_WIDEST = 2
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

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(1, 16, 16))
    >>> plane[0, 5, 7] = 1000.0
    >>> bool(without_impulses(plane)[0, 5, 7] < 2)
    True
    """
    if min(planes.shape[1:]) < 3:
        return planes
    found = planes
    for number, given in enumerate(planes):
        plane = np.pad(given, 1, mode="reflect")
        excess = given - 0.25 * (
            plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:]
        )
        typical = 1.4826 * float(np.median(np.abs(excess[1:-1:_SAMPLED, 1:-1])))
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
            found[number, rows[alone] - 1, columns[alone] - 1] = middle[alone]
    return found


def without_lines(planes: NDArray[Any]) -> NDArray[Any]:
    """Finite planes (channels, y, x) whose rows and columns of the detector's own are made up for.

    A line of one or two pixels exceeds (or stays below) those two pixels off on both sides along
    its length, by more than eight times what is typical of such lines, and it does so within one
    pixel: optics draws nothing so sharp from border to border. It is made up for by those beside
    it, linearly.

    Returns
    -------
    (channels, y, x)
        The same array where there is no such line.

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(1, 32, 32))
    >>> plane[0, :, 7] = 50.0
    >>> bool(without_lines(plane)[0, :, 7].max() < 4)
    True
    """
    found = planes
    for number in range(len(planes)):
        for axis in (0, 1):
            plane = found[number]
            lines = plane if axis == 0 else plane.T
            which = _own_lines(lines)
            if not len(which):
                continue
            if found is planes:
                found = planes.copy()
            lines = found[number] if axis == 0 else found[number].T
            kept = np.setdiff1d(np.arange(len(lines)), which)
            after = np.clip(np.searchsorted(kept, which), 1, len(kept) - 1)
            low, high = kept[after - 1], kept[after]
            share = np.clip((which - low) / (high - low), 0, 1)[:, None].astype(lines.dtype)
            lines[which] = (1 - share) * lines[low] + share * lines[high]
    return found


def _own_lines(lines: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers of the rows that are the detector's own."""
    nothing = np.zeros(0, np.int64)
    if len(lines) < 8 * _WIDEST:
        return nothing
    means = np.pad(lines.mean(axis=1), _WIDEST, mode="reflect")
    at = np.arange(len(lines)) + _WIDEST
    one, two = means[at] - means[at - _WIDEST], means[at] - means[at + _WIDEST]
    typical = 1.4826 * float(np.median(np.abs(one)))
    excess = np.where(one * two > 0, np.minimum(np.abs(one), np.abs(two)), 0.0)
    which = np.flatnonzero(excess > _LINE * typical)
    if typical == 0 or not 0 < len(which) <= _FEW * len(lines):
        return nothing
    return np.array([each for each in which if _is_own(lines, int(each), which)], np.int64)


def _is_own(lines: NDArray[Any], number: int, others: NDArray[np.int64]) -> bool:
    """Whether a row differs to one side all along, and within one pixel."""
    last = len(lines) - 1
    away = [abs(number - _WIDEST), min(number + _WIDEST, 2 * last - number - _WIDEST)]
    excess = lines[number] - lines[away]
    total = float(excess.sum())
    if abs(total) < _AS_ONE * float(np.abs(excess).sum()):
        return False
    sides = [k for k in (number - 1, number + 1) if 0 <= k <= last and k not in others]
    steps = [float((lines[number] - lines[k]).sum()) * np.sign(total) for k in sides]
    return bool(steps) and min(steps) > _STEP * abs(total) / 2
