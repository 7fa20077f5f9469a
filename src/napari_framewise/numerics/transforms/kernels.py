"""Kernels that pull an image back through a 3 x 3 matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _cubic(coefficients: Any, valid: Any, matrix: Any, out: Any) -> None:
    rows, columns = coefficients.shape[1:]
    one = coefficients.dtype.type(1.0)
    half = coefficients.dtype.type(0.5)
    third = coefficients.dtype.type(2.0 / 3.0)
    sixth = coefficients.dtype.type(1.0 / 6.0)
    down = np.zeros(4, coefficients.dtype)
    right = np.zeros(4, coefficients.dtype)
    at_row = np.zeros(4, np.int64)
    at_column = np.zeros(4, np.int64)
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            w = matrix[2, 0] * i + matrix[2, 1] * j + matrix[2, 2]
            y = (matrix[0, 0] * i + matrix[0, 1] * j + matrix[0, 2]) / w if w > 0 else -1.0
            x = (matrix[1, 0] * i + matrix[1, 1] * j + matrix[1, 2]) / w if w > 0 else -1.0
            inside = y >= 0.0 and y <= rows - 1.0 and x >= 0.0 and x <= columns - 1.0
            top, left = (int(y), int(x)) if inside else (0, 0)
            if inside and valid.size:
                low = top + 1 if y > top else top
                far = left + 1 if x > left else left
                inside = (
                    valid[top, left] and valid[top, far] and valid[low, left] and valid[low, far]
                )
            if not inside:
                for c in range(out.shape[0]):
                    out[c, i, j] = np.nan
                continue
            f = coefficients.dtype.type(y - top)
            g = one - f
            down[0] = g * g * g * sixth
            down[1] = third - f * f * (one - half * f)
            down[2] = third - g * g * (one - half * g)
            down[3] = f * f * f * sixth
            f = coefficients.dtype.type(x - left)
            g = one - f
            right[0] = g * g * g * sixth
            right[1] = third - f * f * (one - half * f)
            right[2] = third - g * g * (one - half * g)
            right[3] = f * f * f * sixth
            if top < 1 or top > rows - 3 or left < 1 or left > columns - 3:
                for k in range(4):
                    m = abs(top - 1 + k)
                    at_row[k] = max(2 * (rows - 1) - m, 0) if m > rows - 1 else m
                    m = abs(left - 1 + k)
                    at_column[k] = max(2 * (columns - 1) - m, 0) if m > columns - 1 else m
                for c in range(out.shape[0]):
                    value = coefficients.dtype.type(0.0)
                    for k in range(4):
                        for m in range(4):
                            value += down[k] * right[m] * coefficients[c, at_row[k], at_column[m]]
                    out[c, i, j] = value
                continue
            for c in range(out.shape[0]):
                value = coefficients.dtype.type(0.0)
                for k in range(4):
                    line = coefficients[c, top - 1 + k, left - 1 : left + 3]
                    value += down[k] * (
                        right[0] * line[0]
                        + right[1] * line[1]
                        + right[2] * line[2]
                        + right[3] * line[3]
                    )
                out[c, i, j] = value


def _linear(values: Any, valid: Any, matrix: Any, out: Any) -> None:
    rows, columns = values.shape[1:]
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            w = matrix[2, 0] * i + matrix[2, 1] * j + matrix[2, 2]
            y = (matrix[0, 0] * i + matrix[0, 1] * j + matrix[0, 2]) / w if w > 0 else -1.0
            x = (matrix[1, 0] * i + matrix[1, 1] * j + matrix[1, 2]) / w if w > 0 else -1.0
            inside = y >= 0.0 and y <= rows - 1.0 and x >= 0.0 and x <= columns - 1.0
            top, left = (int(y), int(x)) if inside else (0, 0)
            low = top + 1 if y > top else top
            far = left + 1 if x > left else left
            if inside and valid.size:
                inside = (
                    valid[top, left] and valid[top, far] and valid[low, left] and valid[low, far]
                )
            if not inside:
                for c in range(out.shape[0]):
                    out[c, i, j] = np.nan
                continue
            f, g = values.dtype.type(y - top), values.dtype.type(x - left)
            for c in range(out.shape[0]):
                plane = values[c]
                above = plane[top, left] + g * (plane[top, far] - plane[top, left])
                below = plane[low, left] + g * (plane[low, far] - plane[low, left])
                out[c, i, j] = above + f * (below - above)


WARPS: dict[int, Callable[..., None]] = {1: _linear, 3: _cubic}
"""By order of the spline."""
