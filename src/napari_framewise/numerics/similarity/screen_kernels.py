"""The kernels of the screen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import part, reordered


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


@reordered
def keep_best(scores: Any, begin: int, after: Any, kept: Any, numbers: Any) -> None:
    """Keep the best scores of each row, with the numbers of their columns.

    `scores` is (rows, columns), the first column has the number `begin`, and only columns behind
    `after` count. `kept` (rows, count) is a heap with its least score first, `numbers` go with it.
    """
    count = kept.shape[1]
    for i in range(scores.shape[0]):
        heap, names = kept[i], numbers[i]
        for j in range(max(0, after[i] + 1 - begin), scores.shape[1]):
            value = scores[i, j]
            if not value > heap[0]:
                continue
            at, below = 0, 1
            while below < count:
                if below + 1 < count and heap[below + 1] < heap[below]:
                    below += 1
                if not heap[below] < value:
                    break
                heap[at], names[at] = heap[below], names[below]
                at, below = below, 2 * below + 1
            heap[at], names[at] = value, begin + j


@part
@reordered
def overlap_sums(first: Any, second: Any, row: int, column: int) -> Any:
    """Over x of f(x) and g(x + d): sums of f g, f f and g g, in single precision."""
    rows, columns = first.shape
    start, stop = max(0, -column), min(columns, columns - column)
    ff = gg = fg = np.float32(0)
    for y in range(max(0, -row), min(rows, rows - row)):
        a, b = first[y, start:stop], second[y + row, start + column : stop + column]
        for i in range(a.size):
            ff += a[i] * a[i]
            gg += b[i] * b[i]
            fg += a[i] * b[i]
    return fg, ff, gg


@part
@reordered
def product_sum(first: Any, second: Any, row: int, column: int) -> Any:
    """Over x the sum of f(x) g(x + d), in single precision."""
    rows, columns = first.shape
    start, stop = max(0, -column), min(columns, columns - column)
    fg = np.float32(0)
    for y in range(max(0, -row), min(rows, rows - row)):
        a, b = first[y, start:stop], second[y + row, start + column : stop + column]
        for i in range(a.size):
            fg += a[i] * b[i]
    return fg


@part
@reordered
def weighed_nearby(
    first: Any, second: Any, middle_row: int, middle_column: int, around: int, least: float
) -> float:
    """Largest weighed correlation among the shifts around one."""
    rows, columns = first.shape
    best = -math.inf
    for row in range(middle_row - around, middle_row + around + 1):
        for column in range(middle_column - around, middle_column + around + 1):
            n = max(0, rows - abs(row)) * max(0, columns - abs(column))
            if n == 0 or n < least:
                continue
            fg, ff, gg = overlap_sums(first, second, row, column)
            if ff > 0 and gg > 0:
                r = min(0.999, max(-0.999, fg / math.sqrt(float(ff) * float(gg))))
                best = max(best, math.atanh(r) * math.sqrt(n))
    return best


@reordered
def looked_at_closer(
    first: Any,
    factors: Any,
    second: Any,
    sizes: Any,
    fine_first: Any,
    fine_second: Any,
    candidates: Any,
    shifts: Any,
    ratio: float,
    least: float,
    room: Any,
    out: Any,
) -> None:
    """Weighed correlation of each image with its candidates: out (rows, candidates).

    The best of `shifts` between the reduced images is refined between the finer ones, which have
    `ratio` times as many pixels along a side. `factors` (first, shifts) and `sizes` (second,
    shifts) are what products are weighed by, `room` holds two finer images. Candidates below 0
    are none.
    """
    rows, columns = fine_first.shape[1:]
    around = math.ceil(ratio)
    for i in range(candidates.shape[0]):
        for y in range(rows):
            for x in range(columns):
                room[0, y, x] = fine_first[i, y, x]
        for c in range(candidates.shape[1]):
            j = candidates[i, c]
            out[i, c] = -math.inf
            if j < 0:
                continue
            best, at = -math.inf, 0
            for k in range(shifts.shape[0]):
                product = product_sum(first[i], second[j], shifts[k, 0], shifts[k, 1])
                value = product * factors[i, k] * sizes[j, k]
                if value > best:
                    best, at = value, k
            for y in range(rows):
                for x in range(columns):
                    room[1, y, x] = fine_second[j, y, x]
            out[i, c] = weighed_nearby(
                room[0],
                room[1],
                round(shifts[at, 0] * ratio),
                round(shifts[at, 1] * ratio),
                around,
                least * rows * columns,
            )
