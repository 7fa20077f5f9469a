"""A look at all shifts: the best one, whether it stands out, and what stays put meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment.shifts import Scores, scores_of
from napari_framewise.numerics.alignment.staying import staying
from napari_framewise.numerics.alignment.template import Settings
from napari_framewise.numerics.alignment.translation_images import QUIET, Ready

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
# Gaussians by which all shifts are looked at, and of the shorter side, the widest; the share of
# noise from which the other shifts are noise; a lead that needs no other look.
_SEARCHED, _WIDEST = (1.0, 0.0, 3.0), 1 / 10
_LOUD, _PLAIN = 0.1, 8.0
# Correlation of all else from which it lies at a place as well.
_AGREEING = 0.8
# Share of the pixels that may stay put where the rest is known to move.
_FEW = 0.2
# Pixels from the peak from which the place is looked at again.
_APART = 2.0


def sigmas(most: float, least: float, choice: tuple[float, ...]) -> tuple[float, ...]:
    """Gaussians to try: not wider than an image bears, nor narrower than was asked for."""
    return tuple(dict.fromkeys(max(each, least) for each in choice if each <= most))


@dataclass(frozen=True, eq=False)
class Found:
    """What a look at all shifts found.

    Attributes
    ----------
    scores : Scores
    peak : tuple of float
        The best shift.
    clear : bool
        Whether it stands out from all others.
    noisy : bool
        Whether noise alone makes the others.
    put : (y, x) bool or None
        What stays put while the rest moves.
    """

    scores: Scores
    peak: tuple[float, float]
    clear: bool
    noisy: bool
    put: BoolArray | None

    def holds(self, shift: FloatArray) -> bool:
        """Whether a shift that the equations led to from the peak stands out from all others."""
        if self.clear and np.hypot(*(shift - self.peak)) < _APART:
            return True
        at = self.scores.near((float(shift[0]), float(shift[1])), 0.75)
        return at is not None and self.scores.stands_out(at, self.scores.rival(at), self.noisy)


def _agrees(scores: Scores, at: tuple[int, int], put: BoolArray) -> bool:
    """Whether all else plainly lies at a place as well."""
    rest = replace(scores, template=scores.template.without(put), image=scores.image.without(put))
    return rest.correlation(at) > _AGREEING


def searched(
    template: Ready, image: Ready, settings: Settings, noise: float, side: int
) -> Found | None:
    """The best of all shifts."""
    best: tuple[bool, float, Found] | None = None
    order = _SEARCHED if noise > QUIET else sorted(_SEARCHED)
    noisy = noise > _LOUD
    for sigma in sigmas(_WIDEST * side, settings.smoothing, tuple(order)):
        one, two = template.slopes(sigma)[1], image.slopes(sigma)[1]
        scores = scores_of(one, two, settings.least_overlap)
        at = scores.best
        if not scores.values[at] > -np.inf:
            continue
        rival, peak = scores.rival(at), scores.peak(at)
        ahead = float(scores.values[at] - (scores.values[rival] if rival else 0.0))
        clear = scores.stands_out(at, rival, noisy)
        # Lines that stay put draw the best shift to 0 along one axis.
        put = staying(one, two) if not clear or min(map(abs, peak)) < 1 else None
        if put is not None and clear and _agrees(scores, at, put):
            # The rest lies there as well: it need not be looked for.
            if np.hypot(*peak) > 1 and put.mean() <= _FEW:
                return Found(scores, peak, True, noisy, put)
        elif put is not None:
            rest = scores_of(one.without(put), two.without(put), settings.least_overlap / 2)
            there = rest.best
            shift = rest.peak(there)
            same = np.hypot(*np.subtract(peak, shift)) < 1
            if (
                np.hypot(*shift) > 1
                and not (same and put.mean() > _FEW)
                and rest.stands_out(there, rest.rival(there), noisy)
            ):
                return Found(rest, shift, True, noisy, put)
        if best is None or (clear, ahead) > best[:2]:
            best = clear, ahead, Found(scores, peak, clear, noisy, None)
        if clear and (ahead > _PLAIN or noise < QUIET):
            break
    return None if best is None else best[2]
