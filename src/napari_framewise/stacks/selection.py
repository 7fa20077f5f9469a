"""What of a stack is used, and where it was opened: plain values for recipes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """What the user chose of a stack; plain values only, so that a recipe can hold it.

    Attributes
    ----------
    frames_along : tuple of int, optional
        Axes that the frames run along, outermost first, as non-negative positions in the data.
        None: as `default_frame_axes` says.
    frames : tuple of three int, optional
        Start, stop and step over the frames counted along all those axes.
    channel : int, optional
        Index along the channel axis; None keeps all channels.
    region : tuple of (start, stop), optional
        Rows and columns, in pixels.
    no_data : float, optional
        Value that stands for missing pixels, read as NaN; None: as the file says, if it does.
    """

    frames_along: tuple[int, ...] | None = None
    frames: tuple[int, int, int] | None = None
    channel: int | None = None
    region: tuple[tuple[int, int], tuple[int, int]] | None = None
    no_data: float | None = None


@dataclass(frozen=True)
class Origin:
    """Where a stack was opened, so that a recipe can name it again.

    Attributes
    ----------
    path : str, optional
        File or folder as it was opened; `key` and `pattern` as they were given.
    sample : str, optional
        Name of the sample; `item` says which of its stacks.
    """

    path: str | None = None
    key: str | None = None
    pattern: str | None = None
    sample: str | None = None
    item: str = ""


def check_selection(
    chosen: Selection,
    name: str,
    shape: tuple[int, ...],
    *,
    frame_axes: tuple[int, ...],
    image_axes: tuple[int, ...],
    channel: int | None,
) -> None:
    """Refuse a selection that the data of a stack cannot meet, in one sentence.

    Parameters
    ----------
    chosen : Selection
        What is asked for.
    name : str
        Of the stack.
    shape : tuple of int
        Of its data.
    frame_axes, image_axes : tuple of int
        Axes that the frames run along, and those of a frame.
    channel : int, optional
        The channel axis.
    """
    axes = frame_axes
    if len(set(axes)) != len(axes) or any(not 0 <= axis < len(shape) for axis in axes):
        raise ValueError(
            f"{name}: frames along axes {axes} were asked for, but the data has the axes "
            f"0 to {len(shape) - 1}; name each axis once."
        )
    spatial = [axis for axis in image_axes if axis != channel]
    if not spatial:
        raise ValueError(
            f"{name} of shape {shape} leaves no axis for the pixels of a frame when frames "
            f"run along axes {axes}; choose fewer frame axes."
        )
    total = math.prod(shape[axis] for axis in axes)
    if chosen.frames is not None:
        start, stop, step = chosen.frames
        if step < 1 or not 0 <= start <= stop <= total:
            raise ValueError(
                f"{name}: frames {start} to {stop} in steps of {step} were asked for, but it "
                f"has {total:,} frames; give 0 <= start <= stop <= {total} and a step of 1 or more."
            )
    if chosen.channel is not None:
        count = shape[channel] if channel is not None else 0
        if channel in axes or not 0 <= chosen.channel < count:
            raise ValueError(
                f"{name}: channel {chosen.channel} was asked for, but it has "
                f"{count or 'no'} channels beside its frames."
            )
    if chosen.region is not None:
        extents = [shape[axis] for axis in spatial[-2:]]
        if len(extents) < 2 or any(
            not 0 <= start < stop <= extent
            for (start, stop), extent in zip(chosen.region, extents, strict=True)
        ):
            (top, bottom), (left, right) = chosen.region
            raise ValueError(
                f"{name}: the region of rows {top} to {bottom} and columns {left} to {right} does "
                f"not lie inside a frame of {' x '.join(map(str, extents))} pixels; give a start "
                "and an end within it, rows first."
            )
