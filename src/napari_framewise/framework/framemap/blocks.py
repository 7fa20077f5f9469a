"""What is computed for a block of frames of a filter; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from napari_framewise.framework.framemap.declaration import Filtered
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class Computation:
    """All that a worker needs to know of a filter and its inputs.

    Attributes
    ----------
    function : callable
        Importable: ``function(frames, parameters, **further)``.
    parameters : FrameMapParameters
        As the function takes them.
    roles : tuple of str
        Names of the further inputs, in the order of the blocks.
    channels : int
        Channels along the last axis of a block's frames; 0 for none.
    apart : bool
        Whether the function gets every channel as an image of its own.
    row_axis : int
        Axis of a block that bands are cut along.
    """

    function: Callable[..., Any]
    parameters: Any
    roles: tuple[str, ...]
    channels: int
    apart: bool
    row_axis: int

    @property
    def split(self) -> int:
        """Images that a frame becomes: its channels where the function gets them apart."""
        return self.channels if self.apart and self.channels else 1


class Values(NamedTuple):
    """What a filter gives for a block of frames beside its images: columns (n, images a frame)."""

    rows: Mapping[str, Array]
    vectors: Sequence[Array] | None


def filter_block(
    computation: Computation, *blocks: Array | None, core: slice | None = None, out: Any = None
) -> Values:
    """Filter a block; its images go to `out`, one place or several.

    `core` says which rows of a band are answered for.
    """
    made = filtered(computation, blocks, core)
    if out is not None:
        places = (out,) if isinstance(out, np.ndarray) else out
        for place, image in zip(places, made.images, strict=True):
            place[...] = fitted(image, place.dtype)
    split = computation.split
    rows = {name: np.asarray(values).reshape(-1, split) for name, values in made.rows.items()}
    return Values(rows, made.vectors)


def image_block(
    computation: Computation,
    which: int,
    *blocks: Array | None,
    core: slice | None = None,
    out: Array,
) -> None:
    """One of the images of a block."""
    out[...] = fitted(filtered(computation, blocks, core).images[which], out.dtype)


def filtered(
    computation: Computation, blocks: Sequence[Array | None], core: slice | None
) -> Filtered:
    """What the function gives, its images with their channels last and without the halo."""
    frames = blocks[0]
    assert frames is not None
    split, count = computation.split, len(frames)
    given = [_apart(block, frames.ndim, split) for block in blocks]
    made = computation.function(
        given[0], computation.parameters, **dict(zip(computation.roles, given[1:], strict=True))
    )
    if not isinstance(made, Filtered):
        made = Filtered((made,))
    images = [_together(np.asarray(image), count, split) for image in made.images]
    if core is not None:
        rows = (*(slice(None),) * computation.row_axis, core)
        images = [image[rows] for image in images]
    return made._replace(images=images)


def fitted(image: Array, dtype: np.dtype[Any]) -> Array:
    """An image in another type: integers are rounded and clipped, no data is 0 there."""
    if dtype.kind not in "ui" or image.dtype == dtype:
        return image
    limits = np.iinfo(dtype)
    whole = np.nan_to_num(np.rint(image), nan=0.0) if image.dtype.kind == "f" else image
    return np.asarray(np.clip(whole, limits.min, limits.max), dtype)


def _apart(block: Array | None, ndim: int, split: int) -> Array | None:
    """Channels as images of their own; what has none goes with every channel."""
    if block is None or split == 1:
        return block
    if block.ndim < ndim:
        return block if len(block) == 1 else np.repeat(block, split, axis=0)
    moved = np.moveaxis(block, -1, 1)
    return moved.reshape(-1, *moved.shape[2:])


def _together(image: Array, count: int, split: int) -> Array:
    if split == 1:
        return image
    return np.moveaxis(image.reshape(count, split, *image.shape[1:]), 1, -1)
