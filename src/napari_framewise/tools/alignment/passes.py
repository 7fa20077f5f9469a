"""The passes of an alignment: to a template, the frame before, a running mean, the mean."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames, Reduce, Scan
from napari_framewise.framework.in_step import in_step, series
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.masks import selected
from napari_framewise.numerics import alignment as numerics
from napari_framewise.numerics.frame_quality import most_alike, thumbnail
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.alignment.bad_frames import bad_after, left_out, nearest_good
from napari_framewise.tools.alignment.blocks import (
    Alignments,
    add_sums,
    align_block,
    align_running,
    masked,
    plane_of,
    sum_block,
)
from napari_framewise.tools.alignment.parameters import AlignmentParameters

_CANDIDATES, _ALIKE = 200, 20
# Share of the frames that are alike which their plain mean must serve.
_STILL = 0.8


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be aligned.

    Attributes
    ----------
    stack : Stack
        The frames.
    settings : Settings
        As the numerics take them.
    channel : int, optional
        The channel that is compared.
    mask : Stack, optional
        Pixels that are compared: of one frame for all, or one for each.
    bad : (n,) int
        Codes of what is wrong with frames: no reference is made of them; 0 is fine.
    """

    stack: Stack
    settings: numerics.Settings
    channel: int | None
    mask: Stack | None
    bad: Array

    def mask_of(self, index: int) -> Array | None:
        """Pixels of a frame that are compared."""
        if self.mask is None:
            return None
        return selected(self.mask.frame(index if self.mask.n_frames > 1 else 0))


def task_of(inputs: Inputs, parameters: AlignmentParameters) -> Task:
    """The task, after the checks that only this tool can make.

    Raises
    ------
    ValueError
        For a channel that is not there, or a mask of another shape.
    """
    stack = inputs.stack("stack")
    channels = max(1, stack.channels)
    channel = parameters.channel
    if channel is not None and channel >= channels:
        raise ValueError(
            f"Channel {channel} was asked for, but {stack.name} has {channels}, counted from 0."
        )
    mask = inputs.optional_stack("mask")
    mask = mask and in_step(mask, stack, "Mask")
    good = np.zeros(stack.n_frames, np.int64)
    return Task(stack, parameters.settings, channel if channels > 1 else None, mask, good)


def rows_and_columns(stack: Stack) -> tuple[int, int]:
    """Size of a stack's frames without their channels; its role takes planes alone."""
    rows, columns = stack.spatial_shape
    return rows, columns


def template_of(inputs: Inputs, task: Task) -> numerics.Template:
    """The template that was given, made ready.

    Raises
    ------
    ValueError
        Where its channels are not those of the stack.
    """
    given = inputs.stack("template")
    plane = plane_of(given.frame(0), task.channel)
    stack = task.stack
    wanted = 1 if task.channel is not None else max(1, stack.channels)
    if (1 if plane.ndim == 2 else plane.shape[2]) != wanted:
        raise ValueError(
            f"Template: {given.name} has {max(1, given.channels)} channels, but {stack.name} has "
            f"{max(1, stack.channels)}; choose one channel of each."
        )
    mask = inputs.optional_stack("template_mask")
    return numerics.prepare(plane, None if mask is None else mask.frame(0), settings=task.settings)


def reference_of(task: Task, index: int) -> numerics.Template:
    """One of the frames as a template; where it shows nothing, the nearest good one.

    Raises
    ------
    ValueError
        Where there is no such frame.
    """
    if index >= task.stack.n_frames:
        raise ValueError(
            f"Reference frame {index} was asked for, but {task.stack.name} has "
            f"{task.stack.n_frames:,} frames, counted from 0."
        )
    index = nearest_good(task.bad, index)
    plane = plane_of(task.stack.frame(index), task.channel)
    return numerics.prepare(plane, task.mask_of(index), settings=task.settings)


def alike_reference(task: Task, engine: Engine) -> Generator[Progress, None, numerics.Template]:
    """The mean of the frames that are most like each other, as a template.

    Of up to 200 frames, evenly spaced, the one is taken that its 20 most similar ones resemble
    most, in the mean, and averaged with them (as suite2p does); aligned to it first where the plain
    mean serves too few of them.
    """
    stack = task.stack
    numbers = np.flatnonzero(task.bad == 0)
    if not len(numbers):
        numbers = np.arange(stack.n_frames)
    numbers = numbers[np.unique(np.linspace(0, len(numbers) - 1, _CANDIDATES).astype(int))]
    rows = []
    for count, number in enumerate(numbers):
        yield Progress("Looking for frames that are alike", count, len(numbers))
        rows.append(thumbnail(_known_plane(task, int(number))))
    chosen, centre = most_alike(np.array(rows), _ALIKE)
    planes = np.array([_known_plane(task, int(number)) for number in numbers[chosen]])
    template = _mean_template(task, planes, np.tile(np.eye(3), (len(planes), 1, 1)))
    found = yield from _each_to(task, template, planes)
    if np.isfinite(found.matrices).all(axis=(1, 2)).mean() < _STILL:
        # They moved too much for their mean to show anything.
        template = numerics.prepare(planes[centre], settings=task.settings)
        found = yield from _each_to(task, template, planes)
        if np.isfinite(found.matrices).any():
            template = _mean_template(task, planes, found.matrices, gains_of(found))
    return template


def _each_to(
    task: Task, template: numerics.Template, planes: Array
) -> Generator[Progress, None, Alignments]:
    """Frames, each aligned to a template."""
    found = []
    for count, plane in enumerate(planes):
        yield Progress("Aligning frames that are alike", count, len(planes))
        found.append(numerics.align(template, plane))
    return Alignments.of(found)


def _mean_template(
    task: Task, planes: Array, matrices: Array, gains: Array | None = None
) -> numerics.Template:
    """The mean of frames where matrices lead."""
    if gains is None:
        gains = np.tile([1.0, 0.0], (len(planes), 1))
    total, count = sum_block(planes, None, matrices, gains, None)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return numerics.prepare(mean, settings=task.settings)


def _known_plane(task: Task, number: int) -> Array:
    return masked(plane_of(task.stack.frame(number), task.channel), task.mask_of(number))


def to_template(
    task: Task,
    template: numerics.Template,
    engine: Engine,
    *,
    starts: Array | None = None,
    label: str = "Aligning",
) -> Generator[Progress, None, Alignments]:
    """Align all frames to one template."""
    count = task.stack.n_frames
    given = np.full((count, 3, 3), np.nan) if starts is None else starts
    parts = yield from run_pass(
        MapFrames(),
        align_block,
        (task.stack, task.mask, series(given)),
        (template, task.channel),
        engine=engine,
        cost=cost_of(task.stack),
        label=label,
    )
    return Alignments.joined(parts)


def to_running_mean(
    task: Task, memory: int, engine: Engine
) -> Generator[Progress, None, Alignments]:
    """Align each frame to the mean of those before it, in order."""
    _, parts = yield from run_pass(
        Scan(),
        align_running,
        (task.stack, task.mask, series(task.bad)),
        (task.settings, task.channel, memory),
        engine=engine,
        cost=cost_of(task.stack),
        label="Aligning in order",
    )
    return Alignments.joined(parts)


def to_mean(
    task: Task, template: numerics.Template, passes: int, engine: Engine
) -> Generator[Progress, None, tuple[Alignments, numerics.Template]]:
    """Align to a reference, then, again and again, to the mean of what is aligned so far."""
    label = f"Aligning, pass 1 of {passes}"
    alignments = yield from to_template(task, template, engine, label=label)
    for number in range(2, passes + 1):
        codes = bad_after(task.bad, alignments, template.shape)
        good = left_out(alignments.matrices, codes)
        if not np.isfinite(good).any():
            break
        total, count = yield from run_pass(
            Reduce(),
            sum_block,
            (task.stack, task.mask, series(good), series(gains_of(alignments))),
            (task.channel,),
            engine=engine,
            cost=cost_of(task.stack, averaging=True),
            label=f"Averaging before pass {number}",
            merge=add_sums,
        )
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        near = replace(task, settings=replace(task.settings, start="given"))
        template = numerics.prepare(mean, settings=near.settings)
        label = f"Aligning, pass {number} of {passes}"
        alignments = yield from to_template(
            near, template, engine, starts=alignments.matrices, label=label
        )
    return alignments, template


def gains_of(alignments: Alignments) -> Array:
    """Gain and offset of every frame: (n, 2)."""
    return np.stack([alignments.columns["gain"], alignments.columns["offset"]], axis=1)


def cost_of(stack: Stack, *, averaging: bool = False) -> Cost:
    """What it takes to align a frame, or to add it to a sum."""
    pixels = int(np.prod(stack.frame_shape))
    if averaging:
        return Cost(scratch=32 * pixels, seconds=6e-8 * pixels)
    return Cost(output=512, scratch=48 * pixels, seconds=2e-3 + 1.5e-7 * pixels)
