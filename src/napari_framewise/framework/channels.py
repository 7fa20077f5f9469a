"""Channels of a stack: where they are, what they are called, and results in the data's order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_framewise.framework.outcome import Placing
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of

COLOURS = ("red", "green", "blue", "alpha")


def with_channels(stack: Stack, along: int | None) -> Stack:
    """The stack with its channels along an axis that nobody named as such.

    Parameters
    ----------
    stack : Stack
        As it was given.
    along : int, optional
        Axis of the data, counted from the end where negative; None: as the axes are named.

    Raises
    ------
    ValueError
        Where there is no such axis, or frames run along it.
    """
    ndim = len(stack.axes)
    if along is None:
        return stack
    if not -ndim <= along < ndim:
        raise ValueError(
            f"Channels along axis {along} were asked for, but {stack.name} has the axes 0 to "
            f"{ndim - 1}."
        )
    axis = along % ndim
    if stack.channel_axis == axis:
        return stack
    if axis in (stack.selection.frames_along or ()):
        raise ValueError(
            f"{stack.name}: frames run along axis {axis}, so its channels can't; choose another "
            "axis for one of them."
        )
    plain = ["y", "x"]
    names = [each.name for each in stack.axes]
    # Who counts a channel axis from behind has y and x before it.
    if names[-2:] == plain and axis >= ndim - 2 and ndim > 2:
        names[axis] = "c"
        left = [number for number in range(ndim) if number != axis]
        for number, name in zip(left[-2:], plain, strict=True):
            names[number] = name
    names = [f"axis {n}" if name == "c" and n != axis else name for n, name in enumerate(names)]
    names[axis] = "c"
    return stack_of(
        stack.source,
        axes=names,
        scale=[each.scale for each in stack.axes],
        translate=[each.translate for each in stack.axes],
        units=[each.unit for each in stack.axes],
        name=stack.name,
        selection=stack.selection,
        origin=stack.origin,
    )


def channel_names(stack: Stack) -> tuple[str, ...]:
    """What the channels inside a frame are called: red, green ... or c0, c1 ...; empty for none."""
    if stack.channel_axis not in stack.image_axes:
        return ()
    count = stack.frame_shape[-1]
    return COLOURS[:count] if stack.rgb else tuple(f"c{number}" for number in range(count))


def own_order(stack: Stack) -> tuple[int, ...]:
    """Axes of a frame in the order that they have in the data: channels may come first there."""
    return tuple(int(place) for place in np.argsort(stack.image_axes))


def shape_in_own_order(stack: Stack) -> tuple[int, ...]:
    """Shape of a frame in the data's order of axes."""
    return tuple(stack.frame_shape[place] for place in own_order(stack))


def as_block(own: Array, order: tuple[int, ...]) -> Array:
    """Frames in the data's order of axes as a view in the order of a block: channels last."""
    inverse = np.argsort(order)
    return own.transpose(0, *(int(place) + 1 for place in inverse))


def result_axes(stack: Stack) -> tuple[Axis, ...]:
    """Axes of a result that has a value for every element of the chosen frames."""
    return (*stack.leading_axes, *(stack.grid[place] for place in own_order(stack)))


def result_placing(stack: Stack, role: str) -> Placing:
    """Where such a result lies; the components of a colour have no place."""
    axes = result_axes(stack)
    return Placing(axes[:-1] if shows_colour(stack) else axes, role)


def frame_in_own_order(stack: Stack) -> Placing:
    """Where one such frame lies."""
    axes = tuple(stack.grid[place] for place in own_order(stack))
    return Placing(axes[:-1] if shows_colour(stack) else axes, "stack")


def shows_colour(stack: Stack) -> bool:
    """Whether such a result has the components of a colour along its last axis."""
    return stack.rgb and bool(channel_names(stack))


def one_channel(stack: Stack) -> Stack:
    """The stack as a mask must fit it: without the channels inside its frames."""
    if not channel_names(stack):
        return stack
    return stack.select(replace(stack.selection, channel=0))
