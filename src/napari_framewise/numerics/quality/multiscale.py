"""Structural similarity over several scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.quality.structural import WANG_2004, Variant, mean_over, ssim

FloatArray = NDArray[np.float64]
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, the finest first (Wang, Simoncelli and Bovik 2003)."""


def ms_ssim(
    truth: ArrayLike,
    image: ArrayLike,
    peak: float,
    variant: Variant = WANG_2004,
    mask: ArrayLike | None = None,
) -> FloatArray:
    """Multi-scale structural similarity of each frame.

    Parameters
    ----------
    truth, image : (n, *grid)
        Any real dtype; NaN and infinite values are no data.
    peak : float
        Range of values that L stands for.
    variant : Variant
        Window, variance, border and constants of every scale.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.

    Returns
    -------
    (n,) float64
        NaN where the coarsest scale holds no whole window: the shortest side of a frame needs
        `least_side` pixels (161). A scale whose mean of contrast times structure is negative counts
        as 0, for it has no real power.

    Raises
    ------
    ValueError
        As `ssim`.

    Notes
    -----
    ``l_5^w5 * prod_j (c s)_j^wj`` with the exponents of `WEIGHTS`, luminance at the coarsest scale
    alone; from one scale to the next, squares of 2 pixels a side are averaged (Wang, Simoncelli
    and Bovik 2003, *Asilomar Conference on Signals, Systems and Computers*, equation 7 and their
    msssim.m, in which the coarsest scale enters as the mean of ``l c s``).

    Examples
    --------
    >>> truth = np.random.default_rng(0).uniform(0, 255, (1, 176, 176))
    >>> float(ms_ssim(truth, truth, 255)[0])
    1.0
    """
    first, second = (np.array(each, np.float64) for each in (truth, image))
    known = np.isfinite(first) & np.isfinite(second)
    if mask is not None:
        use = np.asarray(mask)
        known &= (use != 0) & (use == use)
    first[~known] = np.nan
    second[~known] = np.nan
    product = np.ones(len(first))
    for scale, weight in enumerate(WEIGHTS):
        found = ssim(first, second, peak, variant)
        last = scale == len(WEIGHTS) - 1
        values = found.values if last else found.contrast * found.structure
        product *= np.maximum(mean_over(values, found.counted), 0.0) ** weight
        if not last:
            first, second = halved(first), halved(second)
    return product


def least_side(variant: Variant = WANG_2004) -> int:
    """Shortest side of a frame, in pixels, that `ms_ssim` takes.

    Examples
    --------
    >>> least_side()
    161
    """
    return int((variant.size - 1) * 2 ** (len(WEIGHTS) - 1)) + 1


def halved(frames: FloatArray) -> FloatArray:
    """Means of the known pixels in squares of 2 a side; an odd last row stands for itself.

    Examples
    --------
    >>> halved(np.array([[[1.0, 3.0, 7.0], [np.nan, 5.0, 7.0]]])).tolist()
    [[[3.0, 7.0]]]
    """
    known = np.isfinite(frames)
    count, total = known.astype(np.float64), np.where(known, frames, 0.0)
    for axis in range(1, frames.ndim):
        if frames.shape[axis] < 2:
            continue
        starts = np.arange(0, frames.shape[axis], 2)
        count, total = (np.add.reduceat(each, starts, axis=axis) for each in (count, total))
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
