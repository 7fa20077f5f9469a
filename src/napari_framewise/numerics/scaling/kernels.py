"""Compiled ``(x - offset) * gain + base``, in one reading and one writing."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.compiling import in_order

# Rounding of offset, gain and product: what is that near to a half is meant to be one.
_A_HALF = 1e-15
# Elements that stay in the fastest cache.
_PIECE = 1024


@in_order
def _to_halves(v):  # type: ignore[no-untyped-def]
    """A value that misses a multiple of 1/2 by no more than its rounding is that multiple.

    Where a gain is not exact, as 255 / 22, the products of exact ties would else fall on either
    side of them.
    """
    twice = v + v
    near = np.rint(twice)
    return 0.5 * near if abs(twice - near) <= _A_HALF * abs(near) else v


@in_order
def unlimited_rows(values, offset, gain, base, out):  # type: ignore[no-untyped-def]
    """Rows of one channel each to floats, without limits. NaN stays NaN."""
    for r in range(values.shape[0]):
        row, result = values[r], out[r]
        o, g, b = offset[r, 0], gain[r, 0], base[r, 0]
        for j in range(row.size):
            result[j] = (np.float64(row[j]) - o) * g + b


@in_order
def affine_rows(values, offset, gain, base, low, high, out, clipped):  # type: ignore[no-untyped-def]
    """The same; what lies outside low..high is clipped and counted."""
    for r in range(values.shape[0]):
        row, result = values[r], out[r]
        o, g, b = offset[r, 0], gain[r, 0], base[r, 0]
        outside = 0
        for j in range(row.size):
            v = (np.float64(row[j]) - o) * g + b
            outside += (v < low) | (v > high)
            v = low if v < low else v
            v = high if v > high else v
            result[j] = v
        clipped[r, 0] = outside


@in_order
def narrow_rows(values, offset, gain, base, low, high, within, out, clipped):  # type: ignore[no-untyped-def]
    """The same to integers of up to 16 bits, rounded half to even; NaN becomes `low`.

    Only what lies more than a half outside is counted, and nothing where all results are known to
    lie `within` the limits.
    """
    # by way of int32, and counting in a loop of its own: else they do not vectorise
    for r in range(values.shape[0]):
        o, g, b = offset[r, 0], gain[r, 0], base[r, 0]
        outside = 0
        for start in range(0, values.shape[1], _PIECE):
            row, result = values[r, start : start + _PIECE], out[r, start : start + _PIECE]
            if not within:
                for j in range(row.size):
                    v = (np.float64(row[j]) - o) * g + b
                    outside += (v < low - 0.5) | (v > high + 0.5)
            for j in range(row.size):
                v = _to_halves((np.float64(row[j]) - o) * g) + b
                v = v if v > low else low
                v = high if v > high else v
                result[j] = np.int32(np.rint(v))
        clipped[r, 0] = outside


@in_order
def affine_lanes(values, width, offset, gain, base, low, high, whole, out, clipped):  # type: ignore[no-untyped-def]
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
                v = (np.float64(piece[j]) - o[j]) * g[j]
                v = (_to_halves(v) if whole else v) + b[j]
                outside[j] += (v < low - slack) | (v > high + slack)
                v = low if v < low else v
                v = high if v > high else v
                if whole:
                    v = np.rint(v) if v == v else low
                result[j] = v
        for c in range(period):
            clipped[r, c] = outside[c::period].sum()
