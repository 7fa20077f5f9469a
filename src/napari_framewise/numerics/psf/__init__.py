"""Point spread functions: from images of points, from pairs of images, by formula."""

from __future__ import annotations

from napari_framewise.numerics.psf.kernel import (
    Origin,
    centroid,
    check_psf,
    cropped_by_energy,
    half_maximum_widths,
    kernel_of,
    padded_to,
    widths,
)
from napari_framewise.numerics.psf.measuring import Point, bead_psf, pair_psf, point_psf
from napari_framewise.numerics.psf.models import disc_psf, gaussian_psf, motion_psf

__all__ = [
    "Origin",
    "Point",
    "bead_psf",
    "centroid",
    "check_psf",
    "cropped_by_energy",
    "disc_psf",
    "gaussian_psf",
    "half_maximum_widths",
    "kernel_of",
    "motion_psf",
    "padded_to",
    "pair_psf",
    "point_psf",
    "widths",
]
