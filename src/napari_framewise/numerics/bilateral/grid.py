"""The sum by way of a coarse grid of space and range."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.bilateral.cells import read_off, splat
from napari_framewise.numerics.bilateral.frames import Frame
from napari_framewise.numerics.bilateral.window import REACH, radius, volume_sigma

RANGE_REACH = 4.5
"""Standard deviations of range at which the grid's weights end."""
# Of two linear interpolations, into the grid and out of it: 1 / 6 of a cell^2 each.
_INTERPOLATION = 1 / 3
# Cells for a pixel that are held at once; what needs more is done in slabs of the range.
_CELLS, _FEWEST = 4, 2**16
_LEAST_SLAB = 32
_MOST_SPAN = 2**22


@dataclass(frozen=True, eq=False)
class Axis:
    """Cells along one axis of space.

    Attributes
    ----------
    cells, shares : (length,) int64, float64
        First cell of each pixel, and the share of the next.
    count : int
        Cells.
    corners : int
        1 where every pixel is a cell, else 2.
    taps : (2 reach + 1,) float64
        Blur along the axis, in cells.
    """

    cells: NDArray[np.int64]
    shares: NDArray[np.float64]
    count: int
    corners: int
    taps: NDArray[np.float64]


def axis_of(sigma: float, per_sigma: int, start: int, length: int) -> Axis:
    """Cells of pixels `start` to ``start + length``; they lie where they lie whatever the start.

    Where a cell would be smaller than a pixel each pixel is one, and nothing is interpolated.
    """
    size = sigma / per_sigma
    if size <= 1:
        places = np.arange(length)
        return Axis(places, np.zeros(length), length, 1, blur(sigma, 0.0, REACH))
    place = np.arange(start, start + length) / size
    cells = np.floor(place).astype(np.int64)
    first = int(cells[0])
    count = int(cells[-1]) - first + 2
    return Axis(cells - first, place - cells, count, 2, blur(per_sigma, _INTERPOLATION, REACH))


def blur(sigma: float, known: float, reach: float) -> NDArray[np.float64]:
    """Weights of a Gaussian whose variance lacks what is known to come from elsewhere."""
    side = math.ceil(reach * sigma)
    if radius(sigma) == 0:
        return np.ones(1)
    away = np.arange(-side, side + 1)
    return np.asarray(np.exp(-0.5 * away**2 / (sigma**2 - known)))


def grid_reach(sigma: Sequence[float], per_sigma: int) -> int:
    """How many pixels beyond its own place a pixel depends on."""
    return max(
        math.ceil(REACH * each)
        if each <= per_sigma
        else math.ceil((math.ceil(REACH * per_sigma) + 2) * each / per_sigma) + 1
        for each in sigma
    )


def grid_rows(
    frame: Frame,
    sigma: Sequence[float],
    range_sigma: float,
    rows: tuple[int, int],
    *,
    per_sigma: int,
    start: int = 0,
) -> NDArray[Any]:
    """Rows of a filtered frame, by a grid of ``sigma / per_sigma`` (Paris and Durand, 2009).

    Parameters
    ----------
    frame : Frame
        Its guide has one channel.
    sigma, range_sigma, rows
        As of `exact_rows`.
    per_sigma : int
        Cells in a standard deviation, of space and of range.
    start : int
        Row of the whole image that the first row of `frame` is.

    Returns
    -------
    (c, z, rows, x)
        NaN as of `exact_rows`.
    """
    channels, depth, height, width = frame.values.shape
    starts = (0, start, 0)
    axes = [
        axis_of(each, per_sigma, first, length)
        for each, first, length in zip(
            volume_sigma(sigma), starts, (depth, height, width), strict=True
        )
    ]
    with np.errstate(over="ignore"):
        position = np.clip(frame.guide[0] * np.float64(per_sigma / range_sigma), -1e15, 1e15)
    range_taps = blur(per_sigma, _INTERPOLATION, RANGE_REACH)
    side = range_taps.size // 2
    out = np.full((channels, depth, rows[1] - rows[0], width), np.nan, frame.values.dtype)
    cells = tuple(axis.cells for axis in axes)
    shares = tuple(axis.shares for axis in axes)
    corners = np.array([axis.corners for axis in axes])
    counts = [axis.count for axis in axes]
    limits, sums = np.array(rows), np.empty((2, width))
    most = max(_CELLS * frame.usable.size, _FEWEST) // math.prod(counts)
    bins = _occupied(position[frame.known])
    for first, last in _slabs(bins, max(_LEAST_SLAB, most - 2 * side)):
        low = max(first - side - 1, int(bins[0]))
        high = min(last + side + 1, int(bins[-1]) + 1)
        within = np.array([first, last])
        for values, place in zip(frame.values, out, strict=True):
            grid = np.zeros((*counts, high - low + 1, 2))
            splat(values, position, frame.usable, cells, shares, corners, low, grid)
            for number, taps in enumerate([*(axis.taps for axis in axes), range_taps]):
                if taps.size > 1:
                    grid = ndimage.correlate1d(grid, taps, axis=number, mode="constant")
            read_off(
                position,
                frame.known,
                cells,
                shares,
                corners,
                low,
                within,
                limits,
                grid,
                sums,
                place,
            )
    return out


def _occupied(position: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cells of range that hold pixels, in order."""
    whole = np.floor(position).astype(np.int64)
    if whole.size == 0:
        return whole
    first, last = int(whole.min()), int(whole.max())
    if last - first > _MOST_SPAN:
        return np.unique(whole)
    there = np.zeros(last - first + 1, bool)
    there[whole - first] = True
    return np.flatnonzero(there) + first


def _slabs(bins: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) cell of slabs that hold all `bins`, at most `most` cells each."""
    at = 0
    while at < bins.size:
        first = int(bins[at])
        after = int(np.searchsorted(bins, first + most))
        yield first, int(bins[after - 1]) + 1
        at = after
