"""What the residual of a restoration says: whether it is noise, or the kernel is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.deconvolution.data import Data
from napari_framewise.numerics.deconvolution.extension import Array

# Found on two scenes with kernels of 0.5 to 2 times the right width at three levels of noise:
# with the right one neighbours correlate by 0.01 at most and edges hold 1.12 times their share.
_NEIGHBOURS, _EDGES = 0.1, 1.25
# Standard errors of a correlation.
_BY_CHANCE = 4.0
# Residual over noise; mean excess on either side over the range of the data.
_UNREACHED, _SWING = 1.15, 1e-3
# A texture whose contrast comes back swings past the frame too, by less than this share of what its
# standard deviation grows by: 0.0055 at most of grass, brick and gravel, mostly 0.02 and more with
# 1.25 times the right width.
_OF_GAIN = 0.008
_DELTA = 1 - 1e-6
_NOISE_ALONE = 1.05
_JUDGED = 2**21


class Verdict(IntEnum):
    """What can be said of a restored frame."""

    GOOD = 0
    NO_DATA = 1
    FLAT = 2
    NOISE = 3
    UNREACHED = 4
    RINGING = 5
    STRUCTURED = 6
    STOPPED = 7
    AMPLIFIED = 8

    @property
    def word(self) -> str:
        """In a word or two, for a table."""
        return _WORDS[self]

    @property
    def sentence(self) -> str:
        """What it means, in a sentence; empty where all is well."""
        return _SENTENCES[self]


_WORDS = {
    Verdict.GOOD: "converged",
    Verdict.NO_DATA: "no data",
    Verdict.FLAT: "flat",
    Verdict.NOISE: "noise alone",
    Verdict.UNREACHED: "residual too large",
    Verdict.RINGING: "ringing",
    Verdict.STRUCTURED: "residual structured",
    Verdict.STOPPED: "iterations used up",
    Verdict.AMPLIFIED: "noise amplified",
}
_SENTENCES = {
    Verdict.GOOD: "",
    Verdict.NO_DATA: "No pixel counts: all are missing, saturated or left out by the mask. "
    "The result is empty.",
    Verdict.FLAT: "All pixels are equal: there is nothing to restore.",
    Verdict.NOISE: "Nothing stands out of the noise: what the result shows is noise.",
    Verdict.UNREACHED: "The residual stays larger than the noise, however little is smoothed: the "
    "PSF is too wide or otherwise wrong for these frames, or there is more noise than was measured "
    "or stated: state the noise, or take Richardson-Lucy for counts of photons.",
    Verdict.RINGING: "The result swings past the values of the frame on both sides, brighter and "
    "darker: the PSF is too wide or otherwise wrong for these frames, or their noise is correlated "
    "over pixels and reads too small: state it.",
    Verdict.STRUCTURED: "The residual still shows the scene instead of noise: the PSF does not fit "
    "these frames, the regularisation is too strong, or the method ended early.",
    Verdict.STOPPED: "It had not come to rest, or down to the noise, when the iterations were used "
    "up: allow more.",
    Verdict.AMPLIFIED: "The result swings past the values of the frame: noise, amplified at "
    "frequencies that the PSF hardly lets through, or ripples that a floor leaves. Set a floor or "
    "raise it, or take another method.",
}


def is_delta(kernel: Array) -> bool:
    """Whether a kernel is a single pixel, so that it blurs nothing.

    Examples
    --------
    >>> is_delta(np.array([0.0, 1.0, 0.0])), is_delta(np.array([0.25, 0.5, 0.25]))
    (True, False)
    """
    size = np.abs(kernel)
    return float(size.max()) >= _DELTA * float(size.sum())


def before(data: Data, noise: float) -> Verdict:
    """What can be said of a frame before it is restored."""
    if not data.count:
        return Verdict.NO_DATA
    if data.spread <= 1e-12 * abs(data.mean):
        return Verdict.FLAT
    slack = 1 + 3 / math.sqrt(2 * data.count)
    if data.spread <= _NOISE_ALONE * slack * noise:
        return Verdict.NOISE
    return Verdict.GOOD


@dataclass(frozen=True)
class Evidence:
    """What a restoration leaves to judge it by.

    Attributes
    ----------
    level : float
        Root mean square of the residual over the noise.
    neighbours : float
        Largest correlation of the residual's neighbours along an axis; 0 for white noise.
    edges : float
        Mean squared residual where the frame is steepest, a tenth of it, over that of all; 1 for
        noise.
    swing : float
        Mean excess past the frame's values, of brighter and darker the smaller, over their range.
    gain : float
        Standard deviation of the result over that of the frame.
    chance : float
        Correlation that white noise of so few pixels may have.
    """

    level: float
    neighbours: float
    edges: float
    swing: float
    gain: float = 1.0
    chance: float = 0.0

    @property
    def ringing(self) -> bool:
        """Whether the result swings further than the contrast that came back explains."""
        return self.swing > max(_SWING, _OF_GAIN * (self.gain - 1))


def evidence(data: Data, blurred: Array, restored: Array, noise: float) -> Evidence:
    """What residual and result of a restoration show.

    Parameters
    ----------
    data : Data
    blurred : ndarray
        The restored scene, blurred, over the data.
    restored : ndarray
        The restored scene over the data.
    noise : float
        Standard deviation of the noise.

    Notes
    -----
    Of frames beyond 2^21 pixels the middle is looked at.
    """
    part = tuple(map(_middle, data.shape, _lengths(data.shape)))
    data = Data(data.values[part], data.weight[part])
    blurred, restored = blurred[part], restored[part]
    left, use = data.residual(blurred), data.weight
    variance = float(np.vdot(left, left)) / max(1, data.count)
    if variance == 0:
        return Evidence(0.0, 0.0, 1.0, 0.0)
    level = math.sqrt(variance) / noise if noise > 0 else math.inf
    near = [_neighbours(left, use, axis) / variance for axis in range(left.ndim)]
    smooth, steep = ndimage.gaussian_filter(blurred, 1.0), np.zeros(left.shape)
    for axis, length in enumerate(left.shape):
        if length > 2:
            slope = ndimage.correlate1d(smooth, [-1, 0, 1], axis)
            steep += slope * slope
    known = steep[use]
    top = use & (steep > np.quantile(known, 0.9))
    edges = float(np.mean(np.square(left[top]))) / variance if top.any() else 1.0
    low, high = np.quantile(data.values[use], [0.001, 0.999])
    found = restored[use]
    past = min(float(np.maximum(found - high, 0).mean()), float(np.maximum(low - found, 0).mean()))
    swing = past / float(high - low) if high > low else 0.0
    gain = float(found.std()) / data.spread if data.spread > 0 else 1.0
    return Evidence(level, max(near), edges, swing, gain, _BY_CHANCE / math.sqrt(data.count))


def verdict(
    found: Evidence,
    *,
    sought: bool,
    ended: bool,
    plain: bool = False,
    edges: bool = True,
    white: bool = True,
) -> Verdict:
    """What can be said of a restored frame.

    Parameters
    ----------
    found : Evidence
    sought : bool
        Whether the residual was to be as large as the noise.
    ended : bool
        Whether the iterations came to rest.
    plain : bool
        Whether spectra were divided, which leaves no residual to judge by.
    edges : bool
        Whether the residual should be no larger at edges; that of a method which is stopped early
        is.
    white : bool
        Whether neighbours of the noise are independent, as those of the residual should be then.
    """
    if plain:
        return Verdict.AMPLIFIED if found.swing > _SWING else Verdict.GOOD
    if not edges and not ended:
        # What is stopped at the noise may still come down to it.
        return Verdict.STOPPED
    if sought and found.level > _UNREACHED:
        return Verdict.UNREACHED
    if found.ringing:
        return Verdict.RINGING
    if (white and found.neighbours > max(_NEIGHBOURS, found.chance)) or (
        edges and sought and found.edges > _EDGES
    ):
        return Verdict.STRUCTURED
    return Verdict.GOOD if ended else Verdict.STOPPED


def _lengths(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Lengths of the middle that is judged."""
    share = min(1.0, (_JUDGED / math.prod(shape)) ** (1 / len(shape)))
    return tuple(max(1, round(share * length)) for length in shape)


def _middle(length: int, part: int) -> slice:
    first = (length - part) // 2
    return slice(first, first + part)


def _neighbours(left: Array, use: NDArray[np.bool_], axis: int) -> float:
    """Mean product of neighbours along an axis."""
    first, second = np.moveaxis(left, axis, 0)[:-1], np.moveaxis(left, axis, 0)[1:]
    both = np.moveaxis(use, axis, 0)[:-1] & np.moveaxis(use, axis, 0)[1:]
    count = int(np.count_nonzero(both))
    return float(np.sum(first * second, where=both)) / count if count else 0.0
