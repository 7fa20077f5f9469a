"""Transfer functions of isotropic filters: how much of each frequency they let through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Gaussians:
    """Difference of two Gaussians of unit sum, or one of them.

    ``H(f) = exp(-2 (pi f narrow)^2) - exp(-2 (pi f wide)^2)``

    Attributes
    ----------
    narrow, wide : float
        Standard deviations. A narrow one of 0 lets everything through (a high-pass filter), a wide
        one that is infinite takes nothing away (a low-pass filter).

    Raises
    ------
    ValueError
        Where the wide one is not wider, or a sigma is negative.
    """

    narrow: float
    wide: float = math.inf

    def __post_init__(self) -> None:
        if not 0 <= self.narrow < self.wide:
            raise ValueError(
                f"Gaussians of sigma {self.narrow:g} and {self.wide:g} were given; the second must "
                "be wider than the first, and neither negative."
            )

    def transfer(self, frequencies: Array) -> Array:
        """Gain at frequencies of any shape.

        Examples
        --------
        >>> import numpy as np
        >>> Gaussians(1.0, 2.0).transfer(np.array([0.0, 0.1])).round(4).tolist()
        [0.0, 0.3668]
        """
        first, second = self.parts(frequencies)
        return first - second

    def parts(self, frequencies: Array) -> tuple[Array, Array]:
        """Gain of either Gaussian."""
        squares = 2 * np.square(np.pi * np.asarray(frequencies, np.float64))
        wide = np.exp(-squares * self.wide**2) if math.isfinite(self.wide) else 0 * squares
        return np.exp(-squares * self.narrow**2), wide


@dataclass(frozen=True)
class LogGabor:
    """A Gaussian on a logarithmic axis of frequency (Field 1987); of any width, without a mean.

    ``H(f) = exp(-ln(f / centre)^2 / (2 s^2))``, where centre is the geometric mean of the
    half-power edges and ``s = ln(high / low) / (2 sqrt(ln 2))``.

    Attributes
    ----------
    low, high : float
        Half-power edges, ``0 < low < high``.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise ValueError(
                f"A log-Gabor filter from {self.low:g} to {self.high:g} was asked for; it needs a "
                "lower edge above 0 and an upper edge above that: for low-pass and high-pass "
                "filters take Gaussians or Butterworth."
            )

    def transfer(self, frequencies: Array) -> Array:
        """Gain at frequencies of any shape.

        Examples
        --------
        >>> import numpy as np
        >>> LogGabor(0.1, 0.4).transfer(np.array([0.0, 0.1, 0.2])).round(4).tolist()
        [0.0, 0.7071, 1.0]
        """
        given = np.asarray(frequencies, np.float64)
        width = math.log(self.high / self.low) / (2 * math.sqrt(math.log(2)))
        octaves = np.log(np.where(given > 0, given, 1) / math.sqrt(self.low * self.high)) / width
        return np.where(given > 0, np.exp(-0.5 * np.square(octaves)), 0.0)


@dataclass(frozen=True)
class Butterworth:
    """Flat inside the band, steep at its edges: the magnitude of Butterworth's filter.

    ``H(f) = 1 / sqrt(1 + q^(2 order))`` with ``q = (f^2 - low high) / (f (high - low))``;
    ``q = f / high`` where low is 0 (low-pass), ``q = low / f`` where high is infinite (high-pass).

    Attributes
    ----------
    low, high : float
        Half-power edges, ``0 <= low < high``.
    order : int
        Steepness: far from the band the gain falls by 6 dB an octave for each.
    """

    low: float
    high: float
    order: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high or self.order < 1:
            raise ValueError(
                f"A Butterworth filter of order {self.order} from {self.low:g} to {self.high:g} "
                "was asked for; its upper edge must lie above its lower edge, and its order be 1 "
                "or more."
            )

    def transfer(self, frequencies: Array) -> Array:
        """Gain at frequencies of any shape.

        Examples
        --------
        >>> import numpy as np
        >>> Butterworth(0.1, 0.4).transfer(np.array([0.0, 0.1, 0.2])).round(4).tolist()
        [0.0, 0.7071, 1.0]
        """
        given = np.asarray(frequencies, np.float64)
        safe = np.where(given > 0, given, 1.0)
        if not math.isfinite(self.high):
            ratio = np.where(given > 0, self.low / safe, np.inf if self.low else 0.0)
        elif self.low == 0:
            ratio = given / self.high
        else:
            ratio = (np.square(safe) - self.low * self.high) / (safe * (self.high - self.low))
            ratio = np.where(given > 0, ratio, np.inf)
        with np.errstate(over="ignore"):
            return np.asarray(1 / np.sqrt(1 + np.square(ratio) ** self.order))


Response: TypeAlias = Gaussians | LogGabor | Butterworth
