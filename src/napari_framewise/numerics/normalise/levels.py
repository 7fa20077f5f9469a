"""Levels of frames, channels and whole stacks, and the scaling that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.rows import Rows, as_rows
from napari_framewise.numerics.normalise.kernels import (
    integer_extremes,
    narrow_percentiles,
    real_extremes,
    row_percentiles,
    sorted_percentiles,
)
from napari_framewise.numerics.normalise.networks import selection_network
from napari_framewise.numerics.scaling import Scaling, Status
from napari_framewise.numerics.statistics import Moments, Pooled, moments_of

FloatArray = NDArray[np.float64]
Method = Literal["min_max", "maximum", "percentiles", "dtype_range", "mean", "z_score"]

# Elements of rows that a network of comparators sorts.
_SHORT = 128


@dataclass(frozen=True)
class Levels:
    """The levels of a normalisation: `start` becomes 0 and ``start + span`` becomes 1 of the range.

    ========== =========== ======================
    method     start       span
    ========== =========== ======================
    min_max    minimum     maximum - minimum
    maximum    0           maximum
    percentiles P_low      P_high - P_low
    dtype_range least      most - least of the type
    mean       0           mean
    z_score    mean        standard deviation (n)
    ========== =========== ======================

    Attributes
    ----------
    start, span : (n, C) float64
        NaN where there is no pixel to go by.
    status : (n, C) uint8
        Bits of `Status`.
    """

    start: FloatArray
    span: FloatArray
    status: NDArray[np.uint8]


def levels(
    frames: ArrayLike,
    method: Method = "min_max",
    *,
    percentiles: tuple[float, float] = (0.1, 99.9),
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
) -> Levels:
    """Levels of each frame and channel, by which `normalise` scales; arguments as there.

    Examples
    --------
    >>> found = levels(np.array([[2.0, 4.0, 6.0]]))
    >>> scaling_of(found).offset.tolist(), scaling_of(found).gain.tolist()
    ([[2.0]], [[0.25]])
    """
    rows = as_rows(frames, channel_axis)
    return levels_of(rows, method, percentiles=percentiles, mask=mask)


def levels_of_stack(
    pooled: Pooled,
    method: Method,
    *,
    percentiles: FloatArray | None = None,
) -> Levels:
    """Levels of a whole stack, the same for all frames: (1, C).

    Parameters
    ----------
    pooled : Pooled
        Statistics of the stack.
    method : str
        As for `normalise`, but "dtype_range", which needs no pixels.
    percentiles : (2, C), optional
        Values of the two percentiles, of that method.

    Examples
    --------
    >>> from napari_framewise.numerics.statistics import moments, pool
    >>> whole = pool(moments(np.array([[0.0, 4.0], [2.0, 10.0]])))
    >>> scaling_of(levels_of_stack(whole, "min_max")).gain.tolist()
    [[0.1]]
    """
    none = np.zeros(0)
    low, high = (none, none) if percentiles is None else percentiles
    with np.errstate(over="ignore"):
        extent = pooled.maximum - pooled.minimum
    start, span = {
        "min_max": (pooled.minimum, extent),
        "maximum": (0 * pooled.maximum, pooled.maximum),
        "percentiles": (low, high - low),
        "mean": (0 * pooled.mean, pooled.mean),
        "z_score": (pooled.mean, np.where(pooled.minimum < pooled.maximum, pooled.std, 0.0)),
    }[method]
    return Levels(
        start[None], span[None], status_of(pooled.count[None], pooled.count[None], span[None])
    )


def levels_of(
    rows: Rows,
    method: Method,
    *,
    percentiles: tuple[float, float],
    mask: ArrayLike | None,
) -> Levels:
    """`levels` of a block that is in rows already."""
    values, shape = rows.values, (len(rows.values), rows.period)
    if method == "dtype_range":
        return _dtype_levels(values.dtype, (rows.n, rows.channels))
    use = rows.mask_rows(mask)
    narrow = values.dtype.kind in "ui" and values.dtype.itemsize <= 2
    if method == "percentiles":
        count, found = _percentiles(rows, use, _fractions(percentiles), narrow)
        start, span = found[:, :, 0], found[:, :, 1] - found[:, :, 0]
    elif method in ("min_max", "maximum") and not (narrow and rows.period > 1) and values.size:
        count, low, high = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
        if values.dtype.kind == "f" or rows.period > 1:
            real_extremes(values, use, rows.lanes(192), count, low, high)
        else:
            integer_extremes(values, use, count, low, high)
        with np.errstate(all="ignore"):
            start, span = (low, high - low) if method == "min_max" else (0 * high, high)
    else:
        return _moment_levels(moments_of(rows, mask), method)
    count, start, span = map(rows.per_channel, (count, start, span))
    none = count == 0
    start, span = np.where(none, np.nan, start), np.where(none, np.nan, span)
    return Levels(start, span, status_of(count, rows.in_use(use), span))


def scaling_of(levels: Levels, ends: tuple[float, float] = (0.0, 1.0)) -> Scaling:
    """Offset and gain that bring levels to the ends of a range.

    The top of the levels never gets beyond the top of the range, by rounding of the last bit.

    Examples
    --------
    >>> scaling_of(levels(np.array([[0.0, 5.0]])), (0.0, 100.0)).gain.tolist()
    [[20.0]]
    """
    width = ends[1] - ends[0]
    while ends[0] + width > ends[1]:
        width = float(np.nextafter(width, 0.0))
    with np.errstate(all="ignore"):
        gain = width / levels.span
        gain = np.where(levels.span * gain > width, np.nextafter(gain, 0), gain)
    flat, none = ((levels.status & each) > 0 for each in (Status.FLAT, Status.NO_DATA))
    gain = np.where(none, np.nan, np.where(flat, 0.0, gain))
    return Scaling(levels.start, gain, ends[0])


def _percentiles(
    rows: Rows, use: NDArray[np.uint8], fractions: FloatArray, narrow: bool
) -> tuple[NDArray[np.int64], FloatArray]:
    """Number of elements (rows, period) and their percentiles (rows, period, fractions)."""
    values, shape = rows.values, (len(rows.values), rows.period)
    size = values.shape[1]
    found = np.zeros((*shape, len(fractions)))
    if not narrow or rows.period > 1 or use.shape[1] or not values.size:
        count = np.zeros(shape, np.int64)
        smallest = int(np.iinfo(values.dtype).min) if narrow else 0
        row_percentiles(values, use, rows.period, fractions, narrow, smallest, count, found)
        return count, found
    if size > _SHORT:
        narrow_percentiles(values, fractions, found[:, 0])
    else:
        first = [int((size - 1) * each) for each in fractions]
        ranks = {min(rank + step, size - 1) for rank in first for step in (0, 1)}
        network = selection_network(size, tuple(sorted(ranks)))
        sorted_percentiles(values, network, fractions, found[:, 0])
    return np.full(shape, size, np.int64), found


def _moment_levels(found: Moments, method: Method) -> Levels:
    with np.errstate(over="ignore"):
        extent = found.maximum - found.minimum
    start, span = {
        "min_max": (found.minimum, extent),
        "maximum": (0 * found.maximum, found.maximum),
        "mean": (0 * found.mean, found.mean),
        # Rounding of the mean must not make a spread where there is none.
        "z_score": (found.mean, np.where(found.minimum < found.maximum, found.std(), 0.0)),
    }[method]
    return Levels(start, span, status_of(found.count, found.in_use, span))


def _dtype_levels(dtype: np.dtype[Any], shape: tuple[int, int]) -> Levels:
    if dtype.kind not in "ui":
        raise ValueError(
            f"The frames are {dtype}, which has no range of its own; choose min_max or percentiles."
        )
    info = np.iinfo(dtype)
    span = float(info.max) - float(info.min)
    return Levels(np.full(shape, float(info.min)), np.full(shape, span), np.zeros(shape, np.uint8))


def status_of(count: Any, in_use: Any, span: FloatArray) -> NDArray[np.uint8]:
    """`Status` of levels from so many finite elements of those in use.

    Examples
    --------
    >>> status_of(np.array([4]), np.array([4]), np.array([2.0])).tolist()
    [0]
    """
    with np.errstate(all="ignore"):
        usable = (span > 0) & np.isfinite(span) & np.isfinite(1 / span)
    status = np.where(count == 0, Status.NO_DATA, np.where(usable, 0, Status.FLAT))
    partial = (count > 0) & (count < in_use)
    return np.asarray(status | np.where(partial, Status.PARTIAL, 0), np.uint8)


def _fractions(percentiles: tuple[float, float]) -> FloatArray:
    low, high = percentiles
    if not 0 <= low < high <= 100:
        raise ValueError(
            f"The percentiles {low:g} and {high:g} were given; two from 0 to 100 are needed, the "
            "lower one first."
        )
    return np.array([low, high], np.float64) / 100
