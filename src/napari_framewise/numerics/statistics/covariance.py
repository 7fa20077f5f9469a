"""Covariance between channels, over all pixels that hold data in every channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.rows import as_rows
from napari_framewise.numerics.statistics import kernels
from napari_framewise.numerics.statistics.moments import Weights, moments_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CrossMoments:
    """Sums of products between channels, image by image.

    Attributes
    ----------
    count : (n,) int64
        Pixels with data in every channel.
    centre : (n, C) int64 or float64
        What was subtracted first; 0 for integers of up to 16 bits.
    sums : (n, C)
        Sums of ``x - centre``, exact for integers of up to 16 bits.
    cross : (n, C, C)
        Sums of products of those; the lower triangle is filled.
    unit : (n, C) float64
        Power of two that values, centre and sums are counted in, so that products stay within
        float64: 1 but for enormous values.
    """

    count: NDArray[np.int64]
    centre: NDArray[Any]
    sums: NDArray[Any]
    cross: NDArray[Any]
    unit: FloatArray


def cross_moments(
    frames: ArrayLike, *, channel_axis: int, mask: ArrayLike | None = None
) -> CrossMoments:
    """Sums of products between the channels of each image; arguments as for `moments`.

    Examples
    --------
    >>> colours = np.array([[[1.0, 2.0], [3.0, 6.0]]])
    >>> covariance(cross_moments(colours, channel_axis=-1)).tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    rows = as_rows(frames, channel_axis)
    exact = rows.values.dtype.kind in "ui" and rows.values.dtype.itemsize <= 2
    n, channels = rows.n, rows.channels
    kind = np.int64 if exact else np.float64
    centre: NDArray[Any] = np.zeros((n, channels), kind)
    unit = np.ones((n, channels))
    use = rows.mask_rows(mask)
    pixels = _by_pixel(rows.values, n, channels, rows.period)
    if not exact:
        found = moments_of(rows, mask)
        centre[...] = np.nan_to_num(found.mean)
        if found.unit is not None and (found.unit > 1).any():
            unit = np.maximum(found.unit, 1.0)
            pixels, centre = pixels / unit[:, None], centre / unit
    if use.shape[1]:
        use = _by_pixel(use, len(use) // rows.rows_per_frame, channels, rows.period)
    else:
        use = np.empty((1, 0, 0), np.uint8)
    count = np.zeros(n, np.int64)
    sums, cross = np.zeros((n, channels), kind), np.zeros((n, channels, channels), kind)
    kernels.cross_sums(pixels, use, centre, count, sums, cross)
    return CrossMoments(count, centre, sums, cross, unit)


def join_cross_moments(parts: Sequence[CrossMoments]) -> CrossMoments:
    """Those of consecutive blocks as one.

    Examples
    --------
    >>> colours = np.array([[[1.0, 2.0], [3.0, 6.0]]])
    >>> part = cross_moments(colours, channel_axis=-1)
    >>> covariance(join_cross_moments([part, part])).tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    names = ("count", "centre", "sums", "cross", "unit")
    return CrossMoments(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def covariance(parts: CrossMoments, weights: Weights = "pixels") -> FloatArray:
    """Covariance matrix (C, C) over all images, with the number of pixels as divisor.

    By pixels, integers of up to 16 bits give correctly rounded elements. NaN where no pixel holds
    data in every channel; infinite where an element is beyond float64.

    Examples
    --------
    >>> colours = np.array([[[0.0, 1.0], [2.0, 1.0]]])
    >>> covariance(cross_moments(colours, channel_axis=-1)).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    channels = parts.sums.shape[1]
    found = np.full((channels, channels), np.nan)
    known = parts.count > 0
    if not known.any():
        return found
    count = parts.count[known]
    centre, sums, cross = parts.centre[known], parts.sums[known], parts.cross[known]
    exact = parts.cross.dtype.kind == "i" and weights == "pixels"
    pixels = int(count.sum())
    unit = parts.unit[known].max(axis=0)
    if (parts.unit[known] != 1).any():
        share_of_unit = parts.unit[known] / unit
        centre, sums = centre * share_of_unit, sums * share_of_unit
        cross = cross * (share_of_unit[:, :, None] * share_of_unit[:, None, :])
    inner = cross - sums[:, :, None] * (sums[:, None, :] / count[:, None, None])
    means = centre + sums / count[:, None]
    share = count if weights == "pixels" else np.ones(len(count))
    whole = math.fsum(share)
    scale = 1.0 if weights == "pixels" else 1.0 / count
    middle = np.array([math.fsum(share * column) / whole for column in means.T])
    for a in range(channels):
        for b in range(a + 1):
            if exact:
                sum_a, sum_b = (sum(map(int, sums[:, each])) for each in (a, b))
                products = sum(map(int, cross[:, a, b]))
                value = float(Fraction(pixels * products - sum_a * sum_b, pixels**2))
            else:
                outer = share * (means[:, a] - middle[a]) * (means[:, b] - middle[b])
                value = (math.fsum(inner[:, a, b] * scale) + math.fsum(outer)) / whole
                with np.errstate(over="ignore"):
                    value = float(np.float64(value) * unit[a] * unit[b])
            found[a, b] = found[b, a] = value
    return found


def _by_pixel(rows: NDArray[Any], n: int, channels: int, period: int) -> NDArray[Any]:
    """Rows as (n, pixels, channels), without a copy."""
    if period == channels:
        return rows.reshape(n, rows.shape[1] // channels, channels)
    return rows.reshape(n, channels, rows.shape[1]).transpose(0, 2, 1)
