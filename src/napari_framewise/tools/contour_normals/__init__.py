"""Contour normals: outlines of labels or shapes with their normals, curvature and length."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import MASK, Input, Inputs
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.outcome import Outcome, ShapesResult
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.stacks.units import PIXEL
from napari_framewise.tools.common.rulers import pixel_size
from napari_framewise.tools.contour_normals.report import Ruler, outcome_of
from napari_framewise.tools.contour_normals.tracing import (
    Outline,
    Settings,
    outlines_block,
    outlines_of_shapes,
)

_ROLE = "outlines"
_MANY_VALUES = 64
_BYTES_PER_PIXEL = 24

INPUTS = (
    Input(
        _ROLE,
        MASK,
        "Outlines",
        "Labels or a mask, one image or one for each frame, or drawn shapes: what has an outline.",
        several_frames=True,
        frames="plane",
    ),
)


class ContourNormalsParameters(Parameters):
    """Parameters of contour normals."""

    sigma: Length = parameter(
        Length((6.0,)),
        "Smoothing",
        "Standard deviation of the Gaussian along the outline, at most half the radius of a circle "
        "as long as a closed one; 0 for none.",
        ge=0,
    )
    spacing: float = parameter(
        1.0, "Spacing", "From point to point along an outline.", unit="pixels", ge=0.1, le=100
    )
    arrow_length: float = parameter(
        5.0, "Arrow length", "Of the normals that are drawn.", unit="pixels", gt=0, le=1000
    )


def run(inputs: Inputs, parameters: ContourNormalsParameters, engine: Engine) -> Run:
    """Trace and measure the outlines of all frames."""
    given = _given(inputs)
    ruler, settings = _measures(given, parameters)
    if isinstance(given, ShapesResult):
        yield Progress("Tracing", 0, len(given.data), "shapes")
        return outcome_of(
            given, [outlines_of_shapes(given, settings)], ruler, parameters.arrow_length
        )
    _check_labels(given)
    blocks = yield from run_pass(
        MapFrames(), outlines_block, (given,), (settings,), engine=engine, cost=_cost(given),
        label="Tracing",
    )  # fmt: skip
    frames: list[list[Outline]] = [frame for block in blocks for frame in block]
    return outcome_of(given, frames, ruler, parameters.arrow_length)


def preview(inputs: Inputs, parameters: ContourNormalsParameters, index: int) -> Outcome:
    """The outlines of one frame."""
    given = _given(inputs)
    ruler, settings = _measures(given, parameters)
    if isinstance(given, ShapesResult):
        return outcome_of(
            given, [outlines_of_shapes(given, settings)], ruler, parameters.arrow_length
        )
    number = given.frame_numbers[index]
    one = given.select(replace(given.selection, frames=(number, number + 1, 1)))
    _check_labels(one)
    return outcome_of(one, outlines_block(one.read(0, 1), settings), ruler, parameters.arrow_length)


def plan(inputs: Inputs, parameters: ContourNormalsParameters, engine: Engine) -> Plan:
    """How the run is cut; drawn shapes are not."""
    given = _given(inputs)
    stack = stack_of(np.zeros((1, 1))) if isinstance(given, ShapesResult) else given
    return make_plan(MapFrames(), (stack,), _cost(stack), engine)


def methods(inputs: Inputs, parameters: ContourNormalsParameters) -> str:
    """Sentence for the methods part of a paper."""
    return (
        "Outlines were traced by marching squares, their points smoothed along the outline by a "
        f"Gaussian of sigma {parameters.sigma}, and normals taken orthogonal to the line through "
        "the preceding and the succeeding point (Criminisi et al. 2004); curvature and length were "
        "corrected for the shrinkage by smoothing (Lowe 1989)."
    )


def _given(inputs: Inputs) -> Stack | ShapesResult:
    """The labels or the shapes.

    Raises
    ------
    ValueError
        Where labels have channels.
    """
    (given,) = inputs.as_given(_ROLE)
    assert isinstance(given, (Stack, ShapesResult))
    if isinstance(given, Stack) and given.channels:
        raise ValueError(
            f"Outlines: {given.name} has {given.channels} channels; choose one of them, or give "
            "labels."
        )
    return given


def _measures(
    given: Stack | ShapesResult, parameters: ContourNormalsParameters
) -> tuple[Ruler, Settings]:
    """Units of lengths, and how outlines are measured where pixels are square."""
    axes = (given.spatial_grid if isinstance(given, Stack) else given.grid).axes[-2:]
    ruler = _ruler(axes)
    sigma = parameters.sigma
    if len(sigma.values) > 1:
        raise ValueError(f"Smoothing was given {sigma}; one length along the outline is needed.")
    pixels = sigma.values[0]
    if sigma.unit != PIXEL:
        pixels = sigma.in_pixels(axes, "Smoothing")[0] * ruler.factors[0]
    return ruler, Settings(pixels, parameters.spacing, ruler.factors)


def _ruler(axes: tuple[Axis, ...]) -> Ruler:
    """The mean pixel and its unit; pixels where rows and columns measure different things."""
    height, width, unit = pixel_size(axes)
    mean = math.sqrt(height * width)
    return Ruler(mean, unit, (height / mean, width / mean))


def _check_labels(labels: Stack) -> None:
    """Refuse an image with a value of its own in nearly every pixel: it has no outlines."""
    first = np.asarray(labels.frame(0))
    first = first[np.isfinite(first)] if first.dtype.kind == "f" else first.ravel()
    changes = np.count_nonzero(first[1:] != first[:-1])
    if 2 * changes > first.size and (count := len(np.unique(first))) > _MANY_VALUES:
        raise ValueError(
            f"Outlines: {labels.name} holds {count:,} values that change from pixel to pixel, as "
            "an image does; give labels, a mask or shapes."
        )


def _cost(labels: Stack) -> Cost:
    return Cost(scratch=_BYTES_PER_PIXEL * math.prod(labels.frame_shape))


TOOL = Tool(
    name="contour_normals",
    title="Contour normals",
    menu="measure",
    sentence="Outlines of labels or shapes as smooth curves, with normals, curvature and length.",
    inputs=INPUTS,
    parameters=ContourNormalsParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Criminisi, A., Perez, P. and Toyama, K. (2004), IEEE Trans. Image Process. 13, 1200-1212",
        "Lowe, D. G. (1989), International Journal of Computer Vision 3, 119-130",
    ),
)
