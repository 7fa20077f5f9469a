"""How noise hangs together over pixels."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
_OUTLYING = 4.0
_FEWEST = 30
_DOUBT = 3.0


def autocorrelation(
    residual: NDArray[np.floating], valid: BoolArray | None = None, *, reach: int = 4
) -> NDArray[np.float64]:
    """Correlation of a residual with itself, by the distance between pixels.

    Parameters
    ----------
    residual : (*grid) float
        What a fit left. Values farther out than four robust standard deviations are left out: an
        impulse says nothing of its neighbours.
    valid : (*grid) bool, optional
        True = use this pixel; NaN is no data.
    reach : int
        Farthest distance along each axis, in pixels.

    Returns
    -------
    (2 * reach + 1, ...) float64
        One at the centre, symmetric. Zero where it can't be told from zero (less than three
        standard errors of white noise), and where fewer than 30 pairs of pixels are that far apart.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(64, 64))
    >>> correlation = autocorrelation(noise)
    >>> float(correlation.max().round(6))
    1.0
    """
    usable = np.isfinite(residual) if valid is None else np.isfinite(residual) & valid
    ndim = residual.ndim
    found: NDArray[np.float64] = np.zeros((2 * reach + 1,) * ndim)
    found[(reach,) * ndim] = 1.0
    if usable.sum() < _FEWEST:
        return found
    middle = float(np.median(residual[usable]))
    values = np.where(usable, residual, middle).astype(np.float64) - middle
    spread = 1.4826 * float(np.median(np.abs(values[usable])))
    if spread > 0:
        usable = usable & (np.abs(values) <= _OUTLYING * spread)
    values = np.where(usable, values - values[usable].mean(), 0.0)
    weight = usable.astype(np.float64)
    variance = float(np.sum(values**2)) / float(weight.sum())
    if variance == 0:
        return found
    size = residual.shape
    for lag in product(range(-reach, reach + 1), repeat=ndim):
        if lag <= (0,) * ndim or any(abs(d) >= n for d, n in zip(lag, size, strict=True)):
            continue
        here = tuple(
            slice(max(0, -d), n - max(0, d)) for d, n in zip(lag, values.shape, strict=True)
        )
        there = tuple(
            slice(max(0, d), n - max(0, -d)) for d, n in zip(lag, values.shape, strict=True)
        )
        pairs = float(np.vdot(weight[here], weight[there]))
        if pairs < _FEWEST:
            continue
        share = float(np.vdot(values[here], values[there])) / (pairs * variance)
        if abs(share) > _DOUBT / np.sqrt(pairs):
            found[tuple(reach + d for d in lag)] = share
            found[tuple(reach - d for d in lag)] = share
    return found


def variance_factor(correlation: NDArray[np.float64]) -> float:
    """How much larger the variance of a smoothly weighted sum is than that of white noise.

    The sum of the correlations over all distances, at least 1: pixels are worth this many times
    fewer independent ones.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(256, 256))
    >>> abs(variance_factor(autocorrelation(noise)) - 1) < 0.3
    True
    """
    return max(1.0, float(correlation.sum()))
