"""What was seen, which of its pixels count, and what an iteration gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.deconvolution.extension import Array, Floats

_SINGLE = 100.0


@dataclass(frozen=True, eq=False)
class Data:
    """One image with the pixels that count.

    Attributes
    ----------
    values : ndarray of float64
        0 where a pixel does not count: no result depends on what stood there.
    weight : ndarray of bool
        Which pixels count.
    """

    values: Array
    weight: NDArray[np.bool_]

    @classmethod
    def of(cls, image: Array, use: NDArray[np.bool_] | None = None) -> Data:
        """An image in which what is not finite does not count, nor what `use` leaves out."""
        weight = np.isfinite(image)
        if use is not None:
            weight = weight & use
        values = np.where(weight, image, 0.0).astype(np.float64)
        return cls(np.ascontiguousarray(values), np.ascontiguousarray(weight))

    def without(self, lost: NDArray[np.bool_]) -> Data:
        """The same, but for pixels that don't count any more."""
        if not lost.any():
            return self
        return Data(np.where(lost, 0.0, self.values), self.weight & ~lost)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the image."""
        return self.values.shape

    @cached_property
    def count(self) -> int:
        """How many pixels count."""
        return int(np.count_nonzero(self.weight))

    @property
    def complete(self) -> bool:
        """Whether all pixels count."""
        return self.count == self.weight.size

    @cached_property
    def mean(self) -> float:
        """Of the pixels that count."""
        return float(self.values.sum()) / max(1, self.count)

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the pixels that count."""
        off = np.where(self.weight, self.values - self.mean, 0.0)
        return math.sqrt(float(np.vdot(off, off)) / max(1, self.count))

    def single(self, level: float = 0.0) -> bool:
        """Whether single precision does: values, less a level, are at most 100 times their spread.

        Its rounding is then less than a tenth of the least noise that is taken to be there.
        """
        return abs(self.mean - level) <= _SINGLE * self.spread

    @cached_property
    def filled(self) -> Array:
        """The image with the nearest pixel that counts in the place of one that does not."""
        if self.complete or not self.count:
            return self.values
        nearest = ndimage.distance_transform_edt(
            ~self.weight, return_distances=False, return_indices=True
        )
        return np.asarray(self.values[tuple(nearest)])

    def change(self, after: Floats, before: Floats) -> float:
        """Root mean square of a change over the standard deviation of the data."""
        off = after - before
        size = self.spread * math.sqrt(off.size)
        return math.sqrt(float(np.vdot(off, off))) / size if size > 0 else 0.0

    def residual(self, blurred: Array) -> Array:
        """``blurred - values``, 0 where a pixel does not count."""
        return np.where(self.weight, blurred - self.values, 0.0)


@dataclass(frozen=True, eq=False)
class Step:
    """What an iteration gives.

    Attributes
    ----------
    number : int
        Of the iteration, from 1.
    scene : ndarray
        The image so far, over the scene of the blur.
    residual : float
        Sum of squares of what is left of the data.
    objective : float
        What is made small.
    change : float
        Root mean square of the last change over the standard deviation of the data.
    weight : float
        Weight of the regularisation that it came from.
    restarts : int
        How often the acceleration was begun anew.
    freedom : float
        Share of the data's degrees of freedom that the scene takes up, where the weight follows
        from it.
    """

    number: int
    scene: Floats
    residual: float
    objective: float
    change: float
    weight: float = 0.0
    restarts: int = 0
    freedom: float = 0.0
