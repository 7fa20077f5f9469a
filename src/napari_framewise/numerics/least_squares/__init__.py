"""Small bounded least squares: the nearest point that keeps to linear bounds.

After the pass over a frame's pixels, what is left is a system of a few unknowns: minimise
``|t - q| ** 2`` (in coordinates where the Gram matrix is the identity) with ``rows t >= limits``.
It is solved exactly by the dual active-set method of Goldfarb & Idnani (1983, Mathematical
Programming 27, 1-33): from the unbounded solution, one violated bound after the other is made
active, and those whose multiplier would turn negative are let go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.least_squares import kernels
from napari_framewise.numerics.least_squares.kernels import nearest, perpendicular, to_unit_length

__all__ = ["nearest", "perpendicular", "project", "to_unit_length"]

FloatArray = NDArray[np.float64]


def project(
    start: FloatArray, rows: FloatArray, limits: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.uint8]]:
    """Project points onto the polyhedron ``rows t >= limits``.

    Parameters
    ----------
    start : (n, size) float64
        The unbounded solutions, finite.
    rows : (1, count, size) or (n, count, size) float64
        Normals of the bounds, the same for all points or for each; of any length but zero.
    limits : (count,) float64
        Their limits.

    Returns
    -------
    point : (n, size) float64
        The nearest points that keep to the bounds.
    active : (n, count) bool
        The bounds that hold them.
    status : (n,) uint8
        0 solved, 1 too many steps, 2 no point keeps to all bounds.

    Examples
    --------
    >>> start = np.array([[-1.0, 2.0]])
    >>> point, active, status = project(start, np.eye(2)[np.newaxis], np.zeros(2))
    >>> point.tolist(), active.tolist(), status.tolist()
    ([[0.0, 2.0]], [[True, False]], [0])
    """
    n, size = start.shape
    point = np.empty((n, size))
    active = np.empty((n, len(limits)), np.bool_)
    status = np.empty(n, np.uint8)
    kernel = compiled(
        kernels.project,
        *("float64/2", "float64/3", "float64/1"),
        *("=float64/2", "=bool/2", "=uint8/1"),
    )
    start, rows = np.ascontiguousarray(start), np.ascontiguousarray(rows)
    kernel(start, rows, limits, point, active, status)
    return point, active, status
