"""A tool of the tests' own that takes and gives every kind of thing there is."""

from __future__ import annotations

import numpy as np
from tests.helpers.toolbox import Translation

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import (
    ImageResult,
    Outcome,
    PointsResult,
    ShapesResult,
    Table,
    VectorsResult,
)
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.placing import frame_placing, stack_placing
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.tools.registry import Entry

ENTRY = Entry(__name__, "Every frame times a factor, and whatever else a tool can give.")


class EverythingParameters(Parameters):
    factor: float = parameter(2.0, "Factor", "What 100 % of a pixel become.", unit="counts")
    crash: bool = parameter(False, "Crash", "Fail as no tool should.")


def run(inputs: Inputs, parameters: EverythingParameters, engine: Engine) -> Run:
    stack = inputs.stack("stack")
    if parameters.crash:
        raise ZeroDivisionError("crashed")
    data = stack.read(0, stack.n_frames) * parameters.factor
    yield Progress("Multiplying", stack.n_frames, stack.n_frames)
    taken = [len(inputs[role]) for role in ("model", "points", "shapes", "table")]
    lengths = [len(points.data) for points in inputs["points"] if isinstance(points, PointsResult)]
    space = Space(stack.name, stack.frame_shape, (1.0, 1.0), ("pixel", "pixel"))
    all_frames, one_frame = stack_placing(stack, "stack"), frame_placing(stack, "stack")
    corners = np.zeros((3, 2))
    totals = {"total": [data.sum()]} | ({"many": [1.0]} if stack.n_frames > 3 else {})
    return Outcome(
        layers=(
            ImageResult(f"{stack.name} hidden", data[0], one_frame, visible=False),
            ImageResult(f"{stack.name} doubled", data, all_frames),
            PointsResult(f"{stack.name} spots", corners, one_frame),
            VectorsResult(f"{stack.name} flow", np.zeros((1, 2, 2)), one_frame),
            ShapesResult(f"{stack.name} outlines", [corners], one_frame, "polygon"),
        ),
        tables=(
            Table(
                "means",
                "frame",
                {"frame": np.asarray(stack.frame_numbers), "mean": data.mean(axis=(1, 2))},
            ),
            Table("totals", "object", totals),
        ),
        models=(Translation(space, space, corners),),
        summary=f"{stack.n_frames} frames; inputs {taken}, points {lengths}.",
        diagnostics=("Nothing was measured.",),
    )


def _plan(inputs: Inputs, parameters: EverythingParameters, engine: Engine) -> Plan:
    return make_plan(MapFrames(), (inputs.stack("stack"),), Cost(), engine)


TOOL = Tool(
    name="everything",
    title="Everything",
    menu="filter",
    sentence=ENTRY.sentence,
    inputs=(
        Input("stack", Kind.STACK, "Stack", "100 % frames."),
        Input("model", Kind.MODEL, "Model", "Shifts.", least=0, model_kind="translation"),
        Input("points", Kind.POINTS, "Points", "Landmarks.", least=0),
        Input("shapes", Kind.SHAPES, "Shapes", "Outlines.", least=0),
        Input("table", Kind.TABLE, "Table", "Numbers.", least=0),
        Input("marks", Kind.LABELS, "Marks", "Pixels.", least=0, same_frame_as="stack"),
    ),
    parameters=EverythingParameters,
    run=run,
    preview=lambda inputs, parameters, index: Outcome(),
    plan=_plan,
    methods=lambda inputs, parameters: "Frames were multiplied.",
)
