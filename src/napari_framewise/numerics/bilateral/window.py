"""Weights of space, the same for the exact sum and for what approximates it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

REACH = 3.0
"""Standard deviations at which weights of space end."""
# What is narrower weighs its neighbours with exp(-50) at most.
_NARROWEST = 0.1


def radius(sigma: float) -> int:
    """Pixels on either side that are summed over: three standard deviations, rounded up.

    Examples
    --------
    >>> radius(3.0), radius(0.0)
    (9, 0)
    """
    return math.ceil(REACH * sigma) if sigma >= _NARROWEST else 0


def taps(sigma: float, most: int) -> NDArray[np.float64]:
    """Weights along one axis, at most `most` pixels on either side.

    Examples
    --------
    >>> taps(1.0, 1).round(3).tolist()
    [0.607, 1.0, 0.607]
    """
    reach = min(radius(sigma), most)
    if reach == 0:
        return np.ones(1)
    away = np.arange(-reach, reach + 1)
    return np.exp(-0.5 * (away / sigma) ** 2)


def volume_sigma(sigma: Sequence[float]) -> tuple[float, float, float]:
    """Along z, y, x; of a plane 0 along z."""
    z, y, x = (0.0,) * (3 - len(sigma)) + tuple(sigma)
    return z, y, x
