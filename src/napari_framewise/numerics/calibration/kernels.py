"""The kernel of straightening: displacement and spline of the image in one pass over the result."""

from __future__ import annotations

from typing import Any

import numpy as np


def straight_rows(
    coefficients: Any,
    valid: Any,
    along_rows: Any,
    first: Any,
    weights: Any,
    ends: Any,
    out: Any,
) -> None:
    """Fill (channels, y, x) of the straight image; NaN where there are no data.

    `along_rows` (2, y, columns of coefficients) is the displacement's spline at every row already,
    `first` and `weights` take it to every column; `ends` (y, 2) are the first pixel of a row within
    the nodes and the one after the last.
    """
    channels, rows, columns = coefficients.shape
    last_row, last_column = rows - 1.0, columns - 1.0
    kind = coefficients.dtype.type
    index = np.zeros((2, 4), np.int64)
    across = np.zeros(4, coefficients.dtype)
    along = np.zeros(4, coefficients.dtype)
    downs = np.empty(out.shape[2])
    rights = np.empty(out.shape[2])
    for y in range(out.shape[1]):
        for c in range(channels):
            line = out[c, y]
            for x in range(line.size):
                line[x] = np.nan
        for x in range(ends[y, 0], ends[y, 1]):
            k = first[x]
            downs[x] = (
                weights[x, 0] * along_rows[0, y, k]
                + weights[x, 1] * along_rows[0, y, k + 1]
                + weights[x, 2] * along_rows[0, y, k + 2]
                + weights[x, 3] * along_rows[0, y, k + 3]
                + y
            )
            rights[x] = (
                weights[x, 0] * along_rows[1, y, k]
                + weights[x, 1] * along_rows[1, y, k + 1]
                + weights[x, 2] * along_rows[1, y, k + 2]
                + weights[x, 3] * along_rows[1, y, k + 3]
                + x
            )
        for x in range(ends[y, 0], ends[y, 1]):
            down, right = downs[x], rights[x]
            if not (down >= 0.0 and down <= last_row and right >= 0.0 and right <= last_column):
                continue
            top, left = int(down), int(right)
            f, h = down - top, right - left
            if valid.size:
                low = top + 1 if f > 0 else top
                far = left + 1 if h > 0 else left
                if not (valid[top, left] and valid[top, far]):
                    continue
                if not (valid[low, left] and valid[low, far]):
                    continue
            g, i = 1.0 - f, 1.0 - h
            a0, b0 = kind(g * g * g / 6.0), kind(i * i * i / 6.0)
            a1 = kind(2.0 / 3.0 - f * f * (1.0 - 0.5 * f))
            b1 = kind(2.0 / 3.0 - h * h * (1.0 - 0.5 * h))
            a2 = kind(2.0 / 3.0 - g * g * (1.0 - 0.5 * g))
            b2 = kind(2.0 / 3.0 - i * i * (1.0 - 0.5 * i))
            a3, b3 = kind(f * f * f / 6.0), kind(h * h * h / 6.0)
            if top >= 1 and left >= 1 and top < rows - 2 and left < columns - 2:
                for c in range(channels):
                    r0 = coefficients[c, top - 1, left - 1 : left + 3]
                    r1 = coefficients[c, top, left - 1 : left + 3]
                    r2 = coefficients[c, top + 1, left - 1 : left + 3]
                    r3 = coefficients[c, top + 2, left - 1 : left + 3]
                    out[c, y, x] = (
                        a0 * (b0 * r0[0] + b1 * r0[1] + b2 * r0[2] + b3 * r0[3])
                        + a1 * (b0 * r1[0] + b1 * r1[1] + b2 * r1[2] + b3 * r1[3])
                        + a2 * (b0 * r2[0] + b1 * r2[1] + b2 * r2[2] + b3 * r2[3])
                        + a3 * (b0 * r3[0] + b1 * r3[1] + b2 * r3[2] + b3 * r3[3])
                    )
                continue
            # Mirrored at the border.
            across[0], across[1], across[2], across[3] = a0, a1, a2, a3
            along[0], along[1], along[2], along[3] = b0, b1, b2, b3
            for k in range(4):
                near = abs(top - 1 + k)
                near = 2 * (rows - 1) - near if near > rows - 1 else near
                index[0, k] = max(near, 0)
                near = abs(left - 1 + k)
                near = 2 * (columns - 1) - near if near > columns - 1 else near
                index[1, k] = max(near, 0)
            for c in range(channels):
                value = kind(0)
                for k in range(4):
                    total = kind(0)
                    for m in range(4):
                        total += along[m] * coefficients[c, index[0, k], index[1, m]]
                    value += across[k] * total
                out[c, y, x] = value
