"""Light of pixels that are coded by the curve of sRGB: averages of light are not those of codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def linear_light(codes: NDArray[Any], top: float = 1.0) -> NDArray[Any]:
    """Light of codes: the inverse of the curve of IEC 61966-2-1, on from 1 and mirrored at 0.

    Parameters
    ----------
    codes : ndarray
        Real numbers; NaN stays.
    top : float
        Code of white: 255 of 8 bits.

    Returns
    -------
    ndarray of float
        White is 1; float32 for float32, else float64.

    Examples
    --------
    >>> linear_light(np.array([0.0, 255.0]), 255.0).tolist()
    [0.0, 1.0]
    """
    given = np.asarray(codes) / np.asarray(top, codes.dtype if codes.dtype.kind == "f" else float)
    size = np.abs(given)
    light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.copysign(light, given), given.dtype)


def coded_light(light: NDArray[Any], top: float = 1.0) -> NDArray[Any]:
    """Codes of light, the way back of `linear_light`.

    Examples
    --------
    >>> coded_light(linear_light(np.array([0.25, -0.5]))).round(12).tolist()
    [0.25, -0.5]
    """
    given = np.asarray(light)
    size = np.abs(given)
    codes = np.where(size <= 0.0031308, 12.92 * size, 1.055 * size ** (1 / 2.4) - 0.055)
    return np.asarray(np.copysign(codes, given) * given.dtype.type(top), given.dtype)
