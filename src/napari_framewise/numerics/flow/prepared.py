"""A pair of frames made ready: gaps filled, hot pixels cut off, one scale, two pyramids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import gaussian_taps, smooth
from napari_framewise.numerics.flow.settings import FlowSettings
from napari_framewise.numerics.noise import sigma_of_image
from napari_framewise.numerics.pyramid import Level, filled, pyramid

BoolArray = NDArray[np.bool_]
# Share of the pixels that may be hot or dead: they are cut off at a range beyond the others.
_HOT, _SAMPLE = 0.2, 64_000
# Noise, in spreads, from which both frames are smoothed by a Gaussian, and of what sigma in pixels.
_NOISY, _SMOOTHED = 0.55, 0.87


@dataclass(frozen=True, eq=False)
class Prepared:
    """Two frames as the levels of two pyramids, brought to zero mean and a spread of one.

    Attributes
    ----------
    first, second : tuple of Level
        From the finest to the coarsest.
    spread : float
        The first image's standard deviation, in its own units.
    noise : float
        Standard deviation of a frame's white noise, in spreads, averaged over channels, after what
        smoothing the settings or the noise itself call for.
    """

    first: tuple[Level, ...]
    second: tuple[Level, ...]
    spread: float
    noise: float

    @property
    def swapped(self) -> Prepared:
        """The pair in the other order of time."""
        return replace(self, first=self.second, second=self.first)

    def finer_than(self, step: float) -> Prepared:
        """The same without the levels whose pixels are larger than `step` of the finest."""
        kept = max(1, sum(max(level.step) <= step for level in self.first))
        return replace(self, first=self.first[:kept], second=self.second[:kept])


def prepare(
    first: NDArray[Any],
    second: NDArray[Any],
    valid: BoolArray | None,
    second_valid: BoolArray | None,
    settings: FlowSettings,
) -> Prepared:
    """Fill gaps, normalise both frames in the same way, and build their pyramids."""
    unit = max(_power_of_two(first, valid), _power_of_two(second, second_valid)) or 1.0
    pair, masks, noises = [], [], []
    for planes, mask in ((first, valid), (second, second_valid)):
        scaled = np.divide(planes, unit, dtype=np.float64, order="C")
        if settings.quality == "fast":
            scaled = scaled.mean(axis=0, keepdims=True)
        if mask is not None:
            mask = np.ascontiguousarray(mask)
        whole, usable = filled(np.ascontiguousarray(scaled), mask)
        noises += [sigma_of_image(plane, usable) for plane in whole]
        pair.append(_without_hot_pixels(whole, usable))
        masks.append(usable)
    centre = pair[0].mean(axis=tuple(range(1, pair[0].ndim)), keepdims=True)
    spread = float(np.sqrt(np.mean((pair[0] - centre) ** 2)))
    scale = spread if spread > 0 else 1.0
    squares = np.square(np.nan_to_num(noises))
    noise = min(float(np.sqrt(np.mean(squares))) / scale, 1.0)
    sigma = settings.level_sigma
    if noise > _NOISY:
        sigma = max(sigma, _SMOOTHED)
    taps = gaussian_taps(sigma)
    noise *= float(taps @ taps) ** (len(planes.shape[1:]) / 2)
    levels = None if settings.method == "pyramid" else 1
    first_levels, second_levels = (
        tuple(
            _smoothed(level, sigma)
            for level in pyramid(
                np.ascontiguousarray((planes - centre) / scale, np.float32),
                valid=usable,
                ratio=settings.ratio,
                levels=levels,
            )
        )
        for planes, usable in zip(pair, masks, strict=True)
    )
    return Prepared(first_levels, second_levels, spread * unit, noise)


def _power_of_two(planes: NDArray[Any], valid: BoolArray | None) -> float:
    """The power of two next below the largest value, so that units leave the same bits."""
    finite = np.isfinite(planes) if valid is None else np.isfinite(planes) & valid
    largest = float(np.max(np.abs(planes, dtype=np.float64), where=finite, initial=0.0))
    return float(2.0 ** np.floor(np.log2(largest))) if largest > 0 else 0.0


def _smoothed(level: Level, sigma: float) -> Level:
    if sigma == 0:
        return level
    return replace(level, planes=smooth(level.planes, sigma, ndim=len(level.shape)))


def _without_hot_pixels(planes: NDArray[np.float64], usable: BoolArray | None) -> NDArray[Any]:
    """Planes in which no value is farther from nearly all others than these from one another."""
    thin = (slice(None), *thinned(planes.shape[1:], _SAMPLE))
    values = planes[thin] if usable is None else planes[thin][:, usable[thin[1:]]]
    if values.size == 0:
        return planes
    low, high = np.percentile(values, [_HOT, 100 - _HOT])
    return np.clip(planes, low - (high - low), high + (high - low))


def thinned(shape: tuple[int, ...], most: int) -> tuple[slice, ...]:
    """Slices that leave about so many pixels."""
    step = max(1, int((np.prod(shape) / most) ** (1 / len(shape))))
    return tuple(slice(None, None, step) for _ in shape)
