"""Columns that every table of frames begins with."""

from __future__ import annotations

import numpy as np

from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack


def frame_columns(stack: Stack) -> tuple[dict[str, Array], dict[str, str]]:
    """Number of each chosen frame, its place along several frame axes, its time where known.

    Returns
    -------
    columns, notes : dict
        As a `Table` takes them.
    """
    numbers = np.asarray(stack.frame_numbers, dtype=np.int64)
    columns: dict[str, Array] = {"frame": numbers}
    notes = {"frame": "Number of the frame in the whole stack, from 0."}
    if len(stack.frame_axes) > 1:
        lengths = [stack.source.shape[axis] for axis in stack.frame_axes]
        for axis, places in zip(stack.frame_axes, np.unravel_index(numbers, lengths), strict=True):
            name = stack.axes[axis].name
            columns[name] = places
            notes[name] = f"Position along {name}, from 0."
    elif stack.frame_axes:
        axis_of_time = stack.axes[stack.frame_axes[0]]
        if axis_of_time.unit not in ("", "pixel", "pixels"):
            columns["time"] = axis_of_time.translate + axis_of_time.scale * numbers
            notes["time"] = f"{axis_of_time.name} in {axis_of_time.unit}."
    return columns, notes
