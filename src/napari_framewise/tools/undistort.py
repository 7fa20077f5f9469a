"""Undistort: frames straightened by a calibration, each at its own value."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.framemap import FrameMapParameters, Image
from napari_framewise.framework.framemap.blocks import fitted
from napari_framewise.framework.in_step import in_step, series
from napari_framewise.framework.inputs import Input, Inputs, InputValue, Kind
from napari_framewise.framework.masks import selected
from napari_framewise.framework.outcome import (
    ImageResult,
    LayerResult,
    Outcome,
    PointsResult,
    ShapesResult,
)
from napari_framewise.framework.parameters import parameter
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.framework.transform import moved_points, moved_shapes
from napari_framewise.numerics.common.blocks import working_type
from napari_framewise.numerics.warp import MAGNIFIED, footprints, prepared, warped
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.calibration import Calibration, Distortion
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.common.moved import MOVED

_IMAGE = Image("straightened", dtype="shown")
_BORDER = 17
_SECONDS, _SCRATCH = 3e-7, 90

INPUTS = (
    Input(
        "stack",
        Kind.STACK,
        "Stack",
        "The frames to straighten, each with its value, or one number for all.",
        frames="plane",
        value=InputValue("Value", per="frame", missing=math.nan, shared=True),
    ),
    Input(
        "calibration",
        Kind.MODEL,
        "Calibration",
        "What Calibration made.",
        model_kind="calibration",
        made_by=("calibration",),
    ),
    mask_input("use", same_frame=True),
    *MOVED,
)


class UndistortParameters(FrameMapParameters):
    """Parameters of straightening."""

    extrapolate_values: bool = parameter(
        False,
        "Values outside",
        "Extrapolate to values outside those calibrated, which are refused else.",
        rare=True,
    )
    beyond_nodes: bool = parameter(
        False,
        "Beyond the nodes",
        "Extrapolate to where the grid had no nodes; there are no data there else.",
    )


def straightened(
    frames: Array,
    maps: Array,
    masks: Array | None,
    transform: Distortion,
    channels: int,
    out: Array,
) -> None:
    """Frames of a block, straight."""
    here = transform.with_maps(maps)
    for number, frame in enumerate(frames):
        planes = np.moveaxis(frame, -1, 0) if channels else frame[np.newaxis]
        work = planes.astype(working_type(planes.dtype))
        if masks is not None:
            work[:, ~selected(masks[min(number, len(masks) - 1)])] = np.nan
        if _shrinks(here, number):
            moved = _averaged(work, here, number)
            moved[:, ~here.known(number)] = np.nan
        else:
            moved = here.warp_image(work, number)
        made = np.moveaxis(moved, 0, -1) if channels else moved[0]
        out[number] = fitted(made, out.dtype)


def _shrinks(here: Distortion, number: int) -> bool:
    """Whether somewhere a pixel of the result covers so much that it must be an average."""
    sides = [np.linspace(0, length - 1, _BORDER) for length in here.target.shape]
    places = np.stack([each.ravel() for each in np.meshgrid(*sides, indexing="ij")], axis=1)
    slopes = replace(here, hull=np.empty((0, 3))).jacobian(places, number)
    return bool(np.linalg.norm(slopes, 2, axis=(1, 2)).max() > MAGNIFIED)


def _averaged(work: Array, here: Distortion, number: int) -> Array:
    rows, columns = here.target.shape
    image = prepared(work)
    whole = replace(here, hull=np.empty((0, 3)))
    moved = np.empty((len(work), rows, columns), work.dtype)
    height = max(1, 2**17 // columns)
    for first in range(0, rows, height):
        size = (min(height, rows - first), columns)
        at = footprints(
            lambda points: whole.pull_back(points, number),
            lambda points: whole.jacobian(points, number),
            size,
            first,
        )
        moved[:, first : first + size[0]] = warped(image, at, kernel="robidoux")
    return moved


def run(inputs: Inputs, parameters: UndistortParameters, engine: Engine) -> Run:
    """Straighten all frames now, or as one looks; move what lies on them."""
    stack, blocks, transform = _task(inputs, parameters)
    layout, dtype = layout_of(stack), _IMAGE.dtype_for(stack.dtype, stack.rgb)
    context = (transform.with_maps(transform.maps[:0]), stack.channels)
    data: Any
    if parameters.result == "memory":
        data, into = layout.empty(dtype)
        yield from run_pass(
            MapFrames(),
            straightened,
            blocks,
            context,
            engine=engine,
            cost=_cost(stack),
            label="Straightening",
            into=MemorySink(into),
        )
    else:
        data = LazyFrames(
            blocks,
            straightened,
            context,
            dtype=dtype,
            frame_shape=layout.frame_shape,
            order=layout.order,
            cost=_cost(stack),
        )
    first = layout.first(data)
    layers: list[LayerResult] = [_layer(stack, data, layout, first)]
    layers += [
        moved_points(each, stack, transform)
        for each in inputs["points"]
        if isinstance(each, PointsResult)
    ]
    layers += [
        moved_shapes(each, stack, transform)
        for each in inputs["shapes"]
        if isinstance(each, ShapesResult)
    ]
    return Outcome(
        layers=tuple(layers),
        models=(transform,),
        summary=f"{counted(stack.n_frames, 'frame')} of {stack.name} straightened.",
        diagnostics=_notes(inputs, parameters, first),
    )


def preview(inputs: Inputs, parameters: UndistortParameters, index: int) -> Outcome:
    """Straighten one frame."""
    stack, (moving, maps, masks), transform = _task(inputs, parameters)
    layout = layout_of(stack).still
    data, into = layout.empty(_IMAGE.dtype_for(stack.dtype, stack.rgb))
    frame = moving.read(index, index + 1)
    frame = frame if frame.dtype.isnative else frame.astype(frame.dtype.newbyteorder("="))
    mask = None
    if masks is not None:
        at = min(index, masks.n_frames - 1)
        mask = masks.read(at, at + 1)
    here = transform.with_maps(transform.maps[:0])
    straightened(frame, maps.read(index, index + 1), mask, here, stack.channels, into)
    return Outcome(layers=(_layer(stack, data, layout, data),), summary="Straightened.")


def plan(inputs: Inputs, parameters: UndistortParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    stack, blocks, _ = _task(inputs, parameters)
    return make_plan(MapFrames(), blocks, _cost(stack), engine)


def methods(inputs: Inputs, parameters: UndistortParameters) -> str:
    """Sentence for the methods part of a paper."""
    return "Frames were straightened by cubic B-splines through a calibrated distortion."


def _cost(stack: Stack) -> Cost:
    pixels = math.prod(stack.frame_shape)
    return Cost(output=4 * pixels, scratch=_SCRATCH * pixels, seconds=_SECONDS * pixels)


def _layer(stack: Stack, data: Any, layout: Layout, first: Array) -> ImageResult:
    limits = _IMAGE.limits(first)
    return ImageResult(
        f"{stack.name} straightened", data, layout.grid, rgb=layout.rgb, contrast_limits=limits
    )


def _task(
    inputs: Inputs, parameters: UndistortParameters
) -> tuple[Stack, tuple[Stack, Stack, Stack | None], Distortion]:
    """Frames, what goes with them block by block, and the transform; checked.

    Raises
    ------
    ValueError
        Where the frames have another size than those calibrated, or a value is missing or outside.
    """
    stack, mask = inputs.stack("stack"), inputs.optional_stack("mask")
    (model,) = inputs["calibration"]
    assert isinstance(model, Calibration)
    if stack.spatial_shape != model.target.shape:
        sizes = [" x ".join(map(str, each)) for each in (model.target.shape, stack.spatial_shape)]
        raise ValueError(
            f"The calibration was made on images of {sizes[0]} pixels, but {stack.name} has frames "
            f"of {sizes[1]}; frames of that size are needed."
        )
    values = inputs.values("stack")
    what = model.quantity
    if len(model.values) > 1:
        if np.isnan(values).any():
            raise ValueError(
                f"The calibration depends on {what}, but {stack.name} was given none; give one "
                "number for each frame, or one for all."
            )
        outside = model.outside(values)
        if outside.any() and not parameters.extrapolate_values:
            worst = values[outside][0]
            unit = f" {model.unit}" if model.unit else ""
            raise ValueError(
                f"{int(outside.sum()):,} of {len(values):,} frames of {stack.name} have a {what} "
                f"outside those calibrated, such as {worst:g}{unit}; {model.values[0]:g} to "
                f"{model.values[-1]:g}{unit} are known: choose other frames, or "
                "tick Values outside (extrapolate_values)."
            )
    transform = model.at(values, everywhere=parameters.beyond_nodes)
    masks = mask and in_step(mask, stack, "Mask")
    return stack, (stack, series(transform.maps), masks), transform


def _notes(inputs: Inputs, parameters: UndistortParameters, first: Array) -> tuple[str, ...]:
    (model,) = inputs["calibration"]
    assert isinstance(model, Calibration)
    values = inputs.values("stack")
    outside = model.outside(values) if len(model.values) > 1 else np.zeros(1, bool)
    said = []
    if outside.any():
        have = counted(int(outside.sum()), "frame", "has a value", "have values")
        said.append(f"{have} outside those calibrated.")
    if not np.isfinite(first).any():
        said.append("The first frame of the result holds no data.")
    if parameters.beyond_nodes:
        said.append("Pixels beyond the nodes of the grid are extrapolated.")
    return tuple(said)


TOOL = Tool(
    name="undistort",
    title="Undistort",
    menu="transform",
    sentence="Frames straightened by a calibration, each at its own value of the third variable.",
    inputs=INPUTS,
    parameters=UndistortParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=("Unser, M., Aldroubi, A. and Eden, M. (1993), IEEE Trans. Signal Process. 41, 821",),
)
