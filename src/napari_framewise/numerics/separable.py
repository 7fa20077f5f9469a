"""Separable linear filters along one axis: the kernel under gradients and pyramids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled

Edge: TypeAlias = Literal["even", "odd"]
"""How values go on past the border: mirrored, or mirrored and turned so that a ramp goes on."""


@dataclass(frozen=True, eq=False)
class Band:
    """A band matrix: ``out[j] = sum_k weights[j, k] * values[starts[j] + k]``.

    Attributes
    ----------
    starts : (n,) int64
        First element that each output takes.
    weights : (n, k) float64
        Weights of each output; ``starts + k`` lies within the axis.
    inner : tuple of int
        Range of outputs that all have the weights of the first of them, one step apart: it is
        computed faster.
    """

    starts: NDArray[np.int64]
    weights: NDArray[np.float64]
    inner: tuple[int, int] = (0, 0)


def filtered(planes: NDArray[Any], band: Band, axis: int) -> NDArray[Any]:
    """Apply a band matrix along an axis of float32 or float64 planes of any number of axes.

    Examples
    --------
    >>> band = banded(np.arange(4) - 1, np.tile([0.25, 0.5, 0.25], (4, 1)), 4, "even")
    >>> filtered(np.array([[0.0, 4.0, 0.0, 0.0]]), band, 1).tolist()
    [[1.0, 2.0, 1.0, 0.0]]
    """
    axis %= planes.ndim
    shape = planes.shape
    before = int(np.prod(shape[:axis], dtype=np.int64))
    behind = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    given = np.ascontiguousarray(planes).reshape(before, shape[axis], behind)
    count = len(band.starts)
    out = np.empty((before, count, behind), planes.dtype)
    kind = planes.dtype.name
    taps = band.weights.astype(planes.dtype)
    if behind > 1:
        kernel = compiled(_across, f"{kind}/3", "int64/1", f"{kind}/2", f"={kind}/3")
        kernel(given, band.starts, taps, out)
    else:
        kinds = (f"{kind}/2", "int64/1", f"{kind}/2", "int64", "int64", f"={kind}/2")
        compiled(_along, *kinds)(given[..., 0], band.starts, taps, *band.inner, out[..., 0])
    return out.reshape(*shape[:axis], count, *shape[axis + 1 :])


def banded(
    positions: NDArray[np.int64], taps: NDArray[np.float64], length: int, edge: Edge
) -> Band:
    """A band matrix with what reaches past the border folded back.

    Parameters
    ----------
    positions : (n,) int64
        Where each output's first tap lies, maybe past the border.
    taps : (n, k) float64
        Weights there.
    length : int
        Length of the axis.
    edge : {"even", "odd"}
        How values go on past the border: ``f(-1 - i) = f(i)``, or ``f(-i) = 2 f(0) - f(i)``.

    Examples
    --------
    >>> band = banded(np.array([-1, 0, 1]), np.full((3, 3), 1 / 3), 3, "even")
    >>> np.round(band.weights[0], 3).tolist()
    [0.667, 0.333, 0.0]
    """
    width = min(taps.shape[1], length)
    starts = np.clip(positions, 0, length - width)
    weights = np.zeros((len(positions), width))
    within = (positions >= 0) & (positions + taps.shape[1] <= length)
    weights[within] = taps[within][:, :width]
    outer = np.flatnonzero(~within)
    at = positions[outer, None] + np.arange(taps.shape[1])
    values, rows = taps[outer], np.broadcast_to(outer[:, None], at.shape)
    if edge == "even":
        at = at % (2 * length)
        at = np.minimum(at, 2 * length - 1 - at)
    else:
        border = np.clip(at, 0, length - 1)
        past = at != border
        np.add.at(weights, (rows[past], (border - starts[rows])[past]), 2 * values[past])
        values = np.where(past, -values, values)
        at = np.clip(2 * border - at, 0, length - 1)
    np.add.at(weights, (rows, at - starts[rows]), values)
    return Band(starts, weights)


def correlated(
    planes: NDArray[Any], taps: NDArray[np.float64], axis: int, edge: Edge = "even"
) -> NDArray[Any]:
    """Correlate with an odd number of taps, centred, along an axis.

    Examples
    --------
    >>> correlated(np.array([[0.0, 1.0, 4.0, 9.0]]), np.array([-0.5, 0.0, 0.5]), 1).tolist()
    [[0.5, 2.0, 4.0, 2.5]]
    """
    return filtered(planes, _repeated(planes.shape[axis], tuple(taps.tolist()), edge), axis)


@lru_cache(maxsize=256)
def _repeated(length: int, taps: tuple[float, ...], edge: Edge) -> Band:
    radius = len(taps) // 2
    positions = np.arange(length) - radius
    inner = (radius, length - radius) if length > 2 * radius else (0, 0)
    band = banded(positions, np.tile(taps, (length, 1)), length, edge)
    return replace(band, inner=inner)


def _across(given: Any, starts: Any, weights: Any, out: Any) -> None:
    for block in range(given.shape[0]):
        for j in range(out.shape[1]):
            line = out[block, j]
            line[:] = 0
            for k in range(weights.shape[1]):
                weight = weights[j, k]
                if weight != 0:
                    source = given[block, starts[j] + k]
                    for i in range(line.size):
                        line[i] += weight * source[i]


def _along(given: Any, starts: Any, weights: Any, low: int, high: int, out: Any) -> None:
    for row in range(given.shape[0]):
        line = given[row]
        target = out[row]
        for j in range(target.size):
            if low <= j < high:
                continue
            total = weights[j, 0] * line[starts[j]]
            for k in range(1, weights.shape[1]):
                total += weights[j, k] * line[starts[j] + k]
            target[j] = total
        if high > low:
            inside = target[low:high]
            inside[:] = 0
            for k in range(weights.shape[1]):
                weight = weights[low, k]
                source = line[starts[low] + k : starts[low] + k + high - low]
                for i in range(inside.size):
                    inside[i] += weight * source[i]
