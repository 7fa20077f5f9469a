"""What an alignment gives back: the transform, how it went, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.transforms import Motion

FloatArray: TypeAlias = NDArray[np.float64]


class Status(IntEnum):
    """How an alignment ended. From `FLAT` on there is no transform: it is NaN."""

    CONVERGED = 0
    SLOW = 1
    FLAT = 2
    LEFT = 3
    UNLIKE = 4
    NO_DATA = 5
    AMBIGUOUS = 6
    NOISY = 7

    @property
    def sentence(self) -> str:
        """What it means, and what to do."""
        return _SENTENCES[self]

    @property
    def word(self) -> str:
        """One word for tables."""
        return self.name.lower().replace("_", " ")


_SENTENCES = {
    Status.CONVERGED: "The last step was shorter than the tolerance.",
    Status.SLOW: (
        "The steps were still longer than the tolerance, and than a tenth of the stated error, "
        "when the iterations ran out: allow more, or choose a motion with fewer parameters."
    ),
    Status.FLAT: (
        "Template and image share no texture beyond the noise along some direction, so the motion "
        "there can't be told: choose a larger or another template, a motion with fewer parameters, "
        "or more smoothing where noise hides the texture; where the image may be turned, give a "
        "largest rotation."
    ),
    Status.LEFT: (
        "The template left the image: too few of its pixels lie on usable pixels of the image. "
        "Allow a smaller overlap, or, where the image may be turned, give a largest rotation."
    ),
    Status.UNLIKE: (
        "Nothing in the image is like the template: the correlation after alignment is no higher "
        "than chance gives. Where the image may be turned, give a largest rotation."
    ),
    Status.AMBIGUOUS: (
        "Another place in the image fits the template as well, so that neither can be trusted: "
        "choose a larger template, or another motion; where the shift is known to be small, the "
        "start given; where the image may be turned, a largest rotation."
    ),
    Status.NOISY: (
        "The noise is stronger than what both images show, and hides the motion: average or bin "
        "pixels or frames, or choose a motion with fewer parameters."
    ),
    Status.NO_DATA: "There are no usable pixels: all are NaN, masked, or of one value.",
}


@dataclass(frozen=True, eq=False)
class Alignment:
    """The transform that brings an image onto a template.

    Attributes
    ----------
    matrix : (3, 3) float64
        From pixels (row, column, 1) of the template to those of the image: a pull-back, so that
        ``image(matrix @ p)`` looks like ``template(p)``. NaN where there is none.
    motion : str
        Family of transforms.
    status : Status
        How it ended.
    gain, offset : float
        ``image(matrix @ p) = gain template(p) + offset``; 1 and 0 where they were not fitted.
    correlation : float
        Of template and pulled-back image, over the pixels and weights that were used.
    rmse : float
        Root mean square of the residual, in the image's values.
    overlap : float
        Share of the template's usable pixels that lie on usable pixels of the image.
    covariance : (k, k) float64
        Of the parameters that `transforms.parameter_names` names, in pixels of the template,
        counted from its centre and from where the fit ended. It takes the noise of pixels to be
        independent, and the family to be right.
    motion_error : float
        Root mean square standard error of where the template's corners come to lie, in pixels.
    iterations : int
        Over all levels of the pyramid.
    history : (iterations, 5) float64
        Level (0 is the finest), root mean cost in the image's values, last step and motion since
        the level began in pixels, damping.
    """

    matrix: FloatArray
    motion: Motion
    status: Status
    gain: float
    offset: float
    correlation: float
    rmse: float
    overlap: float
    covariance: FloatArray
    motion_error: float
    iterations: int
    history: FloatArray

    @property
    def found(self) -> bool:
        """Whether there is a transform."""
        return self.status < Status.FLAT


def no_alignment(
    motion: Motion, status: Status, n_parameters: int, history: FloatArray | None = None
) -> Alignment:
    """An alignment that found nothing, and says so."""
    nan = float("nan")
    past = np.empty((0, 5)) if history is None else history
    return Alignment(
        np.full((3, 3), nan),
        motion,
        status,
        nan,
        nan,
        nan,
        nan,
        0.0,
        np.full((n_parameters, n_parameters), nan),
        nan,
        len(past),
        past,
    )
