"""How good an image is beside its truth: errors, signal to noise, structural similarity."""

from __future__ import annotations

from napari_framewise.numerics.quality.multiscale import WEIGHTS, least_side, ms_ssim
from napari_framewise.numerics.quality.structural import (
    REFLECTED,
    SCIKIT_IMAGE,
    VARIANTS,
    WANG_2004,
    Similarity,
    Variant,
    ssim,
)

__all__ = [
    "REFLECTED",
    "SCIKIT_IMAGE",
    "VARIANTS",
    "WANG_2004",
    "WEIGHTS",
    "Similarity",
    "Variant",
    "least_side",
    "ms_ssim",
    "ssim",
]
