"""Images pulled back through a matrix."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.interpolation import spline
from napari_framewise.numerics.transforms.kernels import WARPS
from napari_framewise.numerics.transforms.matrices import FloatArray, mapped


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
