"""Points that go along with a flow, whatever pixel grid they were drawn on."""

from __future__ import annotations

import numpy as np

from napari_framewise.framework.outcome import PointsResult, Table
from napari_framewise.numerics.flow import inverse, moved
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.flow.model import FlowModel


def moved_points(
    points: PointsResult, stack: Stack, model: FlowModel, *, forward: bool
) -> PointsResult:
    """Points of first frames where they are in the second, or the other way round.

    Points that leave the frame, or lie where the flow is not known, are left out.

    Raises
    ------
    ValueError
        Where the points have fewer axes than a frame, or no frame number where there are several
        pairs.
    """
    grid = stack.spatial_grid.axes
    ndim, axes = len(grid), points.grid.axes
    if len(axes) < ndim:
        raise ValueError(
            f"{points.name} has points of {len(axes)} axes; the flow has {ndim}: give points that "
            "lie in the frames."
        )
    leading = axes[: len(axes) - ndim]
    firsts, seconds = model.frames_of(stack.n_frames, stack.name)
    come, go = (firsts, seconds) if forward else (seconds, firsts)
    data = np.array(points.data, np.float64)
    frames = np.zeros(len(data), np.int64)
    time = stack.axes[stack.frame_axes[-1]] if stack.frame_axes else None
    if leading and time is not None:
        frames = np.rint(_onto(data[:, -ndim - 1], leading[-1], time)).astype(np.int64)
        numbers = np.asarray(stack.frame_numbers)
        frames = np.searchsorted(numbers, frames)
    elif len(model.displacement) > 1:
        raise ValueError(
            f"{points.name} does not say which frame its points lie in, but the flow has "
            f"{len(model.displacement):,} pairs; give points with a frame axis."
        )
    places = np.stack(
        [
            _onto(data[:, place - ndim], axis, wanted)
            for place, (axis, wanted) in enumerate(zip(axes[-ndim:], grid, strict=True))
        ],
        axis=-1,
    )
    there = np.full_like(places, np.nan)
    for pair, (start, end) in enumerate(zip(come, go, strict=True)):
        mine = frames == start if leading and time is not None else np.full(len(data), pair == 0)
        if not mine.any():
            continue
        flow = model.displacement[min(pair, len(model.displacement) - 1)]
        there[mine] = moved(places[mine], flow if forward else inverse(flow))
        if leading and time is not None:
            number = float(stack.frame_numbers[end])
            data[mine, -ndim - 1] = _onto(np.array([number]), time, leading[-1])
    for place, (axis, wanted) in enumerate(zip(axes[-ndim:], grid, strict=True)):
        data[:, place - ndim] = _onto(there[:, place], wanted, axis)
    known = np.isfinite(there).all(axis=1)
    features = points.features
    if features is not None:
        kept = {name: values[known] for name, values in features.columns.items()}
        features = Table(features.name, features.entity, kept, features.notes)
    return PointsResult(
        f"{points.name} moved", data[known], points.grid, features=features, text=points.text
    )


def _onto(values: Array, axis: Axis, other: Axis) -> Array:
    """Pixels of one axis as pixels of another that lies in the same world."""
    return (values * axis.scale + axis.translate - other.translate) / other.scale
