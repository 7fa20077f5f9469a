"""Lee filters: each pixel between the mean of its window and itself, by how much is signal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.window_moments import Moments, box_window, window_moments

FloatArray = NDArray[np.float64]


class Despeckled(NamedTuple):
    """What a Lee filter gives.

    Attributes
    ----------
    values : (n, *grid) float64
        The frames without most of their noise; NaN where a pixel has no data.
    weight : (n, *grid) float64
        How much of each pixel was kept: 0 is the mean of its window, 1 the pixel itself.
    """

    values: FloatArray
    weight: FloatArray


def lee(
    frames: ArrayLike, variation: float, sides: Sequence[int], mask: ArrayLike | None = None
) -> Despeckled:
    """Lee's filter for multiplicative noise of mean 1.

    Parameters
    ----------
    frames : (n, *grid)
        Any real dtype; NaN and infinite values are no data, and stay missing. Nothing else is.
    variation : float
        Coefficient of variation of the noise, as of `variation_of_looks`.
    sides : sequence of int
        Odd sides of the window in pixels; beyond the border there are no data.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.

    Returns
    -------
    Despeckled
        ``m + k (y - m)`` with mean m and variance v of the window, and the weight
        ``k = Q / (Q + m^2 C^2)``, where ``Q = max(0, v - m^2 C^2) / (1 + C^2)`` is the variance of
        the signal and C the variation of the noise.

    Raises
    ------
    ValueError
        Where variation, sides or mask do not fit.

    Notes
    -----
    Lee (1980), *IEEE Trans. PAMI* 2, 165-168: the linear filter of least mean square error for a
    signal with the mean and variance of the window.

    Examples
    --------
    >>> speckle = np.random.default_rng(0).gamma(4, 1 / 4, (1, 64, 64))
    >>> bool(lee(speckle, 0.5, (7, 7)).values.std() < 0.2)
    True
    """
    _check("variation", variation)
    values, found = _around(frames, sides, mask)
    square, noise = found.mean**2, variation**2
    signal = np.maximum(found.variance() - noise * square, 0.0) / (1 + noise)
    return _between(values, found, _share(signal, signal + noise * square))


def lee_additive(
    frames: ArrayLike, sigma: float, sides: Sequence[int], mask: ArrayLike | None = None
) -> Despeckled:
    """Lee's filter for additive white noise: right for negative values, indices and decibels.

    Parameters
    ----------
    frames : (n, *grid)
        Any real dtype; NaN and infinite values are no data, and stay missing. Nothing else is.
    sigma : float
        Standard deviation of the noise, in the frames' units.
    sides : sequence of int
        Odd sides of the window in pixels.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.

    Returns
    -------
    Despeckled
        ``m + k (y - m)`` with ``k = max(0, v - sigma^2) / v`` (Lee 1980).

    Raises
    ------
    ValueError
        Where sigma, sides or mask do not fit.

    Examples
    --------
    >>> step = np.repeat([[[-20.0, -1.0]]], 32, axis=2) + np.zeros((1, 64, 1))
    >>> noisy = step + np.random.default_rng(0).normal(size=step.shape)
    >>> bool(np.abs(lee_additive(noisy, 1.0, (7, 7)).values - step).mean() < 0.4)
    True
    """
    _check("standard deviation", sigma)
    values, found = _around(frames, sides, mask)
    variance = found.variance()
    return _between(values, found, _share(np.maximum(variance - sigma**2, 0.0), variance))


def enhanced_lee(
    frames: ArrayLike,
    variation: float,
    sides: Sequence[int],
    mask: ArrayLike | None = None,
    *,
    damping: float = 1.0,
) -> Despeckled:
    """The enhanced Lee filter for multiplicative noise.

    Where a window varies no more than the noise the pixel becomes its mean; where it varies more
    than ``C_max = sqrt(1 + 2 C^2)``, as a point or an edge does, the pixel is kept; between them
    the mean has the weight ``exp(-D (C_i - C) / (C_max - C_i))``.

    Parameters
    ----------
    frames : (n, *grid)
        Any real dtype; NaN and infinite values are no data, and stay missing. Nothing else is.
    variation : float
        Coefficient of variation C of the noise.
    sides : sequence of int
        Odd sides of the window in pixels.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.
    damping : float
        D, positive: the larger, the more is kept between the two limits.

    Returns
    -------
    Despeckled
        As of `lee`.

    Raises
    ------
    ValueError
        Where variation, damping, sides or mask do not fit.

    Notes
    -----
    Lopes, Touzi and Nezry (1990), *IEEE Trans. Geoscience and Remote Sensing* 28, 992-1000. For L
    looks of intensities ``C_max = sqrt(1 + 2 / L)``: a texture whose own variation is 1.

    Examples
    --------
    >>> speckle = np.random.default_rng(0).gamma(4, 1 / 4, (1, 64, 64))
    >>> bool(enhanced_lee(speckle, 0.5, (7, 7)).values.std() < 0.15)
    True
    """
    _check("variation", variation)
    _check("damping", damping)
    values, found = _around(frames, sides, mask)
    here = found.variation()
    most = math.sqrt(1 + 2 * variation**2)
    inner = (here > variation) & (here < most)
    ratio = np.divide(here - variation, most - here, out=np.zeros_like(here), where=inner)
    weight = np.where(inner, -np.expm1(-damping * ratio), np.where(here >= most, 1.0, 0.0))
    return _between(values, found, weight)


def _around(
    frames: ArrayLike, sides: Sequence[int], mask: ArrayLike | None
) -> tuple[NDArray[Any], Moments]:
    """The values, NaN where there are no data, and the moments of their windows."""
    values = np.asarray(frames)
    found = window_moments(values, box_window(sides), mask)
    known = np.isfinite(values)
    if mask is not None:
        use = np.asarray(mask)
        known &= (use != 0) & (use == use)
    return np.where(known, values, np.nan).astype(np.float64), found


def _between(values: FloatArray, found: Moments, weight: FloatArray) -> Despeckled:
    weight = np.where(np.isfinite(values), weight, np.nan)
    return Despeckled(found.mean + weight * (values - found.mean), weight)


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """A part of a whole; 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _check(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"The {name} {value:g} was given; a number from 0 on is needed.")
