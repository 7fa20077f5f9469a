"""Moments of two images by plain window sums about one value of each: fast, for local contrast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.normalised_convolution import summed
from napari_framewise.numerics.window_moments.moments import Comoments, usable
from napari_framewise.numerics.window_moments.window import Window

FloatArray = NDArray[np.float64]


def pivoted_comoments(
    first: ArrayLike,
    second: ArrayLike,
    window: Window,
    mask: ArrayLike | None = None,
    *,
    about: tuple[ArrayLike, ArrayLike] | None = None,
) -> Comoments:
    """Moments of two images in a window around each pixel, from sums about a pivot.

    Parameters
    ----------
    first, second : (n, *grid)
        Any real dtype; NaN and infinite values are no data.
    window : Window
        Symmetric, of as many axes as the grid.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.
    about : pair of (n,), optional
        What is subtracted from both before sums are taken; by default the mean of each frame. A
        part of a frame gives the bits of the frame where it is given.

    Returns
    -------
    Comoments
        As `window_comoments` gives them, in a third of its time or less, but with
        ``S = sum (x - p)^2 - (sum (x - p))^2 / n``: sums of squares are off by up to about 1e-15
        times the squared distance of the values in the window from the pivot p. Where windows vary
        by less than 1e-6 of that distance, take `window_comoments`.

    Raises
    ------
    ValueError
        Where window, mask or the images do not fit each other.

    Examples
    --------
    >>> from napari_framewise.numerics.window_moments import box_window
    >>> first = np.arange(5.0).reshape(1, 1, 5)
    >>> found = pivoted_comoments(first, -2 * first, box_window((1, 3)))
    >>> found.covariance()[0, 0].round(3).tolist()
    [-0.5, -1.333, -1.333, -1.333, -0.5]
    """
    total = pivoted_sums(first, second, window, mask, about=about)
    count, sums = total.count, total.sums
    there = count > 0
    scale = np.divide(1.0, count, out=np.full_like(count, np.nan), where=there)
    mean_a, mean_b = (each * scale for each in sums)
    return Comoments(
        count,
        mean_a + total.pivots[0],
        mean_b + total.pivots[1],
        np.maximum(total.squares[0] - sums[0] * mean_a, 0.0),
        np.maximum(total.squares[1] - sums[1] * mean_b, 0.0),
        total.products - sums[0] * mean_b,
    )


@dataclass(frozen=True, eq=False)
class Sums:
    """Window sums of two images about a pivot of each.

    Attributes
    ----------
    count : (n, *grid) float64
        Sums of the weights of pixels with data in both.
    pivots : pair of (n, 1, ...) float64
        What was subtracted from both.
    sums, squares : pair of (n, *grid) float64
        Sums of the differences from the pivots, and of their squares.
    products : (n, *grid) float64
        Sums of their products.
    """

    count: FloatArray
    pivots: tuple[FloatArray, FloatArray]
    sums: tuple[FloatArray, FloatArray]
    squares: tuple[FloatArray, FloatArray]
    products: FloatArray


def pivoted_sums(
    first: ArrayLike,
    second: ArrayLike,
    window: Window,
    mask: ArrayLike | None = None,
    *,
    about: tuple[ArrayLike, ArrayLike] | None = None,
) -> Sums:
    """What `pivoted_comoments` makes its moments of.

    Examples
    --------
    >>> from napari_framewise.numerics.window_moments import box_window
    >>> pivoted_sums([[[1.0, 3.0]]], [[[2.0, 2.0]]], box_window((1, 3))).sums[0].tolist()
    [[[0.0, 0.0]]]
    """
    a, use = usable(first, mask, window)
    b, both = usable(second, mask, window)
    if a.shape != b.shape:
        raise ValueError(
            f"The images have the shapes {a.shape} and {b.shape}; two of one shape are needed."
        )
    use *= both
    full = np.asarray(use.reshape(len(use), -1).all(axis=1))
    taps = [np.asarray(each) for each in window.weights]
    given = (frame_means(a, use), frame_means(b, use)) if about is None else about
    lift_a, lift_b = (
        np.asarray(each, np.float64).reshape(-1, *(1,) * (a.ndim - 1)) for each in given
    )
    for values, lift in ((a, lift_a), (b, lift_b)):
        values -= lift
        if not full.all():
            values *= use
    return Sums(
        _counts(use, full, taps),
        (lift_a, lift_b),
        (summed(a, taps), summed(b, taps)),
        (summed(a * a, taps), summed(b * b, taps)),
        summed(a * b, taps),
    )


def frame_means(values: FloatArray, use: FloatArray) -> FloatArray:
    """Mean of each frame's pixels in use; 0 where there are none.

    Examples
    --------
    >>> frame_means(np.array([[1.0, 2.0], [3.0, 9.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])).tolist()
    [1.5, 0.0]
    """
    axes = tuple(range(1, values.ndim))
    return np.asarray((values * use).sum(axis=axes) / np.maximum(use.sum(axis=axes), 1.0))


def _counts(use: FloatArray, full: NDArray[np.bool_], taps: list[FloatArray]) -> FloatArray:
    """Sums of the weights; of frames without gaps from those along each axis."""
    grid = use.shape[1:]
    whole = np.ones((1,) * len(grid))
    for axis, (weights, length) in enumerate(zip(taps, grid, strict=True)):
        line = np.convolve(np.ones(length), weights)[len(weights) // 2 :][:length]
        whole = whole * line.reshape(*(-1 if n == axis else 1 for n in range(len(grid))))
    count = np.empty_like(use)
    count[full] = whole
    if not full.all():
        count[~full] = summed(use[~full], taps)
    return count
