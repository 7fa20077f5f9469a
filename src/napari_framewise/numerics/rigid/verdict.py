"""Whether the place that was found stands out from all others."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
# By how many standard deviations of the other places it must stand out, and from chance.
_CLEAR, _CHANCE = 2.0, 6.0
# What looks like the template itself by this much, around shift 0, is the same place.
_SAME = 0.2
# Times the typical size of slopes: beyond it they say no more, so that a few hot pixels do not
# outvote a scene that moves.
_MOST = 3.0
_LEAST = 0.3


class Verdict(Enum):
    """What the comparison of all places says."""

    CLEAR = "clear"
    UNLIKE = "unlike"
    AMBIGUOUS = "ambiguous"


def judged(template: list[FloatArray], image: list[FloatArray], both: BoolArray) -> Verdict:
    """Compare slopes of template and pulled-back image at every shift.

    The sum of products at each shift is divided by its standard deviation for slopes that have
    nothing to do with each other. The found place is shift 0: it must stand out from the best
    other place, and from how all of them scatter.

    Parameters
    ----------
    template, image : list of (*shape)
        Slopes along each axis.
    both : (*shape) bool
        Where the two are compared.
    """
    ones = _limited(template, both)
    twos = _limited(image, both)
    shape = both.shape
    padded = [fft.next_fast_len(2 * n - 1, real=True) for n in shape]
    axes = tuple(range(len(shape)))

    def spectrum(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(fft.rfftn(values.astype(np.float32), padded, axes=axes))

    def back(values: NDArray[Any]) -> FloatArray:
        return np.asarray(fft.irfftn(values, padded, axes=axes), np.float64)

    one, two = np.array([spectrum(each) for each in ones]), [spectrum(each) for each in twos]
    score = back((one.conj() * two).sum(axis=0))
    lobe = back((np.abs(one) ** 2).sum(axis=0))
    powers = [spectrum((np.array(each) ** 2).sum(axis=0)) for each in (ones, twos)]
    spread = back(powers[0].conj() * powers[1]) / len(shape)
    overlap = back(np.abs(spectrum(both)) ** 2)
    known = (overlap > _LEAST * overlap.flat[0]) & (spread > 1e-6 * spread.max())
    if not known.flat[0]:
        return Verdict.UNLIKE
    score = np.where(known, score / np.sqrt(np.where(known, spread, 1.0)), 0.0)
    own = float(score.flat[0])
    places, _ = ndimage.label(fft.fftshift(lobe > _SAME * lobe.flat[0]))
    centre = tuple(n // 2 for n in places.shape)
    rest = score[known & ~fft.ifftshift(places == places[centre])]
    if rest.size < 8:
        return Verdict.CLEAR if own > _CHANCE else Verdict.UNLIKE
    scatter = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) or 1.0
    if own > float(rest.max()) + _CLEAR * scatter:
        return Verdict.CLEAR
    return Verdict.AMBIGUOUS if own > _CHANCE * scatter else Verdict.UNLIKE


def _limited(slopes: list[FloatArray], both: BoolArray) -> list[FloatArray]:
    size = np.sqrt((np.array(slopes) ** 2).sum(axis=0))
    typical = float(np.sqrt(np.mean(size[both] ** 2))) if both.any() else 1.0
    middle = float(np.median(size[both])) if both.any() else 1.0
    limit = _MOST * (middle if middle > 0 else typical)
    factor = np.where(both, np.minimum(1.0, limit / np.maximum(size, 1e-300)), 0.0)
    return [each * factor for each in slopes]
