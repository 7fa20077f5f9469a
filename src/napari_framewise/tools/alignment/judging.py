"""How much motion is left in what was aligned, and what all of its frames show."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.in_step import series
from napari_framewise.framework.transform import warp_block
from napari_framewise.numerics import residual_motion
from napari_framewise.numerics.transforms import shown_by_all
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.alignment.model import Transforms
from napari_framewise.tools.residual_motion import FEWEST, Judgement, Reader, judged

_COMPONENTS = 10


@dataclass(frozen=True)
class AlignedReader(Reader):
    """Frames pulled back before they are judged.

    Attributes
    ----------
    transforms : Transforms
        Of which kind; the maps come with the frames.
    shape : tuple of int
        Of the target.
    """

    transforms: Transforms | None = None
    shape: tuple[int, ...] = ()

    def moved(self, frames: Array, maps: Array | None) -> Array:
        """The frames on the target, NaN where they show nothing of it."""
        assert maps is not None
        assert self.transforms is not None
        given = frames.astype(np.promote_types(frames.dtype, np.float32))
        behind = frames.shape[1 + len(self.shape) :]
        out = np.empty((len(frames), *self.shape, *behind), given.dtype)
        warp_block(given, maps, self.transforms, 3, self.channels, out)
        return out


def motion_left(
    stack: Stack, transforms: Transforms, target: Grid, engine: Engine
) -> Generator[Progress, None, Judgement | None]:
    """Judge the aligned frames; None where they are too few."""
    known = np.isfinite(transforms.matrices).all(axis=(1, 2))
    if known.sum() < FEWEST:
        return None
    reader = AlignedReader(
        bool(stack.channels),
        residual_motion.binning(target.shape),
        transforms=transforms.with_maps(transforms.maps[:0]),
        shape=target.shape,
    )
    maps = series(transforms.maps)
    return (yield from judged(stack, None, maps, reader, _COMPONENTS, engine))


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
