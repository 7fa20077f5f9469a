"""What is moved by the transforms: the stack, and all that goes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import (
    LayerResult,
    PointsResult,
    ShapesResult,
)
from napari_framewise.framework.transform import moved_points, moved_shapes
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.elastic.asked import (
    size_of,
    target_of,
)
from napari_framewise.tools.elastic.layers import (
    warped_layer,
)
from napari_framewise.tools.elastic.model import ElasticTransforms
from napari_framewise.tools.elastic.parameters import ElasticParameters


def known_model(inputs: Inputs) -> ElasticTransforms:
    """The transforms that were given, checked."""
    (model,) = inputs["transforms"]
    assert isinstance(model, ElasticTransforms)
    stack, target = inputs.stack("stack"), target_of(inputs)
    model.frames_of(stack.n_frames, stack.name)
    if model.target.shape != target.shape:
        raise ValueError(
            f"The transforms lead to {size_of(model.target.shape)} pixels, but the result would "
            f"have {size_of(target.shape)}; give the reference that they were estimated with."
        )
    return model


def moved_layers(
    inputs: Inputs, parameters: ElasticParameters, model: ElasticTransforms, target: Grid
) -> list[LayerResult]:
    """The registered layers of the stack and of all that goes with it."""
    stack = inputs.stack("stack")
    layers: list[LayerResult] = []
    moving: list[tuple[Stack, Literal[0, 1, 3], Literal["image", "labels"]]] = [
        *((each, parameters.order, "image") for each in (stack, *inputs.stacks("others"))),
        *((each, 0, "labels") for each in inputs.stacks("labels")),
    ]
    for each, order, kind in moving:
        if each.spatial_shape != stack.spatial_shape:
            raise ValueError(
                f"{each.name} has frames of {size_of(each.spatial_shape)} pixels, but {stack.name} "
                f"has {size_of(stack.spatial_shape)}; what is moved with it must have as many."
            )
        layers.append(warped_layer(each, model, target, order, kind=kind))
    away = [
        there - here
        for there, here in zip(target.translate, stack.spatial_grid.translate, strict=True)
    ]
    for points in inputs["points"]:
        assert isinstance(points, PointsResult)
        spots = moved_points(points, stack, model)
        layers.append(replace(spots, grid=_beside(spots.grid, target, away)))
    for shapes in inputs["shapes"]:
        assert isinstance(shapes, ShapesResult)
        drawn = moved_shapes(shapes, stack, model)
        layers.append(replace(drawn, grid=_beside(drawn.grid, target, away)))
    return layers


def _beside(grid: Grid, target: Grid, away: list[float]) -> Grid:
    """The grid of what was drawn on the stack, on the target: as far away as its frames are."""
    names = dict(zip(target.names, away, strict=True))
    axes = tuple(
        replace(axis, translate=axis.translate + names.get(axis.name, 0.0))
        if (axis.scale, axis.translate) != (1.0, 0.0)
        else axis
        for axis in grid.axes
    )
    return replace(grid, axes=axes, role=target.role)
