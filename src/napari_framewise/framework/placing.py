"""Where results lie that share the pixel grid of a stack."""

from __future__ import annotations

from napari_framewise.framework.outcome import Placing
from napari_framewise.stacks.stack import Stack


def frame_placing(stack: Stack, role: str) -> Placing:
    """Placing of one image on the frames' grid."""
    return Placing(stack.grid, role)


def stack_placing(stack: Stack, role: str) -> Placing:
    """Placing of a result with one image for every chosen frame."""
    return Placing((*stack.leading_axes, *stack.grid), role)
