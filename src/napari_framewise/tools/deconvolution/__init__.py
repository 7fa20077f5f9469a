"""Deconvolution: frames without the blur of a known point spread function."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.executors import LocalExecutor
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames, Scan
from napari_framewise.framework.framemap.blocks import fitted
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics.deconvolution import (
    Method,
    Restored,
    Settings,
    noise_amplification,
    prepare,
    restore,
)
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.deconvolution import report
from napari_framewise.tools.deconvolution.looking import layer_of, preview, side_by_side
from napari_framewise.tools.deconvolution.parameters import INPUTS, DeconvolutionParameters
from napari_framewise.tools.deconvolution.preparing import Made, checked, made_of
from napari_framewise.tools.deconvolution.task import (
    RESULT,
    deconvolve_block,
    deconvolve_in_order,
    lazy_block,
    slim,
)

_SO_FAR_SECONDS = 0.15
_SECONDS_A_PIXEL = 1.5e-7
_SCRATCH_A_PIXEL = 200


@dataclass
class _Live:
    """The frame that is watched while it is restored."""

    made: Made
    image: Array
    frame: Array
    ended: list[Restored] = field(default_factory=list)
    course: list[Restored] = field(default_factory=list)

    def so_far(self, restored: Restored | None) -> Array:
        """The frame as it is: channels that are done, that under way, and those as given."""
        images = [each.image for each in self.ended]
        images += [restored.image] if restored is not None else []
        given = self.made.task.images(self.frame)
        images += [np.asarray(each, np.float64) for each in given[len(images) :]]
        return self.made.task.whole(images, self.frame)


def run(inputs: Inputs, parameters: DeconvolutionParameters, engine: Engine) -> Run:
    """Restore the first frame so that it can be watched, then all others."""
    if parameters.side_by_side:
        return (yield from side_by_side(inputs, parameters))
    made = made_of(inputs, parameters)
    stack, task = made.stack, made.task
    layout = layout_of(stack)
    dtype = RESULT.dtype_for(stack.dtype, stack.rgb)
    if not stack.n_frames:
        raise ValueError(f"{stack.name} holds no frames; choose at least one.")
    if parameters.result == "lazy" and stack.n_frames > 1:
        return (yield from _lazy(made, parameters, layout, dtype))
    image, blocks = layout.empty(dtype)
    blocks[...] = np.nan if dtype.kind == "f" else 0
    ended: list[list[Restored]] = []
    course: list[Restored] = []
    rest = stack
    if isinstance(engine.executor, LocalExecutor):
        live = yield from _watched(made, parameters, layout, image, blocks)
        ended.append([slim(each) for each in live.ended])
        course, rest = live.course, _behind_first(stack)
        scenes = [each.scene for each in live.ended]
    if len(ended) < stack.n_frames:
        scan = parameters.follow
        started = scenes if ended and scan else None
        values = yield from run_pass(
            Scan() if scan else MapFrames(),
            deconvolve_in_order if scan else deconvolve_block,
            (rest, _mask_of(made, rest)),
            (task,),
            engine=engine,
            cost=_cost(stack, parameters),
            label="Deconvolving",
            state=started,
            into=MemorySink(blocks[len(ended) :]),
        )
        for part in values[1] if scan else values:
            ended.extend(part)
    return _outcome(made, parameters, layout, image, ended, course)


def _watched(
    made: Made, parameters: DeconvolutionParameters, layout: Layout, image: Array, blocks: Array
) -> Generator[Progress | Partial, None, _Live]:
    """Restore the first frame, giving what there is from time to time."""
    stack, task = made.stack, made.task
    frame = stack.read(0, 1)[0]
    mask = None if made.mask is None else made.mask.read(0, 1)[0]
    live = _Live(made, image, frame)
    began = shown = time.perf_counter()
    total = parameters.iterations
    for channel in range(max(1, task.channels)):
        steps = task.restoring(frame, mask, channel)
        label = "Deconvolving" if stack.n_frames == 1 else "Deconvolving the first frame"
        if task.channels:
            label += f", channel {channel + 1} of {task.channels}"
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                restored: Restored = end.value
                break
            if channel == 0:
                live.course.append(slim(step))
            now = time.perf_counter()
            yield Progress(label, min(step.iterations, total), total, "iterations", now - began)
            if now - shown >= _SO_FAR_SECONDS:
                blocks[0] = fitted(live.so_far(step), blocks.dtype)
                yield Partial(_unfinished(live, parameters, layout, image, step))
                shown = time.perf_counter()
        if channel == 0:
            live.course.append(slim(restored))
        live.ended.append(restored)
        yield Progress(label, total, total, "iterations", time.perf_counter() - began)
    blocks[0] = fitted(live.so_far(None), blocks.dtype)
    if stack.n_frames > 1:
        yield Partial(_unfinished(live, parameters, layout, image, None))
    return live


def _unfinished(
    live: _Live, parameters: DeconvolutionParameters, layout: Layout, image: Array, step: Any
) -> Outcome:
    """What there is while the first frame is restored."""
    done = [*live.ended, *([] if step is None else [step])]
    whole = len(done) == max(1, live.made.task.channels)
    ended = [[slim(each) for each in done]] if whole else []
    still = layout.still if live.made.stack.n_frames > 1 else layout
    shown = layout.first(image) if live.made.stack.n_frames > 1 else image
    course = report.course_table(live.course)
    tables = (report.frames_table(live.made.stack, ended), course) if ended else (course,)
    said = f"Iteration {live.course[-1].iterations:,}." if live.course else ""
    return Outcome(
        layers=(layer_of(live.made.stack, shown.copy(), still),),
        tables=tables,
        plots=report.plots(1, len(live.course)),
        summary=said,
        diagnostics=live.made.notes,
    )


def _outcome(
    made: Made,
    parameters: DeconvolutionParameters,
    layout: Layout,
    image: Any,
    ended: Sequence[Sequence[Restored]],
    course: Sequence[Restored],
) -> Outcome:
    tables = [report.frames_table(made.stack, ended)]
    if course:
        tables.append(report.course_table(course))
    layers = [layer_of(made.stack, image, layout)]
    if parameters.method == "inverse":
        layers.append(_amplification(made))
    return Outcome(
        layers=tuple(layers),
        tables=tuple(tables),
        plots=report.plots(len(ended), len(course)),
        summary=report.summary(made.stack, ended, parameters.method),
        diagnostics=report.diagnostics(made.stack, ended, made.task, _notes(made, parameters)),
    )


def _lazy(
    made: Made, parameters: DeconvolutionParameters, layout: Layout, dtype: np.dtype[Any]
) -> Run:
    """The first frame now, the others as one looks."""
    _, blocks = layout.empty(dtype)
    still = layout.still
    image, first = still.empty(dtype)
    live = yield from _watched(made, parameters, layout, blocks, first[None])
    del blocks
    data: Any = LazyFrames(
        (made.stack, made.mask),
        lazy_block,
        (made.task,),
        dtype=dtype,
        frame_shape=layout.frame_shape,
        order=layout.order,
        cost=_cost(made.stack, parameters),
    )
    ended = [[slim(each) for each in live.ended]]
    outcome = _outcome(made, parameters, layout, image, ended, live.course)
    layer = replace(layer_of(made.stack, image, layout), data=data)
    note = "Only the first frame was judged: the others are restored as one looks at them."
    return replace(
        outcome,
        layers=(layer, *outcome.layers[1:]),
        diagnostics=(*outcome.diagnostics, note),
    )


def _amplification(made: Made) -> ImageResult:
    """How much noise is amplified at each frequency, in decibels."""
    prepared = made.task.prepared[0]
    values = report.decibels(noise_amplification(prepared.blur.domain, prepared.settings.floor))
    axes = tuple(
        Axis(f"frequency {axis.name}", 1 / length, -(length // 2) / length)
        for axis, length in zip(made.stack.spatial_grid.axes, values.shape, strict=True)
    )
    return ImageResult(
        f"{made.stack.name} noise amplification",
        values.astype(np.float32),
        Grid(axes, values.shape),
        contrast_limits=limits_of(values),
        colormap="magma",
        visible=False,
        metadata={"unit": "dB"},
    )


def _notes(made: Made, parameters: DeconvolutionParameters) -> tuple[str, ...]:
    """What should be known of PSF and frames."""
    kind = made.stack.source.dtype
    notes = list(made.notes)
    if parameters.saturation is None and kind.kind in "ui" and kind.itemsize <= 2:
        most = np.iinfo(kind).max
        count = int(np.count_nonzero(made.stack.read(0, 1) == most))
        if count:
            notes.append(
                f"{count:,} pixels of the first frame stand at {most:,}, the largest value of "
                "their type: where they are saturated, set Saturation: they are missing then."
            )
    return tuple(notes)


def _behind_first(stack: Stack) -> Stack:
    """The frames behind the first, along one axis."""
    numbers = stack.frame_numbers
    frames = (numbers.start + numbers.step, numbers.stop, numbers.step)
    return stack.select(replace(stack.selection, frames=frames)) if len(numbers) > 1 else stack


def _mask_of(made: Made, rest: Stack) -> Stack | None:
    mask = made.mask
    if mask is None or mask.n_frames == 1 or rest is made.stack:
        return mask
    return _behind_first(mask)


def _cost(stack: Stack, parameters: DeconvolutionParameters) -> Cost:
    pixels = math.prod(stack.frame_shape)
    steps = 1 if parameters.method == "inverse" else parameters.iterations
    return Cost(
        output=8 * pixels,
        scratch=_SCRATCH_A_PIXEL * math.prod(stack.spatial_shape),
        seconds=_SECONDS_A_PIXEL * pixels * min(steps, 30),
    )


def plan(inputs: Inputs, parameters: DeconvolutionParameters, engine: Engine) -> Plan:
    """How the run is cut, once there is a PSF that fits."""
    stack = checked(inputs, parameters)
    return make_plan(MapFrames(), (stack,), _cost(stack, parameters), engine)


def halo(parameters: DeconvolutionParameters) -> int:
    """Pixels beside those in view that a preview reads."""
    return _HALO


def methods(inputs: Inputs, parameters: DeconvolutionParameters) -> str:
    """Sentence for the methods part of a paper."""
    return report.methods(parameters)


def warm_up() -> None:
    """Compile what a run needs."""
    methods: tuple[Method, ...] = ("tv", "tv_fista")
    for method in methods:
        settings = Settings(method=method, boundary="reflect", iterations=2, weight=0.1)
        restore(np.eye(4), prepare(np.array([[0.5, 0.5, 0.0]]), (4, 4), settings))


_HALO = 16
TOOL = Tool(
    name="deconvolution",
    title="Deconvolution",
    menu="filter",
    sentence="Take the blur of a known point spread function out of frames, noise kept small.",
    inputs=INPUTS,
    parameters=DeconvolutionParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    halo=halo,
    warm_up=warm_up,
    compile_seconds=1,
    citations=(
        "Beck, A. and Teboulle, M. (2009), IEEE Trans. Image Process. 18, 2419-2434",
        "Almeida, M. and Figueiredo, M. (2013), IEEE Trans. Image Process. 22, 3074-3086",
        "Wen, Y.-W. and Chan, R. H. (2012), IEEE Trans. Image Process. 21, 1770-1781",
        "Richardson, W. H. (1972), J. Opt. Soc. Am. 62, 55-59",
    ),
)
