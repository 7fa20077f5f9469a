"""Further inputs of a stack in step with it: one image for all frames, or one for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_framewise.framework.channels import one_channel
from napari_framewise.framework.matching import as_long, matching
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of

# A single image of up to this size is read once, and travels with the work.
_KEPT_BYTES = 8 * 2**20


def in_step(
    given: Stack, stack: Stack, title: str, *, channels: bool = False, colours: bool = False
) -> Stack:
    """An input with a frame for every chosen frame of a stack, or one frame for all of them.

    Parameters
    ----------
    given : Stack
        A mask, confidence, guide: choices that its user left open are made as the stack's.
    stack : Stack
        What it goes with.
    title : str
        What it is called in messages.
    channels : bool
        Whether its frames may have the channels that the stack's have.
    colours : bool
        Whether they may have channels where the stack's have none.

    Returns
    -------
    Stack
        Of 1 or `stack.n_frames` frames; a pass over both hands a single frame to every block.

    Raises
    ------
    ValueError
        Where its frames differ in shape, or are as many as neither.
    """
    plain = one_channel(stack)
    partners = (stack, plain) if channels else (plain,)
    for partner in partners:
        found = as_long(matching(given, partner), partner)
        if found.frame_shape == partner.frame_shape and found.n_frames in (1, stack.n_frames):
            return _kept_if_small(found)
    if colours and not stack.channels and given.channels:
        found = as_long(matching(one_channel(given), plain), plain)
        if found.frame_shape == plain.frame_shape and found.n_frames in (1, stack.n_frames):
            chosen = replace(found.selection, channel=given.selection.channel)
            return _kept_if_small(found.select(chosen))
    raise ValueError(
        f"{title}: {given.name} holds {given.summary()}, but {stack.name} holds "
        f"{plain.summary()}; one {title.lower()} of that size for all frames, or one per frame, is "
        "needed."
    )


def _kept_if_small(found: Stack) -> Stack:
    small = found.n_frames == 1 and found.frame_bytes <= _KEPT_BYTES
    return kept(found.frame(0), found) if small else found


def kept(frame: Array, like: Stack) -> Stack:
    """One frame in memory, as a stack whose axes are those of another's frames."""
    names = ("frame", *like.grid.names)
    single = stack_of(frame[None], axes=names, name=like.name, rgb=like.rgb and like.channels > 0)
    return single.select(type(single.selection)(frames_along=(0,)))


def series(values: Array, name: str = "values") -> Stack:
    """Values for each frame (n, ...), or one for all (1, ...), that go with the frames.

    Parameters
    ----------
    values : (n, ...) or (1, ...) array
        Coefficients, transforms, flags. A block gets (frames of the block, ...) of them, and of
        one number for each frame (frames of the block, 1).
    name : str
        What to call them in messages.
    """
    rows = np.ascontiguousarray(values.reshape(len(values), 1) if values.ndim == 1 else values)
    axes = ("frame", *(f"value {axis}" for axis in range(rows.ndim - 1)))
    stack = stack_of(rows, axes=axes, name=name)
    return stack.select(type(stack.selection)(frames_along=(0,)))
