"""What structure is left in an error: its autocorrelation and its spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

FloatArray = NDArray[np.float64]
REACH = 8
"""Farthest distance of the autocorrelation, in pixels."""
BINS = 32
"""Bands of frequency of the spectrum, from 0 to 0.5 cycles per pixel."""


@dataclass(frozen=True, eq=False)
class Leftovers:
    """Structure of the errors of each frame.

    Attributes
    ----------
    autocorrelation : (n, 2 r + 1, ...) float64
        Correlation of the error with itself, by the distance along each axis: 1 at the centre.
        White noise has 0 elsewhere, with a standard error of one over the root of the pixels.
    neighbours : (n,) float64
        Its mean over the distances of 1 along each axis.
    with_truth : (n,) float64
        Pearson's correlation of error and truth: negative where contrast was lost.
    spectrum, of_truth : (n, BINS) float64
        Mean power of the error, and of the truth around its mean, in rings of frequency, over the
        number of pixels: white noise has its variance in every ring.
    """

    autocorrelation: FloatArray
    neighbours: FloatArray
    with_truth: FloatArray
    spectrum: FloatArray
    of_truth: FloatArray


def leftovers(truth: FloatArray, image: FloatArray) -> Leftovers:
    """Look for structure in what an image is off its truth.

    Parameters
    ----------
    truth, image : (n, *grid) float64
        NaN is no data.

    Returns
    -------
    Leftovers
        Of the error around its mean, over the pixels with data in both; NaN where nothing varies.

    Notes
    -----
    With the error e, 0 where there are no data, and w its pixels with data, both padded so that
    nothing wraps around, the autocorrelation is ``F^-1 |F e|^2 / F^-1 |F w|^2``, over its value at
    0 (Wiener and Khinchin; the quotient counts the pairs of pixels).

    Examples
    --------
    >>> truth = np.zeros((1, 64, 64))
    >>> noise = np.random.default_rng(0).normal(size=(1, 64, 64))
    >>> found = leftovers(truth, noise)
    >>> bool(abs(found.neighbours[0]) < 0.05), bool(abs(found.spectrum.mean() - 1) < 0.1)
    (True, True)
    """
    grid = truth.shape[1:]
    reach = tuple(min(REACH, length - 1) for length in grid)
    padded = [fft.next_fast_len(n + r, real=True) for n, r in zip(grid, reach, strict=True)]
    rings = _rings(padded)
    found: dict[str, list[FloatArray]] = {}
    for t, x in zip(truth, image, strict=True):
        known = np.isfinite(t) & np.isfinite(x)
        error, signal = (_centred(each, known) for each in (x - t, t))
        power, alike = _power(error, padded), _power(known.astype(np.float64), padded)
        correlation = _correlation(power, alike, padded, reach)
        middle = np.array(reach)
        steps = np.eye(len(grid), dtype=np.int64)[[r > 0 for r in reach]]
        near = [correlation[tuple(middle + step)] for step in steps]
        for name, value in (
            ("autocorrelation", correlation),
            ("neighbours", np.asarray(np.mean(near) if near else np.nan)),
            ("with_truth", np.asarray(_pearson(error, signal))),
            ("spectrum", _by_ring(power, rings, int(known.sum()))),
            ("of_truth", _by_ring(_power(signal, padded), rings, int(known.sum()))),
        ):
            found.setdefault(name, []).append(value)
    return Leftovers(**{name: np.stack(each) for name, each in found.items()})


def frequencies() -> FloatArray:
    """Middles of the rings, in cycles per pixel.

    Examples
    --------
    >>> len(frequencies()), float(frequencies()[0])
    (32, 0.0078125)
    """
    return np.asarray((np.arange(BINS) + 0.5) * 0.5 / BINS)


def _centred(values: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    mean = values.mean(where=known) if known.any() else 0.0
    return np.where(known, values - mean, 0.0)


def _power(values: FloatArray, padded: list[int]) -> FloatArray:
    size = float(np.abs(values).max(initial=0.0))
    # Apart from their size, so that squares of extreme units stay in range.
    unit = 2.0 ** np.floor(np.log2(size)) if size > 0 else 1.0
    spectrum = fft.rfftn(values / unit, padded)
    return np.asarray((spectrum.real**2 + spectrum.imag**2) * unit**2)


def _correlation(
    power: FloatArray, alike: FloatArray, padded: list[int], reach: tuple[int, ...]
) -> FloatArray:
    """Correlation by distance, (2 r + 1, ...)."""
    top, pairs = (fft.irfftn(each, padded) for each in (power, alike))
    for axis, r in enumerate(reach):
        at = np.arange(-r, r + 1)
        top, pairs = (np.take(each, at, axis=axis, mode="wrap") for each in (top, pairs))
    covariance = np.divide(top, pairs, out=np.full_like(top, np.nan), where=pairs > 0.5)
    at_zero = covariance[reach]
    return np.asarray(covariance / at_zero if at_zero > 0 else np.full_like(covariance, np.nan))


def _pearson(a: FloatArray, b: FloatArray) -> float:
    size = float(np.sqrt(np.vdot(a, a)) * np.sqrt(np.vdot(b, b)))
    return float(np.clip(np.vdot(a, b) / size, -1, 1)) if size > 0 else float("nan")


def _rings(padded: list[int]) -> NDArray[np.int64]:
    """Ring of each frequency of a real transform; BINS beyond 0.5 cycles per pixel, and at 0."""
    axes = [fft.fftfreq(n) for n in padded[:-1]] + [fft.rfftfreq(padded[-1])]
    squares = np.zeros(())
    for each in axes:
        squares = squares[..., None] + each**2
    rings = np.minimum((np.sqrt(squares) * 2 * BINS).astype(np.int64), BINS)
    rings[(0,) * len(padded)] = BINS
    return np.asarray(rings)


def _by_ring(power: FloatArray, rings: NDArray[np.int64], count: int) -> FloatArray:
    number = np.bincount(rings.ravel(), minlength=BINS + 1)[:BINS]
    total = np.bincount(rings.ravel(), power.ravel(), BINS + 1)[:BINS]
    mean = np.full(BINS, np.nan)
    np.divide(total, number * max(count, 1), out=mean, where=number > 0)
    return mean
