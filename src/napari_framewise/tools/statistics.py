"""Stack statistics: mean, deviation, extremes, percentiles of a data set, channel by channel."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

import numpy as np
from pydantic import field_validator

from napari_framewise.numerics import statistics as numerics
from napari_framewise.stacks.engine import Engine
from napari_framewise.stacks.plan import Plan, make_plan
from napari_framewise.stacks.progress import Progress
from napari_framewise.stacks.work import Reduce
from napari_framewise.tools._scaling import channels_parameter
from napari_framewise.tools._statistics_report import (
    channel_table,
    covariance_table,
    diagnostics_of,
    frame_summary,
    histogram_table,
    image_table,
    plots_of,
    python_lines,
    summary_of,
)
from napari_framewise.tools._tally import WholeStack, tally_cost, tally_stack
from napari_framewise.tools.inputs import Input, Inputs, Kind
from napari_framewise.tools.measured import Measured, measured, used_pixels
from napari_framewise.tools.outcome import Outcome
from napari_framewise.tools.parameters import Parameters, parameter
from napari_framewise.tools.tool import Run, Tool

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The images to measure."),
    Input(
        "mask",
        Kind.LABELS,
        "Mask",
        "Pixels to measure: not zero = use this pixel. One image for all frames, or one per frame.",
        least=0,
        several_frames=True,
    ),
)


class StatisticsParameters(Parameters):
    """Parameters of the statistics."""

    weights: Literal["pixels", "images"] = parameter(
        "pixels",
        "Weights",
        "Every pixel counts alike, or every image does, whatever its number of pixels. Percentiles "
        "and histogram always count pixels.",
    )
    percentiles: tuple[float, ...] = parameter(
        (1.0, 50.0, 99.0), "Percentiles", "Exact, over all pixels; 50 is the median.", unit="%"
    )
    per_channel: bool = parameter(True, "Channels apart", "Measure each channel by itself.")
    covariance: bool = parameter(True, "Covariance", "Covariance and correlation between channels.")
    bins: int = parameter(
        256, "Histogram bins", "Most bins of the histogram; 0 for none.", ge=0, le=65536, rare=True
    )
    channels_along: int | None = channels_parameter()

    @field_validator("percentiles")
    @classmethod
    def _in_range(cls, percentiles: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 <= each <= 100 for each in percentiles):
            raise ValueError("each percentile should lie between 0 and 100")
        return tuple(sorted(set(percentiles)))


def run(inputs: Inputs, parameters: StatisticsParameters, engine: Engine) -> Run:
    """Measure all images in one pass, or as many as their type's percentiles take."""
    given = _measured(inputs, parameters)
    whole = yield from _tallied(given, parameters, engine)
    return _outcome(given, parameters, whole)


def preview(inputs: Inputs, parameters: StatisticsParameters, index: int) -> Outcome:
    """Measure one image."""
    given = _measured(inputs, parameters)
    blocks = [each.read(index, index + 1) for each in given.stacks]
    masks = blocks[1] if len(blocks) > 1 else None
    use = used_pixels(blocks[0], masks, given.fixed, given.channel_axis)
    found = numerics.moments(blocks[0], channel_axis=given.channel_axis, mask=use)
    number = given.stack.frame_numbers[index]
    return Outcome(summary=f"Frame {number}: {frame_summary(given.names, found)}")


def plan(inputs: Inputs, parameters: StatisticsParameters, engine: Engine) -> Plan:
    """How the first pass is cut."""
    given = _measured(inputs, parameters)
    return make_plan(Reduce(), given.stacks, tally_cost(given), engine)


def advise(inputs: Inputs, parameters: StatisticsParameters) -> str:
    """How often the stack is read."""
    dtype = inputs.stack("stack").dtype
    passes = 1
    if parameters.percentiles:
        passes = numerics.find_percentiles(parameters.percentiles, dtype).passes
    if parameters.bins and not (dtype.kind in "bui" and dtype.itemsize <= 2):
        passes = max(passes, 2)
    return f"The stack is read {'once' if passes == 1 else f'{passes} times'}."


def methods(inputs: Inputs, parameters: StatisticsParameters) -> str:
    """Sentence for the methods part of a paper."""
    alike = "pixel" if parameters.weights == "pixels" else "image"
    where = " inside the mask" if inputs["mask"] else ""
    return (
        f"Mean and standard deviation were computed over all pixels{where} of all images, every "
        f"{alike} counting alike; the variance holds that within images and that between their "
        "means."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    for dtype in (np.uint8, np.uint16):
        numerics.warm_up(dtype)


def _measured(inputs: Inputs, parameters: StatisticsParameters) -> Measured:
    return measured(
        inputs, channels_along=parameters.channels_along, per_channel=parameters.per_channel
    )


def _tallied(
    given: Measured, parameters: StatisticsParameters, engine: Engine
) -> Generator[Progress, None, WholeStack]:
    return (
        yield from tally_stack(
            given,
            engine,
            percentiles=parameters.percentiles,
            cross=parameters.covariance and len(given.names) > 1,
            bins=parameters.bins,
        )
    )


def _outcome(given: Measured, parameters: StatisticsParameters, whole: WholeStack) -> Outcome:
    pooled = numerics.pool(whole.moments, parameters.weights)
    images = image_table(given.stack, given.names, whole.moments)
    tables = [
        channel_table(given.names, pooled, parameters.percentiles, whole.percentiles),
        images,
    ]
    if whole.cross is not None:
        tables.append(covariance_table(given.names, whole.cross, parameters.weights))
    histogram = None
    if whole.edges is not None and whole.bins is not None:
        histogram = histogram_table(given.names, whole.edges, whole.bins)
        tables.append(histogram)
    return Outcome(
        tables=tuple(tables),
        plots=plots_of(given.names, images, histogram),
        summary=summary_of(given.names, pooled),
        diagnostics=diagnostics_of(whole.moments),
        python=python_lines(given.stack.dtype, pooled),
    )


TOOL = Tool(
    name="statistics",
    title="Stack statistics",
    menu="measure",
    sentence="Mean, deviation, extremes and percentiles of all images, channel by channel.",
    inputs=INPUTS,
    parameters=StatisticsParameters,
    work=Reduce(),
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983), Am. Statistician 37, 242-247",
        "Hyndman, R. J. and Fan, Y. (1996), The American Statistician 50, 361-365 (type 7)",
    ),
    advise=advise,
    warm_up=warm_up,
)
