"""Histogram matching: every frame gets the distribution of values that a reference has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import real_array

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """A distribution of values.

    Attributes
    ----------
    values : (m,) float64
        The values that occur, rising.
    shares : (m,) float64
        Share of the pixels up to and with each.
    """

    values: FloatArray
    shares: FloatArray


def levels_of(frame: ArrayLike, mask: ArrayLike | None = None) -> Levels:
    """The distribution of the finite pixels of a frame, within a mask of its shape if there is one.

    Raises
    ------
    ValueError
        Where no pixel holds data.

    Examples
    --------
    >>> found = levels_of(np.array([[1.0, 2.0], [2.0, 5.0]]))
    >>> match_levels(np.array([[[10.0, 20.0], [20.0, 50.0]]]), found).tolist()
    [[[1.0, 2.0], [2.0, 5.0]]]
    """
    kept = _kept(real_array(frame, "frame's values"), mask)
    if not kept.size:
        raise ValueError("The reference frame holds no pixel with data; choose another frame.")
    values, counts = np.unique(kept, return_counts=True)
    return Levels(values.astype(np.float64), np.cumsum(counts) / kept.size)


def match_levels(frames: ArrayLike, reference: Levels, mask: ArrayLike | None = None) -> FloatArray:
    """Give each frame the distribution of values of a reference (Fiji's Histogram Matching).

    A value is mapped to that at the same share of the pixels, interpolated linearly between those
    that occur (Gonzalez & Woods, 2018, Digital Image Processing, section 3.3, with interpolation).
    The order of a frame's pixels stays; their proportions do not.

    Parameters
    ----------
    frames : (n, *frame_shape)
        Any real dtype. NaN and infinite pixels take no part and become NaN.
    reference : Levels
        From `levels_of`.
    mask : array_like, optional
        Pixels whose distribution is matched, non-zero = use, of a frame's shape or one for each;
        all pixels are mapped.

    Returns
    -------
    (n, *frame_shape) float64
        NaN for frames without data.

    Examples
    --------
    >>> reference = levels_of(np.array([[0.0, 4.0]]))
    >>> match_levels(np.array([[[1.0, 2.0]]]), reference).tolist()
    [[[0.0, 4.0]]]
    """
    block = real_array(frames, "frames")
    out = np.full(block.shape, np.nan)
    masks = None if mask is None else np.broadcast_to(np.asarray(mask) != 0, block.shape)
    for number, frame in enumerate(block):
        kept = _kept(frame, None if masks is None else masks[number])
        if not kept.size:
            continue
        values, counts = np.unique(kept, return_counts=True)
        shares = np.cumsum(counts) / kept.size
        known = np.isfinite(frame)
        at = np.interp(frame[known].astype(np.float64), values.astype(np.float64), shares)
        out[number][known] = np.interp(at, reference.shares, reference.values)
    return out


def _kept(frame: NDArray[Any], mask: ArrayLike | None) -> NDArray[Any]:
    known = np.isfinite(frame)
    if mask is not None:
        known &= np.broadcast_to(np.asarray(mask) != 0, frame.shape)
    return np.asarray(frame[known])
