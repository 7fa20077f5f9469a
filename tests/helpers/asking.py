"""A tool of the tests' own that asks for every kind of parameter: frames smoothed and measured."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.ndimage import affine_transform, gaussian_filter

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.matrices import Matrix
from napari_framewise.framework.outcome import Outcome, Table
from napari_framewise.framework.parameters import GIVEN, Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.tools.registry import Entry

ENTRY = Entry(__name__, "Smooth every frame, move it by a matrix, and measure it.")


class AskingParameters(Parameters):
    sigma: Length = parameter("1 px", "Sigma", "Of the Gaussian.", ge=0)
    measures: tuple[Literal["mean", "least", "greatest"], ...] = parameter(
        ("mean",), "Measures", "What is measured."
    )
    matrix: Matrix | None = parameter(None, "Matrix", "Moves every frame.")
    fill: Literal["nearest", "constant"] = parameter(
        "constant", "Fill", "What lies outside.", shown_when={"matrix": GIVEN}
    )
    value: float = parameter(
        0.0, "Fill value", "What stands outside.", ge=0, shown_when={"fill": "constant"}
    )
    limit: float | None = parameter(None, "Limit", "Greater values are cut.", gt=0)


def run(inputs: Inputs, parameters: AskingParameters, engine: Engine) -> Run:
    stack = inputs.stack("stack")
    sigma = parameters.sigma.in_pixels(stack.grid.axes, "Sigma")
    columns: dict[str, list[float]] = {name: [] for name in parameters.measures}
    for number in range(stack.n_frames):
        frame = gaussian_filter(stack.frame(number).astype(float), sigma)
        if parameters.matrix is not None:
            matrix = np.array(parameters.matrix)
            frame = affine_transform(
                frame, matrix, order=1, mode=parameters.fill, cval=parameters.value
            )
        frame = frame if parameters.limit is None else np.minimum(frame, parameters.limit)
        for name, values in columns.items():
            values.append({"mean": frame.mean, "least": frame.min, "greatest": frame.max}[name]())
        yield Progress("Measuring", number + 1, stack.n_frames)
    table = Table("measures", "frame", {"frame": np.asarray(stack.frame_numbers), **columns})
    text = ", ".join(f"{value:g}" for value in sigma)
    return Outcome(tables=(table,), summary=f"Sigma is {text} pixels.")


def _plan(inputs: Inputs, parameters: AskingParameters, engine: Engine) -> Plan:
    return make_plan(MapFrames(), (inputs.stack("stack"),), Cost(), engine)


TOOL = Tool(
    name="asking",
    title="Asking",
    menu="filter",
    sentence=ENTRY.sentence,
    inputs=(Input("stack", Kind.STACK, "Stack", "Frames."),),
    parameters=AskingParameters,
    run=run,
    preview=lambda inputs, parameters, index: Outcome(),
    plan=_plan,
    methods=lambda inputs, parameters: "Frames were smoothed.",
)
