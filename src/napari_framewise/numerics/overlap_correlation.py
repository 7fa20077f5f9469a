"""Normalised cross-correlation of a template and an image over every shift, with exact overlap.

At each shift the means and variances are those of the pixels that overlap there and that both masks
let be used, after Padfield, D. (2012), "Masked object registration in the Fourier domain", IEEE
Transactions on Image Processing 21, 2706-2718.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectra of an image, its square and its mask, padded for all shifts of a template.

    Attributes
    ----------
    shape : tuple of int
        Of the image: (y, x) or (z, y, x).
    padded : tuple of int
        Of the transform.
    image, square : (channels, ...) complex
    mask : (...) complex
    """

    shape: tuple[int, ...]
    padded: tuple[int, ...]
    image: NDArray[np.complex128]
    square: NDArray[np.complex128]
    mask: NDArray[np.complex128]

    @classmethod
    def of(
        cls, planes: NDArray[Any], mask: NDArray[Any] | None, template: tuple[int, ...]
    ) -> Spectra:
        """Spectra of an image, for templates of a shape.

        Parameters
        ----------
        planes : (channels, y, x) or (channels, z, y, x)
            Finite numbers, of mean near 0 and spread near 1 where digits matter.
        mask : (*shape), optional
            1 where the image may be used, else 0; everywhere by default.
        template : tuple of int
            Shape of the largest template.
        """
        shape = planes.shape[1:]
        padded = tuple(
            fft.next_fast_len(n + m - 1, real=True) for n, m in zip(shape, template, strict=True)
        )
        use = np.ones(shape) if mask is None else np.asarray(mask, float)
        values = planes * use
        return cls(
            shape,
            padded,
            _transformed(values, padded),
            _transformed(values**2, padded),
            _transformed(use, padded),
        )


def correlations(
    image: Spectra, planes: NDArray[Any], mask: FloatArray, least: float
) -> tuple[FloatArray, FloatArray]:
    """Normalised cross-correlation at every shift, each over the pixels that overlap.

    With sums over the overlap of image f and template g, of n pixels (Padfield 2012, equations
    10-13), numerator and variances summed over the channels::

        (sum fg - sum f sum g / n) / sqrt((sum ff - (sum f)^2 / n) (sum gg - (sum g)^2 / n))

    Parameters
    ----------
    image : Spectra
        Of the image.
    planes : (channels, y, x) or (channels, z, y, x)
        The template.
    mask : (*shape)
        1 where the template may be used.
    least : float
        Least overlap, as a share of the template's usable pixels; below it NaN is given.

    Returns
    -------
    values : (rows + y - 1, columns + x - 1), or of volumes likewise
        Element (i, j) is the shift (i - y + 1, j - x + 1) of the template in the image; NaN where
        the overlap is too small or either is plain there.
    overlap : same shape
        Number of pixels.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(size=(1, 12, 12))
    >>> spectra = Spectra.of(image, None, (12, 12))
    >>> values, overlap = correlations(spectra, image, np.ones((12, 12)), 0.5)
    >>> tuple(int(each) for each in np.unravel_index(np.nanargmax(values), values.shape))
    (11, 11)
    """
    axes = tuple(range(-mask.ndim, 0))
    extent = tuple(n + m - 1 for n, m in zip(image.shape, mask.shape, strict=True))
    whole: Any = (..., *(slice(length) for length in extent))

    def back(spectrum: NDArray[np.complex128]) -> FloatArray:
        return np.asarray(fft.irfftn(spectrum, image.padded, axes=axes)[whole])

    turned_mask = _transformed(np.flip(mask), image.padded)
    values = np.flip(planes * mask, axes).astype(float)
    turned = _transformed(values, image.padded)
    turned_square = _transformed(values**2, image.padded)
    overlap = np.rint(back(image.mask * turned_mask))
    known = np.maximum(overlap, 1.0)
    here, there = back(image.image * turned_mask), back(image.mask * turned)
    both = (back(image.image * turned) - here * there / known).sum(axis=0)
    first = (back(image.square * turned_mask) - here**2 / known).sum(axis=0)
    second = (back(image.mask * turned_square) - there**2 / known).sum(axis=0)
    usable = overlap >= max(least * mask.sum(), 2.0)
    # Below this the variances are rounding errors of the transforms.
    floor = 1e-6
    usable &= (first > floor * max(first.max(), 1e-300)) & (
        second > floor * max(second.max(), 1e-300)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(usable, both / np.sqrt(first * second), np.nan)
    return np.clip(found, -1.0, 1.0), overlap


def peaks(values: FloatArray, overlap: FloatArray, count: int, apart: int) -> list[tuple[int, ...]]:
    """The highest places, each at least so many pixels from the others.

    They are ranked by correlation and overlap together: Fisher's z times the root of the number of
    pixels, or a few pixels at the border would always win.

    Parameters
    ----------
    values, overlap : (rows, columns), or of volumes
        From `correlations`.
    count : int
        Most places.
    apart : int
        In pixels, along any one axis.

    Returns
    -------
    list of (row, column), or of three
        Indices into `values`, best first.

    Examples
    --------
    >>> values = np.zeros((5, 5))
    >>> values[1, 1], values[3, 4] = 0.9, 0.5
    >>> peaks(values, np.ones((5, 5)), 2, 1)
    [(1, 1), (3, 4)]
    """
    with np.errstate(invalid="ignore"):
        score = np.arctanh(np.clip(values, -0.999, 0.999)) * np.sqrt(overlap)
    score = np.where(np.isfinite(score), score, -np.inf)
    found: list[tuple[int, ...]] = []
    while len(found) < count:
        place = tuple(int(each) for each in np.unravel_index(int(np.argmax(score)), score.shape))
        if not score[place] > -np.inf:
            break
        found.append(place)
        score[tuple(slice(max(0, at - apart), at + apart + 1) for at in place)] = -np.inf
    return found


def _transformed(values: NDArray[Any], padded: tuple[int, ...]) -> NDArray[np.complex128]:
    """Spectrum over the last axes."""
    return np.asarray(fft.rfftn(values, padded, axes=tuple(range(-len(padded), 0))))
