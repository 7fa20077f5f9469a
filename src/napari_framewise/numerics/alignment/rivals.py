"""A second look at an alignment: whether another place would do as well, or better.

The pulled-back template is compared with the image by slopes at every shift, over the pixels that
overlap there. Smooth images resemble each other by chance, brightness on one side and darkness on
the other; their slopes do not. How far what is found stands out from the best of all other places,
measured by how those scatter, says what chance would give with as many places to choose from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import eroded, gradient
from napari_framewise.numerics.overlap_correlation import Spectra, correlations

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
_SIGMA = 0.7
# Times the typical size of slopes: beyond it they say no more, so that a few hot pixels, or dirt
# that stays put, do not outvote a scene that moves.
_MOST = 3.0
# By how many standard deviations of the other places a place must stand out; and by how much
# Fisher's z, where a place is as good as this correlation.
_CLEAR = 3.0
_CLEAR_Z, _GOOD = 0.35, 0.7
# Where a place is that good, what another must lack, of what it lacks itself, and beyond that.
_WORSE, _BESIDE, _FAR_WORSE = 2.0, 0.04, 20.0
# Pixels around a place that are the same place: at least, and this share of the shorter side at
# most; in between until the correlation has fallen to this share.
_NEAR, _NEAR_SHARE, _FALLEN = 2, 1 / 8, 1 / 3


@dataclass(frozen=True)
class Verdict:
    """What a second look says.

    Attributes
    ----------
    clear : bool
        Whether the place that was found stands out from all others.
    better : tuple of float, optional
        Shift, in pixels of the level, to a place that stands out from the found one instead.
    """

    clear: bool
    better: tuple[float, float] | None


def second_look(
    template: NDArray[Any],
    usable: FloatArray,
    image: NDArray[Any],
    valid: BoolArray | None,
    found: tuple[float, float],
    least: float,
) -> Verdict:
    """Compare the found place with all others.

    Parameters
    ----------
    template : (channels, y, x) float32
        Turned and stretched as it was found to lie in the image; finite.
    usable : (y, x)
        1 where it holds data.
    image : (channels, y, x) float32
        Finite.
    valid : (y, x) bool, optional
        Where it holds data.
    found : tuple of float
        Shift of the template in the image that was found, in pixels.
    least : float
        Least overlap, as a share of the template's usable pixels.
    """
    own, other = _slopes(template), _slopes(image)
    mask = eroded(usable > 0, 1, outside=False).astype(float)
    there = eroded(np.ones(image.shape[1:], bool) if valid is None else valid, 1, outside=False)
    if not mask.any() or not there.any():
        return Verdict(False, None)
    clear, better = False, None
    for bounded in (False, True):
        one, two = (
            (_bounded(each, use) if bounded else each)
            for each, use in ((own, mask > 0), (other, there))
        )
        spectra = Spectra.of(two, there, (mask.shape[0], mask.shape[1]))
        values, overlap = correlations(spectra, one, mask, least)
        score = values * np.sqrt(overlap)
        if not np.isfinite(score).any():
            continue
        at = np.array([found[0] + mask.shape[0] - 1, found[1] + mask.shape[1] - 1])
        away = np.maximum(*np.abs(np.indices(score.shape) - at[:, None, None]))
        scatter = 1.4826 * float(np.nanmedian(np.abs(score - np.nanmedian(score))))
        # Chance alone scatters by 1, though most shifts of a lattice may score 0.
        scatter = max(scatter, 1.0)
        here = _best(np.where(away <= 1.5, score, np.nan))
        if here is None:
            continue
        near = _breadth(values, here, max(_NEAR, round(_NEAR_SHARE * min(mask.shape))))
        rival = _best(np.where(away > near, score, np.nan))
        clear |= rival is None or _stands_out(here, rival, score, values, scatter)
        elsewhere = _best(np.where(away > 1.5, score, np.nan))
        if bounded and elsewhere and _stands_out(elsewhere, here, score, values, scatter):
            clear = False
            better = (float(elsewhere[0] - at[0]), float(elsewhere[1] - at[1]))
    return Verdict(clear, better)


def _breadth(values: FloatArray, at: tuple[int, int], most: int) -> int:
    """Pixels from a place until the correlation has fallen along every axis."""
    found = _NEAR
    for line, place in ((values[:, at[1]], at[0]), (values[at[0]], at[1])):
        for way in (line[place:], line[place::-1]):
            low = np.flatnonzero(~(way >= _FALLEN * values[at]))
            found = max(found, int(low[0]) if low.size else most)
    return min(found, most)


def _stands_out(
    one: tuple[int, int],
    two: tuple[int, int],
    score: FloatArray,
    values: FloatArray,
    scatter: float,
) -> bool:
    if score[one] - score[two] > _CLEAR * scatter:
        return True
    good, other = np.clip((_top(values, one), _top(values, two)), -0.9999, 0.9999)
    worse = min(_WORSE * (1 - good) + _BESIDE, _FAR_WORSE * (1 - good))
    return bool(
        good > _GOOD
        and 1 - other > worse
        and np.arctanh(good) - np.arctanh(other) > _CLEAR_Z
        and score[one] > score[two]
    )


def _top(values: FloatArray, at: tuple[int, int]) -> float:
    """Height of parabolas through a place and its neighbours: others lie between pixels."""
    here = top = float(values[at])
    for line, place in ((values[:, at[1]], at[0]), (values[at[0]], at[1])):
        if 0 < place < len(line) - 1:
            before, after = float(line[place - 1]), float(line[place + 1])
            bend = 2 * here - before - after
            if bend > 0:
                top += min((after - before) ** 2 / (8 * bend), bend / 8)
    return top


def _best(score: FloatArray) -> tuple[int, int] | None:
    if not np.isfinite(score).any():
        return None
    row, column = np.unravel_index(int(np.nanargmax(score)), score.shape)
    return int(row), int(column)


def _slopes(planes: NDArray[Any]) -> NDArray[Any]:
    """Both slopes of every channel as channels."""
    found = gradient(planes, _SIGMA)
    return np.asarray(found.reshape(-1, *planes.shape[1:]))


def _bounded(slopes: NDArray[Any], use: BoolArray) -> NDArray[Any]:
    typical = 1.4826 * float(np.median(np.abs(slopes[:, use])))
    spread = float(np.sqrt(np.mean(slopes[:, use] ** 2)))
    bound = _MOST * max(typical, 1e-3 * spread)
    return np.asarray(np.clip(slopes, -bound, bound))
