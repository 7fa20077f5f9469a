"""Levels of a plane or volume, coarse and fine, with pixels as near to cubes as they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.derivatives import eroded
from napari_framewise.numerics.noise import sigma_of_image
from napari_framewise.numerics.pyramid import filled

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
# An axis is halved while it keeps so many pixels.
_SHORTEST = 20
# Slopes are those of a Gaussian of 1 pixel, or of more where noise is most of them.
_SIGMAS = (1.0, 2.0, 3.0)
_NOISY = 0.5


@dataclass(frozen=True, eq=False)
class Raw:
    """An image of mean 0 and deviation 1, without gaps.

    Attributes
    ----------
    values : (*shape) float64
        Finite; gaps are filled from around them.
    valid : (*shape) bool
        Where there were data.
    mean, spread : float
        What was taken out.
    noise : float
        Standard deviation of its white noise, in units of the spread.
    """

    values: FloatArray
    valid: BoolArray
    mean: float
    spread: float
    noise: float


@dataclass(frozen=True, eq=False)
class Level:
    """One level: every so many pixels of the smoothed image.

    Attributes
    ----------
    values : (*shape) float64
    valid : (*shape) bool
    step : tuple of int
        Pixels of the image from one to the next, along each axis.
    """

    values: FloatArray
    valid: BoolArray
    step: tuple[int, ...]


def raw(image: NDArray[Any], mask: NDArray[Any] | None) -> Raw | None:
    """An image made ready; None where it holds no data, or one value."""
    values = np.asarray(image, np.float64)
    usable = np.isfinite(values)
    if mask is not None:
        usable &= np.asarray(mask) != 0
    if not usable.any():
        return None
    some = values[usable]
    # A power of two brings any unit near one: no squares overflow, no bits are lost.
    largest = float(np.abs(some).max())
    unit = 2.0 ** np.floor(np.log2(largest)) if largest > 0 else 1.0
    some = some / unit
    mean, spread = float(some.mean()), float(some.std())
    if not spread > 1e-12 * max(abs(mean), 1e-300):
        return None
    ready = np.where(usable, (values / unit - mean) / spread, np.nan)
    whole, _ = filled(ready[np.newaxis])
    noise = sigma_of_image(ready)
    return Raw(
        np.asarray(whole[0]), usable, mean * unit, spread * unit, noise if noise == noise else 0.0
    )


def level_steps(shape: tuple[int, ...], scale: tuple[float, ...]) -> list[tuple[int, ...]]:
    """Steps of all levels, from the finest: the axes of the smallest pixels are halved first.

    Examples
    --------
    >>> level_steps((24, 128, 128), (3.0, 1.0, 1.0))
    [(1, 1, 1), (1, 2, 2), (1, 4, 4)]
    """
    step = [1] * len(shape)
    found = [tuple(step)]
    while True:
        can = [n // (2 * s) >= _SHORTEST for n, s in zip(shape, step, strict=True)]
        if not any(can):
            return found
        sizes = [s * each for s, each in zip(scale, step, strict=True)]
        limit = 1.5 * min(size for size, able in zip(sizes, can, strict=True) if able)
        step = [
            2 * s if able and size <= limit else s
            for s, able, size in zip(step, can, sizes, strict=True)
        ]
        found.append(tuple(step))


def level_of(whole: Raw, step: tuple[int, ...]) -> Level:
    """One level of an image; a pixel is valid where most of what it is made of is."""
    if all(each == 1 for each in step):
        return Level(whole.values, whole.valid, step)
    every = tuple(slice(None, None, each) for each in step)
    sigma = [0.5 * each if each > 1 else 0.0 for each in step]
    values = ndimage.gaussian_filter(whole.values, sigma, mode="nearest")[every]
    valid = whole.valid
    if not valid.all():
        share = ndimage.gaussian_filter(valid.astype(float), sigma, mode="nearest")
        valid = share > 0.75
    return Level(np.ascontiguousarray(values), np.ascontiguousarray(valid[every]), step)


def slopes_of(level: Level, noise: float) -> tuple[list[FloatArray], float]:
    """Slopes along each axis, of a Gaussian wide enough for the noise, and that Gaussian."""
    found: list[FloatArray] = []
    sigma = _SIGMAS[0]
    for sigma in _SIGMAS:
        found = derivatives(level.values, sigma)
        power = float(np.mean(sum(each**2 for each in found)))
        if power <= 0 or len(found) * _slope_noise(noise, sigma, len(found)) < _NOISY * power:
            break
    return found, sigma


def derivatives(values: FloatArray, sigma: float) -> list[FloatArray]:
    """Slopes along each axis by derivatives of a Gaussian; an axis of one pixel has none.

    Past the border its pixel goes on, so that no other pixel's own noise is in its slopes.
    """
    return [
        ndimage.gaussian_filter(
            values,
            sigma,
            order=[int(axis == other) for other in range(values.ndim)],
            mode="nearest",
        )
        if values.shape[axis] > 1
        else np.zeros_like(values)
        for axis in range(values.ndim)
    ]


def neighbours(values: FloatArray) -> FloatArray:
    """Mean of the nearest pixels along every axis, without the pixel itself."""
    taps = np.array([0.5, 0.0, 0.5])
    axes = [axis for axis, length in enumerate(values.shape) if length > 2]
    found = np.zeros_like(values)
    for axis in axes:
        found += ndimage.correlate1d(values, taps, axis=axis, mode="nearest")
    return found / max(len(axes), 1)


def used(level: Level, sigma: float) -> BoolArray:
    """Pixels whose slopes rest on data, away from the border where the axis is long enough."""
    inside = eroded(level.valid, int(np.ceil(2 * sigma)))
    margin = [
        min(int(np.ceil(2 * sigma)), max(length // 10, 1), (length - 1) // 4)
        for length in inside.shape
    ]
    kept = np.zeros(inside.shape, bool)
    kept[tuple(slice(m, n - m) for m, n in zip(margin, inside.shape, strict=True))] = True
    return inside & kept


def _slope_noise(noise: float, sigma: float, d: int) -> float:
    """Variance of one slope of white noise: of a Gaussian's derivative along one of d axes."""
    along = noise**2 / (4 * np.sqrt(np.pi) * sigma**3)
    return float(along / (2 * np.sqrt(np.pi) * sigma) ** (d - 1))
