"""Known offsets and gains applied to a block of frames; importable by a cluster's workers."""

from __future__ import annotations

from dataclasses import dataclass

from napari_framewise.numerics.scaling import Scaling, scale, unscale
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class Target:
    """What results look like.

    Attributes
    ----------
    ends : tuple of float
        What the two levels become.
    limits : tuple of float, optional
        What results are clipped to.
    dtype : str
        Type of the result.
    """

    ends: tuple[float, float]
    limits: tuple[float, float] | None
    dtype: str


def scaled_block(
    frames: Array,
    offset: Array,
    gain: Array,
    channel_axis: int | None,
    target: Target,
    undo: bool,
    out: Array | None = None,
) -> Array:
    """Apply or undo known offsets and gains; number of clipped pixels (n, C), all without `out`."""
    scaling = Scaling(offset, gain, target.ends[0])
    if undo:
        _, clipped = unscale(
            frames, scaling, channel_axis=channel_axis, dtype=target.dtype, out=out
        )
        return clipped
    _, clipped = scale(
        frames,
        scaling,
        channel_axis=channel_axis,
        dtype=target.dtype,
        limits=target.limits,
        out=out,
    )
    return clipped
