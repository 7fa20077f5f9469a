"""Heteroscedasticity-consistent errors: what squared residuals weigh, and how far to trust the sum.

A coefficient is ``c . t`` with a contrast ``c`` of the unknowns, so a pixel's noise moves it by
``z_p = c . Q_p``. Its variance is estimated by ``V = sum z_p^2 e_p^2 / (1 - h_p)^a`` with the
residuals e and leverages h: ``a = 1`` is HC2, unbiased where the noise is even, ``a = 2`` HC3
(MacKinnon & White, 1985). V is a quadratic form ``e^T D e = y^T B y`` of the frame, and
Satterthwaite's degrees of freedom are ``tr(B)^2 / tr(B^2)`` (Bell & McCaffrey, 2002, Survey
Methodology 28, 169-181), with ``d_p = z_p^2 / (1 - h_p)^a`` and ``h_pq = Q_p . Q_q``::

    tr(B)   = sum_p d_p (1 - h_p)
    tr(B^2) = sum_p d_p^2 (1 - 2 h_p) + sum_pq d_p d_q h_pq^2

A pixel whose leverage is nearly 1 has hardly any residual, whatever its noise: where it decides a
coefficient, there is no consistent error.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Errors = Literal["classical", "hc2", "hc3"]

# 97 % of 95 % intervals hold the truth up to here under Poisson noise, and fewer beyond
BLIND_LEVERAGE = 0.95
# of a coefficient's variance that may come from pixels that do not show their noise
BLIND_SHARE = 0.1
# a pixel that alone fixes an unknown has no residual; the floor keeps 0 / 0 out
FLOOR = 1e-9
# Huber (1981, Robust Statistics, section 7.2): up to 0.2 is safe
_HIGH_LEVERAGE = 0.2
_TIMES_THE_MEAN = 3.0
# with more unknowns there are more products of pairs of products than contrasts
MOST_PAIRED = 3


def damping(leverage: FloatArray, errors: Errors) -> FloatArray:
    """What squared residuals are divided by: ``1 - h`` by HC2, its square by HC3."""
    left = np.maximum(1 - leverage, FLOOR)
    return left**2 if errors == "hc3" else left


def products_of(basis: FloatArray) -> FloatArray:
    """Rows ``Q_i Q_j`` for i <= j."""
    first, second = np.triu_indices(len(basis))
    return np.asarray(basis[first] * basis[second])


def noise_products(basis: FloatArray, products: FloatArray, errors: Errors) -> FloatArray:
    """What the references' noise adds to sums over `products`, per unit of its variance.

    The expected ``e^2 / (1 - h)`` is all of a pixel's variance, so that by HC2 no leverage is left.
    """
    return products_of(basis) if errors == "hc2" else products


def high_leverage(leverage: FloatArray, unknowns: int, n_pixels: int) -> NDArray[np.int64]:
    """Pixels that nearly fix their own fitted value, the worst first."""
    least = max(_HIGH_LEVERAGE, _TIMES_THE_MEAN * unknowns / n_pixels)
    found = np.flatnonzero(leverage > least)
    return np.asarray(found[np.argsort(-leverage[found], kind="stable")])


@dataclass(frozen=True)
class Freedom:
    """Degrees of freedom of the estimated variance of any contrast over all pixels in use.

    With ``u`` the products ``c_i c_j`` of a contrast for i <= j, twice where i < j.

    Attributes
    ----------
    trace : (L,) float64
        ``tr(B) = trace . u``.
    square : (L, L) float64
        ``tr(B^2) = u . square u``.
    blind : (L,) float64
        ``sum z_p^2`` over the pixels that do not show their noise.
    """

    trace: FloatArray
    square: FloatArray
    blind: FloatArray

    @classmethod
    def of(cls, basis: FloatArray, leverage: FloatArray, errors: Errors) -> Freedom:
        """That of a design with the orthonormal `basis` (J, P)."""
        shown = (leverage <= BLIND_LEVERAGE).astype(np.float64)
        divisor = damping(leverage, errors)
        products = products_of(basis)
        weighed = products * (shown / divisor)
        alone = (weighed * ((1 - 2 * leverage) / divisor)) @ products.T
        packed = weighed @ products.T
        square = alone + packed.T @ (_times(len(basis))[:, None] * packed)
        return cls(np.asarray(weighed @ (1 - leverage)), square, np.asarray(products @ (1 - shown)))

    def degrees(self, contrasts: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Degrees of freedom of contrasts (..., J), and whether too little of the noise shows."""
        first, second = np.triu_indices(contrasts.shape[-1])
        u = contrasts[..., first] * contrasts[..., second] * _times(contrasts.shape[-1])
        whole = (contrasts**2).sum(axis=-1)
        return _degrees(u @ self.trace, ((u @ self.square) * u).sum(axis=-1), u @ self.blind, whole)


@dataclass(frozen=True)
class PixelSums:
    """What `degrees_of_sums` needs of frames that have pixels of their own.

    With ``d = shown / (1 - h)^a`` of each pixel; L products ``Q_i Q_j``, and M products of two of
    those. A pixel is shown up to a leverage of `BLIND_LEVERAGE`.

    Attributes
    ----------
    inverse : (n, J, J) float64
        Inverse Gram matrices: ``h_pq = Q_p . inverse Q_q``.
    whole, shown, trace : (n, L) float64
        Products summed over a frame's pixels, over those that show their noise, and over
        ``d (1 - h)``.
    alone, packed : (n, M) float64
        Products of products summed over ``d^2 (1 - 2 h)`` and over d.
    """

    inverse: FloatArray
    whole: FloatArray
    shown: FloatArray
    trace: FloatArray
    alone: FloatArray
    packed: FloatArray

    def of(self, rows: NDArray[np.int64]) -> PixelSums:
        """Those of some frames."""
        return PixelSums(*(getattr(self, each.name)[rows] for each in fields(self)))


def pairs_of(products: FloatArray) -> FloatArray:
    """Products of two of the rows, as `PixelSums` sums them."""
    left, right = np.triu_indices(len(products))
    return np.asarray(products[left] * products[right])


def degrees_of_sums(contrasts: FloatArray, sums: PixelSums) -> tuple[FloatArray, NDArray[np.bool_]]:
    """`Freedom.degrees` of contrasts (n, m, J), each frame over its own pixels."""
    size, count = contrasts.shape[2], sums.whole.shape[1]
    # all of it is quadratic in the products of a contrast, which pixels are summed over once
    first, second = np.triu_indices(size)
    left, right = np.triu_indices(count)
    alone, packed = (np.empty((len(contrasts), count, count)) for _ in range(2))
    for square, given in ((alone, sums.alone), (packed, sums.packed)):
        square[:, left, right] = given
        square[:, right, left] = given
    u = contrasts[..., first] * contrasts[..., second] * _times(size)
    whole, seen, trace = (
        np.einsum("nkl,nl->nk", u, each) for each in (sums.whole, sums.shown, sums.trace)
    )
    squares = np.einsum("nkl,nlm,nkm->nk", u, alone, u)
    wide = np.empty((*contrasts.shape[:2], size, size))
    wide[:, :, first, second] = np.einsum("nkl,nlm->nkm", u, packed)
    wide[:, :, second, first] = wide[:, :, first, second]
    both = sums.inverse[:, None] @ wide
    squares += np.einsum("nkij,nkji->nk", both, both)
    return _degrees(trace, squares, whole - seen, whole)


def degrees_one_by_one(
    contrasts: FloatArray,
    used: FloatArray,
    leverage: FloatArray,
    inverse: FloatArray,
    basis: FloatArray,
    errors: Errors,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """`degrees_of_sums` of many unknowns, a contrast at a time.

    Parameters
    ----------
    contrasts : (n, m, J)
        A pixel's noise moves the answer by ``c . Q_p``.
    used, leverage : (n, P)
        1 or 0, and the leverage of each pixel of each frame.
    inverse : (n, J, J)
        Inverse Gram matrices: ``h_pq = Q_p . inverse Q_q``.
    basis : (J, P)
        Q.
    errors : str
        "hc2" or "hc3".
    """
    shown = used * (leverage <= BLIND_LEVERAGE)
    weight = shown / damping(leverage, errors)
    products = products_of(basis)
    size = len(basis)
    first, second = np.triu_indices(size)
    trace, square, blind, whole = (np.empty(contrasts.shape[:2]) for _ in range(4))
    for k in range(contrasts.shape[1]):
        moved = (contrasts[:, k] @ basis) ** 2
        weighed = weight * moved
        whole[:, k] = (used * moved).sum(axis=1)
        blind[:, k] = whole[:, k] - (shown * moved).sum(axis=1)
        trace[:, k] = (weighed * (1 - leverage)).sum(axis=1)
        packed = np.empty((len(used), size, size))
        packed[:, first, second] = weighed @ products.T
        packed[:, second, first] = packed[:, first, second]
        both = inverse @ packed
        square[:, k] = (weighed**2 * (1 - 2 * leverage)).sum(axis=1)
        square[:, k] += np.einsum("nij,nji->n", both, both)
    return _degrees(trace, square, blind, whole)


def _degrees(
    trace: FloatArray, square: FloatArray, blind: FloatArray, whole: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    hidden = blind > BLIND_SHARE * whole
    known = (square > 0) & ~hidden
    found = np.full(trace.shape, np.nan)
    np.divide(trace**2, square, out=found, where=known)
    return found, hidden


def _times(size: int) -> FloatArray:
    """How often each of the packed elements of a symmetric matrix stands in it."""
    first, second = np.triu_indices(size)
    return np.where(first == second, 1.0, 2.0)
