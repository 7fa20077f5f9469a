"""Random erasing: rectangles of every frame filled, of an exact number of pixels together."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.in_step import series
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import erasing as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.erasing.blocks import (
    cost_of,
    dtype_of,
    erased_block,
    rectangles_block,
    rectangles_of,
)
from napari_framewise.tools.erasing.parameters import ErasingParameters
from napari_framewise.tools.erasing.report import (
    diagnostics_of,
    mask_layer,
    rectangle_table,
    shapes_layer,
    summary_of,
)

INPUTS = (Input("stack", Kind.STACK, "Stack", "The frames to erase parts of.", frames="plane"),)


def run(inputs: Inputs, parameters: ErasingParameters, engine: Engine) -> Run:
    """Draw rectangles for every frame, and fill them now or as one looks."""
    stack = _stack(inputs, parameters)
    shape = _shape(stack)
    numbers = np.asarray(stack.frame_numbers, np.int64)
    drawn = numbers[:1] * 0 if parameters.same else numbers
    # What can't be met is said of the first frame at once, and not of a block.
    rectangles_of(int(drawn[0]), shape, parameters)
    blocks = yield from run_pass(
        MapFrames(),
        rectangles_block,
        (series(drawn, "frames"),),
        (shape, parameters),
        engine=engine,
        cost=Cost(output=48 * parameters.rectangles, seconds=1e-3),
        label="Drawing rectangles",
    )
    rectangles = np.concatenate(blocks)
    given = _given(stack, rectangles, numbers)
    cost, dtype, layout = cost_of(stack), dtype_of(stack, parameters), layout_of(stack)
    data: Any
    if parameters.result == "memory":
        data, places = layout.empty(dtype)
        yield from run_pass(
            MapFrames(),
            erased_block,
            given,
            (parameters,),
            engine=engine,
            cost=cost,
            label="Erasing",
            into=MemorySink(places),
        )
    else:
        data = LazyFrames(
            given,
            erased_block,
            (parameters,),
            dtype=dtype,
            frame_shape=layout.frame_shape,
            order=layout.order,
            cost=cost,
        )
    image = _image(stack, layout, data, layout.first(data))
    shapes = shapes_layer(stack, rectangles, parameters)
    return Outcome(
        layers=(
            image,
            mask_layer(stack, rectangles, parameters),
            shapes,
        ),
        tables=(rectangle_table(rectangles, numbers, parameters),),
        summary=summary_of(stack, parameters),
        diagnostics=diagnostics_of(stack, rectangles, len(shapes.data)),
    )


def preview(inputs: Inputs, parameters: ErasingParameters, index: int) -> Outcome:
    """One frame, and its mask."""
    stack = _stack(inputs, parameters)
    number = int(stack.frame_numbers[index])
    mine = rectangles_of(0 if parameters.same else number, _shape(stack), parameters)[None]
    layout = layout_of(stack).still
    data, place = layout.empty(dtype_of(stack, parameters))
    frame = stack.read(index, index + 1)
    native = frame.astype(frame.dtype.newbyteorder("="), copy=False)
    erased_block(native, mine, np.array([[number]]), parameters, out=place)
    return Outcome(
        layers=(_image(stack, layout, data, data),),
        summary=summary_of(stack, parameters),
        diagnostics=diagnostics_of(stack, mine, len(mine[0]), index),
    )


def plan(inputs: Inputs, parameters: ErasingParameters, engine: Engine) -> Plan:
    """How the frames are cut."""
    stack = _stack(inputs, parameters)
    return make_plan(MapFrames(), (stack,), cost_of(stack), engine)


def methods(inputs: Inputs, parameters: ErasingParameters) -> str:
    """Sentence for the methods part of a paper."""
    count = parameters.rectangles
    many = "one rectangle" if count == 1 else f"{count} disjoint rectangles"
    what = {
        "constant": f"the value {parameters.value:g}",
        "mean": "the mean of the other pixels",
        "noise": "normal noise of the mean and standard deviation of the other pixels",
        "nan": "no data",
    }[parameters.fill]
    which = "the same in all frames" if parameters.same else "drawn anew for each frame"
    return (
        f"Of every frame exactly {parameters.share:g} % of the pixels (to the nearest pixel) were "
        f"replaced by {what}, in {many} at random places, {which} (seed {parameters.seed}), after "
        "Zhong et al. (2020)."
    )


def warm_up() -> None:
    """Compile the kernels that lay rectangles into a crowded frame."""
    numerics.random_rectangles((9, 9), 70, 2)


def _stack(inputs: Inputs, parameters: ErasingParameters) -> Stack:
    return with_channels(inputs.stack("stack"), parameters.channels_along)


def _shape(stack: Stack) -> tuple[int, int]:
    rows, columns = stack.spatial_shape
    return rows, columns


def _given(stack: Stack, rectangles: Array, numbers: Array) -> tuple[Stack, Stack, Stack]:
    return stack, series(rectangles, "rectangles"), series(numbers, "frames")


def _image(stack: Stack, layout: Layout, data: Any, sample: Array) -> ImageResult:
    return ImageResult(
        f"{stack.name} erased",
        data,
        layout.grid,
        rgb=layout.rgb,
        contrast_limits=limits_of(sample),
    )


TOOL = Tool(
    name="erasing",
    title="Random erasing",
    menu="data",
    sentence="Erase 1 to 4 random rectangles of every frame, an exact share of its pixels.",
    inputs=INPUTS,
    parameters=ErasingParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=("Zhong, Z. et al. (2020), Proc. AAAI 34, 13001-13008 (one rectangle)",),
    warm_up=warm_up,
    compile_seconds=3.0,
)
