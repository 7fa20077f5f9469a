"""Normalise frames: to a range, to a mean of one, or to mean 0 and standard deviation 1.

Every method is ``y = (x - offset) * gain + base``, with an offset and a gain for every frame, every
channel of a frame, or the whole stack; see `Levels` for what they follow from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_framewise.numerics.common.rows import Rows, as_rows, part_of_mask
from napari_framewise.numerics.normalise.kernels import (
    integer_extremes,
    min_max_rows,
    real_extremes,
    row_percentiles,
)
from napari_framewise.numerics.normalise.words import clipped_status, diagnostics
from napari_framewise.numerics.scaling import (
    Scaling,
    Status,
    check_place,
    scale,
    scale_rows,
    unscale,
)
from napari_framewise.numerics.statistics import Moments, Pooled, moments_of

FloatArray = NDArray[np.float64]
Method = Literal["min_max", "maximum", "percentiles", "dtype_range", "mean", "z_score"]

# Bytes of frames that are measured and then scaled while they are in the cache.
_PIECE_BYTES = 2**20


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


@dataclass(frozen=True)
class Normalised:
    """Normalised frames, with how they came about.

    Attributes
    ----------
    frames : ndarray
        The result, of the shape of what was given.
    scaling : Scaling
        Offset and gain of each frame and channel; `unscale` undoes them.
    status : (n, C) uint8
        Bits of `Status`.
    clipped : (n, C) int64
        Pixels that were clipped.
    """

    frames: NDArray[Any]
    scaling: Scaling
    status: NDArray[np.uint8]
    clipped: NDArray[np.int64]


def normalise(
    frames: ArrayLike,
    method: Method = "min_max",
    *,
    percentiles: tuple[float, float] = (0.1, 99.9),
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    dtype: DTypeLike = np.float32,
    range: tuple[float, float] | None = None,  # noqa: A002
    clip: bool = False,
    out: NDArray[Any] | None = None,
) -> Normalised:
    """Normalise each frame, or each channel of each frame, by itself.

    Parameters
    ----------
    frames : (n, *frame_shape)
        Any real dtype. NaN and infinite pixels take no part in the levels; NaN stays NaN in float
        results and becomes the low end in integers, infinities stay or are clipped.
    method : str
        "min_max", "maximum", "percentiles" (exact), "dtype_range", "mean" or "z_score"; see
        `Levels`.
    percentiles : (low, high)
        0 to 100, of that method.
    channel_axis : int, optional
        Axis of `frames` with the channels, each by itself; None: all together.
    mask : array_like, optional
        Pixels that levels are taken from, non-zero = use; all pixels are scaled. Of a frame's
        shape, or one image for each frame.
    dtype : dtype
        Of the result where no `out` is given.
    range : (low, high), optional
        What levels become: by default 0 and 1, or the whole range of an integer result.
    clip : bool
        Clip float results to the range as well; integers always are.
    out : ndarray, optional
        Where the result goes, without temporaries of its size; it may be `frames` itself.

    Returns
    -------
    Normalised
        A constant frame, one without a positive maximum or mean, or one whose percentiles
        coincide, is flat: its pixels become the low end of the range (0 by z-score).

    Raises
    ------
    ValueError
        Where an argument does not fit: says which.

    Examples
    --------
    >>> normalise(np.array([[2, 4, 6]], np.uint8)).frames.tolist()
    [[0.0, 0.5, 1.0]]
    """
    block = np.asarray(frames)
    result = np.empty(block.shape, dtype) if out is None else out
    check_place(result, block.shape)
    ends, limits = result_range(method, result.dtype, range, clip=clip)
    if method == "min_max" and mask is None and limits is None and ends == (0.0, 1.0):
        rows = as_rows(block, channel_axis)
        place = rows.like(result)
        if place is not None and _at_once(rows, place):
            return _min_max(rows, result, place)
    step = max(1, _PIECE_BYTES // max(1, block.nbytes // max(1, len(block))))
    pieces = []
    # An empty block still says how many channels there are.
    for first in np.arange(0, max(1, len(block)), step):
        here = slice(first, first + step)
        rows = as_rows(block[here], channel_axis)
        use = part_of_mask(mask, block.shape, channel_axis, here)
        levels = levels_of(rows, method, percentiles=percentiles, mask=use)
        made = scaling_of(levels, ends)
        within = method == "min_max" and mask is None and rows.values.dtype.kind in "ui"
        _, clipped = scale_rows(rows, made, limits=limits, out=result[here], within=within)
        pieces.append((made.offset, made.gain, levels.status | clipped_status(clipped), clipped))
    offset, gain, status, clipped = (np.concatenate(each) for each in zip(*pieces, strict=True))
    return Normalised(result, Scaling(offset, gain, ends[0]), status, clipped)


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
        start[None], span[None], _status(pooled.count[None], pooled.count[None], span[None])
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
        count, found = np.zeros(shape, np.int64), np.zeros((*shape, 2))
        fractions = _fractions(percentiles)
        smallest = int(np.iinfo(values.dtype).min) if narrow else 0
        row_percentiles(values, use, rows.period, fractions, narrow, smallest, count, found)
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
    return Levels(start, span, _status(count, rows.in_use(use), span))


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


def result_range(
    method: Method,
    dtype: DTypeLike,
    given: tuple[float, float] | None = None,
    *,
    clip: bool = False,
) -> tuple[tuple[float, float], tuple[float, float] | None]:
    """What the two levels become, and what results are clipped to, if at all.

    Raises
    ------
    ValueError
        Where the range is empty or does not fit into the type, or the method has no range.

    Examples
    --------
    >>> result_range("min_max", np.uint8)[0]
    (0.0, 255.0)
    """
    known = np.dtype(dtype)
    whole = known.kind in "ui"
    if method in ("mean", "z_score"):
        if whole or given is not None or clip:
            wish = f"a result of type {known}" if whole else "a range" if given else "clipping"
            raise ValueError(
                f"The method {method} gives numbers around {1 if method == 'mean' else 0} without "
                f"ends, but {wish} was asked for; choose float32 or float64 without a range, or "
                "another method."
            )
        return (0.0, 1.0), None
    info = np.iinfo(known) if whole else None
    low, high = given or ((info.min, info.max) if info else (0.0, 1.0))
    if not np.isfinite([low, high]).all() or not low < high:
        raise ValueError(f"The range {low:g} to {high:g} is empty; its low end must come first.")
    if info and not info.min <= low < high <= info.max:
        raise ValueError(
            f"The range {low:g} to {high:g} does not fit into {known}, which holds {info.min} to "
            f"{info.max}."
        )
    ends = (float(low), float(high))
    return ends, ends if whole or clip else None


def warm_up(
    dtype: DTypeLike = "uint16", method: Method = "min_max", result: DTypeLike = "f4"
) -> None:
    """Compile or load the kernels that frames of a type need (1-3 s the first time)."""
    normalise(np.ones((1, 2, 2), dtype), method, dtype=result)


def _at_once(rows: Rows, place: NDArray[Any]) -> bool:
    """Whether the kernel that measures and scales in one go serves."""
    dtype = rows.values.dtype
    narrow = dtype.kind in "ui" and dtype.itemsize <= 2
    return narrow and place.dtype == np.float32 and rows.period == 1 and place.size > 0


def _min_max(rows: Rows, result: NDArray[Any], place: NDArray[Any]) -> Normalised:
    count = len(rows.values)
    low, gain, status = np.empty(count), np.empty(count), np.empty(count, np.uint8)
    min_max_rows(rows.values, int(Status.FLAT), low, gain, status, place)
    offset, gain = rows.per_channel(low), rows.per_channel(gain)
    clipped = np.zeros(offset.shape, np.int64)
    return Normalised(result, Scaling(offset, gain), rows.per_channel(status), clipped)


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
    return Levels(start, span, _status(found.count, found.in_use, span))


def _dtype_levels(dtype: np.dtype[Any], shape: tuple[int, int]) -> Levels:
    if dtype.kind not in "ui":
        raise ValueError(
            f"The frames are {dtype}, which has no range of its own; choose min_max or percentiles."
        )
    info = np.iinfo(dtype)
    span = float(info.max) - float(info.min)
    return Levels(np.full(shape, float(info.min)), np.full(shape, span), np.zeros(shape, np.uint8))


def _status(count: Any, in_use: Any, span: FloatArray) -> NDArray[np.uint8]:
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


__all__ = [
    "Levels",
    "Method",
    "Normalised",
    "Scaling",
    "Status",
    "clipped_status",
    "diagnostics",
    "levels",
    "levels_of_stack",
    "normalise",
    "result_range",
    "scale",
    "scaling_of",
    "unscale",
    "warm_up",
]
