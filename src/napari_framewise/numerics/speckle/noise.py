"""How strong speckle or white noise is, and which of the two an image holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, special

from napari_framewise.numerics.derivatives import eroded
from napari_framewise.numerics.noise import sigma_of_image

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_LOOKS = (0.05, 1e7)
_BLOCK = 8
_GROUPS = 8
_FEWEST_BLOCKS = 32
_LEAST_RANGE = 1.5


def variation_of_looks(looks: float, amplitude: bool = False) -> float:
    """Coefficient of variation of speckle of so many looks.

    ``1 / sqrt(L)`` of intensities (gamma); of amplitudes, the square roots of those,
    ``sqrt(L Gamma(L)^2 / Gamma(L + 1/2)^2 - 1)``, about ``0.523 / sqrt(L)``.

    Parameters
    ----------
    looks : float
        Number of independent looks that were averaged, positive.
    amplitude : bool
        Whether the image holds amplitudes.

    Examples
    --------
    >>> variation_of_looks(4), round(variation_of_looks(1, amplitude=True), 4)
    (0.5, 0.5227)
    """
    if not amplitude or math.isinf(looks):
        return 1 / math.sqrt(looks)
    ratio = special.gammaln(looks) - special.gammaln(looks + 0.5)
    return math.sqrt(math.expm1(math.log(looks) + 2 * float(ratio)))


def looks_of_image(
    image: NDArray[Any], valid: BoolArray | None = None, *, amplitude: bool = False
) -> float:
    """Number of looks of the speckle in an image, from its flattest parts.

    Speckle is additive in logarithms, with the variance ``trigamma(L)`` of intensities, a quarter
    of it of amplitudes; it is found there as `sigma_of_image` does.

    Parameters
    ----------
    image : (*grid) real
        One plane or volume; NaN, infinite values and what is not positive are no data.
    valid : (*grid) bool, optional
        True = use this pixel.
    amplitude : bool
        Whether it holds amplitudes instead of intensities.

    Returns
    -------
    float
        NaN where no pixel has data all around it, infinite where nothing varies. Speckle that is
        correlated over pixels reads as more looks than there are, texture in all of the image as
        fewer.

    Examples
    --------
    >>> speckle = np.random.default_rng(0).gamma(4, 1 / 4, (128, 128))
    >>> abs(looks_of_image(100 * speckle) / 4 - 1) < 0.15
    True
    """
    values = np.asarray(image, np.float64)
    use = np.isfinite(values) & (values > 0)
    if valid is not None:
        use &= valid
    # A power of two, so that units leave the same bits.
    unit = 2.0 ** np.floor(np.log2(np.max(values, where=use, initial=1e-300)))
    sigma = sigma_of_image(np.log(np.where(use, values / unit, 1.0)), use)
    variance = (2 * sigma if amplitude else sigma) ** 2
    if not variance > 0:
        return float("nan") if math.isnan(variance) else float("inf")
    low, high = (float(special.polygamma(1, each)) for each in reversed(_LOOKS))
    if not low < variance < high:
        return _LOOKS[1] if variance <= low else _LOOKS[0]

    def beyond(log: float) -> float:
        return float(special.polygamma(1, math.exp(log))) - variance

    return math.exp(float(optimize.brentq(beyond, math.log(_LOOKS[0]), math.log(_LOOKS[1]))))


def growth_of_noise(image: NDArray[Any], valid: BoolArray | None = None) -> float:
    """Power of the mean that the noise of an image grows with: 0 additive, 1 multiplicative.

    In blocks of 8 pixels a side the noise is the median size of second differences along all axes,
    which leave nothing of a ramp. The blocks are put into eight groups by their mean; the power is
    the slope of a line through the logarithms of the groups' means and of the lower quarter of
    their noise, where there is least texture. Shot noise gives 1/2.

    Parameters
    ----------
    image : (*grid) real
        One plane or volume.
    valid : (*grid) bool, optional
        True = use this pixel.

    Returns
    -------
    float
        NaN where it can't be told: fewer than 32 blocks with data and a positive mean, or means
        within a factor of 1.5.

    Examples
    --------
    >>> ramp = np.linspace(1, 20, 256) * np.ones((256, 1))
    >>> random = np.random.default_rng(0)
    >>> round(growth_of_noise(ramp * random.gamma(9, 1 / 9, ramp.shape)))
    1
    >>> round(growth_of_noise(ramp + random.normal(0, 0.3, ramp.shape)))
    0
    """
    values = np.asarray(image, np.float64)
    use = np.isfinite(values) if valid is None else np.isfinite(values) & valid
    axes = [axis for axis, length in enumerate(values.shape) if length >= _BLOCK]
    if len(axes) < values.ndim:
        return float("nan")
    response = np.where(use, values, 0.0)
    for axis in axes:
        response = ndimage.correlate1d(response, [1.0, -2.0, 1.0], axis, mode="nearest")
    response = np.where(eroded(use, 1), np.abs(response), np.nan)
    noise, known = _blocks(response)
    mean, _ = _blocks(np.where(use, values, np.nan))
    kept = known & (mean > 0) & (noise > 0)
    if kept.sum() < _FEWEST_BLOCKS:
        return float("nan")
    order = np.argsort(mean[kept])
    groups = np.array_split(np.stack([mean[kept], noise[kept]])[:, order], _GROUPS, axis=1)
    means = np.array([np.median(group[0]) for group in groups])
    lower = np.array([np.quantile(group[1], 0.25) for group in groups])
    if means[-1] < _LEAST_RANGE * means[0]:
        return float("nan")
    return float(np.polyfit(np.log(means), np.log(lower), 1)[0])


def _blocks(values: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Medians of whole blocks, and which of them have data in most of their pixels."""
    counts = [length // _BLOCK for length in values.shape]
    whole = values[tuple(slice(count * _BLOCK) for count in counts)]
    split = whole.reshape([part for count in counts for part in (count, _BLOCK)])
    order = (*range(0, split.ndim, 2), *range(1, split.ndim, 2))
    blocks = split.transpose(order).reshape(math.prod(counts), -1)
    known = np.isfinite(blocks).mean(axis=1) > 0.5
    medians = np.full(len(blocks), np.nan)
    if known.any():
        medians[known] = np.nanmedian(blocks[known], axis=1)
    return medians, known


@dataclass(frozen=True)
class Fit:
    """What tells whether a noise model fits an image.

    Attributes
    ----------
    looks : float
        Number of looks, were its noise speckle.
    sigma : float
        Standard deviation of its noise in the flattest parts, were it additive.
    growth : float
        Power of the mean that the noise grows with; NaN where it can't be told.
    negative : float
        Share of the pixels with data below zero.
    """

    looks: float
    sigma: float
    growth: float
    negative: float


def fit_of_image(
    image: NDArray[Any], valid: BoolArray | None = None, *, amplitude: bool = False
) -> Fit:
    """Measure the noise of an image under both models.

    Examples
    --------
    >>> speckle = np.random.default_rng(0).gamma(4, 1 / 4, (128, 128))
    >>> fit_of_image(speckle).negative
    0.0
    """
    values = np.asarray(image, np.float64)
    use = np.isfinite(values) if valid is None else np.isfinite(values) & valid
    return Fit(
        looks_of_image(values, use, amplitude=amplitude),
        sigma_of_image(values, use),
        growth_of_noise(values, use),
        float((values[use] < 0).mean()) if use.any() else 0.0,
    )
