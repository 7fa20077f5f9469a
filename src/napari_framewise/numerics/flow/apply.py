"""What a flow does to images, labels and points: pull back, push on, invert."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.interpolation import sample, spline, warp

_STEPS = 50
_CLOSE = 1e-3


def warped(
    planes: NDArray[Any],
    displacement: NDArray[Any],
    *,
    labels: bool = False,
    order: Literal[1, 3] = 3,
) -> NDArray[Any]:
    """Planes pulled back: ``result[:, p] = planes(p + displacement[:, p])``.

    With the flow from a first frame to a second, the second comes to lie on the first.

    Parameters
    ----------
    planes : (channels, *grid)
        Any real dtype; NaN and infinite values are no data.
    displacement : (ndim, *grid)
        In pixels; NaN where it is not known.
    labels : bool
        Take the nearest pixel, for values that must not be mixed.
    order : {1, 3}
        Of the spline that images are interpolated by.

    Returns
    -------
    (channels, *grid)
        Labels keep their dtype, with 0 where nothing is known. Images are in float32 (float64 from
        float64 and wider integers), NaN where nothing is known.

    Examples
    --------
    >>> displacement = np.zeros((2, 4, 4), np.float32)
    >>> displacement[0] = 1.0
    >>> image = np.arange(16.0).reshape(1, 4, 4)
    >>> warped(image, displacement)[0, 1].round(6).tolist()
    [8.0, 9.0, 10.0, 11.0]
    """
    values = real_array(planes, "frames")
    shape = displacement.shape[1:]
    if values.shape[1:] != shape:
        raise ValueError(
            f"A flow for frames of {shape} was given for frames of {values.shape[1:]}; their "
            "shapes must agree."
        )
    if labels:
        return _nearest(values, displacement)
    given = values.astype(warped_dtype(values.dtype))
    result, _, inside = warp(spline(given, order=order), np.nan_to_num(displacement, nan=np.inf))
    return np.where(inside, result, given.dtype.type(np.nan))


def warped_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type of a warped image.

    Examples
    --------
    >>> warped_dtype(np.dtype(np.uint8))
    dtype('float32')
    """
    wide = dtype.itemsize > 2 and dtype.newbyteorder("=") != np.float32
    return np.dtype(np.float64 if wide else np.float32)


def inverse(displacement: NDArray[Any]) -> NDArray[Any]:
    """The flow back: ``v(q) = -u(q + v(q))``, by fixed-point iteration.

    Returns
    -------
    (ndim, *grid) float32
        NaN where no pixel of the first frame is known to have come to, as behind what moved away.

    Examples
    --------
    >>> displacement = np.zeros((2, 8, 8), np.float32)
    >>> displacement[0] = 1.0
    >>> np.round(inverse(displacement)[:, 4, 4].astype(float), 2).tolist()
    [-1.0, 0.0]
    """
    flow = spline(np.asarray(displacement, np.float64), order=1)
    back = np.zeros(displacement.shape, np.float64)
    inside = np.ones(displacement.shape[1:], bool)
    moved = np.inf
    for _ in range(_STEPS):
        values, _, inside = warp(flow, back)
        # Half steps converge where the flow changes by less than two pixels per pixel.
        step = -0.5 * (values + back)
        back += step
        moved = np.sqrt(np.sum(step**2, axis=0))
        if float(np.max(moved, initial=0.0)) < _CLOSE:
            break
    return np.where(inside & (moved < 0.1), back, np.nan).astype(np.float32)


def moved(points: NDArray[Any], displacement: NDArray[Any]) -> NDArray[np.float64]:
    """Points (n, ndim) of the first frame where they are in the second; NaN where not known.

    Examples
    --------
    >>> displacement = np.zeros((2, 8, 8), np.float32)
    >>> displacement[0] = 1.5
    >>> moved(np.array([[2.0, 3.0]]), displacement).tolist()
    [[3.5, 3.0]]
    """
    at = np.asarray(points, np.float64)
    values, _, inside = sample(spline(np.asarray(displacement, np.float64), order=1), at.T)
    return np.where(inside, at.T + values, np.nan).T


def jacobian(points: NDArray[Any], displacement: NDArray[Any]) -> NDArray[np.float64]:
    """Derivatives of `moved` at points, (n, ndim, ndim); NaN where not known.

    Examples
    --------
    >>> displacement = np.zeros((2, 8, 8), np.float32)
    >>> displacement[0] = np.arange(8)[:, None] / 2
    >>> jacobian(np.array([[2.5, 3.5]]), displacement).tolist()
    [[[1.5, 0.0], [0.0, 1.0]]]
    """
    at = np.asarray(points, np.float64).T
    flow = spline(np.asarray(displacement, np.float64), order=1)
    _, slopes, inside = sample(flow, at, slopes=True)
    assert slopes is not None
    change = np.eye(len(at))[..., None] + np.swapaxes(slopes, 0, 1)
    return np.moveaxis(np.where(inside, change, np.nan), -1, 0)


def _nearest(values: NDArray[Any], displacement: NDArray[Any]) -> NDArray[Any]:
    shape = displacement.shape[1:]
    known = np.isfinite(displacement).all(axis=0)
    index = []
    for axis, length in enumerate(shape):
        at = np.arange(length).reshape(-1, *(1,) * (len(shape) - 1 - axis))
        goal = np.rint(at + np.where(known, displacement[axis], 0)).astype(np.int64)
        known &= (goal >= 0) & (goal < length)
        index.append(np.clip(goal, 0, length - 1))
    return np.where(known, values[:, *index], values.dtype.type(0))
