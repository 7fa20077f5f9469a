"""What is measured: the stack with its channels, and which of its pixels count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_framewise.framework.channels import channel_names, one_channel, with_channels
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Input, Inputs, Value
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack


@dataclass(frozen=True, eq=False)
class Measured:
    """A stack to be measured.

    Attributes
    ----------
    stack : Stack
        With its channel axis.
    masks : Stack, optional
        The masks, where there is one for every frame.
    fixed : ndarray, optional
        Pixels to use in all frames.
    names : tuple of str
        Names of the channels that are measured apart; empty where all are taken together.
    """

    stack: Stack
    masks: Stack | None
    fixed: Array | None
    names: tuple[str, ...]

    @property
    def stacks(self) -> tuple[Stack, Stack | None]:
        """What is read in step: block functions get frames, and masks or None."""
        return self.stack, self.masks

    def read(self, index: int) -> tuple[Array, Array | None]:
        """The frame (1, ...) at a place, and its mask where each frame has its own."""
        masks = self.masks
        frames = self.stack.read(index, index + 1)
        return frames, None if masks is None else masks.read(index, index + 1)

    @property
    def channel_axis(self) -> int | None:
        """Axis of a block with the channels."""
        return -1 if self.names else None

    @property
    def columns(self) -> tuple[str, ...]:
        """What is put behind the names of a table's columns, for every channel."""
        return tuple(f"_{name}" for name in self.names) or ("",)


def measured(
    inputs: Inputs,
    *,
    channels_along: int | None,
    per_channel: bool,
    region: tuple[int, ...] = (),
) -> Measured:
    """The stack and mask of a tool, and its pixels to use.

    Raises
    ------
    ValueError
        Where the mask or the region does not fit.
    """
    stack = with_channels(inputs.stack("stack"), channels_along)
    names = channel_names(stack)
    plain = one_channel(stack)
    masks: Stack | None = None
    fixed = None if not region else _rectangle(plain, region)
    given = inputs.optional_stack("mask")
    if given is not None:
        mask = in_step(given, stack, inputs.title("mask"))
        if mask.n_frames > 1:
            masks = mask
        else:
            fixed = selected(mask.frame(0)) & (True if fixed is None else fixed)
    if fixed is not None and not fixed.any():
        raise ValueError("Mask and region leave no pixel; mark at least one with a non-zero value.")
    return Measured(stack, masks, fixed, names if per_channel else ())


def check_selection(role: Input, value: Value) -> None:
    """Refuse one image for all frames that selects no pixel.

    Raises
    ------
    ValueError
        In one sentence.
    """
    if not role.selects or not isinstance(value, Stack) or value.n_frames > 1:
        return
    if not selected(value.frame(0)).any():
        raise ValueError(
            f"{role.title}: {value.name} leaves no pixel; mark at least one with a value that is "
            "not zero."
        )


def selected(mask: Array) -> Array:
    """Pixels that a mask selects: not zero; NaN is no data, and selects nothing."""
    return np.asarray((mask != 0) & (mask == mask))


def used_pixels(
    frames: Array, masks: Array | None, fixed: Array | None, channel_axis: int | None
) -> Array | None:
    """The mask of a block, with the channels that `frames` have where they are taken together."""
    use = fixed
    if masks is not None:
        use = selected(masks) if fixed is None else selected(masks) & fixed
    if use is None or channel_axis is not None:
        return use
    # Channels that are measured together are pixels like others.
    missing = use.ndim < frames.ndim - (use is fixed)
    if not missing:
        return use
    shape = frames.shape[1:] if use is fixed else frames.shape
    return np.broadcast_to(use[..., None], shape)


def _rectangle(plain: Stack, region: tuple[int, ...]) -> Array:
    spatial = plain.frame_shape
    if len(region) != 4 or len(spatial) < 2:
        raise ValueError(
            "Region takes four numbers: first row, row behind the last, first column, column "
            "behind the last."
        )
    top, bottom, left, right = region
    rows, columns = spatial[-2:]
    if not (0 <= top < bottom <= rows and 0 <= left < right <= columns):
        raise ValueError(
            f"The region {top}, {bottom}, {left}, {right} does not lie inside a frame of {rows} x "
            f"{columns} pixels."
        )
    use = np.zeros(spatial, bool)
    use[..., top:bottom, left:right] = True
    return use
