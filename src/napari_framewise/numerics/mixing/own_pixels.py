"""Sums over each frame's own pixels: where some lack data, and where a robust fit weighs them.

``d`` (n, P) is the weighted distance from the middle mixture, NaN where a pixel does not count,
``Q`` (J, P) the basis, ``t`` (n, J) a solution, and ``e = d - t Q`` what it leaves. Distances are
made of the frames where they are needed, a tile at a time, and never kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled, part, reordered
from napari_framewise.numerics.mixing.consistent import BLIND_LEVERAGE, FLOOR, Errors
from napari_framewise.numerics.mixing.one_unknown import (
    LARGEST,
    consistent_of_one,
    first_of_one,
    limited_of_one,
    square_of_one,
)

FloatArray = NDArray[np.float64]

# what is made of a tile, and the rows that it is multiplied by, stay in the first-level cache
TILE = 512


@part
@reordered
def _known_dot(row, values):  # type: ignore[no-untyped-def]
    """Sum of products where the values are known."""
    total = 0.0
    for j in range(len(row)):
        total += row[j] * values[j] if values[j] == values[j] else 0.0
    return total


@part
@reordered
def dot(first, second):  # type: ignore[no-untyped-def]
    """Sum of products."""
    total = 0.0
    for j in range(len(first)):
        total += first[j] * second[j]
    return total


@part
@reordered
def _known_sum(row, values):  # type: ignore[no-untyped-def]
    total = 0.0
    for j in range(len(row)):
        total += row[j] if values[j] == values[j] else 0.0
    return total


@part
@reordered
def distances(raw, centre, scale, out):  # type: ignore[no-untyped-def]
    """Write weighted distances from the middle mixture, NaN where there is no data."""
    for j in range(len(out)):
        value = (raw[j] - centre[j]) * scale[j]
        out[j] = value if abs(value) <= LARGEST else np.nan


@part
@reordered
def leave(d, basis, start, t, e):  # type: ignore[no-untyped-def]
    """Write what a solution leaves of the distances of a tile, NaN where they are."""
    q = basis[0, start : start + len(d)]
    step = t[0]
    for j in range(len(d)):
        e[j] = d[j] - step * q[j]
    for k in range(1, len(t)):
        q = basis[k, start : start + len(d)]
        step = t[k]
        for j in range(len(d)):
            e[j] -= step * q[j]


def _first_sums(frames, centre, scale, tilt, rows, seen_rows, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    count, others = len(rows), len(seen_rows)
    scratch = np.empty(tile)
    out[:] = 0.0
    for start in range(0, pixels, tile):
        c = centre[start : start + tile]
        s = scale[start : start + tile]
        m = tilt[start : start + tile]
        # the last row is the root of the weight, for the total sum of squares
        root = rows[count - 1, start : start + tile]
        d = scratch[: len(c)]
        for f in range(n):
            raw = frames[f, start : start + tile]
            if count == 2 and others == 2:
                found = first_of_one(
                    *(raw, c, s, m, root, seen_rows[1, start : start + tile]),
                    rows[0, start : start + tile],
                )
                for k in range(len(found)):
                    out[f, k] += found[k]
                continue
            distances(raw, c, s, d)
            for k in range(count - 1):
                out[f, k] += _known_dot(rows[k, start : start + tile], d)
            level = square = known = 0.0
            for j in range(len(d)):
                y = d[j] + m[j] if d[j] == d[j] else 0.0
                level += root[j] * y
                square += y * y
                known += 1.0 if d[j] == d[j] else 0.0
            out[f, count - 1] += level
            out[f, count] += square
            for k in range(others):
                out[f, count + 1 + k] += _known_sum(seen_rows[k, start : start + tile], d)
            out[f, count + 1 + others] += known


@dataclass(frozen=True)
class FirstSums:
    """What a frame's system is made of: sums over the pixels that are known."""

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
    """Sums over the distances of frames (n, P).

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
    kinds = *("float64/1",) * 3, *("float64/2",) * 2, "int64", "=float64/2"
    kernel = compiled(_first_sums, "float64/2", *kinds)
    kernel(frames, centre, scale, tilt, rows, seen_rows, min(TILE, frames.shape[1]), out)
    known = np.rint(out[:, -1]).astype(np.int64)
    return FirstSums(
        np.ascontiguousarray(out[:, : count - 1]),
        out[:, count - 1],
        out[:, count],
        np.ascontiguousarray(out[:, count + 1 : -1]),
        known,
    )


@part
@reordered
def _within_limit(e, most, inside):  # type: ignore[no-untyped-def]
    """Cut squares at the limit's; write 1 where they were within it, and sum them and those."""
    total = within = 0.0
    for j in range(len(e)):
        inside[j] = 1.0 if e[j] <= most else 0.0
        within += inside[j]
    for j in range(len(e)):
        e[j] = most if e[j] > most else e[j]
        total += e[j] if e[j] == e[j] else 0.0
    return total, within


def _residual_sums(  # type: ignore[no-untyped-def]
    frames, centre, scale, basis, points, limit, products, pairs, inverse, squared, tile,
    rss, meat, robust, freedom,
):  # fmt: skip
    n, pixels = frames.shape
    size, count, paired = len(basis), len(products), len(pairs)
    scratch = np.empty((4, tile))
    rss[:] = 0.0
    meat[:] = 0.0
    robust[:] = 0.0
    freedom[:] = 0.0
    for start in range(0, pixels, tile):
        length = min(tile, pixels - start)
        c, s = centre[start : start + length], scale[start : start + length]
        e, h = scratch[0, :length], scratch[1, :length]
        w, x = scratch[2, :length], scratch[3, :length]
        q = basis[0, start : start + length]
        for f in range(n):
            raw = frames[f, start : start + length]
            if size == 1:
                most = limit[f] * limit[f] if len(limit) else np.inf
                if robust.shape[1] > 0:
                    found = limited_of_one(raw, c, s, q, points[f, 0], most)
                    rss[f] += found[0]
                    for k in range(robust.shape[1]):
                        robust[f, k] += found[1 + k]
                elif inverse.shape[1] == 0:
                    rss[f] += square_of_one(raw, c, s, q, points[f, 0])
                if inverse.shape[1] > 0:
                    both = consistent_of_one(
                        raw, c, s, q, points[f, 0], most, inverse[f, 0], squared
                    )
                    rss[f] += both[0] if robust.shape[1] == 0 else 0.0
                    meat[f, 0] += both[1]
                    for k in range(freedom.shape[1]):
                        freedom[f, k] += both[2 + k]
                continue
            distances(raw, c, s, x)
            leave(x, basis, start, points[f], e)
            total = 0.0
            for j in range(length):
                e[j] = e[j] * e[j]
                total += e[j] if e[j] == e[j] else 0.0
            rss[f] += total
            if robust.shape[1] > 0:
                total, within = _within_limit(e, limit[f] * limit[f], x)
                robust[f, 0] += total
                robust[f, 1] += within
                for k in range(count):
                    robust[f, 2 + k] += dot(products[k, start : start + length], x)
            if inverse.shape[1] == 0:
                continue
            p = products[0, start : start + length]
            factor = inverse[f, 0]
            for j in range(length):
                h[j] = factor * p[j]
            for k in range(1, count):
                p = products[k, start : start + length]
                factor = inverse[f, k]
                for j in range(length):
                    h[j] += factor * p[j]
            for j in range(length):
                w[j] = np.divide(1.0, max(1.0 - h[j], FLOOR))
            if squared:
                for j in range(length):
                    w[j] *= w[j]
            for j in range(length):
                e[j] *= w[j]
            for k in range(count):
                meat[f, k] += _known_dot(products[k, start : start + length], e)
            if freedom.shape[1] == 0:
                continue
            for j in range(length):
                x[j] = 1.0 if h[j] <= BLIND_LEVERAGE else 0.0
            for j in range(length):
                x[j] = x[j] if e[j] == e[j] else 0.0
            for j in range(length):
                w[j] *= x[j]
            for k in range(count):
                freedom[f, k] += dot(products[k, start : start + length], x)
            for j in range(length):
                x[j] = w[j] * (1.0 - h[j])
            for j in range(length):
                h[j] = w[j] * w[j] * (1.0 - 2.0 * h[j])
            for k in range(count):
                freedom[f, count + k] += dot(products[k, start : start + length], x)
            for k in range(paired):
                p = pairs[k, start : start + length]
                freedom[f, 2 * count + k] += dot(p, h)
                freedom[f, 2 * count + paired + k] += dot(p, w)


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
    frames: FloatArray,
    centre: FloatArray,
    scale: FloatArray,
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
    frames : (n, P)
    centre, scale : (P,)
        See `first_sums`.
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
    n, count = len(frames), len(products)
    none = np.empty((0, frames.shape[1]))
    rss, meat = np.empty(n), np.empty((n, count))
    robust = np.empty((n, 0 if limit is None else 2 + count))
    paired = 0 if pairs is None else len(pairs)
    freedom = np.empty((n, 0 if pairs is None else 2 * (count + paired)))
    kernel = compiled(
        _residual_sums,
        *("float64/2", "float64/1", "float64/1", "float64/2", "float64/2", "float64/1"),
        *("float64/2",) * 3,
        *("int64", "int64", "=float64/1"),
        *("=float64/2",) * 3,
    )
    kernel(
        frames,
        centre,
        scale,
        basis,
        np.ascontiguousarray(points),
        np.empty(0) if limit is None else limit,
        products,
        none if pairs is None else pairs,
        np.empty((n, 0)) if inverse is None else np.ascontiguousarray(inverse),
        int(errors == "hc3"),
        min(TILE, frames.shape[1]),
        *(rss, meat, robust, freedom),
    )
    unknown = np.full(n, np.nan)
    clipped, inside = (robust[:, 0], robust[:, 1]) if limit is not None else (unknown, unknown)
    shown, trace, alone, packed = np.split(
        freedom, [count, 2 * count, 2 * count + paired] if paired else [0, 0, 0], axis=1
    )
    return ResidualSums(rss, meat, clipped, inside, robust[:, 2:], shown, trace, alone, packed)
