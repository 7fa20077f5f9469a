"""Symmetric systems of a few unknowns, one for every frame, from their packed upper triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled, part, reordered

FloatArray = NDArray[np.float64]


@part
@reordered
def factored(packed, shift, factor):  # type: ignore[no-untyped-def]
    """Write the Cholesky factor of a matrix less `shift` of the identity; False if it has none."""
    size = len(factor)
    k = 0
    for i in range(size):
        for j in range(i, size):
            factor[j, i] = packed[k] - (shift if i == j else 0.0)
            k += 1
    for i in range(size):
        whole = factor[i, i]
        for m in range(i):
            factor[i, i] -= factor[i, m] * factor[i, m]
        if not factor[i, i] > 1e-14 * whole:
            return False
        factor[i, i] = np.sqrt(factor[i, i])
        for j in range(i + 1, size):
            for m in range(i):
                factor[j, i] -= factor[j, m] * factor[i, m]
            factor[j, i] /= factor[i, i]
    return True


@part
@reordered
def substituted(factor, right):  # type: ignore[no-untyped-def]
    """Turn the right-hand side of a factored system into its solution."""
    size = len(right)
    for i in range(size):
        for m in range(i):
            right[i] -= factor[i, m] * right[m]
        right[i] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for m in range(i + 1, size):
            right[i] -= factor[m, i] * right[m]
        right[i] /= factor[i, i]


def _solve_packed(packed, right, least, points, inverse, determined):  # type: ignore[no-untyped-def]
    n, size = right.shape
    factor, column = np.empty((size, size)), np.empty(size)
    for f in range(n):
        # all eigenvalues are above the least where the matrix less that much has a factor
        good = factored(packed[f], least, factor) and factored(packed[f], 0.0, factor)
        determined[f] = good
        if not good:
            points[f] = np.nan
            inverse[f] = np.nan
            continue
        for j in range(size):
            points[f, j] = right[f, j]
        substituted(factor, points[f])
        for i in range(size):
            column[:] = 0.0
            column[i] = 1.0
            substituted(factor, column)
            for j in range(size):
                inverse[f, i, j] = column[j]


def solve_packed(
    packed: FloatArray, right: FloatArray, least: float
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Solutions (n, J), inverses (n, J, J), and which matrices are definite enough for them.

    Parameters
    ----------
    packed : (n, L)
        Upper triangles, row by row.
    right : (n, J)
    least : float
        The least eigenvalue of a matrix that is solved; the others give NaN.

    Examples
    --------
    >>> packed, right = np.array([[2.0, 0.0, 4.0], [1.0, 1.0, 1.0]]), np.ones((2, 2))
    >>> points, inverse, determined = solve_packed(packed, right, 1e-10)
    >>> points[0].tolist(), inverse[0].tolist(), determined.tolist()
    ([0.5, 0.25], [[0.5, 0.0], [0.0, 0.25]], [True, False])
    """
    points, inverse = np.empty(right.shape), np.empty((*right.shape, right.shape[1]))
    determined = np.empty(len(right), np.bool_)
    kernel = compiled(
        _solve_packed,
        *("float64/2", "float64/2", "float64", "=float64/2", "=float64/3", "=bool/1"),
    )
    packed, right = np.ascontiguousarray(packed), np.ascontiguousarray(right)
    kernel(packed, right, least, points, inverse, determined)
    return points, inverse, determined
