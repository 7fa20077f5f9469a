"""Displacement of one image against another, smoothed by more than the changes sought."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import gaussian_taps
from napari_framewise.numerics.interpolation import spline, warp
from napari_framewise.numerics.normalised_convolution import summed
from napari_framewise.numerics.separable import Band, banded, filtered

FloatArray = NDArray[np.float64]
_COARSEST = 24
# Steps of the whole frame at scales that are cheap.
_ROUNDS = 3
_SMOOTH = 6.0
# Squared gradients of images of about one that count as none.
_FLAT = 1e-20
# What local steps are drawn to none by, as a share of the mean squared gradient, and the smallest
# window in pixels of a halved image that they are taken in.
_RIDGE, _LEAST = 0.03, 3.0


def smooth_displacement(
    still: FloatArray,
    moved: FloatArray,
    weight: FloatArray,
    smoothness: float,
    *,
    levels: int = 4,
) -> FloatArray:
    """Displacements d with ``moved(p + d(p)) = still(p)``, by Lucas and Kanade's equations.

    Parameters
    ----------
    still, moved : (y, x) float64
        Of one brightness; gaps filled from around them.
    weight : (y, x) float64
        0 where one of them has a gap, else 1.
    smoothness : float
        Sigma in pixels of the window that the displacements are found in; infinite: one for all.
    levels : int
        Times that the images are halved at first.

    Returns
    -------
    (2, y, x) float64
        Rows, columns.

    Notes
    -----
    Lucas and Kanade (1981), *An iterative image registration technique*, equation 10, over
    Gaussian windows, from coarse to fine; residuals that neither noise nor a displacement of a
    pixel explains count less (Huber), so that what changed pulls less. At every scale one step for
    the whole frame comes before those of the windows, which are drawn to no step (ridge) where
    gradients are weak.
    """
    pyramid = [(still, moved, weight)]
    for _ in range(levels):
        if min(pyramid[-1][0].shape) < 2 * _COARSEST:
            break
        pyramid.append(coarser(*pyramid[-1]))
    field = np.zeros((2, *pyramid[-1][0].shape))
    for number in reversed(range(len(pyramid))):
        a, b, w = pyramid[number]
        if field.shape[1:] != a.shape:
            field = 2 * np.stack([resized(each, a.shape) for each in field])
        # A smooth field found on the images halved once is right to hundredths of a pixel.
        if number == 0 and len(pyramid) > 1 and smoothness >= _SMOOTH:
            break
        image = spline(b[None])
        # One step for all first: where there is nothing to see, it stays with the rest.
        sigma = smoothness / 2**number
        local = np.isfinite(sigma) and (sigma >= _LEAST or number == 0)
        for _ in range(_ROUNDS if number > 1 else 1):
            field += _step(a, image, w, field, np.inf)
        if local:
            field += _step(a, image, w, field, max(sigma, 2.0))
    return field


def _step(
    still: FloatArray,
    image: object,
    weight: FloatArray,
    field: FloatArray,
    sigma: float,
) -> FloatArray:
    values, slopes, inside = warp(image, field, slopes=True)  # type: ignore[arg-type]
    assert slopes is not None
    left = still - values[0]
    use = weight * inside
    gy, gx = slopes[0, 0], slopes[1, 0]
    # A residual that neither noise nor a displacement of a pixel explains is a change: its weight
    # falls as one over it (Huber).
    spread = 1.4826 * float(np.median(np.abs(left)))
    borne = 3 * np.sqrt(spread**2 + gy * gy + gx * gx) + 1e-300
    use = use * np.minimum(1.0, borne / np.maximum(np.abs(left), 1e-300))
    wy, wx = use * gy, use * gx
    products = (wy * gy, wx * gx, wy * gx, wy * left, wx * left)
    factor = 1 if np.isinf(sigma) else max(1, int(sigma // 2))
    yy, xx, yx, ty, tx = (_window(each, factor, sigma) for each in products)
    ridge = (1e-3 if np.isinf(sigma) else _RIDGE) * float(np.mean(yy + xx)) + _FLAT
    yy, xx = yy + ridge, xx + ridge
    determinant = yy * xx - yx * yx
    step = np.stack([(xx * ty - yx * tx) / determinant, (yy * tx - yx * ty) / determinant])
    step = np.clip(step, -1.5, 1.5)
    return np.stack([resized(each, still.shape) for each in step])


def _window(values: FloatArray, factor: int, sigma: float) -> FloatArray:
    """Means over blocks, smoothed to a window of sigma in all."""
    if np.isinf(sigma):
        return np.full((1, 1), values.mean())
    small = binned(values, factor)
    taps = gaussian_taps(sigma / factor)
    return np.asarray(summed(small[None], (taps, taps))[0])


def binned(values: FloatArray, factor: int) -> FloatArray:
    """Means over squares of `factor` pixels a side; the last ones may be smaller.

    Examples
    --------
    >>> binned(np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]]), 2).tolist()
    [[2.5, 4.0]]
    """
    if factor == 1:
        return values
    for axis in (0, 1):
        length = values.shape[axis]
        whole = length // factor
        inside = values[: whole * factor] if axis == 0 else values[:, : whole * factor]
        if axis == 0:
            parts = inside.reshape(whole, factor, -1).sum(axis=1)
        else:
            # Sums of strided columns are faster than those over a short last axis.
            parts = np.add.reduce([inside[:, k::factor] for k in range(factor)])
        parts = parts / factor
        if whole * factor < length:
            rest = values[whole * factor :] if axis == 0 else values[:, whole * factor :]
            parts = np.concatenate([parts, rest.mean(axis=axis, keepdims=True)], axis=axis)
        values = parts
    return values


def coarser(
    still: FloatArray, moved: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Both images and their weight with half as many pixels along each axis.

    Pixels without weight don't enter where others are near.

    Examples
    --------
    >>> weight = np.ones((4, 4))
    >>> weight[0, 3] = 0
    >>> image = np.where(weight > 0, 1.0, 9.0)
    >>> np.round(coarser(image, image, weight)[0], 6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    if weight.all():
        return _halved(still), _halved(moved), _halved(weight)
    count = _halved(weight)
    known = count > 1e-3
    pair = []
    for each in (still, moved):
        plain = _halved(each)
        np.divide(_halved(each * weight), count, out=plain, where=known)
        pair.append(plain)
    return pair[0], pair[1], count * known


def _halved(values: FloatArray) -> FloatArray:
    rows = filtered(values, _every_second(values.shape[0]), 0)
    # Sums of strided columns are faster than those over a short last axis.
    count = -(-rows.shape[1] // 2)
    wide = np.pad(rows, ((0, 0), (2, 3)), mode="symmetric")
    far = wide[:, 0::2][:, :count] + wide[:, 4::2][:, :count]
    near = wide[:, 1::2][:, :count] + wide[:, 3::2][:, :count]
    return np.asarray((far + 4 * near + 6 * wide[:, 2::2][:, :count]) / 16)


@lru_cache(maxsize=64)
def _every_second(length: int) -> Band:
    places = np.arange(0, length, 2)
    taps = np.tile(np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16, (len(places), 1))
    return banded(places - 2, taps, length, "even")


def resized(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Between the middles of equal cells, linearly.

    Examples
    --------
    >>> resized(np.array([[0.0, 4.0]]), (1, 4)).tolist()
    [[0.0, 1.0, 3.0, 4.0]]
    """
    if values.shape[1] != shape[1]:
        values = _wider(values, shape[1])
    if values.shape[0] != shape[0]:
        values = filtered(values, _between(values.shape[0], shape[0]), 0)
    return values


def _wider(values: FloatArray, length: int) -> FloatArray:
    """Columns between the middles of equal cells; strided ones at once."""
    factor = -(-length // values.shape[1])
    around = np.pad(values, ((0, 0), (1, 1)), mode="edge")
    out = np.empty((len(values), factor * values.shape[1]))
    for column in range(factor):
        at = (column + 0.5) / factor - 0.5
        other = around[:, :-2] if at < 0 else around[:, 2:]
        out[:, column::factor] = values + abs(at) * (other - values)
    return np.ascontiguousarray(out[:, :length])


@lru_cache(maxsize=64)
def _between(length: int, size: int) -> Band:
    """Weights of the cells on both sides of each pixel."""
    factor = -(-size // length)
    at = np.clip((np.arange(size) + 0.5) / factor - 0.5, 0, length - 1)
    low = np.minimum(at.astype(np.int64), max(length - 2, 0))
    share = at - low
    if length == 1:
        return Band(low, np.ones((size, 1)))
    return Band(low, np.stack([1 - share, share], axis=1))
