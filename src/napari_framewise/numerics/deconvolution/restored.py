"""A restored frame, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.deconvolution.extension import Array, Floats
from napari_framewise.numerics.deconvolution.judging import Evidence, Verdict


@dataclass(frozen=True, eq=False)
class Held:
    """Pixels of a restoration as the iterations leave them, for an image is not always asked for.

    Attributes
    ----------
    values : ndarray
        The scene, in units of `unit`.
    unit : float
    window : tuple of slice
        The frame within the scene.
    shown : ndarray of bool
        Which of its pixels are known.
    """

    values: Floats
    unit: float
    window: tuple[slice, ...]
    shown: NDArray[np.bool_]

    @classmethod
    def nothing(cls) -> Held:
        """No pixels."""
        return cls(np.empty(0), 1.0, (slice(None),), np.empty(0, np.bool_))


@dataclass(frozen=True, eq=False)
class Restored:
    """A restored frame, or one so far.

    Attributes
    ----------
    held : Held
        Its pixels.
    iterations : int
        How many it took.
    residual : float
        Root mean square of what is left of the data.
    noise : float
        Standard deviation of the noise that was stated or measured.
    weight : float
        Of the regularisation, as in `Settings`.
    objective : float
        What was made small, in the square of the frames' unit; of Richardson-Lucy in their unit.
    change : float
        The last change (rms) over the frame's standard deviation.
    restarts : int
        How often FISTA was begun anew.
    freedom : float
        Share of the data's degrees of freedom that the scene takes up, where the weight of total
        variation follows from it; else 0.
    evidence : Evidence
        What the verdict rests on; NaN in what is so far.
    verdict : Verdict
    outliers : int
        Pixels that no scene can explain, which were left out.
    growth : float
        Variance of the noise in the brightest tenth over that in the darkest, where it was measured
        and grows; else 1.
    correlation : float
        The noise over what neighbours show of it, where it is correlated over pixels; else 1.
    """

    held: Held
    iterations: int
    residual: float
    noise: float
    weight: float
    objective: float
    change: float
    restarts: int
    freedom: float
    evidence: Evidence
    verdict: Verdict
    outliers: int = 0
    growth: float = 1.0
    correlation: float = 1.0

    @property
    def image(self) -> Array:
        """NaN where a pixel was left out, or where nothing says what it is; float64."""
        held = self.held
        values = held.values[held.window].astype(np.float64)
        return np.where(held.shown, values * held.unit, np.nan)

    @property
    def scene(self) -> Array:
        """What a next frame may begin with, in the unit of the frames."""
        return self.held.values.astype(np.float64) * self.held.unit
