"""Frames that are filled: what goes in with each, and a block of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from napari_framewise.engine.work import Cost
from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.numerics.inpainting import Filling, Settings, Workspace, begun, fill
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.inpainting.parameters import InpaintingParameters

_SECONDS_PER_PIXEL = 1e-5
_SCRATCH_PER_VALUE, _SCRATCH_PER_PIXEL = 24, 64


@dataclass(frozen=True, eq=False)
class Given:
    """The frames with their channel axis, and what goes with each.

    Attributes
    ----------
    stack : Stack
        The frames.
    hole, source : Stack, optional
        With a frame for each, or one for all.
    settings : Settings
        How they are filled.
    """

    stack: Stack
    hole: Stack | None
    source: Stack | None
    settings: Settings

    @property
    def even(self) -> bool:
        """Whether differences of all channels count alike, as those of colours do."""
        return self.stack.rgb or self.stack.channels < 2

    @property
    def cost(self) -> Cost:
        """Of a frame."""
        pixels = math.prod(self.stack.spatial_shape)
        scratch = _SCRATCH_PER_VALUE * math.prod(self.stack.frame_shape)
        return Cost(
            output=40 * pixels,
            scratch=scratch + _SCRATCH_PER_PIXEL * pixels,
            seconds=_SECONDS_PER_PIXEL * pixels,
        )

    def begun(self, index: int) -> Filling:
        """A frame of which nothing is filled yet."""
        if self.hole is not None:
            return begun(_frame(self.hole, index))
        return begun(missing(self.stack.frame(index), bool(self.stack.channels)))

    def workspace(self, index: int) -> Workspace:
        """What fills a frame."""
        frame = self.stack.frame(index)
        source = None if self.source is None else _frame(self.source, index)
        weights = None if self.even else weights_of(frame, self.begun(index).target)
        return Workspace(frame, self.settings, source, weights)


def given_of(inputs: Inputs, parameters: InpaintingParameters) -> Given:
    """What is filled.

    Raises
    ------
    ValueError
        Where hole or source do not fit the frames.
    """
    stack = with_channels(inputs.stack("stack"), parameters.channels_along)
    hole, source = inputs.optional_stack("hole"), inputs.optional_stack("source")
    return Given(
        stack,
        hole and in_step(hole, stack, "Hole"),
        source and in_step(source, stack, "Source"),
        parameters.as_settings(Settings),
    )


def fill_block(
    frames: Array,
    holes: Array | None,
    sources: Array | None,
    settings: Settings,
    channels: bool,
    even: bool,
) -> list[Filling]:
    """The holes of a block of frames, filled to their end."""
    found = []
    for index, frame in enumerate(frames):
        hole = missing(frame, channels) if holes is None else holes[index % len(holes)]
        source = None if sources is None else sources[index % len(sources)]
        weights = None if even else weights_of(frame, begun(hole).target)
        found.append(fill(frame, hole, settings, source=source, weights=weights))
    return found


def missing(frame: Array, channels: bool) -> Array:
    """Pixels that have no data in some channel."""
    finite = np.isfinite(frame)
    return np.asarray(~(finite.all(axis=-1) if channels else finite))


def weights_of(frame: Array, hole: Array) -> Array:
    """One over the deviation of each channel outside the hole; 1 where it has none."""
    values = frame[~hole].astype(np.float64)
    values[~np.isfinite(values).all(axis=1)] = np.nan
    known = values[~np.isnan(values).any(axis=1)]
    deviations = known.std(axis=0) if len(known) else np.ones(frame.shape[-1])
    return np.asarray(1 / np.where(deviations > 0, deviations, 1.0))


def _frame(stack: Stack, index: int) -> Array:
    return stack.frame(index if stack.n_frames > 1 else 0)
