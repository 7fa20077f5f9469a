"""Kernels of the quick answer: colours brought back to a large image, and smoothed along it."""

from __future__ import annotations

import math
from typing import Any

from napari_framewise.numerics.compiling import in_order

_FARTHEST = 30.0


@in_order
def bring_back(
    luminance: Any, grey: Any, width: Any, known: Any, small: Any, block: int, out: Any
) -> None:
    """Chroma of the blocks around each pixel, weighted by distance and difference of luminance.

    ``exp(-d^2 - (Y - Y_b)^2 / v_b)`` over 3 x 3 blocks b, with d in blocks (joint bilateral
    upsampling, Kopf et al. 2007).

    Parameters
    ----------
    luminance : (y, x)
        Of the pixels, finite.
    grey, width : (p, q)
        Y and v of the blocks.
    known : (p, q) of bool
        Blocks that hold data.
    small : (p, q, c)
        Chroma of the blocks.
    block : int
        Pixels of the side of a block.
    out : (y, x, c)
        Filled with chroma; 0 where no block around holds data.

    Examples
    --------
    >>> import numpy as np
    >>> flat, one = np.zeros((2, 2)), np.ones((1, 1))
    >>> out = np.empty((2, 2, 1))
    >>> bring_back(flat, 0 * one, one, one > 0, np.full((1, 1, 1), 5.0), 2, out)
    >>> out[..., 0].round(12).tolist()
    [[5.0, 5.0], [5.0, 5.0]]
    """
    rows, columns = grey.shape
    channels = small.shape[2]
    for i in range(luminance.shape[0]):
        at = (i + 0.5) / block - 0.5
        nearest = round(at)
        for j in range(luminance.shape[1]):
            across = (j + 0.5) / block - 0.5
            beside = round(across)
            total = 0.0
            for c in range(channels):
                out[i, j, c] = 0.0
            for down in range(nearest - 1, nearest + 2):
                p = min(max(down, 0), rows - 1)
                for right in range(beside - 1, beside + 2):
                    q = min(max(right, 0), columns - 1)
                    if not known[p, q]:
                        continue
                    apart = (luminance[i, j] - grey[p, q]) ** 2 / width[p, q]
                    near = (down - at) ** 2 + (right - across) ** 2
                    weight = math.exp(-near - min(apart, _FARTHEST))
                    total += weight
                    for c in range(channels):
                        out[i, j, c] += weight * small[p, q, c]
            if total > 0.0:
                for c in range(channels):
                    out[i, j, c] /= total


@in_order
def sweep(offsets: Any, weights: Any, fixed: Any, backwards: bool, values: Any) -> None:
    """Each pixel becomes the weighted mean of its neighbours, in place, one after the other.

    A sweep of Gauss and Seidel over ``U_r = sum_s w_rs U_s``.

    Parameters
    ----------
    offsets : (k, 2) of int
        Where the neighbours lie.
    weights : (k, y, x)
        Their weights, 0 beyond the border.
    fixed : (y, x) of bool
        Pixels that stay as they are.
    backwards : bool
        From the last pixel to the first.
    values : (y, x, c)
        Changed in place.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[[1.0], [0.0], [0.0]]])
    >>> weights = np.array([[[0.0, 1.0, 1.0]]])
    >>> sweep(np.array([[0, -1]]), weights, np.array([[True, False, False]]), False, values)
    >>> values[0, :, 0].tolist()
    [1.0, 1.0, 1.0]
    """
    height, width, channels = values.shape
    for n in range(height * width):
        pixel = height * width - 1 - n if backwards else n
        i, j = pixel // width, pixel % width
        if fixed[i, j]:
            continue
        for c in range(channels):
            total = 0.0
            for k in range(len(offsets)):
                weight = weights[k, i, j]
                if weight > 0.0:
                    total += weight * values[i + offsets[k, 0], j + offsets[k, 1], c]
            values[i, j, c] = total
