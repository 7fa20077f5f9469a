"""Elastic registration: bend an image onto a reference, or frames of a stack onto each other."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Literal

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import MapFrames
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import (
    LayerResult,
    Outcome,
    PointsResult,
    ShapesResult,
    Table,
)
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.framework.transform import Transform, moved_points, moved_shapes
from napari_framewise.numerics import elastic as numerics
from napari_framewise.numerics.elastic import LEAST_SIDE
from napari_framewise.numerics.transforms import fitted_to_points
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.elastic.layers import (
    back_layer,
    displacement_layers,
    grid_layer,
    warped_layer,
)
from napari_framewise.tools.elastic.model import ElasticTransforms
from napari_framewise.tools.elastic.parameters import INPUTS, ElasticParameters
from napari_framewise.tools.elastic.passes import (
    Task,
    cost_of,
    mean_of,
    plane_of,
    to_previous,
    to_reference,
)
from napari_framewise.tools.elastic.report import (
    diagnostics_of,
    frame_plots,
    frame_table,
    landmark_table,
    level_table,
    objective_plot,
    objective_table,
    row_of,
    summary_of,
)

_AFFINE_PLACES = 9


def run(inputs: Inputs, parameters: ElasticParameters, engine: Engine) -> Run:
    """Estimate the transforms, or take known ones; then move all that goes with them."""
    stack, target = inputs.stack("stack"), _target(inputs)
    if inputs["transforms"]:
        model = _known(inputs)
        yield Progress("Moving", 0, 1, "frames")
        return Outcome(
            layers=tuple(_moved(inputs, parameters, model, target)),
            summary=f"{stack.name} was moved by known elastic transforms.",
        )
    task, reference, mask = _task(inputs, parameters)
    tables: tuple[Table, ...] = ()
    if reference is not None and stack.n_frames == 1:
        found, reference = [(yield from _one(inputs, task, reference, mask))], reference
        tables = _tables_of_one(inputs, found[0])
    else:
        found, reference = yield from _all(task, reference, mask, parameters, engine)
    return _outcome(inputs, parameters, task, found, reference, tables)


def preview(inputs: Inputs, parameters: ElasticParameters, index: int) -> Outcome:
    """Register one frame: to the reference, the frame before it, or the reference frame."""
    stack = inputs.stack("stack")
    if inputs["transforms"]:
        return Outcome(summary="Known transforms are applied: press Run.")
    task, reference, mask = _task(inputs, parameters)
    if reference is None:
        previous = parameters.to == "previous" and index > 0
        which = index - 1 if previous else parameters.reference_frame
        reference, mask = task.plane(which), task.mask_of(which)
    marks = _marks(inputs)
    found = numerics.register(
        reference,
        task.plane(index),
        reference_mask=mask,
        image_mask=task.mask_of(index),
        landmarks=None if marks is None else marks[:2],
        start=task.start_of(index),
        settings=task.settings,
    )
    chosen = (stack.frame_numbers[index], stack.frame_numbers[index] + 1, 1)
    one = stack.select(replace(stack.selection, frames=chosen))
    return Outcome(
        tables=(frame_table(one, [found]), objective_table(found.history)),
        plots=(objective_plot(),),
        summary=summary_of(one, [found], _aim(inputs, parameters)),
        diagnostics=diagnostics_of(one, [found]),
    )


def plan(inputs: Inputs, parameters: ElasticParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    stack = inputs.stack("stack")
    return make_plan(MapFrames(), (stack,), cost_of(stack), engine)


def methods(inputs: Inputs, parameters: ElasticParameters) -> str:
    """Sentence for the methods part of a paper."""
    if inputs["transforms"]:
        return "Frames were moved by elastic transforms that had been estimated before."
    how = {
        "correlation": "local normalised correlation",
        "squares": "the squared difference of intensities",
    }[parameters.similarity]
    marks = " and landmarks" if inputs["landmarks"] else ""
    return (
        f"Images were registered to {_aim(inputs, parameters)} elastically, by cubic B-splines "
        f"with nodes every {parameters.spacing:g} pixels that are kept from folding, from coarse "
        f"to fine, by {how}{marks}, with a weight of {parameters.smoothness:g} on the bending "
        "energy, and summed over the pixels of both images."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    numerics.warm_up()


def _one(
    inputs: Inputs, task: Task, reference: Array, mask: Array | None
) -> Generator[Progress | Partial, None, numerics.Registration]:
    """Register one image, with its objective as it falls."""
    marks = _marks(inputs)
    running = numerics.registering(
        reference,
        task.plane(0),
        reference_mask=mask,
        image_mask=task.mask_of(0),
        landmarks=None if marks is None else marks[:2],
        start=task.start_of(0),
        settings=task.settings,
    )
    rows: list[tuple[float, ...]] = []
    yield Progress("Registering", 0, 1, "images")
    while True:
        try:
            step = next(running)
        except StopIteration as stop:
            found: numerics.Registration = stop.value
            return found
        rows.append(row_of(step))
        so_far = objective_table(np.array(rows))
        yield Progress("Registering", 0, 1, "images")
        yield Partial(
            Outcome(
                tables=(so_far,),
                plots=(objective_plot(),),
                summary=f"{len(rows)} steps, on pixels of {step.pixel:g} px.",
            )
        )


def _all(
    task: Task,
    reference: Array | None,
    mask: Array | None,
    parameters: ElasticParameters,
    engine: Engine,
) -> Generator[Progress, None, tuple[list[numerics.Registration], Array]]:
    """Register all frames, and what they were registered to."""
    if reference is not None:
        found = yield from to_reference(task, reference, mask, engine, "Registering")
        return found, reference
    first = parameters.reference_frame
    if parameters.to == "previous":
        return (yield from to_previous(task, engine)), task.plane(0)
    reference, mask = task.plane(first), task.mask_of(first)
    label = "Registering" if parameters.to == "frame" else "Registering, pass 1 of 2"
    found = yield from to_reference(task, reference, mask, engine, label)
    if parameters.to == "frame" or not any(each.found for each in found):
        return found, reference
    mean = yield from mean_of(task, found, reference.shape, engine)
    again = yield from to_reference(task, mean, None, engine, "Registering, pass 2 of 2")
    return again, mean


def _outcome(
    inputs: Inputs,
    parameters: ElasticParameters,
    task: Task,
    found: list[numerics.Registration],
    reference: Array,
    tables: tuple[Table, ...],
) -> Outcome:
    stack, target = task.stack, _target(inputs)
    model = ElasticTransforms.of(
        [each.field for each in found],
        Space.of(stack.name, stack.spatial_grid),
        Space.of(inputs.stack(str(target.role)).name, target),
    )
    layers: list[LayerResult] = []
    if model.found.any():
        layers = _moved(inputs, parameters, model, target)
        aim = _aim(inputs, parameters)
        if parameters.both:
            layers.append(back_layer(reference, aim, stack, model, parameters.order))
        if parameters.displacement:
            layers += displacement_layers(stack, model, target, parameters.spacing)
        if parameters.grid:
            layers += grid_layer(stack, model)
    plots = frame_plots(len(found))
    if tables:
        plots = (objective_plot(), *plots)
    notes: tuple[str, ...] = ()
    marks = _marks(inputs)
    if marks is not None and marks[3]:
        notes = (f"Left out, for they have no partner: {', '.join(marks[3])}.",)
    return Outcome(
        layers=tuple(layers),
        tables=(frame_table(stack, found), *tables),
        plots=plots,
        models=(model,) if model.found.any() else (),
        summary=summary_of(stack, found, _aim(inputs, parameters)),
        diagnostics=(*diagnostics_of(stack, found), *notes),
    )


def _tables_of_one(inputs: Inputs, found: numerics.Registration) -> tuple[Table, ...]:
    tables = (objective_table(found.history), level_table(found))
    marks = _marks(inputs)
    if marks is None:
        return tables
    return (*tables, landmark_table(*marks[:3], found))


def _task(inputs: Inputs, parameters: ElasticParameters) -> tuple[Task, Array | None, Array | None]:
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
    for each in (stack, *(() if given is None else (given,))):
        if min(each.spatial_shape) < LEAST_SIDE:
            raise ValueError(
                f"{each.name} has frames of {_size(each.spatial_shape)} pixels; at least "
                f"{LEAST_SIDE} x {LEAST_SIDE} are needed."
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
    mask = inputs.optional_stack("mask")
    task = Task(
        stack,
        None if mask is None else in_step(mask, stack, "Mask"),
        bool(stack.channels),
        _starts(inputs),
        parameters.settings,
    )
    if given is None:
        return task, None, None
    over = inputs.optional_stack("reference_mask")
    use = None if over is None else in_step(over, given, "Reference mask").frame(0)
    return task, plane_of(given.frame(0), bool(given.channels)), use


def _starts(inputs: Inputs) -> Array:
    """The affine matrices closest to the transforms to begin at, or NaN."""
    if not inputs["start"]:
        return np.full((1, 3, 3), np.nan)
    (given,) = inputs["start"]
    assert isinstance(given, Transform)
    stack = inputs.stack("stack")
    given.frames_of(stack.n_frames, stack.name)
    axes = [np.linspace(0, n - 1, _AFFINE_PLACES) for n in _target(inputs).shape]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    found = np.full((len(given.maps), 3, 3), np.nan)
    for number in range(len(found)):
        there = given.pull_back(places, number)
        known = np.isfinite(there).all(axis=1)
        if known.sum() >= _AFFINE_PLACES:
            found[number] = fitted_to_points(places[known], there[known], "affine")
    return found


def _marks(inputs: Inputs) -> tuple[Array, Array, Array, tuple[str, ...]] | None:
    """Landmarks of the reference and of the image, their numbers, and those without a partner."""
    if not inputs["landmarks"] or not inputs["reference_landmarks"]:
        return None
    pairs = inputs.landmarks("reference_landmarks", "landmarks")
    here = inputs.points("reference_landmarks")[0].places[pairs.first]
    there = inputs.points("landmarks")[0].places[pairs.second]
    if not len(here):
        raise ValueError("No two landmarks belong together; give their index, or as many of each.")
    return here, there, pairs.index, pairs.alone


def _target(inputs: Inputs) -> Grid:
    """The grid that frames are brought onto: the reference's, or their own."""
    role = "reference" if inputs["reference"] else "stack"
    return replace(inputs.stack(role).spatial_grid, role=role)


def _aim(inputs: Inputs, parameters: ElasticParameters) -> str:
    if inputs["reference"]:
        return inputs.stack("reference").name
    frame = f"frame {parameters.reference_frame}"
    return {"frame": frame, "mean": "their mean", "previous": "the frame before each"}[
        parameters.to
    ]


def _known(inputs: Inputs) -> ElasticTransforms:
    (model,) = inputs["transforms"]
    assert isinstance(model, ElasticTransforms)
    stack, target = inputs.stack("stack"), _target(inputs)
    model.frames_of(stack.n_frames, stack.name)
    if model.target.shape != target.shape:
        raise ValueError(
            f"The transforms lead to {_size(model.target.shape)} pixels, but the result would have "
            f"{_size(target.shape)}; give the reference that they were estimated with."
        )
    return model


def _moved(
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
                f"{each.name} has frames of {_size(each.spatial_shape)} pixels, but {stack.name} "
                f"has {_size(stack.spatial_shape)}; what is moved with it must have as many."
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


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


TOOL = Tool(
    name="elastic",
    title="Register elastically",
    menu="register",
    sentence="Bend an image onto a reference, or the frames of a stack onto each other.",
    inputs=INPUTS,
    parameters=ElasticParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Sorzano, C. O. S. et al. (2005), IEEE Trans. Biomedical Engineering 52, 652-663",
        "Arganda-Carreras, I. et al. (2006), CVAMIA, LNCS 4241, 85-95",
        "Rueckert, D. et al. (1999), IEEE Trans. Medical Imaging 18, 712-721",
    ),
    warm_up=warm_up,
    compile_seconds=6,
)
