"""Least and greatest value of a box, axis after axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def extreme(
    values: NDArray[Any], valid: NDArray[np.bool_] | None, sides: Sequence[int], least: bool
) -> NDArray[Any]:
    """Least or greatest value of the pixels with data in a box around each pixel.

    Parameters
    ----------
    values : (n, *grid)
        Native integers or floats.
    valid : (n, *grid) bool, optional
        Pixels with data; None: all.
    sides : sequence of int
        Odd sides of the box.
    least : bool
        The least, else the greatest.

    Returns
    -------
    (n, *grid) float
        Of float32 where the values are, else of float64; NaN where a box holds no data.

    Examples
    --------
    >>> extreme(np.array([[[3, 1, 2, 9]]]), None, (1, 3), True).tolist()
    [[[1.0, 1.0, 1.0, 2.0]]]
    """
    dtype = values.dtype
    if dtype.kind == "f":
        nothing: Any = np.inf if least else -np.inf
    else:
        info = np.iinfo(dtype)
        nothing = info.max if least else info.min
    found = values if valid is None else np.where(valid, values, np.array(nothing, dtype))
    along = ndimage.minimum_filter1d if least else ndimage.maximum_filter1d
    some = None if valid is None else valid.view(np.uint8)
    for axis, side in enumerate(sides, start=1):
        length = min(side, 2 * values.shape[axis] - 1)
        if length > 1:
            found = along(found, length, axis, mode="constant", cval=nothing)
            if some is not None:
                some = ndimage.maximum_filter1d(some, length, axis, mode="constant", cval=0)
    out = found.astype(np.float32 if dtype == np.float32 else np.float64)
    if some is not None:
        out[some == 0] = np.nan
    return out
