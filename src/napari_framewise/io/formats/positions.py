"""Axes of files that note where each pixel lies along them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.units import calibrated

# Longer vectors of positions are not read when a file is opened.
LONGEST_POSITIONS = 2**20


def axis_along(positions: npt.NDArray[Any], name: str, unit: str) -> Axis:
    """An axis by the positions of its pixels, where these have equal steps.

    Parameters
    ----------
    positions : ndarray, shape (pixels,)
        Rising positions, in `unit`.
    name : str
        Of the axis.
    unit : str
        As the file writes it; of "seconds since 1970-01-01" the first word counts.

    Returns
    -------
    Axis
        In pixels where the steps differ, or are not finite.
    """
    values = np.asarray(positions, np.float64)
    if values.size < 2 or not np.isfinite(values).all():
        return Axis(name)
    steps = np.diff(values)
    if steps[0] <= 0 or not np.allclose(steps, steps[0], rtol=1e-3):
        return Axis(name)
    step, first = float(steps.mean()), float(values[0])
    known = calibrated(name, step, unit.partition(" since ")[0], first)
    # Positions without a unit are still positions.
    return known if known != Axis(name) else Axis(name, step, first)
