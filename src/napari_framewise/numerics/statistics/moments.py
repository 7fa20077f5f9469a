"""Moments of every image and channel, and their union over all images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.rows import Rows, as_rows
from napari_framewise.numerics.statistics import kernels

FloatArray = NDArray[np.float64]
Weights = Literal["pixels", "images"]

# Values whose squares, and sums of them, are far from the ends of float64.
_LARGEST, _SMALLEST = 1e140, 1e-140


@dataclass(frozen=True)
class Moments:
    """Moments of ``n`` images and ``C`` channels; pixels without data take no part.

    Attributes
    ----------
    count : (n, C) int64
        Pixels with data: finite, and inside the mask.
    in_use : (n, C) int64
        Pixels inside the mask, finite or not.
    mean : (n, C) float64
        Their mean; NaN without any.
    rest : (n, C) float64
        What rounding has left of it: the mean is ``mean + rest``.
    scatter : (n, C) float64
        Sum of squared deviations from it, over the square of `unit`; 0 without any.
    minimum, maximum : (n, C) float64
        Smallest and largest; NaN without any. Integers above 2^53 are rounded.
    total, squares : (n, C) int64, optional
        Exact sums of values and their squares, of integers of up to 16 bits.
    unit : (n, C) float64, optional
        Power of two that keeps squares within float64; None: 1.
    """

    count: NDArray[np.int64]
    in_use: NDArray[np.int64]
    mean: FloatArray
    rest: FloatArray
    scatter: FloatArray
    minimum: FloatArray
    maximum: FloatArray
    total: NDArray[np.int64] | None = None
    squares: NDArray[np.int64] | None = None
    unit: FloatArray | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.count)

    def std(self, ddof: int = 0) -> FloatArray:
        """Standard deviation of each image and channel; NaN with `ddof` pixels or fewer."""
        free = self.count - ddof
        spread = np.sqrt(self.scatter / np.where(free > 0, free, np.nan))
        return spread if self.unit is None else spread * self.unit


def moments(
    frames: ArrayLike, *, channel_axis: int | None = None, mask: ArrayLike | None = None
) -> Moments:
    """Count, mean, scatter, minimum and maximum of each image and channel.

    Integers of up to 16 bits are summed exactly. Wider ones and floats are summed in float64 by
    pieces of 4,096 elements, each about its own mean, which are united by Chan's update; the
    result of an image does not depend on the block that it came in.

    Parameters
    ----------
    frames : (n, *frame_shape)
        Images of one size, any real dtype; a single one is frame[None]. NaN and infinite pixels
        are no data.
    channel_axis : int, optional
        Axis of `frames` with the channels; None: one channel.
    mask : array_like, optional
        Non-zero = use this pixel; of a frame's shape (without channels will do), or one each.

    Returns
    -------
    Moments
        Of (n, C).

    Raises
    ------
    ValueError
        Where the numbers are not real or the mask does not fit.

    References
    ----------
    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983), The American Statistician 37, 242-247,
    eq. 2.1.

    Examples
    --------
    >>> found = moments(np.array([[1, 2, 3, 6]], np.uint8))
    >>> found.mean.tolist(), found.maximum.tolist()
    ([[3.0]], [[6.0]])
    """
    return moments_of(as_rows(frames, channel_axis), mask)


def moments_of(rows: Rows, mask: ArrayLike | None = None) -> Moments:
    """Moments of a block that is in rows already.

    Examples
    --------
    >>> from napari_framewise.numerics.common.rows import as_rows
    >>> moments_of(as_rows(np.array([[1.0, 3.0]]))).mean.tolist()
    [[2.0]]
    """
    use = rows.mask_rows(mask)
    values, shape = rows.values, (len(rows.values), rows.period)
    count = np.zeros(shape, np.int64)
    width = rows.lanes(192)
    if values.dtype.kind in "ui" and values.dtype.itemsize <= 2:
        limits = np.iinfo(values.dtype)
        low, high = (np.full(shape, each, values.dtype) for each in (limits.min, limits.max))
        total, squares = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        if rows.period == 1:
            kernels.integer_sums(values, use, count, total, squares, low, high)
        else:
            wide = np.int32 if values.dtype.itemsize == 1 else np.int64
            lanes = np.empty(width, np.int32), np.empty(width, wide)
            kernels.integer_lane_sums(values, use, *lanes, count, total, squares, low, high)
        mean, rest, scatter = _centred(count, total, squares)
        sums: dict[str, Any] = {
            "total": rows.per_channel(total),
            "squares": rows.per_channel(squares),
        }
    else:
        real, unit = _real_moments(values, use, width, count)
        mean, rest, scatter, low, high = real
        sums = {} if unit is None else {"unit": rows.per_channel(unit)}
    none = count == 0
    found = [np.where(none, np.nan, each) for each in (mean, low, high)]
    mean, low, high = map(rows.per_channel, found)
    return Moments(
        rows.per_channel(count),
        rows.in_use(use),
        mean,
        rows.per_channel(rest),
        rows.per_channel(scatter),
        low,
        high,
        **sums,
    )


def join_moments(parts: Sequence[Moments]) -> Moments:
    """Moments of consecutive blocks as one, in the order given.

    Raises
    ------
    ValueError
        Where there is nothing to join.

    Examples
    --------
    >>> blocks = [moments(np.array([[1.0, 3.0]])), moments(np.array([[5.0, 7.0]]))]
    >>> join_moments(blocks).mean.tolist()
    [[2.0], [6.0]]
    """
    if not parts:
        raise ValueError("No moments were given; at least one block is needed.")
    exact = all(part.total is not None for part in parts)
    names = ["count", "in_use", "mean", "rest", "scatter", "minimum", "maximum"]
    names += ["total", "squares"] if exact else []
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
    if any(part.unit is not None for part in parts):
        units = [np.ones(p.count.shape) if p.unit is None else p.unit for p in parts]
        joined["unit"] = np.concatenate(units)
    return Moments(**joined)


@dataclass(frozen=True)
class Pooled:
    """Statistics of each channel over all images.

    Attributes
    ----------
    images : (C,) int64
        Images with at least one pixel of data in the channel.
    count : (C,) int64
        Pixels in use.
    mean, variance, std : (C,) float64
        Of all pixels: ``variance = within + between``, with the number of pixels as divisor.
    within : (C,) float64
        Mean of the images' variances.
    between : (C,) float64
        Variance of the images' means.
    minimum, maximum : (C,) float64
        Smallest and largest value.
    mean_of_stds : (C,) float64
        What averaging the images' standard deviations gives; it leaves out `between`.
    between_share : (C,) float64
        ``between / variance``; NaN where nothing varies.
    """

    images: NDArray[np.int64]
    count: NDArray[np.int64]
    mean: FloatArray
    variance: FloatArray
    std: FloatArray
    within: FloatArray
    between: FloatArray
    minimum: FloatArray
    maximum: FloatArray
    mean_of_stds: FloatArray
    between_share: FloatArray


def pool(parts: Moments, weights: Weights = "pixels") -> Pooled:
    """Unite the moments of all images.

    With ``w_i = count_i / sum(count)``, or ``w_i = 1 / images`` by images:
    ``mean = sum w_i mean_i``, ``within = sum w_i var_i``, ``between = sum w_i (mean_i - mean)^2``.
    Sums are exactly rounded, so the order of the images does not matter; by pixels, integers of up
    to 16 bits give the correctly rounded mean and variance.

    Parameters
    ----------
    parts : Moments
        Of all images.
    weights : {"pixels", "images"}
        Equal weights for all pixels, or for all images whatever their size.

    Examples
    --------
    >>> whole = pool(moments(np.array([[1.0, 3.0], [5.0, 7.0]])))
    >>> whole.mean.tolist()
    [4.0]
    """
    columns = [_pooled_channel(parts, channel, weights) for channel in range(parts.count.shape[1])]
    joined = [np.array(each) for each in zip(*columns, strict=True)]
    if not columns:
        joined = [np.zeros(0)] * 11
    images, count, *rest = joined
    return Pooled(images.astype(np.int64), count.astype(np.int64), *rest)


def _pooled_channel(parts: Moments, channel: int, weights: Weights) -> tuple[float, ...]:
    known = parts.count[:, channel] > 0
    images = int(np.count_nonzero(known))
    if not images:
        return (0, 0, *[math.nan] * 9)
    count = parts.count[known, channel]
    means, scatter = parts.mean[known, channel], parts.scatter[known, channel]
    units = np.ones(images) if parts.unit is None else parts.unit[known, channel]
    unit = float(units.max())
    scatter = scatter * (units / unit) ** 2
    # About the first one, large means lose no digits.
    apart = (means / unit - means[0] / unit) + parts.rest[known, channel] / unit
    stds = np.sqrt(scatter / count)
    pixels = int(count.sum())
    if weights == "pixels":
        share, inside = count, scatter
        whole = pixels
    else:
        share, inside = np.ones(images), scatter / count
        whole = images
    middle = math.fsum(share * apart) / whole
    mean = float(means[0] + middle * unit)
    within = math.fsum(inside) / whole
    between = math.fsum(share * (apart - middle) ** 2) / whole
    variance = within + between
    if weights == "pixels" and parts.total is not None and parts.squares is not None:
        total = _exact_sum(parts.total[known, channel])
        squares = _exact_sum(parts.squares[known, channel])
        mean = float(Fraction(total, pixels))
        variance = float(Fraction(pixels * squares - total**2, pixels**2))
    return (
        images,
        pixels,
        mean,
        # squares of what is beyond 1e154 are infinite
        *(variance * unit * unit, math.sqrt(variance) * unit),
        *(within * unit * unit, between * unit * unit),
        float(parts.minimum[known, channel].min()),
        float(parts.maximum[known, channel].max()),
        math.fsum(stds) / images * unit,
        between / variance if variance > 0 else math.nan,
    )


def _real_moments(
    values: NDArray[Any], use: NDArray[np.uint8], width: int, count: NDArray[np.int64]
) -> tuple[list[FloatArray], FloatArray | None]:
    """Mean, rest, scatter, minimum and maximum of rows, and the unit of those out of range."""
    found = [np.zeros(count.shape) for _ in range(5)]
    kernels.real_moments(values, use, width, count, *found)
    if values.dtype.itemsize <= 4:
        return found, None
    _, _, scatter, low, high = found
    known = count > 0
    largest = np.maximum(np.abs(low), np.abs(high), out=np.ones(count.shape), where=known)
    spread = np.where(known & (low < high), largest, 1.0)
    beyond = ~np.isfinite(scatter) | (spread > _LARGEST) | (spread < _SMALLEST)
    rows = np.flatnonzero(beyond.any(axis=1))
    if not len(rows):
        return found, None
    unit = np.ones(count.shape)
    # one unit for a row whose channels alternate
    unit[rows] = np.exp2(np.frexp(spread[rows].max(axis=1, keepdims=True))[1] - 1.0)
    again = [np.zeros((len(rows), count.shape[1])) for _ in range(5)]
    counts = np.zeros((len(rows), count.shape[1]), np.int64)
    masks = use[rows % len(use)]
    scaled = np.ascontiguousarray(values[rows] / unit[rows, :1])
    kernels.real_moments(scaled, masks, width, counts, *again)
    for name, (all_rows, some) in enumerate(zip(found, again, strict=True)):
        # all but the scatter are in units of the data
        all_rows[rows] = some if name == 2 else some * unit[rows]
    return found, unit


def _exact_sum(values: NDArray[np.int64]) -> int:
    """Sum of many int64 as a Python integer, in two halves that can't overflow."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def _centred(
    count: NDArray[np.int64], total: NDArray[np.int64], squares: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, what its rounding leaves, and scatter from exact sums.

    Sums are moved to the integer next to the mean first, which is exact, so nothing cancels.
    """
    some = np.maximum(count, 1)
    centre = np.rint(total / some).astype(np.int64)
    left = total - count * centre
    around = squares - centre * (2 * total - count * centre)
    step = left / some
    mean = centre + step
    return mean, (centre - mean) + step, around - left * step


__all__ = ["Moments", "Pooled", "Weights", "join_moments", "moments", "moments_of", "pool"]
