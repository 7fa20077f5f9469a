"""Apply or undo a normalisation: offsets and gains that were found on one stack, on another."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import MapFrames
from napari_framewise.framework.channels import (
    channel_names,
    with_channels,
)
from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.framemap import Result, channels_parameter, result_parameter
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import normalise as numerics
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.common.scaled_blocks import Target, scaled_block
from napari_framewise.tools.common.scaling import (
    Normalisation,
    scaled_frames,
    scaling_cost,
    size_in_words,
)

INPUTS = (
    Input(
        "stack",
        Kind.STACK,
        "Stack",
        "To apply to: any stack with as many frames and channels. To undo: the normalised frames.",
    ),
    Input(
        "model",
        Kind.MODEL,
        "Normalisation",
        "What Normalise frames or Standardise channels gave.",
        model_kind=Normalisation.kind,
    ),
)


class RenormaliseParameters(Parameters):
    """Parameters of applying and undoing."""

    direction: Literal["apply", "undo"] = parameter(
        "apply",
        "Direction",
        "Apply the same offsets and gains to this stack, or undo them on a normalised one.",
    )
    dtype: Literal["as_measured", "float32", "float64", "uint8", "uint16"] = parameter(
        "as_measured",
        "Type",
        "Type of the result: as measured gives float32 where it is applied, and the type of the "
        "data that was measured where it is undone. Integers are rounded and clipped.",
    )
    channels_along: int | None = channels_parameter()
    result: Result = result_parameter()


def run(inputs: Inputs, parameters: RenormaliseParameters, engine: Engine) -> Run:
    """Scale as one looks, or all frames now."""
    stack, model, target = _prepared(inputs, parameters)
    undo = parameters.direction == "undo"
    layer, clipped = yield from scaled_frames(
        stack,
        model.scaling,
        _channel_axis(model),
        target,
        engine=engine,
        result=parameters.result,
        name="restored" if undo else "normalised",
        count=True,
        ranged=False,
        undo=undo,
    )
    return Outcome(
        layers=(layer,),
        tables=() if clipped is None else (_table(stack, model, clipped),),
        summary=_in_words(stack, model, parameters),
        diagnostics=_diagnostics(stack, model, clipped, undo),
    )


def preview(inputs: Inputs, parameters: RenormaliseParameters, index: int) -> Outcome:
    """Apply or undo on one frame."""
    stack, model, target = _prepared(inputs, parameters)
    undo = parameters.direction == "undo"
    layout = layout_of(stack).still
    shown, out = layout.empty(target.dtype)
    here = slice(index, index + 1) if len(model.offset) > 1 else slice(0, 1)
    clipped = scaled_block(
        stack.read(index, index + 1),
        model.offset[here],
        model.gain[here],
        _channel_axis(model),
        target,
        undo,
        out=out,
    )
    layer = ImageResult(
        f"{stack.name} {'restored' if undo else 'normalised'}",
        shown,
        layout.grid,
        rgb=layout.rgb,
        contrast_limits=limits_of(out),
    )
    said = f" {int(clipped.sum()):,} values were clipped." if clipped.any() else ""
    return Outcome(
        layers=(layer,), summary=f"Frame {stack.frame_numbers[index]}: {layer.name}.{said}"
    )


def plan(inputs: Inputs, parameters: RenormaliseParameters, engine: Engine) -> Plan:
    """How the scaling is cut."""
    stack, _, target = _prepared(inputs, parameters)
    return make_plan(MapFrames(), (stack,), scaling_cost(stack, target), engine)


def advise(inputs: Inputs, parameters: RenormaliseParameters) -> str:
    """How large the result is, and what the model came from."""
    stack, model, target = _prepared(inputs, parameters)
    size = size_in_words(stack, target.dtype, parameters.result)
    return f"{size} Measured on {model.source.layer} ({model.dtype}) by {model.method}."


def methods(inputs: Inputs, parameters: RenormaliseParameters) -> str:
    """Sentence for the methods part of a paper."""
    (model,) = inputs["model"]
    assert isinstance(model, Normalisation)
    verb = "applied to" if parameters.direction == "apply" else "undone on"
    return (
        f"The offsets and gains found on {model.source.layer} ({model.method}) were {verb} the "
        "frames."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    ones = numerics.Scaling(np.ones((1, 1)), np.ones((1, 1)))
    for dtype in (np.uint16, np.float32):
        numerics.scale(np.ones((1, 2, 2), dtype), ones)


def _prepared(
    inputs: Inputs, parameters: RenormaliseParameters
) -> tuple[Stack, Normalisation, Target]:
    stack = with_channels(inputs.stack("stack"), parameters.channels_along)
    (model,) = inputs["model"]
    assert isinstance(model, Normalisation)
    channels = len(channel_names(stack))
    if len(model.offset) not in (1, stack.n_frames):
        raise ValueError(
            f"The normalisation was found on {len(model.offset):,} frames, each by itself, but "
            f"{stack.name} has {stack.n_frames:,}; choose as many, or one that was measured over a "
            "whole stack."
        )
    if model.offset.shape[1] not in (1, channels or 1):
        raise ValueError(
            f"The normalisation has {model.offset.shape[1]} channels, but {stack.name} has "
            f"{channels or 1}; choose a stack with as many, or say along which axis they are."
        )
    kind: str = parameters.dtype
    if kind == "as_measured":
        kind = model.dtype if parameters.direction == "undo" else "float32"
    kind = "uint8" if kind == "bool" else kind
    limits = None
    if np.dtype(kind).kind in "ui":
        info = np.iinfo(kind)
        limits = (float(info.min), float(info.max))
    return stack, model, Target((model.base, model.base + 1), limits, kind)


def _channel_axis(model: Normalisation) -> int | None:
    return -1 if model.offset.shape[1] > 1 else None


def _table(stack: Stack, model: Normalisation, clipped: np.ndarray[Any, Any]) -> Table:
    columns, notes = frame_columns(stack)
    for channel, values in enumerate(clipped.T):
        name = f"clipped_{model.channels[channel]}" if clipped.shape[1] > 1 else "clipped"
        columns[name] = values
        notes[name] = "Values that did not fit into the type of the result."
    return Table("clipped", "frame", columns, notes)


def _in_words(stack: Stack, model: Normalisation, parameters: RenormaliseParameters) -> str:
    what = "undone on" if parameters.direction == "undo" else "applied to"
    return (
        f"The normalisation of {model.source.layer} ({model.method}) was {what} "
        f"{counted(stack.n_frames, 'frame')}."
    )


def _diagnostics(
    stack: Stack, model: Normalisation, clipped: np.ndarray[Any, Any] | None, undo: bool
) -> tuple[str, ...]:
    said = []
    flat = np.flatnonzero((model.gain == 0).any(axis=1))
    if len(flat) and undo:
        named = ", ".join(map(str, flat[:5])) + (" ..." if len(flat) > 5 else "")
        many = "s" if len(flat) > 1 else ""
        which = "The stack" if len(model.gain) == 1 else f"Frame{many} {named}"
        said.append(f"{which} had nothing to scale by; undone, all pixels are the one value kept.")
    if clipped is not None and clipped.any():
        count = int((clipped > 0).any(axis=1).sum())
        said.append(f"{count:,} of {stack.n_frames:,} frames have values that were clipped.")
    return tuple(said)


TOOL = Tool(
    name="renormalise",
    title="Renormalise",
    menu="filter",
    sentence="Use offsets and gains that were found on one stack on another, or take them back.",
    inputs=INPUTS,
    parameters=RenormaliseParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    advise=advise,
    warm_up=warm_up,
)
