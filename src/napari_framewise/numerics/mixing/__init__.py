"""Mixing coefficients: how much of each reference image is in every frame.

A frame ``y`` (all its pixels) is modelled as ``y = sum_k b_k R_k [+ c] + noise``, with references
``R_k`` and coefficients ``b_k`` that may have to sum to one, be non-negative or keep to bounds.

Typical use::

    design = prepare(np.stack([image1, image2]), constraint="sum_to_one")
    fits = [fit(block, design) for block in blocks]
    x = concatenate(fits).coefficients[:, 0]
"""

from __future__ import annotations

from typing import get_args

import numpy as np
from numpy.typing import DTypeLike

from napari_framewise.numerics.mixing.combinations import COMBINATIONS
from napari_framewise.numerics.mixing.consistent import Errors
from napari_framewise.numerics.mixing.design import Constraint, Design
from napari_framewise.numerics.mixing.detector import Detector
from napari_framewise.numerics.mixing.fitting import fit, predict, residual, resolvable
from napari_framewise.numerics.mixing.masked import fit_masked
from napari_framewise.numerics.mixing.mean_residual import ResidualTotal, residual_total
from napari_framewise.numerics.mixing.preparing import MAX_REFERENCES, prepare
from napari_framewise.numerics.mixing.replicates import ReplicateMean, average_replicates
from napari_framewise.numerics.mixing.result import (
    MixingFit,
    Status,
    concatenate,
    confidence_interval,
    diagnostics,
    empty_fit,
)

__all__ = [
    "COMBINATIONS",
    "MAX_REFERENCES",
    "Constraint",
    "Design",
    "Detector",
    "Errors",
    "MixingFit",
    "ReplicateMean",
    "ResidualTotal",
    "Status",
    "average_replicates",
    "concatenate",
    "confidence_interval",
    "diagnostics",
    "empty_fit",
    "fit",
    "fit_masked",
    "predict",
    "prepare",
    "residual",
    "residual_total",
    "resolvable",
    "warm_up",
]


def warm_up(dtype: DTypeLike = "uint16") -> None:
    """Compile what a fit of frames of `dtype` needs, or load it from disk (1-3 s at first use)."""
    frames = np.arange(1, 17).reshape(2, 8).astype(dtype)
    references = np.vstack([np.arange(8.0), np.arange(8.0) ** 2])
    for errors in get_args(Errors):
        fit(frames, prepare(references, constraint="fully_constrained", errors=errors))
