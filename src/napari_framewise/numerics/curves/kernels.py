"""The cheapest path from the first column to the last, by dynamic programming."""

from __future__ import annotations

from typing import Any

from napari_framewise.numerics.compiling import in_order

_DIAGONAL = 2.0**0.5


@in_order
def cheapest_path(cost: Any, total: Any, entry: Any, step: Any, path: Any) -> float:
    """Pixels of the path of the smallest sum of cost times length.

    `cost` (x, y) is not negative. From column to column a path goes straight on or aslant by one
    row, and within a column any way up or down. `total` (3, y), `entry` (x, y) int32 and `step` (x,
    y) int8 are scratch. The row at which each column is entered and left goes to `path` (x, 2).

    Examples
    --------
    >>> import numpy as np
    >>> cost, path = 1 - np.eye(4), np.zeros((4, 2), np.int64)
    >>> scratch = np.zeros((3, 4)), np.zeros((4, 4), np.int32), np.zeros((4, 4), np.int8)
    >>> cheapest_path(cost, *scratch, path), path[:, 1].tolist()
    (0.0, [0, 1, 2, 3])
    """
    length, rows = cost.shape
    before, base, now = total[0], total[1], total[2]
    for y in range(rows):
        before[y] = cost[0, y]
        entry[0, y] = y
    for x in range(1, length):
        for y in range(rows):
            here = cost[x, y]
            best, way = before[y] + here, 0
            if y > 0:
                there = before[y - 1] + _DIAGONAL * here
                if there < best:
                    best, way = there, 1
            if y + 1 < rows:
                there = before[y + 1] + _DIAGONAL * here
                if there < best:
                    best, way = there, -1
            base[y] = best
            step[x, y] = way
            now[y] = best
            entry[x, y] = y
        # Down the column, then up: a path turns once at most in one column.
        run, start = base[0], 0
        for y in range(1, rows):
            run += cost[x, y]
            if base[y] <= run:
                run, start = base[y], y
            elif run < now[y]:
                now[y] = run
                entry[x, y] = start
        run, start = base[rows - 1], rows - 1
        for y in range(rows - 2, -1, -1):
            run += cost[x, y]
            if base[y] <= run:
                run, start = base[y], y
            elif run < now[y]:
                now[y] = run
                entry[x, y] = start
        for y in range(rows):
            before[y] = now[y]
    at = 0
    for y in range(rows):
        if before[y] < before[at]:
            at = y
    found = before[at]
    for x in range(length - 1, -1, -1):
        path[x, 1] = at
        at = entry[x, at]
        path[x, 0] = at
        at -= step[x, at]
    return float(found)
