"""Contrast limits of results: napari computes none for lazy data."""

from __future__ import annotations

import numpy as np

from napari_framewise.stacks.source import Array


def limits_of(data: Array) -> tuple[float, float]:
    """Limits that show all finite values."""
    finite = data[np.isfinite(data)]
    if finite.size == 0 or finite.min() == finite.max():
        return (0.0, 1.0)
    return (float(finite.min()), float(finite.max()))


def symmetric_limits(data: Array) -> tuple[float, float]:
    """Limits around zero that show nearly all finite values."""
    finite = np.abs(data[np.isfinite(data)])
    highest = float(np.percentile(finite, 99.5)) if finite.size else 0.0
    return (-highest, highest) if highest > 0 else (-1.0, 1.0)
