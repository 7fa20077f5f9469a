"""Layers that an alignment gives: aligned frames, errors before and after, an outline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import Cost
from napari_framewise.framework.limits import limits_of, symmetric_limits
from napari_framewise.framework.outcome import ImageResult, LayerResult, Placing, ShapesResult
from napari_framewise.numerics.transforms import corners, inverse, mapped
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.alignment.blocks import error_block, warp_block
from napari_framewise.tools.alignment.passes import has_channels, rows_and_columns, series

_MOST_OUTLINES = 2000


@dataclass(frozen=True, eq=False)
class Target:
    """The grid that frames are brought onto.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    axes : tuple of two Axis
        Of rows and columns.
    role : str
        Input whose grid it is.
    """

    shape: tuple[int, int]
    axes: tuple[Axis, Axis]
    role: str

    @classmethod
    def of(cls, stack: Stack, role: str) -> Target:
        """The grid of a stack's frames."""
        grid = plane_axes(stack)
        return cls(rows_and_columns(stack), grid, role)


def plane_axes(stack: Stack) -> tuple[Axis, Axis]:
    """Axes of rows and columns."""
    rows, columns = (stack.grid[:-1] if has_channels(stack) else stack.grid)[-2:]
    return (rows, columns)


def aligned_layer(
    stack: Stack,
    matrices: Array,
    target: Target,
    order: Literal[0, 1, 3],
    *,
    kind: Literal["image", "labels"] = "image",
) -> ImageResult:
    """All frames pulled back, computed as they are looked at."""
    shape, axes, back = _layout(stack, target)
    data = LazyFrames(
        (stack, series(matrices)),
        warp_block,
        (order, back),
        dtype=_dtype(stack),
        frame_shape=shape,
        cost=_cost(stack),
    )
    first = data[(0,) * len(data.leading_shape)]
    return ImageResult(
        f"{stack.name} aligned",
        data,
        Placing((*stack.leading_axes, *axes), target.role),
        kind=kind,
        rgb=stack.rgb and kind == "image",
        contrast_limits=limits_of(first) if kind == "image" else None,
    )


def aligned_frame(
    stack: Stack, index: int, matrix: Array, target: Target, order: Literal[0, 1, 3]
) -> ImageResult:
    """One frame pulled back."""
    shape, axes, back = _layout(stack, target)
    data = np.empty((1, *shape), _dtype(stack))
    warp_block(stack.read(index, index + 1), matrix[None], order, back, data)
    return ImageResult(
        f"{stack.name} aligned",
        data[0],
        Placing(axes, target.role),
        rgb=stack.rgb,
        contrast_limits=limits_of(data),
    )


def moved_layer(stack: Stack, matrix: Array, target: Target) -> ImageResult:
    """A single image with its pixels as they are, its layer moved onto the target's grid."""
    frame = stack.frame(0)
    axes: tuple[Axis, ...] = target.axes
    data = frame
    if has_channels(stack) and not stack.rgb:
        data, axes = np.moveaxis(frame, -1, 0), (stack.grid[-1], *axes)
    whole = np.eye(len(axes) + 1)
    whole[-3:, -3:] = inverse(matrix)
    return ImageResult(
        f"{stack.name} aligned",
        data,
        Placing(axes, target.role, moved=tuple(map(tuple, whole.tolist()))),
        rgb=stack.rgb,
        contrast_limits=limits_of(frame),
    )


def error_layers(
    stack: Stack,
    matrices: Array,
    gains: Array,
    template: Array,
    channel: int | None,
    target: Target,
) -> Iterator[ImageResult]:
    """Difference to the template after, and before where both have the same grid."""
    after = "error after alignment", matrices, gains
    wanted = [after]
    if rows_and_columns(stack) == target.shape:
        still = np.broadcast_to(np.eye(3), matrices.shape)
        plain = np.broadcast_to([1.0, 0.0], gains.shape)
        wanted.insert(0, ("error before alignment", still, plain))
    limits = None
    for name, moves, brightness in wanted:
        data = LazyFrames(
            (stack, series(moves), series(brightness)),
            error_block,
            (template, channel),
            dtype=np.float32,
            frame_shape=target.shape,
            cost=_cost(stack),
        )
        first = data[(0,) * len(data.leading_shape)]
        # One scale for both, or the improvement would not be seen.
        limits = limits or symmetric_limits(first)
        yield ImageResult(
            f"{stack.name} {name}",
            data,
            Placing((*stack.leading_axes, *target.axes), target.role),
            colormap="PiYG",
            contrast_limits=limits,
            visible=False,
        )


def outlines(stack: Stack, matrices: Array, target: Target) -> tuple[LayerResult, ...]:
    """Where the template's border lies in every frame."""
    if stack.n_frames > _MOST_OUTLINES or rows_and_columns(stack) == target.shape:
        return ()
    shapes = []
    for number, matrix in enumerate(matrices):
        if not np.isfinite(matrix).all():
            continue
        border = mapped(matrix, corners(target.shape))
        place = np.unravel_index(number, stack.leading_shape) if stack.leading_shape else ()
        shapes.append(np.column_stack([np.full(len(border), each) for each in (*place, *border.T)]))
    if not shapes:
        return ()
    axes = (*stack.leading_axes, *plane_axes(stack))
    return (
        ShapesResult(
            f"{stack.name} template",
            shapes,
            Placing(axes, "stack"),
            shape_type="polygon",
        ),
    )


def _layout(stack: Stack, target: Target) -> tuple[tuple[int, ...], tuple[Axis, ...], bool]:
    """Shape and axes of an aligned frame, and whether its channels are brought to the front."""
    if not has_channels(stack):
        return target.shape, target.axes, False
    channels = stack.frame_shape[-1]
    if stack.rgb:
        return (*target.shape, channels), target.axes, False
    return (channels, *target.shape), (stack.grid[-1], *target.axes), True


def _dtype(stack: Stack) -> np.dtype[np.generic]:
    """Type of aligned frames: the stack's own, in this machine's byte order."""
    own = stack.dtype.newbyteorder("=")
    return np.promote_types(own, np.float32) if own.kind == "f" else own


def _cost(stack: Stack) -> Cost:
    pixels = int(np.prod(stack.frame_shape))
    return Cost(scratch=24 * pixels, seconds=1e-5 + 4e-8 * pixels)
