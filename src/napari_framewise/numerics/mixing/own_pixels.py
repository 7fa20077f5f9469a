"""Sums over each frame's own pixels: where some lack data, and where a robust fit weighs them.

``d`` (n, P) is the weighted distance from the middle mixture, NaN where a pixel does not count,
``Q`` (J, P) the basis, ``t`` (n, J) a solution, and ``e = d - t Q`` what it leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled, part, reordered
from napari_framewise.numerics.mixing.consistent import BLIND_LEVERAGE, FLOOR, Errors

FloatArray = NDArray[np.float64]

# what is made of a tile, and the rows that it is multiplied by, stay in the first-level cache
_TILE = 512
_LARGEST = float(np.finfo(np.float64).max)


@part
@reordered
def _dot(first, second):  # type: ignore[no-untyped-def]
    total = 0.0
    for j in range(len(first)):
        total += first[j] * second[j]
    return total


@part
@reordered
def _left(d, basis, start, t, e):  # type: ignore[no-untyped-def]
    """Write the residuals of a tile, NaN where d is."""
    for j in range(len(d)):
        e[j] = d[j]
    for k in range(len(t)):
        q = basis[k, start : start + len(d)]
        step = t[k]
        for j in range(len(d)):
            e[j] -= step * q[j]


def _first_sums(frames, centre, scale, tilt, rows, seen_rows, tile, d, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    count, others = len(rows), len(seen_rows)
    seen, value, level = np.empty(tile), np.empty(tile), np.empty(tile)
    out[:] = 0.0
    for start in range(0, pixels, tile):
        c = centre[start : start + tile]
        s = scale[start : start + tile]
        m = tilt[start : start + tile]
        v, x, y = seen[: len(c)], value[: len(c)], level[: len(c)]
        for f in range(n):
            raw = frames[f, start : start + tile]
            mine = d[f, start : start + tile]
            for j in range(len(c)):
                mine[j] = (raw[j] - c[j]) * s[j]
            for j in range(len(c)):
                mine[j] = mine[j] if abs(mine[j]) <= _LARGEST else np.nan
            # a loop each: with more arrays in one loop, LLVM no longer proves them apart
            total = 0.0
            for j in range(len(c)):
                v[j] = 1.0 if mine[j] == mine[j] else 0.0
                total += v[j]
            for j in range(len(c)):
                x[j] = mine[j] if mine[j] == mine[j] else 0.0
            for j in range(len(c)):
                y[j] = x[j] + v[j] * m[j]
            for k in range(count - 1):
                out[f, k] += _dot(rows[k, start : start + tile], x)
            # the last row is the root of the weight, for the total sum of squares
            out[f, count - 1] += _dot(rows[count - 1, start : start + tile], y)
            out[f, count] += _dot(y, y)
            for k in range(others):
                out[f, count + 1 + k] += _dot(seen_rows[k, start : start + tile], v)
            out[f, count + 1 + others] += total


@dataclass(frozen=True)
class FirstSums:
    """What a frame's system is made of: d (n, P), and sums over the pixels where it is known."""

    distance: FloatArray
    gradient: FloatArray
    level: FloatArray
    square: FloatArray
    seen: FloatArray
    n_pixels: NDArray[np.int64]


def first_sums(
    frames: FloatArray,
    centre: FloatArray,
    scale: FloatArray,
    tilt: FloatArray,
    rows: FloatArray,
    seen_rows: FloatArray,
) -> FirstSums:
    """Distances of frames (n, P), and their sums.

    Parameters
    ----------
    frames : (n, P)
        NaN and infinite pixels are no data.
    centre, scale : (P,)
        ``d = (frame - centre) * scale``; a scale of NaN leaves a pixel out.
    tilt : (P,)
        Added to d for the total sum of squares.
    rows : (J + 1, P)
        The basis, summed with d, and the root of the weight, summed with d and tilt.
    seen_rows : (R, P)
        Summed over the pixels that are known.
    """
    n, count = len(frames), len(rows)
    out = np.empty((n, count + 2 + len(seen_rows)))
    distance = np.empty(frames.shape)
    kinds = *("float64/1",) * 3, *("float64/2",) * 2, "int64", *("=float64/2",) * 2
    kernel = compiled(_first_sums, "float64/2", *kinds)
    tile = min(_TILE, frames.shape[1])
    kernel(frames, centre, scale, tilt, rows, seen_rows, tile, distance, out)
    known = np.rint(out[:, -1]).astype(np.int64)
    return FirstSums(
        distance,
        np.ascontiguousarray(out[:, : count - 1]),
        out[:, count - 1],
        out[:, count],
        np.ascontiguousarray(out[:, count + 1 : -1]),
        known,
    )


def _residual_sums(  # type: ignore[no-untyped-def]
    d, basis, points, limit, products, pairs, inverse, squared, tile, rss, meat, robust, freedom
):
    n, pixels = d.shape
    count, paired = len(products), len(pairs)
    scratch = np.empty((4, tile))
    rss[:] = 0.0
    meat[:] = 0.0
    robust[:] = 0.0
    freedom[:] = 0.0
    for start in range(0, pixels, tile):
        length = min(tile, pixels - start)
        e, h, w, x = (
            scratch[0, :length],
            scratch[1, :length],
            scratch[2, :length],
            scratch[3, :length],
        )
        for f in range(n):
            _left(d[f, start : start + tile], basis, start, points[f], e)
            total = 0.0
            for j in range(len(e)):
                e[j] = e[j] * e[j]
                total += e[j] if e[j] == e[j] else 0.0
            rss[f] += total
            if robust.shape[1] > 0:
                most = limit[f] * limit[f]
                total = within = 0.0
                for j in range(len(e)):
                    x[j] = 1.0 if e[j] <= most else 0.0
                    within += x[j]
                    e[j] = most if e[j] > most else e[j]
                    total += e[j] if e[j] == e[j] else 0.0
                robust[f, 0] += total
                robust[f, 1] += within
                for k in range(count):
                    robust[f, 2 + k] += _dot(products[k, start : start + tile], x)
            if inverse.shape[1] == 0:
                continue
            for j in range(len(e)):
                h[j] = 0.0
            for k in range(count):
                p = products[k, start : start + tile]
                factor = inverse[f, k]
                for j in range(len(e)):
                    h[j] += factor * p[j]
            for j in range(len(e)):
                w[j] = 1.0 / (1.0 - h[j] if 1.0 - h[j] > FLOOR else FLOOR)
            if squared:
                for j in range(len(e)):
                    w[j] *= w[j]
            for j in range(len(e)):
                x[j] = w[j] * e[j] if e[j] == e[j] else 0.0
            for k in range(count):
                meat[f, k] += _dot(products[k, start : start + tile], x)
            if freedom.shape[1] == 0:
                continue
            for j in range(len(e)):
                x[j] = 1.0 if h[j] <= BLIND_LEVERAGE else 0.0
            for j in range(len(e)):
                x[j] = x[j] if e[j] == e[j] else 0.0
            for j in range(len(e)):
                w[j] *= x[j]
            for k in range(count):
                freedom[f, k] += _dot(products[k, start : start + tile], x)
            for j in range(len(e)):
                x[j] = w[j] * (1.0 - h[j])
            for j in range(len(e)):
                h[j] = w[j] * w[j] * (1.0 - 2.0 * h[j])
            for k in range(count):
                freedom[f, count + k] += _dot(products[k, start : start + tile], x)
            for k in range(paired):
                p = pairs[k, start : start + tile]
                freedom[f, 2 * count + k] += _dot(p, h)
                freedom[f, 2 * count + paired + k] += _dot(p, w)


@dataclass(frozen=True)
class ResidualSums:
    """Sums over the squared residuals of n frames, over each frame's own pixels.

    Attributes
    ----------
    rss : (n,)
        ``sum e^2``.
    meat : (n, L)
        ``sum Q_i Q_j psi^2 / (1 - h)^a`` with the leverage h and ``psi = min(|e|, limit)``.
    clipped, inside : (n,)
        ``sum psi^2``, and how many pixels are within the limit; NaN where there is none.
    inside_products : (n, L)
        ``sum Q_i Q_j`` over those.
    shown, trace : (n, L); alone, packed : (n, L (L + 1) / 2)
        What `consistent.PixelSums` is made of; of size 0 where it was not asked for.
    """

    rss: FloatArray
    meat: FloatArray
    clipped: FloatArray
    inside: FloatArray
    inside_products: FloatArray
    shown: FloatArray
    trace: FloatArray
    alone: FloatArray
    packed: FloatArray


def residual_sums(
    distance: FloatArray,
    basis: FloatArray,
    points: FloatArray,
    *,
    products: FloatArray,
    inverse: FloatArray | None = None,
    errors: Errors = "classical",
    limit: FloatArray | None = None,
    pairs: FloatArray | None = None,
) -> ResidualSums:
    """Sums over the residuals at `points`.

    Parameters
    ----------
    distance : (n, P)
    basis : (J, P)
    points : (n, J)
    products : (L, P)
        ``Q_i Q_j`` for i <= j.
    inverse : (n, L), optional
        Inverse Gram matrices, packed, elements off the diagonal twice; None: no meat.
    errors : str
        "hc2" or "hc3", what residuals are divided by.
    limit : (n,), optional
        Beyond which residuals count no more than this.
    pairs : (M, P), optional
        Products of two of `products`, where sums for degrees of freedom are wanted.
    """
    n, count = len(distance), len(products)
    none = np.empty((0, distance.shape[1]))
    rss, meat = np.empty(n), np.empty((n, count))
    robust = np.empty((n, 0 if limit is None else 2 + count))
    paired = 0 if pairs is None else len(pairs)
    freedom = np.empty((n, 0 if pairs is None else 2 * (count + paired)))
    kernel = compiled(
        _residual_sums,
        *("float64/2",) * 3,
        "float64/1",
        *("float64/2",) * 3,
        *("int64", "int64", "=float64/1"),
        *("=float64/2",) * 3,
    )
    kernel(
        distance,
        basis,
        np.ascontiguousarray(points),
        np.empty(0) if limit is None else limit,
        products,
        none if pairs is None else pairs,
        np.empty((n, 0)) if inverse is None else np.ascontiguousarray(inverse),
        int(errors == "hc3"),
        min(_TILE, distance.shape[1]),
        *(rss, meat, robust, freedom),
    )
    unknown = np.full(n, np.nan)
    clipped, inside = (robust[:, 0], robust[:, 1]) if limit is not None else (unknown, unknown)
    shown, trace, alone, packed = np.split(
        freedom, [count, 2 * count, 2 * count + paired] if paired else [0, 0, 0], axis=1
    )
    return ResidualSums(rss, meat, clipped, inside, robust[:, 2:], shown, trace, alone, packed)


def _reweighted(d, basis, points, limit, products, tile, gram, gradient):  # type: ignore[no-untyped-def]
    n, pixels = d.shape
    scratch = np.empty((2, tile))
    gram[:] = 0.0
    gradient[:] = 0.0
    for start in range(0, pixels, tile):
        length = min(tile, pixels - start)
        e, w = scratch[0, :length], scratch[1, :length]
        for f in range(n):
            mine = d[f, start : start + tile]
            _left(mine, basis, start, points[f], e)
            most = limit[f]
            least = most if most > 0.0 else 1.0
            for j in range(len(e)):
                w[j] = most / (abs(e[j]) if abs(e[j]) > least else least)
            for j in range(len(e)):
                w[j] = w[j] if e[j] == e[j] else 0.0
            for j in range(len(e)):
                e[j] = w[j] * mine[j] if mine[j] == mine[j] else 0.0
            for k in range(len(products)):
                gram[f, k] += _dot(products[k, start : start + tile], w)
            for k in range(len(basis)):
                gradient[f, k] += _dot(basis[k, start : start + tile], e)


def reweighted(
    distance: FloatArray,
    basis: FloatArray,
    points: FloatArray,
    limit: FloatArray,
    products: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Packed Gram matrices (n, L) and gradients (n, J), with weights ``min(1, limit / |e|)``."""
    gram, gradient = np.empty((len(points), len(products))), np.empty(points.shape)
    kernel = compiled(
        _reweighted,
        *("float64/2",) * 3,
        *("float64/1", "float64/2", "int64", "=float64/2", "=float64/2"),
    )
    tile = min(_TILE, distance.shape[1])
    kernel(distance, basis, np.ascontiguousarray(points), limit, products, tile, gram, gradient)
    return gram, gradient


def _sizes(d, basis, points, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = d.shape
    for start in range(0, pixels, tile):
        for f in range(n):
            e = out[f, start : start + tile]
            _left(d[f, start : start + tile], basis, start, points[f], e)
            for j in range(len(e)):
                e[j] = abs(e[j]) if e[j] == e[j] else np.inf


def sizes(distance: FloatArray, basis: FloatArray, points: FloatArray) -> FloatArray:
    """``|e|`` of every pixel (n, P), infinite where it does not count."""
    out = np.empty(distance.shape)
    kernel = compiled(_sizes, *("float64/2",) * 3, "int64", "=float64/2")
    kernel(distance, basis, np.ascontiguousarray(points), min(_TILE, distance.shape[1]), out)
    return out
