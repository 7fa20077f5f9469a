"""Images as alignment takes them: pyramids in unit coordinates, with what may be used of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics._blocks import real_array
from napari_framewise.numerics.gradients import (
    eroded,
    gaussian_taps,
    gradient,
    gradient_radius,
    smooth,
)
from napari_framewise.numerics.pyramid import Level, filled, pyramid
from napari_framewise.numerics.sampling import spline

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
SMALLEST = 20
"""Shortest side of the coarsest level, in pixels."""
_LEAST_PIXELS = 16
# Slopes smoothed a little: their noise falls, and so does what they share with the error of
# interpolation, which lies near the highest frequency.
SLOPE_SIGMA = 1.0
_COARSE_SIGMA = 0.5


@dataclass(frozen=True, eq=False)
class Planes:
    """An image as planes in double precision, with what is known of it.

    Attributes
    ----------
    values : (channels, y, x) float64
        Maybe with NaN.
    usable : (y, x) bool
        Finite in all channels, and under the mask.
    """

    values: FloatArray
    usable: BoolArray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.values.shape[1], self.values.shape[2])

    def brightness(self, per_channel: bool) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the usable pixels, for each channel."""
        known = self.values[:, self.usable]
        mean = known.mean(axis=1)
        spread = known.std(axis=1)
        if not per_channel:
            mean[:], spread[:] = mean.mean(), np.sqrt((spread**2).mean() + mean.var())
        return mean, np.where(spread > 0, spread, 1.0)


def as_planes(image: Any, mask: Any, what: str) -> Planes:
    """An image (y, x) or (y, x, channels) with its mask.

    Raises
    ------
    ValueError
        For another number of axes, complex numbers, or a mask of another shape.
    """
    given = real_array(image, what)
    if given.ndim not in (2, 3):
        raise ValueError(
            f"The {what} has the shape {given.shape}; one image (rows, columns) or "
            "(rows, columns, channels) is needed."
        )
    values = given[None] if given.ndim == 2 else np.moveaxis(given, -1, 0)
    values = values.astype(np.float64)
    usable = np.isfinite(values).all(axis=0)
    if mask is not None:
        chosen = np.asarray(mask)
        if chosen.shape != usable.shape:
            raise ValueError(
                f"The mask of the {what} has the shape {chosen.shape}; it must be that of the "
                f"image, {usable.shape}."
            )
        usable &= chosen != 0
    return Planes(values, usable)


def levels_for(shape: tuple[int, int]) -> int:
    """Levels of a pyramid whose coarsest is not shorter than `SMALLEST`."""
    return max(1, int(np.floor(np.log2(max(1.0, min(shape) / SMALLEST)))) + 1)


@dataclass(frozen=True, eq=False)
class Fixed:
    """One level of a template.

    Attributes
    ----------
    planes : (channels, y, x) float32
    weights : (y, x) float32
        0 where a pixel is not used.
    slopes : (2, channels, y, x) float32
        Change per unit.
    grid : (4,) float64
        Unit coordinate of row 0, step per row; the same for columns.
    """

    planes: NDArray[np.float32]
    weights: NDArray[np.float32]
    slopes: NDArray[np.float32]
    grid: FloatArray


@dataclass(frozen=True, eq=False)
class Moving:
    """One level of an image, to be sampled.

    Attributes
    ----------
    planes : (channels, y, x) float32
        Pixels, or coefficients where cubic.
    cubic : bool
    usable : (y, x) bool
        Where it may be sampled; empty where that is everywhere within the limits.
    limits : (4,) float64
        First and last row, first and last column that may be sampled.
    grid : (4,) float64
        As of `Fixed`.
    """

    planes: NDArray[np.float32]
    cubic: bool
    usable: BoolArray
    limits: FloatArray
    grid: FloatArray


def fixed_levels(
    planes: Planes, mean: FloatArray, spread: FloatArray, smoothing: float, unit: float
) -> tuple[tuple[Fixed, ...], tuple[Level, ...]]:
    """A template's levels, from the finest, and the pyramid they were made of."""
    levels = _pyramid(planes, mean, spread, smoothing, levels_for(planes.shape))
    found = []
    for number, level in enumerate(levels):
        grid = _grid(level, planes.shape, unit)
        sigma = SLOPE_SIGMA if number == 0 else _COARSE_SIGMA
        slopes = gradient(level.planes, sigma)
        slopes[0] /= np.float32(grid[1])
        slopes[1] /= np.float32(grid[3])
        usable = np.ones(level.shape, bool) if level.valid is None else level.valid
        reach = gradient_radius(sigma) + _reach(smoothing) if number == 0 else 1
        weights = eroded(usable, reach).astype(np.float32)
        found.append(Fixed(level.planes, weights, slopes, grid))
    return tuple(found), levels


def moving_levels(
    planes: Planes,
    mean: FloatArray,
    spread: FloatArray,
    smoothing: float,
    unit: float,
    count: int,
) -> tuple[tuple[Moving, ...], tuple[Level, ...]]:
    """An image's levels, from the finest, and the pyramid they were made of."""
    levels = _pyramid(planes, mean, spread, smoothing, count)
    found = []
    for number, level in enumerate(levels):
        cubic = number == 0
        # Two pixels behind its edge a spline hardly feels how the image was carried on there.
        reach = 2 + _reach(smoothing) if cubic else 1
        values = spline(level.planes).coefficients if cubic else level.planes
        usable = np.empty((0, 0), bool) if level.valid is None else eroded(level.valid, reach)
        rows, columns = level.shape
        limits = np.array([reach, rows - 1.0 - reach, reach, columns - 1.0 - reach])
        grid = _grid(level, planes.shape, unit)
        found.append(Moving(values, cubic, usable, limits, grid))
    return tuple(found), levels


def unit_of(shape: tuple[int, int]) -> float:
    """Pixels per unit: half the template's longer side."""
    return max(1.0, (max(shape) - 1) / 2)


def to_unit(shape: tuple[int, int], unit: float) -> FloatArray:
    """Matrix from pixels of an image to unit coordinates."""
    rows, columns = shape
    return np.array(
        [[1 / unit, 0, -(rows - 1) / 2 / unit], [0, 1 / unit, -(columns - 1) / 2 / unit], [0, 0, 1]]
    )


def noise_of_slopes() -> float:
    """Variance of the finest slopes per variance of white noise of the pixels."""
    slope, bell = gaussian_taps(SLOPE_SIGMA, 1), gaussian_taps(SLOPE_SIGMA)
    return float((slope @ slope) * (bell @ bell))


def _reach(smoothing: float) -> int:
    return len(gaussian_taps(smoothing)) // 2


def _grid(level: Level, shape: tuple[int, int], unit: float) -> FloatArray:
    steps = [each for each in zip(level.step, level.offset, shape, strict=True)]
    return np.array(
        [
            value / unit
            for step, offset, length in steps
            for value in (offset - (length - 1) / 2, step)
        ]
    )


def _pyramid(
    planes: Planes, mean: FloatArray, spread: FloatArray, smoothing: float, count: int
) -> tuple[Level, ...]:
    centred = (planes.values - mean[:, None, None]) / spread[:, None, None]
    whole, usable = filled(centred.astype(np.float32), planes.usable)
    whole = smooth(np.ascontiguousarray(whole), smoothing)
    return pyramid(whole, valid=usable, smallest=_LEAST_PIXELS // 2, levels=count)
