"""Where to start: the best places of a template in an image by normalised cross-correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_framewise.numerics.pyramid import Level

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectra of an image, its square and its mask, padded for all shifts of a template.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the image.
    padded : tuple of int
        Rows and columns of the transform.
    image, square : (channels, ...) complex
    mask : (...) complex
    """

    shape: tuple[int, int]
    padded: tuple[int, int]
    image: NDArray[np.complex128]
    square: NDArray[np.complex128]
    mask: NDArray[np.complex128]

    @classmethod
    def of(cls, level: Level, template: tuple[int, int]) -> Spectra:
        """Spectra of a level, for templates of a shape."""
        shape = (level.shape[0], level.shape[1])
        padded = tuple(
            fft.next_fast_len(n + m - 1, real=True) for n, m in zip(shape, template, strict=True)
        )
        mask = _mask(level)
        values = level.planes * mask
        return cls(
            shape,
            (padded[0], padded[1]),
            fft.rfft2(values.astype(float), padded),
            fft.rfft2(values.astype(float) ** 2, padded),
            fft.rfft2(mask, padded),
        )


def correlations(
    image: Spectra, planes: NDArray[np.float32], mask: FloatArray, least: float
) -> tuple[FloatArray, FloatArray]:
    """Normalised cross-correlation at every shift, each over the pixels that overlap.

    After Padfield (2012), equations 10-13, summed over the channels.

    Parameters
    ----------
    image : Spectra
        Of the image.
    planes : (channels, y, x)
        The template.
    mask : (y, x)
        1 where the template may be used.
    least : float
        Least overlap, as a share of the template's usable pixels; below it NaN is given.

    Returns
    -------
    values : (rows + y - 1, columns + x - 1)
        Element (i, j) is the shift (i - y + 1, j - x + 1) of the template in the image.
    overlap : same shape
        Number of pixels.
    """
    height, width = mask.shape
    extent = (image.shape[0] + height - 1, image.shape[1] + width - 1)

    def back(spectrum: NDArray[np.complex128]) -> FloatArray:
        return np.asarray(fft.irfft2(spectrum, image.padded)[..., : extent[0], : extent[1]])

    turned_mask = fft.rfft2(mask[::-1, ::-1], image.padded)
    values = (planes * mask)[:, ::-1, ::-1].astype(float)
    turned = fft.rfft2(values, image.padded)
    turned_square = fft.rfft2(values**2, image.padded)
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


def peaks(values: FloatArray, overlap: FloatArray, count: int, apart: int) -> list[tuple[int, int]]:
    """The highest places, each at least so many pixels from the others.

    They are ranked by correlation and overlap together: Fisher's z times the root of the number of
    pixels, or a few pixels at the border would always win.
    """
    with np.errstate(invalid="ignore"):
        score = np.arctanh(np.clip(values, -0.999, 0.999)) * np.sqrt(overlap)
    score = np.where(np.isfinite(score), score, -np.inf)
    found: list[tuple[int, int]] = []
    while len(found) < count:
        row, column = np.unravel_index(int(np.argmax(score)), score.shape)
        if not score[row, column] > -np.inf:
            break
        found.append((int(row), int(column)))
        score[
            max(0, int(row) - apart) : int(row) + apart + 1,
            max(0, int(column) - apart) : int(column) + apart + 1,
        ] = -np.inf
    return found


def mask_of(level: Level) -> FloatArray:
    """1 where a level rests on data."""
    return _mask(level)


def _mask(level: Level) -> FloatArray:
    return np.ones(level.shape) if level.valid is None else level.valid.astype(float)
