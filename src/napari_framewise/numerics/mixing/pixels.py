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
    products_of,
)
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.own_pixels import ResidualSums, residual_sums
from napari_framewise.numerics.mixing.system import System, packed_inverses

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Shared:
    """What sums over each frame's own pixels have in common, made once for a design.

    Attributes
    ----------
    basis : (J, P) float64
        Q.
    products : (L, P) float64
        ``Q_i Q_j`` for i <= j.
    pairs : (M, P) float64, optional
        Products of two of those; None with more unknowns than `MOST_PAIRED`.
    scale : (P,) float64
        Of distances, NaN where a pixel is not in use.
    summed, seen : (..., P) float64
        What is summed with the distances, and over the pixels that are known: the products, the
        weight, and expected residuals.
    errors : str
        Which errors are asked for.
    """

    basis: FloatArray
    products: FloatArray
    pairs: FloatArray | None
    scale: FloatArray
    summed: FloatArray
    seen: FloatArray
    errors: Errors

    @classmethod
    def of(cls, design: Design) -> Shared:
        """That of a design."""
        products = products_of(design.basis)
        expected = [design.expected_rss] if design.expected_rss.size else []
        return cls(
            np.ascontiguousarray(design.basis),
            products,
            pairs_of(products) if len(design.basis) <= MOST_PAIRED else None,
            np.where(design.used, design.scale, np.nan),
            np.vstack([design.basis, design.root_weight]),
            np.vstack([products, design.root_weight**2, *expected]),
            design.errors,
        )


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
    shared : Shared
        What they have in common.
    """

    distance: FloatArray
    gram: FloatArray
    inverse: FloatArray
    shared: Shared

    @classmethod
    def of(cls, distance: FloatArray, gram: FloatArray, shared: Shared) -> OwnPixels:
        """Those of frames with these Gram matrices."""
        consistent = shared.errors != "classical"
        inverse = np.asarray(np.linalg.inv(gram)) if consistent else np.empty((len(gram), 0, 0))
        return cls(distance, gram, inverse, shared)

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
        shared = self.shared
        consistent = shared.errors != "classical"
        return residual_sums(
            self.distance,
            shared.basis,
            points,
            products=shared.products,
            inverse=packed_inverses(self.inverse) if consistent else None,
            errors=shared.errors,
            limit=limit,
            pairs=shared.pairs if freedom and consistent else None,
        )

    def with_freedom(self, system: System, sums: ResidualSums) -> System:
        """A system with what the degrees of freedom of its errors need."""
        if self.shared.errors == "classical":
            return system
        if len(self.shared.basis) > MOST_PAIRED:
            return replace(system, seen=np.isfinite(self.distance))
        first, second = np.triu_indices(len(self.shared.basis))
        whole = self.gram[:, first, second]
        own = PixelSums(self.inverse, whole, sums.shown, sums.trace, sums.alone, sums.packed)
        return replace(system, own=own)
