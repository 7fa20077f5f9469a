"""Mean, variance and covariance of the pixels in a window around each pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.rows import kernel_dtype
from napari_framewise.numerics.compiling import Kernel
from napari_framewise.numerics.window_moments.kernels import merge_comoments, merge_moments
from napari_framewise.numerics.window_moments.window import Window

FloatArray = NDArray[np.float64]
State = Sequence[FloatArray]


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of the pixels in a window around each pixel.

    Attributes
    ----------
    count : (n, *grid) float64
        Sum of the weights of the pixels with data: their number in a box.
    mean : (n, *grid) float64
        Their mean; NaN where there are none.
    squares : (n, *grid) float64
        Weighted sum of their squared deviations from it; NaN where there are none.
    """

    count: FloatArray
    mean: FloatArray
    squares: FloatArray

    def variance(self, ddof: float = 0.0) -> FloatArray:
        """``squares / (count - ddof)``; NaN where that is no positive number of pixels."""
        return _quotient(self.squares, self.count - ddof)

    def deviation(self, ddof: float = 0.0) -> FloatArray:
        """Square root of the variance."""
        return np.sqrt(self.variance(ddof))

    def variation(self, ddof: float = 0.0) -> FloatArray:
        """Deviation over the size of the mean; NaN where the mean is zero."""
        return _quotient(self.deviation(ddof), np.abs(self.mean))


@dataclass(frozen=True, eq=False)
class Comoments:
    """Moments of the pairs of pixels of two images in a window around each pixel.

    Attributes
    ----------
    count : (n, *grid) float64
        Sum of the weights of the pixels with data in both.
    mean_a, mean_b : (n, *grid) float64
        Means over those; NaN where there are none.
    squares_a, squares_b : (n, *grid) float64
        Sums of squared deviations.
    products : (n, *grid) float64
        Sum of the products of the deviations.
    """

    count: FloatArray
    mean_a: FloatArray
    mean_b: FloatArray
    squares_a: FloatArray
    squares_b: FloatArray
    products: FloatArray

    def covariance(self, ddof: float = 0.0) -> FloatArray:
        """``products / (count - ddof)``; NaN where that is no positive number of pixels."""
        return _quotient(self.products, self.count - ddof)

    def variances(self, ddof: float = 0.0) -> tuple[FloatArray, FloatArray]:
        """Variances of both, over the pixels with data in both."""
        return (
            _quotient(self.squares_a, self.count - ddof),
            _quotient(self.squares_b, self.count - ddof),
        )

    def correlation(self) -> FloatArray:
        """Pearson's correlation, from -1 to 1; NaN where one of the images is flat."""
        size = np.sqrt(self.squares_a) * np.sqrt(self.squares_b)
        return np.clip(_quotient(self.products, size), -1.0, 1.0)


def window_moments(frames: ArrayLike, window: Window, mask: ArrayLike | None = None) -> Moments:
    """Moments of the pixels in a window around each pixel of every frame.

    Parameters
    ----------
    frames : (n, *grid)
        Any real dtype; NaN and infinite values are no data. Their size should lie between 1e-150
        and 1e150, for squares are summed.
    window : Window
        Of as many axes as the grid. Beyond the border there are no data: windows are smaller there.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.

    Returns
    -------
    Moments
        Also at pixels that have no data themselves, from those around them.

    Raises
    ------
    ValueError
        Where window or mask do not fit the frames.

    Notes
    -----
    Windows are put together from two of half their length, and those along one axis from those
    along the other, by the update of Chan, Golub and LeVeque (1983, *The American Statistician* 37,
    242-247): ``n = n1 + n2``, ``d = m2 - m1``, ``m = m1 + d n2 / n``,
    ``S = S1 + S2 + d^2 n1 n2 / n``. No large numbers are subtracted, as in ``E[x^2] - E[x]^2``, and
    no sum runs on from one pixel to the next, so that neither a large offset nor a large value
    elsewhere costs digits, and that a part of a frame gives the bits that the frame gives. The cost
    grows as the logarithm of the side of a box, or as the number of other weights.

    Examples
    --------
    >>> from napari_framewise.numerics.window_moments import box_window
    >>> frames = np.array([[[1.0, 2.0, np.nan, 6.0]]])
    >>> found = window_moments(frames, box_window((1, 3)))
    >>> found.mean.tolist(), found.variance().tolist()
    ([[[1.5, 1.5, 4.0, 6.0]]], [[[0.25, 0.25, 4.0, 0.0]]])
    """
    values, count = usable(frames, mask, window)
    zero = np.zeros_like(values)
    count, high, low, squares = windowed([count, values, zero, zero], window, merge_moments)
    high += low
    return Moments(count, *_without_data(count, high, squares))


def window_comoments(
    first: ArrayLike, second: ArrayLike, window: Window, mask: ArrayLike | None = None
) -> Comoments:
    """Moments of two images in a window around each pixel, over the pixels with data in both.

    Parameters
    ----------
    first, second : (n, *grid)
        Any real dtype; NaN and infinite values are no data.
    window : Window
        Of as many axes as the grid.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.

    Returns
    -------
    Comoments
        As `window_moments` gives them.

    Raises
    ------
    ValueError
        Where window, mask or the images do not fit each other.

    Examples
    --------
    >>> from napari_framewise.numerics.window_moments import box_window
    >>> first = np.arange(5.0).reshape(1, 1, 5)
    >>> found = window_comoments(first, -2 * first, box_window((1, 3)))
    >>> found.correlation()[0, 0].round(12).tolist(), found.covariance()[0, 0].round(3).tolist()
    ([-1.0, -1.0, -1.0, -1.0, -1.0], [-0.5, -1.333, -1.333, -1.333, -0.5])
    """
    a, count = usable(first, mask, window)
    b, both = usable(second, mask, window)
    if a.shape != b.shape:
        raise ValueError(
            f"The images have the shapes {a.shape} and {b.shape}; two of one shape are needed."
        )
    count *= both
    return comoments_of(windowed(pair_state(a, b, count), window, merge_comoments))


def pair_state(a: FloatArray, b: FloatArray, count: FloatArray) -> list[FloatArray]:
    """What `merge_comoments` starts from: each pair for itself, those that count 0 empty.

    Examples
    --------
    >>> one = np.ones((1, 1, 1))
    >>> len(pair_state(one, one, one))
    8
    """
    zero = np.zeros_like(a)
    for values in (a, b):
        values[count == 0] = 0.0
    return [count, a, zero, b, zero, zero, zero, zero]


def comoments_of(state: State) -> Comoments:
    """The moments that a state of `merge_comoments` stands for.

    Examples
    --------
    >>> one = np.ones((1, 1, 1))
    >>> comoments_of(pair_state(one, 2 * one, one)).mean_b.item()
    2.0
    """
    count, high_a, low_a, high_b, low_b, *others = state
    return Comoments(count, *_without_data(count, high_a + low_a, high_b + low_b, *others))


def usable(
    frames: ArrayLike, mask: ArrayLike | None, window: Window
) -> tuple[FloatArray, FloatArray]:
    """Values with 0 where there are no data, and 1 where there are, else 0.

    Examples
    --------
    >>> from napari_framewise.numerics.window_moments import box_window
    >>> values, count = usable([[[np.nan, 2.0]]], None, box_window((1, 1)))
    >>> values.tolist(), count.tolist()
    ([[[0.0, 2.0]]], [[[0.0, 1.0]]])
    """
    given = np.asarray(frames)
    kernel_dtype(given.dtype)
    if given.ndim != len(window.weights) + 1:
        raise ValueError(
            f"The window has {len(window.weights)} axes, but the frames have the shape "
            f"{given.shape}; a block (n, *grid) with as many axes of pixels is needed."
        )
    values = np.array(given, np.float64, order="C")
    valid = np.isfinite(values)
    if mask is not None:
        use = np.asarray(mask)
        if use.shape[1:] != values.shape[1:] or len(use) not in (1, len(values)):
            raise ValueError(
                f"The mask has the shape {use.shape}, but the frames have {values.shape}; one mask "
                "for all frames, (1, ...), or one for each is needed."
            )
        valid &= (use != 0) & (use == use)
    values[~valid] = 0.0
    return values, valid.astype(np.float64)


def windowed(state: State, window: Window, merge: Kernel) -> list[FloatArray]:
    """The state of the pixels in the window, axis after axis, the last one first.

    Examples
    --------
    >>> from napari_framewise.numerics.window_moments import box_window
    >>> one, zero = np.ones((1, 1, 4)), np.zeros((1, 1, 4))
    >>> windowed([one, one, zero, zero], box_window((1, 3)), merge_moments)[0].tolist()
    [[[2.0, 3.0, 3.0, 2.0]]]
    """
    for axis in reversed(range(len(window.weights))):
        start, taps = window.starts[axis], window.weights[axis]
        state = _along(state, axis + 1, start, taps, merge)
    return list(state)


def _along(
    state: State, axis: int, start: int, taps: Sequence[float], merge: Kernel
) -> list[FloatArray]:
    shape = state[0].shape
    length = shape[axis]
    # What reaches past the whole axis is not there.
    first, stop = max(start, 1 - length), min(start + len(taps), length)
    if length == 0 or stop <= first:
        return [np.zeros(shape) for _ in state]
    taps = taps[first - start : stop - start]
    if (first, tuple(taps)) == (0, (1.0,)):
        return [each.copy() for each in state]
    before = max(0, -first)
    step = math.prod(shape[axis + 1 :])
    level = [_padded(each, axis, before) for each in state]
    out = [np.zeros((math.prod(shape[:axis]), length * step)) for _ in state]
    place = before + first
    if any(weight != taps[0] for weight in taps):
        for number, weight in enumerate(taps):
            merge(*out, *level, float(weight), (place + number) * step)
    else:
        # A box: parts of 1, 2, 4 ... pixels, those that its side is the sum of.
        width, side = 1, len(taps)
        while width <= side:
            if side & width:
                merge(*out, *level, float(taps[0]), place * step)
                place += width
            if 2 * width <= side:
                merge(*level, *level, 1.0, width * step)
            width *= 2
    return [each.reshape(shape) for each in out]


def _padded(values: FloatArray, axis: int, before: int) -> FloatArray:
    """Rows along an axis, with places without data in front."""
    shape = values.shape
    long = (*shape[:axis], shape[axis] + before, *shape[axis + 1 :])
    padded = np.empty(long)
    index: list[Any] = [slice(None)] * axis
    padded[(*index, slice(0, before))] = 0.0
    padded[(*index, slice(before, None))] = values
    return padded.reshape(math.prod(shape[:axis]), -1)


def _without_data(count: FloatArray, *sums: FloatArray) -> tuple[FloatArray, ...]:
    """Sums with NaN where there is nothing."""
    empty = count == 0
    for values in sums:
        values[empty] = np.nan
    return sums


def _quotient(values: FloatArray, by: FloatArray) -> FloatArray:
    return np.divide(values, by, out=np.full_like(values, np.nan), where=by > 0)
