"""Sums and extremes over windows of blocks of frames: the kernels, axis by axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.normalised_convolution import kernels

FloatArray = NDArray[np.float64]
_CACHED = 2**17


def summed_along(planes: FloatArray, taps: FloatArray, axis: int) -> FloatArray:
    """Correlate (n, *grid) with an odd number of taps along one axis; 0 lies past the border."""
    if len(taps) == 1:
        return np.asarray(planes * taps[0])
    axis %= planes.ndim
    radius, length = len(taps) // 2, planes.shape[axis]
    # What reaches past both borders never meets a pixel.
    excess = max(0, radius - (length - 1))
    taps = taps[excess : len(taps) - excess]
    radius -= excess
    padded = np.concatenate([taps, np.zeros(-len(taps) % 8)])
    given = np.ascontiguousarray(planes)
    out = np.empty_like(given)
    if axis == planes.ndim - 1:
        kernel = compiled(
            kernels.along, "float64/2", "float64/1", "int64", "=float64/2", "=float64/1"
        )
        flat = (-1, length)
        line = np.zeros(length + len(padded) - 1)
        kernel(given.reshape(flat), padded, radius, out.reshape(flat), line)
    else:
        kernel = compiled(
            kernels.across, "float64/3", "float64/1", "int64", "=float64/3", "float64/1"
        )
        deep = (int(np.prod(planes.shape[:axis])), length, int(np.prod(planes.shape[axis + 1 :])))
        zeros = np.zeros(_strip(len(padded)))
        kernel(given.reshape(deep), padded, radius, out.reshape(deep), zeros)
    return out


def summed(planes: FloatArray, window: Sequence[FloatArray]) -> FloatArray:
    """Correlate (n, *grid) with the taps of a window along every axis of the grid.

    An odd number of taps along each axis, centred; 0 lies past the border. The bits of a part of
    a frame, with what the window reaches, are those of the frame.

    Examples
    --------
    >>> summed(np.array([[[1.0, 2.0, 3.0]]]), (np.ones(1), np.ones(3))).tolist()
    [[[3.0, 6.0, 5.0]]]
    """
    for axis in range(1, planes.ndim):
        planes = summed_along(planes, window[-axis], -axis)
    return planes


def least(planes: FloatArray, radii: Sequence[int]) -> None:
    """Least of the window around every pixel of (n, *grid), in place; infinity past the border."""
    for axis, radius in zip(range(1, planes.ndim), radii, strict=True):
        length = planes.shape[axis]
        radius = min(radius, length - 1)
        if radius == 0:
            continue
        width = 2 * radius + 1
        if axis == planes.ndim - 1:
            kernel = compiled(
                kernels.least_along, "=float64/2", "int64", "int64", "float64", "=float64/1"
            )
            line = np.empty(length + width - 1)
            kernel(planes.reshape(-1, length), width, radius, np.inf, line)
        else:
            kernel = compiled(
                kernels.least_across, "=float64/3", "int64", "int64", "float64", "=float64/2"
            )
            behind = int(np.prod(planes.shape[axis + 1 :]))
            lines = np.empty((length + width - 1, _strip(length + width)))
            deep = planes.reshape(int(np.prod(planes.shape[:axis])), length, behind)
            kernel(deep, width, radius, np.inf, lines)


def _strip(lines: int) -> int:
    """Columns of so many lines that stay in the second-level cache."""
    return max(16, _CACHED // lines // 16 * 16)
