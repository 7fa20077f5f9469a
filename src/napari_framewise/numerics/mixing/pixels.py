"""Frames that have pixels of their own, and what is summed over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

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
from napari_framewise.numerics.mixing.robust_kernel import reweighted
from napari_framewise.numerics.mixing.system import System, packed_inverses, pairs, unpacked

FloatArray = NDArray[np.float64]
Made = TypeVar("Made")
# of frames as float64, which are read a few times while they are in a cache
_CACHED_PIXELS = 1 << 18


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
    centre, scale : (P,) float64
        Of distances; the scale is NaN where a pixel is not in use.
    summed, seen : (..., P) float64
        What is summed with the distances, and over the pixels that are known: the products, the
        weight, and expected residuals.
    errors : str
        Which errors are asked for.
    """

    basis: FloatArray
    products: FloatArray
    pairs: FloatArray | None
    centre: FloatArray
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
            design.centre,
            np.where(design.used, design.scale, np.nan),
            np.vstack([design.basis, design.root_weight]),
            np.vstack([products, design.root_weight**2, *expected]),
            design.errors,
        )

    def sums(
        self,
        frames: FloatArray,
        points: FloatArray,
        inverse: FloatArray,
        *,
        limit: FloatArray | None = None,
        freedom: bool = False,
    ) -> ResidualSums:
        """Sums over the residuals of frames (n, P) at `points`; see `own_pixels.residual_sums`."""
        consistent = self.errors != "classical"
        return residual_sums(
            frames,
            self.centre,
            self.scale,
            self.basis,
            points,
            products=self.products,
            inverse=packed_inverses(inverse) if consistent else None,
            errors=self.errors,
            limit=limit,
            pairs=self.pairs if freedom and consistent else None,
        )


@dataclass(frozen=True)
class OwnPixels:
    """Frames whose Gram matrices differ.

    Attributes
    ----------
    block : (N, ...) array
        Frames of any real dtype.
    chosen : (n,) int64
        Which of them are meant.
    gram : (n, J, J) float64
        ``Q Q^T`` over each frame's pixels.
    inverse : (n, J, J) float64
        Their inverses, for leverages.
    shared : Shared
        What they have in common.
    """

    block: NDArray[Any]
    chosen: NDArray[np.int64]
    gram: FloatArray
    inverse: FloatArray
    shared: Shared

    def rows(self, which: NDArray[np.int64]) -> OwnPixels:
        """Some of the frames."""
        return replace(
            self, chosen=self.chosen[which], gram=self.gram[which], inverse=self.inverse[which]
        )

    def sums(
        self, points: FloatArray, *, limit: FloatArray | None = None, freedom: bool = False
    ) -> ResidualSums:
        """Sums over the residuals at `points`; see `own_pixels.residual_sums`."""

        def of_part(frames: FloatArray, part: slice) -> ResidualSums:
            cut = None if limit is None else limit[part]
            at, inverse = points[part], self.inverse[part]
            return self.shared.sums(frames, at, inverse, limit=cut, freedom=freedom)

        return by_part(self.block, self.chosen, of_part)

    def weighted(self, points: FloatArray, limit: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gram matrices and gradients with every pixel's weight at `points`."""
        shared, found = self.shared, []
        for part, frames in parts(self.block, self.chosen):
            found.append(
                reweighted(
                    *(frames, shared.centre, shared.scale, shared.basis, shared.products),
                    *(points[part], limit[part]),
                )
            )
        gram, gradient = (np.concatenate(each) for each in zip(*found, strict=True))
        return unpacked(gram, len(shared.basis)), gradient

    def with_freedom(self, system: System, sums: ResidualSums) -> System:
        """A system with what the degrees of freedom of its errors need."""
        if self.shared.errors == "classical" or len(self.shared.basis) > MOST_PAIRED:
            return system
        first, second = pairs(len(self.shared.basis))
        whole = self.gram[:, first, second]
        own = PixelSums(self.inverse, whole, sums.shown, sums.trace, sums.alone, sums.packed)
        return replace(system, own=own)


def parts(block: NDArray[Any], chosen: NDArray[np.int64]) -> Iterator[tuple[slice, FloatArray]]:
    """The chosen frames as float64 (n, P), a few at a time."""
    pixels = int(np.prod(block.shape[1:], dtype=np.int64))
    step = max(8, _CACHED_PIXELS // max(1, pixels))
    for start in range(0, len(chosen), step):
        part = slice(start, min(start + step, len(chosen)))
        rows = chosen[part]
        together = rows[-1] - rows[0] == len(rows) - 1
        frames = block[rows[0] : rows[-1] + 1] if together else block[rows]
        yield part, np.ascontiguousarray(frames.reshape(len(rows), -1), np.float64)


def by_part(
    block: NDArray[Any],
    chosen: NDArray[np.int64],
    function: Callable[[FloatArray, slice], Made],
) -> Made:
    """Join what a function makes of the chosen frames, a few at a time."""
    made: Made = joined([function(frames, part) for part, frames in parts(block, chosen)])
    return made


def joined(found: Sequence[Any]) -> Any:
    """Arrays, or dataclasses of those, joined along the frames; None stays None."""
    first = found[0]
    if len(found) == 1 or first is None:
        return first
    if not is_dataclass(first) or isinstance(first, type):
        return np.concatenate(found)
    names = [each.name for each in fields(first)]
    return replace(first, **{k: joined([getattr(each, k) for each in found]) for k in names})


def picked(found: Any, rows: NDArray[Any]) -> Any:
    """Some rows of an array or of a dataclass of arrays; None stays None."""
    if found is None:
        return found
    if is_dataclass(found) and not isinstance(found, type):
        names = [each.name for each in fields(found)]
        return replace(found, **{k: picked(getattr(found, k), rows) for k in names})
    return found[rows]
