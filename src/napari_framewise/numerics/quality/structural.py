"""Structural similarity of two images, in variants that are named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.quality.terms import similarity_terms
from napari_framewise.numerics.window_moments import (
    Sums,
    Window,
    box_window,
    gaussian_window,
    pivoted_sums,
)

FloatArray = NDArray[np.float64]
# Pixels of a strip of rows whose sums are taken at once.
_STRIP = 2**17


@dataclass(frozen=True)
class Variant:
    """Which structural similarity is meant; published figures of one pair differ by 13 %.

    Attributes
    ----------
    window : {"gaussian", "box"}
        Gaussian weights of `size` pixels with `sigma`, or equal weights.
    size : int
        Side of the window in pixels, odd.
    sigma : float
        Of the Gaussian, in pixels.
    sample : bool
        Variances over N - 1 instead of N.
    border : {"inside", "reflected"}
        The mean is taken over windows wholly inside the frame, or over all pixels of a frame that
        is mirrored at its outermost pixels.
    k1, k2 : float
        Constants, in parts of the peak.
    """

    window: Literal["gaussian", "box"] = "gaussian"
    size: int = 11
    sigma: float = 1.5
    sample: bool = False
    border: Literal["inside", "reflected"] = "inside"
    k1: float = 0.01
    k2: float = 0.03

    def of(self, ndim: int) -> Window:
        """The window in frames of so many axes."""
        if self.window == "box":
            return box_window((self.size,) * ndim)
        return gaussian_window((self.sigma,) * ndim, (self.size // 2,) * ndim)


WANG_2004 = Variant()
"""Wang, Bovik, Sheikh and Simoncelli (2004), as their ssim_index.m: without downsampling."""
SCIKIT_IMAGE = Variant(window="box", size=7, sample=True)
"""The default of skimage.metrics.structural_similarity."""
REFLECTED = Variant(border="reflected")
"""Gaussian windows over a mirrored border: torchmetrics, kornia, OpenCV's quality module."""
VARIANTS = {"wang": WANG_2004, "scikit-image": SCIKIT_IMAGE, "reflected": REFLECTED}


@dataclass(frozen=True, eq=False)
class Similarity:
    """Structural similarity around each pixel, ``values = luminance * contrast * structure``.

    Attributes
    ----------
    luminance, contrast, structure : (n, *grid) float64
        The three terms; NaN where a pixel has no data in one of the images.
    counted : (n, *grid) bool
        Pixels that the mean of a frame is taken over.
    """

    luminance: FloatArray
    contrast: FloatArray
    structure: FloatArray
    counted: NDArray[np.bool_]

    @property
    def values(self) -> FloatArray:
        """The similarity, from -1 to 1."""
        product = self.luminance * self.contrast
        product *= self.structure
        return product

    def mean(self) -> FloatArray:
        """Mean of each frame, (n,); NaN where no window counts."""
        return mean_over(self.values, self.counted)


def ssim(
    truth: ArrayLike,
    image: ArrayLike,
    peak: float,
    variant: Variant = WANG_2004,
    mask: ArrayLike | None = None,
) -> Similarity:
    """Structural similarity of images to their truth.

    Parameters
    ----------
    truth, image : (n, *grid)
        Any real dtype; NaN and infinite values are no data. Symmetric in both.
    peak : float
        Range of values that L stands for: 255 for 8-bit images. It is never guessed.
    variant : Variant
        Window, variance, border and constants.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.

    Returns
    -------
    Similarity
        Windows hold the pixels with data alone; at the border of the frame they are smaller.

    Raises
    ------
    ValueError
        Where the images do not fit each other, or the peak is no positive number.

    Notes
    -----
    With means m, variances s^2 and covariance c in the window, ``C1 = (k1 L)^2``,
    ``C2 = (k2 L)^2``, ``C3 = C2 / 2``: luminance ``(2 m_t m_x + C1) / (m_t^2 + m_x^2 + C1)``,
    contrast ``(2 s_t s_x + C2) / (s_t^2 + s_x^2 + C2)``, structure
    ``(c + C3) / (s_t s_x + C3)`` (Wang, Bovik, Sheikh and Simoncelli 2004, *IEEE Trans. Image
    Processing* 13, 600-612, equations 6, 9, 10).

    Examples
    --------
    >>> truth = np.random.default_rng(0).uniform(0, 255, (1, 32, 32))
    >>> float(ssim(truth, truth, 255).mean()[0])
    1.0
    >>> float(ssim(truth, 255 - truth, 255).mean()[0]) < 0
    True
    """
    check_peak(peak)
    first, second = np.ascontiguousarray(truth), np.ascontiguousarray(image)
    if first.shape != second.shape:
        raise ValueError(
            f"The truth has the shape {first.shape} and the image {second.shape}; two of one shape "
            "are needed."
        )
    c1, c2 = (variant.k1 * peak) ** 2, (variant.k2 * peak) ** 2
    terms = (np.empty(first.shape), np.empty(first.shape), np.empty(first.shape))
    use = None if mask is None else np.broadcast_to(np.asarray(mask), first.shape)
    known = np.isfinite(first) & np.isfinite(second)
    if use is not None:
        known &= (use != 0) & (use == use)
    for frame in range(len(first)):
        given = (first[frame : frame + 1], second[frame : frame + 1])
        kept = None if use is None else use[frame : frame + 1]
        about = [_middle(each, kept, whole=bool(known[frame].all())) for each in given]
        for rows, sums, place in _strips(*given, kept, variant, (about[0], about[1])):
            found = similarity_terms(sums, c1, c2, 1.0 if variant.sample else 0.0)
            for whole, part in zip(terms, found, strict=True):
                whole[frame, rows] = part[0][place]
    if not known.all():
        for each in terms:
            each[~known] = np.nan
    if variant.border == "inside":
        known = known & _inside(first.shape[1:], variant.size // 2)
    return Similarity(*terms, known)


def check_peak(peak: float) -> None:
    """Refuse a peak that can't be.

    Examples
    --------
    >>> check_peak(255)
    """
    if not (np.isfinite(peak) and peak > 0):
        raise ValueError(
            f"The peak was {peak:g}; a positive number is needed, the range of values that counts "
            "as full: 255 for 8-bit images."
        )


def mean_over(values: FloatArray, counted: NDArray[np.bool_]) -> FloatArray:
    """Mean of the counted pixels of each frame; NaN where there are none.

    Examples
    --------
    >>> mean_over(np.array([[1.0, np.nan, 4.0]]), np.array([[True, False, True]])).tolist()
    [2.5]
    """
    axes = tuple(range(1, values.ndim))
    number = counted.sum(axis=axes)
    total = np.where(counted, values, 0.0).sum(axis=axes)
    mean = np.full(len(values), np.nan)
    np.divide(total, number, out=mean, where=number > 0)
    return mean


def _strips(
    truth: NDArray[np.generic],
    image: NDArray[np.generic],
    mask: NDArray[np.generic] | None,
    variant: Variant,
    about: tuple[list[float], list[float]],
) -> Iterator[tuple[slice, Sums, tuple[slice, ...]]]:
    """Rows of one frame, the sums of their windows, and where in those they stand."""
    ndim, reach = truth.ndim - 1, variant.size // 2
    window = variant.of(ndim)
    border = 0
    if variant.border == "reflected":
        border = min(reach, *(length - 1 for length in truth.shape[1:]))
        pad = ((0, 0), *((border, border),) * ndim)
        truth, image = (np.pad(each, pad, mode="reflect") for each in (truth, image))
        mask = None if mask is None else np.pad(mask, pad, mode="reflect")
    length = truth.shape[1] - 2 * border
    step = max(4 * reach, _STRIP // max(1, truth[0, :1].size))
    inner = tuple(slice(border, n - border) for n in truth.shape[2:])
    for start in range(0, length, step):
        stop = min(start + step, length)
        low = max(0, start + border - reach)
        high = min(truth.shape[1], stop + border + reach)
        kept = None if mask is None else mask[:, low:high]
        sums = pivoted_sums(truth[:, low:high], image[:, low:high], window, kept, about=about)
        place = (slice(start + border - low, stop + border - low), *inner)
        yield slice(start, stop), sums, place


def _middle(
    frame: NDArray[np.generic], mask: NDArray[np.generic] | None, *, whole: bool
) -> list[float]:
    """Mean of the pixels in use: of all, where that is known."""
    values = frame.astype(np.float64, copy=False)
    if whole:
        return [float(values.mean())]
    use = np.isfinite(values)
    if mask is not None:
        use &= (mask != 0) & (mask == mask)
    return [float(values.mean(where=use)) if use.any() else 0.0]


def _inside(grid: tuple[int, ...], reach: int) -> NDArray[np.bool_]:
    """Pixels whose windows lie wholly inside a frame."""
    inside = np.zeros(grid, np.bool_)
    inside[tuple(slice(reach, max(reach, length - reach)) for length in grid)] = True
    return inside
