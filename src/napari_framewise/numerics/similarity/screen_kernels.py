"""The kernel of the screen."""

from __future__ import annotations

from typing import Any

from napari_framewise.numerics.compiling import reordered


@reordered
def best_of_shifts(products: Any, factors: Any, out: Any) -> None:
    """Largest product of each pair over its shifts, with a factor of the row for each shift.

    `products` is (rows, shifts, pairs), `factors` (rows, shifts), `out` (rows, pairs).
    """
    pairs = out.shape[1]
    for i in range(out.shape[0]):
        best = out[i]
        for j in range(pairs):
            best[j] = products[i, 0, j] * factors[i, 0]
        for k in range(1, factors.shape[1]):
            line, factor = products[i, k], factors[i, k]
            for j in range(pairs):
                value = line[j] * factor
                best[j] = value if value > best[j] else best[j]
