"""The images of a group beside one another."""

from __future__ import annotations

import math

import numpy as np

from napari_framewise.framework.outcome import ImageResult
from napari_framewise.numerics.similarity import grey
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.tools.similarity.passes import Images

_MOST = 36
_GAP = 2


def montage_of(given: Images, groups: Array, number: int) -> ImageResult:
    """Up to 36 images of a group in rows, NaN between them; sizes may differ."""
    members = np.flatnonzero(groups == number)
    images, _ = given.read([int(place) for place in members[:_MOST]])
    planes = [grey(image) for image in images]
    rows, columns = (max(plane.shape[axis] for plane in planes) for axis in (0, 1))
    across = math.ceil(math.sqrt(len(planes)))
    down = math.ceil(len(planes) / across)
    whole = np.full((down * (rows + _GAP) - _GAP, across * (columns + _GAP) - _GAP), np.nan)
    for place, plane in enumerate(planes):
        top = place // across * (rows + _GAP) + (rows - plane.shape[0]) // 2
        left = place % across * (columns + _GAP) + (columns - plane.shape[1]) // 2
        whole[top : top + plane.shape[0], left : left + plane.shape[1]] = plane
    known = whole[np.isfinite(whole)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    grid = Grid((Axis("y"), Axis("x")), whole.shape)
    limits = (low, high if high > low else low + 1)
    return ImageResult(
        f"group {number} of {given.images.name}",
        whole.astype(np.float32),
        grid,
        contrast_limits=limits,
        visible=False,
    )
