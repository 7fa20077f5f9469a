"""Rank filters: median, percentiles, least and greatest value of a window, with missing pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.rows import kernel_dtype
from napari_framewise.numerics.rank.extremes import extreme
from napari_framewise.numerics.rank.footprint import Shape, runs_of
from napari_framewise.numerics.rank.histograms import box_statistics
from napari_framewise.numerics.rank.levels import level_statistics
from napari_framewise.numerics.rank.ordered import order_statistics

# So that the pixels of one column do not all fall to one place of the processor's cache.
_APART = 16
# Largest side at which a histogram of the window is less work than those of its columns.
_BY_WINDOW = 31


def median_filter(
    frames: ArrayLike,
    sides: Sequence[int],
    shape: Shape = "box",
    mask: ArrayLike | None = None,
) -> NDArray[Any]:
    """Median of the pixels with data in a window around each pixel.

    Bit for bit `numpy.nanmedian` of the window: of an even number of pixels the mean of the two in
    the middle. Parameters, result and errors as of `percentile_filter`.

    Examples
    --------
    >>> median_filter(np.array([[[3.0, np.nan, 2.0, 9.0]]]), (1, 3)).tolist()
    [[[3.0, 2.5, 5.5, 5.5]]]
    """
    return _filtered(frames, sides, shape, mask, 50.0, True)


def percentile_filter(
    frames: ArrayLike,
    percentile: float,
    sides: Sequence[int],
    shape: Shape = "box",
    mask: ArrayLike | None = None,
) -> NDArray[Any]:
    """A percentile of the pixels with data in a window around each pixel.

    Bit for bit `numpy.nanpercentile` of the window, with linear interpolation between two ranks:
    0 gives the least value, 100 the greatest.

    Parameters
    ----------
    frames : (n, y, x) or (n, z, y, x)
        Any real dtype; NaN is no data. Infinite values are the least and greatest there are; what
        is interpolated between one and a finite value is infinite or NaN, as NumPy has it.
    percentile : float
        From 0 to 100.
    sides : sequence of int
        Odd sides of the window in pixels, one for each axis of a frame; a window may be larger than
        the frame. Beyond the border there are no data.
    shape : {"box", "disc"}
        A disc holds the pixels at most ``(side - 1) / 2`` from its middle.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.

    Returns
    -------
    (n, *grid) float
        float32 for float16 and float32, else float64; NaN where a window holds no data. A pixel
        without data gets a value from those around it.

    Raises
    ------
    ValueError
        Where percentile, sides or mask do not fit.

    Notes
    -----
    All pixels of a frame are replaced by their ranks, and the ranks in the window kept as a table
    of bits that is changed by one pixel for each row of the window as it moves on (Huang, Yang and
    Tang 1979, *IEEE Trans. ASSP* 27, 13-18, on ranks instead of grey levels): exact for any
    numbers, at a cost that grows with the window's side. 8-bit frames take a histogram of the
    window, those with large boxes histograms of the columns (Perreault and Hebert 2007, *IEEE
    Trans. Image Processing* 16, 2389-2394) at one cost for any box; least and greatest value of
    boxes are found axis after axis.

    Examples
    --------
    >>> percentile_filter(np.array([[[3, 1, 2, 9]]]), 25, (1, 3)).tolist()
    [[[1.5, 1.5, 1.5, 3.75]]]
    """
    if not 0 <= percentile <= 100:
        raise ValueError(f"The percentile {percentile:g} was given; one from 0 to 100 is needed.")
    return _filtered(frames, sides, shape, mask, float(percentile), False)


def _filtered(
    frames: ArrayLike,
    sides: Sequence[int],
    shape: Shape,
    mask: ArrayLike | None,
    percentile: float,
    halves: bool,
) -> NDArray[Any]:
    values = np.asarray(frames)
    values = np.ascontiguousarray(values.astype(kernel_dtype(values.dtype), copy=False))
    if values.ndim not in (3, 4) or values.ndim != len(sides) + 1:
        raise ValueError(
            f"The window has {len(sides)} sides, but the frames have the shape {values.shape}; "
            "frames (n, y, x) or (n, z, y, x) and a side for each axis are needed."
        )
    grid = values.shape[1:]
    if values.size == 0:
        return np.empty(values.shape, _result_type(values.dtype))
    runs = runs_of(sides, shape, grid)
    valid = _valid(values, mask)
    if shape == "box" and percentile in (0.0, 100.0):
        return extreme(values, valid, sides, percentile == 0.0)
    volumes = values.reshape(len(values), *(1,) * (4 - values.ndim), *grid)
    most = int(min(np.sum(2 * runs[:, 2] + 1), volumes[0].size))
    places = _places(percentile, most, _result_type(values.dtype))
    out = np.empty(volumes.shape, _result_type(values.dtype))
    width = volumes.shape[-1]
    narrow = values.dtype == np.uint8
    if narrow and (shape == "disc" or len(runs) <= _BY_WINDOW):
        levels = np.full((*volumes.shape[:-1], width + _APART), 256, np.uint16)
        levels[..., :width] = volumes
        if valid is not None:
            levels[..., :width][~valid.reshape(volumes.shape)] = 256
        level_statistics(levels, width, runs, *places, halves, out)
    elif narrow:
        reaches = np.array([side // 2 for side in sides], np.int64)
        reaches = np.minimum(np.pad(reaches, (3 - len(sides), 0)), volumes.shape[1:])
        use = np.empty((1, *volumes.shape[1:3], 0), np.uint8)
        if valid is not None:
            use = valid.view(np.uint8).reshape(volumes.shape)
        # Half the room in the cache where 16 bits count the pixels of a box.
        counter = np.uint16 if most < 2**16 else np.int32
        room = [np.empty(size, counter) for size in ((16, width, 16), (1, width, 16), (17, 16))]
        box_statistics(volumes, use, reaches, *places, halves, *room, out)
    else:
        ranks, ordered, known = _ranked(volumes, valid)
        order_statistics(ranks, width, ordered.astype(out.dtype), known, runs, *places, halves, out)
    return out.reshape(values.shape)


def _result_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32 if dtype == np.float32 else np.float64)


def _valid(values: NDArray[Any], mask: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Pixels with data; None where all have."""
    valid = None
    if values.dtype.kind == "f":
        known = values == values
        valid = None if known.all() else known
    if mask is None:
        return valid
    given = np.asarray(mask)
    if given.shape[1:] != values.shape[1:] or len(given) not in (1, len(values)):
        raise ValueError(
            f"The mask has the shape {given.shape}, but the frames have {values.shape}; one mask "
            "for all frames, (1, ...), or one for each is needed."
        )
    use = (given != 0) & (given == given)
    return np.ascontiguousarray(
        np.broadcast_to(use if valid is None else use & valid, values.shape)
    )


def _ranked(
    volumes: NDArray[Any], valid: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int32], NDArray[Any], NDArray[np.int64]]:
    """Ranks in rows with a gap behind, values by rank, and how many of them are data."""
    count, (depth, height, width) = len(volumes), volumes.shape[1:]
    flat = volumes.reshape(count, -1)
    known = np.full(count, flat.shape[1], np.int64)
    order = np.argsort(flat, axis=1, kind="stable" if flat.dtype.itemsize <= 2 else None)
    if valid is not None:
        use = valid.reshape(count, -1)
        known = use.sum(axis=1)
        missing = ~np.take_along_axis(use, order, axis=1)
        behind = np.argsort(missing, axis=1, kind="stable")
        order = np.take_along_axis(order, behind, axis=1)
    ranks = np.zeros((count, depth * height, width + _APART), np.int32)
    row, column = np.divmod(order, width)
    places = row * (width + _APART) + column
    numbers = np.broadcast_to(np.arange(flat.shape[1], dtype=np.int32), flat.shape)
    np.put_along_axis(ranks.reshape(count, -1), places, numbers, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    return ranks.reshape(count, depth, height, -1), ordered, known


def _places(
    percentile: float, most: int, dtype: np.dtype[Any]
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]:
    """For windows of 0, 1, 2 ... pixels the lower of two ranks, and the shares of the upper."""
    place = np.maximum(np.arange(most + 1) - 1, 0) * (percentile / 100)
    lower = np.floor(place)
    share = place - lower
    return lower.astype(np.int64), share.astype(dtype), (1 - share).astype(dtype)
