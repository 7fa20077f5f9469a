"""Matrices of the families: points, derivatives, composition, and what a matrix does in words."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]


Motion: TypeAlias = Literal["translation", "euclidean", "similarity", "affine", "homography"]
"""Families of transforms, each within the next."""


MOTIONS: tuple[Motion, ...] = get_args(Motion)

_TURN = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)

_GROW = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)

_SHIFTS = ((0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0))

_NAMES: dict[Motion, tuple[str, ...]] = {
    "translation": ("row", "column"),
    "euclidean": ("row", "column", "rotation"),
    "similarity": ("row", "column", "rotation", "log_scale"),
    "affine": ("m00", "m01", "row", "m10", "m11", "column"),
    "homography": ("m00", "m01", "row", "m10", "m11", "column", "m20", "m21"),
}


def generators(motion: Motion) -> FloatArray:
    """Directions in which a family leaves the identity.

    Returns
    -------
    (k, 8)
        For each parameter the change of the matrix's entries, row by row without the last.

    Raises
    ------
    ValueError
        Where there is no such family.

    Examples
    --------
    >>> generators("translation").shape, generators("homography").shape
    ((2, 8), (8, 8))
    """
    match motion:
        case "translation":
            return np.array(_SHIFTS)
        case "euclidean":
            return np.array([*_SHIFTS, _TURN])
        case "similarity":
            return np.array([*_SHIFTS, _TURN, _GROW])
        case "affine":
            return np.eye(8)[:6]
        case "homography":
            return np.eye(8)
    raise ValueError(f"The motion {motion!r} was asked for; give one of {', '.join(MOTIONS)}.")


def parameter_names(motion: Motion) -> tuple[str, ...]:
    """Names of a family's parameters, in the order of `generators`.

    Examples
    --------
    >>> len(parameter_names("affine"))
    6
    """
    return _NAMES[motion]


def mapped(matrix: ArrayLike, points: ArrayLike) -> FloatArray:
    """Points (..., 2) moved by matrices (..., 3, 3); NaN where a point has no image.

    Examples
    --------
    >>> shift = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
    >>> mapped(shift, [[0.0, 0.0], [3.0, 4.0]]).tolist()
    [[2.0, -1.0], [5.0, 3.0]]
    """
    matrices, given = np.asarray(matrix, float), np.asarray(points, float)
    moved = np.einsum("...ij,...j->...i", matrices[..., :2], given) + matrices[..., 2]
    weight = np.where(moved[..., 2:] > 0, moved[..., 2:], np.nan)
    return np.asarray(moved[..., :2] / weight)


def jacobian(matrix: ArrayLike, points: ArrayLike) -> FloatArray:
    """Derivatives of `mapped` at points (..., 2): (..., 2, 2); NaN where a point has no image.

    Examples
    --------
    >>> jacobian(np.diag([2.0, 3.0, 1.0]), [5.0, 7.0]).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    matrices, given = np.asarray(matrix, float), np.asarray(points, float)
    if matrices.ndim == 2 and np.isfinite(matrices).all() and (matrices[2] == [0, 0, 1]).all():
        # Of an affine map the same everywhere.
        return np.broadcast_to(matrices[:2, :2], (*given.shape, 2)).copy()
    weight = np.einsum("...i,...i->...", matrices[..., 2, :2], given) + matrices[..., 2, 2]
    return _derivatives(matrices, mapped(matrices, given), weight)


def inverse(matrix: ArrayLike) -> FloatArray:
    """The transforms (..., 3, 3) that lead back, with 1 as the last entry; NaN where none does.

    Examples
    --------
    >>> shift = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
    >>> inverse(shift)[:2, 2].tolist()
    [-2.0, 1.0]
    """
    given = np.asarray(matrix, float)
    # The rows' cross products are the adjugate: exact for a transform, and no division by zero.
    a, b, c = given[..., 0, :], given[..., 1, :], given[..., 2, :]
    adjugate = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=-1)
    return normalised(adjugate)


def normalised(matrix: ArrayLike) -> FloatArray:
    """Matrices (..., 3, 3) scaled so that the last entry is 1; NaN where it is 0.

    Examples
    --------
    >>> normalised(2 * np.eye(3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    given = np.asarray(matrix, float)
    last = np.where(given[..., 2:, 2:] == 0, np.nan, given[..., 2:, 2:])
    return np.asarray(given / last)


def composed(outer: ArrayLike, inner: ArrayLike) -> FloatArray:
    """The transforms that first do `inner`, then `outer`.

    Examples
    --------
    >>> down, double = np.eye(3), np.diag([2.0, 2.0, 1.0])
    >>> down[0, 2] = 1.0
    >>> mapped(composed(double, down), [0.0, 0.0]).tolist()
    [2.0, 0.0]
    """
    return normalised(np.asarray(outer, float) @ np.asarray(inner, float))


def accumulated(steps: ArrayLike, back: ArrayLike | None = None) -> FloatArray:
    """Steps from frame to frame composed: ``steps[n] @ steps[n - 1] @ ... @ steps[0]`` for every n.

    Parameters
    ----------
    steps : (n, 3, 3)
        Each pulls a frame back to an earlier one: ``frame[n](steps[n] @ p)`` looks like
        ``frame[n - back[n]](p)``. NaN where it is not known: NaN is given there, and what follows
        goes on from the last frame that is known.
    back : (n,) int, optional
        How many frames back that is; 1 by default.

    Examples
    --------
    >>> step = np.eye(3)
    >>> step[0, 2] = 0.5
    >>> accumulated(np.stack([step, step, step]))[:, 0, 2].tolist()
    [0.5, 1.0, 1.5]
    """
    found = np.array(steps, dtype=float)
    far = np.ones(len(found), int) if back is None else np.asarray(back, int)
    last = np.eye(3)
    for number, step in enumerate(found):
        if not np.isfinite(step).all():
            found[number] = np.nan
            continue
        base = found[max(number - far[number], 0)] if number else np.eye(3)
        last = composed(step, base if np.isfinite(base).all() else last)
        found[number] = last
    return found


def displacement(first: ArrayLike, second: ArrayLike, shape: tuple[int, int]) -> FloatArray:
    """Root mean square distance in pixels between where two transforms lead a frame's corners.

    Examples
    --------
    >>> moved = np.eye(3)
    >>> moved[:2, 2] = 3.0, 4.0
    >>> float(displacement(np.eye(3), moved, (64, 64)))
    5.0
    """
    here = corners(shape)
    away = mapped(np.asarray(first, float)[..., None, :, :], here)
    away = away - mapped(np.asarray(second, float)[..., None, :, :], here)
    return np.asarray(np.sqrt((away**2).sum(-1).mean(-1)))


def corners(shape: tuple[int, int]) -> FloatArray:
    """Centres of a frame's corner pixels, in order around it: (4, 2).

    Examples
    --------
    >>> corners((3, 5)).tolist()
    [[0.0, 0.0], [0.0, 4.0], [2.0, 4.0], [2.0, 0.0]]
    """
    last_row, last_column = shape[0] - 1.0, shape[1] - 1.0
    return np.array([(0, 0), (0, last_column), (last_row, last_column), (last_row, 0)], float)


def described(matrices: ArrayLike, shape: tuple[int, int]) -> dict[str, FloatArray]:
    """What transforms do to a frame, in plain quantities.

    Returns
    -------
    dict
        ``row`` and ``column``, the shift of the frame's centre in pixels; ``rotation`` in degrees,
        from rows towards columns as seen with rows downwards: counter-clockwise; ``scale``, the
        root of the change of area; ``anisotropy``, the largest stretch over the smallest; each at
        the centre, one value per matrix.

    Examples
    --------
    >>> moved = np.eye(3)
    >>> moved[:2, 2] = 3.0, -4.0
    >>> described(moved[np.newaxis], (64, 64))["row"].tolist()
    [3.0]
    """
    given = np.asarray(matrices, float)
    centre = (np.array(shape, float) - 1) / 2
    shift = mapped(given, centre) - centre
    weight = given[..., 2, :2] @ centre + given[..., 2, 2]
    linear = _derivatives(given, shift + centre, weight)
    angle = np.arctan2(linear[..., 1, 0] - linear[..., 0, 1], linear[..., 0, 0] + linear[..., 1, 1])
    area = np.abs(linear[..., 0, 0] * linear[..., 1, 1] - linear[..., 0, 1] * linear[..., 1, 0])
    power = (linear**2).sum(axis=(-2, -1)) / 2
    half = np.sqrt(np.maximum(power**2 - area**2, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        stretch = np.sqrt((power + half) / np.maximum(power - half, 0.0))
    return {
        "row": shift[..., 0],
        "column": shift[..., 1],
        "rotation": np.degrees(angle),
        "scale": np.sqrt(area),
        "anisotropy": stretch,
    }


def _derivatives(matrices: FloatArray, images: FloatArray, weight: FloatArray) -> FloatArray:
    """Jacobians where points have these images, divided by this weight."""
    linear = matrices[..., :2, :2] - images[..., :, None] * matrices[..., 2:, :2]
    return np.asarray(linear / weight[..., None, None])
