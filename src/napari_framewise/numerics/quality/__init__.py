"""How good an image is beside its truth: errors, signal to noise, structural similarity."""

from __future__ import annotations

from napari_framewise.numerics.quality.errors import Errors, errors_of
from napari_framewise.numerics.quality.leftovers import (
    BINS,
    REACH,
    Leftovers,
    frequencies,
    leftovers,
)
from napari_framewise.numerics.quality.light import Evened, evened, matched
from napari_framewise.numerics.quality.multiscale import WEIGHTS, least_side, ms_ssim
from napari_framewise.numerics.quality.structural import (
    REFLECTED,
    SCIKIT_IMAGE,
    VARIANTS,
    WANG_2004,
    Similarity,
    Variant,
    check_peak,
    ssim,
)

__all__ = [
    "BINS",
    "REACH",
    "REFLECTED",
    "SCIKIT_IMAGE",
    "VARIANTS",
    "WANG_2004",
    "WEIGHTS",
    "Errors",
    "Evened",
    "Leftovers",
    "Similarity",
    "Variant",
    "check_peak",
    "errors_of",
    "evened",
    "frequencies",
    "least_side",
    "leftovers",
    "matched",
    "ms_ssim",
    "ssim",
]
