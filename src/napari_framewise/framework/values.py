"""What is given from Python for an input, as what a tool takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_framewise.framework.inputs import TYPES, Input, Kind
from napari_framewise.framework.outcome import ImageResult, PointsResult
from napari_framewise.framework.valued import Valued
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Stack, stack_of

_VALUES = (*TYPES.values(), ImageResult)


def values_of(role: Input, value: Any) -> Any:
    """What was given for a role with arrays as stacks; a list may hold several values.

    Raises
    ------
    ValueError
        Where a text was given: files are opened first.
    """
    several = isinstance(value, (list, tuple)) and (
        role.most > 1 or any(isinstance(each, (_VALUES, Valued)) for each in value)
    )
    if several:
        return tuple(_value_of(role, each, f"{role.name} {n}") for n, each in enumerate(value, 1))
    return _value_of(role, value, role.name)


def value_of(value: Any, name: str = "stack") -> Any:
    """A layer result or an array as a stack; anything else unchanged."""
    if isinstance(value, ImageResult):
        return stack_of_result(value)
    if isinstance(value, _VALUES) or not hasattr(value, "dtype"):
        return value
    return stack_of(value, name=name)


def stack_of_result(image: ImageResult) -> Stack:
    """An image result as a stack, for the next tool or for a file."""
    axes = image.grid.axes + ((Axis("c"),) if image.rgb else ())
    stack = stack_of(
        image.data,
        axes=[axis.name for axis in axes],
        scale=[axis.scale for axis in axes],
        translate=[axis.translate for axis in axes],
        units=[axis.unit for axis in axes],
        rgb=image.rgb,
        name=image.name,
    )
    return replace(stack, legend=image.legend)


def _value_of(role: Input, value: Any, name: str) -> Any:
    if isinstance(value, Valued):
        return replace(value, value=_value_of(role, value.value, name))
    if isinstance(value, str):
        raise ValueError(
            f"{role.title} was given the text {value!r}; open the file first: "
            f"{role.name}=open_stack({value!r})."
        )
    if role.images and isinstance(value, (list, tuple)):
        value = np.asarray(value)
    if Kind.POINTS in role.kinds and not role.images and hasattr(value, "dtype"):
        axes = tuple(Axis(each) for each in default_axis_names(np.shape(value)[-1], rgb=False))
        return PointsResult(name, np.asarray(value, np.float64), Grid(axes))
    return value_of(value, name)
