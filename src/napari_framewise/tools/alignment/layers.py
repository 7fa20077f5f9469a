"""Layers that an alignment gives: aligned frames, errors before and after, an outline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np

from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import Cost
from napari_framewise.framework.in_step import series
from napari_framewise.framework.limits import limits_of, symmetric_limits
from napari_framewise.framework.outcome import ImageResult, LayerResult, ShapesResult
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.transform import warp_block
from napari_framewise.numerics.common.blocks import float_for
from napari_framewise.numerics.transforms import corners
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.alignment.blocks import error_block
from napari_framewise.tools.alignment.model import Transforms
from napari_framewise.tools.alignment.passes import rows_and_columns

_MOST_OUTLINES = 2000


def aligned_layer(
    stack: Stack,
    transforms: Transforms,
    target: Grid,
    order: Literal[0, 1, 3],
    *,
    kind: Literal["image", "labels"] = "image",
) -> ImageResult:
    """All frames pulled back, computed as they are looked at."""
    layout = _layout(stack, target)
    data = LazyFrames(
        (stack, series(transforms.maps)),
        warp_block,
        (_without_maps(transforms), order, bool(stack.channels)),
        dtype=_dtype(stack),
        frame_shape=layout.frame_shape,
        order=layout.order,
        cost=_cost(stack),
    )
    first = data.frame(0)
    return ImageResult(
        f"{stack.name} aligned",
        data,
        layout.grid,
        kind=kind,
        rgb=layout.rgb and kind == "image",
        contrast_limits=limits_of(first) if kind == "image" else None,
    )


def aligned_frame(
    stack: Stack, index: int, transforms: Transforms, target: Grid, order: Literal[0, 1, 3]
) -> ImageResult:
    """One frame pulled back."""
    layout = _layout(stack, target).still
    data, frames = layout.empty(_dtype(stack))
    one = stack.read(index, index + 1)
    own = transforms.map_of(index)[None]
    warp_block(one, own, transforms, order, bool(stack.channels), frames)
    return ImageResult(
        f"{stack.name} aligned",
        data,
        layout.grid,
        rgb=layout.rgb,
        contrast_limits=limits_of(data),
    )


def moved_layer(stack: Stack, transforms: Transforms, target: Grid) -> ImageResult:
    """A single image with its pixels as they are, its layer moved onto the target's grid."""
    frame, layout = stack.frame(0), layout_of(stack, str(target.role)).still
    there = _layout(stack, target).still.grid
    rows_columns = [n for n, number in enumerate(layout.order[: there.ndim]) if number < 2]
    whole = np.eye(there.ndim + 1)
    whole[np.ix_([*rows_columns, -1], [*rows_columns, -1])] = transforms.inverse().map_of(0)
    return ImageResult(
        f"{stack.name} aligned",
        layout.arranged(frame),
        replace(there, shape=layout.grid.shape, moved=tuple(map(tuple, whole.tolist()))),
        rgb=layout.rgb,
        contrast_limits=limits_of(frame),
    )


def error_layers(
    stack: Stack,
    matrices: Array,
    gains: Array,
    template: Array,
    channel: int | None,
    target: Grid,
) -> Iterator[ImageResult]:
    """Difference to the template after, and before where both have the same grid."""
    after = "error after alignment", matrices, gains
    wanted = [after]
    if rows_and_columns(stack) == target.shape:
        still = np.broadcast_to(np.eye(3), matrices.shape)
        plain = np.broadcast_to([1.0, 0.0], gains.shape)
        wanted.insert(0, ("error before alignment", still, plain))
    limits, layout = None, layout_of(stack, str(target.role), channels=False, on=target)
    for name, moves, brightness in wanted:
        data = LazyFrames(
            (stack, series(moves), series(brightness)),
            error_block,
            (template, channel),
            dtype=float_for(template),
            frame_shape=layout.frame_shape,
            order=layout.order,
            cost=_cost(stack),
        )
        first = data.frame(0)
        # One scale for both, or the improvement would not be seen.
        limits = limits or symmetric_limits(first)
        yield ImageResult(
            f"{stack.name} {name}",
            data,
            layout.grid,
            colormap="PiYG",
            contrast_limits=limits,
            visible=False,
        )


def outlines(stack: Stack, transforms: Transforms, target: Grid) -> tuple[LayerResult, ...]:
    """Where the template's border lies in every frame."""
    if stack.n_frames > _MOST_OUTLINES or rows_and_columns(stack) == target.shape:
        return ()
    shapes = []
    for number in range(stack.n_frames):
        if not np.isfinite(transforms.map_of(number)).all():
            continue
        border = transforms.pull_back(corners(size_of(target)), number)
        place = np.unravel_index(number, stack.leading_shape) if stack.leading_shape else ()
        shapes.append(np.column_stack([np.full(len(border), each) for each in (*place, *border.T)]))
    if not shapes:
        return ()
    layout = layout_of(stack, "stack", channels=False)
    return (
        ShapesResult(
            f"{stack.name} template",
            [layout.coordinates(shape) for shape in shapes],
            layout.grid,
            shape_type="polygon",
        ),
    )


def size_of(target: Grid) -> tuple[int, int]:
    """Rows and columns of the grid that frames are brought onto."""
    rows, columns = target.shape
    return rows, columns


def _without_maps(transforms: Transforms) -> Transforms:
    """What goes with every block, whose maps come beside it."""
    return transforms.with_maps(transforms.maps[:0])


def _layout(stack: Stack, target: Grid) -> Layout:
    """An aligned frame has the channels of the stack's frames."""
    return layout_of(stack, str(target.role), on=target)


def _dtype(stack: Stack) -> np.dtype[np.generic]:
    """Type of aligned frames: the stack's own, in this machine's byte order."""
    own = stack.dtype.newbyteorder("=")
    return np.promote_types(own, np.float32) if own.kind == "f" else own


def _cost(stack: Stack) -> Cost:
    pixels = int(np.prod(stack.frame_shape))
    return Cost(scratch=24 * pixels, seconds=1e-5 + 4e-8 * pixels)
