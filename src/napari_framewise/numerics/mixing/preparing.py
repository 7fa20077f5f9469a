"""From references and options to a design: checked, weighed and solved once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.mixing.bounds import Bounds, bounds_of, middle_of
from napari_framewise.numerics.mixing.combinations import check_combination
from napari_framewise.numerics.mixing.conditioning import conditioning, rank_sentence
from napari_framewise.numerics.mixing.consistent import (
    Errors,
    damping,
    noise_products,
    products_of,
)
from napari_framewise.numerics.mixing.design import Constraint, Design, Loss
from napari_framewise.numerics.mixing.detector import Detector, PixelWeights, pixel_weights
from napari_framewise.numerics.mixing.reference_noise import reference_noise_terms

FloatArray = NDArray[np.float64]
MAX_REFERENCES = 16
# what the only consistent error was called while there was one
_FORMER_NAMES: dict[str, Errors] = {"consistent": "hc3"}


class Model(NamedTuple):
    """What is fitted, and how: the options of `prepare` that concern no pixel."""

    constraint: Constraint
    bounds: Bounds
    offset: bool
    gain: bool
    loss: Loss
    errors: Errors

    @property
    def tied(self) -> bool:
        """Whether the coefficients solved for sum to one."""
        return self.constraint in ("sum_to_one", "fully_constrained") and not self.gain


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
    errors: Errors | Literal["consistent"] = "classical",
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
        Subtracted from, and then divided out of, both frames and references; the flat is
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
        taken and, with a sum to one, where sums are centred; each of them is tried for
        saturation. Default: the middle of the bounds, or 1/K.
    loss : str
        "linear": least squares; "huber": robust against outlying pixels.
    errors : str
        "classical": one noise variance for all pixels (over the weight); "hc2" and "hc3": right
        also where the noise differs from pixel to pixel (MacKinnon & White, 1985, J. Econometrics
        29, 305-325), with Satterthwaite's degrees of freedom (Bell & McCaffrey, 2002, Survey
        Methodology 28, 169-181). HC2 is unbiased under even noise; HC3 is larger where few pixels
        decide. "consistent", its former name, is HC3.

    Raises
    ------
    ValueError
        If the references, options or their combination cannot be solved; says why.

    Examples
    --------
    >>> design = prepare([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], constraint="none")
    >>> design.n_references
    2
    """
    raw, frame_shape = _reference_array(references)
    count = len(raw)
    kind = _FORMER_NAMES.get(errors, cast(Errors, errors))
    for name, value, choices in (
        ("constraint", constraint, get_args(Constraint)),
        ("loss", loss, get_args(Loss)),
        ("errors", kind, get_args(Errors)),
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
    model = Model(constraint, limits, offset, gain, loss, kind)
    # no frame is far from a mixture that sums to one; without a sum, it may be of any size
    centre = mixtures.mean(axis=0) if model.tied else np.zeros(count)
    if len(variance):
        variance = variance / pixels.flat**2
    return _solve_design(pixels, frame_shape, variance, detector, centre, model)


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
    model: Model,
) -> Design:
    count = len(pixels.references)
    n_pixels = int(np.count_nonzero(pixels.used))
    references = np.where(pixels.used, pixels.references, 0.0)
    root = pixels.root_weight
    columns, to_b = _columns(references, root, model)
    rank, condition, difference = conditioning(
        columns, to_b, model.offset, float(np.linalg.norm(root * references, axis=1).max())
    )
    unknowns = len(columns)
    if rank < unknowns or n_pixels < unknowns:
        raise ValueError(rank_sentence(rank, unknowns, n_pixels, model.tied, model.offset))
    lengths = np.linalg.norm(columns, axis=1)
    transposed, triangle = np.linalg.qr((columns / lengths[:, None]).T)
    basis = np.ascontiguousarray(transposed.T)
    inverse = np.linalg.solve(triangle, np.eye(unknowns)) / lengths[:, None]
    mixture = middle @ references
    weight = root**2
    mean = float(weight @ mixture / weight.sum())
    leverage = np.einsum("jp,jp->p", basis, basis)
    products = np.empty((0, 0))
    if model.errors != "classical":
        products = products_of(basis) / damping(leverage, model.errors)
    to_coefficients = to_b @ inverse
    noise = None
    if len(variance):
        noise = reference_noise_terms(
            np.where(pixels.used, variance, 0.0),
            weight,
            basis,
            noise_products(basis, products, model.errors),
            to_coefficients,
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
        constraint=model.constraint,
        offset=model.offset,
        gain=model.gain,
        loss=model.loss,
        errors=model.errors,
        bounds=model.bounds,
        middle=middle,
        references=pixels.references,
        used=pixels.used,
        dark=pixels.dark,
        flat=pixels.flat,
        centre=np.where(pixels.used, pixels.dark + mixture * pixels.flat, 0.0),
        scale=np.where(pixels.used, root / pixels.flat, 0.0),
        root_weight=root,
        basis=basis,
        leverage=leverage,
        tilt=root * (mixture - mean),
        products=products,
        to_coefficients=to_coefficients,
        to_offset=inverse[0] if model.offset else np.zeros(unknowns),
        weight_sum=float(weight.sum()),
        middle_tss=float(weight @ (mixture - mean) ** 2),
        noise=noise,
        expected_rss=_expected_rss(pixels, references, weight * (1 - leverage), detector),
    )


def _columns(
    references: FloatArray, root: FloatArray, model: Model
) -> tuple[FloatArray, FloatArray]:
    """Weighted columns of what is solved (J, P), and how coefficients follow from it (K, J)."""
    count = len(references)
    changes, to_b = references, np.eye(count)
    if model.tied:
        changes = references[:-1] - references[-1]
        to_b = np.vstack([np.eye(count - 1), -np.ones(count - 1)])
    columns = root * changes
    if model.offset:
        columns = np.vstack([root, columns])
        to_b = np.hstack([np.zeros((count, 1)), to_b])
    return columns, to_b


def _expected_rss(
    pixels: PixelWeights,
    references: FloatArray,
    share: FloatArray,
    detector: Detector | None,
) -> FloatArray:
    """Terms per pixel of the expected residual sum: by coefficient, offset, and constant."""
    if detector is None:
        return np.empty((0, 0))
    per_count = np.where(pixels.used, share / pixels.flat * detector.variance_per_count, 0.0)
    dark_current = (pixels.dark - detector.offset) * detector.variance_per_count
    fixed = dark_current + detector.variance_without_light
    constant = np.where(pixels.used, share / pixels.flat**2 * fixed, 0.0)
    return np.vstack([references * per_count, per_count, constant])
