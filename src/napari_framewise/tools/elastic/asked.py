"""What is registered, from the inputs, checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.transform import Transform
from napari_framewise.numerics.elastic import LEAST_DEPTH, LEAST_SIDE
from napari_framewise.numerics.transforms import fitted_to_points
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.tools.elastic.parameters import ElasticParameters
from napari_framewise.tools.elastic.passes import (
    Task,
    plane_of,
)

_AFFINE_PLACES = 9


def task_of(
    inputs: Inputs, parameters: ElasticParameters
) -> tuple[Task, Array | None, Array | None]:
    """What is registered, the reference where one was given, and its mask.

    Raises
    ------
    ValueError
        Where inputs do not go together.
    """
    stack = inputs.stack("stack")
    given = inputs.optional_stack("reference")
    if stack.n_frames == 0:
        raise ValueError(f"{stack.name} has no frames; one or more are needed.")
    volume = len(stack.spatial_shape) == 3
    if volume and parameters.method == "splines":
        raise ValueError(
            f"{stack.name} holds volumes, but splines register planes; choose the method blocks, "
            "or other frame axes."
        )
    for each in (stack, *(() if given is None else (given,))):
        least = LEAST_DEPTH if len(each.spatial_shape) == 3 else LEAST_SIDE
        if min(each.spatial_shape) < least:
            raise ValueError(
                f"{each.name} has frames of {size_of(each.spatial_shape)} pixels; at least "
                f"{size_of((least,) * len(each.spatial_shape))} are needed."
            )
    if given is not None and len(given.spatial_shape) != len(stack.spatial_shape):
        raise ValueError(
            f"{stack.name} has frames of {size_of(stack.spatial_shape)} pixels and {given.name} of "
            f"{size_of(given.spatial_shape)}; planes go with a plane, volumes with a volume."
        )
    if inputs["start"] and volume:
        raise ValueError(
            f"{stack.name} holds volumes, which begin at the shift of the whole; leave the start "
            "out."
        )
    if given is None and stack.n_frames == 1:
        raise ValueError(
            f"{stack.name} is one image; a reference to register it to is needed, or a stack of "
            "two or more frames."
        )
    if given is None and not parameters.reference_frame < stack.n_frames:
        raise ValueError(
            f"Reference frame {parameters.reference_frame} was asked for, but {stack.name} has "
            f"{stack.n_frames:,} frames, counted from 0."
        )
    if len(inputs["landmarks"]) != len(inputs["reference_landmarks"]):
        raise ValueError(
            "Landmarks of one image alone were given; give those of the reference and of the image."
        )
    if inputs["landmarks"] and (given is None or stack.n_frames != 1):
        raise ValueError(
            f"Landmarks go with one image and its reference, but {stack.name} has "
            f"{stack.n_frames:,} frames{' and no reference' if given is None else ''}; give one "
            "image and a reference, or leave the landmarks out."
        )
    if inputs["landmarks"] and parameters.method == "blocks":
        raise ValueError(
            "Landmarks were given, but blocks know none; choose the method splines, or leave the "
            "landmarks out."
        )
    mask = inputs.optional_stack("mask")
    task = Task(
        stack,
        None if mask is None else in_step(mask, stack, "Mask"),
        bool(stack.channels),
        starts_of(inputs),
        parameters.how,
    )
    if given is None:
        return task, None, None
    over = inputs.optional_stack("reference_mask")
    use = None if over is None else in_step(over, given, "Reference mask").frame(0)
    return task, plane_of(given.frame(0), bool(given.channels)), use


def starts_of(inputs: Inputs) -> Array:
    """The affine matrices closest to the transforms to begin at, or NaN."""
    if not inputs["start"]:
        return np.full((1, 3, 3), np.nan)
    (given,) = inputs["start"]
    assert isinstance(given, Transform)
    stack = inputs.stack("stack")
    given.frames_of(stack.n_frames, stack.name)
    axes = [np.linspace(0, n - 1, _AFFINE_PLACES) for n in target_of(inputs).shape]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    found = np.full((len(given.maps), 3, 3), np.nan)
    for number in range(len(found)):
        there = given.pull_back(places, number)
        known = np.isfinite(there).all(axis=1)
        if known.sum() >= _AFFINE_PLACES:
            found[number] = fitted_to_points(places[known], there[known], "affine")
    return found


def marks_of(inputs: Inputs) -> tuple[Array, Array, Array, tuple[str, ...]] | None:
    """Landmarks of the reference and of the image, their numbers, and those without a partner."""
    if not inputs["landmarks"] or not inputs["reference_landmarks"]:
        return None
    pairs = inputs.landmarks("reference_landmarks", "landmarks")
    here = inputs.points("reference_landmarks")[0].places[pairs.first]
    there = inputs.points("landmarks")[0].places[pairs.second]
    if not len(here):
        raise ValueError("No two landmarks belong together; give their index, or as many of each.")
    return here, there, pairs.index, pairs.alone


def target_of(inputs: Inputs) -> Grid:
    """The grid that frames are brought onto: the reference's, or their own."""
    role = "reference" if inputs["reference"] else "stack"
    return replace(inputs.stack(role).spatial_grid, role=role)


def aim_of(inputs: Inputs, parameters: ElasticParameters) -> str:
    """What frames are registered to, in words."""
    if inputs["reference"]:
        return inputs.stack("reference").name
    frame = f"frame {parameters.reference_frame}"
    return {"frame": frame, "mean": "their mean", "previous": "the frame before each"}[
        parameters.to
    ]


def size_of(shape: tuple[int, ...]) -> str:
    """A shape in words."""
    return " x ".join(map(str, shape))
