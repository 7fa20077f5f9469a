"""A tool of the tests' own that says what is scribbled on a frame, and in which colours."""

from __future__ import annotations

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import SCRIBBLES, Input, Inputs, Kind
from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.stacks.legend import Legend
from napari_framewise.tools.registry import Entry

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "Grey frames."),
    Input("scribbles", SCRIBBLES, "Scribbles", "Colours.", most=4, lies_on="stack"),
)


class ScribblingParameters(Parameters):
    """None."""


def run(inputs: Inputs, parameters: ScribblingParameters, engine: Engine) -> Run:
    """A row for each scribble, and all of them as labels with these colours."""
    yield Progress("Reading", 1, 1)
    stack = inputs.stack("stack")
    found = inputs.scribbles("scribbles")
    numbers, firsts, counts = np.unique(found.numbers, return_index=True, return_counts=True)
    colours = found.colours[firsts]
    columns = {"object": numbers, "pixels": counts}
    columns |= {name: colours[:, n] for n, name in enumerate(("red", "green", "blue"))}
    labels = np.zeros(stack.spatial_shape, np.uint8)
    labels[tuple(found.places.T)] = found.numbers
    legend = Legend(numbers, colours, {"index": numbers, "pixels": counts})
    layer = ImageResult(
        "marked", labels, layout_of(stack, channels=False).still.grid, kind="labels", legend=legend
    )
    return Outcome((layer,), (Table("inks", "object", columns),), summary=f"{len(found)} pixels.")


def preview(inputs: Inputs, parameters: ScribblingParameters, index: int) -> Outcome:
    """How many pixels are marked."""
    return Outcome(summary=f"{len(inputs.scribbles('scribbles', index))} pixels.")


def plan(inputs: Inputs, parameters: ScribblingParameters, engine: Engine) -> Plan:
    """Nothing to cut."""
    return make_plan(MapFrames(), (inputs.stack("stack"),), Cost(), engine)


TOOL = Tool(
    name="scribbling",
    title="Scribbling",
    menu="data",
    sentence="What is scribbled.",
    inputs=INPUTS,
    parameters=ScribblingParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=lambda inputs, parameters: "Scribbles were read.",
)
ENTRY = Entry(__name__, TOOL.sentence)
