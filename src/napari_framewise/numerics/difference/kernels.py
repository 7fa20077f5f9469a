"""Kernels: sums over the cells of a change map in one pass over both images."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import part, reordered


def residual_sums(
    reference: Any,
    image: Any,
    weight: Any,
    factor: int,
    least: float,
    most: float,
    rest: float,
    cells: Any,
) -> None:
    """Add squared residuals, and squared gradients of both, to zeros (3, rows, columns) of cells.

    A residual counts for at most ``most * (least + rest * g)``, g the lesser squared gradient. The
    outermost pixels, which have no gradient, count for nothing.
    """
    rows, columns = image.shape
    line = np.zeros((3, columns))
    squares, firsts, seconds = line[0, 1:-1], line[1, 1:-1], line[2, 1:-1]
    for i in range(1, rows - 1):
        a, b, use = reference[i, 1:-1], image[i, 1:-1], weight[i, 1:-1]
        a_up, a_down = reference[i - 1, 1:-1], reference[i + 1, 1:-1]
        b_up, b_down = image[i - 1, 1:-1], image[i + 1, 1:-1]
        a_left, a_right, b_left, b_right = (
            reference[i, :-2],
            reference[i, 2:],
            image[i, :-2],
            image[i, 2:],
        )
        for j in range(a.size):
            ay, ax = a_down[j] - a_up[j], a_right[j] - a_left[j]
            by, bx = b_down[j] - b_up[j], b_right[j] - b_left[j]
            first, second = 0.25 * (ay * ay + ax * ax), 0.25 * (by * by + bx * bx)
            away = b[j] - a[j]
            bound = most * (least + rest * min(first, second))
            squares[j] += use[j] * min(away * away, bound)
            firsts[j] += use[j] * first
            seconds[j] += use[j] * second
        if (i + 1) % factor == 0 or i == rows - 2:
            move_to_cells(line, i // factor, factor, cells)


@part
@reordered
def move_to_cells(line: Any, row: int, factor: int, cells: Any) -> None:
    """Add sums of columns (n, columns) to a row of cells (n, rows, cells), and begin them anew."""
    columns = line.shape[1]
    for k in range(line.shape[0]):
        values, sums = line[k], cells[k, row]
        for cell in range(sums.size):
            total = 0.0
            for j in range(cell * factor, min((cell + 1) * factor, columns)):
                total += values[j]
                values[j] = 0.0
            sums[cell] += total


def normal_sums(
    still: Any,
    moved: Any,
    slopes: Any,
    weight: Any,
    inside: Any,
    spread: float,
    factor: int,
    cells: Any,
) -> None:
    """Add the products of Lucas and Kanade's equations to zeros (5, rows, columns) of cells.

    Of slopes (2, y, x) and residuals ``still - moved``: yy, xx, yx, y times the residual, x times
    it. A residual that neither a noise of `spread` nor a displacement of a pixel explains, three
    times over, is a change: its weight falls as one over it (Huber).
    """
    rows, columns = still.shape
    line = np.zeros((5, columns))
    for i in range(rows):
        a, b, down, right = still[i], moved[i], slopes[0, i], slopes[1, i]
        use, there = weight[i], inside[i]
        for j in range(columns):
            gy, gx = down[j], right[j]
            left = a[j] - b[j]
            borne = 9.0 * (spread * spread + gy * gy + gx * gx) + 1e-300
            size = left * left
            w = use[j] * there[j] * (np.sqrt(borne / size) if size > borne else 1.0)
            line[0, j] += w * gy * gy
            line[1, j] += w * gx * gx
            line[2, j] += w * gy * gx
            line[3, j] += w * gy * left
            line[4, j] += w * gx * left
        if (i + 1) % factor == 0 or i == rows - 1:
            move_to_cells(line, i // factor, factor, cells)
