"""Quality beside a truth: errors, signal to noise, structural similarity, what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.limits import symmetric_limits
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import quality as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.quality.blocks import (
    Judged,
    Judging,
    error_block,
    judge_block,
    ssim_block,
)
from napari_framewise.tools.quality.parameters import INPUTS, QualityParameters
from napari_framewise.tools.quality.peaks import peak_diagnostics, peak_of
from napari_framewise.tools.quality.report import (
    diagnostics_of,
    frame_table,
    joined,
    plots_of,
    restoration_table,
    structure_tables,
    summary_of,
    unique_names,
)


def run(inputs: Inputs, parameters: QualityParameters, engine: Engine) -> Run:
    """Judge every frame of every restoration."""
    stacks = _restored(inputs, parameters)
    names = unique_names(stacks)
    judged: list[list[Judged]] = []
    layers: list[ImageResult] = []
    truth = inputs.stack("truth")
    peak = peak_of(truth, parameters.peak)
    for number, stack in enumerate(stacks):
        given = _in_step(inputs, stack)
        judging = _judging(stack, parameters, peak)
        blocks = yield from run_pass(
            MapFrames(),
            judge_block,
            (stack, *given),
            (judging,),
            engine=engine,
            cost=_cost(stack, parameters),
            label=f"Judging {stack.name}",
        )
        judged.append(blocks)
        layers += _layers(stack, given, judging, parameters, names[number] if names else None)
    found = [joined(blocks) for blocks in judged]
    table = frame_table(stacks[0], names, found, peak)
    structure = structure_tables(names, judged) if parameters.structure else ()
    shown = names or (stacks[0].name,)
    return Outcome(
        layers=tuple(layers),
        tables=(table, restoration_table(shown, found), *structure),
        plots=plots_of(table, names, structure),
        summary=summary_of(shown, found, peak),
        diagnostics=(*peak_diagnostics(truth, peak), *diagnostics_of(shown, found)),
    )


def preview(inputs: Inputs, parameters: QualityParameters, index: int) -> Outcome:
    """Judge one frame: its numbers in the summary, error and similarity as layers."""
    stacks = _restored(inputs, parameters)
    names = unique_names(stacks)
    truth = inputs.stack("truth")
    peak = peak_of(truth, parameters.peak)
    found: list[dict[str, Array]] = []
    layers: list[ImageResult] = []
    for number, stack in enumerate(stacks):
        judging = _judging(stack, parameters, peak)
        truths, before, mask = _in_step(inputs, stack)
        shown, true = _frame(stack, index), _frame(truths, index)
        masks = None if mask is None else _frame(mask, index)
        was = None if before is None else _frame(before, index)
        found.append(judge_block(shown, true, was, masks, judging).columns)
        name = names[number] if names else None
        layers += _stills(stack, (shown, true, masks), judging, parameters, name)
    named = names or (stacks[0].name,)
    return Outcome(
        layers=tuple(layers),
        summary=f"Frame {stacks[0].frame_numbers[index]}: {summary_of(named, found, peak)}",
        diagnostics=(*peak_diagnostics(truth, peak), *diagnostics_of(named, found)),
    )


def plan(inputs: Inputs, parameters: QualityParameters, engine: Engine) -> Plan:
    """How the pass over the first images is cut."""
    stack = _restored(inputs, parameters)[0]
    given = [each for each in (stack, *_in_step(inputs, stack)) if each is not None]
    return make_plan(MapFrames(), tuple(given), _cost(stack, parameters), engine)


def methods(inputs: Inputs, parameters: QualityParameters) -> str:
    """Sentence for the methods part of a paper."""
    peak = peak_of(inputs.stack("truth"), parameters.peak)
    variant = {
        "wang": "Gaussian windows of 11 pixels with a sigma of 1.5, inside the frame",
        "scikit-image": "windows of 7 x 7 pixels and sample variances, inside the frame",
        "reflected": "Gaussian windows of 11 pixels over a mirrored border",
    }[parameters.ssim]
    text = (
        f"Images were compared with their truth by PSNR with a peak of {peak:g} and by SSIM "
        f"({variant}; K1 = 0.01, K2 = 0.03)."
    )
    if parameters.light:
        text += (
            " The error was split by least squares into a uniform gain and offset, polynomials of "
            f"degree {parameters.degree} of both over the frame, and the rest."
        )
    return text


def warm_up() -> None:
    """Compile SSIM."""
    numerics.ssim(np.zeros((1, 12, 12)), np.zeros((1, 12, 12)), 1.0)


def _restored(inputs: Inputs, parameters: QualityParameters) -> tuple[Stack, ...]:
    """The images to judge.

    Raises
    ------
    ValueError
        Where they differ in their number of frames, or a frame is a line.
    """
    stacks = tuple(
        with_channels(each, parameters.channels_along) for each in inputs.stacks("restored")
    )
    counts = {each.n_frames for each in stacks}
    if len(counts) > 1:
        named = ", ".join(f"{each.name} has {each.n_frames:,}" for each in stacks)
        raise ValueError(f"The images to judge differ in their number of frames ({named}).")
    if any(len(each.spatial_shape) < 2 for each in stacks):
        raise ValueError(
            f"{stacks[0].name} holds {stacks[0].summary()}; images of rows and columns are needed: "
            "choose the axes that the frames run along."
        )
    return stacks


def _in_step(inputs: Inputs, stack: Stack) -> tuple[Stack, Stack | None, Stack | None]:
    """Truth, what was restored, and mask, in step with the images."""
    noisy, mask = inputs.optional_stack("noisy"), inputs.optional_stack("mask")
    return (
        in_step(inputs.stack("truth"), stack, "Truth", channels=True),
        noisy and in_step(noisy, stack, "Before", channels=True),
        mask and in_step(mask, stack, "Mask"),
    )


def _judging(stack: Stack, parameters: QualityParameters, peak: float) -> Judging:
    return Judging(
        peak,
        numerics.VARIANTS[parameters.ssim],
        parameters.multiscale,
        parameters.light,
        parameters.degree,
        parameters.structure,
        stack.channels,
    )


def _layers(
    stack: Stack,
    given: tuple[Stack, Stack | None, Stack | None],
    judging: Judging,
    parameters: QualityParameters,
    name: str | None,
) -> list[ImageResult]:
    """Error and similarity of every frame, computed as they are looked at."""
    layout = layout_of(stack, "restored", channels=False)
    truth, _, mask = given
    layers: list[ImageResult] = []
    for title, function, limits, colormap in _wanted(parameters):
        data = LazyFrames(
            (stack, truth, mask),
            function,
            (judging,),
            dtype=np.float32 if stack.dtype.itemsize <= 2 else _float(stack),
            frame_shape=layout.frame_shape,
            order=layout.order,
            cost=_cost(stack, parameters),
        )
        shown = limits or symmetric_limits(data.frame(0))
        layers.append(
            ImageResult(
                f"{title} of {name or stack.name}",
                data,
                layout.grid,
                colormap=colormap,
                contrast_limits=shown,
                visible=not layers,
            )
        )
    return layers


def _stills(
    stack: Stack,
    blocks: tuple[Array, Array, Array | None],
    judging: Judging,
    parameters: QualityParameters,
    name: str | None,
) -> list[ImageResult]:
    layout = layout_of(stack, "restored", channels=False).still
    layers: list[ImageResult] = []
    for title, function, limits, colormap in _wanted(parameters):
        out = np.empty((1, *layout.frame_shape))
        function(*blocks, judging, out=out)
        layers.append(
            ImageResult(
                f"{title} of {name or stack.name}",
                layout.arranged(out[0]),
                layout.grid,
                colormap=colormap,
                contrast_limits=limits or symmetric_limits(out),
                visible=not layers,
            )
        )
    return layers


_Map: TypeAlias = tuple[str, Callable[..., None], tuple[float, float] | None, str]


def _wanted(parameters: QualityParameters) -> list[_Map]:
    """The maps that are asked for."""
    every: tuple[tuple[bool, _Map], ...] = (
        (parameters.error_map, ("error", error_block, None, "PiYG")),
        (parameters.ssim_map, ("SSIM", ssim_block, (0.0, 1.0), "gray")),
    )
    return [each for asked, each in every if asked]


def _float(stack: Stack) -> type[np.floating]:
    return np.float32 if stack.dtype == np.float32 else np.float64


def _frame(stack: Stack, index: int) -> Array:
    at = index if stack.n_frames > 1 else 0
    return stack.read(at, at + 1)


def _cost(stack: Stack, parameters: QualityParameters) -> Cost:
    elements = int(np.prod(stack.frame_shape))
    seconds = 2e-7 * (1 + 2 * parameters.light) + 5e-7 * parameters.multiscale
    return Cost(output=16_384, scratch=160 * elements, seconds=seconds * elements)


TOOL = Tool(
    name="quality",
    title="Quality beside a truth",
    menu="measure",
    sentence="Errors, PSNR, SSIM and what is left, of images beside what they should be.",
    inputs=INPUTS,
    parameters=QualityParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Wang, Z. et al. (2004), IEEE Trans. Image Processing 13, 600-612",
        "Wang, Z., Simoncelli, E. P. and Bovik, A. C. (2003), Asilomar Conf. 37, 1398-1402",
        "Weigert, M. et al. (2018), Nature Methods 15, 1090-1097",
    ),
    warm_up=warm_up,
    compile_seconds=3,
)
