"""Channels of a stack: where they are and what they are called."""

from __future__ import annotations

from dataclasses import replace

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
    count = stack.channels
    return COLOURS[:count] if stack.rgb else tuple(f"c{number}" for number in range(count))


def one_channel(stack: Stack) -> Stack:
    """The stack as a mask must fit it: without the channels inside its frames."""
    if not stack.channels:
        return stack
    return stack.select(replace(stack.selection, channel=0))
