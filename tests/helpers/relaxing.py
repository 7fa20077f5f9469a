"""A tool of the tests' own that iterates: each pass smooths a frame, and it shows what it has."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from scipy import ndimage

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.outcome import Curve, ImageResult, Outcome, Plot, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.placing import frame_placing
from napari_framewise.framework.tool import Tool
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.registry import Entry

ENTRY = Entry(__name__, "A frame smoothed over and over.")


class RelaxParameters(Parameters):
    passes: int = parameter(20, "Passes", "How often the frame is smoothed.", ge=1, le=10_000)


def relaxed(frame: Array) -> Array:
    """One pass of heat diffusion; what is outside is as the border."""
    return frame + 0.2 * ndimage.laplace(frame, mode="nearest")


def outcome_of(stack: Stack, frame: Array, changes: list[float]) -> Outcome:
    table = Table(
        "Relaxing",
        "iteration",
        {"iteration": np.arange(1, len(changes) + 1), "change": np.array(changes)},
    )
    plot = Plot(
        "Change of each pass", "Relaxing", "iteration", (Curve("change"),), "pass", "change"
    )
    image = ImageResult(
        f"{stack.name} relaxed", frame.copy(), frame_placing(stack, "stack"), contrast_limits=(0, 1)
    )
    return Outcome((image,), (table,), (plot,), summary=f"Smoothed in {len(changes)} passes.")


def run(
    inputs: Inputs, parameters: RelaxParameters, engine: Engine
) -> Generator[Progress | Partial, None, Outcome]:
    stack = inputs.stack("stack")
    frame, changes = stack.read(0, 1)[0].astype(float), []
    for done in range(parameters.passes):
        yield Progress("Relaxing", done, parameters.passes, "passes", 0.01 * done)
        after = relaxed(frame)
        changes.append(float(np.abs(after - frame).max()))
        frame[:] = after
        yield Partial(outcome_of(stack, frame, changes))
    return outcome_of(stack, frame, changes)


def preview(inputs: Inputs, parameters: RelaxParameters, index: int) -> Outcome:
    stack = inputs.stack("stack")
    return outcome_of(stack, relaxed(stack.read(index, index + 1)[0].astype(float)), [])


def plan(inputs: Inputs, parameters: RelaxParameters, engine: Engine) -> Plan:
    return make_plan(MapFrames(), inputs.stacks("stack"), Cost(seconds=1e-3), engine)


def methods(inputs: Inputs, parameters: Any) -> str:
    return f"A frame was smoothed in {parameters.passes} passes."


TOOL = Tool(
    name="relaxing",
    title="Relax",
    menu="filter",
    sentence=ENTRY.sentence,
    inputs=(Input("stack", Kind.STACK, "Stack", "Whose first frame is smoothed."),),
    parameters=RelaxParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
)
