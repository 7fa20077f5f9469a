"""The field of a calibration: a spline of value, row and column, its parts, and its inverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from napari_framewise.numerics.bsplines import Axis, Fit, Lattice, fit

Array = NDArray[np.float64]
MOST = 2000
"""Most coefficients of a field: what is solved in seconds."""
_MOST_CELLS, _DEGREE, _ORDER, _SPACING = 16, 3, 3, 1.33
_NEWTON, _CLOSE = 30, 1e-9


@dataclass(frozen=True, eq=False)
class Field:
    """A displacement (down, right) in pixels over value, row and column.

    A pixel p of the straight image is seen at ``T(p, v) = p + d(v, p)``: a pull-back, so that
    straightening an image needs no inversion.

    Attributes
    ----------
    fit : Fit
        Of both components over (value, row, column).
    units : tuple of float
        Lengths that count as one in its roughness: a step of the value, and the pitch twice.
    """

    fit: Fit
    units: tuple[float, float, float]


def fit_field(
    values: Array,
    straight: Array,
    seen: Array,
    shape: Sequence[int],
    pitch: float,
    *,
    strength: float | None = None,
    weights: Array | None = None,
    degree: int | None = None,
) -> Field:
    """The field through nodes of grids.

    A tensor spline, cubic along rows and columns over the whole frame with knots 1.33 pitches
    apart (more, where there would be over 2,000 coefficients), and along the value of a degree less
    than the number of values, cubic at most. It minimises the squared residuals plus a bending
    energy (`numerics.bsplines.fit`), so missing nodes are harmless; that of third derivatives, for
    it leaves a quadratic field as it is up to its rim.

    Parameters
    ----------
    values : (n,)
        Value of the third variable for each node.
    straight, seen : (n, 2)
        Where each node is without and with distortion, in pixels.
    shape : (rows, columns)
        Of a frame.
    pitch : float
        Distance between neighbours, in pixels.
    strength : float, optional
        Of the smoothing; 0 interpolates, None is generalised cross-validation.
    weights : (n,), optional
        0 leaves a node out.
    degree : int, optional
        Along the value; by default as many as the values allow.

    Raises
    ------
    ValueError
        Where there are fewer than 4 nodes.

    Examples
    --------
    >>> nodes = np.argwhere(np.ones((4, 4))) * 10.0
    >>> field = fit_field(np.zeros(16), nodes, nodes + [1.0, -2.0], (31, 31), 10.0, strength=0.0)
    >>> field.fit.values([[0.0, 15.0, 15.0]]).round(3).ravel().tolist()
    [1.0, -2.0]
    """
    used = values if weights is None else values[weights > 0]
    if len(used) < 4:
        raise ValueError(
            f"{len(used)} nodes are known both straight and distorted; a calibration needs at "
            "least 4."
        )
    distinct = np.unique(used)
    along = min(_DEGREE, len(distinct) - 1) if degree is None else degree
    cells = max(1, min(len(distinct) - along, _MOST_CELLS))
    low, high = float(distinct[0]), float(distinct[-1])
    if low == high:
        half = max(abs(low), 1.0) / 2
        low, high = low - half, high + half
    axis = Axis(low, high, cells, along)
    spacing = _SPACING * pitch
    while True:
        axes = (axis, *(_frame_axis(length, spacing) for length in shape))
        lattice = Lattice(axes)
        if lattice.size <= MOST:
            break
        spacing *= 1.15
    step = (high - low) / max(len(distinct) - 1, 1)
    units = (step, pitch, pitch)
    points = np.column_stack([values, straight])
    found = fit(
        lattice,
        points,
        seen - straight,
        strength=strength,
        weights=weights,
        order=_ORDER,
        units=units,
    )
    return Field(found, units)


def _frame_axis(length: int, spacing: float) -> Axis:
    cells = max(1, round((length - 1) / spacing))
    return Axis(0.0, float(max(length - 1, 1)), cells, _DEGREE)


def at_value(axis: Axis, coefficients: Array, values: Any) -> Array:
    """Coefficients over rows and columns at values of the third variable.

    Parameters
    ----------
    axis : Axis
        Along the value.
    coefficients : (2, values, rows, columns)
    values : (n,)

    Returns
    -------
    (n, 2, rows, columns) float64

    Examples
    --------
    >>> axis = Axis(0.0, 1.0, 1, degree=1)
    >>> planes = np.arange(2.0).reshape(1, 2, 1, 1) * np.ones((2, 1, 4, 4))
    >>> at_value(axis, planes, 0.25)[0, 0, 0, 0].item()
    0.25
    """
    rows = axis.design(np.atleast_1d(values)).toarray()
    return np.asarray(np.einsum("nv,kvyx->nkyx", rows, coefficients))


def seen_from(lattice: Lattice, plane: Array, points: Array) -> Array:
    """Points (n, 2) of the straight image where they are seen, by the coefficients of a value.

    Examples
    --------
    >>> lattice = Lattice((Axis(0.0, 9.0, 1), Axis(0.0, 9.0, 1)))
    >>> seen_from(lattice, 0.5 * np.ones((2, 4, 4)), np.array([[2.0, 3.0]])).round(9).tolist()
    [[2.5, 3.5]]
    """
    return np.asarray(points + lattice.values(plane, points).T)


def slopes_of(lattice: Lattice, plane: Array, points: Array) -> Array:
    """Derivatives of `seen_from`, (n, 2, 2): ``J[:, i, j] = dT_i / dp_j``.

    Examples
    --------
    >>> lattice = Lattice((Axis(0.0, 9.0, 1), Axis(0.0, 9.0, 1)))
    >>> found = slopes_of(lattice, np.ones((2, 4, 4)), np.array([[2.0, 3.0]]))
    >>> bool(np.allclose(found, np.eye(2)))
    True
    """
    parts = [lattice.values(plane, points, order) for order in ((1, 0), (0, 1))]
    return np.asarray(np.eye(2) + np.stack(parts, axis=-1).transpose(1, 0, 2))


def straight_from(lattice: Lattice, plane: Array, points: Array) -> Array:
    """Where points that are seen lie in the straight image: the inverse, by Newton's method.

    NaN where it does not converge, as where the map folds.

    Examples
    --------
    >>> lattice = Lattice((Axis(0.0, 9.0, 1), Axis(0.0, 9.0, 1)))
    >>> straight_from(lattice, 0.5 * np.ones((2, 4, 4)), np.array([[2.5, 3.5]])).round(9).tolist()
    [[2.0, 3.0]]
    """
    at = np.array(points, np.float64)
    known = np.asarray(np.isfinite(at).all(axis=1))
    at[~known] = 0
    for _ in range(_NEWTON):
        misfit = seen_from(lattice, plane, at) - points
        slopes = slopes_of(lattice, plane, at)
        sound = np.abs(np.linalg.det(slopes)) > 1e-6
        slopes[~sound] = np.eye(2)
        rest = np.where(known[:, None], misfit, 0.0)[..., None]
        step = np.asarray(np.linalg.solve(slopes, rest)[..., 0])
        at -= np.clip(step, -50, 50)
        if not (np.abs(step) > _CLOSE).any():
            break
    off = np.abs(seen_from(lattice, plane, at) - points).max(axis=1)
    at[~(known & (off < 1e-6))] = np.nan
    return at


def hull_of(points: Array, margin: float) -> Array:
    """Half planes (n, 3), ``a y + b x + c <= 0``, of the convex hull of points and a margin.

    Examples
    --------
    >>> hull_of(np.array([[0.0, 0], [0, 2], [2, 0], [2, 2]]), 1.0).shape
    (4, 3)
    """
    equations = np.array(ConvexHull(points).equations)
    equations[:, 2] -= margin
    return np.unique(equations.round(12), axis=0)


def covered(hull: Array, points: Array) -> NDArray[np.bool_]:
    """Whether points lie where there were nodes.

    Examples
    --------
    >>> hull = hull_of(np.array([[0.0, 0], [0, 2], [2, 0], [2, 2]]), 1.0)
    >>> covered(hull, np.array([[1.0, 1.0], [2.5, 2.5], [4.0, 1.0]])).tolist()
    [True, True, False]
    """
    return np.asarray((points @ hull[:, :2].T + hull[:, 2] <= 0).all(axis=1))
