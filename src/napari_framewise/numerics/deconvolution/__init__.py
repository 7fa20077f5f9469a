"""Deconvolution: images without the blur of a known point spread function."""

from __future__ import annotations

from napari_framewise.numerics.deconvolution.direct import noise_amplification
from napari_framewise.numerics.deconvolution.extension import Boundary
from napari_framewise.numerics.deconvolution.judging import Evidence, Verdict, is_delta
from napari_framewise.numerics.deconvolution.operators import Blur, blur_of, check_kernel
from napari_framewise.numerics.deconvolution.restored import Held, Restored
from napari_framewise.numerics.deconvolution.restoring import (
    Prepared,
    noise_gain_of,
    prepare,
    restore,
    restoring,
)
from napari_framewise.numerics.deconvolution.settings import Method, Settings
from napari_framewise.numerics.deconvolution.total_variation import total_variation

__all__ = [
    "Blur",
    "Boundary",
    "Evidence",
    "Held",
    "Method",
    "Prepared",
    "Restored",
    "Settings",
    "Verdict",
    "blur_of",
    "check_kernel",
    "is_delta",
    "noise_amplification",
    "noise_gain_of",
    "prepare",
    "restore",
    "restoring",
    "total_variation",
]
