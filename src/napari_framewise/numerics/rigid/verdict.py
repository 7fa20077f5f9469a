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


def judged(
    template: list[FloatArray],
    use: BoolArray,
    image: list[FloatArray],
    valid: BoolArray,
    shift: tuple[int, ...],
) -> Verdict:
    """Compare slopes of a template with those of the whole image at every shift.

    The sum of products at each shift is divided by its standard deviation for slopes that have
    nothing to do with each other. The found place must stand out from the best other place, and
    from how all of them scatter.

    Parameters
    ----------
    template : list of (*shape)
        Slopes along each axis of the template, turned as it lies in the image.
    use : (*shape) bool
        Where they may be used.
    image : list of (*there)
        Slopes of the image.
    valid : (*there) bool
    shift : tuple of int
        Of the template in the image, as it was found.
    """
    ones, twos = _limited(template, use), _limited(image, valid)
    axes = tuple(range(use.ndim))
    extent = [n + m - 1 for n, m in zip(use.shape, valid.shape, strict=True)]
    padded = [fft.next_fast_len(n, real=True) for n in extent]

    def spectrum(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(fft.rfftn(values.astype(np.float32), padded, axes=axes))

    def back(values: NDArray[Any], first: tuple[int, ...]) -> FloatArray:
        """Shifts from minus `first` upwards."""
        found = np.asarray(fft.irfftn(values, padded, axes=axes), np.float64)
        return np.roll(found, [n - 1 for n in first], axes)[tuple(map(slice, extent))]

    own = np.array([spectrum(each).conj() for each in ones])
    score = back(sum(one * spectrum(two) for one, two in zip(own, twos, strict=True)), use.shape)
    powers = [spectrum((np.array(each) ** 2).sum(axis=0)) for each in (ones, twos)]
    spread = back(powers[0].conj() * powers[1], use.shape) / use.ndim
    overlap = back(spectrum(use).conj() * spectrum(valid), use.shape)
    known = (overlap > _LEAST * use.sum()) & (spread > 1e-6 * spread.max())
    at = tuple(s + n - 1 for s, n in zip(shift, use.shape, strict=True))
    if not (all(0 <= i < n for i, n in zip(at, known.shape, strict=True)) and known[at]):
        return Verdict.UNLIKE
    score = np.where(known, score / np.sqrt(np.where(known, spread, 1.0)), 0.0)
    here = float(score[tuple(slice(max(0, i - 1), i + 2) for i in at)].max())
    rest = score[known & ~_same(own, padded, at, score.shape)]
    if rest.size < 8:
        return Verdict.CLEAR if here > _CHANCE else Verdict.UNLIKE
    scatter = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) or 1.0
    if here > float(rest.max()) + _CLEAR * scatter:
        return Verdict.CLEAR
    return Verdict.AMBIGUOUS if here > _CHANCE * scatter else Verdict.UNLIKE


def _same(
    own: NDArray[Any],
    padded: list[int],
    at: tuple[int, ...],
    extent: tuple[int, ...],
) -> BoolArray:
    """Shifts around a place at which the template still resembles itself."""
    lobe = fft.fftshift(fft.irfftn((np.abs(own) ** 2).sum(axis=0), padded))
    centre = tuple(n // 2 for n in lobe.shape)
    places, _ = ndimage.label(lobe > _SAME * lobe[centre])
    there = np.argwhere(places == places[centre]) - centre + at
    there = there[((there >= 0) & (there < extent)).all(axis=1)]
    found = np.zeros(extent, bool)
    found[tuple(there.T)] = True
    return found


def _limited(slopes: list[FloatArray], both: BoolArray) -> list[FloatArray]:
    size = np.sqrt((np.array(slopes) ** 2).sum(axis=0))
    typical = float(np.sqrt(np.mean(size[both] ** 2))) if both.any() else 1.0
    middle = float(np.median(size[both])) if both.any() else 1.0
    limit = _MOST * (middle if middle > 0 else typical)
    factor = np.where(both, np.minimum(1.0, limit / np.maximum(size, 1e-300)), 0.0)
    return [each * factor for each in slopes]
