"""Kernels that take the exact share that a four-sided pixel of the result has in each pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import part, reordered


@part
@reordered
def add_edge(y: float, x: float, y_end: float, x_end: float, covered: Any) -> None:
    """Add an edge of a polygon to the changes of coverage along rows (Levien's accumulation).

    Pixel (i, j) is the square from (i, j) to (i + 1, j + 1); summed along rows, the changes of all
    edges of a closed polygon are the area of it within each pixel, signed by its sense.

    Examples
    --------
    >>> covered = np.zeros((1, 3))
    >>> add_edge(0.0, 0.5, 1.0, 0.5, covered)
    >>> covered.tolist()
    [[0.5, 0.5, 0.0]]
    """
    if y == y_end:
        return
    sign = 1.0
    if y > y_end:
        sign, y, x, y_end, x_end = -1.0, y_end, x_end, y, x
    slope = (x_end - x) / (y_end - y)
    for i in range(int(y), min(int(np.ceil(y_end)), covered.shape[0])):
        top, bottom = max(float(i), y), min(i + 1.0, y_end)
        a, b = x + (top - y) * slope, x + (bottom - y) * slope
        low, high = (a, b) if a < b else (b, a)
        low = max(low, 0.0)
        d = sign * (bottom - top)
        first, last = int(low), int(np.ceil(high))
        line = covered[i]
        if last <= first + 1:
            share = d * ((low + high) / 2.0 - first)
            line[first] += d - share
            line[first + 1] += share
            continue
        # Of the strip, what lies to the right of the edge within each pixel that it crosses.
        per = 1.0 / (high - low)
        before = 0.0
        for j in range(first, last):
            start, end = max(low, float(j)), min(high, j + 1.0)
            right = (start - low) + (j + 1.0 - (start + end) / 2.0) * (end - start)
            line[j] += d * per * right - before
            before = d * per * right
        line[last] += d - before


@part
@reordered
def cover(corners: Any, covered: Any) -> float:
    """Area of a polygon of four corners (4, 2) within each pixel of a table, and its sign.

    Corners are counted from the table's edge, which they do not pass; it has one column more.

    Examples
    --------
    >>> covered = np.ones((2, 3))
    >>> square = np.array([[0.5, 0.5], [0.5, 1.5], [1.5, 1.5], [1.5, 0.5]])
    >>> cover(square, covered), np.abs(covered).tolist()
    (-1.0, [[0.25, 0.25, 0.0], [0.25, 0.25, 0.0]])
    """
    for i in range(covered.shape[0]):
        for j in range(covered.shape[1]):
            covered[i, j] = 0.0
    twice = 0.0
    for k in range(4):
        y, x = corners[k, 0], corners[k, 1]
        m = (k + 1) % 4
        add_edge(y, x, corners[m, 0], corners[m, 1], covered)
        twice += y * corners[m, 1] - x * corners[m, 0]
    for i in range(covered.shape[0]):
        line = covered[i]
        for j in range(1, line.size):
            line[j] += line[j - 1]
    return 1.0 if twice > 0.0 else -1.0


@part
@reordered
def placed(corners: Any, centre: Any, most: float, polygon: Any, box: Any) -> bool:
    """Corners about a centre, each within `most` pixels of it, counted from the edge of a table.

    `box` gets the first row and column of the table and its numbers of rows and columns.

    Examples
    --------
    >>> polygon, box = np.zeros((4, 2)), np.zeros(4, np.int64)
    >>> corners = np.array([[2.5, 1.0], [2.5, 2.0], [3.5, 2.0], [3.5, 1.0]])
    >>> placed(corners, np.array([3.0, 1.5]), 9.0, polygon, box), box.tolist(), polygon[0].tolist()
    (True, [3, 1, 1, 2], [0.0, 0.5])
    """
    far = 0.0
    for k in range(4):
        for m in range(2):
            far = max(far, abs(corners[k, m] - centre[m]))
    if not far < np.inf:
        return False
    shrink = min(1.0, most / far) if far > 0.0 else 1.0
    for m in range(2):
        low, high = np.inf, -np.inf
        for k in range(4):
            # Pixel i begins half a pixel before its centre.
            at = centre[m] + shrink * (corners[k, m] - centre[m]) + 0.5
            polygon[k, m] = at
            low, high = min(low, at), max(high, at)
        start = np.floor(low)
        box[m] = int(start)
        box[2 + m] = max(1, int(np.ceil(high) - start))
        for k in range(4):
            polygon[k, m] -= start
    return True


def area_average(
    planes: Any, valid: Any, start: int, places: Any, corners: Any, most: float, out: Any
) -> None:
    """Means over the exact area of pixels of four corners, NaN where less than half is known."""
    channels, rows, columns = planes.shape
    polygon, box = np.empty((4, 2)), np.empty(4, np.int64)
    table = np.empty(64)
    sums = np.empty(channels)
    for p in range(places.shape[0]):
        y, x = places[p, 0], places[p, 1]
        for k in range(channels):
            out[k, p] = np.nan
        if not (y >= start - 0.5 and y <= start + rows - 0.5):
            continue
        if not (x >= -0.5 and x <= columns - 0.5):
            continue
        if not placed(corners[p], places[p], most, polygon, box):
            continue
        size = box[2] * (box[3] + 1)
        if size > table.size:
            table = np.empty(2 * size)
        covered = table[:size].reshape((box[2], box[3] + 1))
        sign = cover(polygon, covered)
        box[0] -= start
        total, known = 0.0, 0.0
        for k in range(channels):
            sums[k] = 0.0
        for i in range(max(0, -box[0]), min(box[2], rows - box[0])):
            for j in range(max(0, -box[1]), min(box[3], columns - box[1])):
                share = sign * covered[i, j]
                total += share
                if valid.size and not valid[box[0] + i, box[1] + j]:
                    continue
                known += share
                for k in range(channels):
                    sums[k] += share * planes[k, box[0] + i, box[1] + j]
        if total > 0.0 and known >= 0.5 * total:
            for k in range(channels):
                out[k, p] = sums[k] / known


def majority(labels: Any, places: Any, corners: Any, most: float, nothing: int, out: Any) -> None:
    """The label that most of a pixel has; `nothing` outside. Of equal ones the first."""
    rows, columns = labels.shape
    polygon, box = np.empty((4, 2)), np.empty(4, np.int64)
    table = np.empty(64)
    names, shares = np.empty(64, np.int64), np.empty(64)
    for p in range(places.shape[0]):
        y, x = places[p, 0], places[p, 1]
        out[p] = nothing
        if not (y >= -0.5 and y <= rows - 0.5 and x >= -0.5 and x <= columns - 0.5):
            continue
        if not placed(corners[p], places[p], most, polygon, box):
            continue
        size = box[2] * (box[3] + 1)
        if size > table.size:
            table = np.empty(2 * size)
        covered = table[:size].reshape((box[2], box[3] + 1))
        sign = cover(polygon, covered)
        count, last = 0, 0
        for i in range(max(0, -box[0]), min(box[2], rows - box[0])):
            for j in range(max(0, -box[1]), min(box[3], columns - box[1])):
                name = labels[box[0] + i, box[1] + j]
                if not (count and names[last] == name):
                    last = 0
                    while last < count and names[last] != name:
                        last += 1
                    if last == count:
                        if count == names.size:
                            more, most_shares = np.empty(2 * count, np.int64), np.empty(2 * count)
                            for k in range(count):
                                more[k], most_shares[k] = names[k], shares[k]
                            names, shares = more, most_shares
                        names[count], shares[count] = name, 0.0
                        count += 1
                shares[last] += sign * covered[i, j]
        best = 0.0
        for k in range(count):
            # What differs by rounding alone is equal.
            if shares[k] > best * (1.0 + 1e-9):
                best, out[p] = shares[k], names[k]
