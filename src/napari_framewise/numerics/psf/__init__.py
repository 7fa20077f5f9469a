"""Point spread functions: from images of points, from pairs of images, by formula."""

from __future__ import annotations

from napari_framewise.numerics.psf.kernel import (
    Origin,
    centroid,
    check_psf,
    cropped_by_energy,
    half_maximum_widths,
    kernel_of,
    widths,
)
from napari_framewise.numerics.psf.models import disc_psf, gaussian_psf, motion_psf

__all__ = [
    "Origin",
    "centroid",
    "check_psf",
    "cropped_by_energy",
    "disc_psf",
    "gaussian_psf",
    "half_maximum_widths",
    "kernel_of",
    "motion_psf",
    "widths",
]
