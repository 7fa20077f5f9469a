"""Displacement of one image against another, smoothed by more than the changes sought."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.derivatives import gaussian_taps
from napari_framewise.numerics.difference.kernels import normal_sums
from napari_framewise.numerics.interpolation import Spline, spline, warp
from napari_framewise.numerics.normalised_convolution import summed
from napari_framewise.numerics.separable import Band, banded, filtered

FloatArray = NDArray[np.float64]
_COARSEST, _LEVELS = 24, 4
# Steps of the whole frame at scales that are cheap.
_ROUNDS = 3
# Pixels above which every second one is enough for a median.
_MANY = 2**14
SMOOTH = 6.0
"""Smoothness in pixels from which halved images tell as much of displacements."""
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
    halved: bool = False,
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
    halved : bool
        The images were halved before, and are as coarse as the displacements may be.

    Returns
    -------
    (2, y, x) float64
        Rows, columns, on the images or, where that does, on the images halved once.

    Notes
    -----
    Lucas and Kanade (1981), *An iterative image registration technique*, equation 10, over
    Gaussian windows, from coarse to fine; residuals that neither noise nor a displacement of a
    pixel explains count less (Huber), so that what changed pulls less. At every scale one step for
    the whole frame comes before those of the windows, which are drawn to no step (ridge) where
    gradients are weak.
    """
    pyramid = [(still, moved, weight)]
    for _ in range(_LEVELS - halved):
        if min(pyramid[-1][0].shape) < 2 * _COARSEST:
            break
        pyramid.append(coarser(*pyramid[-1]))
    field = np.zeros((2, *pyramid[-1][0].shape))
    for number in reversed(range(len(pyramid))):
        a, b, w = pyramid[number]
        if field.shape[1:] != a.shape:
            field = resized_field(field, a.shape)
        # A smooth field found on the images halved once is right to hundredths of a pixel.
        if number == 0 and len(pyramid) > 1 and not halved and smoothness >= SMOOTH:
            break
        image = spline(b[None])
        # One step for all first: where there is nothing to see, it stays with the rest.
        sigma = smoothness / 2**number
        local = np.isfinite(sigma) and (sigma >= _LEAST or number == 0)
        for _ in range(_ROUNDS if number + halved > 1 else 1):
            field += _step(a, image, w, field, np.inf)
        if local:
            field += _step(a, image, w, field, max(sigma, 2.0))
    return field


def _step(
    still: FloatArray, image: Spline, weight: FloatArray, field: FloatArray, sigma: float
) -> FloatArray:
    values, slopes, inside = warp(image, field, slopes=True)
    assert slopes is not None
    # Every second pixel tells the spread of the residuals as well.
    some = (slice(None, None, 2),) * 2 if still.size > _MANY else (slice(None),) * 2
    spread = 1.4826 * float(np.median(np.abs(still[some] - values[0][some])))
    factor = max(still.shape) if np.isinf(sigma) else max(1, int(sigma // 2))
    cells = np.zeros((5, *(-(-length // factor) for length in still.shape)))
    kinds = ("float64/2", "float64/2", "float64/3", "float64/2", "bool/2", "float64", "int64")
    kernel = compiled(normal_sums, *kinds, "=float64/3")
    kernel(still, values[0], slopes[:, 0], weight, inside, spread, factor, cells)
    cells /= np.multiply.outer(*(cell_sizes(length, factor) for length in still.shape))
    if not np.isinf(sigma):
        taps = gaussian_taps(sigma / factor)
        cells = summed(cells, (taps, taps))
    yy, xx, yx, ty, tx = cells
    ridge = (1e-3 if np.isinf(sigma) else _RIDGE) * float(np.mean(yy + xx)) + _FLAT
    yy, xx = yy + ridge, xx + ridge
    determinant = yy * xx - yx * yx
    step = np.stack([(xx * ty - yx * tx) / determinant, (yy * tx - yx * ty) / determinant])
    step = np.clip(step, -1.5, 1.5)
    return (
        step if np.isinf(sigma) else np.stack([resized(each, still.shape, factor) for each in step])
    )


def cell_sizes(length: int, factor: int) -> FloatArray:
    """Pixels of the cells along a side; the last may be smaller.

    Examples
    --------
    >>> cell_sizes(7, 3).tolist()
    [3.0, 3.0, 1.0]
    """
    return np.minimum(factor, length - factor * np.arange(-(-length // factor))).astype(np.float64)


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


def resized_field(field: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Displacements on pixels, from those on images that were halved once, or not.

    Examples
    --------
    >>> resized_field(np.ones((2, 2, 2)), (4, 4))[0, 0].tolist()
    [2.0, 2.0, 2.0, 2.0]
    """
    if field.shape[1:] == shape:
        return field
    return np.asarray(2 * np.stack([resized(each, shape, 2) for each in field]))


def resized(values: FloatArray, shape: tuple[int, ...], factor: int) -> FloatArray:
    """Between the middles of cells of `factor` pixels a side, linearly; the last may be smaller.

    Examples
    --------
    >>> resized(np.array([[0.0, 4.0]]), (1, 4), 2).tolist()
    [[0.0, 1.0, 3.0, 4.0]]
    """
    if factor > 1:
        values = filtered(_wider(values, shape[1], factor), _between(shape[0], factor), 0)
    return values


def _wider(values: FloatArray, length: int, factor: int) -> FloatArray:
    """Columns between the middles of equal cells; strided ones at once."""
    around = np.pad(values, ((0, 0), (1, 1)), mode="edge")
    out = np.empty((len(values), factor * values.shape[1]))
    for column in range(factor):
        at = (column + 0.5) / factor - 0.5
        other = around[:, :-2] if at < 0 else around[:, 2:]
        out[:, column::factor] = values + abs(at) * (other - values)
    return np.ascontiguousarray(out[:, :length])


@lru_cache(maxsize=64)
def _between(size: int, factor: int) -> Band:
    """Weights of the cells on both sides of each pixel."""
    length = -(-size // factor)
    at = np.clip((np.arange(size) + 0.5) / factor - 0.5, 0, length - 1)
    low = np.minimum(at.astype(np.int64), max(length - 2, 0))
    share = at - low
    if length == 1:
        return Band(low, np.ones((size, 1)))
    return Band(low, np.stack([1 - share, share], axis=1))
