"""A filter's run, preview and plan, from what it declares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from napari_framewise.engine import Engine
from napari_framewise.engine.banded import bands_of
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import finish
from napari_framewise.engine.sinks import MemorySinks, Several
from napari_framewise.engine.work import Cost, MapBands, MapFrames
from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.framemap.blocks import (
    Values,
    filter_block,
    merged,
)
from napari_framewise.framework.framemap.declaration import Column, Declared
from napari_framewise.framework.framemap.prepared import Prepared, frame_of, prepared
from napari_framewise.framework.framemap.results import outcome_of
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run
from napari_framewise.stacks.stack import Stack


def run(declared: Declared, inputs: Inputs, parameters: Any, engine: Engine) -> Run:
    """Filter all frames now, or as one looks; columns and vectors are always computed."""
    made = prepared(declared, inputs, parameters, engine)
    now = parameters.result == "memory"
    places = [made.layout.empty(made.dtype(image)) for image in made.images] if now else []
    values: Sequence[Values] = []
    if now or made.has_values:
        values = yield from run_pass(
            made.run_work,
            partial(filter_block, made.computation),
            made.inputs,
            engine=engine,
            cost=made.cost_of_item,
            label=declared.label,
            into=MemorySinks([blocks for _, blocks in places]) if now else None,
        )
        values = _by_frames(made, values)
    data: list[Any] = [image for image, _ in places] or made.lazy()
    outcome = outcome_of(made, data, values, made.stack.frame_numbers, made.layout)
    if declared.report is None:
        return outcome
    said = declared.report(inputs, made.computation.parameters)
    return replace(
        outcome,
        tables=(*outcome.tables, *said.tables),
        plots=(*outcome.plots, *said.plots),
        summary=f"{outcome.summary} {said.summary}".strip(),
        diagnostics=(*outcome.diagnostics, *said.diagnostics),
    )


def preview(declared: Declared, inputs: Inputs, parameters: Any, index: int) -> Outcome:
    """Filter one frame."""
    made = prepared(declared, inputs, parameters, Engine.local())
    layout = made.layout.still
    places = [layout.empty(made.dtype(image)) for image in made.images]
    if isinstance(made.run_work, MapBands):
        pass_over = run_pass(
            made.run_work,
            partial(filter_block, made.computation),
            [given and _only(given, index) for given in made.inputs],
            engine=Engine.local(),
            cost=made.cost_of_item,
            into=MemorySinks([blocks for _, blocks in places]),
        )
        values = _by_frames(made, finish(pass_over, lambda _: None))
    else:
        blocks = [frame_of(given, index) for given in made.inputs]
        out = Several(place for _, place in places)
        values = [filter_block(made.computation, *blocks, out=out)]
    data = [image for image, _ in places]
    numbers = made.stack.frame_numbers[index : index + 1]
    return outcome_of(made, data, values, numbers, layout)


def plan(declared: Declared, inputs: Inputs, parameters: Any, engine: Engine) -> Plan:
    """How the run is cut."""
    made = prepared(declared, inputs, parameters, engine)
    return make_plan(made.run_work, made.inputs, made.cost_of_item, engine)


def _by_frames(made: Prepared, values: Sequence[Values]) -> Sequence[Values]:
    """Values of whole frames, from those of their bands."""
    work, declared = made.run_work, made.declared
    if not isinstance(work, MapBands) or not made.has_values:
        return values
    bands = -(-work.height // work.band)
    columns = declared.columns.items()
    merges = {name: each.merge for name, each in columns if isinstance(each, Column)}
    starts = range(0, len(values), bands)
    return [merged(values[start : start + bands], merges) for start in starts]


def advise(declared: Declared, inputs: Inputs, parameters: Any) -> str:
    """How large the results are, and where."""
    stack = with_channels(inputs.stack("stack"), parameters.channels_along)
    parameters = declared.settled(inputs, parameters)
    on = None if declared.grid is None else declared.grid(stack.spatial_grid, parameters)
    elements = stack.n_frames * math.prod(layout_of(stack, on=on).frame_shape)
    types = [image.dtype_for(stack.dtype, stack.rgb) for image in declared.images_of(parameters)]
    size = elements * sum(dtype.itemsize for dtype in types) / 2**20
    text = f"{size / 1024:,.1f} GiB" if size >= 1024 else f"{max(size, 0.1):,.1f} MiB"
    names = " and ".join(dict.fromkeys(dtype.name for dtype in types))
    place = "in memory" if parameters.result == "memory" else "computed as one looks"
    return f"Result: {text} of {names}, {place}." + _why_whole(declared, stack, parameters)


def _why_whole(declared: Declared, stack: Stack, parameters: Any) -> str:
    """Why large frames are not cut into bands, in a sentence; empty where they are, or small."""
    cost = Cost(scratch=int(declared.scratch * math.prod(stack.frame_shape)))
    why = declared.why_whole(parameters)
    if not why or isinstance(bands_of((stack,), cost, 0, Engine.local()), MapFrames):
        return ""
    return f" Frames are filtered whole, for {why}."


def _only(given: Stack, index: int) -> Stack:
    """One frame of a stack; the only one where it goes with all."""
    if given.n_frames == 1:
        return given
    number = given.frame_numbers[index]
    return given.select(replace(given.selection, frames=(number, number + 1, 1)))
