"""Images as alignment takes them: pyramids in unit coordinates, with what may be used of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from napari_framewise.numerics.alignment.kernels import Held, Sampled
from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.derivatives import (
    eroded,
    gaussian_taps,
    gradient,
    gradient_radius,
    smooth,
)
from napari_framewise.numerics.impulses import without_impulses, without_lines
from napari_framewise.numerics.interpolation import spline
from napari_framewise.numerics.pyramid import Level, filled, pyramid

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
SMALLEST = 20
"""Shortest side of the coarsest level, in pixels."""
LEAST_PIXELS = 16
# Slopes smoothed a little: their noise falls, and so does what they share with the error of
# interpolation, which lies near the highest frequency.
SLOPE_SIGMA = 1.0
_COARSE_SIGMA = 0.5
# Pixels from the border whose slopes depend on what they themselves are.
_BORDER = 2
# Rows and columns that tell how slopes are correlated.
_WINDOW = 256
# Every so many rows are enough for what is said of an image as a whole.
_SAMPLED = 4
# Pixels between which correlated noise is looked for.
_APART = 5
# Lower quartile of the size of a standard normal variable.
_QUARTILE = 0.3186


@dataclass(frozen=True, eq=False)
class Planes:
    """An image as planes in double precision, with what is known of it.

    Attributes
    ----------
    values : (channels, y, x)
        Maybe with NaN.
    usable : (y, x) bool
        Finite in all channels, and under the mask.
    mean, spread : (channels,) float64
        Mean and standard deviation of the usable pixels; NaN where there are none.
    """

    values: NDArray[Any]
    usable: BoolArray
    mean: FloatArray
    spread: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.values.shape[1], self.values.shape[2])

    def brightness(self, per_channel: bool) -> tuple[FloatArray, FloatArray]:
        """What to subtract from and to divide each channel by."""
        mean, spread = self.mean.copy(), self.spread.copy()
        if not per_channel:
            mean[:], spread[:] = mean.mean(), np.sqrt((spread**2).mean() + mean.var())
        return mean, np.where(spread > 0, spread, 1.0)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to see: too few pixels, or all of one value."""
        return not (self.usable.sum() >= LEAST_PIXELS and self.spread.max() > 0)


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
    usable = np.ones(values.shape[1:], bool)
    if values.dtype.kind == "f":
        usable &= np.isfinite(values).all(axis=0)
    if mask is not None:
        chosen = np.asarray(mask)
        if chosen.shape != usable.shape:
            raise ValueError(
                f"The mask of the {what} has the shape {chosen.shape}; it must be that of the "
                f"image, {usable.shape}."
            )
        usable &= chosen != 0
    known = values.reshape(len(values), -1) if usable.all() else values[:, usable]
    nothing = np.full(len(values), np.nan)
    if known.shape[1] == 0:
        return Planes(values, usable, nothing, nothing)
    mean = known.mean(axis=1, dtype=np.float64)
    return Planes(values, usable, mean, known.std(axis=1, dtype=np.float64))


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
    stiffness : float
        By how much the true slopes exceed these, which are smoothed.
    noise : float
        Standard deviation of its noise.
    inner : (2, channels, y, x) float32
        Slopes that have nothing to do with the noise at their own pixel: 0 near the border, past
        which an image is carried on from its own pixels.
    slope_pixels : float
        Pixels that slopes are correlated over: what chance makes of two images' depends on it.
    """

    planes: NDArray[np.float32]
    weights: NDArray[np.float32]
    slopes: NDArray[np.float32]
    grid: FloatArray
    stiffness: float
    noise: float
    inner: NDArray[np.float32]
    slope_pixels: float

    @property
    def held(self) -> Held:
        """As kernels take it."""
        return Held(self.planes, self.weights, self.slopes, self.grid)


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
    soft : (channels, y, x) float32
        Planes smoothed as the finest slopes of a template are.
    """

    planes: NDArray[np.float32]
    cubic: bool
    usable: BoolArray
    limits: FloatArray
    grid: FloatArray
    soft: NDArray[np.float32]

    @property
    def sampled(self) -> Sampled:
        """As kernels take it."""
        return Sampled(self.planes, self.cubic, self.usable, self.limits, self.grid)


def fixed_levels(
    planes: Planes,
    mean: FloatArray,
    spread: FloatArray,
    smoothing: float,
    robust: bool,
    unit: float,
) -> tuple[tuple[Fixed, ...], tuple[Level, ...]]:
    """A template's levels, from the finest, and the pyramid they were made of."""
    levels = _pyramid(planes, mean, spread, smoothing, robust, levels_for(planes.shape))
    found = []
    for number, level in enumerate(levels):
        grid = _grid(level, planes.shape, unit)
        sigma = SLOPE_SIGMA if number == 0 else _COARSE_SIGMA
        slopes = gradient(level.planes, sigma)
        noise = _noise(level.planes, level.valid)
        stiffness = _stiffness(level.planes, slopes, noise) if number == 0 else 1.0
        slopes[0] /= np.float32(grid[1])
        slopes[1] /= np.float32(grid[3])
        usable = np.ones(level.shape, bool) if level.valid is None else level.valid
        reach = gradient_radius(sigma) + _reach(smoothing) if number == 0 else 1
        weights = eroded(usable, reach).astype(np.float32)
        inner = _inner(slopes, smoothing) if number == 0 else slopes
        told = slope_pixels(slopes) if number == 0 else 1.0
        found.append(Fixed(level.planes, weights, slopes, grid, stiffness, noise, inner, told))
    return tuple(found), levels


def moving_levels(
    planes: Planes,
    mean: FloatArray,
    spread: FloatArray,
    smoothing: float,
    robust: bool,
    unit: float,
    count: int,
) -> tuple[tuple[Moving, ...], tuple[Level, ...]]:
    """An image's levels, from the finest, and the pyramid they were made of."""
    levels = _pyramid(planes, mean, spread, smoothing, robust, count)
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
        soft = smooth(values, SLOPE_SIGMA) if cubic else values
        found.append(Moving(values, cubic, usable, limits, grid, soft))
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


def _stiffness(planes: NDArray[Any], slopes: NDArray[Any], noise: float) -> float:
    """Regression of central differences on the smoothed slopes, without what noise does to both."""
    slope, bell = gaussian_taps(SLOPE_SIGMA, 1), gaussian_taps(SLOPE_SIGMA)
    middle = len(bell) // 2
    shared = slope[middle + 1] * bell[middle]
    inner = slopes[..., 1:-1:_SAMPLED, 1:-1].astype(np.float64)
    down = planes[:, 2::_SAMPLED, 1:-1] - planes[:, :-2:_SAMPLED, 1:-1]
    right = planes[:, 1:-1:_SAMPLED, 2:] - planes[:, 1:-1:_SAMPLED, :-2]
    both = float((inner[0] * down).sum() + (inner[1] * right).sum()) / 2
    own = float((inner**2).sum())
    both -= inner.size * noise**2 * shared
    own -= inner.size * noise**2 * noise_of_slopes()
    return float(np.clip(both / own, 1.0, 2.0)) if own > 0 else 1.0


def _noise(planes: NDArray[np.float32], valid: BoolArray | None, lag: int = 1) -> float:
    """Standard deviation of noise, from what a 3 x 3 Laplacian sees (Immerkaer 1996).

    From the lower quartile of its size, where there is least texture. With a lag its pixels are so
    far from each other.
    """
    second = _second(planes.swapaxes(1, 2), lag).swapaxes(1, 2)[:, ::_SAMPLED]
    found = np.abs(_second(second, lag))
    if valid is not None:
        found = found[:, _nine(_nine(valid.T, lag).T[::_SAMPLED], lag)]
    return float(np.quantile(found, 0.25) / (_QUARTILE * 6)) if found.size else 0.0


def _second(rows: NDArray[np.float32], lag: int) -> NDArray[np.float32]:
    return rows[..., lag:-lag] * 2 - rows[..., : -2 * lag] - rows[..., 2 * lag :]


def _nine(valid: BoolArray, lag: int) -> BoolArray:
    """Where the three pixels of a second difference hold data."""
    return valid[:, lag:-lag] & valid[:, : -2 * lag] & valid[:, 2 * lag :]


def noise_left(
    planes: Planes, mean: FloatArray, spread: FloatArray, smoothing: float, robust: bool
) -> float:
    """Standard deviation that noise of a standardised image has after the smoothing.

    It is looked for between pixels so far apart that noise which is correlated over 1.5 pixels, as
    cameras and compression make it, is seen as well; finer texture is taken for noise with it.
    """
    whole, usable = standardised(planes, mean, spread, robust)
    if smoothing > 0:
        whole = ndimage.gaussian_filter(whole, (0, smoothing, smoothing))
    lag = min(_APART + round(3 * smoothing), (min(whole.shape[1:]) - 1) // 4)
    return _noise(whole, usable, max(lag, 1))


def slope_pixels(slopes: NDArray[np.float32]) -> float:
    """Sum of the squared correlations of slopes with themselves over distance (Bartlett 1946)."""
    middle = tuple(slice(max(0, n - _WINDOW) // 2, (n + _WINDOW) // 2) for n in slopes.shape[2:])
    part = slopes[:, 0, middle[0], middle[1]].astype(np.float64)
    power = np.abs(fft.rfft2(part, [fft.next_fast_len(2 * n) for n in part.shape[1:]])) ** 2
    found = fft.irfft2(power)
    totals = found[:, 0, 0]
    sums = (found**2).sum(axis=(1, 2)) / np.maximum(totals, 1e-300) ** 2
    return float(sums[totals > 0].min(initial=part[0].size))


def _inner(slopes: NDArray[np.float32], smoothing: float) -> NDArray[np.float32]:
    """Slopes without those near the borders that they lead across."""
    kept = slopes.copy()
    for axis, plane in enumerate(kept):
        border = min(_BORDER + round(2 * smoothing), plane.shape[axis + 1] // 4)
        along = np.moveaxis(plane, axis + 1, 0)
        along[:border], along[len(along) - border :] = 0, 0
    return kept


def _reach(smoothing: float) -> int:
    return len(gaussian_taps(smoothing)) // 2


def _grid(level: Level, shape: tuple[int, int], unit: float) -> FloatArray:
    steps = list(zip(level.step, level.offset, shape, strict=True))
    return np.array(
        [
            value / unit
            for step, offset, length in steps
            for value in (offset - (length - 1) / 2, step)
        ]
    )


def standardised(
    planes: Planes, mean: FloatArray, spread: FloatArray, robust: bool
) -> tuple[NDArray[np.float32], BoolArray | None]:
    """Planes of mean 0 and spread 1, finite everywhere, and where they held data; None everywhere.

    With `robust`, pixels that stand alone have their neighbours' median, and lines that the
    detector made the mean of those beside them.
    """
    given = planes.values
    exact = given.dtype.itemsize > (4 if given.dtype.kind == "f" else 2)
    kind = np.float64 if exact else np.float32
    centred = given.astype(kind) - mean[:, None, None].astype(kind)
    centred /= spread[:, None, None].astype(kind)
    whole, usable = filled(centred.astype(np.float32, copy=False), planes.usable)
    whole = without_impulses(without_lines(whole)) if robust else whole
    return np.ascontiguousarray(whole), usable


def _pyramid(
    planes: Planes, mean: FloatArray, spread: FloatArray, smoothing: float, robust: bool, count: int
) -> tuple[Level, ...]:
    whole, usable = standardised(planes, mean, spread, robust)
    whole = smooth(whole, smoothing)
    return pyramid(whole, valid=usable, smallest=LEAST_PIXELS // 2, levels=count)
