"""Plane transforms as 3 x 3 matrices: families, points, composition, fits to landmarks, warps.

A matrix acts on columns ``(row, column, 1)`` from the left, in pixels with centres on integers;
points are ``matrix @ (r, c, 1)`` divided by their third component. An image is pulled back: the
matrix leads from the pixels of the result to those of the image that values are taken from.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.interpolation import spline
from napari_framewise.numerics.transforms.cropping import shown_by_all as shown_by_all
from napari_framewise.numerics.transforms.kernels import WARPS

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


def nearest(matrix: ArrayLike, motion: Motion) -> FloatArray:
    """A transform's nearest kin within a family.

    The linear part loses its perspective, then its shear, its scale and its rotation, as the
    family asks; the shift stays.

    Examples
    --------
    >>> matrix = np.diag([1.1, 1.1, 1.0])
    >>> matrix[0, 2] = 3.0
    >>> np.round(nearest(matrix, "translation"), 9).tolist()
    [[1.0, 0.0, 3.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    given = normalised(matrix)
    if motion == "homography":
        return given
    linear = given[:2, :2]
    if motion != "affine":
        cosine = linear[0, 0] + linear[1, 1]
        sine = linear[1, 0] - linear[0, 1]
        length = np.hypot(cosine, sine)
        scale = 1.0 if motion != "similarity" else length / 2
        if length == 0 or motion == "translation":
            linear = np.eye(2)
        else:
            linear = scale / length * np.array([[cosine, -sine], [sine, cosine]])
    result = np.eye(3)
    result[:2, :2], result[:2, 2] = linear, given[:2, 2]
    return result


def fitted_to_points(source: ArrayLike, target: ArrayLike, motion: Motion) -> FloatArray:
    """The transform that brings points (n, 2) nearest to others, by least squares.

    Euclidean and similarity in closed form (Umeyama 1991), homography by the normalised direct
    linear transform (Hartley & Zisserman 2004, algorithm 4.2).

    Raises
    ------
    ValueError
        Where there are fewer points than the family needs.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [0.0, 4.0], [3.0, 0.0]])
    >>> found = fitted_to_points(points, points + [1.0, -2.0], "euclidean")
    >>> np.abs(found[:2, 2]).round(9).tolist()
    [1.0, 2.0]
    """
    here, there = np.asarray(source, float), np.asarray(target, float)
    needed = {"translation": 1, "euclidean": 2, "similarity": 2, "affine": 3, "homography": 4}
    if here.shape != there.shape or len(here) < needed[motion]:
        raise ValueError(
            f"Points of shapes {here.shape} and {there.shape} were given for a {motion}; two "
            f"equal sets of {needed[motion]} or more (row, column) are needed."
        )
    before, after = _to_unit(here), _to_unit(there)
    p, q = mapped(before, here), mapped(after, there)
    if motion == "homography":
        rows = np.zeros((2 * len(p), 9))
        ones = np.column_stack([p, np.ones(len(p))])
        rows[0::2, 0:3], rows[0::2, 6:9] = ones, -q[:, :1] * ones
        rows[1::2, 3:6], rows[1::2, 6:9] = ones, -q[:, 1:] * ones
        matrix = np.linalg.svd(rows)[2][-1].reshape(3, 3)
    elif motion == "affine":
        ones = np.column_stack([p, np.ones(len(p))])
        matrix = np.vstack([np.linalg.lstsq(ones, q, rcond=None)[0].T, [0, 0, 1]])
    else:
        cosine = float(np.sum(p * q))
        sine = float(np.sum(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]))
        linear = np.array([[cosine, -sine], [sine, cosine]]) / max(float(np.sum(p * p)), 1e-300)
        matrix = np.eye(3)
        matrix[:2, :2] = linear
    whole = composed(np.linalg.solve(after, matrix), before)
    if motion in ("translation", "euclidean"):
        whole = nearest(whole, motion)
        whole[:2, 2] = there.mean(axis=0) - whole[:2, :2] @ here.mean(axis=0)
    return whole


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


def warp(
    image: NDArray[Any],
    matrix: ArrayLike,
    shape: tuple[int, int] | None = None,
    *,
    order: Literal[0, 1, 3] = 3,
    dtype: np.dtype[Any] | None = None,
) -> NDArray[Any]:
    """The image pulled back: ``result(p) = image(matrix @ p)``.

    Parameters
    ----------
    image : (y, x) or (y, x, channels)
        Real numbers.
    matrix : (3, 3)
        From pixels of the result to pixels of the image; with NaN all of the result is no data.
    shape : tuple of int, optional
        Rows and columns of the result; by default those of the image.
    order : {0, 1, 3}
        Nearest pixel, for labels; linear; cubic B-spline.
    dtype : dtype, optional
        Of the result: by default the image's own, floats of 4 bytes or more for floats. Integers
        are rounded and clipped.

    Returns
    -------
    (rows, columns) or (rows, columns, channels)
        Where there are no data, past the border or between pixels of NaN, NaN; 0 for integers.

    Examples
    --------
    >>> one_right = np.eye(3)
    >>> one_right[1, 2] = 1.0
    >>> warp(np.array([[1.0, 2.0, 3.0]]), one_right, order=1).tolist()
    [[2.0, 3.0, nan]]
    """
    given = np.asarray(image)
    target = given.dtype if dtype is None else np.dtype(dtype)
    planes = given if given.ndim == 3 else given[..., None]
    rows, columns = planes.shape[:2] if shape is None else shape
    turned = np.ascontiguousarray(np.asarray(matrix, float))
    if order == 0:
        result = _nearest_pixel(planes, turned, (rows, columns), target)
        return result if given.ndim == 3 else result[..., 0]
    exact = given.dtype.itemsize > (2 if given.dtype.kind in "iu" else 4)
    kind = np.float64 if exact else np.float32
    whole = spline(np.ascontiguousarray(np.moveaxis(planes, -1, 0), dtype=kind), order=order)
    values = np.empty((len(whole.coefficients), rows, columns), kind)
    valid = whole.valid if whole.valid is not None else np.empty((0, 0), np.bool_)
    name = np.dtype(kind).name
    compiled(WARPS[order], f"{name}/3", "bool/2", "float64/2", f"={name}/3")(
        whole.coefficients, valid, turned, values
    )
    result = as_type(np.moveaxis(values, 0, -1), target)
    return result if given.ndim == 3 else result[..., 0]


def _derivatives(matrices: FloatArray, images: FloatArray, weight: FloatArray) -> FloatArray:
    """Jacobians where points have these images, divided by this weight."""
    linear = matrices[..., :2, :2] - images[..., :, None] * matrices[..., 2:, :2]
    return np.asarray(linear / weight[..., None, None])


def _to_unit(points: FloatArray) -> FloatArray:
    """Similarity that brings points around 0, at a distance of about 1."""
    centre = points.mean(axis=0)
    spread = np.sqrt(((points - centre) ** 2).sum(axis=1).mean()) or 1.0
    return np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, spread]]) / spread


def as_type(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Computed values in the type of what they came from; no data is NaN, 0 in integers.

    Parameters
    ----------
    values : (...) float32 or float64
        NaN where there are no data.
    dtype : dtype
        Floats become 4 bytes or more; integers are rounded and clipped.

    Examples
    --------
    >>> as_type(np.array([-3.0, 1.6, np.nan, 300.0]), np.dtype(np.uint8)).tolist()
    [0, 2, 0, 255]
    """
    if dtype.kind == "f":
        return values.astype(np.promote_types(dtype, np.float32), copy=False)
    known = np.where(np.isfinite(values), values, 0)
    if dtype.kind == "b":
        return known >= 0.5
    limits = np.iinfo(dtype)
    # The largest float below 2**64 - 1 must be taken, or the conversion overflows.
    top = np.nextafter(np.float64(limits.max), 0) if limits.bits > 53 else limits.max
    return np.clip(np.rint(known), limits.min, top).astype(dtype)


def _nearest_pixel(
    planes: NDArray[Any], matrix: FloatArray, shape: tuple[int, int], dtype: np.dtype[Any]
) -> NDArray[Any]:
    result = np.zeros((*shape, planes.shape[2]), dtype)
    if dtype.kind == "f":
        result[...] = np.nan
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    at = np.rint(mapped(matrix, grid))
    rows, columns = planes.shape[:2]
    inside = (at >= 0).all(-1) & (at[..., 0] <= rows - 1) & (at[..., 1] <= columns - 1)
    places = at[inside].astype(np.intp)
    result[inside] = planes[places[:, 0], places[:, 1]]
    return result
