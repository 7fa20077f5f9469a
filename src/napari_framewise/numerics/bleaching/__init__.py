"""Bleaching: how brightness decays over frames, and how it is given back.

Three ways (Miura, 2020, F1000Research 9, 1494): by the ratio of each frame's mean to a reference's,
by an exponential that is fitted to the means, and by matching histograms.
"""

from __future__ import annotations

from napari_framewise.numerics.bleaching.decay import Decay, decay_gains, fit_decay, ratio_gains
from napari_framewise.numerics.bleaching.matching import Levels, levels_of, match_levels
from napari_framewise.numerics.bleaching.misfit import Misfit, misfit_of

__all__ = [
    "Decay",
    "Levels",
    "Misfit",
    "decay_gains",
    "fit_decay",
    "levels_of",
    "match_levels",
    "misfit_of",
    "ratio_gains",
]
