"""Windows: the weights of a window along each axis, or of a window of any form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.derivatives import gaussian_taps

FloatArray = NDArray[np.float64]
_WIDEST = 32_767


def gaussian_window(sigmas: Sequence[float]) -> tuple[FloatArray, ...]:
    """Weights ``exp(-u^2 / (2 sigma^2))`` along each axis, their sum one, cut at four sigma.

    Parameters
    ----------
    sigmas : sequence of float
        Standard deviation along each axis in pixels; 0 leaves an axis as it is.

    Raises
    ------
    ValueError
        Where one is negative, not finite or larger than 8,000 pixels.

    Examples
    --------
    >>> [len(taps) for taps in gaussian_window((1.0, 0.0))]
    [9, 1]
    """
    for sigma in sigmas:
        if not 0 <= sigma <= _WIDEST / 4:
            raise ValueError(
                f"A Gaussian of sigma {sigma:g} pixels was asked for; give 0 to {_WIDEST // 4:,}."
            )
    return tuple(gaussian_taps(float(sigma)) for sigma in sigmas)


def box_window(widths: Sequence[float]) -> tuple[FloatArray, ...]:
    """Equal weights over a width along each axis, their sum one.

    A pixel counts as far as it lies inside the width around the centre: 3 is three pixels, 4 is
    three and half a pixel at either end, so that a box of any width lies around its pixel.

    Parameters
    ----------
    widths : sequence of float
        Whole width along each axis in pixels; 1 and less leaves an axis as it is.

    Raises
    ------
    ValueError
        Where one is not above 0, not finite or larger than 32,767 pixels.

    Examples
    --------
    >>> (4 * box_window([4.0])[0]).tolist()
    [0.5, 1.0, 1.0, 1.0, 0.5]
    """
    found = []
    for width in widths:
        if not 0 < width <= _WIDEST:
            raise ValueError(
                f"A box of {width:g} pixels was asked for; give more than 0, and up to {_WIDEST:,}."
            )
        radius = max(0, int(np.ceil((width - 1) / 2)))
        taps = np.ones(2 * radius + 1)
        taps[[0, -1]] = (width - (2 * radius - 1)) / 2 if radius else 1.0
        taps /= taps.sum()
        found.append(taps)
    return tuple(found)


def window_of(image: ArrayLike, ndim: int) -> FloatArray:
    """A window given as an image: its weights, checked.

    Without negative weights their sum becomes one, for then it has no meaning; with some it stays.

    Parameters
    ----------
    image : array_like
        Weights, an odd number of pixels along each axis.
    ndim : int
        Axes of the frames that it is for.

    Raises
    ------
    ValueError
        Where it has other axes than the frames, an even number of pixels along one, or weights
        that are not finite or all zero.

    Examples
    --------
    >>> window_of([[1, 2, 1]], 2).tolist()
    [[0.25, 0.5, 0.25]]
    """
    kernel = np.array(image, np.float64)
    if kernel.ndim != ndim:
        raise ValueError(
            f"The kernel image has {kernel.ndim} axes, but the frames have {ndim}; give one with "
            "as many axes as a frame."
        )
    if any(length % 2 == 0 for length in kernel.shape):
        size = " x ".join(map(str, kernel.shape))
        raise ValueError(
            f"The kernel image has {size} pixels; an odd number along each axis is needed, so that "
            "it has a pixel in its middle."
        )
    if not np.isfinite(kernel).all():
        raise ValueError("The kernel image has missing or infinite weights; give finite ones.")
    if not kernel.any():
        raise ValueError("All weights of the kernel image are 0; give some that are not.")
    return kernel if (kernel < 0).any() else kernel / kernel.sum()
