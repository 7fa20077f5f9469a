"""Colours as luminance and chroma: linear, so that luminance comes back as it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luminance Y of YUV and YIQ (ITU-R BT.601)."""


def luminance_of(colours: ArrayLike) -> FloatArray:
    """``Y = 0.299 R + 0.587 G + 0.114 B`` of colours (..., 3 or more).

    Examples
    --------
    >>> luminance_of([[1.0, 0.0, 0.0], [0.5, 0.5, 0.5]]).round(3).tolist()
    [0.299, 0.5]
    """
    return np.asarray(np.asarray(colours, np.float64)[..., :3] @ np.array(LUMA))


def chroma_of(colours: ArrayLike) -> FloatArray:
    """R - Y and B - Y of colours (..., 3 or more): the plane of U and V, and of I and Q.

    Examples
    --------
    >>> chroma_of([1.0, 0.0, 0.0]).round(3).tolist()
    [0.701, -0.299]
    """
    rgb = np.asarray(colours, np.float64)
    return np.asarray(rgb[..., [0, 2]] - luminance_of(rgb)[..., None])


def coloured(luminance: FloatArray, chroma: FloatArray) -> FloatArray:
    """Red, green and blue of a luminance and a chroma; the luminance is kept.

    Where a colour would lie outside 0 to 1, its chroma is made smaller until it does not: clipping
    would change the luminance. Where the luminance itself lies outside, the pixel is grey.

    Parameters
    ----------
    luminance : (...) ndarray
    chroma : (..., 2) ndarray
        R - Y and B - Y.

    Returns
    -------
    (..., 3) ndarray

    Examples
    --------
    >>> coloured(np.array([0.5, 0.9]), np.array([[0.2, 0.0], [0.2, 0.0]])).round(3).tolist()
    [[0.7, 0.398, 0.5], [1.0, 0.849, 0.9]]
    """
    red, green, blue = LUMA
    apart = np.stack(
        [
            chroma[..., 0],
            -(red * chroma[..., 0] + blue * chroma[..., 1]) / green,
            chroma[..., 1],
        ],
        axis=-1,
    )
    grey = luminance[..., None]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        room = np.where(apart > 0, (1 - grey) / apart, np.where(apart < 0, grey / -apart, np.inf))
    least = np.clip(np.nan_to_num(room.min(axis=-1), nan=0.0), 0.0, 1.0)
    return np.asarray(grey + least[..., None] * apart)
