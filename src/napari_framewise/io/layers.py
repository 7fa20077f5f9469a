"""A stack as what a napari image layer is made from."""

from __future__ import annotations

from typing import Any

from ..stacks.stack import Stack


def layer_data(stack: Stack) -> tuple[Any, dict[str, Any]]:
    """Array-like and keyword arguments for an image layer."""
    raise NotImplementedError


def contrast_limits(stack: Stack) -> tuple[float, float]:
    """Smallest and largest finite value of a few frames spread over the stack."""
    raise NotImplementedError
