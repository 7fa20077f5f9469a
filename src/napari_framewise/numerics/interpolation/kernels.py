"""Kernels of spline interpolation: prefilter of cubic B-splines, sampling on 2 and 3 axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_framewise.numerics.copying import copy_line

_POLE = np.sqrt(3.0) - 2.0
# Beyond this many pixels a power of the pole is below the precision of float64.
_HORIZON = 28
# Pixels beyond the border that are rounding: the border itself.
_EDGE = 1e-9


def prefilter(lines: Any) -> None:
    """Turn values into coefficients along the middle axis, in place, mirrored at both ends."""
    z = lines.dtype.type(_POLE)
    six = lines.dtype.type(6.0)
    n = lines.shape[1]
    period = 2 * n - 2
    terms = min(_HORIZON, period)
    whole = 1.0 - _POLE**period
    last = lines.dtype.type(_POLE / (_POLE * _POLE - 1.0))
    first = np.empty(lines.shape[2], lines.dtype)
    for block in range(lines.shape[0]):
        first[:] = 0
        for k in range(terms):
            source = lines[block, k if k < n else period - k]
            power = lines.dtype.type(_POLE**k / (whole if terms == period else 1.0))
            for i in range(first.size):
                first[i] += power * source[i]
        copy_line(first, lines[block, 0])
        for k in range(1, n):
            line, before = lines[block, k], lines[block, k - 1]
            for i in range(line.size):
                line[i] += z * before[i]
        line, before = lines[block, n - 1], lines[block, n - 2]
        for i in range(line.size):
            line[i] = last * (line[i] + z * before[i])
        for k in range(n - 2, -1, -1):
            line, before = lines[block, k], lines[block, k + 1]
            for i in range(line.size):
                line[i] = z * (before[i] - line[i])
        for k in range(n):
            line = lines[block, k]
            for i in range(line.size):
                line[i] *= six


def _cubic_plane(
    coefficients: Any, valid: Any, at: Any, values: Any, slopes: Any, inside: Any
) -> None:
    weight = np.zeros((2, 4), coefficients.dtype)
    rate = np.zeros((2, 4), coefficients.dtype)
    index = np.zeros((2, 4), np.int64)
    wanted = slopes.shape[2] > 0
    for p in range(at.shape[1]):
        within = True
        for axis in range(2):
            n = coefficients.shape[axis + 1]
            x = at[axis, p]
            if not (x >= 0.0 and x <= n - 1.0):
                within = within and -_EDGE <= x <= n - 1.0 + _EDGE
                x = n - 1.0 if x > n - 1.0 else 0.0
            base = int(x)
            f = x - base
            g = 1.0 - f
            weight[axis, 0] = g * g * g / 6.0
            weight[axis, 1] = 2.0 / 3.0 - f * f * (1.0 - 0.5 * f)
            weight[axis, 2] = 2.0 / 3.0 - g * g * (1.0 - 0.5 * g)
            weight[axis, 3] = f * f * f / 6.0
            if wanted:
                rate[axis, 0] = -0.5 * g * g
                rate[axis, 1] = f * (1.5 * f - 2.0)
                rate[axis, 2] = g * (2.0 - 1.5 * g)
                rate[axis, 3] = 0.5 * f * f
            for k in range(4):
                i = abs(base - 1 + k)
                i = 2 * (n - 1) - i if i > n - 1 else i
                index[axis, k] = max(i, 0)
        if within and valid.size:
            for k in range(1, 3):
                for m in range(1, 3):
                    # A pixel of no linear weight is not between the pixels that are used.
                    if (k == 2 and weight[0, 3] == 0) or (m == 2 and weight[1, 3] == 0):
                        continue
                    if not valid[index[0, k], index[1, m]]:
                        within = False
        inside[p] = within
        for c in range(coefficients.shape[0]):
            plane = coefficients[c]
            value = plane.dtype.type(0)
            down = plane.dtype.type(0)
            right = plane.dtype.type(0)
            for k in range(4):
                row = plane[index[0, k]]
                line = plane.dtype.type(0)
                for m in range(4):
                    line += weight[1, m] * row[index[1, m]]
                value += weight[0, k] * line
                if wanted:
                    down += rate[0, k] * line
                    turned = plane.dtype.type(0)
                    for m in range(4):
                        turned += rate[1, m] * row[index[1, m]]
                    right += weight[0, k] * turned
            values[c, p] = value
            if wanted:
                slopes[0, c, p] = down
                slopes[1, c, p] = right


def _cubic_volume(
    coefficients: Any, valid: Any, at: Any, values: Any, slopes: Any, inside: Any
) -> None:
    weight = np.zeros((3, 4), coefficients.dtype)
    rate = np.zeros((3, 4), coefficients.dtype)
    index = np.zeros((3, 4), np.int64)
    wanted = slopes.shape[2] > 0
    for p in range(at.shape[1]):
        within = True
        for axis in range(3):
            n = coefficients.shape[axis + 1]
            x = at[axis, p]
            if not (x >= 0.0 and x <= n - 1.0):
                within = within and -_EDGE <= x <= n - 1.0 + _EDGE
                x = n - 1.0 if x > n - 1.0 else 0.0
            base = int(x)
            f = x - base
            g = 1.0 - f
            weight[axis, 0] = g * g * g / 6.0
            weight[axis, 1] = 2.0 / 3.0 - f * f * (1.0 - 0.5 * f)
            weight[axis, 2] = 2.0 / 3.0 - g * g * (1.0 - 0.5 * g)
            weight[axis, 3] = f * f * f / 6.0
            rate[axis, 0] = -0.5 * g * g
            rate[axis, 1] = f * (1.5 * f - 2.0)
            rate[axis, 2] = g * (2.0 - 1.5 * g)
            rate[axis, 3] = 0.5 * f * f
            for k in range(4):
                i = abs(base - 1 + k)
                i = 2 * (n - 1) - i if i > n - 1 else i
                index[axis, k] = max(i, 0)
        if within and valid.size:
            for k in range(8):
                a, b, c = 1 + (k >> 2), 1 + ((k >> 1) & 1), 1 + (k & 1)
                unused = (
                    (a == 2 and weight[0, 3] == 0)
                    or (b == 2 and weight[1, 3] == 0)
                    or (c == 2 and weight[2, 3] == 0)
                )
                if not unused and not valid[index[0, a], index[1, b], index[2, c]]:
                    within = False
        inside[p] = within
        for channel in range(coefficients.shape[0]):
            volume = coefficients[channel]
            value = volume.dtype.type(0)
            deep = volume.dtype.type(0)
            down = volume.dtype.type(0)
            right = volume.dtype.type(0)
            for j in range(4):
                for k in range(4):
                    row = volume[index[0, j], index[1, k]]
                    line = volume.dtype.type(0)
                    turned = volume.dtype.type(0)
                    for m in range(4):
                        line += weight[2, m] * row[index[2, m]]
                        turned += rate[2, m] * row[index[2, m]]
                    value += weight[0, j] * weight[1, k] * line
                    deep += rate[0, j] * weight[1, k] * line
                    down += weight[0, j] * rate[1, k] * line
                    right += weight[0, j] * weight[1, k] * turned
            values[channel, p] = value
            if wanted:
                slopes[0, channel, p] = deep
                slopes[1, channel, p] = down
                slopes[2, channel, p] = right


def _linear_plane(
    coefficients: Any, valid: Any, at: Any, values: Any, slopes: Any, inside: Any
) -> None:
    rows, columns = coefficients.shape[1:]
    wanted = slopes.shape[2] > 0
    for p in range(at.shape[1]):
        y, x = at[0, p], at[1, p]
        within = -_EDGE <= y <= rows - 1.0 + _EDGE and -_EDGE <= x <= columns - 1.0 + _EDGE
        y = min(y, rows - 1.0) if y > 0.0 else 0.0
        x = min(x, columns - 1.0) if x > 0.0 else 0.0
        top, left = int(y), int(x)
        f, g = coefficients.dtype.type(y - top), coefficients.dtype.type(x - left)
        low = top + 1 if y > top else top
        far = left + 1 if x > left else left
        if within and valid.size:
            within = valid[top, left] and valid[top, far] and valid[low, left] and valid[low, far]
        inside[p] = within
        for c in range(coefficients.shape[0]):
            plane = coefficients[c]
            above = plane[top, left] + g * (plane[top, far] - plane[top, left])
            below = plane[low, left] + g * (plane[low, far] - plane[low, left])
            values[c, p] = above + f * (below - above)
            if wanted:
                first = plane[top, far] - plane[top, left]
                second = plane[low, far] - plane[low, left]
                slopes[0, c, p] = below - above
                slopes[1, c, p] = first + f * (second - first)


def _linear_volume(
    coefficients: Any, valid: Any, at: Any, values: Any, slopes: Any, inside: Any
) -> None:
    weight = np.zeros((3, 2), coefficients.dtype)
    index = np.zeros((3, 2), np.int64)
    wanted = slopes.shape[2] > 0
    for p in range(at.shape[1]):
        within = True
        for axis in range(3):
            n = coefficients.shape[axis + 1]
            x = at[axis, p]
            if not (x >= 0.0 and x <= n - 1.0):
                within = within and -_EDGE <= x <= n - 1.0 + _EDGE
                x = n - 1.0 if x > n - 1.0 else 0.0
            base = int(x)
            weight[axis, 1] = x - base
            weight[axis, 0] = 1.0 - (x - base)
            index[axis, 0] = base
            index[axis, 1] = base + 1 if x > base else base
        if within and valid.size:
            for k in range(8):
                if not valid[index[0, k >> 2], index[1, (k >> 1) & 1], index[2, k & 1]]:
                    within = False
        inside[p] = within
        for c in range(coefficients.shape[0]):
            volume = coefficients[c]
            value = volume.dtype.type(0)
            deep = volume.dtype.type(0)
            down = volume.dtype.type(0)
            right = volume.dtype.type(0)
            for k in range(8):
                i, j, m = k >> 2, (k >> 1) & 1, k & 1
                here = volume[index[0, i], index[1, j], index[2, m]]
                value += weight[0, i] * weight[1, j] * weight[2, m] * here
                deep += (2 * i - 1) * weight[1, j] * weight[2, m] * here
                down += (2 * j - 1) * weight[0, i] * weight[2, m] * here
                right += (2 * m - 1) * weight[0, i] * weight[1, j] * here
            values[c, p] = value
            if wanted:
                slopes[0, c, p] = deep
                slopes[1, c, p] = down
                slopes[2, c, p] = right


SAMPLERS: dict[tuple[int, int], Callable[..., None]] = {
    (2, 1): _linear_plane,
    (2, 3): _cubic_plane,
    (3, 1): _linear_volume,
    (3, 3): _cubic_volume,
}
"""By number of axes and order of the spline."""
