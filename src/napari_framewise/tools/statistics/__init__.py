"""Stack statistics: mean, deviation, extremes, percentiles of a data set, channel by channel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import field_validator

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Reduce
from napari_framewise.framework.channels import COLOURS
from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.framemap import channels_parameter
from napari_framewise.framework.inputs import MASK, Input, Inputs, Kind
from napari_framewise.framework.masks import Measured, measured, used_pixels
from napari_framewise.framework.outcome import Outcome, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import statistics as numerics
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.common.tally import (
    WholeStack,
    images_cost,
    region_moments,
    tally_cost,
    tally_images,
    tally_stack,
)
from napari_framewise.tools.statistics.regions import (
    empty_regions,
    region_plot,
    region_summary,
    region_table,
)
from napari_framewise.tools.statistics.report import (
    channel_table,
    covariance_table,
    diagnostics_of,
    file_columns,
    frame_summary,
    histogram_table,
    image_table,
    plots_of,
    summary_of,
)

INPUTS = (
    Input(
        "stack",
        Kind.IMAGES,
        "Images",
        "The images to measure: a stack, or a folder of images that may differ in size.",
    ),
    mask_input("measure"),
    Input(
        "regions",
        MASK,
        "Regions",
        "Regions whose mean is followed from frame to frame: every shape of a layer, or every "
        "value of an image of labels.",
        least=0,
        lies_on="stack",
    ),
)


class StatisticsParameters(Parameters):
    """Parameters of the statistics."""

    weights: Literal["pixels", "images"] = parameter(
        "pixels",
        "Weights",
        "Equal weights for all pixels, or for all images whatever their number of pixels. "
        "Percentiles and histogram always count pixels.",
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
    images, names = _images(inputs, parameters)
    options: dict[str, Any] = {
        "percentiles": parameters.percentiles,
        "cross": parameters.covariance and len(names) > 1,
        "bins": parameters.bins,
    }
    if isinstance(images, RaggedStack):
        whole = yield from tally_images(images, -1 if names else None, engine, **options)
        table = image_table(*file_columns(images), names, whole.moments)
        return _outcome(names, parameters, whole, table, images.dtype)
    regions = inputs.regions("regions")
    whole = yield from tally_stack(images, engine, regions=regions, **options)
    table = image_table(*frame_columns(images.stack), names, whole.moments)
    outcome = _outcome(names, parameters, whole, table, images.stack.dtype)
    if not regions:
        return outcome
    of_regions = region_table(*frame_columns(images.stack), names, regions, whole.regions)
    return replace(
        outcome,
        tables=(*outcome.tables, of_regions),
        plots=(region_plot(names, regions, of_regions), *outcome.plots),
        summary=f"{outcome.summary} {region_summary(names, regions, whole.regions)}",
        diagnostics=outcome.diagnostics + empty_regions(regions, whole.regions),
    )


def preview(inputs: Inputs, parameters: StatisticsParameters, index: int) -> Outcome:
    """Measure one image."""
    images, names = _images(inputs, parameters)
    axis = -1 if names else None
    if isinstance(images, RaggedStack):
        found = numerics.moments(images.read(index)[None], channel_axis=axis)
        return Outcome(summary=f"{images.names[index]}: {frame_summary(names, found)}")
    frames, masks = images.read(index)
    use = used_pixels(frames, masks, images.fixed, axis)
    found = numerics.moments(frames, channel_axis=axis, mask=use)
    number = images.stack.frame_numbers[index]
    said = f"Frame {number}: {frame_summary(names, found)}"
    regions = inputs.regions("regions")
    if regions:
        apart = tuple(
            region_moments(frames, masks, images.fixed, axis, region) for region in regions
        )
        said += f" {region_summary(names, regions, apart)}"
    return Outcome(summary=said)


def plan(inputs: Inputs, parameters: StatisticsParameters, engine: Engine) -> Plan:
    """How the first pass is cut."""
    images, _ = _images(inputs, parameters)
    if isinstance(images, RaggedStack):
        return make_plan(Reduce(), (images.numbers,), images_cost(images), engine)
    return make_plan(Reduce(), images.stacks, tally_cost(images), engine)


def advise(inputs: Inputs, parameters: StatisticsParameters) -> str:
    """How often the images are read."""
    images, _ = _images(inputs, parameters)
    dtype = images.dtype if isinstance(images, RaggedStack) else images.stack.dtype
    passes = 1
    if parameters.percentiles:
        passes = numerics.find_percentiles(parameters.percentiles, dtype).passes
    if parameters.bins and not (dtype.kind in "bui" and dtype.itemsize <= 2):
        passes = max(passes, 2)
    often = "once" if passes == 1 else f"{passes} times"
    if isinstance(images, RaggedStack):
        return f"{images.summary()}; each is read {often}."
    return f"The stack is read {often}."


def methods(inputs: Inputs, parameters: StatisticsParameters) -> str:
    """Sentence for the methods part of a paper."""
    where = " inside the mask" if inputs["mask"] else ""
    return (
        f"Mean and standard deviation were computed over all pixels{where} of all images, with "
        f"equal weights for all {parameters.weights}; the variance holds that within images and "
        "that between their means."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    for dtype in (np.uint8, np.uint16):
        numerics.warm_up(dtype)


def _images(
    inputs: Inputs, parameters: StatisticsParameters
) -> tuple[Measured | RaggedStack, tuple[str, ...]]:
    """What is measured, and the names of its channels."""
    (images,) = inputs["stack"]
    if not isinstance(images, RaggedStack):
        given = measured(
            inputs, channels_along=parameters.channels_along, per_channel=parameters.per_channel
        )
        return given, given.names
    for role, what, fits in (
        ("mask", "A mask was given", "a mask fits"),
        ("regions", "Regions were given", "regions fit"),
    ):
        if inputs[role]:
            raise ValueError(
                f"{what}, but {images.name} holds {images.summary()}; {fits} images of one size "
                "only."
            )
    apart = images.rgb and parameters.per_channel
    return images, COLOURS[: images.shapes[0][2]] if apart else ()


def _outcome(
    names: tuple[str, ...],
    parameters: StatisticsParameters,
    whole: WholeStack,
    images: Table,
    dtype: np.dtype[Any],
) -> Outcome:
    pooled = numerics.pool(whole.moments, parameters.weights)
    channels = channel_table(names, pooled, parameters.percentiles, whole.percentiles, dtype)
    tables = [channels, images]
    if whole.cross is not None:
        tables.append(covariance_table(names, whole.cross, parameters.weights))
    histogram = None
    if whole.edges is not None and whole.bins is not None:
        histogram = histogram_table(names, whole.edges, whole.bins)
        tables.append(histogram)
    return Outcome(
        tables=tuple(tables),
        plots=plots_of(names, images, histogram),
        summary=summary_of(names, pooled),
        diagnostics=diagnostics_of(whole.moments),
    )


TOOL = Tool(
    name="statistics",
    title="Stack statistics",
    menu="measure",
    sentence="Mean, deviation, extremes and percentiles of all images, channel by channel.",
    inputs=INPUTS,
    parameters=StatisticsParameters,
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
    compile_seconds=1,
)
