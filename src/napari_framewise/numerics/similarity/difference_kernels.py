"""Kernels of pixel differences over shifts."""

from __future__ import annotations

import math
from typing import Any

from napari_framewise.numerics.compiling import part, reordered

# What unrelated images of mean 0 and deviation 1 differ by: E|f - g| and E(f - g)^2 of normal ones.
UNRELATED = (2 / math.sqrt(math.pi), 2.0)


@part
@reordered
def differing(
    first: Any, second: Any, used: Any, other: Any, row: int, column: int, squared: bool
) -> Any:
    """Pixels that overlap at a shift, and the sum of their absolute or squared differences."""
    rows, columns = first.shape
    n = total = 0.0
    start, stop = max(0, -column), min(columns, columns - column)
    for y in range(max(0, -row), min(rows, rows - row)):
        a, m = first[y, start:stop], used[y, start:stop]
        b = second[y + row, start + column : stop + column]
        k = other[y + row, start + column : stop + column]
        line = count = m[0] * k[0] * 0
        if squared:
            for i in range(a.size):
                both = m[i] * k[i]
                count += both
                line += both * (a[i] - b[i]) * (a[i] - b[i])
        else:
            for i in range(a.size):
                both = m[i] * k[i]
                count += both
                line += both * abs(a[i] - b[i])
        n += count
        total += line
    return n, total


@reordered
def least_difference(
    first: Any,
    second: Any,
    used: Any,
    other: Any,
    top: int,
    left: int,
    least: float,
    squared: bool,
    unrelated: float,
    out: Any,
) -> None:
    """Mean difference, its weighed value, shift and pixels where it stands out most: out (5)."""
    for c in range(5):
        out[c] = math.nan
    highest = -math.inf
    for row in range(-top, top + 1):
        for column in range(-left, left + 1):
            n, total = differing(first, second, used, other, row, column, squared)
            if n < least or n < 1:
                continue
            z = (1 - total / n / unrelated) * math.sqrt(n)
            if z > highest:
                highest = z
                out[0], out[1], out[2], out[3], out[4] = total / n, z, row, column, n
