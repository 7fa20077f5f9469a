"""What is computed for a block of frames; importable by a cluster's workers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_framewise.framework.masks import used_pixels
from napari_framewise.numerics import bleaching as numerics
from napari_framewise.numerics.scaling import Scaling, scale
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.scaled_blocks import Target


@dataclass(frozen=True, eq=False)
class Matching:
    """How histograms are matched.

    Attributes
    ----------
    levels : tuple of Levels
        Of the reference frame: one for each channel that is matched apart.
    channel_axis : int, optional
        Axis of a block with those channels.
    fixed : ndarray, optional
        Pixels whose distribution is matched in all frames.
    """

    levels: tuple[numerics.Levels, ...]
    channel_axis: int | None
    fixed: Array | None


def matched_block(
    frames: Array, masks: Array | None, matching: Matching, target: Target, out: Array
) -> Array:
    """Match a block of frames, straight into its place; clipped pixels (n, 1), which are none."""
    use = used_pixels(frames, masks, matching.fixed, matching.channel_axis)
    if matching.channel_axis is None:
        found = numerics.match_levels(frames, matching.levels[0], use)
    else:
        channels = [
            numerics.match_levels(frames[..., channel], levels, use)
            for channel, levels in enumerate(matching.levels)
        ]
        found = np.stack(channels, axis=-1)
    scale(found, Scaling(np.zeros((1, 1)), np.ones((1, 1))), dtype=target.dtype, out=out)
    return np.zeros((len(frames), 1), np.int64)
