"""Motion left: how much the frames of an aligned stack still move."""

from __future__ import annotations

from dataclasses import replace

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Cost, Reduce
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import residual_motion as numerics
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.residual_motion.passes import FEWEST, Judgement, Reader, judged
from napari_framewise.tools.residual_motion.report import (
    component_plot,
    component_table,
    diagnostics_of,
    score_plot,
    score_table,
    sentence_of,
)
from napari_framewise.tools.residual_motion.transformed import motion_left

__all__ = [
    "FEWEST",
    "TOOL",
    "Judgement",
    "Reader",
    "component_plot",
    "component_table",
    "diagnostics_of",
    "extremes_layer",
    "judged",
    "motion_left",
    "sentence_of",
]

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The frames to judge, aligned by whatever means."),
    mask_input("judge by"),
)


class ResidualMotionParameters(Parameters):
    """Parameters of the judgement."""

    components: int = parameter(
        10,
        "Components",
        "Principal components whose extremes are registered to each other.",
        ge=1,
        le=30,
        rare=True,
    )
    extremes: bool = parameter(
        True,
        "Extremes",
        "Add the means of the frames of lowest and highest score as a layer: what is left can be "
        "seen by going to and fro between them.",
        group="Layers",
    )


def run(inputs: Inputs, parameters: ResidualMotionParameters, engine: Engine) -> Run:
    """Look for what varies over the frames, and register its extremes."""
    stack, mask = _inputs(inputs)
    reader = Reader(bool(stack.channels), numerics.binning(stack.spatial_shape))
    found = yield from judged(stack, mask, None, reader, parameters.components, engine)
    if found is None:
        raise ValueError(
            f"{stack.name} has {stack.n_frames:,} frames, but {FEWEST} frames that hold data, "
            "differ, and show the same pixels are needed to judge motion; choose more frames."
        )
    table, scores = component_table(found), score_table(stack, found)
    layer = extremes_layer(stack, found, stack.spatial_grid, "stack")
    return Outcome(
        layers=(layer,) if parameters.extremes else (),
        tables=(table, scores),
        plots=(component_plot(table), score_plot(scores, found)),
        summary=f"{stack.name}: {sentence_of(found)}",
        diagnostics=diagnostics_of(found),
    )


def preview(inputs: Inputs, parameters: ResidualMotionParameters, index: int) -> Outcome:
    """Nothing can be said of one frame."""
    stack, _ = _inputs(inputs)
    return Outcome(summary=f"All {stack.n_frames:,} frames are judged together: press Run.")


def plan(inputs: Inputs, parameters: ResidualMotionParameters, engine: Engine) -> Plan:
    """How the largest pass is cut."""
    stack, mask = _inputs(inputs)
    pixels = 1
    for length in stack.spatial_shape:
        pixels *= length
    small = pixels // numerics.binning(stack.spatial_shape) ** len(stack.spatial_shape)
    cost = Cost(output=32 * parameters.components * small, scratch=64 * pixels)
    stacks = (stack,) if mask is None else (stack, mask)
    return make_plan(Reduce(), stacks, cost, engine)


def methods(inputs: Inputs, parameters: ResidualMotionParameters) -> str:
    """Sentence for the methods part of a paper."""
    return (
        "Motion that was left was measured by registering the extremes of the first "
        f"{parameters.components} principal components of the stack to each other."
    )


def extremes_layer(stack: Stack, found: Judgement, target: Grid, role: str) -> ImageResult:
    """Means of lowest and highest score of every component, to go to and fro between."""
    shape = found.extremes.shape[2:]
    factors = [min(found.factor, length) for length in target.shape]
    plane = target.cropped(
        *((0, size * factor) for size, factor in zip(shape, factors, strict=True))
    )
    grid = plane.resampled(shape).after(
        Grid((Axis("component"), Axis("extreme")), found.extremes.shape[:2])
    )
    return ImageResult(
        f"extremes of {stack.name}",
        found.extremes,
        replace(grid, role=role),
        contrast_limits=limits_of(found.extremes[0]),
        visible=False,
    )


def _inputs(inputs: Inputs) -> tuple[Stack, Stack | None]:
    """Stack and mask.

    Raises
    ------
    ValueError
        Where the frames are lines, or the mask does not fit.
    """
    stack = inputs.stack("stack")
    if len(stack.spatial_shape) not in (2, 3):
        size = " x ".join(map(str, stack.frame_shape))
        raise ValueError(
            f"{stack.name} has frames of {size}; planes or volumes are needed: choose the axes "
            "that the frames run along."
        )
    mask = inputs.optional_stack("mask")
    return stack, mask and in_step(mask, stack, "Mask")


TOOL = Tool(
    name="residual_motion",
    title="Motion left",
    menu="register",
    sentence="How much the frames of an aligned stack still move, by what varies in them.",
    inputs=INPUTS,
    parameters=ResidualMotionParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Pachitariu, M. et al. (2017), bioRxiv 061507 (suite2p)",
        "Halko, N., Martinsson, P. G. and Tropp, J. A. (2011), SIAM Review 53, 217-288",
    ),
)
