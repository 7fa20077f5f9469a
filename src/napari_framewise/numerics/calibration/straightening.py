"""Images straightened by a field: one pass that finds the displacement as it goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.bsplines import Lattice
from napari_framewise.numerics.calibration import kernels
from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.interpolation import Spline

Array = NDArray[np.float64]


def straight_image(image: Spline, lattice: Lattice, plane: Array, hull: Array) -> NDArray[Any]:
    """An image on the pixels where it would lie without distortion.

    ``out[p] = image(p + d(p))`` within the hull, without an array of displacements between.

    Parameters
    ----------
    image : Spline
        Cubic, of 2 axes.
    lattice : Lattice
        Of the displacement, cubic along rows and columns, over the output's pixels.
    plane : (2, *lattice.shape) float64
        Coefficients of the displacement (down, right), in pixels.
    hull : (n, 3) float64
        Half planes ``a y + b x + c <= 0`` within which it is known; none: everywhere.

    Returns
    -------
    (channels, y, x)
        In the spline's float type, of the shape of the image; NaN where there are no data.

    Examples
    --------
    >>> from napari_framewise.numerics.bsplines import Axis
    >>> from napari_framewise.numerics.interpolation import spline
    >>> image = spline(np.arange(30.0).reshape(1, 5, 6))
    >>> lattice = Lattice((Axis(0.0, 4.0, 1), Axis(0.0, 5.0, 1)))
    >>> down = np.stack([np.ones((4, 4)), np.zeros((4, 4))])
    >>> straight_image(image, lattice, down, np.empty((0, 3)))[0, 1].round(6).tolist()
    [12.0, 13.0, 14.0, 15.0, 16.0, 17.0]
    """
    rows, columns = image.shape
    along_rows = np.tensordot(lattice.axes[0].design(np.arange(rows)).toarray(), plane, (1, 1))
    first, weights = lattice.axes[1].taps(np.arange(columns))
    kind = image.coefficients.dtype.name
    out = np.empty(image.coefficients.shape, kind)
    valid = image.valid if image.valid is not None else np.empty((0, 0), np.bool_)
    compiled(
        kernels.straight_rows,
        f"{kind}/3",
        "bool/2",
        "float64/3",
        "int64/1",
        "float64/2",
        "int64/2",
        f"={kind}/3",
    )(
        image.coefficients,
        valid,
        np.ascontiguousarray(np.moveaxis(along_rows, 1, 0)),
        first,
        weights,
        row_ends(hull, (rows, columns)),
        out,
    )
    return out


def row_ends(hull: Array, shape: tuple[int, int]) -> NDArray[np.int64]:
    """First pixel of each row within half planes, and the one after the last, (rows, 2).

    Examples
    --------
    >>> hull = np.array([[0.0, -1, 1.5], [0, 1, -3], [1, 0, -1]])
    >>> row_ends(hull, (3, 6)).tolist()
    [[2, 4], [2, 4], [0, 0]]
    """
    rows, columns = shape
    y = np.arange(rows, dtype=np.float64)
    low, high = np.zeros(rows), np.full(rows, columns - 1.0)
    for down, right, offset in hull:
        rest = down * y + offset
        if right > 0:
            high = np.minimum(high, np.floor(-rest / right))
        elif right < 0:
            low = np.maximum(low, np.ceil(-rest / right))
        else:
            high = np.where(rest <= 0, high, -1.0)
    empty = high < low
    ends = np.stack([np.where(empty, 0, low), np.where(empty, 0, high + 1)], axis=1)
    return np.ascontiguousarray(ends, np.int64)
