"""Compiled steps into a grid of space and range, and out of it, by linear interpolation."""

from __future__ import annotations

import math

from napari_framewise.numerics.compiling import in_order


@in_order
def splat(values, position, usable, cells, shares, corners, base, grid):  # type: ignore[no-untyped-def]
    """Spread every pixel over the cells around it.

    Parameters
    ----------
    values : (z, y, x)
        What is filtered.
    position : (z, y, x) float64
        Place of the guide along the range, in cells.
    usable : (z, y, x) bool
        Pixels that weigh in.
    cells, shares : three of (length,) int64, float64
        First cell of each pixel along each axis, and the share of the second.
    corners : (3,) int64
        1 or 2 cells along each axis.
    base : int
        First cell of range in the grid; what lies outside of the grid is left out.
    grid : (z, y, x, range, 2) float64
        Sums of values and of weights; added to.
    """
    depth, height, width = values.shape
    last = grid.shape[3] - 1
    beside = corners[2] - 1
    for z in range(depth):
        for y in range(height):
            for a in range(corners[0]):
                in_z = shares[0][z] if a else 1.0 - shares[0][z]
                for b in range(corners[1]):
                    in_y = in_z * (shares[1][y] if b else 1.0 - shares[1][y])
                    line = grid[cells[0][z] + a, cells[1][y] + b]
                    for x in range(width):
                        place = position[z, y, x]
                        first = math.floor(place)
                        r = int(first) - base
                        if r < 0 or r >= last or not usable[z, y, x]:
                            continue
                        v = values[z, y, x]
                        upper, right = place - first, in_y * shares[2][x]
                        left = in_y - right
                        here, there = line[cells[2][x]], line[cells[2][x] + beside]
                        w = left * upper
                        here[r + 1, 0] += w * v
                        here[r + 1, 1] += w
                        w = left - w
                        here[r, 0] += w * v
                        here[r, 1] += w
                        w = right * upper
                        there[r + 1, 0] += w * v
                        there[r + 1, 1] += w
                        w = right - w
                        there[r, 0] += w * v
                        there[r, 1] += w


@in_order
def read_off(position, known, cells, shares, corners, base, limits, rows, grid, sums, out):  # type: ignore[no-untyped-def]
    """Interpolate the ratio of sums at the pixels whose cell of range lies within `limits`.

    `rows` are the first and last (exclusive) row to answer for; `sums` (2, x) is scratch, `out`
    (z, rows, x) is written where something weighs in.
    """
    depth, _, width = out.shape
    beside = corners[2] - 1
    for z in range(depth):
        for y in range(rows[0], rows[1]):
            for x in range(width):
                sums[0, x] = 0.0
                sums[1, x] = 0.0
            for a in range(corners[0]):
                in_z = shares[0][z] if a else 1.0 - shares[0][z]
                for b in range(corners[1]):
                    in_y = in_z * (shares[1][y] if b else 1.0 - shares[1][y])
                    line = grid[cells[0][z] + a, cells[1][y] + b]
                    for x in range(width):
                        place = position[z, y, x]
                        first = math.floor(place)
                        cell = int(first)
                        if cell < limits[0] or cell >= limits[1] or not known[z, y, x]:
                            continue
                        r = cell - base
                        upper, right = place - first, in_y * shares[2][x]
                        left = in_y - right
                        here, there = line[cells[2][x]], line[cells[2][x] + beside]
                        w, v = left * upper, right * upper
                        sums[0, x] += w * here[r + 1, 0] + v * there[r + 1, 0]
                        sums[1, x] += w * here[r + 1, 1] + v * there[r + 1, 1]
                        w, v = left - w, right - v
                        sums[0, x] += w * here[r, 0] + v * there[r, 0]
                        sums[1, x] += w * here[r, 1] + v * there[r, 1]
            result = out[z, y - rows[0]]
            for x in range(width):
                if sums[1, x] > 0.0:
                    result[x] = sums[0, x] / sums[1, x]
