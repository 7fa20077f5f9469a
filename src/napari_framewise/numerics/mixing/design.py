"""What is the same for all frames of a mixing fit, solved once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.mixing.bounds import Bounds
from napari_framewise.numerics.mixing.consistent import (
    Errors,
    Freedom,
    high_leverage,
    noise_products,
)
from napari_framewise.numerics.mixing.reference_noise import ReferenceNoise
from napari_framewise.numerics.mixing.summing import Summing

FloatArray = NDArray[np.float64]
Constraint = Literal["none", "sum_to_one", "non_negative", "fully_constrained"]
Loss = Literal["linear", "huber"]


@dataclass(frozen=True)
class Design:
    """Everything a block of frames needs to be solved; made by `prepare`, picklable, read-only.

    The model of a frame is ``y = m + sum_j t_j (Q_j / sqrt(w)) + noise``: ``m`` the middle
    mixture, ``Q`` the orthonormal basis of a thin QR of the weighted design. Coefficients follow
    as ``b = middle + to_coefficients @ t``. Where nothing ties the coefficients to a sum, `middle`
    is 0: a frame may then be of any size against the references.

    Attributes
    ----------
    frame_shape : tuple of int
        Shape of a frame.
    n_references, n_pixels : int
        ``K``, and the pixels in use.
    rank : int
        Rank of the design really solved (differences under sum-to-one, with the offset's column).
    condition : float
        Condition number of that design (differences from the last reference under sum-to-one,
        centred with an offset), its columns scaled to unit norm.
    difference : float
        Two references that sum to one: ``||I1 - I2||`` over the used pixels, in counts (weighted
        where there are weights; centred with an offset). In general: the smallest singular value
        of what the coefficients can do to a frame, scaled to agree with that.
    reference_pixels_left_out : int
        Pixels left out because a reference, its noise, dark, flat or weight is not finite there.
    saturated_pixels_left_out : int
        Pixels left out because a predicted mixture plus 3 sigma, or a reference, saturates.
    references : (K, P) float64
        After dark and flat; NaN where there is no data.
    used : (P,) bool
        Pixels in use.
    centre, scale : (P,) float64
        The weighted distance from the middle mixture is ``scale * (raw frame - centre)``.
    root_weight : (P,) float64
        Square root of the weight, 0 where a pixel is not used.
    basis : (J, P) float64
        ``Q``; J unknowns, the offset among them.
    leverage : (P,) float64
        ``Q_p . Q_p``: how far a pixel fixes its own fitted value, 0 to 1.
    tilt : (P,) float64
        The middle mixture's distance from its weighted mean, times `root_weight`.
    products : (L, P) float64
        What consistent errors sum the squared residuals over, ``Q_i Q_j`` for i <= j over
        `consistent.damping`; without rows for classical errors.
    """

    frame_shape: tuple[int, ...]
    n_references: int
    n_pixels: int
    rank: int
    condition: float
    difference: float
    reference_pixels_left_out: int
    saturated_pixels_left_out: int
    constraint: Constraint
    offset: bool
    gain: bool
    loss: Loss
    errors: Errors
    bounds: Bounds
    middle: FloatArray
    references: FloatArray
    used: NDArray[np.bool_]
    dark: FloatArray
    flat: FloatArray
    centre: FloatArray
    scale: FloatArray
    root_weight: FloatArray
    basis: FloatArray
    leverage: FloatArray
    tilt: FloatArray
    products: FloatArray
    to_coefficients: FloatArray
    to_offset: FloatArray
    weight_sum: float
    middle_tss: float
    noise: ReferenceNoise | None
    expected_rss: FloatArray

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self._freeze()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._freeze()

    def _freeze(self) -> None:
        for value in self.__dict__.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def n_unknowns(self) -> int:
        """Unknowns solved for in every frame."""
        return len(self.basis)

    @cached_property
    def bound_rows(self) -> FloatArray:
        """Bounds as ``bound_rows @ t >= bound_limits``: (L, J)."""
        return np.asarray(self.bounds.rows @ self.to_coefficients)

    @cached_property
    def bound_limits(self) -> FloatArray:
        """See `bound_rows`: (L,)."""
        return np.asarray(self.bounds.limits - self.bounds.rows @ self.middle)

    @cached_property
    def move(self) -> FloatArray:
        """How coefficients and, last, the offset follow from the unknowns: (K + 1, J)."""
        return np.vstack([self.to_coefficients, self.to_offset])

    @cached_property
    def expected_total(self) -> FloatArray:
        """`expected_rss` summed over the pixels: (1, K + 2), or of size 0."""
        return np.asarray(self.expected_rss.sum(axis=1)[np.newaxis])

    @property
    def tied(self) -> bool:
        """Whether the coefficients sum to one, so that a frame is of the references' size."""
        return self.constraint in ("sum_to_one", "fully_constrained") and not self.gain

    @property
    def high_leverage_pixels(self) -> NDArray[np.int64]:
        """Pixels (flat indices) that nearly fix their own fitted value, the worst first.

        Of a leverage above 0.2 (Huber, 1981, Robust Statistics, section 7.2) and above three times
        the mean: such as a hot pixel of a reference.
        """
        return high_leverage(self.leverage, self.n_unknowns, self.n_pixels)

    @cached_property
    def freedom(self) -> Freedom:
        """Degrees of freedom of consistent errors over all pixels in use."""
        return Freedom.of(self.basis, self.leverage, self.errors)

    @cached_property
    def freedom_by_pattern(self) -> dict[bytes, tuple[FloatArray, NDArray[np.bool_]]]:
        """What `error_freedom` has found of the active bounds met so far."""
        return {}

    @cached_property
    def noise_products(self) -> FloatArray:
        """What the references' noise adds to the sums over `products`, per unit of variance."""
        return noise_products(self.basis, self.products, self.errors)

    @cached_property
    def summing(self) -> Summing:
        """What is summed over the pixels of a frame."""
        return Summing.of(
            self.basis,
            self.products,
            self.scale,
            self.root_weight,
            self.tilt,
            offset=self.offset,
            tied=self.tied,
        )
