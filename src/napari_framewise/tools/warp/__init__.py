"""Warp: frames on other pixels by any transform, without aliasing, and what lies on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.framemap import Image
from napari_framewise.framework.in_step import in_step, series
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import (
    ImageResult,
    LayerResult,
    Outcome,
    PointsResult,
    ShapesResult,
)
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.framework.transform import moved_points, moved_shapes
from napari_framewise.numerics.warp import Footprints, is_affine, prepared, warped
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.warp.blocks import Warping, image_block, labels_block
from napari_framewise.tools.warp.grids import Placed, placed
from napari_framewise.tools.warp.parameters import INPUTS, WarpParameters

_WARPED = Image("warped", dtype="shown")
# Of a pixel of the image and one of the result, in seconds; of bands and float copies, in bytes.
_SECONDS = 1e-7, 5e-7
_SCRATCH = 24, 16
_KERNELS = {
    "jinc": "a jinc of three lobes",
    "robidoux": "Robidoux's cubic",
    "mitchell": "Mitchell and Netravali's cubic",
    "area": "the exact area",
    "fourier": "a cosine that ends at the Nyquist frequency of the result",
}


@dataclass(frozen=True, eq=False)
class Task:
    """Frames to be warped, and onto what.

    Attributes
    ----------
    stack : Stack
        The frames that are taken, with their channels.
    like : Stack
        The frames whose places the results have: others than those taken where a flow leads from
        one frame to the next.
    inputs : tuple
        The frames, the maps and the masks, as blocks get them.
    placed : Placed
        Transform and grid.
    warping : Warping
        What goes with every block.
    """

    stack: Stack
    like: Stack
    inputs: tuple[Stack, Stack, Stack | None]
    placed: Placed
    warping: Warping

    def layout(self, like: Stack, *, channels: bool = True) -> Layout:
        """Of a result whose frames are as another stack's."""
        grid = self.placed.grid
        return layout_of(like, str(grid.role), channels=channels, on=grid)

    @property
    def cost(self) -> Cost:
        """Of a frame."""
        channels = max(self.stack.channels, 1)
        source = int(np.prod(self.stack.spatial_shape))
        result = int(np.prod(self.placed.grid.shape))
        return Cost(
            output=4 * channels * result,
            scratch=channels * (_SCRATCH[0] * source + _SCRATCH[1] * result),
            seconds=channels * (_SECONDS[0] * source + _SECONDS[1] * result),
        )


def run(inputs: Inputs, parameters: WarpParameters, engine: Engine) -> Run:
    """Warp all frames now, or as one looks; move what lies on them."""
    task = _task(inputs, parameters)
    layout, dtype = task.layout(task.like), _WARPED.dtype_for(task.stack.dtype, task.stack.rgb)
    function, context = image_block, (task.warping,)
    data: Any
    if parameters.result == "memory":
        data, blocks = layout.empty(dtype)
        yield from run_pass(
            MapFrames(),
            function,
            task.inputs,
            context,
            engine=engine,
            cost=task.cost,
            label="Warping",
            into=MemorySink(blocks),
        )
    else:
        data = LazyFrames(
            task.inputs,
            function,
            context,
            dtype=dtype,
            frame_shape=layout.frame_shape,
            order=layout.order,
            cost=task.cost,
        )
    first = layout.first(data)
    layers: list[LayerResult] = [_image(task.stack, data, layout, first)]
    layers += [_labels(each, task, inputs) for each in inputs.stacks("labels")]
    layers += _drawn(inputs, task)
    return _outcome(task, layers, first, task.like.n_frames)


def preview(inputs: Inputs, parameters: WarpParameters, index: int) -> Outcome:
    """Warp one frame."""
    task = _task(inputs, parameters)
    number = min(index, task.like.n_frames - 1)
    layout = task.layout(task.like).still
    data, frames = layout.empty(_WARPED.dtype_for(task.stack.dtype, task.stack.rgb))
    moving, maps, masks = task.inputs
    mask = None if masks is None else _one(masks, number)
    image_block(_one(moving, number), _one(maps, number), mask, task.warping, frames)
    return _outcome(task, [_image(task.stack, data, layout, data)], data, 1)


def plan(inputs: Inputs, parameters: WarpParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    task = _task(inputs, parameters)
    return make_plan(MapFrames(), task.inputs, task.cost, engine)


def advise(inputs: Inputs, parameters: WarpParameters) -> str:
    """What the result will be."""
    task = _task(inputs, parameters)
    grid = task.placed.grid
    size = " x ".join(f"{length:,}" for length in grid.shape)
    pixel = " x ".join(f"{axis.scale:.6g}" for axis in grid.axes)
    place = "in memory" if parameters.result == "memory" else "computed as one looks"
    frames = counted(task.like.n_frames, "frame")
    return f"Result: {frames} of {size} pixels of {pixel} {grid.axes[-1].unit}, {place}."


def methods(inputs: Inputs, parameters: WarpParameters) -> str:
    """Sentence for the methods part of a paper."""
    light = " in linear light" if parameters.linear_light else ""
    return (
        "Frames were warped by averages over the footprint of each pixel (elliptical weighted "
        f"average; Greene & Heckbert, 1986) with {_KERNELS[parameters.kernel]} as weights{light}, "
        "and by cubic B-splines where they were magnified."
    )


def warm_up() -> None:
    """Compile what frames of up to 16 bits and float32 need."""
    image = prepared(np.zeros((1, 8, 8), np.float32))
    for scale in (2.0, 0.5):
        slopes = np.array(np.broadcast_to(scale * np.eye(2), (4, 4, 2, 2)), np.float64)
        corner = np.array(np.indices((5, 5)).transpose(1, 2, 0) * scale - 0.5, np.float64)
        corners = np.stack([corner[:4, :4]] * 4, axis=2)
        warped(image, Footprints(corner[:4, :4], slopes, corners))


def _task(inputs: Inputs, parameters: WarpParameters) -> Task:
    """What is to be done, checked."""
    stack = with_channels(inputs.stack("stack"), parameters.channels_along)
    found = placed(inputs, parameters)
    transform = found.transform
    outputs, taken = transform.frames_of(stack.n_frames, stack.name)
    mask = inputs.optional_stack("mask")
    masks = mask and in_step(mask, stack, "Mask")
    if parameters.kernel == "fourier" and not _affine(found):
        raise ValueError(
            "The kernel fourier was asked for, but it takes affine maps of planes alone; choose "
            "another kernel, such as jinc."
        )
    if masks is not None and masks.n_frames > 1:
        masks = _part(masks, taken)
    warping = Warping(
        transform.with_maps(transform.maps[:0]),
        found.grid.shape,
        parameters.kernel,
        _white(stack) if parameters.linear_light else 0.0,
        stack.channels,
        stack.rgb and stack.channels in (2, 4),
    )
    moving = _part(stack, taken)
    blocks = (moving, series(transform.maps), masks)
    return Task(moving, _part(stack, outputs), blocks, found, warping)


def _one(given: Stack, number: int) -> Array:
    """A block of one frame, the only one where it goes with all."""
    at = number if given.n_frames > 1 else 0
    frame = given.read(at, at + 1)
    return frame if frame.dtype.isnative else frame.astype(frame.dtype.newbyteorder("="))


def _affine(found: Placed) -> bool:
    """Whether every frame is moved by an affine map of the plane."""
    transform, shape = found.transform, found.grid.shape
    if len(shape) != 2:
        return False
    rows, columns = shape
    numbers = range(len(transform.maps))
    return all(is_affine(partial(transform.jacobian, frame=n), (rows, columns)) for n in numbers)


def _white(stack: Stack) -> float:
    """Code of white: the largest integer of the type, 1 of floats."""
    return float(np.iinfo(stack.dtype).max) if stack.dtype.kind in "iu" else 1.0


def _part(stack: Stack, frames: range) -> Stack:
    """Some of the chosen frames, which follow each other."""
    if len(frames) == stack.n_frames:
        return stack
    numbers = stack.frame_numbers
    first, last = numbers[frames.start], numbers[frames.stop - 1]
    return stack.select(replace(stack.selection, frames=(first, last + 1, numbers.step)))


def _image(stack: Stack, data: Any, layout: Layout, first: Array) -> ImageResult:
    limits = _WARPED.limits(first)
    return ImageResult(
        f"{stack.name} warped", data, layout.grid, rgb=layout.rgb, contrast_limits=limits
    )


def _labels(labels: Stack, task: Task, inputs: Inputs) -> ImageResult:
    """Labels warped with the frames; one image of them for all needs one transform for all."""
    transform = task.placed.transform
    stack, maps = inputs.stack("stack"), transform.maps
    outputs, taken = transform.frames_of(stack.n_frames, stack.name)
    if labels.n_frames not in (len(maps), stack.n_frames) and len(maps) > 1:
        raise ValueError(
            f"{labels.name} holds {labels.n_frames:,} frames, but each of the {stack.n_frames:,} "
            f"frames of {stack.name} is warped by its own transform; give labels for each."
        )
    whole = labels.n_frames == stack.n_frames
    moving, like = (_part(labels, each) if whole else labels for each in (taken, outputs))
    layout = task.layout(like, channels=False)
    data = LazyFrames(
        (moving, series(maps)),
        labels_block,
        (task.warping,),
        dtype=labels.dtype.newbyteorder("="),
        frame_shape=layout.frame_shape,
        order=layout.order,
        cost=task.cost,
    )
    return ImageResult(
        f"{labels.name} warped", data, layout.grid, kind="labels", legend=labels.legend
    )


def _drawn(inputs: Inputs, task: Task) -> list[LayerResult]:
    """Points and shapes where the transform brings them, on the pixels of the result."""
    stack, transform = inputs.stack("stack"), task.placed.transform
    layout = task.layout(task.like, channels=False)
    found: list[LayerResult] = []
    for points in inputs["points"]:
        assert isinstance(points, PointsResult)
        found.append(moved_points(points, stack, transform, on=layout))
    for shapes in inputs["shapes"]:
        assert isinstance(shapes, ShapesResult)
        found.append(moved_shapes(shapes, stack, transform, on=layout))
    return found


def _outcome(task: Task, layers: list[LayerResult], first: Array, count: int) -> Outcome:
    grid, given = task.placed.grid, task.placed.given
    size = " x ".join(f"{length:,}" for length in grid.shape)
    frames = counted(count, "frame")
    notes = []
    known = np.isfinite(first)
    if not known.any():
        notes.append(
            "The first frame of the result holds no data: nothing of the image lies there, or "
            "the image holds none itself."
        )
    shape = given.source.shape
    if shape and shape != task.stack.spatial_shape:
        own = " x ".join(map(str, task.stack.spatial_shape))
        notes.append(
            f"The transform was made for frames of {' x '.join(map(str, shape))} pixels, but those "
            f"of {task.stack.name} have {own}."
        )
    return Outcome(
        layers=tuple(layers),
        models=(given,),
        summary=f"{frames} of {task.stack.name} warped onto {size} pixels.",
        diagnostics=tuple(notes),
    )


TOOL = Tool(
    name="warp",
    title="Warp",
    menu="transform",
    sentence="Frames on other pixels by a matrix, alignment or flow, without aliasing.",
    inputs=INPUTS,
    parameters=WarpParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    advise=advise,
    citations=(
        "Greene, N. and Heckbert, P. S. (1986), IEEE Comput. Graphics and Appl. 6(6), 21-27",
        "Mitchell, D. P. and Netravali, A. N. (1988), Computer Graphics 22(4), 221-228",
        "Unser, M., Aldroubi, A. and Eden, M. (1993), IEEE Trans. Signal Processing 41, 821-833",
    ),
    warm_up=warm_up,
    compile_seconds=2.5,
)
