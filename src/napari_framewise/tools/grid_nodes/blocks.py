"""Nodes of the frames of a block."""

from __future__ import annotations

import math

import numpy as np

from napari_framewise.engine.work import Cost
from napari_framewise.numerics.grid_nodes import Nodes, find_nodes
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_SCRATCH, _SECONDS = 100, 1.2e-6
"""Bytes and seconds of work for each pixel of a frame, about."""


def cost_of(stack: Stack) -> Cost:
    """What a frame takes."""
    pixels = math.prod(stack.spatial_shape)
    return Cost(scratch=_SCRATCH * pixels, seconds=_SECONDS * pixels)


def nodes_block(
    frames: Array, mask: Array | None, pattern: str, dark: bool | None, channels: bool
) -> list[Nodes]:
    """Nodes of each frame; channels are averaged."""
    found = []
    for number, frame in enumerate(frames):
        marks = None if mask is None else mask[number if len(mask) > 1 else 0]
        found.append(nodes_of(frame, marks, pattern, dark, channels))
    return found


def nodes_of(
    frame: Array, mask: Array | None, pattern: str, dark: bool | None, channels: bool
) -> Nodes:
    """Nodes of one frame, (y, x) or (y, x, channels)."""
    plane = frame.astype(np.float64).mean(axis=-1) if channels else frame
    return find_nodes(plane, pattern, mask=mask, dark=dark)  # type: ignore[arg-type]
