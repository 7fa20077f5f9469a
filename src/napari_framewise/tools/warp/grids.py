"""The transform of a warp, and the pixels that its result lies on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.model import Space
from napari_framewise.framework.transform import Transform
from napari_framewise.numerics.transforms import inverse
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.memory import check_fits
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.stacks.units import unit_ratio
from napari_framewise.tools.alignment import Transforms
from napari_framewise.tools.warp.parameters import WarpParameters
from napari_framewise.tools.warp.regridded import Regridded

_BORDER = 65
"""Points along each side of a frame whose places say how far its warp reaches."""
_SINGULAR = 1e-10


@dataclass(frozen=True, eq=False)
class Placed:
    """A transform onto the pixels of a result.

    Attributes
    ----------
    given : Transform
        As it was given.
    transform : Regridded
        From the pixels of the result to those of the frames.
    grid : Grid
        Of a frame of the result; it names the role of the input on whose layer it lies.
    """

    given: Transform
    transform: Regridded
    grid: Grid


def placed(inputs: Inputs, parameters: WarpParameters) -> Placed:
    """The transform that was given, onto the output grid that was asked for.

    Raises
    ------
    ValueError
        Where the transform or the grid can't be had: in one sentence.
    """
    stack = inputs.stack("stack")
    given = transform_of(inputs, parameters)
    base = _target(given, stack)
    size, shift, grid = _grid(inputs, parameters, given, base)
    nbytes = math.prod(grid.shape) * max(stack.channels, 1) * 4
    shape = " x ".join(f"{length:,}" for length in grid.shape)
    advice = "choose a larger pixel or fewer rows and columns"
    check_fits(f"{stack.name} warped", f"a frame of {shape} pixels", nbytes, advice)
    target = replace(Space.of(stack.name, grid), shape=grid.shape)
    ndim = grid.ndim
    after = np.array([np.ones(ndim), np.zeros(ndim)])
    moved = Regridded(given.source, target, given, np.array([size, shift]), after)
    return Placed(given, moved, grid)


def transform_of(inputs: Inputs, parameters: WarpParameters) -> Transform:
    """The model or the matrix that was given; the identity where neither was."""
    stack = inputs.stack("stack")
    ndim = len(stack.spatial_shape)
    if ndim not in (2, 3):
        raise ValueError(
            f"{stack.name} holds {stack.summary()}; frames of rows and columns, or volumes, are "
            "needed."
        )
    if inputs["transform"]:
        if parameters.matrix is not None:
            raise ValueError("A transform and a matrix were given; leave one of them out.")
        (model,) = inputs["transform"]
        assert isinstance(model, Transform)
        known = len(model.source.shape or model.target.shape) or 2
        if known != ndim:
            raise ValueError(
                f"The {model.kind} model moves frames of {known} axes, but {stack.name} has frames "
                f"of {ndim}; a model of as many is needed."
            )
        return model
    if parameters.matrix is not None and ndim == 3:
        raise ValueError(
            f"{stack.name} holds volumes, but a matrix moves planes; give a transform of volumes, "
            "or choose other frame axes."
        )
    space = Space.of(stack.name, stack.spatial_grid)
    if ndim == 3:
        raise ValueError(
            f"{stack.name} holds volumes; give a transform of volumes, or choose other frame axes."
        )
    matrix = np.eye(3) if parameters.matrix is None else _matrix(parameters, stack)
    affine = np.array_equal(matrix[2], [0.0, 0.0, 1.0])
    return Transforms(space, space, matrix[None], "affine" if affine else "homography")


def _matrix(parameters: WarpParameters, stack: Stack) -> Array:
    """A pasted matrix from rows and columns of the result to those of the image."""
    matrix = np.eye(3)
    rows = np.array(parameters.matrix, float)
    matrix[: len(rows)] = rows
    if parameters.matrix_axes == "x_y":
        matrix = matrix[np.ix_([1, 0, 2], [1, 0, 2])]
    # In units of the frame, so that shifts of many pixels don't count as ill-conditioned.
    unit = np.diag([*map(float, stack.spatial_shape), 1.0])
    values = np.linalg.svd(np.linalg.solve(unit, matrix @ unit), compute_uv=False)
    if not values[-1] > _SINGULAR * values[0]:
        raise ValueError(
            "The matrix is singular: it brings all pixels onto a line or a point, so no image can "
            "be made by it; give one whose rows are independent."
        )
    if parameters.matrix_direction == "input_to_output":
        matrix = inverse(matrix)
    elif matrix[2, 2] != 0:
        matrix = matrix / matrix[2, 2]
    if not np.isfinite(matrix).all():
        raise ValueError(
            "The matrix has no place in the image for pixel (0, 0) of the result, which lies on "
            "its horizon; shift the result by a pixel or more."
        )
    return np.asarray(matrix)


def _target(given: Transform, stack: Stack) -> Grid:
    """The grid that the transform was made for, its pixel 0 where that of the frames lies."""
    own, target = stack.spatial_grid, given.target
    axes = own.axes
    if len(target.scale) == own.ndim:
        axes = tuple(
            Axis(axis.name, scale, axis.translate, unit)
            for axis, scale, unit in zip(axes, target.scale, target.units, strict=True)
        )
    return Grid(axes, target.shape or own.shape, role="stack")


def _grid(
    inputs: Inputs, parameters: WarpParameters, given: Transform, base: Grid
) -> tuple[Array, Array, Grid]:
    """Scale and shift from pixels of the result to those of the transform, and the grid."""
    ones, zeros = np.ones(base.ndim), np.zeros(base.ndim)
    match parameters.output_grid:
        case "same":
            return ones, zeros, base
        case "scale":
            shape = [max(1, round(n * parameters.scale)) for n in base.shape]
            size = ones / parameters.scale
            return _spread(base, size, (size - 1) / 2, shape)
        case "shape":
            shape = list(base.shape)
            wanted = (parameters.rows, parameters.columns)
            # Of a shape of one number the other keeps the proportions.
            known = [new / old for new, old in zip(wanted, shape[-2:], strict=True) if new]
            shape[-2:] = [
                new or max(1, round(known[0] * old))
                for new, old in zip(wanted, shape[-2:], strict=True)
            ]
            size = np.array(base.shape) / np.array(shape)
            return _spread(base, size, (size - 1) / 2, shape)
        case "whole":
            low, high = _extent(inputs.stack("stack"), given)
            size = ones / parameters.scale
            # Pixel edges of the result begin where the image does.
            shape = [max(1, math.ceil(each - 1e-6)) for each in (high - low) / size]
            return _spread(base, size, low + size / 2, shape)
        case "like":
            return _like(inputs, parameters, base)


def _spread(base: Grid, size: Array, shift: Array, shape: list[int]) -> tuple[Array, Array, Grid]:
    axes = tuple(
        replace(axis, scale=axis.scale * s, translate=axis.translate + axis.scale * o)
        for axis, s, o in zip(base.axes, size.tolist(), shift.tolist(), strict=True)
    )
    return size, shift, replace(base, axes=axes, shape=tuple(shape))


def _like(inputs: Inputs, parameters: WarpParameters, base: Grid) -> tuple[Array, Array, Grid]:
    """The pixels of another layer.

    A matrix is one to pixels of that layer; so is a model, where pixels of its target have the same
    size. Else both lie where the world has them.
    """
    found = inputs.optional_stack("like")
    if found is None:
        raise ValueError("The output grid as another layer was asked for; choose that layer.")
    own = found.spatial_grid
    if own.ndim != base.ndim:
        raise ValueError(
            f"{found.name} has frames of {own.ndim} axes, but those of "
            f"{inputs.stack('stack').name} have {base.ndim}; choose one with as many."
        )
    ratios = [unit_ratio(a.unit, b.unit) for a, b in zip(own.axes, base.axes, strict=True)]
    sizes = np.array(
        [a.scale * r / b.scale for a, b, r in zip(own.axes, base.axes, ratios, strict=True)]
    )
    grid = replace(own, role="like")
    matched = parameters.matrix is not None or (
        bool(inputs["transform"]) and np.allclose(sizes, 1, rtol=1e-9)
    )
    if matched:
        return np.ones(base.ndim), np.zeros(base.ndim), grid
    shifts = [
        (a.translate * r - b.translate) / b.scale
        for a, b, r in zip(own.axes, base.axes, ratios, strict=True)
    ]
    return sizes, np.array(shifts), grid


def _extent(stack: Stack, given: Transform) -> tuple[Array, Array]:
    """Least and largest coordinates of the frames' edges, in pixels of the transform's output."""
    shape = stack.spatial_shape
    along = [np.linspace(-0.5, length - 0.5, _BORDER) for length in shape]
    faces = []
    for axis in range(len(shape)):
        sides = [each if n != axis else each[[0, -1]] for n, each in enumerate(along)]
        mesh = np.meshgrid(*sides, indexing="ij")
        faces.append(np.stack(mesh, axis=-1).reshape(-1, len(shape)))
    border = np.concatenate(faces)
    ends = []
    for number in range(len(given.maps)):
        there = given.push(border, number)
        if not np.isfinite(there).all():
            raise ValueError(
                f"The whole extent of {stack.name} was asked for, but parts of its border have no "
                "place in the result: they lie behind the horizon, or where the transform is not "
                "known; choose another output grid."
            )
        ends.append((there.min(axis=0), there.max(axis=0)))
    low, high = zip(*ends, strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)
