"""A stack as what a napari image layer is made from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_framewise.stacks.source import ArraySource
from napari_framewise.stacks.sources.mapped import MappedSource
from napari_framewise.stacks.sources.view import SourceView
from napari_framewise.stacks.stack import Stack

_SAMPLED = 5
_LARGE_UNIT = 64 * 2**20
_SAMPLE_PIXELS = 2**20


def layer_data(stack: Stack) -> tuple[Any, dict[str, Any]]:
    """Array-like and keyword arguments for an image layer.

    Parameters
    ----------
    stack : Stack
        As `open_stack` gives it; the layer shows all of its data, in the order of its axes.

    Returns
    -------
    data : array_like
        A NumPy array where the data are in memory or mapped, else a lazy `SourceView`.
    kwargs : dict
        name, scale, translate, units, axis_labels, rgb and contrast_limits.
    """
    source = stack.source
    data: Any
    if isinstance(source, MappedSource) and source.dtype.isnative:
        data = source.array()
    elif isinstance(source, ArraySource):
        data = source.array
    else:
        data = SourceView(source)
    axes = stack.axes[:-1] if stack.rgb else stack.axes
    return data, {
        "name": stack.name,
        "scale": [axis.scale for axis in axes],
        "translate": [axis.translate for axis in axes],
        "units": [axis.unit for axis in axes],
        "axis_labels": [axis.name for axis in axes],
        "rgb": stack.rgb,
        "contrast_limits": contrast_limits(stack),
    }


def contrast_limits(stack: Stack) -> tuple[float, float]:
    """Smallest and largest finite value of a few frames spread over the stack.

    Parameters
    ----------
    stack : Stack
        At least one frame.

    Returns
    -------
    low, high : float
        low < high; 0 and 1 where no value is finite, or 255 for colours of bytes.
    """
    if stack.rgb and stack.dtype == np.uint8:
        return 0.0, 255.0
    unit = math.prod(stack.source.chunks or (1,)) * stack.source.dtype.itemsize
    # Where each frame costs the unpacking of very much, one of them has to do.
    sampled = _SAMPLED if unit <= _LARGE_UNIT else 1
    numbers = np.unique(np.linspace(0, stack.n_frames - 1, sampled).astype(int)).tolist()
    lows, highs = [], []
    for number in numbers:
        frame = stack.frame(number)
        step = max(1, frame.size // _SAMPLE_PIXELS)
        values = frame.ravel()[::step].astype(np.float64)
        values = values[np.isfinite(values)]
        if values.size:
            lows.append(float(values.min()))
            highs.append(float(values.max()))
    if not lows:
        return 0.0, 1.0
    low, high = min(lows), max(highs)
    return (low, high) if low < high else (low, low + 1.0)
