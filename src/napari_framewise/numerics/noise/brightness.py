"""Noise of one image that grows with its brightness, as that of counted photons does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.noise.blind import SIDE, block_powers, plain_blocks

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
# Parts of like brightness; the fewest of them, and of blocks in each; the most blocks in all.
_PARTS, _FEWEST_PARTS, _FEWEST_BLOCKS, _MOST_BLOCKS = 10, 4, 24, 8192
# Weight of a part: its blocks, but no more than so many, for texture is no matter of chance.
_ENOUGH = 200
_ROUNDS, _TEXTURE = 8, 0.15
# Growth that is told from none: of noise that is equal everywhere 1.33 at most was found.
_GROWS = 1.5


@dataclass(frozen=True)
class NoiseGrowth:
    """``variance = level + gain * brightness``.

    Attributes
    ----------
    level, gain : float
        In squares of the image's unit, and in its unit; NaN where there is too little to tell.
    growth : float
        Variance in the brightest tenth over that in the darkest.
    """

    level: float
    gain: float
    growth: float

    @property
    def grows(self) -> bool:
        """Whether the noise grows with brightness by more than chance and texture explain."""
        return self.gain > 0 and self.growth >= _GROWS

    def variance(self, brightness: FloatArray) -> FloatArray:
        """At a brightness; never negative."""
        return np.maximum(self.level + self.gain * brightness, 0.0)


def noise_growth(image: NDArray[Any], valid: BoolArray | None = None) -> NoiseGrowth:
    """How the noise of one image grows with its brightness.

    Parameters
    ----------
    image : (*grid) real
        One plane or volume, whose planes are taken together; NaN and infinite values are no data.
    valid : (*grid) bool, optional
        True = use this pixel.

    Returns
    -------
    NoiseGrowth

    Notes
    -----
    Blocks of 8 x 8 pixels, 8192 at most, are sorted by their mean into ten parts. Of each part the
    variance is that of `blind_sigma`: the mean square of fine cosine coefficients of the blocks
    whose coarse ones are no larger than noise makes them. Through those goes a line, in rounds that
    weigh each part by one over its square, and less where it lies above: texture adds, nothing
    takes away. The mean square of fine coefficients is unbiased for any noise without correlation,
    however skewed, so that a few photons in a pixel do.

    Examples
    --------
    >>> ramp = np.repeat(np.linspace(10, 200, 128)[None], 128, axis=0)
    >>> found = noise_growth(np.random.default_rng(0).poisson(ramp))
    >>> abs(found.gain - 1) < 0.1, found.grows
    (True, True)
    """
    values = np.asarray(image, np.float64)
    usable = np.isfinite(values) if valid is None else np.isfinite(values) & valid
    size = float(np.max(np.abs(values), where=usable, initial=0.0))
    nothing = NoiseGrowth(float("nan"), float("nan"), float("nan"))
    if size == 0 or values.ndim < 2:
        return nothing
    unit = float(2.0 ** np.floor(np.log2(size)))
    planes = values.reshape(-1, *values.shape[-2:])
    powers = block_powers(planes, usable.reshape(planes.shape), unit, most=_MOST_BLOCKS)
    count = powers.shape[1]
    parts = min(_PARTS, count // _FEWEST_BLOCKS)
    if parts < _FEWEST_PARTS:
        return nothing
    order = np.argsort(powers[3], kind="stable")
    brightness, variance, weight = np.empty(parts), np.empty(parts), np.empty(parts)
    for number, part in enumerate(np.array_split(order, parts)):
        taken, found = plain_blocks(powers[:, part], max(16, len(part) // 10))
        brightness[number] = powers[3, part[taken]].mean() / SIDE
        variance[number], weight[number] = found, min(len(taken), _ENOUGH)
    level, gain = _line(brightness, variance, weight)
    at = level + gain * brightness
    low, high = float(at.min()), float(at.max())
    growth = high / low if low > 0 else float("inf")
    return NoiseGrowth(level * unit**2, gain * unit, growth if high > 0 else 1.0)


def _line(x: FloatArray, y: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Level and slope of a line below which little lies."""
    middle = float(np.median(y))
    if middle <= 0:
        return 0.0, 0.0
    least = 1e-3 * middle
    own = weight / middle**2
    level, slope = middle, 0.0
    for _ in range(_ROUNDS):
        centre = float(own @ x) / float(own.sum())
        away = x - centre
        spread = float(own @ (away * away))
        slope = float(own @ (away * y)) / spread if spread > 0 else 0.0
        level = float(own @ y) / float(own.sum()) - slope * centre
        fit = np.maximum(level + slope * x, least)
        above = np.maximum((y - fit) / fit, 0.0) / _TEXTURE
        own = weight / fit**2 / (1 + above * above)
    return level, slope
