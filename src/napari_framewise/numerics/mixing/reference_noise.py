"""What the noise of the references does to a fit: the errors-in-variables correction.

The references are ``R_k + noise``, so the Gram matrix of the design holds the noise's summed
variance as well; Fuller (1987, Measurement Error Models, section 2.2) subtracts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ReferenceNoise:
    """Sums of the references' noise variance over pixels, in the coordinates of the basis.

    Each array has a leading axis of 1 (all pixels in use) or of n (each frame its own pixels).

    Attributes
    ----------
    variance : (P, K) float64
        Noise variance per pixel, times its weight.
    total : (1 or n, K) float64
        ``S_k = sum_p w s_k^2``.
    spread : (1 or n, K, J, J) float64
        ``sum_p w s_k^2 Q Q^T``.
    square : (1 or n, K, K) float64
        ``sum_p w^2 s_k^2 s_l^2``.
    sandwich : (1 or n, K, L) float64
        ``sum_p w s_k^2 products``: what the noise adds to the meat of consistent errors.
    """

    variance: FloatArray
    total: FloatArray
    spread: FloatArray
    square: FloatArray
    sandwich: FloatArray

    def of_pixels(
        self, used: FloatArray, basis: FloatArray, products: FloatArray
    ) -> ReferenceNoise:
        """Return the sums over each frame's own pixels, `used` (n, P) being 1 or 0."""
        n, count = len(used), self.variance.shape[1]
        size = len(basis)
        spread = np.empty((n, count, size, size))
        square = np.empty((n, count, count))
        sandwich = np.empty((n, count, len(products)))
        for k in range(count):
            weighed = used * self.variance[:, k]
            for i in range(size):
                spread[:, k, i, :] = (weighed * basis[i]) @ basis.T
            square[:, k, :] = weighed @ self.variance
            sandwich[:, k, :] = weighed @ products.T if len(products) else 0.0
        return ReferenceNoise(self.variance, used @ self.variance, spread, square, sandwich)

    def of_frames(self, rows: NDArray[Any]) -> ReferenceNoise:
        """Return the sums of some of the frames."""
        sums = (self.total, self.spread, self.square, self.sandwich)
        return ReferenceNoise(self.variance, *(each[rows] for each in sums))


def reference_noise_terms(
    variance: FloatArray,
    weight: FloatArray,
    basis: FloatArray,
    products: FloatArray,
    to_coefficients: FloatArray,
) -> ReferenceNoise:
    """Sum the references' noise ``variance`` (K, P) over the used pixels.

    Raises
    ------
    ValueError
        If it is as large as the difference between the references.
    """
    weighed = np.ascontiguousarray((weight * variance).T)
    empty = np.empty((0, 0))
    blank = ReferenceNoise(weighed, empty, empty, empty, empty)
    terms = blank.of_pixels((weight > 0).astype(np.float64)[np.newaxis], basis, products)
    left = np.eye(len(basis)) - correction(terms, to_coefficients)[0]
    if np.linalg.eigvalsh(left)[0] < 1e-6:
        raise ValueError(
            "The reference noise is as large as the difference between the references, so nothing "
            "of it is left after the correction; average more replicate frames for each reference."
        )
    return terms


def correction(noise: ReferenceNoise, to_coefficients: FloatArray) -> FloatArray:
    """Return what is to be subtracted from the Gram matrix: (1 or n, J, J)."""
    return np.asarray(np.einsum("ki,nk,kj->nij", to_coefficients, noise.total, to_coefficients))


def shared_meat(
    noise: ReferenceNoise, coefficients: FloatArray, to_coefficients: FloatArray
) -> FloatArray:
    """Variance that the references' noise brings into each frame's normal equations: (n, J, J).

    ``sum w^2 D D^T v + u u^T`` of Fuller's (1987) eq. 2.2.23, ``v = sum_k b_k^2 s_k^2``.
    """
    spread = np.broadcast_to(noise.spread, (len(coefficients), *noise.spread.shape[1:]))
    square = np.broadcast_to(noise.square, (len(coefficients), *noise.square.shape[1:]))
    first = np.einsum("nk,nkij->nij", coefficients**2, spread)
    pulled = coefficients[:, :, None] * to_coefficients
    return np.asarray(first + np.einsum("nki,nkl,nlj->nij", pulled, square, pulled))
