"""Optical flow: where every pixel went, as arrows, colours and numbers, and how surely."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import LayerResult, Outcome, PointsResult
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.framework.transform import moved_points
from napari_framewise.numerics import flow as numerics
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.tools.flow.blocks import (
    PairResult,
    fields_block,
    fill_fields,
    flow_block,
    pair_flows,
    summarised,
)
from napari_framewise.tools.flow.layers import (
    dense_layers,
    fields_stack,
    followed,
    vector_layer,
    warped_layer,
)
from napari_framewise.tools.flow.model import FlowModel
from napari_framewise.tools.flow.pairs import Pairs, cut, pairs_of, roughly_like
from napari_framewise.tools.flow.parameters import INPUTS, FlowParameters
from napari_framewise.tools.flow.report import (
    diagnostics_of,
    direction_table,
    pair_table,
    plots_of,
    summary_of,
)
from napari_framewise.tools.flow.units import Motion, motion_of

_MOST_KEPT = 512 * 2**20
_MOST_VECTORS = 100_000
# Up to here a preview is exact at once.
_QUICK_PIXELS = 128**2
# Bytes of scratch of a pixel, per axis of the grid and per channel; seconds of a flow one way.
_SCRATCH = 60
_SECONDS = {"fast": 1.2e-6, "thorough": 4e-6}


def run(inputs: Inputs, parameters: FlowParameters, engine: Engine) -> Run:
    """Estimate the flow of every pair, or take a known one; then move what goes with it."""
    if inputs["flow"]:
        return (yield from _applied(inputs, parameters))
    pairs = pairs_of(inputs, parameters)
    step, notes = _step(pairs, parameters)
    pairs = replace(pairs, task=replace(pairs.task, step=step))
    fields, results = yield from _estimated(pairs, parameters, engine)
    layout = layout_of(pairs.like, pairs.role, channels=False)
    stack = fields_stack(fields, layout)
    motion = _motion(pairs)
    largest = max((result.largest for result in results), default=0.0)
    name = pairs.whole.name
    layers: list[LayerResult] = []
    if parameters.warped:
        layers.append(warped_layer(pairs.second, stack, _unfilled(pairs), layout))
    layers += dense_layers(name, stack, layout, parameters, largest)
    if parameters.vectors:
        numbers = pairs.first_numbers
        layers.append(vector_layer(name, results, numbers, layout, parameters, motion))
    models: tuple[FlowModel, ...] = ()
    if isinstance(fields, np.ndarray):
        models = (_model(fields, pairs),)
        layers += _followers(inputs, models[0], parameters)
    else:
        notes.append(
            "The flow of all pairs is too large to keep: it is computed again where one looks, and "
            "not given as a model; choose fewer frames or a region to have one."
        )
        if inputs["others"] or inputs["labels"] or inputs["points"]:
            notes.append("Nothing was moved with it for the same reason.")
    return Outcome(
        layers=tuple(layers),
        tables=(pair_table(pairs, results, motion), direction_table(results)),
        plots=plots_of(results, motion),
        models=models,
        summary=summary_of(pairs, results, motion),
        diagnostics=diagnostics_of(pairs, results, notes),
    )


def preview(inputs: Inputs, parameters: FlowParameters, index: int) -> Outcome:
    """The flow of the pair that begins with a frame, of large ones roughly; see `refine`."""
    return _previewed(inputs, parameters, index, roughly=True)


def refine(inputs: Inputs, parameters: FlowParameters, index: int) -> Outcome:
    """The flow of the pair that begins with a frame; of the last pair at the last frame."""
    return _previewed(inputs, parameters, index, roughly=False)


def _previewed(inputs: Inputs, parameters: FlowParameters, index: int, *, roughly: bool) -> Outcome:
    if inputs["flow"]:
        model = _known(inputs)
        stack = inputs.stack("stack")
        firsts, _ = model.frames_of(stack.n_frames, stack.name)
        outcome = _finished(_applied(inputs, parameters))
        return Outcome(
            summary=f"{counted(len(firsts), 'frame')} moved by a known flow. {outcome.summary}"
        )
    pairs = pairs_of(inputs, parameters)
    index = min(index, pairs.count - 1)
    step, notes = _step(pairs, parameters, count=1)
    task = replace(pairs.task, step=step)
    if roughly and np.prod(pairs.shape) > _QUICK_PIXELS:
        task = roughly_like(task)
        notes = [*notes, "A quick estimate; the exact one follows."]
    flow = next(pair_flows(*pairs.only(index), task))
    result = summarised(flow, task)
    fields = np.empty((*pairs.shape, len(pairs.shape) + 2), np.float32)
    fill_fields(flow, fields)
    layout = layout_of(pairs.like, pairs.role, channels=False).still
    stack = fields_stack(fields, layout)
    motion = _motion(pairs)
    name = pairs.whole.name
    shown = dense_layers(name, stack, layout, parameters, result.largest)
    if parameters.warped:
        second = cut(pairs.second, index, index + 1)
        shown.append(warped_layer(second, stack, _unfilled(pairs), layout))
    layers: list[LayerResult] = [replace(each, data=np.asarray(each.data)) for each in shown]
    if parameters.vectors:
        numbers = pairs.first_numbers[index : index + 1]
        layers.append(vector_layer(name, [result], numbers, layout, parameters, motion))
    return Outcome(
        layers=tuple(layers),
        tables=(direction_table([result]),),
        summary=summary_of(pairs, [result], motion),
        diagnostics=diagnostics_of(pairs, [result], notes),
    )


def plan(inputs: Inputs, parameters: FlowParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    pairs = pairs_of(inputs, parameters)
    return make_plan(MapFrames(), pairs.stacks, _cost(pairs, parameters), engine)


def methods(inputs: Inputs, parameters: FlowParameters) -> str:
    """Sentence for the methods part of a paper."""
    if inputs["flow"]:
        return "Images were warped by a flow that had been estimated before."
    ways = {
        "pyramid": f"coarse to fine (ratio {parameters.ratio:g}) with warping",
        "iterative": "with warping at full size",
        "one_shot": "by a single linear solution",
    }
    smoothing = {
        "jumps": "towards neighbours, less across jumps of the flow",
        "jumps_and_edges": "towards neighbours, less across jumps of the flow and image edges",
        "even": "equally towards all neighbours",
    }
    pull = (
        "without smoothing"
        if parameters.smoothing == "none"
        else f"regularised {smoothing[parameters.smoothing]}"
    )
    medians = ", and weighted medians around jumps" if parameters.quality == "thorough" else ""
    gain = (
        " A gain and an offset between frames were fitted."
        if (parameters.brightness == "changing")
        else ""
    )
    return (
        f"Dense optical flow was estimated after Lucas and Kanade {ways[parameters.method]}, from "
        f"Gaussian-derivative gradients (sigma {parameters.gradient_sigma:g} px) over a Gaussian "
        f"window (sigma {parameters.settings.window:g} px), {pull}{medians}.{gain}"
    )


def warm_up() -> None:
    """Compile what a run needs."""
    numerics.warm_up()


def _estimated(
    pairs: Pairs, parameters: FlowParameters, engine: Engine
) -> Generator[Progress, None, tuple[Any, list[PairResult]]]:
    """The dense fields, kept or lazy, and what is kept of each pair."""
    parts = len(pairs.shape) + 2
    cost = _cost(pairs, parameters)
    kept: Array | None = None
    if pairs.count * int(np.prod(pairs.shape)) * parts * 4 <= _MOST_KEPT:
        kept = np.empty((pairs.count, *pairs.shape, parts), np.float32)
    blocks = yield from run_pass(
        MapFrames(),
        flow_block,
        pairs.stacks,
        (pairs.task,),
        engine=engine,
        cost=cost,
        label="Following",
        into=None if kept is None else MemorySink(kept),
    )
    results = [result for block in blocks for result in block]
    if kept is not None:
        return kept.reshape(*pairs.like.leading_shape, *kept.shape[1:]), results
    lazy = LazyFrames(
        pairs.stacks,
        fields_block,
        (pairs.task,),
        dtype=np.float32,
        frame_shape=(*pairs.shape, parts),
        cost=cost,
    )
    return lazy, results


def _applied(inputs: Inputs, parameters: FlowParameters) -> Run:
    """Move the stack and what goes with it by a known flow; nothing is computed yet."""
    stack, model = inputs.stack("stack"), _known(inputs)
    yield Progress("Moving", 0, 1, "frames")
    forward = parameters.direction == "forward"
    layers: list[LayerResult] = [followed(stack, model, "stack", forward=forward, labels=False)]
    layers += _followers(inputs, model, parameters)
    way = "forward" if forward else "back"
    return Outcome(layers=tuple(layers), summary=f"{stack.name} was moved {way} by a known flow.")


def _followers(inputs: Inputs, model: FlowModel, parameters: FlowParameters) -> list[LayerResult]:
    # The flow pulls the second frame back: forward is against that.
    forward = parameters.direction == "forward"
    layers: list[LayerResult] = []
    for role, labels in (("others", False), ("labels", True)):
        layers += [
            followed(stack, model, role, forward=forward, labels=labels)
            for stack in inputs.stacks(role)
        ]
    for points in inputs["points"]:
        assert isinstance(points, PointsResult)
        layers.append(moved_points(points, inputs.stack("stack"), model, back=forward))
    return layers


def _known(inputs: Inputs) -> FlowModel:
    model = inputs["flow"][0]
    assert isinstance(model, FlowModel)
    return model


def _finished(steps: Run) -> Outcome:
    """What a run returns, its progress left aside."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome


def _model(fields: Array, pairs: Pairs) -> FlowModel:
    flat = fields.reshape(pairs.count, *pairs.shape, fields.shape[-1])
    return _unfilled(pairs).with_maps(flat)


def _unfilled(pairs: Pairs) -> FlowModel:
    """The model of these pairs without their displacements."""
    ndim = len(pairs.shape)
    target = Space.of(pairs.like.name, pairs.grid)
    neighbours = pairs.role == "stack" and pairs.second.source is pairs.like.source
    following = neighbours and pairs.task.reference is None
    return FlowModel(
        source=replace(target, layer=pairs.second.name),
        target=target,
        displacement=np.empty((0, ndim, *pairs.shape), np.float32),
        pairs="next" if following else "others",
    )


def _step(
    pairs: Pairs, parameters: FlowParameters, count: int | None = None
) -> tuple[int, list[str]]:
    """Pixels from arrow to arrow: more than asked for where there would be too many."""
    if not parameters.vectors:
        return 0, []
    pixels = (pairs.count if count is None else count) * float(np.prod(pairs.shape))
    least = int(np.ceil((pixels / _MOST_VECTORS) ** (1 / len(pairs.shape))))
    if least <= parameters.step:
        return parameters.step, []
    note = (
        f"Arrows stand {least} pixels apart instead of {parameters.step}: napari draws at most "
        f"{_MOST_VECTORS:,} of them smoothly."
    )
    return least, [note]


def _motion(pairs: Pairs) -> Motion:
    apart = np.unique(np.asarray(pairs.second_numbers) - np.asarray(pairs.first_numbers))
    steps = int(apart[0]) if len(apart) == 1 else 0
    whole = pairs.whole
    time = tuple(whole.axes[axis] for axis in whole.frame_axes)
    return motion_of(pairs.grid.axes, time, steps)


def _cost(pairs: Pairs, parameters: FlowParameters) -> Cost:
    pixels = int(np.prod(pairs.shape))
    ways = 2 if parameters.ranking in ("combined", "forward_backward") else 1
    channels = 1
    if parameters.quality == "thorough" and pairs.task.channels and parameters.channel is None:
        channels = pairs.like.frame_shape[-1]
    return Cost(
        output=4 * pixels * (len(pairs.shape) + 2),
        scratch=_SCRATCH * (len(pairs.shape) + channels) * pixels,
        seconds=1e-2 + ways * _SECONDS[parameters.quality] * pixels,
    )


TOOL = Tool(
    name="flow",
    title="Optical flow",
    menu="register",
    sentence="Where every pixel of a frame went, as arrows and colours, and how surely.",
    inputs=INPUTS,
    parameters=FlowParameters,
    run=run,
    preview=preview,
    refine=refine,
    plan=plan,
    methods=methods,
    citations=(
        "Lucas, B. D. and Kanade, T. (1981), Proc. IJCAI, 674-679",
        "Bruhn, A., Weickert, J. and Schnoerr, C. (2005), Int. J. Comput. Vision 61, 211-231",
        "Sun, D., Roth, S. and Black, M. J. (2014), Int. J. Comput. Vision 106, 115-137",
        "Baker, S. et al. (2011), Int. J. Comput. Vision 92, 1-31",
    ),
    warm_up=warm_up,
    compile_seconds=7,
)
