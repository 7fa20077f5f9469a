"""One pass over the frames: the sums from which every coefficient, error and residual follows.

Plain functions, compiled by `compiled`. In all of them ``d = y - centre``, 0 where nothing counts
whatever stands there; weights are part of the rows that it is multiplied by.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled, in_order

FloatArray = NDArray[np.float64]
# with the vectors that all frames share, a tile stays in the second-level cache
_LONG_TILE = 4096
# with the residuals of two frames, a tile stays in the first-level cache
_TILE = 512


@in_order
def _add(out, f, n, k, values):  # type: ignore[no-untyped-def]
    """Add to column k of the frames from f on, as far as there are frames."""
    for i in range(len(values)):
        if f + i < n:
            out[f + i, k] += values[i]


@cache
def _sums(rows: int, squares: int, even: bool, guarded: bool) -> Callable[..., Any]:
    """The kernel of `sums` for up to four rows and two squares at once.

    What is asked here is a constant there, and costs nothing in the loop over the pixels. `even`
    says that the first of the squares counts all pixels the same, `guarded` that pixels without
    weight may hold what is no number.
    """

    def sums(frames, centre, linear, squared, tile, out):  # type: ignore[no-untyped-def]
        n, pixels = frames.shape
        count, total = len(linear), len(linear) + len(squared)
        out[:] = 0.0
        for start in range(0, pixels, tile):
            c = centre[start : start + tile]
            w = squared[0, start : start + tile]
            for f in range(0, n, 4):
                # the last group repeats the last frame
                y0 = frames[f, start : start + tile]
                y1 = frames[min(f + 1, n - 1), start : start + tile]
                y2 = frames[min(f + 2, n - 1), start : start + tile]
                y3 = frames[min(f + 3, n - 1), start : start + tile]
                # the last rows may be repeated, but are not added twice
                for k in range(0, max(count, 2 * len(squared)), 4):
                    p = linear[min(k, count - 1), start : start + tile]
                    q = linear[min(k + 1, count - 1), start : start + tile]
                    u = linear[min(k + 2, count - 1), start : start + tile]
                    v = linear[min(k + 3, count - 1), start : start + tile]
                    s = squared[min(k // 2, len(squared) - 1), start : start + tile]
                    z = squared[min(k // 2 + 1, len(squared) - 1), start : start + tile]
                    a0 = a1 = a2 = a3 = 0.0
                    b0 = b1 = b2 = b3 = 0.0
                    g0 = g1 = g2 = g3 = 0.0
                    h0 = h1 = h2 = h3 = 0.0
                    r0 = r1 = r2 = r3 = 0.0
                    t0 = t1 = t2 = t3 = 0.0
                    for j in range(len(c)):
                        d0 = y0[j] - c[j]
                        d1 = y1[j] - c[j]
                        d2 = y2[j] - c[j]
                        d3 = y3[j] - c[j]
                        if guarded:
                            d0 = d0 if w[j] != 0.0 else 0.0
                            d1 = d1 if w[j] != 0.0 else 0.0
                            d2 = d2 if w[j] != 0.0 else 0.0
                            d3 = d3 if w[j] != 0.0 else 0.0
                        a0 += p[j] * d0
                        a1 += p[j] * d1
                        a2 += p[j] * d2
                        a3 += p[j] * d3
                        if rows > 1:
                            b0 += q[j] * d0
                            b1 += q[j] * d1
                            b2 += q[j] * d2
                            b3 += q[j] * d3
                        if rows > 2:
                            g0 += u[j] * d0
                            g1 += u[j] * d1
                            g2 += u[j] * d2
                            g3 += u[j] * d3
                        if rows > 3:
                            h0 += v[j] * d0
                            h1 += v[j] * d1
                            h2 += v[j] * d2
                            h3 += v[j] * d3
                        d0 *= d0
                        d1 *= d1
                        d2 *= d2
                        d3 *= d3
                        if even:
                            r0 += d0
                            r1 += d1
                            r2 += d2
                            r3 += d3
                        else:
                            r0 += s[j] * d0
                            r1 += s[j] * d1
                            r2 += s[j] * d2
                            r3 += s[j] * d3
                        if squares > 1:
                            t0 += z[j] * d0
                            t1 += z[j] * d1
                            t2 += z[j] * d2
                            t3 += z[j] * d3
                    if k < count:
                        _add(out, f, n, k, (a0, a1, a2, a3))
                    if rows > 1 and k + 1 < count:
                        _add(out, f, n, k + 1, (b0, b1, b2, b3))
                    if rows > 2 and k + 2 < count:
                        _add(out, f, n, k + 2, (g0, g1, g2, g3))
                    if rows > 3 and k + 3 < count:
                        _add(out, f, n, k + 3, (h0, h1, h2, h3))
                    at = count + k // 2
                    if at < total:
                        _add(out, f, n, at, (r0, r1, r2, r3))
                    if squares > 1 and at + 1 < total:
                        _add(out, f, n, at + 1, (t0, t1, t2, t3))

    return sums


@cache
def _wide_sums(even: bool, guarded: bool) -> Callable[..., Any]:
    """`_sums` for seven rows and four squares, two frames at a time."""

    def wide(frames, centre, linear, squared, tile, out):  # type: ignore[no-untyped-def]
        n, pixels = frames.shape
        out[:] = 0.0
        for start in range(0, pixels, tile):
            c = centre[start : start + tile]
            p, q = linear[0, start : start + tile], linear[1, start : start + tile]
            u, v = linear[2, start : start + tile], linear[3, start : start + tile]
            k, m = linear[4, start : start + tile], linear[5, start : start + tile]
            e = linear[6, start : start + tile]
            w, x = squared[0, start : start + tile], squared[1, start : start + tile]
            s, z = squared[2, start : start + tile], squared[3, start : start + tile]
            for f in range(0, n, 2):
                y0 = frames[f, start : start + tile]
                y1 = frames[min(f + 1, n - 1), start : start + tile]
                p0 = q0 = u0 = v0 = k0 = m0 = e0 = w0 = x0 = s0 = z0 = 0.0
                p1 = q1 = u1 = v1 = k1 = m1 = e1 = w1 = x1 = s1 = z1 = 0.0
                for j in range(len(c)):
                    d0 = y0[j] - c[j]
                    d1 = y1[j] - c[j]
                    if guarded:
                        d0 = d0 if w[j] != 0.0 else 0.0
                        d1 = d1 if w[j] != 0.0 else 0.0
                    p0 += p[j] * d0
                    p1 += p[j] * d1
                    q0 += q[j] * d0
                    q1 += q[j] * d1
                    u0 += u[j] * d0
                    u1 += u[j] * d1
                    v0 += v[j] * d0
                    v1 += v[j] * d1
                    k0 += k[j] * d0
                    k1 += k[j] * d1
                    m0 += m[j] * d0
                    m1 += m[j] * d1
                    e0 += e[j] * d0
                    e1 += e[j] * d1
                    d0 *= d0
                    d1 *= d1
                    if even:
                        w0 += d0
                        w1 += d1
                    else:
                        w0 += w[j] * d0
                        w1 += w[j] * d1
                    x0 += x[j] * d0
                    x1 += x[j] * d1
                    s0 += s[j] * d0
                    s1 += s[j] * d1
                    z0 += z[j] * d0
                    z1 += z[j] * d1
                first = (p0, q0, u0, v0, k0, m0, e0, w0, x0, s0, z0)
                second = (p1, q1, u1, v1, k1, m1, e1, w1, x1, s1, z1)
                for i in range(len(first)):
                    _add(out, f, n, i, (first[i], second[i]))

    return wide


@cache
def _residual_squares(few: bool, even: bool, guarded: bool) -> Callable[..., Any]:
    """The kernel of `residual_squares`, for `few` with two unknowns and up to four sums."""

    def squares(frames, centre, basis, squared, points, tile, out):  # type: ignore[no-untyped-def]
        n, pixels = frames.shape
        size, count = len(basis), len(squared)
        residual = np.empty((2, tile))
        out[:] = 0.0
        for start in range(0, pixels, tile):
            c = centre[start : start + tile]
            w = squared[0, start : start + tile]
            p = basis[0, start : start + tile]
            q = basis[1, start : start + tile]
            r0 = residual[0, : len(c)]
            r1 = residual[1, : len(c)]
            for f in range(0, n, 2):
                f1 = min(f + 1, n - 1)
                y0 = frames[f, start : start + tile]
                y1 = frames[f1, start : start + tile]
                p0, p1, q0, q1 = points[f, 0], points[f1, 0], points[f, 1], points[f1, 1]
                if not few:
                    # a loop each: with more arrays in one loop, LLVM no longer proves them apart
                    for j in range(len(c)):
                        r0[j] = y0[j] - c[j] - p0 * p[j] - q0 * q[j]
                    for j in range(len(c)):
                        r1[j] = y1[j] - c[j] - p1 * p[j] - q1 * q[j]
                    for k in range(2, size, 2):
                        x0, x1 = points[f, k], points[f1, k]
                        z0, z1 = points[f, k + 1], points[f1, k + 1]
                        u = basis[k, start : start + tile]
                        v = basis[k + 1, start : start + tile]
                        for j in range(len(c)):
                            r0[j] -= x0 * u[j] + z0 * v[j]
                        for j in range(len(c)):
                            r1[j] -= x1 * u[j] + z1 * v[j]
                for m in range(0, count, 4):
                    s = squared[m, start : start + tile]
                    x = squared[min(m + 1, count - 1), start : start + tile]
                    u = squared[min(m + 2, count - 1), start : start + tile]
                    v = squared[min(m + 3, count - 1), start : start + tile]
                    a0 = a1 = b0 = b1 = g0 = g1 = h0 = h1 = 0.0
                    for j in range(len(c)):
                        if few:
                            d0 = y0[j] - c[j] - p0 * p[j] - q0 * q[j]
                            d1 = y1[j] - c[j] - p1 * p[j] - q1 * q[j]
                        else:
                            d0 = r0[j]
                            d1 = r1[j]
                        if guarded:
                            d0 = d0 if w[j] != 0.0 else 0.0
                            d1 = d1 if w[j] != 0.0 else 0.0
                        d0 *= d0
                        d1 *= d1
                        if few and even:
                            a0 += d0
                            a1 += d1
                        else:
                            a0 += s[j] * d0
                            a1 += s[j] * d1
                        b0 += x[j] * d0
                        b1 += x[j] * d1
                        g0 += u[j] * d0
                        g1 += u[j] * d1
                        h0 += v[j] * d0
                        h1 += v[j] * d1
                    _add(out, f, n, m, (a0, a1))
                    if m + 1 < count:
                        _add(out, f, n, m + 1, (b0, b1))
                    if m + 2 < count:
                        _add(out, f, n, m + 2, (g0, g1))
                    if m + 3 < count:
                        _add(out, f, n, m + 3, (h0, h1))

    return squares


def sums(
    frames: NDArray[Any],
    centre: FloatArray,
    linear: FloatArray,
    squared: FloatArray,
    *,
    even: bool,
    whole: bool,
) -> FloatArray:
    """Sums ``linear . d`` and ``squared . d^2`` of every frame: (n, len(linear) + len(squared)).

    The first row of `squared` is 0 where a pixel does not count, and 1 everywhere if `even`;
    `whole` says that all pixels count.
    """
    count = len(linear), len(squared)
    out = np.empty((len(frames), sum(count)))
    guarded = _guarded(frames, whole)
    if count == (7, 4):
        function = _wide_sums(even, guarded)
    else:
        function = _sums(min(count[0], 4), min(count[1], 2), even and count[1] <= 2, guarded)
    kinds = "float64/1", "float64/2", "float64/2", "int64", "=float64/2"
    kernel = compiled(function, f"{frames.dtype}/2", *kinds)
    kernel(frames, centre, linear, squared, min(_LONG_TILE, frames.shape[1]), out)
    return out


def residual_squares(
    frames: NDArray[Any],
    centre: FloatArray,
    basis: FloatArray,
    squared: FloatArray,
    points: FloatArray,
    *,
    even: bool,
    whole: bool,
) -> FloatArray:
    """Sums ``squared . (d - points basis)^2`` of every frame: (n, len(squared)).

    `basis` has an even number of rows; see `sums` for the rest.
    """
    out = np.empty((len(frames), len(squared)))
    few = len(basis) == 2 and len(squared) <= 4
    kernel = compiled(
        _residual_squares(few, even, _guarded(frames, whole)),
        f"{frames.dtype}/2",
        *("float64/1", "float64/2", "float64/2", "float64/2", "int64", "=float64/2"),
    )
    tile = min(_LONG_TILE if few else _TILE, frames.shape[1])
    kernel(frames, centre, basis, squared, points, tile, out)
    return out


def _guarded(frames: NDArray[Any], whole: bool) -> bool:
    """Whether a pixel that does not count may hold NaN or infinity."""
    return frames.dtype.kind == "f" and not whole
