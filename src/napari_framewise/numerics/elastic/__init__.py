"""Elastic registration of two images by cubic B-splines, coarse to fine, without folding.

The transform T of a `Field` brings an image onto a reference. Minimised over its coefficients is,
with ``J = det dT/dp``::

    sum_p (1 + J) / 2  w rho((image(T p) - reference(p)) / s)     over both images' pixels
      + int bending |D^2 u|^2 + divergence |grad div u|^2 + curl |grad curl u|^2
      + landmarks sum_m |T(a_m) - b_m|^2

after Sorzano, Thevenaz and Unser (2005), "Elastic registration of biological images using vector
spline regularization", *IEEE Transactions on Biomedical Engineering* 52, 652-663, and Arganda-
Carreras et al. (2006), "Consistent and elastic registration of histological sections using
vector-spline regularization", *CVAMIA*, LNCS 4241, 85-95. Where those keep two transforms near each
other's inverse by a further term, here the one is the inverse of the other: T is kept from folding,
and inverted by Newton's method. The sum over the pixels of the second image is one over those of
the first by the substitution q = T(p), hence the weight (1 + J) / 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_framewise.numerics.elastic.field import Field, composed, displaced
from napari_framewise.numerics.elastic.fitting import Step
from napari_framewise.numerics.elastic.folding import determinants, determinants_of, unfolded
from napari_framewise.numerics.elastic.given import LEAST_DEPTH, LEAST_SIDE
from napari_framewise.numerics.elastic.registering import (
    Registration,
    Settings,
    register_blocks,
    registering,
)
from napari_framewise.numerics.elastic.resampling import coordinates, resampled
from napari_framewise.numerics.elastic.verdict import Status

__all__ = [
    "LEAST_DEPTH",
    "LEAST_SIDE",
    "Field",
    "Registration",
    "Settings",
    "Status",
    "Step",
    "composed",
    "coordinates",
    "determinants",
    "determinants_of",
    "displaced",
    "register",
    "register_blocks",
    "registering",
    "resampled",
    "unfolded",
    "warm_up",
]


def register(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    reference_mask: ArrayLike | None = None,
    image_mask: ArrayLike | None = None,
    landmarks: tuple[ArrayLike, ArrayLike] | None = None,
    start: ArrayLike | None = None,
    settings: Settings | None = None,
) -> Registration:
    """Register an image to a reference.

    Parameters
    ----------
    reference, image : (y, x)
        Any real dtype, of any two sizes of at least 16 pixels a side; NaN and infinite values are
        no data.
    reference_mask, image_mask : (y, x), optional
        Not zero = use this pixel.
    landmarks : two of (m, 2), optional
        Places in the reference and in the image that belong together, in pixels, row before column.
    start : (3, 3), optional
        Matrix from pixels (row, column, 1) of the reference to those of the image; by default the
        landmarks' median shift, or centre upon centre.
    settings : Settings, optional

    Returns
    -------
    Registration
        Where nothing is found its field is NaN and its status says why; nothing is raised.

    Raises
    ------
    ValueError
        For another number of axes, complex numbers, images of less than 16 pixels a side, masks of
        another shape, landmarks that are not in pairs, or a start that can't be inverted.

    Notes
    -----
    Gauss-Newton steps with slopes of both images, on a pyramid of factor 2; first of an affine
    displacement (bending is too dear for any other), then of one whose nodes come closer level by
    level. The scale s of residuals is their median absolute deviation (times 1.4826), rho is
    Huber's loss at 1.5 of it, and w is the square of the share of the local variance that is not
    noise, in both images.

    Examples
    --------
    >>> from scipy import ndimage
    >>> scene = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(96, 96)), 2)
    >>> found = register(scene[8:88, 8:88], scene[10:90, 7:87])
    >>> np.round(found.field.pull_back([[40.0, 40.0]]), 1).tolist()
    [[38.0, 41.0]]
    """
    running = registering(
        reference,
        image,
        reference_mask=reference_mask,
        image_mask=image_mask,
        landmarks=landmarks,
        start=start,
        settings=settings,
    )
    while True:
        try:
            next(running)
        except StopIteration as stop:
            found: Registration = stop.value
            return found


def warm_up() -> None:
    """Compile or load the kernels that a registration needs (some seconds the first time)."""
    rows, columns = np.mgrid[0:48, 0:48]
    image: Any = np.sin(0.3 * rows) + np.cos(0.2 * columns + 0.1 * rows)
    register(image, image)
