"""Grid nodes: corners of chessboards, centres of dots and crossings of lines, frame by frame."""

from __future__ import annotations

from typing import Literal

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import MapFrames
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.grid_nodes.blocks import cost_of, nodes_block
from napari_framewise.tools.grid_nodes.report import (
    diagnostics_of,
    frame_table,
    node_table,
    nothing_found,
    points_of,
    summary_of,
)

__all__ = [
    "TOOL",
    "GridNodesParameters",
    "cost_of",
    "dark_of",
    "nodes_block",
    "nothing_found",
]

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "Images of a grid.", frames="plane"),
    mask_input("look at", same_frame=True),
)


class GridNodesParameters(Parameters):
    """Parameters of the search for nodes."""

    pattern: Literal["chessboard", "dots", "lines"] = parameter(
        "chessboard",
        "Pattern",
        "What the grid is made of: nodes are the inner corners of a chessboard, the centres of "
        "round dots, or the crossings of lines.",
    )
    ink: Literal["auto", "dark", "bright"] = parameter(
        "auto",
        "Dots or lines are",
        "Darker or brighter than the ground; by itself what there is less of.",
        shown_when={"pattern": ("dots", "lines")},
    )


def dark_of(ink: str) -> bool | None:
    """Whether dots and lines are dark, where that was said."""
    return None if ink == "auto" else ink == "dark"


def run(inputs: Inputs, parameters: GridNodesParameters, engine: Engine) -> Run:
    """Look for the grid in every frame."""
    stack, mask = _inputs(inputs)
    blocks = yield from run_pass(
        MapFrames(),
        nodes_block,
        (stack, mask),
        (parameters.pattern, dark_of(parameters.ink), bool(stack.channels)),
        engine=engine,
        label="Looking for nodes",
        cost=cost_of(stack),
    )
    found = [nodes for block in blocks for nodes in block]
    return Outcome(
        layers=(points_of(stack, found),),
        tables=(frame_table(stack, found), node_table(stack, found)),
        summary=summary_of(stack, found),
        diagnostics=diagnostics_of(stack, found),
    )


def preview(inputs: Inputs, parameters: GridNodesParameters, index: int) -> Outcome:
    """The nodes of one frame."""
    stack, mask = _inputs(inputs)
    marks = None if mask is None else mask.read(min(index, mask.n_frames - 1), index + 1)
    frames = stack.read(index, index + 1)
    dark = dark_of(parameters.ink)
    (found,) = nodes_block(frames, marks, parameters.pattern, dark, bool(stack.channels))
    number = int(stack.frame_numbers[index])
    words = (
        f"{len(found.places):,} nodes in {found.shape[0]} rows and {found.shape[1]} columns."
        if len(found.places)
        else nothing_found(f"Frame {number}", found)
    )
    return Outcome(layers=(points_of(stack, [found], index),), summary=words)


def plan(inputs: Inputs, parameters: GridNodesParameters, engine: Engine) -> Plan:
    """How the frames are cut."""
    stack, mask = _inputs(inputs)
    return make_plan(
        MapFrames(), (stack,) if mask is None else (stack, mask), cost_of(stack), engine
    )


def methods(inputs: Inputs, parameters: GridNodesParameters) -> str:
    """Sentence for the methods part of a paper."""
    how = {
        "chessboard": "Inner corners of a chessboard were found as saddle points of quadratics "
        "fitted to the pixels around them",
        "dots": "Dots were found by the centroids of their ink, corrected for the curvature of the "
        "map from board to image",
        "lines": "Crossings of grid lines were found where parabolas through the middles of the "
        "lines meet",
    }
    return f"{how[parameters.pattern]}."


def _inputs(inputs: Inputs) -> tuple[Stack, Stack | None]:
    stack, mask = inputs.stack("stack"), inputs.optional_stack("mask")
    return stack, mask and in_step(mask, stack, "Mask")


TOOL = Tool(
    name="grid_nodes",
    title="Grid nodes",
    menu="measure",
    sentence="Corners of a chessboard, centres of dots or crossings of lines, to sub-pixels.",
    inputs=INPUTS,
    parameters=GridNodesParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Heikkila, J. (2000), IEEE Trans. Pattern Anal. Mach. Intell. 22, 1066-1077 (dots)",
        "Lucchese, L. and Mitra, S. K. (2002), Proc. APCCAS, 409-412 (saddle points)",
    ),
)
