"""How much motion is left in frames that a transform has moved."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.in_step import series
from napari_framewise.framework.transform import Transform, warp_block
from napari_framewise.numerics import residual_motion
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.residual_motion.passes import FEWEST, Judgement, Reader, judged

_COMPONENTS = 10


@dataclass(frozen=True)
class TransformedReader(Reader):
    """Frames pulled back before they are judged.

    Attributes
    ----------
    transform : Transform
        Of which kind; the maps come with the frames.
    shape : tuple of int
        Of the target.
    """

    transform: Transform | None = None
    shape: tuple[int, ...] = ()

    def moved(self, frames: Array, maps: Array | None) -> Array:
        """The frames on the target, NaN where they show nothing of it."""
        assert maps is not None
        assert self.transform is not None
        given = frames.astype(np.promote_types(frames.dtype, np.float32))
        behind = frames.shape[1 + len(self.shape) :]
        out = np.empty((len(frames), *self.shape, *behind), given.dtype)
        warp_block(given, maps, self.transform, 3, self.channels, out)
        return out


def motion_left(
    stack: Stack, transform: Transform, shape: tuple[int, ...], engine: Engine
) -> Generator[Progress, None, Judgement | None]:
    """Judge frames on the pixels of a target of that shape; None where too few can be moved."""
    maps = transform.maps
    known = np.isfinite(maps).reshape(len(maps), -1).all(axis=1)
    if known.sum() < FEWEST:
        return None
    reader = TransformedReader(
        bool(stack.channels),
        residual_motion.binning(shape),
        transform=transform.with_maps(maps[:0]),
        shape=shape,
    )
    return (yield from judged(stack, None, series(maps), reader, _COMPONENTS, engine))
