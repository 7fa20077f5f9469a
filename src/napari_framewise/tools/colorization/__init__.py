"""Colorize: the colours of scribbles spread over grey frames, where neighbours are alike."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.in_step import series
from napari_framewise.framework.inputs import SCRIBBLES, Input, Inputs, Kind
from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import colorization as numerics
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.memory import memory_bytes
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.colorization.blocks import Colorized, colorized, colorized_block
from napari_framewise.tools.colorization.kept import weights_of
from napari_framewise.tools.colorization.marks import (
    Marks,
    all_marks,
    marks_on,
    nothing_marked,
)
from napari_framewise.tools.colorization.parameters import ColorizationParameters

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "Grey frames.", frames="plane"),
    Input(
        "scribbles",
        SCRIBBLES,
        "Scribbles",
        "Labels, shapes or points in the colours that they are to spread, or a copy of the image "
        "in colour that was painted over; for all frames, or for each.",
        most=4,
        lies_on="stack",
        folded=False,
        several_frames=True,
    ),
)
_LOOKED_AT = 16
# Of the factors of a grid of one pixel; they grow with the power 1.5 (George 1973).
_SECONDS = 1.8e-8
_LONG = 20.0
_NOTES = {
    "scribbled": "Pixels that a scribble marks.",
    "colours": "Different colours of those.",
    "unreached": "Pixels with data that no scribble reaches: they stay grey.",
    "missing": "Pixels without data.",
    "loss": "Sum of the squared differences of chroma from the weighted mean of the neighbours.",
}


def run(inputs: Inputs, parameters: ColorizationParameters, engine: Engine) -> Run:
    """Spread the colours of the scribbles, frame by frame or over all frames together."""
    parameters = settle(inputs, parameters)
    stack = _stack(inputs)
    count = stack.n_frames
    _check_memory(stack, count if parameters.in_time else 1)
    yield Progress("Reading scribbles", 0, count)
    marks = all_marks(inputs, count)
    layout = layout_of(stack, channels=False).coloured
    data, place = layout.empty(_dtype(stack))
    if parameters.in_time:
        values = yield from _together(stack, marks, parameters, place)
    else:
        blocks = yield from run_pass(
            MapFrames(),
            colorized_block,
            (stack, series(np.arange(count), "positions")),
            (marks, parameters.weights, parameters.white),
            engine=engine,
            cost=_cost(stack),
            label="Colorizing",
            into=MemorySink(place),
        )
        values = np.concatenate(blocks)
    layers = [_image(stack, layout, data)]
    if parameters.show_weights:
        layers.append(_weights_layer(stack, parameters))
    return Outcome(
        layers=tuple(layers),
        tables=(_table(stack, marks, values),),
        summary=_summary(stack, marks, values),
        diagnostics=_diagnostics(stack, marks, values, parameters.in_time),
    )


def _together(
    stack: Stack, marks: Mapping[int, Marks], parameters: ColorizationParameters, place: Array
) -> Generator[Progress, None, Array]:
    """All frames in one system, whose neighbours in time count too: values of each frame."""
    count = stack.n_frames
    frames, marked, chroma = [], [], []
    for number in range(count):
        yield Progress("Reading", number, count)
        frames.append(stack.frame(number).astype(np.float64))
        mine = marks.get(number)
        empty = np.zeros(stack.frame_shape, bool), np.zeros((*stack.frame_shape, 2))
        here = mine.on(stack.frame_shape) if mine is not None else empty
        marked.append(here[0])
        chroma.append(here[1])
    yield Progress("Solving", 0, 1, "systems")
    made = colorized(
        np.stack(frames),
        np.stack(marked),
        np.stack(chroma),
        parameters.weights,
        float(parameters.white or 1.0),
    )
    place[...] = made.image
    yield Progress("Solving", 1, 1, "systems")
    per_frame = (
        [each.sum() for each in marked],
        made.unreached.sum(axis=(1, 2)),
        [np.isnan(each).sum() for each in made.image[..., 0]],
        np.full(count, made.values[3] / count),
    )
    return np.stack([np.asarray(each, np.float64) for each in per_frame], axis=-1)


def preview(inputs: Inputs, parameters: ColorizationParameters, index: int) -> Outcome:
    """One frame by itself: exact where its factors are kept, else a quick answer near it."""
    return _one_frame(inputs, parameters, index, quick=True)


def refine(inputs: Inputs, parameters: ColorizationParameters, index: int) -> Outcome:
    """The same frame, solved."""
    return _one_frame(inputs, parameters, index, quick=False)


def _one_frame(
    inputs: Inputs, parameters: ColorizationParameters, index: int, *, quick: bool
) -> Outcome:
    parameters = settle(inputs, parameters)
    stack = _stack(inputs)
    _check_memory(stack, 1)
    marks = marks_on(inputs, index)
    if not len(marks.places):
        raise nothing_marked(inputs)
    marked, chroma = marks.on(stack.frame_shape)
    white = float(parameters.white or 1.0)
    made = colorized(stack.frame(index), marked, chroma, parameters.weights, white, quick)
    layout = layout_of(stack, channels=False).coloured.still
    data, place = layout.empty(_dtype(stack))
    place[...] = made.image
    values = np.array([made.values])
    return Outcome(
        layers=(_image(stack, layout, data),),
        summary=_summary(stack, {index: marks}, values, made),
        diagnostics=_diagnostics(stack, {0: marks}, values, False),
    )


def settle(inputs: Inputs, parameters: ColorizationParameters) -> ColorizationParameters:
    """The value that is white."""
    if parameters.white is not None:
        return parameters
    stack = _stack(inputs)
    if stack.dtype == np.uint8:
        return parameters.model_copy(update={"white": 255.0})
    numbers = np.unique(np.linspace(0, stack.n_frames - 1, _LOOKED_AT).round().astype(int))
    largest = 0.0
    for number in numbers:
        frame = stack.frame(int(number))
        largest = max(largest, float(frame[np.isfinite(frame)].max(initial=0)))
    return parameters.model_copy(update={"white": largest if largest > 1 else 1.0})


def plan(inputs: Inputs, parameters: ColorizationParameters, engine: Engine) -> Plan:
    """How the run is cut, where this computer can solve it."""
    stack = _stack(inputs)
    _check_memory(stack, stack.n_frames if parameters.in_time else 1)
    return make_plan(MapFrames(), (stack,), _cost(stack), engine)


def advise(inputs: Inputs, parameters: ColorizationParameters) -> str:
    """What the factors take."""
    stack = _stack(inputs)
    size = _needed(stack, stack.n_frames if parameters.in_time else 1) / 2**20
    of = "all frames together" if parameters.in_time else "a frame"
    said = f"The system of {of} takes about {size:,.0f} MiB while it is solved"
    seconds = _cost(stack).seconds
    return f"{said}, and about {seconds:,.0f} s." if seconds > _LONG else f"{said}."


def methods(inputs: Inputs, parameters: ColorizationParameters) -> str:
    """Sentence for the methods part of a paper."""
    form = {
        "published": "a Gaussian of the differences of luminance, its variance 0.6 times that in a "
        "window of 3 pixels",
        "correlation": "the correlation of luminance in a window of 3 pixels",
    }[parameters.weights]
    time = ", neighbours in time included" if parameters.in_time else ""
    return (
        "Colours of scribbles were spread such that the chroma of every other pixel is the "
        f"weighted mean of its neighbours (Levin et al. 2004), with weights from {form}{time}; the "
        "sparse linear system was solved directly and luminance kept."
    )


def warm_up() -> None:
    """Compile the kernels of the quick answer."""
    grey = np.zeros((4, 6))
    marked = np.eye(4, 6, dtype=bool)
    numerics.coarse_chroma(grey, numerics.affinity(grey), marked, np.zeros((4, 6, 2)))


def _stack(inputs: Inputs) -> Stack:
    """The grey frames.

    Raises
    ------
    ValueError
        Where they have colours or channels.
    """
    stack = inputs.stack("stack")
    if stack.channels:
        what = "colours already" if stack.rgb else f"{stack.channels} channels"
        raise ValueError(
            f"{stack.name} has {what}; grey frames are needed: choose one of its channels."
        )
    return stack


def _needed(stack: Stack, frames: int) -> int:
    return numerics.memory_needed((frames, *stack.frame_shape) if frames > 1 else stack.frame_shape)


def _check_memory(stack: Stack, frames: int) -> None:
    """Refuse what this computer can't solve, with the memory that it would take."""
    needed, there = _needed(stack, frames), memory_bytes()
    if needed > 0.8 * there:
        size = " x ".join(map(str, stack.frame_shape))
        what = f"{frames:,} frames of {size} together" if frames > 1 else f"a frame of {size}"
        raise ValueError(
            f"To solve {what} would take about {needed / 2**30:,.1f} GiB, and this computer has "
            f"{there / 2**30:,.1f} GiB of memory; choose a region, fewer frames, or smaller images."
        )


def _dtype(stack: Stack) -> np.dtype[Any]:
    narrow = stack.dtype.itemsize <= 2 or stack.dtype.newbyteorder("=") == np.float32
    return np.dtype(np.float32 if narrow else np.float64)


def _cost(stack: Stack) -> Cost:
    pixels = math.prod(stack.frame_shape)
    return Cost(
        output=3 * pixels * _dtype(stack).itemsize,
        scratch=_needed(stack, 1),
        seconds=_SECONDS * pixels**1.5,
    )


def _image(stack: Stack, layout: Layout, data: Array) -> ImageResult:
    return ImageResult(
        f"{stack.name} colorized", data, layout.grid, rgb=True, contrast_limits=(0.0, 1.0)
    )


def _weights_layer(stack: Stack, parameters: ColorizationParameters) -> ImageResult:
    """Weights of the neighbours of the first frame, one image for each neighbour."""
    white = float(parameters.white or 1.0)
    grey = stack.frame(0).astype(np.float64) / white
    found = weights_of(grey, parameters.weights)
    layout = layout_of(stack, channels=False).still
    images = np.stack([layout.arranged(each) for each in found.weights])
    grid = layout.grid.after(Grid((Axis("neighbour"),), (len(images),)))
    return ImageResult(
        f"{stack.name} weights",
        images,
        grid,
        contrast_limits=(0.0, 1.0),
        visible=False,
        metadata={"offsets": found.offsets.tolist()},
    )


def _table(stack: Stack, marks: Mapping[int, Marks], values: Array) -> Table:
    columns, notes = frame_columns(stack)
    counts = values[:, :3].astype(np.int64)
    columns |= {
        "scribbled": counts[:, 0],
        "colours": np.array([marks[n].colours if n in marks else 0 for n in range(len(values))]),
        "unreached": counts[:, 1],
        "missing": counts[:, 2],
        "loss": values[:, 3],
    }
    return Table("colorization", "frame", columns, notes | _NOTES)


def _summary(
    stack: Stack, marks: Mapping[int, Marks], values: Array, made: Colorized | None = None
) -> str:
    most = max((each.colours for each in marks.values()), default=0)
    colours = "one colour" if most == 1 else f"up to {most:,} colours"
    frames = "the frame" if len(values) == 1 else f"{len(values):,} frames"
    near = "" if made is None or made.exact else " A quick answer; the exact one follows."
    return (
        f"{values[:, 0].sum():,.0f} pixels of {colours} spread over {frames} of {stack.name}.{near}"
    )


def _diagnostics(
    stack: Stack, marks: Mapping[int, Marks], values: Array, in_time: bool
) -> tuple[str, ...]:
    said = []
    if not in_time and len(marks) < len(values):
        said.append(
            f"{len(values) - len(marks):,} of {len(values):,} frames have no scribble and stay "
            "grey; with neighbours in time those of other frames reach them."
        )
    scribbled = values[:, 0] > 0
    unreached = int(values[scribbled, 1].sum())
    if unreached:
        said.append(f"{unreached:,} pixels that no scribble reaches stay grey.")
    missing = int(values[:, 2].sum())
    if missing:
        said.append(f"{missing:,} pixels hold no data and have no colour.")
    outside = int(sum(len(each.places) for each in marks.values()) - values[:, 0].sum())
    if outside > 0:
        said.append(f"{outside:,} scribbled pixels lie where there are no data.")
    return tuple(said)


TOOL = Tool(
    name="colorization",
    title="Colorize",
    menu="data",
    sentence="Spread the colours of scribbles over grey frames, where neighbours are alike.",
    inputs=INPUTS,
    parameters=ColorizationParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Levin, A., Lischinski, D. and Weiss, Y. (2004), ACM Trans. Graph. 23, 689-694",
        "George, A. (1973), SIAM J. Numer. Anal. 10, 345-363",
    ),
    settle=settle,
    advise=advise,
    refine=refine,
    warm_up=warm_up,
    compile_seconds=2.0,
)
