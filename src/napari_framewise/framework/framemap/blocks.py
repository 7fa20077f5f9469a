"""What is computed for a block of frames of a filter; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from napari_framewise.engine.work import Rows
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
    height : int
        Rows of the result of a whole frame.
    by_rows : bool
        Whether the function is told which rows it answers for.
    lone : bool
        Whether what has no channels gets a last axis of one.
    """

    function: Callable[..., Any]
    parameters: Any
    roles: tuple[str, ...]
    channels: int
    apart: bool
    row_axis: int
    height: int
    by_rows: bool
    lone: bool

    @property
    def split(self) -> int:
        """Images that a frame becomes: its channels where the function gets them apart."""
        return self.channels if self.apart and self.channels else 1


class Values(NamedTuple):
    """What a filter gives for a block of frames beside its images: columns (n, images a frame)."""

    rows: Mapping[str, Array]
    vectors: Sequence[Array] | None


def filter_block(
    computation: Computation, *blocks: Array | None, rows: Rows | None = None, out: Any = None
) -> Values:
    """Filter a block; its images go to `out`, one place or several.

    `rows` says which rows of a band are answered for.
    """
    made = filtered(computation, blocks, rows)
    if out is not None:
        places = (out,) if isinstance(out, np.ndarray) else out
        for place, image in zip(places, made.images, strict=True):
            place[...] = fitted(image, place.dtype)
    split, vectors = computation.split, made.vectors
    columns = {name: np.asarray(values).reshape(-1, split) for name, values in made.rows.items()}
    if vectors is not None and rows is not None:
        vectors = [_moved(each, rows.asked[0], computation.row_axis - 1) for each in vectors]
    return Values(columns, vectors)


def merged(parts: Sequence[Values], merges: Mapping[str, Any]) -> Values:
    """What the parts of one frame gave, as that of the frame."""
    first, *others = parts
    rows = dict(first.rows)
    for name in rows:
        for each in others:
            rows[name] = merges[name](rows[name], each.rows[name])
    if first.vectors is None:
        return Values(rows, None)
    several = [each.vectors or () for each in parts]
    return Values(rows, [np.concatenate(group) for group in zip(*several, strict=True)])


def image_block(
    computation: Computation,
    which: int,
    *blocks: Array | None,
    rows: Rows | None = None,
    out: Array,
) -> None:
    """One of the images of a block."""
    out[...] = fitted(filtered(computation, blocks, rows).images[which], out.dtype)


def filtered(
    computation: Computation, blocks: Sequence[Array | None], rows: Rows | None
) -> Filtered:
    """What the function gives, its images with their channels last and without the halo."""
    frames = blocks[0]
    assert frames is not None
    split, count = computation.split, len(frames)
    given = arguments(computation, blocks)
    alone = computation.lone and (split > 1 or not computation.channels)
    further: dict[str, Any] = dict(zip(computation.roles, given[1:], strict=True))
    if computation.by_rows:
        axis = computation.row_axis
        whole = Rows((0, computation.height), (0, frames.shape[axis]), axis)
        further["rows"] = whole if rows is None else rows
    made = computation.function(given[0], computation.parameters, **further)
    if not isinstance(made, Filtered):
        made = Filtered((made,))
    plain = (np.asarray(image) for image in made.images)
    images = [_together(each[..., 0] if alone else each, count, split) for each in plain]
    if rows is not None and not computation.by_rows:
        images = [rows.of(image) for image in images]
    return made._replace(images=images)


def arguments(computation: Computation, blocks: Sequence[Array | None]) -> list[Array | None]:
    """The blocks as the function gets them: channels apart, or along a last axis."""
    frames = blocks[0]
    assert frames is not None
    given = [_apart(block, frames.ndim, computation.split) for block in blocks]
    if not computation.lone:
        return given
    ndim = frames.ndim - bool(computation.channels)
    return [each[..., None] if each is not None and each.ndim == ndim else each for each in given]


def fitted(image: Array, dtype: np.dtype[Any]) -> Array:
    """An image in another type: integers are rounded and clipped, no data is 0 there."""
    if dtype.kind not in "ui" or image.dtype == dtype:
        return image
    limits = np.iinfo(dtype)
    whole = np.nan_to_num(np.rint(image), nan=0.0) if image.dtype.kind == "f" else image
    return np.asarray(np.clip(whole, limits.min, limits.max), dtype)


def _moved(vectors: Array, rows: int, axis: int) -> Array:
    """Vectors (m, 2, ndim) with their starts so many rows further on."""
    moved = np.array(vectors, np.float64)
    moved[:, 0, axis] += rows
    return moved


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
