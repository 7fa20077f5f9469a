"""Tools of the tests' own that show what inputs can be: numbers, several kinds, results, none."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from tests.helpers.toolbox import Translation

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import MASK, Input, Inputs, InputValue, Kind
from napari_framewise.framework.new_grid import GridParameters
from napari_framewise.framework.outcome import ImageResult, Outcome, PointsResult, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools import registry
from napari_framewise.tools.registry import Entry


class NoParameters(Parameters):
    pass


def _plan(inputs: Inputs, parameters: Parameters, engine: Engine) -> Plan:
    return make_plan(MapFrames(), (inputs.stack(next(iter(inputs))),), Cost(), engine)


# -- a number with each image ----------------------------------------------------------------------


def calibrate(inputs: Inputs, parameters: NoParameters, engine: Engine) -> Run:
    yield Progress("Measuring", 1, 1)
    images = inputs.stacks("images")
    means = np.array([image.frame(0).mean() for image in images])
    temperatures = inputs.values("images")
    slope, offset = np.polyfit(temperatures, means, 1)
    columns = {"object": np.arange(len(images)), "temperature": temperatures, "mean": means}
    return Outcome(
        tables=(Table("calibration", "object", columns),),
        summary=f"{offset:.6g} + {slope:.6g} T",
    )


CALIBRATE = Tool(
    name="calibrate",
    title="Calibrate",
    menu="measure",
    sentence="Mean intensity against temperature.",
    inputs=(
        Input(
            "images",
            Kind.FRAME,
            "Images",
            "Images at several temperatures.",
            least=2,
            most=8,
            value=InputValue("Temperature", "K"),
        ),
    ),
    parameters=NoParameters,
    run=calibrate,
    preview=lambda inputs, parameters, index: Outcome(),
    plan=_plan,
    methods=lambda inputs, parameters: "A line was fitted.",
)


# -- a number with each frame, a model or an image, another tool's result -------------------------


def decay(inputs: Inputs, parameters: NoParameters, engine: Engine) -> Run:
    yield Progress("Measuring", 1, 1)
    stack = inputs.stack("stack")
    times = inputs.values("stack")
    blur = next(iter(inputs["blur"]), None)
    kind = type(blur).__name__ if blur is not None else "nothing"
    regions = inputs.regions("regions")
    frames = stack.read(0, stack.n_frames)
    columns = {"frame": np.asarray(stack.frame_numbers), "time": times}
    for region in regions:
        part = frames[(slice(None), *region.box)][:, region.inside]
        columns[f"region {region.number}"] = part.mean(axis=1)
    corners = np.array([[0.0, 0.0], [1.0, 2.0]])
    return Outcome(
        layers=(PointsResult(f"{stack.name} nodes", corners, stack.spatial_grid),),
        tables=(Table("decay", "frame", columns),),
        summary=f"{kind}, {sum(len(each.places) for each in inputs.points('nodes'))} nodes",
    )


DECAY = Tool(
    name="decay",
    title="Decay",
    menu="measure",
    sentence="Means of regions over time.",
    inputs=(
        Input(
            "stack",
            Kind.STACK,
            "Stack",
            "Frames.",
            frames="plane",
            value=InputValue("Time", "s", "frame"),
        ),
        Input(
            "blur",
            (Kind.FRAME, Kind.MODEL),
            "Blur",
            "An image of the PSF, or a model.",
            least=0,
            model_kind=(Translation, "flow"),
        ),
        Input("regions", MASK, "Regions", "What is measured.", least=0),
        Input("nodes", Kind.POINTS, "Nodes", "Nodes.", least=0, made_by=("decay",)),
    ),
    parameters=NoParameters,
    run=decay,
    preview=lambda inputs, parameters, index: Outcome(),
    plan=_plan,
    methods=lambda inputs, parameters: "Means were taken.",
)


# -- no inputs ------------------------------------------------------------------------------------


class RampParameters(GridParameters):
    slope: float = parameter(1.0, "Slope", "Grey values per column.")


def _ramp(parameters: RampParameters) -> ImageResult:
    grid = parameters.grid()
    data = np.broadcast_to(np.arange(parameters.columns) * parameters.slope, grid.shape)
    return ImageResult("ramp", np.array(data, np.float32), grid)


def make_ramp(inputs: Inputs, parameters: RampParameters, engine: Engine) -> Run:
    yield Progress("Making", 1, 1)
    return Outcome(layers=(_ramp(parameters),), summary="A ramp.")


def _made(parameters: RampParameters) -> Stack:
    shape = parameters.grid().shape
    return stack_of(np.broadcast_to(np.float32(0), shape), name="ramp")


RAMP = Tool(
    name="ramp",
    title="Ramp",
    menu="new_layer",
    sentence="An image that grows from left to right.",
    inputs=(),
    parameters=RampParameters,
    run=make_ramp,
    preview=lambda inputs, parameters, index: Outcome(layers=(_ramp(parameters),)),
    plan=lambda inputs, parameters, engine: make_plan(
        MapFrames(), (_made(parameters),), Cost(), engine
    ),
    methods=lambda inputs, parameters: "A ramp was made.",
)


def add_takers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put these tools among the others."""
    for tool in (CALIBRATE, DECAY, RAMP):
        module = ModuleType(f"{__name__}.{tool.name}")
        module.TOOL = tool  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(registry.TOOLS, tool.name, Entry(module.__name__, tool.sentence))
