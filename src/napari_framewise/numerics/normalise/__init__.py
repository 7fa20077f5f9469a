"""Normalise frames: to a range, to a mean of one, or to mean 0 and standard deviation 1.

Every method is ``y = (x - offset) * gain + base``, with an offset and a gain for every frame, every
channel of a frame, or the whole stack; see `Levels` for what they follow from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_framewise.numerics.common.rows import Rows, as_rows, part_of_mask
from napari_framewise.numerics.normalise.kernels import min_max_bytes, min_max_rows
from napari_framewise.numerics.normalise.levels import (
    Levels,
    Method,
    levels,
    levels_of,
    levels_of_stack,
    scaling_of,
    status_of,
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

FloatArray = NDArray[np.float64]

# Bytes of frames that are measured and then scaled: what is done once for all of them costs as
# much as reading 300 kB, and processors share third-level caches of this size.
_PIECE_BYTES = 2**23


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
    at_once = None
    if method == "min_max" and mask is None:
        at_once = _at_once(block, result.dtype, ends, limits)
    if at_once is not None:
        rows = as_rows(block, channel_axis)
        place = rows.like(result)
        if place is not None and rows.period == 1:
            return at_once(rows, result, place)
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


_AtOnce = Callable[[Rows, NDArray[Any], NDArray[Any]], Normalised]


def _at_once(
    block: NDArray[Any],
    dtype: np.dtype[Any],
    ends: tuple[float, float],
    limits: tuple[float, float] | None,
) -> _AtOnce | None:
    """What measures and scales in one go, where there is a kernel for it."""
    if block.dtype.kind not in "ui" or block.dtype.itemsize > 2 or not block.size:
        return None
    if dtype == np.float32:
        return _min_max if limits is None and ends == (0.0, 1.0) else None
    if dtype.kind not in "ui" or dtype.itemsize > 1:
        return None
    info = np.iinfo(dtype)
    return _min_max_whole if ends == (info.min, info.max) else None


def _min_max_whole(rows: Rows, result: NDArray[Any], place: NDArray[Any]) -> Normalised:
    shape, base = (len(rows.values), 1), int(np.iinfo(place.dtype).min)
    low, high = np.empty(shape), np.empty(shape)
    min_max_bytes(rows.values, 255, np.int32(base), low, high, place)
    start, span = rows.per_channel(low), rows.per_channel(high - low)
    full = np.full(start.shape, rows.values.shape[1])
    found = Levels(start, span, status_of(full, full, span))
    made = scaling_of(found, (base, base + 255.0))
    return Normalised(result, made, found.status, np.zeros(start.shape, np.int64))


def _min_max(rows: Rows, result: NDArray[Any], place: NDArray[Any]) -> Normalised:
    count = len(rows.values)
    low, gain, status = np.empty(count), np.empty(count), np.empty(count, np.uint8)
    min_max_rows(rows.values, int(Status.FLAT), low, gain, status, place)
    offset, gain = rows.per_channel(low), rows.per_channel(gain)
    clipped = np.zeros(offset.shape, np.int64)
    return Normalised(result, Scaling(offset, gain), rows.per_channel(status), clipped)


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
