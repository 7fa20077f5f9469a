"""What is summed over the pixels of a frame, and what those sums say of it.

With ``d`` the weighted distance of a frame from the middle mixture and ``Q`` the basis, the
gradient is ``Q d`` and the residual of a solution t is ``e = d - t Q``. Where d is no more than
what references do to a frame, squares of residuals are expanded, so that one reading serves::

    sum P e^2 = sum P d^2 - 2 t . sum P Q d + t (sum P Q Q^T) t^T

A difference that is small against its first term has lost digits: those frames are read again
for their residuals, and so are all where nothing ties the coefficients to a sum: d is all of y.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# with more unknowns the products of three rows are more than what a second reading takes
_MOST_EXPANDED = 3
# of the first term: what is left has lost no more than 10 of its 53 bits
LEAST_LEFT = 2.0**-10


@dataclass(frozen=True)
class Summing:
    """The rows that frames are multiplied by, and how to read the sums.

    Attributes
    ----------
    unknowns : int
        Rows of the basis, the first of `linear`.
    linear : (M, P) float64
        Rows that ``y - centre`` is multiplied by: the basis, what the total sum of squares needs,
        and the products of three rows of the basis.
    squared : (S, P) float64
        Rows that its square is multiplied by: the weight, and the products of two rows.
    of_basis : (J,) float64, of size 0 where the total has a row of its own
        ``sum root d`` from the sums over the basis, where a constant is among the unknowns.
    tilted : bool
        Whether the last row before the triples is the tilt.
    triples : (L, J) int64, of size 0 where nothing is expanded
        Which of `linear` holds the product of a pair of rows with a third.
    spread : (L, J, J) float64
        ``sum P Q Q^T`` of every pair.
    pairs_of_one : (L,) bool
        Which products are squares, so that their sums are positive.
    left_basis : (even, P) float64
        Basis per unit of the frames, for residuals of unit weight.
    left_squared : (L + 1, P) float64
        The weight and the products, for squares of those.
    even, whole : bool
        Whether all pixels have a weight of one, and whether all count.
    """

    unknowns: int
    linear: FloatArray
    squared: FloatArray
    of_basis: FloatArray
    tilted: bool
    triples: NDArray[np.int64]
    spread: FloatArray
    pairs_of_one: NDArray[np.bool_]
    left_basis: FloatArray
    left_squared: FloatArray
    even: bool
    whole: bool

    @classmethod
    def of(
        cls,
        basis: FloatArray,
        products: FloatArray,
        scale: FloatArray,
        root: FloatArray,
        tilt: FloatArray,
        *,
        offset: bool,
        tied: bool,
    ) -> Summing:
        """Of a design with the weights ``scale`` of raw distances; names as in `Design`."""
        size, pixels = basis.shape
        rows = [basis]
        if not offset:
            rows.append(root[np.newaxis])
        if tilt.any():
            rows.append(tilt[np.newaxis])
        fixed = sum(map(len, rows))
        first, second = np.triu_indices(size)
        triples, spread = np.empty((0, 0), np.int64), np.empty((0, size, size))
        products = products.reshape(-1, pixels)
        expanded = len(products) > 0 and tied and size <= _MOST_EXPANDED
        if expanded:
            pairs = list(combinations_with_replacement(range(size), 2))
            known = list(combinations_with_replacement(range(size), 3))
            rows.append(np.array([products[pairs.index((i, j))] * basis[k] for i, j, k in known]))
            number = {triple: fixed + n for n, triple in enumerate(known)}
            triples = np.array(
                [[_numbered(number, i, j, k) for k in range(size)] for i, j in pairs]
            )
            spread = np.einsum("lp,ip,jp->lij", products, basis, basis, optimize=True)
        linear = np.vstack(rows)
        weight = scale**2
        squared = weight[np.newaxis]
        per_unit = np.divide(basis, scale, out=np.zeros_like(basis), where=scale > 0)
        return cls(
            unknowns=size,
            linear=np.ascontiguousarray(linear * scale),
            squared=np.vstack([squared, products * weight]) if expanded else squared,
            of_basis=basis @ root if offset else np.empty(0),
            tilted=bool(tilt.any()),
            triples=triples,
            spread=spread,
            pairs_of_one=first == second,
            left_basis=np.vstack([per_unit, np.zeros((size % 2, pixels))]),
            left_squared=np.vstack([squared, products * weight]),
            even=bool((scale == 1.0).all()),
            whole=bool((scale != 0.0).all()),
        )

    def square(self, sums: FloatArray) -> FloatArray:
        """``d . d``: (n,)."""
        return sums[:, len(self.linear)]

    def total_squares(self, sums: FloatArray, weight: float) -> FloatArray:
        """Sum of squares about each frame's mean, less the middle mixture's own: (n,)."""
        at = self.unknowns
        if len(self.of_basis):
            total = (sums[:, :at] * self.of_basis).sum(axis=1)
        else:
            total = sums[:, at]
            at += 1
        found = self.square(sums) - total**2 / weight
        return np.asarray(found + 2 * sums[:, at] if self.tilted else found)

    @property
    def expanded(self) -> bool:
        """Whether squares of residuals follow from the sums."""
        return self.triples.size > 0

    def expand(self, sums: FloatArray, points: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Sums of the products times the squared residuals at `points` (n, L), and which are lost.

        Where the difference has lost digits, a frame is to be read again.
        """
        first = len(self.linear) + 1
        own = sums[:, first:]
        found = own.copy()
        # summed one by one: a matrix product's rounding depends on the number of frames
        for k in range(self.unknowns):
            turn = -2 * sums[:, self.triples[:, k]]
            for m in range(self.unknowns):
                turn += points[:, m, np.newaxis] * self.spread[:, k, m]
            turn *= points[:, k, np.newaxis]
            found += turn
        small: NDArray[np.bool_] = found < LEAST_LEFT * own
        return found, np.asarray(small[:, self.pairs_of_one].any(axis=1))


def _numbered(number: dict[tuple[int, int, int], int], i: int, j: int, k: int) -> int:
    first, second, third = sorted((i, j, k))
    return number[first, second, third]
