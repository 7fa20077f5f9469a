"""A quick answer: colours of a smaller image, brought back along neighbours of the large one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.colorization.affinity import Affinity, Form, affinity
from napari_framewise.numerics.colorization.kernels import bring_back, sweep
from napari_framewise.numerics.colorization.system import factored
from napari_framewise.numerics.window_moments import box_window, window_moments

FloatArray = NDArray[np.float64]
_PIXELS = 10_000
_SWEEPS = 4


def coarse_chroma(
    luminance: FloatArray,
    weights: Affinity,
    marked: NDArray[np.bool_],
    chroma: FloatArray,
    form: Form = "published",
) -> FloatArray:
    """Chroma of an image from that of its means over blocks, so that it takes a tenth of a second.

    Blocks are as large as leaves about 10,000 of them; one is marked where a pixel in it is, with
    the mean of those. Its colours are brought back by distance and luminance, and each pixel
    then takes the weighted mean of its neighbours, marked ones keeping theirs, in four sweeps.

    Parameters
    ----------
    luminance : (y, x)
        NaN is no data.
    weights : Affinity
        Of the image.
    marked : (y, x) ndarray of bool
    chroma : (y, x, c)
        Of the marked pixels.
    form : {"published", "correlation"}
        Of the weights of the small image.

    Returns
    -------
    (y, x, c) float64
        Near the solution of `factored`, not the same.

    Examples
    --------
    >>> grey, marked = np.zeros((4, 6)), np.eye(4, 6, dtype=bool)
    >>> red = np.full((4, 6, 1), 0.25)
    >>> coarse_chroma(grey, affinity(grey), marked, red)[..., 0].round(9).tolist()[0]
    [0.25, 0.25, 0.25, 0.25, 0.25, 0.25]
    """
    block = max(1, int(np.ceil(np.sqrt(luminance.size / _PIXELS))))
    known, marked = weights.known, marked & weights.known
    grey = _mean(np.where(known, luminance, 0.0), known, block)
    there = _mean(marked.astype(float), known, block) > 0
    small = np.stack(
        [
            _mean(np.where(marked, chroma[..., component], 0.0), marked, block)
            for component in range(chroma.shape[-1])
        ],
        axis=-1,
    )
    system = factored(affinity(grey, form), there)
    solved = system.solve(np.nan_to_num(small))
    out = _brought_back(luminance, grey, solved, block)
    out[marked] = chroma[marked]
    fixed = marked | ~known
    for number in range(_SWEEPS):
        sweep(weights.offsets, weights.weights, fixed, number % 2 == 1, out)
    out[~known] = 0.0
    return out


def _brought_back(
    luminance: FloatArray, grey: FloatArray, small: FloatArray, block: int
) -> FloatArray:
    """Chroma of the blocks around each pixel, weighted by distance and likeness of luminance.

    Joint bilateral upsampling (Kopf et al. 2007, ACM Trans. Graph. 26, 96).
    """
    known = np.isfinite(grey)
    values = np.where(known, grey, 0.0)
    spread = window_moments(values[None], box_window((3, 3)), known[None]).variance()[0]
    floor = 1e-6 * float(np.ptp(values[known])) ** 2 if known.any() else 1.0
    width = np.maximum(np.nan_to_num(spread), floor or 1.0)
    shown = np.where(np.isfinite(luminance), luminance, 0.0)
    out = np.empty((*luminance.shape, small.shape[-1]))
    bring_back(shown, values, width, known, np.ascontiguousarray(small), block, out)
    return out


def _mean(values: FloatArray, use: NDArray[np.bool_], block: int) -> FloatArray:
    """Means of the pixels in use over blocks; NaN where there are none."""
    sums = _sums(np.where(use, values, 0.0), block)
    counts = _sums(use.astype(float), block)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / counts


def _sums(values: FloatArray, block: int) -> FloatArray:
    rows, columns = (range(0, length, block) for length in values.shape)
    by_rows = np.add.reduceat(values, rows, axis=0)
    return np.asarray(np.add.reduceat(by_rows, columns, axis=1))
