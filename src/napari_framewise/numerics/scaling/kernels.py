"""Compiled ``(x - offset) * gain + base``, in one reading and one writing."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.compiling import in_order


@in_order
def affine_rows(values, offset, gain, base, low, high, whole, nothing, out, clipped):  # type: ignore[no-untyped-def]
    """Rows of one channel each: NaN becomes `nothing`, what lies outside low..high is counted.

    `whole` rounds half to even, so that only what lies more than a half outside is counted. Without
    limits `low` and `high` are infinite.
    """
    for r in range(values.shape[0]):
        row, result = values[r], out[r]
        o, g, b = offset[r, 0], gain[r, 0], base[r, 0]
        outside = 0
        slack = 0.5 if whole else 0.0
        for j in range(row.size):
            v = (np.float64(row[j]) - o) * g + b
            outside += (v < low - slack) | (v > high + slack)
            v = low if v < low else v
            v = high if v > high else v
            if whole:
                v = np.rint(v) if v == v else nothing
            result[j] = v
        clipped[r, 0] = outside


@in_order
def affine_lanes(values, width, offset, gain, base, low, high, whole, nothing, out, clipped):  # type: ignore[no-untyped-def]
    """The same of rows in which channels alternate; `width` elements, whole pixels, at once."""
    period = offset.shape[1]
    o, g, b = np.empty(width), np.empty(width), np.empty(width)
    outside = np.empty(width, np.int64)
    slack = 0.5 if whole else 0.0
    for r in range(values.shape[0]):
        for c in range(period):
            o[c::period], g[c::period], b[c::period] = offset[r, c], gain[r, c], base[r, c]
        outside[:] = 0
        for start in range(0, values.shape[1], width):
            piece, result = values[r, start : start + width], out[r, start : start + width]
            for j in range(piece.size):
                v = (np.float64(piece[j]) - o[j]) * g[j] + b[j]
                outside[j] += (v < low - slack) | (v > high + slack)
                v = low if v < low else v
                v = high if v > high else v
                if whole:
                    v = np.rint(v) if v == v else nothing
                result[j] = v
        for c in range(period):
            clipped[r, c] = outside[c::period].sum()
