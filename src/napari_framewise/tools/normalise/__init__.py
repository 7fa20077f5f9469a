"""Normalise frames: each by itself, or all by the whole stack, to a range or a mean of one."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress, finish
from napari_framewise.engine.work import MapFrames, Reduce
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.masks import Measured, measured
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import normalise as numerics
from napari_framewise.numerics import statistics
from napari_framewise.tools.common.first_pass import once_for, part_for_preview
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.common.scaled_blocks import Target, scaled_block
from napari_framewise.tools.common.scaling import (
    STATUS_NOTE,
    by_channel,
    filled,
    level_plot,
    level_table,
    normalisation_of,
    partial_status,
    scaled_frames,
    scaled_layer,
    scaling_cost,
    size_in_words,
)
from napari_framewise.tools.common.tally import tally_cost, tally_stack
from napari_framewise.tools.normalise.blocks import (
    FrameLevels,
    Request,
    measured_block,
    normalised_block,
)
from napari_framewise.tools.normalise.parameters import NormaliseParameters

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The frames to normalise."),
    mask_input("measure, such as a background", "All pixels are normalised."),
)


def run(inputs: Inputs, parameters: NormaliseParameters, engine: Engine) -> Run:
    """Measure levels, then scale: at once for frames in memory, else as one looks."""
    given = _measured(inputs, parameters)
    stack, target = given.stack, _target(given, parameters)
    context = (_request(given, parameters), target)
    ranged = parameters.ranged
    if _over_stack(parameters):
        found = yield from _stack_levels(given, parameters, target, engine)
        layer, clipped = yield from scaled_frames(
            stack,
            found.scaling(target),
            given.channel_axis,
            target,
            engine=engine,
            result=parameters.result,
            name="normalised",
            count=True,
            ranged=ranged,
        )
        found = found.with_clipped(clipped)
    elif parameters.result == "memory":
        data, blocks = yield from filled(given.stacks, normalised_block, context, target, engine)
        found = FrameLevels.joined(blocks)
        layer = scaled_layer(stack, data, target, "normalised", ranged=ranged)
    else:
        blocks = yield from run_pass(
            MapFrames(),
            measured_block,
            given.stacks,
            context,
            engine=engine,
            cost=scaling_cost(stack, target, stored=False),
            label="Measuring",
        )
        found = FrameLevels.joined(blocks)
        layer, _ = yield from scaled_frames(
            stack,
            found.scaling(target),
            given.channel_axis,
            target,
            engine=engine,
            result="lazy",
            name="normalised",
            count=False,
            ranged=ranged,
        )
    return _outcome(given, parameters, target, found, layer)


def preview(inputs: Inputs, parameters: NormaliseParameters, index: int) -> Outcome:
    """Normalise one frame; where the whole stack counts, after a first pass over it."""
    given = _measured(inputs, parameters)
    stack, target = given.stack, _target(given, parameters)
    frames, masks = given.read(index)
    layout = layout_of(stack).still
    shown, out = layout.empty(target.dtype)
    said = ""
    if _over_stack(parameters):
        part, said = part_for_preview(given)
        found = once_for(
            part,
            parameters.model_dump(exclude={"result"}),
            lambda: finish(_stack_levels(part, parameters, target, Engine.local()), lambda _: None),
        )
        scaling = found.scaling(target)
        clipped = scaled_block(
            frames, scaling.offset, scaling.gain, given.channel_axis, target, False, out=out
        )
        status = np.bitwise_or.reduce(found.status, axis=0, keepdims=True)
        found = FrameLevels(scaling.offset, scaling.gain, status, clipped).with_clipped(clipped)
    else:
        found = normalised_block(frames, masks, _request(given, parameters), target, out=out)
    limits = target.ends if parameters.ranged else limits_of(out)
    words = _levels_in_words(given, target, found)
    layer = ImageResult(
        f"{stack.name} normalised",
        shown,
        layout.grid,
        rgb=layout.rgb,
        contrast_limits=limits,
    )
    return Outcome(
        layers=(layer,),
        summary=f"Frame {stack.frame_numbers[index]}: {words}{said}",
        diagnostics=numerics.diagnostics(found.status),
    )


def plan(inputs: Inputs, parameters: NormaliseParameters, engine: Engine) -> Plan:
    """How the measuring is cut."""
    given = _measured(inputs, parameters)
    if _over_stack(parameters):
        return make_plan(Reduce(), given.stacks, tally_cost(given), engine)
    cost = scaling_cost(given.stack, _target(given, parameters), stored=False)
    return make_plan(MapFrames(), given.stacks, cost, engine)


def advise(inputs: Inputs, parameters: NormaliseParameters) -> str:
    """How large the result is, and how often the stack is read for it."""
    given = _measured(inputs, parameters)
    return size_in_words(given.stack, parameters.dtype, parameters.result)


def methods(inputs: Inputs, parameters: NormaliseParameters) -> str:
    """Sentence for the methods part of a paper."""
    low, high = parameters.low_percentile, parameters.high_percentile
    what = {
        "min_max": "their least and greatest pixel to {} and {}",
        "maximum": "0 and their greatest pixel to {} and {}",
        "percentiles": f"their {low:g} % and {high:g} % percentiles to {{}} and {{}}",
        "dtype_range": "the range of their type to {} and {}",
        "mean": "their mean pixel to 1",
        "z_score": "their mean and standard deviation to 0 and 1",
    }[parameters.method]
    ends, _ = numerics.result_range(parameters.method, parameters.dtype, parameters.ends)
    subject = "Frames were normalised linearly, each by itself, bringing "
    if _over_stack(parameters):
        subject = "Frames were normalised linearly, all in the same way, bringing "
        what = what.replace("their ", "the stack's ")
    where = ", measured within a mask" if inputs["mask"] or parameters.region else ""
    return f"{subject}{what.format(*(f'{end:g}' for end in ends))}{where}."


def warm_up() -> None:
    """Compile what a run needs."""
    for method in ("min_max", "percentiles", "z_score"):
        numerics.normalise(np.ones((2, 4, 4), np.uint16), method)
    statistics.warm_up("uint16")


def _measured(inputs: Inputs, parameters: NormaliseParameters) -> Measured:
    return measured(
        inputs,
        channels_along=parameters.channels_along,
        per_channel=parameters.per_channel,
        region=parameters.region,
    )


def _over_stack(parameters: NormaliseParameters) -> bool:
    """Whether one offset and gain holds for all frames; the type's range is never measured."""
    return parameters.scope == "stack" or parameters.method == "dtype_range"


def _target(given: Measured, parameters: NormaliseParameters) -> Target:
    ends, limits = numerics.result_range(
        parameters.method, parameters.dtype, parameters.ends, clip=parameters.clip
    )
    return Target(ends, limits, parameters.dtype)


def _request(given: Measured, parameters: NormaliseParameters) -> Request:
    percentiles = (parameters.low_percentile, parameters.high_percentile)
    return Request(parameters.method, percentiles, given.channel_axis, given.fixed)


def _stack_levels(
    given: Measured, parameters: NormaliseParameters, target: Target, engine: Engine
) -> Generator[Progress, None, FrameLevels]:
    """Offset and gain of the whole stack, and the status of each frame."""
    dtype = given.stack.dtype
    if parameters.method == "dtype_range":
        levels = numerics.levels(np.empty((1, 1), dtype), "dtype_range")
        partial = np.zeros((given.stack.n_frames, 1), np.uint8)
    else:
        wanted = (parameters.low_percentile, parameters.high_percentile)
        percentiles = wanted if parameters.method == "percentiles" else ()
        whole = yield from tally_stack(given, engine, percentiles=percentiles)
        levels = numerics.levels_of_stack(
            statistics.pool(whole.moments),
            parameters.method,
            percentiles=whole.percentiles,
        )
        partial = partial_status(whole.moments)
    scaling = numerics.scaling_of(levels, target.ends)
    status = levels.status | partial
    return FrameLevels(scaling.offset, scaling.gain, status, np.zeros(status.shape, np.int64))


def _outcome(
    given: Measured,
    parameters: NormaliseParameters,
    target: Target,
    found: FrameLevels,
    layer: ImageResult,
) -> Outcome:
    per_frame = not _over_stack(parameters)
    scaling = found.scaling(target)
    status, clipped = found.status, found.clipped
    if not per_frame:
        status = np.bitwise_or.reduce(status, axis=0, keepdims=True)
        clipped = clipped.sum(axis=0, keepdims=True)
    table = level_table(
        given.stack,
        "normalisation",
        scaling,
        given.names,
        per_frame=per_frame,
        further={
            "low": (found.offset, "Value that became the low end of the range."),
            "high": (found.top(target), "Value that became its high end; the low one where flat."),
            "clipped": (clipped, "Pixels that were clipped."),
            "status": (status, STATUS_NOTE),
        },
    )
    plots = (
        (level_plot(table, "Levels", ("low", "high"), given.names, "Value in the stack"),)
        if per_frame
        else ()
    )
    return Outcome(
        layers=(layer,),
        tables=(table,),
        plots=plots,
        models=(normalisation_of(given.stack, scaling, parameters.method, given.names),),
        summary=_levels_in_words(given, target, found),
        diagnostics=numerics.diagnostics(found.status),
    )


def _levels_in_words(given: Measured, target: Target, found: FrameLevels) -> str:
    """What became what: "102 to 4,031 became 0 to 1."."""
    low, high = found.offset, found.top(target)
    if not np.isfinite(low).any():
        return "No frame held a pixel to go by."
    typical = [np.nanmedian(each, axis=0) for each in (low, high)]
    texts = [f"{start:.6g} to {end:.6g}" for start, end in zip(*typical, strict=True)]
    names = given.names if len(texts) > 1 else ()
    median = f" in the median of {len(low):,} frames" if len(low) > 1 else ""
    ends = f"{target.ends[0]:g} to {target.ends[1]:g}"
    return f"{by_channel(names, texts, ', ')} became {ends}{median}."


TOOL = Tool(
    name="normalise",
    title="Normalise frames",
    menu="filter",
    sentence="Bring every frame, or the whole stack, to a range, a mean of one, or z-scores.",
    inputs=INPUTS,
    parameters=NormaliseParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Hyndman, R. J. and Fan, Y. (1996), The American Statistician 50, 361-365 (type 7)",
    ),
    advise=advise,
    warm_up=warm_up,
    compile_seconds=1,
)
