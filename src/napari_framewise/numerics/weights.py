"""What a detector's noise says about pixels: variances, weights, saturation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Detector:
    """A detector's noise model.

    The variance of a raw pixel of expected value ``v``, in counts squared, is
    ``max(v - offset, 0) / gain + (read_noise / gain) ** 2``: Poisson noise of the electrons and
    the noise of the read-out (Janesick, 2007, Photon Transfer, eq. 5.3).

    Attributes
    ----------
    gain : float
        Electrons per count, positive.
    offset : float
        Counts of a pixel without light.
    read_noise : float
        Standard deviation of the read-out, in electrons.
    saturation : float or None
        Count at which a raw pixel saturates; None where it is not known.
    """

    gain: float = 1.0
    offset: float = 0.0
    read_noise: float = 0.0
    saturation: float | None = None

    def __post_init__(self) -> None:
        """Refuse a detector that cannot be."""
        if not (np.isfinite(self.gain) and self.gain > 0):
            raise ValueError(
                f"The detector's gain was {self.gain}; it must be a positive number of electrons "
                "per count."
            )
        if not (np.isfinite(self.read_noise) and self.read_noise >= 0):
            raise ValueError(
                f"The detector's read noise was {self.read_noise}; it must be a number of "
                "electrons, zero or more."
            )
        if not np.isfinite(self.offset):
            raise ValueError(f"The detector's offset was {self.offset}; it must be finite.")

    def variance(self, expected: FloatArray) -> FloatArray:
        """Variance, in counts squared, of raw pixels of the `expected` value."""
        electrons = np.maximum(expected - self.offset, 0.0) * self.gain
        return np.asarray((electrons + self.read_noise**2) / self.gain**2)
