"""Where image results lie: on their input's grid, in its order of axes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack


@dataclass(frozen=True)
class Layout:
    """How an image result that belongs to a stack is laid out.

    Blocks of frames have their channels last, ``(n, *frame_shape)``; the result has its axes in
    the order in which the stack's data have them.

    Attributes
    ----------
    grid : Grid
        Of the result; colour components are no axis of it.
    order : tuple of int
        For each axis of the result its number among the leading axes and those of `frame_shape`.
    leading : tuple of int
        Lengths of the leading axes; empty for a single frame.
    frame_shape : tuple of int
        A frame in a block.
    rgb : bool
        The last axis holds colour components.
    """

    grid: Grid
    order: tuple[int, ...]
    leading: tuple[int, ...]
    frame_shape: tuple[int, ...]
    rgb: bool

    @property
    def still(self) -> Layout:
        """The same for one frame."""
        count = len(self.leading)
        axes = range(self.grid.ndim)
        return replace(
            self,
            grid=self.grid.take([axis for axis in axes if self.order[axis] >= count]),
            order=tuple(number - count for number in self.order if number >= count),
            leading=(),
        )

    @property
    def coloured(self) -> Layout:
        """The same with three components of a colour along a further axis."""
        order = (*self.order, len(self.order))
        return replace(self, order=order, frame_shape=(*self.frame_shape, 3), rgb=True)

    def arranged(self, frames: Array) -> Array:
        """Frames (n, *frame_shape), or one of frame_shape, as the result: a view."""
        return frames.reshape(*self.leading, *self.frame_shape).transpose(self.order)

    def first(self, data: Any) -> Array:
        """The first frame of the result: all that is computed of lazy data."""
        lead = len(self.leading)
        return np.asarray(data[tuple(0 if n < lead else slice(None) for n in self.order)])

    def coordinates(self, positions: Array) -> Array:
        """Coordinates (..., axes) along the leading axes and a frame's, as the result has them."""
        return positions[..., list(self.order)]

    def empty(self, dtype: npt.DTypeLike) -> tuple[Array, Array]:
        """Memory for the result, and the view (n, *frame_shape) of it for blocks."""
        lead = len(self.leading)
        frame_order = [number for number in self.order if number >= lead]
        shape = (*self.leading, *(self.frame_shape[number - lead] for number in frame_order))
        # Frames lie behind each other, so that the blocks' view is no copy.
        memory = np.empty(shape, dtype)
        natural = memory.transpose(
            *range(lead), *(lead + frame_order.index(lead + n) for n in range(len(frame_order)))
        )
        count = math.prod(self.leading)
        blocks = memory.reshape(count, *shape[lead:]).transpose(
            0, *(1 + frame_order.index(lead + n) for n in range(len(frame_order)))
        )
        return natural.transpose(self.order), blocks


def layout_of(
    stack: Stack,
    role: str = "stack",
    *,
    channels: bool = True,
    on: Grid | None = None,
) -> Layout:
    """Layout of a result with an image for every chosen frame of a stack.

    Parameters
    ----------
    stack : Stack
        To whose frames the result belongs.
    role : str
        Role of the input on whose grid the result lies: a rotation, shear or affine of its layer
        holds for the result too.
    channels : bool
        Whether the result has the channels that the frames have.
    on : Grid, optional
        The output grid where it is another than the frames': one axis per spatial axis.
    """
    spatial = stack.spatial_grid if on is None else on
    has_channels = bool(stack.channels) and channels
    inside = spatial if not has_channels else _with(spatial, stack.grid.axes[-1], stack.channels)
    rgb = stack.rgb and has_channels
    image = stack.image_axes
    leading = stack.leading_grid
    # Where each axis stands in the data; several frame axes that became one, where the first is.
    places = [*stack.frame_axes, -1][: leading.ndim]
    places += [*image[: spatial.ndim], *image[-1:] * has_channels]
    order = tuple(int(number) for number in np.argsort(places, kind="stable"))
    whole = inside.after(leading)
    shown = order[:-1] if rgb else order
    return Layout(
        replace(whole.take(shown), role=role, moved=None),
        order,
        stack.leading_shape,
        inside.shape,
        rgb,
    )


def frame_placing(stack: Stack, role: str = "stack") -> Grid:
    """Grid of an image that has a value for every element of one frame."""
    return layout_of(stack, role).still.grid


def stack_placing(stack: Stack, role: str = "stack") -> Grid:
    """Grid of a result that has a value for every element of the chosen frames."""
    return layout_of(stack, role).grid


def _with(spatial: Grid, axis: Axis, length: int) -> Grid:
    return Grid((*spatial.axes, axis), (*spatial.shape, length))
