"""Frames that have pixels of their own, and what is summed over them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.mixing.consistent import (
    MOST_PAIRED,
    Errors,
    PixelSums,
    pairs_of,
)
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.own_pixels import ResidualSums, residual_sums
from napari_framewise.numerics.mixing.system import System, packed_inverses

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class OwnPixels:
    """Frames whose Gram matrices differ.

    Attributes
    ----------
    distance : (n, P) float64
        Weighted distances from the middle mixture, NaN where a pixel does not count.
    gram : (n, J, J) float64
        ``Q Q^T`` over each frame's pixels.
    inverse : (n, J, J) float64, of size 0 for classical errors
        Their inverses, for leverages.
    products : (L, P) float64
        ``Q_i Q_j`` for i <= j.
    basis : (J, P) float64
        Q.
    errors : str
        Which errors are asked for.
    """

    distance: FloatArray
    gram: FloatArray
    inverse: FloatArray
    products: FloatArray
    basis: FloatArray
    errors: Errors

    @classmethod
    def of(
        cls, distance: FloatArray, gram: FloatArray, products: FloatArray, design: Design
    ) -> OwnPixels:
        """Those of frames with these Gram matrices."""
        consistent = design.errors != "classical"
        inverse = np.asarray(np.linalg.inv(gram)) if consistent else np.empty((len(gram), 0, 0))
        return cls(
            distance, gram, inverse, products, np.ascontiguousarray(design.basis), design.errors
        )

    def rows(self, chosen: NDArray[np.int64]) -> OwnPixels:
        """Some of the frames."""
        return replace(
            self,
            distance=self.distance[chosen],
            gram=self.gram[chosen],
            inverse=self.inverse[chosen],
        )

    def sums(
        self, points: FloatArray, *, limit: FloatArray | None = None, freedom: bool = False
    ) -> ResidualSums:
        """Sums over the residuals at `points`; see `own_pixels.residual_sums`."""
        consistent = self.errors != "classical"
        paired = freedom and consistent and len(self.basis) <= MOST_PAIRED
        return residual_sums(
            self.distance,
            self.basis,
            points,
            products=self.products,
            inverse=packed_inverses(self.inverse) if consistent else None,
            errors=self.errors,
            limit=limit,
            pairs=pairs_of(self.products) if paired else None,
        )

    def with_freedom(self, system: System, sums: ResidualSums) -> System:
        """A system with what the degrees of freedom of its errors need."""
        if self.errors == "classical":
            return system
        if len(self.basis) > MOST_PAIRED:
            return replace(system, seen=np.isfinite(self.distance))
        first, second = np.triu_indices(len(self.basis))
        whole = self.gram[:, first, second]
        own = PixelSums(self.inverse, whole, sums.shown, sums.trace, sums.alone, sums.packed)
        return replace(system, own=own)
