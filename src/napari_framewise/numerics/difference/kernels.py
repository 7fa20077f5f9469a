"""Kernels: sums over the cells of a change map in one pass over both images."""

from __future__ import annotations

from typing import Any


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

    A residual counts for at most ``most * (least + rest * g)``, g the lesser squared gradient.
    """
    rows, columns = image.shape
    for i in range(rows):
        above, below = max(i - 1, 0), min(i + 1, rows - 1)
        down = 1.0 / (below - above)
        a, b, use = reference[i], image[i], weight[i]
        a_up, a_down, b_up, b_down = reference[above], reference[below], image[above], image[below]
        energy, steep, other = cells[0, i // factor], cells[1, i // factor], cells[2, i // factor]
        for j in range(columns):
            if use[j] == 0.0:
                continue
            left, right = max(j - 1, 0), min(j + 1, columns - 1)
            along = 1.0 / (right - left)
            ay, ax = (a_down[j] - a_up[j]) * down, (a[right] - a[left]) * along
            by, bx = (b_down[j] - b_up[j]) * down, (b[right] - b[left]) * along
            first, second = ay * ay + ax * ax, by * by + bx * bx
            away = b[j] - a[j]
            away = min(away * away, most * (least + rest * min(first, second)))
            cell = j // factor
            energy[cell] += use[j] * away
            steep[cell] += use[j] * first
            other[cell] += use[j] * second
