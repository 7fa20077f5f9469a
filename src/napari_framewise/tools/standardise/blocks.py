"""What is computed for a block of frames that is standardised; importable by workers."""

from __future__ import annotations

from dataclasses import dataclass

from napari_framewise.framework.masks import used_pixels
from napari_framewise.numerics import standardise as numerics
from napari_framewise.numerics import statistics
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class Standard:
    """How channels are standardised, each frame by itself.

    Attributes
    ----------
    ddof, epsilon
        As numerics take them.
    channel_axis : int, optional
        Axis of a block with the channels.
    fixed : ndarray, optional
        Pixels to measure in all frames.
    """

    ddof: int
    epsilon: float
    channel_axis: int | None
    fixed: Array | None


def moments_block(frames: Array, masks: Array | None, standard: Standard) -> statistics.Moments:
    """Moments of each frame and channel of a block."""
    use = used_pixels(frames, masks, standard.fixed, standard.channel_axis)
    return statistics.moments(frames, channel_axis=standard.channel_axis, mask=use)


def standardised_block(
    frames: Array, masks: Array | None, standard: Standard, out: Array
) -> tuple[Array, Array, Array]:
    """Standardise a block of frames straight into its place; offset, gain and status."""
    made = numerics.standardise(
        frames,
        channel_axis=standard.channel_axis,
        ddof=standard.ddof,
        epsilon=standard.epsilon,
        mask=used_pixels(frames, masks, standard.fixed, standard.channel_axis),
        out=out,
    )
    return made.scaling.offset, made.scaling.gain, made.status
