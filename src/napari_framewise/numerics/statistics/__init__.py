"""Statistics of every image and of all images together: exact, and in one reading.

A block of images is measured by `moments`; blocks are joined and pooled::

    parts = join_moments([moments(block, channel_axis=-1) for block in blocks])
    whole = pool(parts)
    whole.mean, whole.std, whole.within, whole.between

Percentiles of everything take passes: count each block, add up, narrow::

    search = find_percentiles((1, 50, 99), blocks[0].dtype)
    while isinstance(search, Ranks):
        search = narrow(search, sum(count_ranks(block, search) for block in blocks))
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from napari_framewise.numerics.statistics.covariance import (
    CrossMoments,
    covariance,
    cross_moments,
    join_cross_moments,
)
from napari_framewise.numerics.statistics.moments import (
    Moments,
    Pooled,
    Weights,
    join_moments,
    moments,
    moments_of,
    pool,
)
from napari_framewise.numerics.statistics.order import (
    Ranks,
    count_ranks,
    find_percentiles,
    histogram,
    narrow,
    values_of_bins,
)

__all__ = [
    "CrossMoments",
    "Moments",
    "Pooled",
    "Ranks",
    "Weights",
    "count_ranks",
    "covariance",
    "cross_moments",
    "find_percentiles",
    "histogram",
    "join_cross_moments",
    "join_moments",
    "moments",
    "moments_of",
    "narrow",
    "pool",
    "values_of_bins",
    "warm_up",
]


def warm_up(dtype: DTypeLike = "uint16") -> None:
    """Compile or load the kernels that frames of a type need (1-3 s the first time)."""
    plain = np.ones((1, 2, 2), dtype)
    colour = np.ones((1, 2, 2, 3), dtype)
    for frames, axis in ((plain, None), (colour, -1)):
        moments(frames, channel_axis=axis)
        count_ranks(frames, find_percentiles(50, frames.dtype), channel_axis=axis)
    cross_moments(colour, channel_axis=-1)
