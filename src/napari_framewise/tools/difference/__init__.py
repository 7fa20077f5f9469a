"""Difference: what really changed between two images, whatever moved, blurred or lit them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.sinks import MemorySinks
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.limits import limits_of, symmetric_limits
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import difference as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.difference.blocks import (
    Kind,
    Task,
    compared,
    found_in,
    map_block,
    map_of,
    maps_block,
    numbers_block,
)
from napari_framewise.tools.difference.parameters import INPUTS, DifferenceParameters
from napari_framewise.tools.difference.report import (
    diagnostics_of,
    frame_table,
    plot_of,
    region_table,
    summary_of,
)


def run(inputs: Inputs, parameters: DifferenceParameters, engine: Engine) -> Run:
    """Compare every frame; the maps are computed as one looks, or now."""
    stacks = _pairs(inputs, parameters)
    stack, task = stacks[0], _task(stacks[0], parameters)
    blocks = yield from run_pass(
        MapFrames(),
        numbers_block,
        stacks,
        (task,),
        engine=engine,
        cost=_cost(stack),
        label="Comparing",
    )
    found = [each for block in blocks for each in block]
    table = frame_table(stack, found)
    layers: list[ImageResult] = []
    layout = layout_of(stack, channels=False)
    wanted = tuple(_wanted(parameters))
    if parameters.result == "memory":
        placed = [layout.empty(_type(stack, kind)) for kind, _ in wanted]
        yield from run_pass(
            MapFrames(),
            maps_block,
            stacks,
            (task, tuple(kind for kind, _ in wanted)),
            engine=engine,
            into=MemorySinks([frames for _, frames in placed]),
            cost=_cost(stack),
            label="Mapping",
        )
        for (kind, name), (image, frames) in zip(wanted, placed, strict=True):
            layers.append(_layer(stack, parameters, kind, name, image, layout.grid, frames[:1]))
    else:
        for kind, name in wanted:
            data = LazyFrames(
                stacks,
                map_block,
                (task, kind),
                dtype=_type(stack, kind),
                frame_shape=layout.frame_shape,
                order=layout.order,
                cost=_cost(stack),
            )
            layers.append(_layer(stack, parameters, kind, name, data, layout.grid, data.frame(0)))
    return Outcome(
        layers=tuple(layers),
        tables=(table, region_table(stack, found)),
        plots=(plot_of(table),),
        summary=summary_of(stack, found, parameters.rate),
        diagnostics=diagnostics_of(stack, found),
    )


def preview(inputs: Inputs, parameters: DifferenceParameters, index: int) -> Outcome:
    """Compare one frame; without a reference the first one is shown beside the second."""
    pairs = _pairs(inputs, parameters)
    stack = pairs.later
    index = min(index, stack.n_frames - 1)
    task = _task(stack, parameters)
    mask, earlier_mask = (
        None if each is None else _frame(each, index) for each in (pairs.mask, pairs.earlier_mask)
    )
    given = _frame(stack, index), _frame(pairs.earlier, index), mask, earlier_mask
    (change,) = compared(*given, task)
    layout = layout_of(stack, channels=False).still
    shown = stack.select(
        replace(
            stack.selection, frames=(stack.frame_numbers[index], stack.frame_numbers[index] + 1, 1)
        )
    )
    found = [found_in(change)]
    layers = []
    for kind, name in _wanted(parameters):
        data = layout.arranged(map_of(change, kind))
        layers.append(_layer(stack, parameters, kind, name, data, layout.grid, data))
    return Outcome(
        layers=tuple(layers),
        summary=summary_of(shown, found, parameters.rate),
        diagnostics=diagnostics_of(shown, found),
    )


def plan(inputs: Inputs, parameters: DifferenceParameters, engine: Engine) -> Plan:
    """How the pass is cut."""
    stacks = _pairs(inputs, parameters)
    given = tuple(each for each in stacks if each is not None)
    return make_plan(MapFrames(), given, _cost(stacks[0]), engine)


def methods(inputs: Inputs, parameters: DifferenceParameters) -> str:
    """Sentence for the methods part of a paper."""
    borne = {
        "flow": f"a field of displacements smooth over {parameters.smoothness}",
        "shift": "one displacement for the frame",
        "search": f"the best match within {parameters.reach} pixels",
        "none": "no displacement",
    }[parameters.tolerance]
    focus = ", the sharper image blurred as the other" if parameters.focus else ""
    light = {
        "local": ", a smoothly varying gain and offset",
        "global": ", one gain and offset",
        "none": "",
    }[parameters.light]
    return (
        f"Images were compared by the local measure {parameters.measure} (Gaussian windows, sigma "
        f"{parameters.window}) after {borne}{light}{focus}; changed regions are those at a false "
        f"discovery rate of {parameters.rate:g} (Benjamini and Hochberg 1995) against windows of "
        "like structure."
    )


def warm_up() -> None:
    """Compile splines, warps and window sums."""
    scene = np.add.outer(np.arange(64.0) % 7, np.arange(64.0) % 5)
    numerics.compare(scene, scene + 1)


class Pairs(NamedTuple):
    """What is compared: frames, what they are compared with, and masks of both."""

    later: Stack
    earlier: Stack
    mask: Stack | None
    earlier_mask: Stack | None


def _pairs(inputs: Inputs, parameters: DifferenceParameters) -> Pairs:
    """The later frames, the earlier ones, and their masks; a reference has none.

    Raises
    ------
    ValueError
        Where there is nothing to compare with.
    """
    stack = with_channels(inputs.stack("stack"), parameters.channels_along)
    if len(stack.spatial_shape) != 2:
        raise ValueError(
            f"{stack.name} holds {stack.summary()}; frames of rows and columns are needed: choose "
            "the axes that the frames run along."
        )
    reference = inputs.optional_stack("reference")
    mask = inputs.optional_stack("mask")
    masks = mask and in_step(mask, stack, "Mask")
    if reference is not None:
        return Pairs(stack, in_step(reference, stack, "Reference", channels=True), masks, None)
    if stack.n_frames < 2:
        raise ValueError(
            f"{stack.name} holds one frame and no reference was given; give the earlier image as "
            "reference, or a stack, whose frames are compared with the frame before."
        )
    numbers = stack.frame_numbers
    before = masks
    if masks is not None and masks.n_frames > 1:
        each = masks.frame_numbers
        masks, before = _cut(masks, each[1:]), _cut(masks, each[:-1])
    return Pairs(_cut(stack, numbers[1:]), _cut(stack, numbers[:-1]), masks, before)


def _cut(stack: Stack, numbers: range) -> Stack:
    chosen = (numbers.start, numbers.stop, numbers.step)
    return stack.select(replace(stack.selection, frames=chosen))


def _task(stack: Stack, parameters: DifferenceParameters) -> Task:
    axes = stack.spatial_grid.axes
    window = parameters.window.in_pixels(axes, "Window")
    smoothness = parameters.smoothness.in_pixels(axes, "Smoothness")
    settings = numerics.Settings(
        parameters.measure,
        float(np.mean(window)),
        parameters.tolerance,
        float(np.mean(smoothness)),
        parameters.reach,
        parameters.focus,
        parameters.light,
        parameters.rate,
    )
    return Task(settings, bool(stack.channels))


def _type(stack: Stack, kind: Kind) -> np.dtype[Any]:
    if kind == "measure" and stack.dtype.itemsize > 4:
        return np.dtype(np.float64)
    return np.dtype(np.int32 if kind == "labels" else np.float32)


def _wanted(parameters: DifferenceParameters) -> Iterator[tuple[Kind, str]]:
    yield "measure", "change"
    if parameters.p_map:
        yield "p", "-log10 p"
    if parameters.shift_map:
        yield "rows", "displacement down"
        yield "columns", "displacement right"
    yield "labels", "changed"


def _layer(
    stack: Stack,
    parameters: DifferenceParameters,
    kind: Kind,
    name: str,
    data: object,
    grid: object,
    first: Array,
) -> ImageResult:
    if kind == "labels":
        return ImageResult(f"{stack.name} {name}", data, grid, kind="labels")  # type: ignore[arg-type]
    first = np.asarray(first)
    if kind in ("rows", "columns"):
        limits, colormap, blending = symmetric_limits(first), "PiYG", None
    else:
        # Laid over the image as light: what is unchanged, most of it, adds none.
        least = (1.0, 10.0) if kind == "measure" and parameters.measure == "residual" else None
        limits, colormap, blending = _limits_above_most(first, least), "magma", "additive"
    return ImageResult(
        f"{stack.name} {name}",
        data,
        grid,  # type: ignore[arg-type]
        contrast_limits=limits,
        colormap=colormap,
        blending=blending,
        visible=kind == "measure",
    )


def _limits_above_most(data: Array, least: tuple[float, float] | None) -> tuple[float, float]:
    """From the median up; for a measure that says what is explained, from there to beyond it."""
    low, high = limits_of(data)
    if least is not None:
        return least[0], max(high, least[1])
    known = data[np.isfinite(data)]
    middle = float(np.median(known)) if known.size else low
    return (middle if middle < high else low, high)


def _frame(stack: Stack, index: int) -> Array:
    at = index if stack.n_frames > 1 else 0
    return stack.read(at, at + 1)


def _cost(stack: Stack) -> Cost:
    elements = int(np.prod(stack.spatial_shape))
    return Cost(output=4096, scratch=200 * elements, seconds=6e-7 * elements)


TOOL = Tool(
    name="difference",
    title="Difference",
    menu="measure",
    sentence="What really changed between images, whatever moved, blurred or lit them otherwise.",
    inputs=INPUTS,
    parameters=DifferenceParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Lucas, B. D. and Kanade, T. (1981), IJCAI 81, 674-679",
        "Benjamini, Y. and Hochberg, Y. (1995), J. R. Statist. Soc. B 57, 289-300",
    ),
    warm_up=warm_up,
    compile_seconds=6,
)
