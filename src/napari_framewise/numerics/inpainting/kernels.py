"""Kernels of filling by exemplars: the exact best patch, and the priorities of a fill front."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import in_order

_AT_ONCE = 1024
_TERMS = 4
_FEW = 16
EQUAL = 1e-10
"""Sums and priorities that differ by less than this share are equal: rounding would choose."""


@in_order
def best_patch(
    planes: Any, runs: Any, offsets: Any, wanted: Any, width: int, place: int, best: Any
) -> None:
    """The patch with the least sum of squared differences, of several the nearest.

    Sums that differ by less than rounding are equal. Terms are summed for many patches at once
    until few of these sums do not exceed the least so far, and then for those alone; so
    `offsets` had best begin with what is rarest, and good guesses be looked at before. Terms are
    added one after the other. Of patches as near the first counts.

    Parameters
    ----------
    planes : (c, n)
        Channels of the image, row by row.
    runs : (k, 2) int
        First and last (exclusive) number of runs of pixels that patches may lie about.
    offsets : (m,) int
        What is added to a centre for the pixels that are compared.
    wanted : (m, c)
        Values there.
    width : int
        Pixels of a row.
    place : int
        Number of the pixel that distances count from.
    best : (3,) float64
        Sum, squared distance and number of the best centre so far, infinite, infinite and -1 where
        there is none; changed where a better one is found.

    Examples
    --------
    >>> planes = np.array([[5.0, 1.0, 2.0, 7.0, 1.0, 2.0]])
    >>> best = np.array([np.inf, np.inf, -1])
    >>> runs, offsets = np.array([[0, 2], [4, 5]]), np.array([0, 1])
    >>> best_patch(planes, runs, offsets, np.array([[1.0], [2.5]]), 6, 3, best)
    >>> best.tolist()
    [0.25, 1.0, 4.0]
    """
    least, near, found = best[0], best[1], int(best[2])
    most = least * (1 + EQUAL)
    channels, terms = planes.shape[0], len(offsets)
    row, column = place // width, place % width
    sums = np.empty(_AT_ONCE)
    for run in range(len(runs)):
        for start in range(runs[run, 0], runs[run, 1], _AT_ONCE):
            count = min(runs[run, 1] - start, _AT_ONCE)
            for j in range(count):
                sums[j] = 0.0
            summed, alive = 0, count
            while summed < terms and alive * _FEW > count:
                stop = min(summed + _TERMS, terms)
                for k in range(summed, stop):
                    for c in range(channels):
                        line = planes[c, start + offsets[k] : start + offsets[k] + count]
                        value = wanted[k, c]
                        for j in range(count):
                            difference = line[j] - value
                            sums[j] += difference * difference
                summed, alive = stop, 0
                for j in range(count):
                    alive += sums[j] <= most
            for j in range(count):
                total = sums[j]
                if total > most:
                    continue
                at = start + j
                down, right = at // width - row, at % width - column
                away = float(down * down + right * right)
                if least == 0.0 and away > near:
                    # Nothing fits better: only what is nearer can be taken.
                    continue
                for k in range(summed, terms):
                    for c in range(channels):
                        difference = planes[c, at + offsets[k]] - wanted[k, c]
                        total += difference * difference
                    if total > most:
                        break
                if total < least * (1 - EQUAL) or (
                    total <= most and (away < near or (away == near and at < found))
                ):
                    least, near, found = total, away, at
                    most = least * (1 + EQUAL)
    best[0], best[1], best[2] = least, near, found


@in_order
def front_priorities(
    places: Any,
    normals: Any,
    confidence: Any,
    slopes: Any,
    radius: int,
    means: Any,
    isophotes: Any,
) -> None:
    """Confidence and data terms of the pixels of a fill front (Criminisi et al. 2004, eq. 1).

    Parameters
    ----------
    places : (n, 2) int
        Rows and columns of the pixels.
    normals : (n, 2)
        Unit normals of the front; NaN where it has none.
    confidence : (y, x)
        Of each pixel, 0 where it is still to be filled.
    slopes : (y, x, 2)
        Gradient of the image; NaN where a neighbour is not known.
    radius : int
        Of the patch: its side is 2 radius + 1.
    means : (n,)
        Filled with C, the mean confidence of the patch, pixels beyond the border left out.
    isophotes : (n,)
        Filled with the strength of the isophote that meets the front, the gradient of the steepest
        pixel of the patch times n.

    Examples
    --------
    >>> confidence, slopes = np.ones((3, 3)), np.full((3, 3, 2), [0.0, 2.0])
    >>> confidence[2], slopes[2] = 0, np.nan
    >>> means, isophotes = np.zeros(1), np.zeros(1)
    >>> front_priorities(
    ...     np.array([[2, 1]]), np.array([[1.0, 0.0]]), confidence, slopes, 1, means, isophotes
    ... )
    >>> means, isophotes
    (array([0.5]), array([2.]))
    """
    height, width = confidence.shape
    for n in range(len(places)):
        row, column = places[n, 0], places[n, 1]
        total, pixels = 0.0, 0
        steepest, down, right = -1.0, 0.0, 0.0
        for i in range(max(row - radius, 0), min(row + radius + 1, height)):
            for j in range(max(column - radius, 0), min(column + radius + 1, width)):
                total += confidence[i, j]
                pixels += 1
                size = slopes[i, j, 0] ** 2 + slopes[i, j, 1] ** 2
                if size > steepest:
                    steepest, down, right = size, slopes[i, j, 0], slopes[i, j, 1]
        means[n] = total / pixels
        across = down * normals[n, 1] - right * normals[n, 0]
        isophotes[n] = abs(across) if across == across else 0.0
