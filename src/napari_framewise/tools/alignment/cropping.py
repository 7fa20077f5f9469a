"""What all frames of an aligned stack show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_framewise.numerics.transforms import shown_by_all
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.alignment.model import Transforms


def cropped(
    stack: Stack, transforms: Transforms, codes: Array, target: Grid
) -> tuple[Transforms, Grid]:
    """Transforms to what all good frames show, and its grid.

    Raises
    ------
    ValueError
        Where there is no pixel that all of them show.
    """
    good = transforms.matrices if codes.all() else transforms.matrices[codes == 0]
    box = shown_by_all(good, stack.spatial_shape, target.shape)
    if any(stop <= start for start, stop in box):
        raise ValueError(
            f"No pixel is shown by all frames of {stack.name} after they are moved; leave the crop "
            "out, or leave out the frames that moved far."
        )
    back = np.eye(len(box) + 1)
    back[:-1, -1] = [start for start, _ in box]
    grid = target.cropped(*box)
    space = replace(transforms.target, shape=grid.shape)
    return replace(transforms, matrices=transforms.matrices @ back, target=space), grid
