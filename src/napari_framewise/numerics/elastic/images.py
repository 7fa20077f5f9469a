"""Images made ready to be compared: relative to their surroundings, in levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import gaussian_taps
from napari_framewise.numerics.elastic.field import FloatArray
from napari_framewise.numerics.interpolation import Spline, spline
from napari_framewise.numerics.noise import sigma_of_image
from napari_framewise.numerics.pyramid import Level, filled, pyramid
from napari_framewise.numerics.separable import correlated
from napari_framewise.numerics.window_moments import box_window, window_moments

BoolArray: TypeAlias = NDArray[np.bool_]
Similarity: TypeAlias = Literal["correlation", "squares"]
_SMOOTHING = 0.7
_SMALLEST = 32
# Share of white noise's deviation that the smoothing leaves.
_NOISE_LEFT = 1 / (2 * np.sqrt(np.pi) * _SMOOTHING)


@dataclass(frozen=True, eq=False)
class Seen:
    """One level of an image as it is compared.

    Attributes
    ----------
    values : (y, x) float64
        Under "correlation" local deviations from the local mean, in local standard deviations.
    valid : (y, x) bool
        Where they rest on data.
    trust : (y, x) float64
        Share of the local variance that is not noise, 0 to 1.
    step, offset : tuple of float
        Where its pixels lie in the finest level: ``step * here + offset``.
    """

    values: FloatArray
    valid: BoolArray
    trust: FloatArray
    step: tuple[float, ...]
    offset: tuple[float, ...]

    @cached_property
    def spline(self) -> Spline:
        """Values and trust as splines."""
        made = spline(np.stack([self.values, self.trust]))
        return Spline(made.coefficients, 3, None if self.valid.all() else self.valid)

    @cached_property
    def slopes(self) -> FloatArray:
        """Derivatives of the values along each axis, per pixel of the finest level: (2, y, x)."""
        taps = gaussian_taps(0.0, 1)
        found = [correlated(self.values, taps, axis) / self.step[axis] for axis in range(2)]
        return np.stack(found)

    @property
    def coordinates(self) -> tuple[FloatArray, FloatArray]:
        """Where the pixels along each axis lie in the finest level."""
        down, across = (
            step * np.arange(n) + offset
            for n, step, offset in zip(self.values.shape, self.step, self.offset, strict=True)
        )
        return down, across


def levels_of(
    image: NDArray[Any], mask: BoolArray | None, similarity: Similarity, window: int
) -> tuple[Seen, ...]:
    """Levels from the finest; empty where there are no data or only one value."""
    given = np.asarray(image, np.float64)
    whole, valid = filled(given[None], mask)
    usable = whole[0] if valid is None else whole[0][valid]
    if usable.size < 2 or not usable.min() < usable.max():
        return ()
    # Twice, so that values whose squares overflow do no harm.
    whole = whole / np.abs(usable).max()
    usable = whole[0] if valid is None else whole[0][valid]
    whole = (whole - usable.mean()) / usable.std()
    noise = sigma_of_image(whole[0], valid)
    levels = pyramid(whole, valid=valid, smallest=_SMALLEST)
    return tuple(_seen(level, similarity, window, noise) for level in levels)


def _seen(level: Level, similarity: Similarity, window: int, noise: float) -> Seen:
    values = level.planes[0]
    for axis in range(2):
        values = correlated(values, gaussian_taps(_SMOOTHING), axis)
    valid = np.ones(values.shape, bool) if level.valid is None else level.valid
    left = 0.0 if np.isnan(noise) else noise * _NOISE_LEFT / float(np.prod(level.step)) ** 0.5
    moments = window_moments(values[None], box_window((window, window)), valid[None])
    variance = np.nan_to_num(moments.variance()[0])
    trust = np.clip(1 - left**2 / np.maximum(variance, 1e-12), 0.0, 1.0)
    trust[variance < 1e-12] = 0.0
    if similarity == "correlation":
        away = values - np.nan_to_num(moments.mean[0])
        values = away / np.sqrt(variance + max(left, 1e-3) ** 2)
    return Seen(values, valid, trust, level.step, level.offset)
