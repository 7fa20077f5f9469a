"""Relative blur and noise of two images, from their power at each frequency."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_RINGS = 48
# Power above the noise from which a ring tells the blur; fewest rings that do.
_CLEAR, _FEWEST = 4.0, 4
_LEAST = 0.2
# Standard errors of the slope from which it is believed.
_SURE = 4.0


@dataclass(frozen=True)
class Focus:
    """How two images of one scene differ in sharpness.

    Attributes
    ----------
    blur : float
        Sigma in pixels of the Gaussian that makes the sharper one as blurred as the other:
        positive where the first is sharper, negative where the second is; 0 below what can be told.
    noise : tuple of float
        Standard deviation of the white noise of both.
    """

    blur: float
    noise: tuple[float, float]


def focus(first: FloatArray, second: FloatArray) -> Focus:
    """Compare the sharpness of two images, wherever things lie in them.

    Parameters
    ----------
    first, second : (y, x) float64
        Without gaps: what is missing filled from around it.

    Returns
    -------
    Focus
        Of images that are too small or too noisy to tell: no blur.

    Notes
    -----
    A shift leaves the power spectrum as it is, a gain multiplies it, and a Gaussian blur of sigma s
    multiplies it by ``exp(-4 pi^2 s^2 f^2)``. So ``log(P1 / P2)``, the noise taken off both, is a
    straight line in f^2 with the slope ``4 pi^2 (s2^2 - s1^2)``, over the rings of frequency
    where both stand out of their noise, which is the mean power beyond 0.45 cycles per pixel.

    Examples
    --------
    >>> from scipy import ndimage
    >>> scene = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(128, 128)), 1) * 50
    >>> blurred = ndimage.gaussian_filter(scene, 1.5)
    >>> abs(focus(scene, blurred).blur - 1.5) < 0.2
    True
    """
    shape = first.shape
    if min(shape) < 16:
        return Focus(0.0, (0.0, 0.0))
    taper, scale, ring, counts, middle = _rings(*shape)
    means, noise = [], []
    for image in (first, second):
        spectrum = fft.rfft2(((image - image.mean()) * taper).astype(np.float32))
        power = spectrum.real**2 + spectrum.imag**2
        total = np.bincount(ring, power.ravel(), _RINGS + 1) / (scale * np.maximum(counts, 1))
        # White noise is what is least at the high end: texture falls off there.
        variance = float(total[int(0.9 * _RINGS) :].min())
        means.append(total[:_RINGS])
        noise.append(variance)
    signal = [mean - variance for mean, variance in zip(means, noise, strict=True)]
    clear = (signal[0] > _CLEAR * noise[0]) & (signal[1] > _CLEAR * noise[1])
    clear[:2] = False
    # Up to the first ring that does not stand out.
    last = int(np.argmin(clear[2:])) + 2 if not clear[2:].all() else _RINGS
    clear[last:] = False
    sigmas = (float(np.sqrt(noise[0])), float(np.sqrt(noise[1])))
    if clear.sum() < _FEWEST:
        return Focus(0.0, sigmas)
    weight = np.sqrt(counts[:_RINGS][clear])
    ratio = np.log(signal[0][clear] / signal[1][clear])
    (slope, _), spread = np.polyfit(middle[clear], ratio, 1, w=weight, cov=True)
    if abs(slope) < _SURE * float(np.sqrt(spread[0, 0])):
        return Focus(0.0, sigmas)
    blur = float(np.sign(slope) * np.sqrt(abs(slope) / (4 * np.pi**2)))
    return Focus(blur if abs(blur) >= _LEAST else 0.0, sigmas)


@lru_cache(maxsize=2)
def _rings(rows: int, columns: int) -> tuple[FloatArray, float, IntArray, IntArray, FloatArray]:
    """Taper and its energy; ring of each frequency, how many it has, its mean squared frequency."""
    taper = np.multiply.outer(*(np.hanning(n + 2)[1:-1] for n in (rows, columns)))
    squares = fft.fftfreq(rows)[:, None] ** 2 + fft.rfftfreq(columns)[None] ** 2
    ring = np.minimum((np.sqrt(squares) * 2 * _RINGS).astype(np.int64), _RINGS).ravel()
    counts = np.bincount(ring, minlength=_RINGS + 1)
    inside = np.bincount(ring, squares.ravel(), _RINGS + 1)[:_RINGS]
    return taper, float(np.sum(taper**2)), ring, counts, inside / np.maximum(counts[:_RINGS], 1)
