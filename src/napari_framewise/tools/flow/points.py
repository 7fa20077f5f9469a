"""Points that go along with a flow, whatever pixel grid they were drawn on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_framewise.framework.drawn import drawn_points, placed_back
from napari_framewise.framework.outcome import PointsResult, Table
from napari_framewise.numerics.flow import inverse, moved
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
        Where the points have other axes than the frames, or no frame number where there are several
        pairs.
    """
    drawn = drawn_points(points, stack)
    firsts, seconds = model.frames_of(stack.n_frames, stack.name)
    come, go = (firsts, seconds) if forward else (seconds, firsts)
    if drawn.frames is None and len(model.displacement) > 1:
        raise ValueError(
            f"{points.name} does not say which frame its points lie in, but the flow has "
            f"{len(model.displacement):,} pairs; give points with a frame axis."
        )
    there = np.full_like(drawn.places, np.nan)
    frames = None if drawn.frames is None else drawn.frames.copy()
    for pair, (start, end) in enumerate(zip(come, go, strict=True)):
        mine = np.full(len(there), pair == 0) if drawn.frames is None else drawn.frames == start
        if not mine.any():
            continue
        flow = model.displacement[min(pair, len(model.displacement) - 1)]
        there[mine] = moved(drawn.places[mine], flow if forward else inverse(flow))
        if frames is not None:
            frames[mine] = end
    known = np.isfinite(there).all(axis=1)
    data = placed_back(there, points, stack, frames)
    features = points.features
    if features is not None:
        kept = {name: values[known] for name, values in features.columns.items()}
        features = Table(features.name, features.entity, kept, features.notes)
    return PointsResult(
        f"{points.name} moved",
        data[known],
        replace(points.grid, like="stack"),
        features=features,
        text=points.text,
        index=None if points.index is None else np.asarray(points.index)[known],
        colours=None if points.colours is None else points.colours[known],
    )
