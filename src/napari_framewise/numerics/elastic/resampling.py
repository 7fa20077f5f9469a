"""Images and labels on the pixels that a transform leads from."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.interpolation import sample, spline
from napari_framewise.numerics.transforms import as_type


def coordinates(field: Field, shape: tuple[int, ...], *, back: bool = False) -> FloatArray:
    """Where the pixels of a grid are in the other image: (d, *shape).

    Parameters
    ----------
    shape : tuple of int
        Of the reference's frame, or with `back` of the image's.
    back : bool
        From the image's pixels to the reference, by the inverse.

    Examples
    --------
    >>> field = Field.still(np.diag([2.0, 1.0, 1.0]), (4, 4), (1, 1))
    >>> coordinates(field, (8, 4), back=True)[0, :, 0].tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    """
    axes = [np.arange(n, dtype=float) for n in shape]
    if not back:
        return field.on_grid(axes)
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
    return np.ascontiguousarray(field.push(grid).T).reshape(len(shape), *shape)


def resampled(planes: NDArray[Any], at: FloatArray, order: Literal[0, 1, 3]) -> NDArray[Any]:
    """Planes at coordinates: by the nearest pixel, linearly, or by a cubic B-spline.

    Parameters
    ----------
    planes : (channels, *grid)
        Any real dtype; NaN is no data.
    at : (d, *shape)
        NaN where nothing is known.

    Returns
    -------
    (channels, *shape)
        In the planes' own dtype, floats of 4 bytes or more for floats; NaN past the border and
        beside NaN, 0 in integers.

    Examples
    --------
    >>> planes = np.array([[[1.0, 3.0, 5.0]]])
    >>> resampled(planes, np.array([[[0.0, 0.0]], [[0.5, 9.0]]]), 1).tolist()
    [[[2.0, nan]]]
    """
    known = np.isfinite(at).all(axis=0)
    inner = np.where(known, at, 0.0)
    if order == 0:
        near = np.rint(inner).astype(np.int64)
        for place, n in enumerate(planes.shape[1:]):
            known = known & (near[place] >= 0) & (near[place] < n)
        near = np.where(known, near, 0)
        empty = planes.dtype.type(np.nan if planes.dtype.kind == "f" else 0)
        return np.asarray(np.where(known, planes[:, *near], empty))
    exact = planes.dtype.itemsize > (2 if planes.dtype.kind in "iu" else 4)
    given = planes.astype(np.float64 if exact else np.float32)
    values, _, inside = sample(spline(given, order=order), inner)
    return as_type(np.where(inside & known, values, given.dtype.type(np.nan)), planes.dtype)
