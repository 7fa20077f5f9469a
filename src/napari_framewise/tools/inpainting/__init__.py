"""Inpainting: holes filled patch by patch from the best match elsewhere in the frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import MapFrames
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.session import driven
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import inpainting as numerics
from napari_framewise.tools.inpainting.frames import fill_block, given_of
from napari_framewise.tools.inpainting.parameters import INPUTS, InpaintingParameters
from napari_framewise.tools.inpainting.report import (
    Images,
    front_layer,
    outcome_of,
    refuse_no_hole,
)
from napari_framewise.tools.inpainting.session import InpaintingSession


def run(inputs: Inputs, parameters: InpaintingParameters, engine: Engine) -> Run:
    """Fill the holes: those of one frame patch by patch, those of several frames at once."""
    given = given_of(inputs, parameters)
    stack = given.stack
    if stack.n_frames == 1:
        return (yield from driven(InpaintingSession)(inputs, parameters, engine))
    blocks = yield from run_pass(
        MapFrames(),
        fill_block,
        (stack, given.hole, given.source),
        (given.settings, bool(stack.channels), given.even),
        engine=engine,
        cost=given.cost,
        label="Filling",
    )
    fillings = [filling for block in blocks for filling in block]
    refuse_no_hole(given, fillings)
    return outcome_of(given, fillings, Images(stack))


def preview(inputs: Inputs, parameters: InpaintingParameters, index: int) -> Outcome:
    """The front from which the hole of a frame will be filled."""
    given = given_of(inputs, parameters)
    filling = given.begun(index)
    refuse_no_hole(given, (filling,))
    number = given.stack.frame_numbers[index]
    one = given.stack.select(replace(given.stack.selection, frames=(number, number + 1, 1)))
    front = front_layer(layout_of(one, channels=False), one.name, (filling,))
    size = parameters.size
    return Outcome(
        (front,), summary=f"{len(filling.hole):,} pixels to fill by patches of {size} x {size}."
    )


def plan(inputs: Inputs, parameters: InpaintingParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    given = given_of(inputs, parameters)
    return make_plan(MapFrames(), (given.stack,), given.cost, engine)


def methods(inputs: Inputs, parameters: InpaintingParameters) -> str:
    """Sentence for the methods part of a paper."""
    return (
        "Holes were filled by exemplars (Criminisi et al. 2004) from patches of "
        f"{parameters.size} x {parameters.size} pixels, the best of all by the sum of squared "
        f"differences; priorities were C ({1 - parameters.structure:g} + "
        f"{parameters.structure:g} D), with normals of the front smoothed by "
        f"{parameters.sigma:g} pixels."
    )


def warm_up() -> None:
    """Compile the kernels."""
    frame = np.arange(144.0).reshape(12, 12)
    hole = np.zeros((12, 12))
    hole[5:7, 5:7] = 1
    numerics.fill(frame, hole, numerics.Settings(size=3))


TOOL = Tool(
    name="inpainting",
    title="Inpainting",
    menu="filter",
    sentence="Fill holes with texture and edges, patch by patch from the best match elsewhere.",
    inputs=INPUTS,
    parameters=InpaintingParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Criminisi, A., Perez, P. and Toyama, K. (2004), IEEE Trans. Image Process. 13, 1200-1212",
    ),
    session=InpaintingSession,
    warm_up=warm_up,
    compile_seconds=2,
)
