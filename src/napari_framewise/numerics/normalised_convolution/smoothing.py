"""Normalised convolution: smoothing in which every pixel counts by its certainty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.normalised_convolution import kernels
from napari_framewise.numerics.normalised_convolution.certainty import certainty_of
from napari_framewise.numerics.normalised_convolution.sums import least, summed

FloatArray = NDArray[np.float64]


class Smoothed(NamedTuple):
    """What normalised convolution gives.

    Attributes
    ----------
    values : (n, *grid) float64
        NaN where no pixel under the window counts.
    confidence : (n, *grid) float64
        How much of the window's weight lies on pixels that count, times their certainty: 0 to 1.
    """

    values: FloatArray
    confidence: FloatArray


def smoothed(
    frames: ArrayLike,
    window: Sequence[FloatArray] | FloatArray,
    *,
    mask: ArrayLike | None = None,
    confidence: ArrayLike | None = None,
    border_normalised: bool = False,
) -> Smoothed:
    """Smooth frames by what is known of them.

    With weights a of the window and certainty c (0 where a value is missing, masked or not finite),
    ``g(x) = sum_u a(u) c(x - u) f(x - u) / sum_u a(u) c(x - u)``, and the confidence is
    ``sum_u a(u) c(x - u) / sum_u a(u)``. Past the border nothing is known. Sums run directly over
    the window, so no result leaves the range of the values that count under it, rounding included.
    A window with negative weights is taken as the difference of two without, each normalised, so
    that it is exact on complete data and on constants whatever is missing; its confidence is the
    lower one.

    Parameters
    ----------
    frames : (n, *grid)
        Any real dtype; 2 or 3 axes of the grid.
    window : sequence of (k,) arrays or (*k) array
        Taps along each axis, or the weights of a window of any form, odd in number.
    mask : (n or 1, *grid), optional
        Neither 0 nor NaN = use this pixel.
    confidence : (n or 1, *grid), optional
        Certainty of each pixel, 0 to 1.
    border_normalised : bool
        Count only the part of the window inside the frame in the confidence, which then is 1 up to
        the border of complete data; else it falls to a half along an edge.

    Returns
    -------
    Smoothed
        Values and confidence.

    Raises
    ------
    ValueError
        Where frames are no real numbers, or mask or confidence do not fit.

    References
    ----------
    Knutsson, H. & Westin, C.-F. (1993). Normalized and differential convolution. CVPR, 515-523.

    Examples
    --------
    >>> from napari_framewise.numerics.normalised_convolution import box_window
    >>> found = smoothed([[[1.0, np.nan, 3.0]]], box_window([1, 3]))
    >>> found.values.tolist(), np.round(found.confidence, 3).tolist()
    ([[[1.0, 2.0, 3.0]]], [[[0.333, 0.667, 0.333]]])
    """
    block = np.ascontiguousarray(real_array(frames, "frames"), np.float64)
    certainty = certainty_of(block.shape, mask, confidence)
    if isinstance(window, np.ndarray):
        parts = [(sign, np.maximum(sign * window, 0)) for sign in (1, -1)]
        found = [
            (sign * part.sum(), _normalised(block, certainty, part / part.sum(), border_normalised))
            for sign, part in parts
            if part.any()
        ]
    else:
        found = [(1.0, _normalised(block, certainty, window, border_normalised))]
    if len(found) == 1:
        gain, (values, known) = found[0]
        return Smoothed(values if gain > 0 else gain * values, known)
    values = sum(gain * each.values for gain, each in found)
    return Smoothed(np.asarray(values), np.minimum(*(each.confidence for _, each in found)))


def reach_of(window: Sequence[FloatArray] | FloatArray) -> tuple[int, ...]:
    """Pixels along each axis beyond its own place that a result depends on.

    Examples
    --------
    >>> reach_of(np.ones((5, 3)))
    (2, 1)
    """
    lengths = window.shape if isinstance(window, np.ndarray) else [len(taps) for taps in window]
    return tuple(length // 2 for length in lengths)


def _normalised(
    block: FloatArray,
    certainty: FloatArray,
    window: Sequence[FloatArray] | FloatArray,
    border_normalised: bool,
) -> Smoothed:
    n = len(block)
    weighted, used, low, high = (np.empty(block.shape) for _ in range(4))
    flat = [each.reshape(n, -1) for each in (weighted, used, low, high)]
    kinds = ("float64/2", "float64/2", *["=float64/2"] * 4)
    compiled(kernels.weighed, *kinds)(
        block.reshape(n, -1), certainty.reshape(len(certainty), -1), *flat
    )
    radii = reach_of(window)
    weighted, used = _sums(weighted, window), _sums(used, window)
    for each in (low, high):
        least(each, radii)
    ratios = compiled(kernels.ratios, "=float64/1", *["float64/1"] * 3)
    ratios(*(each.ravel() for each in (weighted, used, low, high)))
    if border_normalised:
        used /= _sums(np.ones((1, *block.shape[1:])), window)
    return Smoothed(weighted, np.minimum(used, 1.0, out=used))


def _sums(planes: FloatArray, window: Sequence[FloatArray] | FloatArray) -> FloatArray:
    if not isinstance(window, np.ndarray):
        return summed(planes, window)
    volumes = planes[:, None] if planes.ndim == 3 else planes
    weights = window[None] if window.ndim == 2 else window
    turned = np.ascontiguousarray(weights[::-1, ::-1, ::-1])
    around = [(length // 2, length // 2) for length in turned.shape]
    kernel = compiled(kernels.dense, "float64/3", "float64/3", "=float64/3")
    out = np.empty(volumes.shape)
    for volume, target in zip(volumes, out, strict=True):
        kernel(np.pad(volume, around), turned, target)
    return out.reshape(planes.shape)
