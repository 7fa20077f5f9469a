"""Alignment: bring an image onto a template, or the frames of a stack onto each other."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import MapFrames
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.limits import symmetric_limits
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import ImageResult, LayerResult, Outcome, Table
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import alignment as numerics
from napari_framewise.numerics.common.blocks import float_for
from napari_framewise.numerics.transforms import Motion
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.tools.alignment.bad_frames import (
    bad_after,
    bad_by_content,
    nearest_good,
    said_of,
)
from napari_framewise.tools.alignment.blocks import Alignments, error_block, plane_of
from napari_framewise.tools.alignment.chain import to_previous
from napari_framewise.tools.alignment.cropping import cropped
from napari_framewise.tools.alignment.faults import faults_of
from napari_framewise.tools.alignment.layers import (
    aligned_frame,
    aligned_layer,
    error_layers,
    moved_layer,
    outlines,
    size_of,
)
from napari_framewise.tools.alignment.model import Transforms as Transforms
from napari_framewise.tools.alignment.parameters import INPUTS, AlignmentParameters
from napari_framewise.tools.alignment.passes import (
    Task,
    alike_reference,
    cost_of,
    gains_of,
    reference_of,
    rows_and_columns,
    task_of,
    template_of,
    to_mean,
    to_running_mean,
    to_template,
)
from napari_framewise.tools.alignment.report import (
    alignment_table,
    diagnostics_of,
    history_of,
    plots_of,
    summary_of,
)
from napari_framewise.tools.residual_motion import (
    component_plot,
    component_table,
    motion_left,
    sentence_of,
)
from napari_framewise.tools.residual_motion import diagnostics_of as judgement_notes

_TO = {
    "mean": "their mean",
    "previous": "the frame before each",
    "running_mean": "the mean of the frames before each",
}


def run(inputs: Inputs, parameters: AlignmentParameters, engine: Engine) -> Run:
    """Estimate the transforms, or take known ones; then move stack, others and labels."""
    stack = inputs.stack("stack")
    task = task_of(inputs, parameters)
    target = _target(inputs)
    _check_followers(inputs)
    alignments: Alignments | None = None
    template: numerics.Template | None = None
    codes = yield from bad_by_content(stack, task.mask, task.channel, engine)
    task = replace(task, bad=codes)
    if inputs["transforms"]:
        transforms = _known(inputs, target)
    else:
        alignments, template = yield from _estimated(inputs, parameters, task, engine)
        transforms = _model(inputs, alignments.matrices, parameters.motion, target)
    matrices, motion = transforms.matrices, transforms.motion
    if alignments is not None:
        codes = bad_after(codes, alignments, size_of(target))
    table = alignment_table(stack, matrices, size_of(target), alignments, motion, codes)
    tables: tuple[Table, ...] = (table,)
    plots = plots_of(table, motion, len(matrices))
    shown = transforms, target
    if parameters.crop and stack.n_frames > 1 and np.isfinite(matrices).any():
        shown = cropped(stack, transforms, codes, target)
    layers: list[LayerResult] = list(_moved(inputs, parameters, *shown))
    diagnostics = tuple(said_of(stack, codes))
    faults: tuple[str, ...] = ()
    left = (
        (yield from motion_left(stack, transforms, target.shape, engine))
        if parameters.judge
        else None
    )
    if left is not None:
        judgement = component_table(left)
        tables, plots = (*tables, judgement), (*plots, component_plot(judgement))
        diagnostics += tuple(f"Motion left: {each}" for each in judgement_notes(left))
    if alignments is not None:
        faults = faults_of(inputs, parameters, task, alignments)
        diagnostics = (*diagnostics_of(stack, alignments, faults), *diagnostics)
        if layers and template is not None and parameters.errors:
            layers += error_layers(
                stack, matrices, gains_of(alignments), _image(template), task.channel, target
            )
        if inputs["template"]:
            layers += outlines(stack, transforms, target)
        if template is not None and stack.n_frames == 1:
            plane = plane_of(stack.frame(0), task.channel)
            history, curves = history_of(numerics.align(template, plane, task.mask_of(0)))
            tables, plots = (*tables, history), (*plots, *curves)
    return Outcome(
        layers=tuple(layers),
        tables=tables,
        plots=plots,
        models=() if alignments is None else (transforms,),
        summary=summary_of(
            stack, matrices, alignments, _aim(inputs, parameters, task.bad), table, faults
        )
        + ("" if left is None else f" {sentence_of(left)}"),
        diagnostics=diagnostics,
    )


def preview(inputs: Inputs, parameters: AlignmentParameters, index: int) -> Outcome:
    """Align one frame: to the template, the frame before it, or the reference frame."""
    stack = inputs.stack("stack")
    task = task_of(inputs, parameters)
    target = _target(inputs)
    if inputs["transforms"]:
        transforms = _known(inputs, target)
        layer = aligned_frame(stack, index, transforms, target, parameters.order)
        return Outcome(layers=(layer,), summary="Moved by known transforms.")
    if inputs["template"]:
        template = template_of(inputs, task)
    else:
        previous = parameters.to == "previous" and index > 0
        template = reference_of(task, index - 1 if previous else parameters.reference_frame)
    plane = plane_of(stack.frame(index), task.channel)
    found = numerics.align(template, plane, task.mask_of(index))
    alignments = Alignments.of([found])
    one = stack.select(
        replace(
            stack.selection,
            frames=(stack.frame_numbers[index], stack.frame_numbers[index] + 1, 1),
        )
    )
    table = alignment_table(
        one, alignments.matrices, size_of(target), alignments, parameters.motion
    )
    history, curves = history_of(found)
    if not found.found:
        return Outcome(tables=(table,), summary=found.status.sentence)
    image = _image(template)
    error = np.empty((1, *target.shape), float_for(image))
    error_block(
        stack.read(index, index + 1),
        alignments.matrices,
        gains_of(alignments),
        image,
        task.channel,
        error,
    )
    transforms = _model(inputs, alignments.matrices, parameters.motion, target)
    layers = [aligned_frame(stack, index, transforms, target, parameters.order)]
    if parameters.errors:
        # Below the aligned frame, to be looked at by hiding that.
        shown = ImageResult(
            f"{stack.name} error",
            error[0],
            replace(target, moved=None),
            colormap="PiYG",
            contrast_limits=symmetric_limits(error),
        )
        layers.insert(0, shown)
    aim = _aim(inputs, parameters) if inputs["template"] else "the reference frame"
    return Outcome(
        layers=tuple(layers),
        tables=(table, history),
        plots=curves,
        summary=summary_of(one, alignments.matrices, alignments, aim, table),
        diagnostics=diagnostics_of(one, alignments),
    )


def plan(inputs: Inputs, parameters: AlignmentParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    stack = inputs.stack("stack")
    return make_plan(MapFrames(), (stack,), cost_of(stack), engine)


def methods(inputs: Inputs, parameters: AlignmentParameters) -> str:
    """Sentence for the methods part of a paper."""
    if inputs["transforms"]:
        return "Frames were moved by transforms that had been estimated before."
    method = {
        "inverse": "the inverse compositional algorithm",
        "forward": "the forward additive algorithm",
    }[parameters.method]
    motion = {
        "euclidean": "rigid (Euclidean)",
        "translation": "translational",
        "homography": "projective",
    }.get(parameters.motion, parameters.motion)
    aim = "a template" if inputs["template"] else _aim(inputs, parameters)
    loss = {
        "linear": "least squares",
        "huber": "Huber's robust loss",
        "tukey": "Tukey's robust loss",
    }[parameters.loss]
    free = " and a free gain and offset" if parameters.brightness else ""
    start = ", started by normalised cross-correlation" if parameters.start == "correlation" else ""
    return (
        f"Frames were aligned to {aim} by {motion} transforms, estimated by Lucas-Kanade "
        f"alignment ({method}) from coarse to fine with {loss}{free}{start}; they were resampled "
        f"by {parameters.interpolation} interpolation."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    numerics.warm_up()


def _estimated(
    inputs: Inputs, parameters: AlignmentParameters, task: Task, engine: Engine
) -> Generator[Progress, None, tuple[Alignments, numerics.Template | None]]:
    if inputs["template"]:
        template = template_of(inputs, task)
        return (yield from to_template(task, template, engine)), template
    if task.stack.n_frames == 1:
        raise ValueError(
            f"{task.stack.name} is one image; a template to align it to is needed, or a stack of "
            "two or more frames."
        )
    if parameters.to == "previous":
        return (yield from to_previous(task, engine)), None
    if parameters.to == "running_mean":
        return (yield from to_running_mean(task, parameters.memory, engine)), None
    if parameters.reference == "alike":
        first = yield from alike_reference(task, engine)
    else:
        first = reference_of(task, parameters.reference_frame)
    if parameters.to == "frame":
        return (yield from to_template(task, first, engine)), first
    found: tuple[Alignments, numerics.Template] = yield from to_mean(
        task, first, parameters.passes, engine
    )
    return found


def _target(inputs: Inputs) -> Grid:
    """The grid that frames are brought onto: the template's, or their own."""
    role = "template" if inputs["template"] else "stack"
    stack = inputs.stack(role)
    return replace(stack.spatial_grid, role=role)


def _aim(inputs: Inputs, parameters: AlignmentParameters, bad: Array | None = None) -> str:
    if inputs["template"]:
        return inputs.stack("template").name
    if parameters.to == "frame" and parameters.reference == "alike":
        return "the mean of the frames that are most alike"
    if parameters.to == "frame":
        number = parameters.reference_frame
        return f"frame {number if bad is None else nearest_good(bad, number)}"
    return _TO[parameters.to]


def _known(inputs: Inputs, target: Grid) -> Transforms:
    (model,) = inputs["transforms"]
    assert isinstance(model, Transforms)
    stack = inputs.stack("stack")
    given = model.for_frames(stack.n_frames, stack.name)
    return _model(inputs, given.matrices, given.motion, target)


def _check_followers(inputs: Inputs) -> None:
    """What is moved along has frames of as many rows and columns."""
    stack = inputs.stack("stack")
    for other in (*inputs.stacks("others"), *inputs.stacks("labels")):
        if rows_and_columns(other) != rows_and_columns(stack):
            rows, columns = rows_and_columns(other)
            own_rows, own_columns = rows_and_columns(stack)
            raise ValueError(
                f"{other.name} has frames of {rows} x {columns} pixels, but {stack.name} has "
                f"frames of {own_rows} x {own_columns}; what is moved with it must have as many."
            )


def _moved(
    inputs: Inputs, parameters: AlignmentParameters, transforms: Transforms, target: Grid
) -> list[ImageResult]:
    """The aligned layers of the stack and of all that goes with it."""
    stack, matrices = inputs.stack("stack"), transforms.matrices
    images = (stack, *inputs.stacks("others"))
    if parameters.result == "affine":
        if stack.n_frames > 1:
            raise ValueError(
                f"The result affine was asked for, but {stack.name} has {stack.n_frames:,} frames; "
                "a layer has one place for all frames: choose the result resampled."
            )
        return [moved_layer(each, transforms, target) for each in images if _found(matrices[0])]
    if not np.isfinite(matrices).any():
        return []
    return [
        *(aligned_layer(each, transforms, target, parameters.order) for each in images),
        *(
            aligned_layer(each, transforms, target, 0, kind="labels")
            for each in inputs.stacks("labels")
        ),
    ]


def _found(matrix: Array) -> bool:
    return bool(np.isfinite(matrix).all())


def _image(template: numerics.Template) -> Array:
    """A template's pixels as it was given, NaN where they are not used."""
    planes = np.where(template.planes.usable, template.planes.values, np.nan)
    image: Array = planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1)
    return image


def _model(inputs: Inputs, matrices: Array, motion: Motion, target: Grid) -> Transforms:
    stack = inputs.stack("stack")
    return Transforms(
        source=Space.of(stack.name, stack.spatial_grid),
        target=Space.of(inputs.stack(str(target.role)).name, target),
        matrices=matrices,
        motion=motion,
    )


TOOL = Tool(
    name="alignment",
    title="Align",
    menu="register",
    sentence="Bring an image onto a template, or the frames of a stack onto each other.",
    inputs=INPUTS,
    parameters=AlignmentParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Baker, S. and Matthews, I. (2004), International Journal of Computer Vision 56, 221-255",
        "Padfield, D. (2012), IEEE Trans. Image Processing 21, 2706-2718",
        "Unser, M. (1999), IEEE Signal Processing Magazine 16(6), 22-38",
    ),
    warm_up=warm_up,
    compile_seconds=24,
)
