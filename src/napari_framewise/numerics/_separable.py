"""Separable linear filters along one axis: the kernel under gradients and pyramids."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics._jit import compiled

Edge: TypeAlias = Literal["even", "odd"]
"""How values go on past the border: mirrored, or mirrored and turned so that a ramp goes on."""


def filtered(
    planes: NDArray[Any],
    starts: NDArray[np.int64],
    weights: NDArray[np.float64],
    axis: int,
    inner: tuple[int, int] = (0, 0),
) -> NDArray[Any]:
    """Apply a band matrix along an axis: ``out[j] = sum_k weights[j, k] * planes[starts[j] + k]``.

    Parameters
    ----------
    planes : (...) float32 or float64
        Any number of axes.
    starts : (n,) int64
        First element that each output takes.
    weights : (n, k) float64
        Weights of each output; ``starts + k`` lies within the axis.
    axis : int
        The axis that is filtered.
    inner : tuple of int
        Range of outputs that all have the weights of the first of them, one step apart: it is
        computed faster.
    """
    axis %= planes.ndim
    shape = planes.shape
    before = int(np.prod(shape[:axis], dtype=np.int64))
    behind = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    given = np.ascontiguousarray(planes).reshape(before, shape[axis], behind)
    out = np.empty((before, len(starts), behind), planes.dtype)
    kind = planes.dtype.name
    taps = np.ascontiguousarray(weights, dtype=planes.dtype)
    first = np.ascontiguousarray(starts, dtype=np.int64)
    if behind > 1:
        kernel = compiled(_across, f"{kind}/3", "int64/1", f"{kind}/2", f"={kind}/3")
        kernel(given, first, taps, out)
    else:
        kinds = (f"{kind}/2", "int64/1", f"{kind}/2", "int64", "int64", f"={kind}/2")
        compiled(_along, *kinds)(given[..., 0], first, taps, *inner, out[..., 0])
    return out.reshape(*shape[:axis], len(starts), *shape[axis + 1 :])


def banded(
    positions: NDArray[np.int64], taps: NDArray[np.float64], length: int, edge: Edge
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Starts and weights of `filtered`, with what reaches past the border folded back.

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
    """
    width = min(taps.shape[1], length)
    starts = np.clip(positions, 0, length - width)
    weights = np.zeros((len(positions), width))
    within = (positions >= 0) & (positions + taps.shape[1] <= length)
    weights[within] = taps[within][:, :width]
    last = length - 1
    for row in np.flatnonzero(~within):
        for offset, weight in enumerate(taps[row]):
            at = int(positions[row]) + offset
            if edge == "even":
                at %= 2 * length
                at = min(at, 2 * length - 1 - at)
            elif at < 0 or at > last:
                border = 0 if at < 0 else last
                weights[row, border - starts[row]] += 2 * weight
                weight = -weight
                at = min(max(2 * border - at, 0), last)
            weights[row, at - starts[row]] += weight
    return starts, weights


def correlated(
    planes: NDArray[Any], taps: NDArray[np.float64], axis: int, edge: Edge = "even"
) -> NDArray[Any]:
    """Correlate with an odd number of taps, centred, along an axis."""
    length = planes.shape[axis]
    radius = len(taps) // 2
    positions = np.arange(length) - radius
    starts, weights = banded(positions, np.tile(taps, (length, 1)), length, edge)
    inner = (radius, length - radius) if length > 2 * radius else (0, 0)
    return filtered(planes, starts, weights, axis, inner)


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
