"""Elastic registration: bend an image onto a reference, or frames of a stack onto each other."""

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
from napari_framewise.framework.model import Model, Space
from napari_framewise.framework.outcome import (
    LayerResult,
    Outcome,
    Table,
)
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import elastic as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.elastic.asked import (
    aim_of,
    marks_of,
    target_of,
    task_of,
)
from napari_framewise.tools.elastic.layers import (
    back_layer,
    displacement_layers,
    grid_layer,
)
from napari_framewise.tools.elastic.model import ElasticTransforms
from napari_framewise.tools.elastic.moving import known_model, moved_layers
from napari_framewise.tools.elastic.parameters import INPUTS, ElasticParameters
from napari_framewise.tools.elastic.passes import (
    Task,
    cost_of,
    mean_of,
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
from napari_framewise.tools.residual_motion import (
    component_plot,
    component_table,
    motion_left,
    sentence_of,
)
from napari_framewise.tools.residual_motion import diagnostics_of as judgement_notes


def run(inputs: Inputs, parameters: ElasticParameters, engine: Engine) -> Run:
    """Estimate the transforms, or take known ones; then move all that goes with them."""
    stack, target = inputs.stack("stack"), target_of(inputs)
    if inputs["transforms"]:
        model = known_model(inputs)
        yield Progress("Moving", 0, 1, "frames")
        moved = Outcome(
            layers=tuple(moved_layers(inputs, parameters, model, target)),
            summary=f"{stack.name} was moved by known elastic transforms.",
        )
        return (yield from _judged(moved, stack, model, parameters, engine))
    task, reference, mask = task_of(inputs, parameters)
    tables: tuple[Table, ...] = ()
    if reference is not None and stack.n_frames == 1:
        if task.how.reach is None:
            found = [(yield from _one(inputs, task, reference, mask))]
            tables = _tables_of_one(inputs, found[0])
        else:
            found = yield from to_reference(task, reference, mask, engine, "Registering")
    else:
        found, reference = yield from _all(task, reference, mask, parameters, engine)
    outcome = _outcome(inputs, parameters, task, found, reference, tables)
    for each in outcome.models:
        outcome = yield from _judged(outcome, stack, each, parameters, engine)
    return outcome


def preview(inputs: Inputs, parameters: ElasticParameters, index: int) -> Outcome:
    """Register one frame: to the reference, the frame before it, or the reference frame."""
    stack = inputs.stack("stack")
    if inputs["transforms"]:
        return Outcome(summary="Known transforms are applied: press Run.")
    task, reference, mask = task_of(inputs, parameters)
    if reference is None:
        previous = parameters.to == "previous" and index > 0
        which = index - 1 if previous else parameters.reference_frame
        reference, mask = task.plane(which), task.mask_of(which)
    marks = marks_of(inputs)
    found = task.how.registered(
        reference,
        task.plane(index),
        mask,
        task.mask_of(index),
        task.start_of(index),
        None if marks is None else marks[:2],
    )
    chosen = (stack.frame_numbers[index], stack.frame_numbers[index] + 1, 1)
    one = stack.select(replace(stack.selection, frames=chosen))
    splines = task.how.reach is None
    return Outcome(
        tables=(frame_table(one, [found]), *((objective_table(found.history),) if splines else ())),
        plots=(objective_plot(),) if splines else (),
        summary=summary_of(one, [found], aim_of(inputs, parameters), parameters.how.finest),
        diagnostics=diagnostics_of(one, [found]),
    )


def plan(inputs: Inputs, parameters: ElasticParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    stack = inputs.stack("stack")
    return make_plan(MapFrames(), (stack,), cost_of(stack, parameters.how), engine)


def methods(inputs: Inputs, parameters: ElasticParameters) -> str:
    """Sentence for the methods part of a paper."""
    if inputs["transforms"]:
        return "Frames were moved by elastic transforms that had been estimated before."
    if parameters.method == "blocks":
        return (
            f"Frames were registered to {aim_of(inputs, parameters)} by a shift for each block of "
            f"{2 * parameters.spacing:g} pixels, within {parameters.reach} pixels of that of the "
            "whole frame, by normalised cross-correlation; the shifts were smoothed into a "
            "displacement by cubic B-splines that are kept from folding."
        )
    how = {
        "correlation": "local normalised correlation",
        "squares": "the squared difference of intensities",
    }[parameters.similarity]
    marks = " and landmarks" if inputs["landmarks"] else ""
    return (
        f"Images were registered to {aim_of(inputs, parameters)} elastically, by cubic B-splines "
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
    marks = marks_of(inputs)
    running = numerics.registering(
        reference,
        task.plane(0),
        reference_mask=mask,
        image_mask=task.mask_of(0),
        landmarks=None if marks is None else marks[:2],
        start=task.start_of(0),
        settings=task.how.settings,
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
    stack, target = task.stack, target_of(inputs)
    model = ElasticTransforms.of(
        [each.field for each in found],
        Space.of(stack.name, stack.spatial_grid),
        Space.of(inputs.stack(str(target.role)).name, target),
    )
    layers: list[LayerResult] = []
    if model.found.any():
        layers = moved_layers(inputs, parameters, model, target)
        aim = aim_of(inputs, parameters)
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
    marks = marks_of(inputs)
    if marks is not None and marks[3]:
        notes = (f"Left out, for they have no partner: {', '.join(marks[3])}.",)
    return Outcome(
        layers=tuple(layers),
        tables=(frame_table(stack, found), *tables),
        plots=plots,
        models=(model,) if model.found.any() else (),
        summary=summary_of(stack, found, aim_of(inputs, parameters), parameters.how.finest),
        diagnostics=(*diagnostics_of(stack, found), *notes),
    )


def _judged(
    outcome: Outcome,
    stack: Stack,
    model: Model,
    parameters: ElasticParameters,
    engine: Engine,
) -> Generator[Progress, None, Outcome]:
    """The same with how much motion is left."""
    assert isinstance(model, ElasticTransforms)
    if not parameters.judge:
        return outcome
    left = yield from motion_left(stack, model, model.target.shape, engine)
    if left is None:
        return outcome
    table = component_table(left)
    return replace(
        outcome,
        tables=(*outcome.tables, table),
        plots=(*outcome.plots, component_plot(table)),
        summary=f"{outcome.summary} {sentence_of(left)}",
        diagnostics=(
            *outcome.diagnostics,
            *(f"Motion left: {each}" for each in judgement_notes(left)),
        ),
    )


def _tables_of_one(inputs: Inputs, found: numerics.Registration) -> tuple[Table, ...]:
    tables = (objective_table(found.history), level_table(found))
    marks = marks_of(inputs)
    if marks is None:
        return tables
    return (*tables, landmark_table(*marks[:3], found))


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
