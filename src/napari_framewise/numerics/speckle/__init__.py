"""Speckle and how it is reduced: Lee filters, the strength of noise, and which model fits."""

from __future__ import annotations

from napari_framewise.numerics.speckle.filters import Despeckled, enhanced_lee, lee, lee_additive
from napari_framewise.numerics.speckle.noise import (
    Fit,
    fit_of_image,
    growth_of_noise,
    looks_of_image,
    variation_of_looks,
)

__all__ = [
    "Despeckled",
    "Fit",
    "enhanced_lee",
    "fit_of_image",
    "growth_of_noise",
    "lee",
    "lee_additive",
    "looks_of_image",
    "variation_of_looks",
]
