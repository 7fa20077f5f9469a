"""Kernels of medians of a flow: plain ones, and ones weighted by how similar the pixels look."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.copying import copy_line


def median3(values: Any, out: Any) -> None:
    """Median of 3 x 3 pixels, the border repeated (sorted columns, Smith 1996)."""
    rows, columns = values.shape
    pad = np.empty((3, columns + 2), values.dtype)
    for y in range(rows):
        for k in range(3):
            source = values[min(max(y - 1 + k, 0), rows - 1)]
            copy_line(source, pad[k, 1 : columns + 1])
            pad[k, 0] = source[0]
            pad[k, columns + 1] = source[columns - 1]
        for k in range(1, 3):
            above, here = pad[k - 1], pad[k]
            if k == 2:
                above = pad[0]
                for x in range(columns + 2):
                    a, b = above[x], here[x]
                    above[x] = a if a < b else b
                    here[x] = b if a < b else a
                above = pad[1]
            for x in range(columns + 2):
                a, b = above[x], here[x]
                above[x] = a if a < b else b
                here[x] = b if a < b else a
        low, middle, high, line = pad[0], pad[1], pad[2], out[y]
        for x in range(columns):
            a, b, c = low[x], low[x + 1], low[x + 2]
            t = a if a > b else b
            most = t if t > c else c
            a, b, c = high[x], high[x + 1], high[x + 2]
            t = a if a < b else b
            least = t if t < c else c
            a, b, c = middle[x], middle[x + 1], middle[x + 2]
            small, large = (a, b) if a < b else (b, a)
            t = large if large < c else c
            mid = small if small > t else t
            small, large = (most, mid) if most < mid else (mid, most)
            t = large if large < least else least
            line[x] = small if small > t else t


def weighted_median(
    flow: Any, guide: Any, trust: Any, wanted: Any, radius: int, contrast: float, out: Any
) -> None:
    """Median over a square of the pixels that look similar, where it is wanted (Sun et al. 2010).

    Weights fall with the distance, with the difference of the guide (channels, y, x) and with the
    pixel's trust. The median is found by bisection, to a thousandth of a pixel.
    """
    rows, columns = wanted.shape
    most = (2 * radius + 1) ** 2
    values, weights = np.empty(most, np.float32), np.empty(most, np.float32)
    near = np.float32(0.5 / radius**2)
    steep, one = np.float32(contrast), np.float32(1)
    for y in range(rows):
        top, bottom = max(0, y - radius), min(rows, y + radius + 1)
        for x in range(columns):
            if not wanted[y, x]:
                for axis in range(2):
                    out[axis, y, x] = flow[axis, y, x]
                continue
            left, right = max(0, x - radius), min(columns, x + radius + 1)
            width = right - left
            count, total = 0, np.float32(0)
            for i in range(top, bottom):
                line = weights[count : count + width]
                for j in range(width):
                    away = left + j - x
                    line[j] = near * np.float32((i - y) * (i - y) + away * away)
                for k in range(guide.shape[0]):
                    centre, row = guide[k, y, x], guide[k, i, left:right]
                    for j in range(width):
                        step = row[j] - centre
                        line[j] += steep * step * step
                sure = trust[i, left:right]
                for j in range(width):
                    d = line[j]
                    # A power series of the exponential: it needs no call, so many go at once.
                    d = one + d * (one + np.float32(0.5) * d * (one + d / np.float32(3)))
                    line[j] = sure[j] / d
                    total += line[j]
                count += width
            for axis in range(2):
                count = 0
                for i in range(top, bottom):
                    copy_line(flow[axis, i, left:right], values[count : count + width])
                    count += width
                low, high = values[0], values[0]
                for j in range(count):
                    low = min(low, values[j])
                    high = max(high, values[j])
                while high - low > np.float32(1e-3):
                    middle = np.float32(0.5) * (low + high)
                    below = np.float32(0)
                    for j in range(count):
                        below += weights[j] if values[j] <= middle else np.float32(0)
                    if below >= np.float32(0.5) * total:
                        high = middle
                    else:
                        low = middle
                    # Between neighbouring numbers of large flows nothing is left to halve.
                    if middle == low and middle == high:
                        break
                out[axis, y, x] = np.float32(0.5) * (low + high)
