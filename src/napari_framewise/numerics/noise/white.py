"""Standard deviation of the white noise of one image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import eroded

BoolArray = NDArray[np.bool_]
_BLOCK = 8
# Of the blocks' medians, the quantile that is taken; the size of a standard normal response there
# over its standard deviation, by simulation of 2^24 pixels of white noise; fewest blocks.
_QUANTILE, _SIZE_THERE = 0.2, {1: 0.4583, 2: 0.5658, 3: 0.6230}
_FEWEST = 16
_MEDIAN_SIZE = 0.67449


def sigma_of_image(image: NDArray[Any], valid: BoolArray | None = None) -> float:
    """Standard deviation of white noise in one image, in the image's own units.

    The image is filtered by second differences along every axis, which leave nothing of a ramp
    and multiply white noise by ``6^(k / 2)`` for k axes (Immerkaer 1996, *Computer Vision and Image
    Understanding* 64, 300-302). The median size in each block of 8 pixels a side bears with
    impulses; of the blocks the lower fifth, where there is least texture, tells the noise.

    Parameters
    ----------
    image : (*grid) real
        One plane or volume, in any real dtype; NaN and infinite values are no data.
    valid : (*grid) bool, optional
        True = use this pixel.

    Returns
    -------
    float
        NaN where no pixel has data all around it. Noise that is correlated over pixels (a camera
        with colour filters, a smoothed or compressed image) reads too small: one image can't tell
        it from texture. Texture in all blocks makes it too large, and impulses in 2 % of the pixels
        add a fifth. Of noise that grows with the signal it is that of the flattest parts.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(100, 3, (128, 128))
    >>> abs(sigma_of_image(image) - 3) < 0.15
    True
    """
    values = np.asarray(image, np.float64)
    usable = np.isfinite(values) if valid is None else np.isfinite(values) & valid
    axes = [axis for axis, length in enumerate(values.shape) if length >= 3]
    if not axes:
        return float("nan")
    size = float(np.max(np.abs(values), where=usable, initial=0.0))
    if size == 0:
        return 0.0 if usable.any() else float("nan")
    # A power of two, so that units leave the same bits and extreme ones don't overflow.
    unit = float(2.0 ** np.floor(np.log2(size)))
    response = np.where(usable, values / unit, 0.0)
    for axis in axes:
        response = np.diff(response, n=2, axis=axis)
    inner = tuple(slice(1, -1) if axis in axes else slice(None) for axis in range(values.ndim))
    found = np.where(eroded(usable, 1)[inner], np.abs(response), np.nan)
    return unit * _flattest(found, len(axes)) / 6 ** (len(axes) / 2)


def _flattest(sizes: NDArray[np.float64], axes: int) -> float:
    """Standard deviation of responses from their sizes, where they are smallest; NaN = no data."""
    medians = _block_medians(sizes)
    if len(medians) >= _FEWEST:
        return float(np.quantile(medians, _QUANTILE)) / _SIZE_THERE[min(axes, 3)]
    known = sizes[np.isfinite(sizes)]
    return float(np.median(known)) / _MEDIAN_SIZE if known.size else float("nan")


def _block_medians(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Medians of whole blocks in which every value is known."""
    counts = [length // _BLOCK for length in sizes.shape]
    if 0 in counts:
        return np.empty(0)
    whole = sizes[tuple(slice(count * _BLOCK) for count in counts)]
    split = whole.reshape([part for count in counts for part in (count, _BLOCK)])
    order = (*range(0, split.ndim, 2), *range(1, split.ndim, 2))
    blocks = split.transpose(order).reshape(int(np.prod(counts)), -1)
    blocks = blocks[np.isfinite(blocks).all(axis=1)]
    return np.asarray(np.median(blocks, axis=1))
