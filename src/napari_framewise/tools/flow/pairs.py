"""Which frames are compared: pairs of two stacks, of neighbours, or with a reference frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.framework.in_step import in_step, series
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.masks import selected
from napari_framewise.framework.matching import as_long
from napari_framewise.numerics.flow import FlowSettings, Ranking
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.memory import check_fits
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.flow.parameters import FlowParameters

# Numbers of both frames and what is known of each pair before any is read.
_PAIR_BYTES = 64


@dataclass(frozen=True, eq=False)
class Task:
    """What a block needs to know of its pairs; plain values and arrays, so that it travels.

    Attributes
    ----------
    settings, ranking
        For the numerics.
    channels : bool
        Whether a frame's last axis holds its channels.
    channel : int, optional
        The one to follow.
    reference : ndarray, optional
        First frame of all pairs.
    mask : ndarray, optional
        Pixels to use in all frames.
    both : bool
        Whether the mask holds for the second frame too.
    scale : tuple of float
        Size of a pixel along the axes of the grid.
    least_confidence, step, placement, on_edges
        Of vectors and means; step 0 picks no vectors.
    """

    settings: FlowSettings
    ranking: Ranking
    channels: bool
    channel: int | None
    reference: Array | None
    mask: Array | None
    both: bool
    scale: tuple[float, ...]
    least_confidence: float
    step: int
    placement: str
    on_edges: str


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of a run.

    Attributes
    ----------
    stacks : tuple of Stack or None
        What is read, in the order of `flow_block`: first frames (unless one reference serves all),
        second frames, a flag that is 0 where the two are no neighbours, and masks per frame of
        the first and of the second.
    task : Task
        What goes with every block.
    like : Stack
        The stack whose frames the results go along with.
    role : str
        Its role.
    second : Stack
        The second frames.
    first_numbers, second_numbers : ndarray
        Frame numbers of each pair in their whole stacks.
    whole : Stack
        The stack that was given.
    """

    stacks: tuple[Stack | None, Stack, Stack, Stack | None, Stack | None]
    task: Task
    like: Stack
    role: str
    second: Stack
    first_numbers: Array
    second_numbers: Array
    whole: Stack

    @property
    def count(self) -> int:
        """Number of pairs."""
        return self.like.n_frames

    @property
    def grid(self) -> Grid:
        """Grid of a frame without its channels."""
        return self.like.spatial_grid

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a frame without its channels."""
        return self.like.spatial_shape

    @property
    def single(self) -> bool:
        """Whether the results have no axis of frames."""
        return not self.like.leading_axes

    def only(self, index: int) -> tuple[Array | None, Array, Array, Array | None, Array | None]:
        """The blocks of one pair."""
        firsts, seconds, neighbours, masks, second_masks = self.stacks
        span = index, index + 1
        return (
            None if firsts is None else firsts.read(*span),
            seconds.read(*span),
            neighbours.read(*span),
            None if masks is None else masks.read(*span),
            None if second_masks is None else second_masks.read(*span),
        )


def roughly_like(task: Task) -> Task:
    """The task with fewer levels, and without the flow back: about a quarter of the work."""
    settings = replace(task.settings, ratio=min(task.settings.ratio, 0.5), quality="fast")
    both = task.ranking in ("combined", "forward_backward")
    return replace(task, settings=settings, ranking="residual" if both else task.ranking)


def pairs_of(inputs: Inputs, parameters: FlowParameters) -> Pairs:
    """The pairs that inputs and parameters ask for.

    Raises
    ------
    ValueError
        Where there is nothing to compare, or frames, masks or channels do not fit.
    """
    stack = inputs.stack("stack")
    second = inputs.optional_stack("second")
    channels = bool(stack.channels)
    _check(stack, parameters, channels)
    check_fits(
        stack.name,
        f"the list of its {stack.n_frames:,} pairs",
        stack.n_frames * _PAIR_BYTES,
        "choose fewer frames",
    )
    reference: Array | None = None
    neighbours = np.ones(stack.n_frames, np.uint8)
    if second is not None:
        second = as_long(second, stack)
        firsts, like, role = stack, stack, "stack"
        if second.n_frames not in (1, stack.n_frames):
            raise ValueError(
                f"Second image: {second.name} holds {second.summary()}, but {stack.name} holds "
                f"{stack.summary()}; one image, or one for every frame, is needed."
            )
        if second.n_frames < stack.n_frames:
            second = _repeated(second, stack)
        first_numbers = np.asarray(stack.frame_numbers)
        second_numbers = np.asarray(second.frame_numbers) if second.n_frames > 1 else first_numbers
    elif stack.n_frames < 2:
        raise ValueError(
            f"{stack.name} holds {stack.summary()}; a second image, or a stack of at least two "
            "frames, is needed."
        )
    elif parameters.pairs == "next":
        firsts, second = cut(stack, 0, stack.n_frames - 1), cut(stack, 1, stack.n_frames)
        like, role = firsts, "stack"
        first_numbers = np.asarray(firsts.frame_numbers)
        second_numbers = np.asarray(second.frame_numbers)
        neighbours = _in_one_series(stack)
    else:
        if parameters.reference_frame >= stack.n_frames:
            raise ValueError(
                f"Reference frame {parameters.reference_frame} was asked for, but {stack.name} "
                f"has {stack.n_frames:,} frames, counted from 0."
            )
        reference = stack.frame(parameters.reference_frame)
        firsts, second, like, role = stack, stack, stack, "stack"
        second_numbers = np.asarray(stack.frame_numbers)
        number = stack.frame_numbers[parameters.reference_frame]
        first_numbers = np.full_like(second_numbers, number)
    mask, masks = _masks(inputs, stack)
    if masks is not None and inputs["second"]:
        of_pairs: tuple[Stack | None, Stack | None] = (masks, None)
    elif masks is not None and reference is None:
        of_pairs = (cut(masks, 0, masks.n_frames - 1), cut(masks, 1, masks.n_frames))
    elif masks is not None:
        raise ValueError(
            f"Mask: {masks.name} holds {masks.summary()}; one mask for all frames is needed where "
            "a reference frame is followed."
        )
    else:
        of_pairs = (None, None)
    flags = series(neighbours[: like.n_frames], "neighbours")
    task = Task(
        settings=parameters.settings,
        ranking=parameters.ranking,
        channels=channels,
        channel=parameters.channel,
        reference=reference,
        mask=mask,
        both=not inputs["second"],
        scale=stack.spatial_grid.scale,
        least_confidence=parameters.least_confidence,
        step=0,
        placement=parameters.placement,
        on_edges=parameters.on_edges,
    )
    return Pairs(
        (None if reference is not None else firsts, second, flags, *of_pairs),
        task,
        like,
        role,
        second,
        first_numbers,
        second_numbers,
        stack,
    )


def _check(stack: Stack, parameters: FlowParameters, channels: bool) -> None:
    count = stack.frame_shape[-1] if channels else 1
    if parameters.channel is not None and parameters.channel >= count:
        raise ValueError(
            f"Channel {parameters.channel} was asked for, but the frames of {stack.name} have "
            f"{count if channels else 'no'} channels."
        )


def cut(stack: Stack, start: int, stop: int) -> Stack:
    """Some of the chosen frames."""
    numbers = stack.frame_numbers[start:stop]
    frames = (numbers.start, numbers[-1] + 1, numbers.step)
    return stack.select(replace(stack.selection, frames=frames))


def _repeated(image: Stack, stack: Stack) -> Stack:
    """One image as the second of every pair."""
    frame = image.frame(0)
    whole = np.broadcast_to(frame, (stack.n_frames, *frame.shape))
    names = ("t", *image.grid.names)
    repeated = stack_of(whole, axes=names, name=image.name, rgb=image.rgb)
    return repeated.select(replace(repeated.selection, frames_along=(0,)))


def _in_one_series(stack: Stack) -> Array:
    """1 where a frame and the next are neighbours along the innermost frame axis."""
    numbers = np.asarray(stack.frame_numbers)
    if len(stack.frame_axes) < 2:
        return np.ones(len(numbers) - 1, np.uint8)
    row = numbers // stack.source.shape[stack.frame_axes[-1]]
    return np.asarray(row[1:] == row[:-1], np.uint8)


def _masks(inputs: Inputs, stack: Stack) -> tuple[Array | None, Stack | None]:
    given = inputs.optional_stack("mask")
    if given is None:
        return None, None
    mask = in_step(given, stack, "Mask")
    if mask.n_frames > 1:
        return None, mask
    fixed = selected(mask.frame(0))
    if not fixed.any():
        raise ValueError(
            "The mask leaves no pixel; mark at least one pixel with a value that is not zero."
        )
    return fixed, None
