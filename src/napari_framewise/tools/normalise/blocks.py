"""What is computed for a block of frames; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from napari_framewise.framework.masks import used_pixels
from napari_framewise.numerics import normalise as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.scaled_blocks import Target


@dataclass(frozen=True, eq=False)
class Request:
    """How frames are normalised, each by itself.

    Attributes
    ----------
    method, percentiles
        As numerics take them.
    channel_axis : int, optional
        Axis of a block with channels that are measured apart.
    fixed : ndarray, optional
        Pixels to measure in all frames.
    """

    method: numerics.Method
    percentiles: tuple[float, float]
    channel_axis: int | None
    fixed: Array | None


class FrameLevels(NamedTuple):
    """Offset, gain, status and clipped pixels (n, C) of each frame; or one (1, C) for all."""

    offset: Array
    gain: Array
    status: Array
    clipped: Array

    @classmethod
    def joined(cls, blocks: Sequence[FrameLevels]) -> FrameLevels:
        """That of consecutive blocks as one."""
        return cls(*(np.concatenate(each) for each in zip(*blocks, strict=True)))

    def with_clipped(self, clipped: Array | None) -> FrameLevels:
        """The same with the number of clipped pixels, where they were counted."""
        if clipped is None:
            return self
        return self._replace(clipped=clipped, status=self.status | numerics.clipped_status(clipped))

    def scaling(self, target: Target) -> numerics.Scaling:
        """Offsets and gains with the base."""
        return numerics.Scaling(self.offset, self.gain, target.ends[0])

    def top(self, target: Target) -> Array:
        """What became the high end of the range; the offset where the gain is 0."""
        width = target.ends[1] - target.ends[0]
        span = np.divide(width, self.gain, out=np.zeros_like(self.gain), where=self.gain != 0)
        return np.asarray(self.offset + span)


def measured_block(
    frames: Array, masks: Array | None, request: Request, target: Target
) -> FrameLevels:
    """Levels of a block of frames, and how many pixels would be clipped."""
    levels = numerics.levels(
        frames,
        request.method,
        percentiles=request.percentiles,
        channel_axis=request.channel_axis,
        mask=used_pixels(frames, masks, request.fixed, request.channel_axis),
    )
    scaling = numerics.scaling_of(levels, target.ends)
    clipped = np.zeros(levels.span.shape, np.int64)
    if target.limits is not None:
        _, clipped = numerics.scale(
            frames,
            scaling,
            channel_axis=request.channel_axis,
            dtype=target.dtype,
            limits=target.limits,
        )
    status = levels.status | numerics.clipped_status(clipped)
    return FrameLevels(scaling.offset, scaling.gain, status, clipped)


def normalised_block(
    frames: Array, masks: Array | None, request: Request, target: Target, out: Array
) -> FrameLevels:
    """Normalise a block of frames, each by itself, straight into its place."""
    made = numerics.normalise(
        frames,
        request.method,
        percentiles=request.percentiles,
        channel_axis=request.channel_axis,
        mask=used_pixels(frames, masks, request.fixed, request.channel_axis),
        range=None if request.method in ("mean", "z_score") else target.ends,
        clip=target.limits is not None and np.dtype(target.dtype).kind == "f",
        out=out,
    )
    return FrameLevels(made.scaling.offset, made.scaling.gain, made.status, made.clipped)
