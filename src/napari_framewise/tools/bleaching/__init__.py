"""Bleach correction: frames that grow darker get their brightness back."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress, finish
from napari_framewise.engine.work import Cost, Reduce
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.masks import Measured, measured, used_pixels
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import bleaching as numerics
from napari_framewise.numerics import statistics
from napari_framewise.numerics.common.blocks import float_for
from napari_framewise.numerics.scaling import Scaling
from napari_framewise.stacks.source import Array
from napari_framewise.tools.bleaching.blocks import Matching, matched_block
from napari_framewise.tools.bleaching.parameters import INPUTS, BleachingParameters
from napari_framewise.tools.bleaching.report import (
    brightness_plot,
    decay_table,
    diagnostics_of,
    frame_table,
    range_notes,
    summary_of,
    times_of,
)
from napari_framewise.tools.common.first_pass import once_for, part_for_preview
from napari_framewise.tools.common.scaled_blocks import Target, scaled_block
from napari_framewise.tools.common.scaling import (
    filled,
    normalisation_of,
    scaled_frames,
    scaled_layer,
    size_in_words,
)
from napari_framewise.tools.common.tally import tally_cost, tally_stack

_NAME = "bleach-corrected"


@dataclass(frozen=True, eq=False)
class Brightness:
    """Means (n, C) of all frames and the decays fitted to them, one per channel; maybe none.

    `largest` (n, C) is how large their values are, `flat` whether all are one value.
    """

    means: Array
    largest: Array
    flat: Array
    decays: tuple[numerics.Decay, ...]


def run(inputs: Inputs, parameters: BleachingParameters, engine: Engine) -> Run:
    """Measure the means, then correct: at once for frames in memory, else as one looks."""
    given = _measured(inputs, parameters)
    target = _target(parameters)
    found = yield from _brightness(given, parameters, engine)
    gains: Array | None = None
    models: tuple[Any, ...] = ()
    if parameters.method == "histogram":
        target = _fitting(target, found.largest)
        layer = yield from _matched(given, parameters, target, engine)
    else:
        gains = _gains(found.means, found.decays, times_of(given)[0], given, parameters)
        scaling = _scaling(gains, parameters)
        target = _fitting(target, found.largest * gains)
        layer, _ = yield from scaled_frames(
            given.stack,
            scaling,
            given.channel_axis,
            target,
            engine=engine,
            result=parameters.result,
            name=_NAME,
            count=False,
            ranged=False,
        )
        method = f"bleaching, {parameters.method}"
        models = (normalisation_of(given.stack, scaling, method, given.names),)
    table = frame_table(given, found.means, gains, found.decays)
    return Outcome(
        layers=(layer,),
        tables=(table, decay_table(given, found.decays)) if found.decays else (table,),
        plots=(brightness_plot(given, table, bool(found.decays)),),
        models=models,
        summary=summary_of(given, found.means, found.decays),
        diagnostics=diagnostics_of(given, found.means, gains, found.decays, parameters.background)
        + range_notes(given, found.largest, found.flat, gains is None),
    )


def preview(inputs: Inputs, parameters: BleachingParameters, index: int) -> Outcome:
    """Correct one frame, after a first pass over the stack where all frames count."""
    given = _measured(inputs, parameters)
    stack, target = given.stack, _target(parameters)
    frames, masks = given.read(index)
    target = _fitting(target, frames)
    layout = layout_of(stack).still
    shown, out = layout.empty(target.dtype)
    said = ""
    if parameters.method == "histogram":
        matched_block(frames, masks, _matching(given, parameters), target, out=out)
        words = "matched to the reference frame"
    else:
        decays: tuple[numerics.Decay, ...] = ()
        if parameters.method == "exponential":
            part, said = part_for_preview(given)
            decays = once_for(
                part,
                parameters.model_dump(include={"level", "background", "channels_along"}),
                lambda: (
                    finish(_brightness(part, parameters, Engine.local()), lambda _: None).decays
                ),
            )
        means = _means(given, frames, masks)
        gains = _gains(means, decays, times_of(given)[0][index : index + 1], given, parameters)
        base = np.full(gains.shape, parameters.background)
        scaled_block(frames, base, gains, given.channel_axis, target, False, out=out)
        words = f"multiplied by {', '.join(f'{gain:.4g}' for gain in gains[0])}"
    layer = ImageResult(
        f"{stack.name} {_NAME}", shown, layout.grid, rgb=layout.rgb, contrast_limits=limits_of(out)
    )
    return Outcome(layers=(layer,), summary=f"Frame {stack.frame_numbers[index]}: {words}.{said}")


def plan(inputs: Inputs, parameters: BleachingParameters, engine: Engine) -> Plan:
    """How the measuring is cut."""
    given = _measured(inputs, parameters)
    return make_plan(Reduce(), given.stacks, tally_cost(given), engine)


def advise(inputs: Inputs, parameters: BleachingParameters) -> str:
    """How large the result is, and where."""
    given = _measured(inputs, parameters)
    return size_in_words(given.stack, parameters.dtype, parameters.result)


def methods(inputs: Inputs, parameters: BleachingParameters) -> str:
    """Sentence for the methods part of a paper."""
    frame = f"frame {parameters.reference_frame}"
    region = " within a region" if inputs["mask"] else ""
    level = " and a constant" if parameters.level else ""
    ways = {
        "ratio": f"by the ratio of its mean{region} to that of {frame}",
        "exponential": f"by an exponential decay{level} fitted to the means{region} of all frames",
        "histogram": f"by matching its histogram{region} to that of {frame}",
    }
    return f"Bleaching was corrected for in every frame {ways[parameters.method]} (Miura, 2020)."


def warm_up() -> None:
    """Compile what a run needs."""
    statistics.warm_up("uint16")


def _measured(inputs: Inputs, parameters: BleachingParameters) -> Measured:
    given = measured(inputs, channels_along=parameters.channels_along, per_channel=True)
    if parameters.method != "exponential":
        _reference(given, parameters)
    return given


def _reference(given: Measured, parameters: BleachingParameters) -> int:
    """Place of the reference frame among those that were chosen."""
    numbers = given.stack.frame_numbers
    if parameters.reference_frame not in numbers:
        raise ValueError(
            f"The reference frame {parameters.reference_frame} was asked for, but "
            f"{given.stack.name} has the frames {numbers[0]} to {numbers[-1]}; choose one of them."
        )
    return numbers.index(parameters.reference_frame)


def _target(parameters: BleachingParameters) -> Target:
    base = parameters.background if parameters.method != "histogram" else 0.0
    return Target((base, base + 1), None, parameters.dtype)


def _fitting(target: Target, values: Array) -> Target:
    """The type that was chosen; float64 where values are beyond float32."""
    return replace(target, dtype=float_for(values).name) if target.dtype == "float32" else target


def _brightness(
    given: Measured, parameters: BleachingParameters, engine: Engine
) -> Generator[Progress, None, Brightness]:
    whole = yield from tally_stack(given, engine)
    means = whole.moments.mean
    largest = np.maximum(np.abs(whole.moments.minimum), np.abs(whole.moments.maximum))
    flat = whole.moments.minimum == whole.moments.maximum
    if parameters.method != "exponential":
        return Brightness(means, largest, flat, ())
    times, _ = times_of(given)
    # what is left without a level of its own is the background
    base = 0.0 if parameters.level else parameters.background
    fits = (numerics.fit_decay(each - base, times, level=parameters.level) for each in means.T)
    return Brightness(means, largest, flat, tuple(fit.raised(base) for fit in fits))


def _means(given: Measured, frames: Array, masks: Array | None) -> Array:
    """Means (n, C) of a block of frames."""
    use = used_pixels(frames, masks, given.fixed, given.channel_axis)
    return statistics.moments(frames, channel_axis=given.channel_axis, mask=use).mean


def _gains(
    means: Array,
    decays: tuple[numerics.Decay, ...],
    times: Array,
    given: Measured,
    parameters: BleachingParameters,
) -> Array:
    """Factors (n, C) of frames with these means at these times."""
    base = parameters.background
    if decays:
        columns = [numerics.decay_gains(decay, times, background=base) for decay in decays]
        return np.stack(columns, axis=1)
    index = _reference(given, parameters)
    reference = _means(given, *given.read(index))[0]
    if not np.isfinite(reference).all():
        raise ValueError(
            f"The reference frame {parameters.reference_frame} of {given.stack.name} holds no data "
            "to measure; choose another."
        )
    if not (reference > base).all():
        raise ValueError(
            f"The reference frame {parameters.reference_frame} has a mean of {reference.min():.4g} "
            f"with a background of {base:g}; choose a frame that is brighter than the background."
        )
    columns = [
        numerics.ratio_gains(each, float(level), background=base)
        for each, level in zip(means.T, reference, strict=True)
    ]
    return np.stack(columns, axis=1)


def _scaling(gains: Array, parameters: BleachingParameters) -> Scaling:
    return Scaling(np.full(gains.shape, parameters.background), gains, parameters.background)


def _matching(given: Measured, parameters: BleachingParameters) -> Matching:
    """The distribution of the reference frame, of each channel."""
    index = _reference(given, parameters)
    frames, masks = given.read(index)
    use = used_pixels(frames, masks, given.fixed, given.channel_axis)
    use = use if use is None or use is given.fixed else use[0]
    frame = frames[0]
    channels = [frame] if given.channel_axis is None else np.moveaxis(frame, -1, 0)
    levels = tuple(numerics.levels_of(each, use) for each in channels)
    return Matching(levels, given.channel_axis, given.fixed)


def _matched(
    given: Measured, parameters: BleachingParameters, target: Target, engine: Engine
) -> Generator[Progress, None, ImageResult]:
    context = (_matching(given, parameters), target)
    data: Any
    if parameters.result == "memory":
        label = "Matching histograms"
        data, _ = yield from filled(given.stacks, matched_block, context, target, engine, label)
    else:
        pixels = int(np.prod(given.stack.frame_shape))
        data = LazyFrames(
            given.stacks,
            matched_block,
            context,
            dtype=target.dtype,
            order=layout_of(given.stack).order,
            cost=Cost(scratch=40 * pixels, seconds=1e-5 + 1e-7 * pixels),
        )
    return scaled_layer(given.stack, data, target, _NAME, ranged=False)


TOOL = Tool(
    name="bleaching",
    title="Bleach correction",
    menu="filter",
    sentence="Give frames that grow darker their brightness back: ratio, exponential, histogram.",
    inputs=INPUTS,
    parameters=BleachingParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Miura, K. (2020), F1000Research 9, 1494",
        "Golub, G. H. and Pereyra, V. (1973), SIAM Journal on Numerical Analysis 10, 413-432",
    ),
    advise=advise,
    warm_up=warm_up,
)
