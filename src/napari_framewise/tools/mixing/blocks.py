"""What is computed for a block of frames of a mixture; importable by a cluster's workers."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics import mixing as numerics
from napari_framewise.stacks.source import Array


def fit_block(*blocks_and_design: Any) -> numerics.MixingFit:
    """Fit a block: frames, maybe a mask of the same frames, and the design."""
    *blocks, design = blocks_and_design
    return numerics.fit(usable(*blocks), design)


def fitted_block(*blocks_and_design: Any, out: Array) -> None:
    """Fitted frames of a block."""
    *blocks, design = blocks_and_design
    fits = numerics.fit(usable(*blocks), design)
    out[...] = numerics.predict(design, fits, dtype=out.dtype)


def residual_block(*blocks_and_design: Any, out: Array) -> None:
    """Frames of a block minus their fit."""
    *blocks, design = blocks_and_design
    fits = numerics.fit(usable(*blocks), design)
    out[...] = numerics.residual(blocks[0], design, fits)


def residual_sums(*blocks_and_design: Any) -> numerics.ResidualTotal:
    """Sum of a block's residuals over its frames, pixel by pixel."""
    *blocks, design = blocks_and_design
    frames = usable(*blocks)
    return numerics.residual_total(frames, design, numerics.fit(frames, design))


def replicate_statistics(frames: Array) -> numerics.ReplicateMean:
    """Mean and scatter of a block of replicate frames, pixel by pixel."""
    return numerics.ReplicateMean.of(frames)


def usable(frames: Array, mask: Array | None = None) -> Array:
    """Frames, with NaN where a mask of the same frames leaves a pixel out."""
    if mask is None:
        return frames
    dtype = np.result_type(frames.dtype, np.float32)
    return np.where(mask != 0, frames, dtype.type(np.nan))


def result_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type of fitted and residual frames: float32 for up to 16 bits and float32, else float64."""
    narrow = dtype.itemsize <= 2 or dtype == np.float32
    return np.dtype(np.float32 if narrow else np.float64)
