"""One pass over the frames: the sums from which every coefficient, error and residual follows.

Plain functions, compiled by `compiled`. In all of them ``d = scale * (y - centre)`` is the weighted
distance of a pixel from the middle mixture, 0 where ``scale`` is 0 whatever stands there.
"""

from __future__ import annotations

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


def _line(frames, centre, line, tilt, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    out[:] = 0.0
    for start in range(0, pixels, tile):
        c = centre[start : start + tile]
        v = line[start : start + tile]
        u = tilt[start : start + tile]
        for f in range(0, n, 6):
            # the last group repeats the last frame
            y0 = frames[f, start : start + tile]
            y1 = frames[min(f + 1, n - 1), start : start + tile]
            y2 = frames[min(f + 2, n - 1), start : start + tile]
            y3 = frames[min(f + 3, n - 1), start : start + tile]
            y4 = frames[min(f + 4, n - 1), start : start + tile]
            y5 = frames[min(f + 5, n - 1), start : start + tile]
            q0 = q1 = q2 = q3 = q4 = q5 = 0.0
            s0 = s1 = s2 = s3 = s4 = s5 = 0.0
            t0 = t1 = t2 = t3 = t4 = t5 = 0.0
            r0 = r1 = r2 = r3 = r4 = r5 = 0.0
            for j in range(len(c)):
                cj = c[j]
                vj = v[j]
                uj = u[j]
                d0 = y0[j] - cj
                d1 = y1[j] - cj
                d2 = y2[j] - cj
                d3 = y3[j] - cj
                d4 = y4[j] - cj
                d5 = y5[j] - cj
                q0 += vj * d0
                q1 += vj * d1
                q2 += vj * d2
                q3 += vj * d3
                q4 += vj * d4
                q5 += vj * d5
                s0 += d0
                s1 += d1
                s2 += d2
                s3 += d3
                s4 += d4
                s5 += d5
                t0 += uj * d0
                t1 += uj * d1
                t2 += uj * d2
                t3 += uj * d3
                t4 += uj * d4
                t5 += uj * d5
                r0 += d0 * d0
                r1 += d1 * d1
                r2 += d2 * d2
                r3 += d3 * d3
                r4 += d4 * d4
                r5 += d5 * d5
            _add(out, f, n, 0, (q0, q1, q2, q3, q4, q5))
            _add(out, f, n, 1, (s0, s1, s2, s3, s4, s5))
            _add(out, f, n, 2, (t0, t1, t2, t3, t4, t5))
            _add(out, f, n, 3, (r0, r1, r2, r3, r4, r5))


def _line_consistent(frames, centre, line, tilt, product, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    out[:] = 0.0
    for start in range(0, pixels, tile):
        c = centre[start : start + tile]
        v = line[start : start + tile]
        u = tilt[start : start + tile]
        p = product[start : start + tile]
        for f in range(0, n, 4):
            f1 = min(f + 1, n - 1)
            f2 = min(f + 2, n - 1)
            f3 = min(f + 3, n - 1)
            y0 = frames[f, start : start + tile]
            y1 = frames[f1, start : start + tile]
            y2 = frames[f2, start : start + tile]
            y3 = frames[f3, start : start + tile]
            q0 = q1 = q2 = q3 = 0.0
            s0 = s1 = s2 = s3 = 0.0
            t0 = t1 = t2 = t3 = 0.0
            r0 = r1 = r2 = r3 = 0.0
            a0 = a1 = a2 = a3 = 0.0
            b0 = b1 = b2 = b3 = 0.0
            for j in range(len(c)):
                cj = c[j]
                vj = v[j]
                uj = u[j]
                pj = p[j]
                d0 = y0[j] - cj
                d1 = y1[j] - cj
                d2 = y2[j] - cj
                d3 = y3[j] - cj
                q0 += vj * d0
                q1 += vj * d1
                q2 += vj * d2
                q3 += vj * d3
                s0 += d0
                s1 += d1
                s2 += d2
                s3 += d3
                t0 += uj * d0
                t1 += uj * d1
                t2 += uj * d2
                t3 += uj * d3
                r0 += d0 * d0
                r1 += d1 * d1
                r2 += d2 * d2
                r3 += d3 * d3
                d0p = pj * d0
                d1p = pj * d1
                d2p = pj * d2
                d3p = pj * d3
                a0 += vj * d0p
                a1 += vj * d1p
                a2 += vj * d2p
                a3 += vj * d3p
                b0 += d0 * d0p
                b1 += d1 * d1p
                b2 += d2 * d2p
                b3 += d3 * d3p
            _add(out, f, n, 0, (q0, q1, q2, q3))
            _add(out, f, n, 1, (s0, s1, s2, s3))
            _add(out, f, n, 2, (t0, t1, t2, t3))
            _add(out, f, n, 3, (r0, r1, r2, r3))
            _add(out, f, n, 4, (a0, a1, a2, a3))
            _add(out, f, n, 5, (b0, b1, b2, b3))


def _moments(frames, centre, scale, probes, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    count = len(probes)
    out[:] = 0.0
    for start in range(0, pixels, tile):
        c = centre[start : start + tile]
        s = scale[start : start + tile]
        for f in range(0, n, 4):
            f1 = min(f + 1, n - 1)
            f2 = min(f + 2, n - 1)
            f3 = min(f + 3, n - 1)
            y0 = frames[f, start : start + tile]
            y1 = frames[f1, start : start + tile]
            y2 = frames[f2, start : start + tile]
            y3 = frames[f3, start : start + tile]
            # four probes at a time; the last four may repeat the last one, which is not added
            for k in range(0, count, 4):
                p = probes[k, start : start + tile]
                q = probes[min(k + 1, count - 1), start : start + tile]
                u = probes[min(k + 2, count - 1), start : start + tile]
                v = probes[min(k + 3, count - 1), start : start + tile]
                a0 = a1 = a2 = a3 = 0.0
                b0 = b1 = b2 = b3 = 0.0
                g0 = g1 = g2 = g3 = 0.0
                h0 = h1 = h2 = h3 = 0.0
                r0 = r1 = r2 = r3 = 0.0
                for j in range(len(c)):
                    cj = c[j]
                    sj = s[j]
                    pj = p[j]
                    qj = q[j]
                    uj = u[j]
                    vj = v[j]
                    d0 = (y0[j] - cj) * sj if sj != 0.0 else 0.0
                    d1 = (y1[j] - cj) * sj if sj != 0.0 else 0.0
                    d2 = (y2[j] - cj) * sj if sj != 0.0 else 0.0
                    d3 = (y3[j] - cj) * sj if sj != 0.0 else 0.0
                    a0 += pj * d0
                    a1 += pj * d1
                    a2 += pj * d2
                    a3 += pj * d3
                    b0 += qj * d0
                    b1 += qj * d1
                    b2 += qj * d2
                    b3 += qj * d3
                    g0 += uj * d0
                    g1 += uj * d1
                    g2 += uj * d2
                    g3 += uj * d3
                    h0 += vj * d0
                    h1 += vj * d1
                    h2 += vj * d2
                    h3 += vj * d3
                    r0 += d0 * d0
                    r1 += d1 * d1
                    r2 += d2 * d2
                    r3 += d3 * d3
                _add(out, f, n, k, (a0, a1, a2, a3))
                if k + 1 < count:
                    _add(out, f, n, k + 1, (b0, b1, b2, b3))
                if k + 2 < count:
                    _add(out, f, n, k + 2, (g0, g1, g2, g3))
                if k + 3 < count:
                    _add(out, f, n, k + 3, (h0, h1, h2, h3))
                if k == 0:
                    _add(out, f, n, count, (r0, r1, r2, r3))


def _meat(frames, centre, scale, basis, products, points, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    count = len(products)
    residual = np.empty((2, tile))
    out[:] = 0.0
    for start in range(0, pixels, tile):
        c = centre[start : start + tile]
        s = scale[start : start + tile]
        r0 = residual[0, : len(c)]
        r1 = residual[1, : len(c)]
        for f in range(0, n, 2):
            f1 = min(f + 1, n - 1)
            y0 = frames[f, start : start + tile]
            y1 = frames[f1, start : start + tile]
            # a loop each: with more arrays in one loop, LLVM no longer proves them apart
            for j in range(len(c)):
                r0[j] = (y0[j] - c[j]) * s[j] if s[j] != 0.0 else 0.0
            for j in range(len(c)):
                r1[j] = (y1[j] - c[j]) * s[j] if s[j] != 0.0 else 0.0
            for k in range(len(basis)):
                p0 = points[f, k]
                p1 = points[f1, k]
                v = basis[k, start : start + tile]
                for j in range(len(v)):
                    r0[j] -= p0 * v[j]
                    r1[j] -= p1 * v[j]
            for j in range(len(c)):
                r0[j] *= r0[j]
                r1[j] *= r1[j]
            for m in range(0, count, 2):
                m1 = min(m + 1, count - 1)
                v = products[m, start : start + tile]
                w = products[m1, start : start + tile]
                a0 = a1 = b0 = b1 = 0.0
                for j in range(len(v)):
                    a0 += v[j] * r0[j]
                    a1 += v[j] * r1[j]
                    b0 += w[j] * r0[j]
                    b1 += w[j] * r1[j]
                out[f, m] += a0
                if m1 > m:
                    out[f, m1] += b0
                if f1 > f:
                    out[f1, m] += a1
                    if m1 > m:
                        out[f1, m1] += b1


def line_moments(
    frames: NDArray[Any],
    centre: FloatArray,
    line: FloatArray,
    tilt: FloatArray,
    product: FloatArray | None,
) -> FloatArray:
    """Sums for one unknown and equal weights: (n, 4), or with `product` (n, 6).

    ``line . d``, ``sum d``, ``tilt . d``, ``d . d`` and then ``(product line) . d``,
    ``product . d^2``.
    """
    out = np.empty((len(frames), 4 if product is None else 6))
    arrays = ("float64/1",) * 3
    if product is None:
        kernel = compiled(_line, f"{frames.dtype}/2", *arrays, "int64", "=float64/2")
        kernel(frames, centre, line, tilt, _LONG_TILE, out)
    else:
        kernel = compiled(
            _line_consistent, f"{frames.dtype}/2", *arrays, "float64/1", "int64", "=float64/2"
        )
        kernel(frames, centre, line, tilt, product, _LONG_TILE, out)
    return out


def moments(
    frames: NDArray[Any], centre: FloatArray, scale: FloatArray, probes: FloatArray
) -> FloatArray:
    """Sums ``probes . d`` and, last, ``d . d`` of every frame: (n, len(probes) + 1)."""
    out = np.empty((len(frames), len(probes) + 1))
    kernel = compiled(
        _moments, f"{frames.dtype}/2", "float64/1", "float64/1", "float64/2", "int64", "=float64/2"
    )
    kernel(frames, centre, scale, probes, min(_LONG_TILE, frames.shape[1]), out)
    return out


def meat(
    frames: NDArray[Any],
    centre: FloatArray,
    scale: FloatArray,
    basis: FloatArray,
    products: FloatArray,
    points: FloatArray,
) -> FloatArray:
    """Sums ``products . (d - basis^T point) ** 2`` of every frame: (n, len(products))."""
    out = np.empty((len(frames), len(products)))
    kernel = compiled(
        _meat,
        f"{frames.dtype}/2",
        *("float64/1", "float64/1", "float64/2", "float64/2", "float64/2"),
        "int64",
        "=float64/2",
    )
    points = np.ascontiguousarray(points)
    kernel(frames, centre, scale, basis, products, points, min(_TILE, frames.shape[1]), out)
    return out
