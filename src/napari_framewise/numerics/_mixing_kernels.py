"""One pass over the frames: the sums from which every coefficient, error and residual follows.

Plain functions, compiled by `_jit.compiled`. In all of them ``d = scale * (y - centre)`` is the
weighted distance of a pixel from the middle mixture, 0 where ``scale`` is 0 whatever stands there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics._jit import compiled

FloatArray = NDArray[np.float64]
_TILE = 2048


def _moments(frames, centre, scale, probes, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    count = len(probes)
    scratch = np.empty((4, tile))
    out[:] = 0.0
    for start in range(0, pixels, tile):
        stop = min(start + tile, pixels)
        c = centre[start:stop]
        s = scale[start:stop]
        d0 = scratch[0, : stop - start]
        d1 = scratch[1, : stop - start]
        d2 = scratch[2, : stop - start]
        d3 = scratch[3, : stop - start]
        for f in range(0, n, 4):
            # the last tile repeats the last frame, and writes the same sums again
            f1 = min(f + 1, n - 1)
            f2 = min(f + 2, n - 1)
            f3 = min(f + 3, n - 1)
            y0 = frames[f, start:stop]
            y1 = frames[f1, start:stop]
            y2 = frames[f2, start:stop]
            y3 = frames[f3, start:stop]
            q0 = q1 = q2 = q3 = 0.0
            for j in range(len(c)):
                cj = c[j]
                sj = s[j]
                e0 = (y0[j] - cj) * sj if sj != 0.0 else 0.0
                e1 = (y1[j] - cj) * sj if sj != 0.0 else 0.0
                e2 = (y2[j] - cj) * sj if sj != 0.0 else 0.0
                e3 = (y3[j] - cj) * sj if sj != 0.0 else 0.0
                d0[j] = e0
                d1[j] = e1
                d2[j] = e2
                d3[j] = e3
                q0 += e0 * e0
                q1 += e1 * e1
                q2 += e2 * e2
                q3 += e3 * e3
            out[f, count] += q0
            if f + 1 < n:
                out[f1, count] += q1
            if f + 2 < n:
                out[f2, count] += q2
            if f + 3 < n:
                out[f3, count] += q3
            for k in range(count):
                v = probes[k, start:stop]
                q0 = q1 = q2 = q3 = 0.0
                for j in range(len(v)):
                    vj = v[j]
                    q0 += vj * d0[j]
                    q1 += vj * d1[j]
                    q2 += vj * d2[j]
                    q3 += vj * d3[j]
                out[f, k] += q0
                if f + 1 < n:
                    out[f1, k] += q1
                if f + 2 < n:
                    out[f2, k] += q2
                if f + 3 < n:
                    out[f3, k] += q3


def _meat(frames, centre, scale, basis, products, points, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    unknowns = len(basis)
    residual = np.empty(tile)
    out[:] = 0.0
    for start in range(0, pixels, tile):
        stop = min(start + tile, pixels)
        c = centre[start:stop]
        s = scale[start:stop]
        r = residual[: stop - start]
        for f in range(n):
            y = frames[f, start:stop]
            for j in range(len(c)):
                sj = s[j]
                r[j] = (y[j] - c[j]) * sj if sj != 0.0 else 0.0
            for k in range(unknowns):
                t = points[f, k]
                v = basis[k, start:stop]
                for j in range(len(v)):
                    r[j] -= t * v[j]
            for j in range(len(c)):
                r[j] *= r[j]
            for m in range(len(products)):
                v = products[m, start:stop]
                total = 0.0
                for j in range(len(v)):
                    total += v[j] * r[j]
                out[f, m] += total


def moments(
    frames: NDArray[Any], centre: FloatArray, scale: FloatArray, probes: FloatArray
) -> FloatArray:
    """Sums ``probes . d`` and, last, ``d . d`` of every frame: (n, len(probes) + 1)."""
    out = np.empty((len(frames), len(probes) + 1))
    kernel = compiled(
        _moments, f"{frames.dtype}/2", "float64/1", "float64/1", "float64/2", "int64", "=float64/2"
    )
    kernel(frames, centre, scale, probes, min(_TILE, frames.shape[1]), out)
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
