"""Standardise channels: each channel to mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal, NamedTuple

import numpy as np
from pydantic import model_validator

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress, finish
from napari_framewise.engine.work import MapFrames, Reduce
from napari_framewise.framework.framemap import Result, channels_parameter, result_parameter
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.masks import Measured, measured
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import standardise as numerics
from napari_framewise.numerics import statistics
from napari_framewise.numerics.normalise import diagnostics
from napari_framewise.stacks.source import Array
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
from napari_framewise.tools.standardise.blocks import Standard, moments_block, standardised_block

INPUTS = (
    Input(
        "stack",
        Kind.STACK,
        "Stack",
        "The frames to standardise, with or without channels: (N, H, W, C), (N, C, H, W), "
        "(N, H, W).",
    ),
    mask_input("take mean and standard deviation from", "All pixels are standardised."),
)


class StandardiseParameters(Parameters):
    """Parameters of standardising."""

    scope: Literal["frame", "stack", "given"] = parameter(
        "frame",
        "Measured over",
        "Each channel of each frame by itself, each channel over the whole stack, or given means "
        "and standard deviations.",
    )
    means: tuple[float, ...] = parameter(
        (),
        "Means",
        "Given means: one per channel, or one for all.",
        unit="units of the stack",
        shown_when={"scope": "given"},
    )
    stds: tuple[float, ...] = parameter(
        (),
        "Standard deviations",
        "Given standard deviations: one per channel, or one for all.",
        unit="units of the stack",
        shown_when={"scope": "given"},
    )
    ddof: int = parameter(
        0,
        "ddof",
        "Subtracted from the number of pixels in the variance: 0 describes these pixels, 1 "
        "estimates a population.",
        shown_when={"scope": ("frame", "stack")},
        ge=0,
        rare=True,
    )
    epsilon: float = parameter(
        0.0,
        "Epsilon",
        "Added to the variance, against large values where hardly anything varies.",
        unit="squared units of the stack",
        ge=0,
        rare=True,
    )
    dtype: Literal["float32", "float64"] = parameter("float32", "Type", "Type of the result.")
    channels_along: int | None = channels_parameter()
    result: Result = result_parameter()

    @model_validator(mode="after")
    def _given(self) -> StandardiseParameters:
        if self.scope == "given":
            numerics.given_statistics(self.means or None, self.stds or None, self.epsilon)
        elif self.means or self.stds:
            raise ValueError(
                f"Means or standard deviations were given, but they are measured over each "
                f"{self.scope}; choose given, or leave them empty."
            )
        return self


class _Standardisation(NamedTuple):
    """Means as offsets, one over deviations as gains, and the status of each frame."""

    scaling: numerics.Scaling
    status: Array


def run(inputs: Inputs, parameters: StandardiseParameters, engine: Engine) -> Run:
    """Measure, then scale: at once for frames in memory, else as one looks."""
    given = _measured(inputs, parameters)
    stack, target = given.stack, _target(parameters)
    if parameters.scope == "frame" and parameters.result == "memory":
        data, blocks = yield from filled(
            given.stacks,
            standardised_block,
            (_standard(given, parameters),),
            target,
            engine,
            "Standardising",
        )
        offset, gain, status = (np.concatenate(each) for each in zip(*blocks, strict=True))
        found = _Standardisation(numerics.Scaling(offset, gain), status)
        layer = scaled_layer(stack, data, target, "standardised", ranged=False)
        return _outcome(given, parameters, found, layer)
    found = yield from _statistics(given, parameters, engine)
    layer, _ = yield from scaled_frames(
        stack,
        found.scaling,
        given.channel_axis,
        target,
        engine=engine,
        result=parameters.result,
        name="standardised",
        count=False,
        ranged=False,
    )
    return _outcome(given, parameters, found, layer)


def preview(inputs: Inputs, parameters: StandardiseParameters, index: int) -> Outcome:
    """Standardise one frame; where the whole stack counts, after a first pass over it."""
    given = _measured(inputs, parameters)
    stack, target = given.stack, _target(parameters)
    frames, masks = given.read(index)
    layout, said = layout_of(stack).still, ""
    shown, out = layout.empty(parameters.dtype)
    if parameters.scope == "frame":
        offset, gain, status = standardised_block(
            frames, masks, _standard(given, parameters), out=out
        )
        found = _Standardisation(numerics.Scaling(offset, gain), status)
    else:
        part, said = part_for_preview(given) if parameters.scope == "stack" else (given, "")
        found = once_for(
            part,
            parameters.model_dump(exclude={"result"}),
            lambda: finish(_statistics(part, parameters, Engine.local()), lambda _: None),
        )
        scaling = found.scaling
        context = (given.channel_axis, target, False)
        scaled_block(frames, scaling.offset, scaling.gain, *context, out=out)
    layer = ImageResult(
        f"{stack.name} standardised",
        shown,
        layout.grid,
        rgb=layout.rgb,
        contrast_limits=limits_of(out),
    )
    return Outcome(
        layers=(layer,),
        summary=f"Frame {stack.frame_numbers[index]}: {_in_words(given, found)}{said}",
        diagnostics=diagnostics(found.status),
    )


def plan(inputs: Inputs, parameters: StandardiseParameters, engine: Engine) -> Plan:
    """How the measuring is cut."""
    given = _measured(inputs, parameters)
    if parameters.scope == "stack":
        return make_plan(Reduce(), given.stacks, tally_cost(given), engine)
    target = _target(parameters)
    cost = scaling_cost(given.stack, target, stored=False)
    return make_plan(MapFrames(), given.stacks, cost, engine)


def advise(inputs: Inputs, parameters: StandardiseParameters) -> str:
    """How large the result is, and what the channels are."""
    given = _measured(inputs, parameters)
    channels = f" Channels: {', '.join(given.names)}." if given.names else " One channel."
    return size_in_words(given.stack, parameters.dtype, parameters.result) + channels


def methods(inputs: Inputs, parameters: StandardiseParameters) -> str:
    """Sentence for the methods part of a paper."""
    over = {
        "frame": "of each frame by its own",
        "stack": "by the whole stack's",
        "given": "by given",
    }[parameters.scope]
    divisor = "N" if not parameters.ddof else f"N - {parameters.ddof}"
    how = "" if parameters.scope == "given" else f" (variance over {divisor})"
    floor = f", {parameters.epsilon:g} being added to the variance" if parameters.epsilon else ""
    where = ", measured within a mask" if inputs["mask"] else ""
    return (
        f"Channels were standardised, each {over} mean and standard deviation{how}{floor}{where}."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    for dtype in (np.uint8, np.uint16):
        numerics.warm_up(dtype)


def _measured(inputs: Inputs, parameters: StandardiseParameters) -> Measured:
    given = measured(inputs, channels_along=parameters.channels_along, per_channel=True)
    channels = max(1, len(given.names))
    for what, values in (("means", parameters.means), ("deviations", parameters.stds)):
        if len(values) not in (0, 1, channels):
            raise ValueError(
                f"{len(values)} {what} were given, but {given.stack.name} has "
                f"{channels} channel{'s' if channels > 1 else ''}; give one, or one per channel."
            )
    return given


def _standard(given: Measured, parameters: StandardiseParameters) -> Standard:
    return Standard(
        parameters.ddof,
        parameters.epsilon,
        given.channel_axis,
        given.fixed,
    )


def _target(parameters: StandardiseParameters) -> Target:
    return Target((0.0, 1.0), None, parameters.dtype)


def _statistics(
    given: Measured, parameters: StandardiseParameters, engine: Engine
) -> Generator[Progress, None, _Standardisation]:
    """What channels are standardised by, without scaling them."""
    ddof, epsilon = parameters.ddof, parameters.epsilon
    if parameters.scope == "given":
        return _Standardisation(
            *numerics.given_statistics(parameters.means, parameters.stds, epsilon)
        )
    if parameters.scope == "frame":
        blocks = yield from run_pass(
            MapFrames(),
            moments_block,
            given.stacks,
            (_standard(given, parameters),),
            engine=engine,
            cost=tally_cost(given),
            label="Measuring",
        )
        moments = statistics.join_moments(blocks)
        return _Standardisation(*numerics.scaling_of_moments(moments, ddof, epsilon))
    whole = yield from tally_stack(given, engine)
    pooled = statistics.pool(whole.moments)
    scaling, status = numerics.scaling_of_stack(pooled, ddof, epsilon)
    return _Standardisation(scaling, np.asarray(status | partial_status(whole.moments), np.uint8))


def _outcome(
    given: Measured, parameters: StandardiseParameters, found: _Standardisation, layer: ImageResult
) -> Outcome:
    per_frame = parameters.scope == "frame"
    scaling, status = found
    if not per_frame:
        status = np.bitwise_or.reduce(status, axis=0, keepdims=True)
    spread = np.divide(1.0, scaling.gain, out=np.zeros_like(scaling.gain), where=scaling.gain != 0)
    floor = " (epsilon included)" if parameters.epsilon else ""
    table = level_table(
        given.stack,
        "standardisation",
        scaling,
        given.names,
        per_frame=per_frame,
        further={
            "mean": (scaling.offset, "Mean, in units of the stack."),
            "std": (spread, f"Standard deviation{floor}; 0 where nothing varied."),
            "status": (status, STATUS_NOTE),
        },
    )
    plots = (
        (level_plot(table, "Mean and deviation", ("mean", "std"), given.names, "Value"),)
        if per_frame
        else ()
    )
    return Outcome(
        layers=(layer,),
        tables=(table,),
        plots=plots,
        models=(normalisation_of(given.stack, scaling, "standardise", given.names),),
        summary=_in_words(given, found),
        diagnostics=diagnostics(found.status),
    )


def _in_words(given: Measured, found: _Standardisation) -> str:
    offset, gain = found.scaling.offset, found.scaling.gain
    if not np.isfinite(offset).any():
        return "No channel held pixels enough to go by."
    middle, factor = (np.nanmedian(each, axis=0) for each in (offset, gain))
    spread = np.divide(1.0, factor, out=np.zeros_like(factor), where=factor != 0)
    texts = [f"mean {m:.6g}, deviation {s:.6g}" for m, s in zip(middle, spread, strict=True)]
    names = given.names if len(texts) > 1 else ()
    median = f" (median of {len(offset):,} frames)" if len(offset) > 1 else ""
    return f"{by_channel(names, texts, '; ')}{median} became 0 and 1."


TOOL = Tool(
    name="standardise",
    title="Standardise channels",
    menu="filter",
    sentence="Bring each channel of every frame, or of the stack, to mean 0 and deviation 1.",
    inputs=INPUTS,
    parameters=StandardiseParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Ulyanov, D., Vedaldi, A. and Lempitsky, V. (2016), arXiv:1607.08022, eq. 1",
        "Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983), Am. Statistician 37, 242-247",
    ),
    advise=advise,
    warm_up=warm_up,
    compile_seconds=1,
)
