"""Curves: the outlines of layers in a section, each as one continuous curve, measured."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.in_step import in_step, series
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.common.rulers import pixel_size
from napari_framewise.tools.curves.blocks import Settings, WayPoints, curves_block
from napari_framewise.tools.curves.report import outcome_of

_SCRATCH, _SECONDS = 180, 3e-6
"""Bytes and seconds of work for each pixel of a frame, about."""
_MOST_WAYS = 32
_FEWEST = 3

INPUTS = (
    Input(
        "stack", Kind.STACK, "Stack", "Sections with outlines from left to right.", frames="plane"
    ),
    Input(
        "way_points",
        Kind.POINTS,
        "Way-points",
        "Points that an outline passes through: one set of points for each outline that is missed "
        "or goes astray. In one frame, or for all frames.",
        least=0,
        most=_MOST_WAYS,
        folded=True,
    ),
    mask_input("look at", same_frame=True),
)


class CurvesParameters(Parameters):
    """Parameters of curves."""

    feature: Literal["dark line", "bright line", "edge"] = parameter(
        "dark line", "Outlines are", "What an outline looks like beside its surroundings."
    )
    sigma: float = parameter(
        2.0,
        "Width",
        "Sigma of the filter across an outline: about half the width of its line, or of the blur "
        "of its edge. Wider bears more noise, and joins outlines that lie close together.",
        unit="pixels",
        ge=0.5,
        le=50,
    )
    outlines: int | None = parameter(
        None,
        "Outlines",
        "How many there are in each frame; empty: as many as stand out from the noise.",
        start=1,
        ge=1,
        le=_MOST_WAYS,
    )
    form: Literal["spline", "pieces"] = parameter(
        "spline",
        "Curve",
        "A smoothing spline, its strength by cross-validation, or straight pieces that meet.",
    )
    pieces: int | None = parameter(
        None,
        "Pieces",
        "How many straight pieces; empty: the number of the least Bayesian information criterion.",
        start=8,
        ge=1,
        le=500,
        shown_when={"form": ("pieces",)},
    )
    least_seen: float = parameter(
        0.5,
        "Least seen",
        "Share of its length along which an outline must stand out from the noise, where the "
        "number of outlines is left open.",
        ge=0,
        le=1,
        rare=True,
    )
    separation: float = parameter(
        4.0,
        "Separation",
        "What lies within this distance of an outline belongs to it, and to no other.",
        unit="pixels",
        ge=0,
        le=100,
        rare=True,
    )


def run(inputs: Inputs, parameters: CurvesParameters, engine: Engine) -> Run:
    """Follow the outlines of every frame."""
    stack, mask = _inputs(inputs)
    numbers = series(np.arange(stack.n_frames))
    blocks = yield from run_pass(
        MapFrames(),
        curves_block,
        (stack, mask, numbers),
        (_way_points(inputs), _settings(stack, parameters), bool(stack.channels)),
        engine=engine,
        label="Following outlines",
        cost=_cost(stack),
    )
    return outcome_of(stack, [each for block in blocks for each in block], parameters.outlines)


def preview(inputs: Inputs, parameters: CurvesParameters, index: int) -> Outcome:
    """The outlines of one frame."""
    stack, mask = _inputs(inputs)
    marks = None if mask is None else mask.read(min(index, mask.n_frames - 1), index + 1)
    found = curves_block(
        stack.read(index, index + 1),
        marks,
        np.array([[index]]),
        _way_points(inputs),
        _settings(stack, parameters),
        bool(stack.channels),
    )
    return outcome_of(stack, found, parameters.outlines, index)


def plan(inputs: Inputs, parameters: CurvesParameters, engine: Engine) -> Plan:
    """How the frames are cut."""
    stack, mask = _inputs(inputs)
    given = (stack,) if mask is None else (stack, mask)
    return make_plan(MapFrames(), given, _cost(stack), engine)


def methods(inputs: Inputs, parameters: CurvesParameters) -> str:
    """Sentence for the methods part of a paper."""
    feature = {
        "dark line": "dark lines by the second derivative",
        "bright line": "bright lines by the second derivative",
        "edge": "edges by the first derivative",
    }[parameters.feature]
    curve = {
        "spline": "a cubic smoothing spline, its strength by generalised cross-validation",
        "pieces": "continuous straight pieces, their number by the Bayesian information criterion"
        if parameters.pieces is None
        else f"{parameters.pieces} continuous straight pieces",
    }[parameters.form]
    return (
        f"Outlines were found as {feature} of oriented Gaussians of sigma {parameters.sigma:g} "
        "pixels, followed from side to side as paths of least cost that do not cross, and fitted "
        f"by {curve}, with Huber's and Tukey's weights against outliers."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    scene = np.ones((16, 24))
    scene[8] = 0
    settings = Settings("dark line", 1.0, 1, "spline", None, 0.5, 4.0, (1.0, 1.0))
    curves_block(scene[np.newaxis], None, np.zeros((1, 1)), (), settings, False)


def _inputs(inputs: Inputs) -> tuple[Stack, Stack | None]:
    stack, mask = inputs.stack("stack"), inputs.optional_stack("mask")
    height, width = stack.spatial_shape
    if min(height, width) < _FEWEST:
        raise ValueError(
            f"Stack: {stack.name} has frames of {height} x {width} pixels; outlines need at least "
            f"{_FEWEST} x {_FEWEST}."
        )
    return stack, mask and in_step(mask, stack, "Mask")


def _way_points(inputs: Inputs) -> tuple[WayPoints, ...]:
    height, width = inputs.stack("stack").spatial_shape
    given = inputs.points("way_points")
    for each in given:
        for y, x in each.places:
            if not (-0.5 <= y < height - 0.5 and -0.5 <= x < width - 0.5):
                raise ValueError(
                    f"Way-points: a point of {each.name} lies at row {y:g}, column {x:g}, outside "
                    f"of frames of {height} x {width}; move it inside."
                )
    return tuple(WayPoints(each.places, each.frames) for each in given)


def _settings(stack: Stack, parameters: CurvesParameters) -> Settings:
    height, width, _ = pixel_size(stack.spatial_grid.axes)
    return Settings(
        parameters.feature,
        parameters.sigma,
        parameters.outlines,
        parameters.form,
        parameters.pieces,
        parameters.least_seen,
        parameters.separation,
        (height, width),
    )


def _cost(stack: Stack) -> Cost:
    pixels = math.prod(stack.spatial_shape)
    return Cost(scratch=_SCRATCH * pixels, seconds=_SECONDS * pixels)


TOOL = Tool(
    name="curves",
    title="Curves through outlines",
    menu="measure",
    sentence="Outlines of layers through noise and gaps, each as one curve, with its measures.",
    inputs=INPUTS,
    parameters=CurvesParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    warm_up=warm_up,
    citations=(
        "Cohen, L. D. and Kimmel, R. (1997), International Journal of Computer Vision 24, 57-78",
        "Craven, P. and Wahba, G. (1979), Numerische Mathematik 31, 377-403 (spline)",
        "Friedman, J. H. and Silverman, B. W. (1989), Technometrics 31, 3-21 (straight pieces)",
        "Huber, P. J. (1964), Annals of Mathematical Statistics 35, 73-101",
    ),
)
