"""What is the same for all frames of a mixing fit, solved once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.weights import Detector

FloatArray = NDArray[np.float64]
Constraint = Literal["none", "sum_to_one", "non_negative", "fully_constrained"]
Loss = Literal["linear", "huber"]
Errors = Literal["classical", "consistent"]

COMBINATIONS: dict[str, str] = {}


@dataclass(frozen=True)
class Design:
    """Everything a block of frames needs to be solved; made by `prepare`, picklable, read-only.

    Attributes
    ----------
    frame_shape : tuple of int
        Shape of a frame.
    n_references, n_pixels : int
        ``K``, and the pixels in use.
    rank : int
        Rank of the design really solved (differences under sum-to-one, with the offset's column).
    condition : float
        Condition number of that design (differences under sum-to-one, centred with an offset),
        its columns scaled to unit norm.
    difference : float
        Two references: ``||I1 - I2||`` over the used pixels, in counts (centred with an offset).
        More: the smallest singular value of what the coefficients can do to a frame, scaled so
        that two references under sum-to-one give ``||I1 - I2||``.
    reference_pixels_left_out : int
        Pixels left out because a reference, dark, flat or weight was not finite there.
    saturated_pixels_left_out : int
        Pixels left out because the predicted mixture plus 3 sigma saturates.
    """

    frame_shape: tuple[int, ...]
    n_references: int
    n_pixels: int
    rank: int
    condition: float
    difference: float
    reference_pixels_left_out: int
    saturated_pixels_left_out: int


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
    dark, flat : frame_shape, optional
        Subtracted from, and then divided out of, frames and references alike; the flat is
        scaled to a mean of one over the used pixels.
    reference_noise : (K, *frame_shape) or broadcastable to it, optional
        Standard deviation of the noise of each pixel of each reference, in raw counts, such as
        the standard error from `average_replicates`. Turns on the errors-in-variables correction.
    detector : Detector, optional
        The noise model: gives chi-square, and leaves out saturating pixels if it has a saturation.
    poisson_weights : bool
        Weights from the detector's variance at the middle mixture.
    middle : (K,) or (m, K), optional
        Typical coefficients, or several that span the range. Their mean is where weights are taken and
        where sums are centred; each of them is tried for saturation. Default: the middle of the
        bounds, or 1/K.
    loss : str
        "linear": least squares; "huber": robust against outlying pixels.
    errors : str
        "classical": one noise variance for all pixels (over the weight); "consistent": HC3.

    Raises
    ------
    ValueError
        If the references, options or their combination cannot be solved; says why.
    """
    raise NotImplementedError
