"""The fit of blocks of frames to a design."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics._mixing_design import Design
from napari_framewise.numerics._mixing_result import MixingFit

FloatArray = NDArray[np.float64]


def fit(frames: ArrayLike, design: Design) -> MixingFit:
    """Fit mixing coefficients to a block of frames ``(n, *frame_shape)`` or to one frame.

    NaN and infinite pixels are no data: they are left out, for that frame only.
    """
    raise NotImplementedError


def predict(design: Design, fit: MixingFit, *, dtype: Any = np.float32) -> NDArray[Any]:
    """Fitted frames ``(n, *frame_shape)`` in counts after dark and flat; NaN rows stay NaN."""
    raise NotImplementedError


def residual(frames: ArrayLike, design: Design, fit: MixingFit) -> NDArray[Any]:
    """Frame minus fit, ``(n, *frame_shape)``, after dark and flat; NaN where a pixel has no data.

    float32 for frames of up to 16 bits and float32, else float64. Pixels outside the mask are
    given as well: they show what the fit says of them.
    """
    raise NotImplementedError


def resolvable(design: Design, sample_frames: ArrayLike) -> FloatArray:
    """Smallest difference of each coefficient between two frames that can be told apart (K,)."""
    raise NotImplementedError
