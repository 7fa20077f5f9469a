"""Which way is the faster one, and how near it comes to the sum itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.bilateral.filtering import bilateral_filter, reach
from napari_framewise.numerics.bilateral.frames import Frame, each_frame, result_type
from napari_framewise.numerics.bilateral.grid import RANGE_REACH
from napari_framewise.numerics.bilateral.window import REACH, radius, taps, volume_sigma

CELLS = (1, 2, 3, 4)
"""Cells in a standard deviation that are tried."""
# Of a part of the frame: pixels answered for along an axis, and most that are read for them.
_CORE, _MOST = 128, 1024
_PLACES, _FEWEST, _TERMS = 256, 32, 2**23
# Nanoseconds, measured on one processor: only their ratios matter.
_TAP, _JOINT_TAP, _PIXEL, _CELL_TAP = 0.8, (0.6, 0.3, 0.4), 60.0, 1.7


@dataclass(frozen=True)
class Accuracy:
    """How near a filtered frame comes to the sum itself, in double precision.

    Attributes
    ----------
    decibels : float
        ``20 log10(range / rms error)`` with the range of the values; infinite where nothing
        differs, NaN where there are no data.
    places : int
        Pixels that were compared.
    """

    decibels: float
    places: int


def accuracy_of(
    frames: NDArray[Any],
    sigma: Sequence[float],
    range_sigma: float,
    per_sigma: int | None,
    *,
    guide: NDArray[Any] | None = None,
    mask: NDArray[Any] | None = None,
    seed: int = 0,
) -> Accuracy:
    """Compare the filter with a direct sum over the same window, at random pixels.

    Parameters
    ----------
    frames, guide, mask
        One frame of what `bilateral_filter` takes; of a large one its middle is used.
    sigma, range_sigma, per_sigma
        As of `bilateral_filter`.
    seed : int
        Of the choice of pixels: up to 256, fewer of large windows.

    Examples
    --------
    >>> frame = np.random.default_rng(0).normal(size=(1, 64, 64, 1))
    >>> accuracy_of(frame, (2.0, 2.0), 0.5, None).decibels > 120
    True
    """
    part = [
        None if each is None else _middle(each, sigma, per_sigma) for each in (frames, guide, mask)
    ]
    (frame,) = each_frame(np.asarray(part[0], np.float64), part[1], part[2])
    places = np.argwhere(frame.usable)
    window = math.prod(
        min(2 * radius(each) + 1, length)
        for each, length in zip(volume_sigma(sigma), frame.usable.shape, strict=True)
    )
    count = min(len(places), max(_FEWEST, min(_PLACES, _TERMS // window)))
    if count == 0:
        return Accuracy(math.nan, 0)
    chosen = places[np.sort(np.random.default_rng(seed).permutation(len(places))[:count])]
    assert part[0] is not None
    filtered = bilateral_filter(
        part[0], sigma, range_sigma, guide=part[1], mask=part[2], per_sigma=per_sigma
    )
    filtered = filtered[0] if filtered.ndim == 5 else filtered[0][None]
    found = filtered[tuple(chosen.T)].astype(np.float64)
    error = found - direct_sum(frame, sigma, range_sigma, chosen)
    values = frame.values[:, frame.usable]
    span = float(np.max(values.max(axis=1) - values.min(axis=1)))
    # Divided first: squares of extreme units over- and underflow.
    rms = math.sqrt(float(np.mean((error / span) ** 2))) if span else 0.0
    return Accuracy(-20 * math.log10(rms) if rms else math.inf, count)


def direct_sum(
    frame: Frame, sigma: Sequence[float], range_sigma: float, places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The filter at some places (m, 3), term by term: (m, c)."""
    axes = volume_sigma(sigma)
    lengths = frame.usable.shape
    found = np.full((len(places), len(frame.values)), np.nan)
    weights = [taps(each, length - 1) for each, length in zip(axes, lengths, strict=True)]
    for number, place in enumerate(places):
        sides = [len(each) // 2 for each in weights]
        limits = [
            (max(0, at - side), min(length, at + side + 1))
            for at, side, length in zip(place, sides, lengths, strict=True)
        ]
        window = tuple(slice(*each) for each in limits)
        z, y, x = (
            each[first - at + side : last - at + side]
            for each, (first, last), at, side in zip(weights, limits, place, sides, strict=True)
        )
        space = z[:, None, None] * y[:, None] * x
        here = frame.guide[(slice(None), *place)][:, None, None, None]
        away = (frame.guide[(slice(None), *window)] - here) / range_sigma
        near = np.where(frame.usable[window], np.exp(-0.5 * (away**2).sum(axis=0)), 0.0)
        weight = (space * near).ravel()
        values = frame.values[(slice(None), *window)].reshape(len(frame.values), -1)
        if weight.any():
            found[number] = values @ weight / weight.sum()
    return found


def choose(
    frames: NDArray[Any],
    sigma: Sequence[float],
    range_sigma: float,
    accuracy: float,
    *,
    guide: NDArray[Any] | None = None,
    mask: NDArray[Any] | None = None,
    cells: Sequence[int] = CELLS,
    exact: bool = True,
) -> int | None:
    """The fastest way that is accurate enough.

    Times are those of a model, not of a clock, so that the same frames are always filtered alike.

    Parameters
    ----------
    frames, guide, mask, sigma, range_sigma
        One frame of what `bilateral_filter` takes.
    accuracy : float
        Asked for, in dB.
    cells : sequence of int
        Grids to try, in cells per sigma.
    exact : bool
        Whether the sum itself may be the answer; else it is the finest grid where none will do.

    Returns
    -------
    int or None
        Cells in a standard deviation of the grid; None for the sum itself.

    Examples
    --------
    >>> frame = np.random.default_rng(0).normal(size=(1, 64, 64, 1)).cumsum(axis=1)
    >>> choose(frame, (1.0, 1.0), 5.0, 65.0) is None, choose(frame, (16.0, 16.0), 5.0, 40.0)
    (True, 1)
    """
    leading = frames if guide is None else guide
    if leading.shape[-1] > 1:
        return None
    finite = leading[0][np.isfinite(leading[0])]
    span = float(finite.max()) - float(finite.min()) if finite.size else 0.0
    joint = guide is not None or frames.shape[-1] > 1
    direct = seconds_of_sum(frames, sigma, (1, frames.shape[-1]) if joint else None)
    costs = {
        each: frames.shape[-1] * seconds_of_grid(frames, sigma, span / range_sigma, each)
        for each in cells
    }
    for each in sorted(costs, key=lambda each: costs[each]):
        if exact and costs[each] >= direct:
            break
        there = accuracy_of(frames, sigma, range_sigma, each, guide=guide, mask=mask)
        if not there.decibels < accuracy:
            return each
    return None if exact else max(cells)


def seconds_of_sum(
    frames: NDArray[Any], sigma: Sequence[float], joint: tuple[int, int] | None
) -> float:
    """About how long the sum takes for a pixel; `joint`: channels of guide and frame."""
    lengths = frames.shape[1:-1]
    window = math.prod(
        min(2 * radius(each) + 1, length) for each, length in zip(sigma, lengths, strict=True)
    )
    alone, of_guide, of_frame = _JOINT_TAP
    each = _TAP if joint is None else alone + of_guide * joint[0] + of_frame * joint[1]
    return 1e-9 * window * each * (1 if result_type(frames) == np.float32 else 2)


def seconds_of_grid(
    frames: NDArray[Any], sigma: Sequence[float], ranges: float, per_sigma: int
) -> float:
    """About how long a grid takes for a pixel of one channel, whose range is so many sigmas."""
    sizes = [max(1.0, each / per_sigma) for each in sigma]
    lengths = frames.shape[1:-1]
    counts = [length / size + (size > 1) for length, size in zip(lengths, sizes, strict=True)]
    cells = math.prod(counts) / math.prod(lengths) * (ranges * per_sigma + 2)
    blurs = sum(2 * REACH * each / size + 1 for each, size in zip(sigma, sizes, strict=True))
    corners = 2 if len(sigma) == 3 else 1
    seconds: float = 1e-9 * (
        _PIXEL * corners + cells * _CELL_TAP * (blurs + 2 * RANGE_REACH * per_sigma + 1)
    )
    return seconds


def _middle(frames: NDArray[Any], sigma: Sequence[float], per_sigma: int | None) -> NDArray[Any]:
    """The middle of a frame (1, *spatial[, c])."""
    side = min(_MOST, _CORE + 2 * reach(sigma, per_sigma))
    keys = [slice(0, 1)]
    for length in frames.shape[1 : 1 + len(sigma)]:
        start = max(0, (length - side) // 2)
        keys.append(slice(start, start + side))
    return frames[tuple(keys)]
