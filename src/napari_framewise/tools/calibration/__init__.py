"""Calibration of distortion over a third variable: where straight pixels are seen at each value."""

from __future__ import annotations

from dataclasses import replace

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import MapFrames
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome, PointsResult
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics.calibration import fit_field, judged
from napari_framewise.tools.calibration.boards import boards_of
from napari_framewise.tools.calibration.model import Calibration, Distortion, knots_of
from napari_framewise.tools.calibration.parameters import INPUTS, CalibrationParameters
from napari_framewise.tools.calibration.report import outcome_of
from napari_framewise.tools.grid_nodes import TOOL as GRID_NODES
from napari_framewise.tools.grid_nodes import cost_of

__all__ = ["TOOL", "Calibration", "Distortion", "knots_of"]

_PARTS = 1000


def run(inputs: Inputs, parameters: CalibrationParameters, engine: Engine) -> Run:
    """Find the nodes, fit the field over the values, and judge it by parts of the nodes."""
    boards = yield from boards_of(inputs, parameters, engine)
    shape = inputs.stacks("images")[0].spatial_shape
    yield Progress("Fitting the field", 0, _PARTS, unit="parts")
    data = boards.values, boards.straight, boards.seen
    field = fit_field(*data, shape, boards.pitch, strength=parameters.strength)
    judging = judged(field, *data, boards.index, shape, boards.pitch)
    while True:
        try:
            part = next(judging)
        except StopIteration as ended:
            judgement = ended.value
            break
        yield Progress("Judging the field", round(part * _PARTS), _PARTS, unit="parts")
    return outcome_of(inputs, parameters, boards, field, judgement)


def preview(inputs: Inputs, parameters: CalibrationParameters, index: int) -> Outcome:
    """The nodes of one image."""
    stack = inputs.stacks("images")[0]
    given = {"stack": stack, "mask": inputs["mask"]}
    chosen = {name: getattr(parameters, name) for name in ("pattern", "ink")}
    checked = GRID_NODES.check_parameters(chosen)
    found = GRID_NODES.preview(GRID_NODES.check_inputs(given), checked, index)
    (points,) = found.layers
    assert isinstance(points, PointsResult)
    placed = replace(points, grid=replace(points.grid, role="images"))
    return Outcome(layers=(placed,), summary=found.summary)


def plan(inputs: Inputs, parameters: CalibrationParameters, engine: Engine) -> Plan:
    """How the images are cut."""
    stack = inputs.stacks("images")[0]
    return make_plan(MapFrames(), (stack,), cost_of(stack), engine)


def methods(inputs: Inputs, parameters: CalibrationParameters) -> str:
    """Sentence for the methods part of a paper."""
    strength = (
        "generalised cross-validation"
        if parameters.strength is None
        else f"a strength of {parameters.strength:g}"
    )
    return (
        f"Distortion was calibrated over {parameters.quantity} by a tensor-product smoothing "
        f"spline through the nodes of a grid ({parameters.pattern}), smoothed by {strength}."
    )


TOOL = Tool(
    name="calibration",
    title="Calibration",
    menu="register",
    sentence="Distortion of a lens over pressure, temperature or focus, from images of a grid.",
    inputs=INPUTS,
    parameters=CalibrationParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Wahba, G. (1990), Spline Models for Observational Data, SIAM",
        "Unser, M. (1999), IEEE Signal Processing Magazine 16(6), 22-38",
    ),
)
