"""Certainty: how much each pixel counts, from masks, confidences and what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import real_array

FloatArray = NDArray[np.float64]


def certainty_of(
    shape: tuple[int, ...], mask: ArrayLike | None, confidence: ArrayLike | None
) -> FloatArray:
    """Certainty of the pixels of a block of frames, without a look at the frames themselves.

    Parameters
    ----------
    shape : tuple of int
        Of the block: (n, *grid).
    mask : array_like, optional
        Of the shape of the block, or (1, *grid) for all frames: neither 0 nor NaN = use this pixel.
    confidence : array_like, optional
        Of the same shapes: 0 to 1; NaN is 0.

    Returns
    -------
    (n or 1, *grid) float64
        From 0, not used, to 1.

    Raises
    ------
    ValueError
        Where a confidence lies outside 0 to 1, or one of them has another shape.

    Examples
    --------
    >>> certainty_of((1, 1, 3), [[[1, 0, 2]]], [[[0.5, 0.5, 1.0]]]).tolist()
    [[[0.5, 0.0, 1.0]]]
    """
    found = np.ones((1, *shape[1:]))
    if mask is not None:
        given = _in_step(mask, shape, "mask")
        found = found * ((given != 0) & (given == given))
    if confidence is not None:
        given = np.nan_to_num(_in_step(confidence, shape, "confidence"), nan=0.0)
        low, high = (float(given.min()), float(given.max())) if given.size else (0.0, 0.0)
        if low < 0 or high > 1:
            raise ValueError(
                f"The confidence holds values from {low:g} to {high:g}; give values from 0, not "
                "used, to 1."
            )
        found = found * given
    return found


def _in_step(given: ArrayLike, shape: tuple[int, ...], what: str) -> NDArray[Any]:
    array = real_array(given, what)
    if array.shape not in (shape, (1, *shape[1:])):
        raise ValueError(
            f"The {what} has the shape {array.shape}, but the frames have {shape}; give one image "
            "for each frame, or one for all."
        )
    return array
