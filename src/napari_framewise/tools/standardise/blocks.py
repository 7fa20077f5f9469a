"""What is computed for a block of frames that is standardised; importable by workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


def moments_block(*blocks_and_context: Any) -> statistics.Moments:
    """Moments of each frame and channel of a block."""
    *blocks, standard = blocks_and_context
    return statistics.moments(
        blocks[0], channel_axis=standard.channel_axis, mask=_mask(blocks, standard)
    )


def standardised_block(*blocks_and_context: Any, out: Array) -> tuple[Array, Array, Array]:
    """Standardise a block of frames straight into its place; offset, gain and status."""
    *blocks, standard = blocks_and_context
    made = numerics.standardise(
        blocks[0],
        channel_axis=standard.channel_axis,
        ddof=standard.ddof,
        epsilon=standard.epsilon,
        mask=_mask(blocks, standard),
        out=out,
    )
    return made.scaling.offset, made.scaling.gain, made.status


def _mask(blocks: Any, standard: Standard) -> Array | None:
    masks = blocks[1] if len(blocks) > 1 else None
    return used_pixels(blocks[0], masks, standard.fixed, standard.channel_axis)
