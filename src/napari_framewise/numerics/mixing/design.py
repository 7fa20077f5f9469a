"""What is the same for all frames of a mixing fit, solved once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.mixing.bounds import Bounds, bounds_of, middle_of
from napari_framewise.numerics.mixing.combinations import check_combination
from napari_framewise.numerics.mixing.conditioning import conditioning, rank_sentence
from napari_framewise.numerics.mixing.detector import Detector, PixelWeights, pixel_weights
from napari_framewise.numerics.mixing.reference_noise import ReferenceNoise, reference_noise_terms

FloatArray = NDArray[np.float64]
Constraint = Literal["none", "sum_to_one", "non_negative", "fully_constrained"]
Loss = Literal["linear", "huber"]
Errors = Literal["classical", "consistent"]

MAX_REFERENCES = 16


@dataclass(frozen=True)
class Design:
    """Everything a block of frames needs to be solved; made by `prepare`, picklable, read-only.

    The model of a frame is ``y = m + sum_j t_j (Q_j / sqrt(w)) + noise``: ``m`` the middle
    mixture, ``Q`` the orthonormal basis of a thin QR of the weighted design. Coefficients follow
    as ``b = middle + to_coefficients @ t``.

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
    probes: FloatArray
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

    @cached_property
    def line_spread(self) -> float:
        """Sum of the first product times the squared first row of the basis."""
        return float((self.products[0] * self.basis[0] ** 2).sum())

    @cached_property
    def on_a_line(self) -> bool:
        """Whether there is one unknown, and every pixel counts the same as it stands."""
        return len(self.basis) == 1 and bool((self.scale == 1.0).all())


def prepare(
    references: ArrayLike,
    *,
    constraint: Constraint = "sum_to_one",
    bounds: tuple[ArrayLike, ArrayLike] | None = None,
    offset: bool = False,
    gain: bool = False,
    mask: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    dark: ArrayLike | None = None,
    flat: ArrayLike | None = None,
    reference_noise: ArrayLike | None = None,
    detector: Detector | None = None,
    poisson_weights: bool = False,
    middle: ArrayLike | None = None,
    loss: Loss = "linear",
    errors: Errors = "classical",
) -> Design:
    """Prepare the fit of many frames to a few references.

    Parameters
    ----------
    references : (K, *frame_shape)
        2 to 16 reference images, any real dtype, frames of any shape. Pixels where any of them is
        not finite are left out.
    constraint : str
        "none": least squares; "sum_to_one"; "non_negative"; "fully_constrained": both.
    bounds : (lo, hi), optional
        Numbers or arrays of K; NaN or infinite where there is no bound. Two numbers with two
        references that sum to one bound the first coefficient (the second follows).
    offset : bool
        Fit a free constant per frame.
    gain : bool
        Fit a free gain per frame: ``b = g x``, ``x = b / sum(b)``. Only with a sum to one.
    mask : frame_shape, optional
        Non-zero = use this pixel.
    weights : frame_shape, optional
        Weight of each pixel, proportional to the inverse of its variance; 0 leaves it out.
    dark, flat : frame_shape or number, optional
        Subtracted from, and then divided out of, frames and references alike; the flat is
        scaled to a mean of one over the used pixels.
    reference_noise : (K, *frame_shape) or broadcastable to it, optional
        Standard deviation of the noise of each pixel of each reference, in raw counts, such as
        the standard error from `average_replicates`. Turns on the errors-in-variables correction
        (Fuller, 1987, Measurement Error Models, section 2.2): its summed variance is subtracted
        from the diagonal of the Gram matrix.
    detector : Detector, optional
        The noise model: gives chi-square, and leaves out saturating pixels if it has a saturation.
    poisson_weights : bool
        Weights from the detector's variance at the middle mixture.
    middle : (K,) or (m, K), optional
        Typical coefficients, or several that span the range. Their mean is where weights are
        taken and where sums are centred; each of them is tried for saturation. Default: the
        middle of the bounds, or 1/K.
    loss : str
        "linear": least squares; "huber": robust against outlying pixels.
    errors : str
        "classical": one noise variance for all pixels (over the weight); "consistent": HC3
        (MacKinnon & White, 1985, J. Econometrics 29, 305-325), right also where the noise differs
        from pixel to pixel.

    Raises
    ------
    ValueError
        If the references, options or their combination cannot be solved; says why.
    """
    raw, frame_shape = _reference_array(references)
    count = len(raw)
    for name, value, choices in (
        ("constraint", constraint, get_args(Constraint)),
        ("loss", loss, get_args(Loss)),
        ("errors", errors, get_args(Errors)),
    ):
        if value not in choices:
            raise ValueError(f"The {name} was {value!r}; it must be one of {', '.join(choices)}.")
    check_combination(
        sum_to_one=constraint in ("sum_to_one", "fully_constrained"),
        gain=gain,
        huber=loss == "huber",
        noisy_references=reference_noise is not None,
        poisson_weights=poisson_weights,
        weights=weights is not None,
        detector=detector is not None,
    )
    limits = bounds_of(constraint, bounds, count, gain=gain)
    mixtures = middle_of(middle, limits, count)
    variance = _noise_variance(reference_noise, count, frame_shape)
    pixels = pixel_weights(
        raw,
        frame_shape,
        variance,
        mask=mask,
        weights=weights,
        dark=dark,
        flat=flat,
        detector=detector,
        poisson=poisson_weights,
        mixtures=mixtures,
    )
    return _solve_design(
        pixels,
        frame_shape,
        variance / pixels.flat**2 if len(variance) else variance,
        detector,
        mixtures.mean(axis=0),
        constraint=constraint,
        bounds=limits,
        offset=offset,
        gain=gain,
        loss=loss,
        errors=errors,
    )


def _reference_array(references: ArrayLike) -> tuple[FloatArray, tuple[int, ...]]:
    if isinstance(references, Sequence):
        shapes = [np.shape(reference) for reference in references]
        odd = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
        if odd is not None:
            raise ValueError(
                f"Reference {odd} has shape {shapes[odd]} and reference 0 has {shapes[0]}; all "
                "references must have the shape of a frame."
            )
    array = real_array(references, "references")
    if array.ndim < 2 or not 2 <= len(array) <= MAX_REFERENCES:
        number = len(array) if array.ndim > 1 else 1
        raise ValueError(
            f"{number} reference{'s were' if number != 1 else ' was'} given (shape {array.shape}); "
            f"2 to {MAX_REFERENCES} frames stacked along the first axis are needed."
        )
    return array.reshape(len(array), -1).astype(np.float64), array.shape[1:]


def _noise_variance(
    noise: ArrayLike | None, count: int, frame_shape: tuple[int, ...]
) -> FloatArray:
    if noise is None:
        return np.empty((0, 0))
    array = real_array(noise, "reference noise values").astype(np.float64)
    if array.shape == (count,):
        array = array.reshape(count, *(1,) * len(frame_shape))
    try:
        full = np.broadcast_to(array, (count, *frame_shape))
    except ValueError:
        raise ValueError(
            f"The reference noise has shape {array.shape}; one standard deviation per pixel and "
            f"reference, {(count, *frame_shape)}, or one number per reference is needed."
        ) from None
    if np.any(full < 0):
        raise ValueError("The reference noise is negative somewhere; standard deviations are not.")
    return (full**2).reshape(count, -1)


def _solve_design(
    pixels: PixelWeights,
    frame_shape: tuple[int, ...],
    variance: FloatArray,
    detector: Detector | None,
    middle: FloatArray,
    *,
    constraint: Constraint,
    bounds: Bounds,
    offset: bool,
    gain: bool,
    loss: Loss,
    errors: Errors,
) -> Design:
    count = len(pixels.references)
    n_pixels = int(np.count_nonzero(pixels.used))
    references = np.where(pixels.used, pixels.references, 0.0)
    root = pixels.root_weight
    tied = constraint in ("sum_to_one", "fully_constrained") and not gain
    if tied:
        changes = references[:-1] - references[-1]
        to_b = np.vstack([np.eye(count - 1), -np.ones(count - 1)])
    else:
        changes = references
        to_b = np.eye(count)
    columns = root * changes
    if offset:
        columns = np.vstack([root, columns])
        to_b = np.hstack([np.zeros((count, 1)), to_b])
    rank, condition, difference = conditioning(
        columns, to_b, offset, float(np.linalg.norm(root * references, axis=1).max())
    )
    unknowns = len(columns)
    if rank < unknowns or n_pixels < unknowns:
        raise ValueError(rank_sentence(rank, unknowns, n_pixels, tied, offset))
    lengths = np.linalg.norm(columns, axis=1)
    basis, triangle = np.linalg.qr((columns / lengths[:, None]).T)
    basis = np.ascontiguousarray(basis.T)
    inverse = np.linalg.solve(triangle, np.eye(unknowns)) / lengths[:, None]
    mixture = middle @ references
    weight = root**2
    mean = float(weight @ mixture / weight.sum())
    leverage = np.einsum("jp,jp->p", basis, basis)
    products = _products(basis, leverage) if errors == "consistent" else np.empty((0, 0))
    to_coefficients = to_b @ inverse
    noise = None
    if len(variance):
        noise = reference_noise_terms(
            np.where(pixels.used, variance, 0.0), weight, basis, products, to_coefficients
        )
    return Design(
        frame_shape=frame_shape,
        n_references=count,
        n_pixels=n_pixels,
        rank=rank,
        condition=condition,
        difference=difference,
        reference_pixels_left_out=pixels.left_out,
        saturated_pixels_left_out=pixels.saturated,
        constraint=constraint,
        offset=offset,
        gain=gain,
        loss=loss,
        errors=errors,
        bounds=bounds,
        middle=middle,
        references=pixels.references,
        used=pixels.used,
        dark=pixels.dark,
        flat=pixels.flat,
        centre=np.where(pixels.used, pixels.dark + mixture * pixels.flat, 0.0),
        scale=np.where(pixels.used, root / pixels.flat, 0.0),
        root_weight=root,
        basis=basis,
        probes=np.vstack([basis, root, root * (mixture - mean)]),
        products=products,
        to_coefficients=to_coefficients,
        to_offset=inverse[0] if offset else np.zeros(unknowns),
        weight_sum=float(weight.sum()),
        middle_tss=float(weight @ (mixture - mean) ** 2),
        noise=noise,
        expected_rss=_expected_rss(pixels, references, weight * (1 - leverage), detector),
    )


def _products(basis: FloatArray, leverage: FloatArray) -> FloatArray:
    """Rows ``Q_i Q_j / (1 - h) ** 2`` for i <= j: what HC3 sums the squared residuals over."""
    first, second = np.triu_indices(len(basis))
    # a pixel that alone fixes an unknown has no residual; the floor keeps 0 / 0 out
    return np.asarray(basis[first] * basis[second] / np.maximum(1 - leverage, 1e-9) ** 2)


def _expected_rss(
    pixels: PixelWeights,
    references: FloatArray,
    share: FloatArray,
    detector: Detector | None,
) -> FloatArray:
    """Terms per pixel of the expected residual sum: by coefficient, offset, and constant."""
    if detector is None:
        return np.empty((0, 0))
    electrons = np.where(pixels.used, share / (pixels.flat * detector.gain), 0.0)
    fixed = (pixels.dark - detector.offset) / detector.gain + (
        detector.read_noise / detector.gain
    ) ** 2
    constant = np.where(pixels.used, share / pixels.flat**2 * fixed, 0.0)
    return np.vstack([references * electrons, electrons, constant])
