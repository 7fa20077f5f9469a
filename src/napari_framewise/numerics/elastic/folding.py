"""A barrier: no step makes the transform fold."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.elastic.field import Field, FloatArray

_PER_CELL = {2: 8, 3: 4}
"""Places at which the determinant is looked at between two nodes, of planes and of volumes."""
LEAST = 0.1
"""Least determinant that is let through, of that of the affine part."""
_TRIES = 12


def determinants(field: Field, per_cell: int | None = None) -> FloatArray:
    """Jacobian determinant on a grid finer than the nodes, borders included.

    Examples
    --------
    >>> determinants(Field.still(np.diag([2.0, 3.0, 1.0]), (9, 9), (1, 1))).min().round(9).item()
    6.0
    """
    per_cell = per_cell or _PER_CELL[len(field.shape)]
    axes = [np.linspace(0.0, axis.stop, per_cell * axis.cells + 1) for axis in field.lattice.axes]
    slopes = field.slopes_on_grid(axes)
    return determinants_of(slopes)


def determinants_of(slopes: FloatArray) -> FloatArray:
    """Determinants of matrices (d, d, ...) of two or three rows.

    Examples
    --------
    >>> determinants_of(np.diag([2.0, 3.0, 4.0])).item()
    24.0
    """
    if len(slopes) == 2:
        return np.asarray(slopes[0, 0] * slopes[1, 1] - slopes[0, 1] * slopes[1, 0])
    return np.asarray(
        np.einsum("i...,i...->...", slopes[0], np.cross(slopes[1], slopes[2], axis=0))
    )


def unfolded(before: Field, after: Field) -> Field:
    """As far from one transform to another as nothing folds.

    Where the determinant would fall below the least one, the step of the nodes around is halved,
    again and again; where that does not help, the whole step is.

    Parameters
    ----------
    before : Field
        That does not fold.
    after : Field
        On the same lattice.

    Returns
    -------
    Field
        Whose determinant nowhere lies below a tenth of that of the affine part, or below what it
        was before.

    Examples
    --------
    >>> flat = Field.still(np.eye(3), (33, 33), (4, 4))
    >>> wild = flat.with_coefficients(np.random.default_rng(0).normal(0, 30, (2, 7, 7)))
    >>> bool(determinants(wild).min() < 0 < determinants(unfolded(flat, wild)).min())
    True
    """
    size = float(np.linalg.det(before.matrix[:-1, :-1]))
    sign = np.sign(size)
    floor = min(LEAST * abs(size), float((sign * determinants(before)).min()))
    step = after.coefficients - before.coefficients
    share = np.ones(step.shape[1:])
    for number in range(_TRIES):
        tried = before.with_coefficients(before.coefficients + share * step)
        folds = sign * determinants(tried) < floor
        if not folds.any():
            return tried
        if number < _TRIES // 2:
            share[_nodes_near(folds, share.shape)] /= 2
        else:
            share /= 4
    return before


def _nodes_near(folds: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Nodes whose B-splines are not zero where something folds."""
    near = np.zeros(shape, bool)
    for cell in np.unique(np.argwhere(folds) // _PER_CELL[folds.ndim], axis=0):
        near[tuple(slice(max(0, at - 1), at + 5) for at in cell)] = True
    return near
