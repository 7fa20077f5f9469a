"""White noise of one image, from blocks whose coarse structure is no more than noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, stats

from napari_framewise.numerics.noise.white import sigma_of_image

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
SIDE = 8
"""Side of a block, in pixels."""
_STEP = 4
# Frequencies of a block: those it is chosen by, those that tell the noise, and those between.
_U, _V = np.mgrid[:SIDE, :SIDE]
_FINE = (_U >= SIDE // 2) & (_V >= SIDE // 2)
_COARSE = (_U + _V >= 2) & (_U + _V <= 5) & ~_FINE
_BETWEEN = (_U + _V > 5) & ~_FINE
# Blocks of pure noise that pass; the fewest blocks, and their least share.
_PASS, _FEWEST, _LEAST = 0.95, 16, 0.02
_LIMIT = float(stats.chi2.ppf(_PASS, _COARSE.sum()) / _COARSE.sum())
# Blocks overlap: so many times fewer fine coefficients are independent (by repeated noise).
_OVERLAP = 2.7
_ROUNDS = 50
WHITE = (0.75, 1.25)
"""Power between coarse and fine over that of the fine ones, outside which it is no white noise."""
PLAIN = 0.08
"""Part of the blocks without structure, below which texture is likely to be taken for noise."""
_STRIP = 2**13


@dataclass(frozen=True)
class BlindSigma:
    """Standard deviation of the noise of one image, and what speaks against it.

    Attributes
    ----------
    sigma : float
        In the image's units; NaN where there is too little to tell.
    error : float
        Standard error, if what was used is white noise and nothing else; NaN of few pixels.
    share : float
        Part of the blocks that it rests on: no more structure than noise has.
    colour : float
        Power at middle frequencies of those blocks over that at high ones: 1 for white noise, more
        where texture is taken for noise, or noise is correlated over pixels, less where a mosaic
        of filters makes neighbours differ.
    """

    sigma: float
    error: float
    share: float
    colour: float

    @property
    def doubtful(self) -> bool:
        """Whether few blocks are without structure, or they hold more than white noise."""
        white = not (self.colour < WHITE[0] or self.colour > WHITE[1])
        return not white or self.share < PLAIN


def blind_sigma(image: NDArray[Any], valid: BoolArray | None = None) -> BlindSigma:
    """Standard deviation of white noise in one image, texture left out where it can be.

    Parameters
    ----------
    image : (*grid) real
        One plane or volume, whose planes are taken together; NaN and infinite values are no data.
    valid : (*grid) bool, optional
        True = use this pixel.

    Returns
    -------
    BlindSigma
        Of images without 16 whole blocks of 8 x 8 pixels it is `sigma_of_image`.

    Notes
    -----
    Blocks of 8 x 8 pixels every 4 pixels are transformed by the orthonormal discrete cosine
    transform, in which white noise has the variance sigma^2 in every coefficient, independently.
    Blocks are chosen by their coarse coefficients (2 <= u + v <= 5), and the noise is the mean
    square of their fine ones (u, v >= 4), so that the choice does not bend the answer: of white
    noise it is unbiased whichever blocks are taken. Those are taken whose coarse power is below the
    95 % point of chi-square for the noise found, until that stays the same; at least 2 % and 16 of
    them. The choice of blocks of weak texture follows Ponomarenko et al. (2007, *An automatic
    approach to lossy compression of AVIRIS images*, IGARSS) and Liu, Tanaka and Okutomi (2013,
    *IEEE Trans. Image Processing* 22, 5226-5237).

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> stripes = 40 * np.sin(np.arange(128) / 2)[:, None] * (np.arange(128) > 40)
    >>> found = blind_sigma(stripes + random.normal(100, 3, (128, 128)))
    >>> abs(found.sigma - 3) < 0.15, found.doubtful
    (True, False)
    """
    values = np.asarray(image, np.float64)
    usable = np.isfinite(values) if valid is None else np.isfinite(values) & valid
    size = float(np.max(np.abs(values), where=usable, initial=0.0))
    planes = values.reshape(-1, *values.shape[-2:]) if values.ndim >= 2 else values[None, None]
    use = usable.reshape(planes.shape)
    # A power of two, so that units leave the same bits and extreme ones don't overflow.
    unit = float(2.0 ** np.floor(np.log2(size))) if size > 0 else 1.0
    powers = block_powers(planes, use, unit)
    count = powers.shape[1]
    if count < _FEWEST or size == 0:
        return BlindSigma(sigma_of_image(values, usable), float("nan"), float("nan"), float("nan"))
    taken, variance = plain_blocks(powers, max(_FEWEST, int(np.ceil(_LEAST * count))))
    between = float(powers[2, taken].mean())
    sigma = unit * float(np.sqrt(variance))
    independent = max(1.0, len(taken) * float(_FINE.sum()) / _OVERLAP)
    return BlindSigma(
        sigma,
        sigma / float(np.sqrt(2 * independent)),
        len(taken) / count,
        between / variance if variance > 0 else 1.0,
    )


def plain_blocks(powers: FloatArray, least: int) -> tuple[NDArray[np.intp], float]:
    """Which blocks hold no more structure than noise, and the variance of that noise.

    Parameters
    ----------
    powers : (4, blocks)
        Of `block_powers`.
    least : int
        Fewest blocks that are taken.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(0, 3, (1, 256, 256))
    >>> powers = block_powers(image, np.ones(image.shape, bool), 1.0)
    >>> taken, variance = plain_blocks(powers, 16)
    >>> len(taken) > 0.9 * powers.shape[1], 8.7 < variance < 9.3
    (True, True)
    """
    count = powers.shape[1]
    order = np.argsort(powers[0], kind="stable")
    coarse = powers[0, order]
    fine = np.cumsum(powers[1, order]) / np.arange(1, count + 1)
    taken = least = min(least, count)
    seen: set[int] = set()
    # From below, and at the largest of what it goes round in.
    for _ in range(_ROUNDS):
        after = max(least, int(np.searchsorted(coarse, _LIMIT * fine[taken - 1], side="right")))
        if after == taken or after in seen:
            taken = max(after, taken)
            break
        seen.add(taken)
        taken = after
    return order[:taken], float(fine[taken - 1])


def block_powers(
    planes: FloatArray, use: BoolArray, unit: float, most: int | None = None
) -> FloatArray:
    """Mean squares of coarse, fine and other cosine coefficients of each whole block, and its sum.

    Parameters
    ----------
    planes : (n, y, x)
    use : (n, y, x) ndarray of bool
        Blocks in which a pixel is left out are none.
    unit : float
        What values are divided by.
    most : int, optional
        Of more blocks every so manieth is taken.

    Returns
    -------
    (4, blocks) float64
        The last row is the lowest coefficient: the sum over 8.

    Examples
    --------
    >>> block_powers(np.ones((1, 8, 12)), np.ones((1, 8, 12), bool), 1.0)[3].tolist()
    [8.0, 8.0]
    """
    if min(planes.shape[1:]) < SIDE:
        return np.zeros((4, 0))
    masks = np.stack([_COARSE, _FINE, _BETWEEN]).reshape(3, -1).astype(np.float64)
    masks /= masks.sum(axis=1, keepdims=True)
    window = (SIDE, SIDE)
    found = [np.zeros((4, 0))]
    each = math.prod((length - SIDE) // _STEP + 1 for length in planes.shape[1:])
    every = 1 if most is None else max(1, -(-each * len(planes) // most))
    for number, (plane, known) in enumerate(zip(planes, use, strict=True)):
        blocks = np.lib.stride_tricks.sliding_window_view(plane, window)[::_STEP, ::_STEP]
        whole = np.lib.stride_tricks.sliding_window_view(known, window)[::_STEP, ::_STEP]
        here = np.zeros(whole.shape[:2], bool)
        here.ravel()[(-number * each) % every :: every] = True
        here &= whole.all(axis=(2, 3))
        step = max(1, _STRIP // blocks.shape[1])
        for start in range(0, blocks.shape[0], step):
            rows = slice(start, start + step)
            given = blocks[rows][here[rows]] / unit
            if not len(given):
                continue
            turned = fft.dctn(given, axes=(1, 2), norm="ortho").reshape(len(given), -1)
            found.append(np.vstack([masks @ (turned * turned).T, turned[:, :1].T]))
    return np.concatenate(found, axis=1)
