"""Robust mixing coefficients: Huber's loss by iterated reweighting.

Minimises ``sum rho(e / s)``, with rho quadratic up to ``k = 1.345`` (95 % efficient under Gaussian
noise) and linear beyond (Huber, 1964, Ann. Math. Stat. 35, 73-101), e the residual times the root
of its weight. The scale s is ``median |e| / 0.6745``; it is taken anew in the first iterations
and then held, so that what is solved is convex (Huber, 1981, Robust Statistics, section 7.8).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics._mixing_design import Design
from napari_framewise.numerics._mixing_result import MixingFit
from napari_framewise.numerics._mixing_small import System

FloatArray = NDArray[np.float64]
TUNING = 1.345
_SCALE_STEPS = 5
_MOST_STEPS = 60


def finish_robust(
    distance: FloatArray,
    used: FloatArray,
    products: FloatArray,
    system: System,
    design: Design,
    result: MixingFit,
    rows: NDArray[np.int64],
) -> None:
    """Fit frames of weighted distances (n, P) from the middle mixture and write their `rows`.

    Classical errors follow Huber (1981, eq. 7.6.5),
    ``K^2 [sum psi^2 / (n - p)] / m^2 G^-1`` with ``m`` the share of pixels within k s and
    ``K = 1 + p (1 - m) / (n m)``; consistent ones are the sandwich
    ``A^-1 [sum psi^2 Q Q^T / (1 - h)^2] A^-1`` with A the Gram matrix of the pixels within k s.
    """
    raise NotImplementedError
