"""A filter's run, preview and plan, from what it declares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.banded import BandedFrames, bands_of, per_row
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.job import is_planar, rows_at
from napari_framewise.engine.lazy import LazyFrames, computed_together
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import finish
from napari_framewise.engine.sinks import MemorySinks, Several
from napari_framewise.engine.work import Cost, MapBands, MapFrames
from napari_framewise.framework.channels import channel_names, with_channels
from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.framemap.blocks import (
    Computation,
    Values,
    arguments,
    filter_block,
    image_block,
    merged,
)
from napari_framewise.framework.framemap.declaration import Column, Declared, Image
from napari_framewise.framework.framemap.timing import seconds_of
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs, Kind
from napari_framewise.framework.outcome import ImageResult, Outcome, Table, VectorsResult
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.tool import Run
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack


@dataclass(frozen=True, eq=False)
class Prepared:
    """A filter and its inputs, ready to be cut.

    Attributes
    ----------
    declared : FrameMap
        The filter.
    stack : Stack
        The frames, with their channel axis.
    inputs : tuple of Stack or None
        The frames and the further inputs in step with them.
    images : tuple of Image
        What it gives for each frame.
    vectors : str, optional
        Name of the vectors that it gives.
    computation : Computation
        What goes with every block.
    layout : Layout
        Of the results.
    cost : Cost
        Of a frame.
    work : MapFrames or MapBands
        Whether frames are cut for their images.
    run_work : MapFrames or MapBands
        Whether they are in a run that gives columns and vectors.
    """

    declared: Declared
    stack: Stack
    inputs: tuple[Stack | None, ...]
    images: tuple[Image, ...]
    vectors: str | None
    computation: Computation
    layout: Layout
    cost: Cost
    work: MapFrames | MapBands
    run_work: MapFrames | MapBands

    @property
    def has_values(self) -> bool:
        """Whether it gives more than images."""
        return bool(self.declared.columns) or self.vectors is not None

    @property
    def cost_of_item(self) -> Cost:
        """Of a frame in a run, or of a row where frames are cut into bands."""
        work = self.run_work
        return per_row(self.cost, work) if isinstance(work, MapBands) else self.cost

    def dtype(self, image: Image) -> np.dtype[Any]:
        """Type of one of the images."""
        return image.dtype_for(self.stack.dtype, self.stack.rgb)

    def lazy(self) -> list[LazyFrames]:
        """The images, computed as one looks: all of them at once."""
        kind = BandedFrames if isinstance(self.work, MapBands) else LazyFrames
        images = [
            kind(
                self.inputs,
                partial(image_block, self.computation, which),
                dtype=self.dtype(image),
                frame_shape=self.layout.frame_shape,
                order=self.layout.order,
                cost=self.cost,
                work=self.work,
            )
            for which, image in enumerate(self.images)
        ]
        computed_together(images, partial(filter_block, self.computation))
        return images


def prepared(declared: Declared, inputs: Inputs, parameters: Any, engine: Engine) -> Prepared:
    """Inputs in step, the layout of the results, and how frames are cut."""
    parameters = declared.settled(inputs, parameters)
    images, vectors = declared.images_of(parameters), declared.vectors_of(parameters)
    every = _in_step(declared, inputs, parameters)
    stack = every[0]
    on = None if declared.grid is None else declared.grid(stack.spatial_grid, parameters)
    layout = layout_of(stack, on=on)
    axis = rows_at([stack])
    computation = _computation(declared, stack, parameters, layout.frame_shape[axis - 1])
    reach = None if declared.halo is None else declared.halo(parameters)
    rows = None if on is None else _rows_of(on, stack.spatial_grid, stack.frame_shape, axis)
    elements = math.prod(stack.frame_shape)
    output = sum(image.dtype_for(stack.dtype, stack.rgb).itemsize for image in images)
    cost = Cost(
        output=output * math.prod(layout.frame_shape),
        scratch=int(declared.scratch * elements),
        seconds=elements * (declared.seconds or seconds_of(computation, every, reach, rows)),
    )
    cut = reach if declared.images_in_parts else None
    work = bands_of(every, cost, cut, engine, rows)
    whole = declared.has_values(parameters) and not declared.values_in_parts
    run_work = MapFrames() if whole else work
    return Prepared(
        declared, stack, every, images, vectors, computation, layout, cost, work, run_work
    )


def sample(
    declared: Declared, inputs: Inputs, parameters: Any, index: int, most: int | None = None
) -> tuple[Array, dict[str, Array | None]]:
    """One of the frames (1, *frame) and the further inputs with it, as the function gets them.

    Of frames of more than `most` pixels, their middle.
    """
    stack, *further = _in_step(declared, inputs, parameters)
    height = stack.frame_shape[rows_at([stack]) - 1]
    computation = _computation(declared, stack, parameters, height)
    ndim, large = len(stack.spatial_shape), most and math.prod(stack.spatial_shape) > most
    side = int(most ** (1 / ndim)) if most and large else None
    blocks = [_frame_of(each, index, side, ndim) for each in (stack, *further)]
    frames, *given = arguments(computation, blocks)
    assert frames is not None
    return frames, dict(zip(computation.roles, given, strict=True))


def _in_step(
    declared: Declared, inputs: Inputs, parameters: Any
) -> tuple[Stack, *tuple[Stack | None, ...]]:
    """The frames with their channel axis, and the further inputs in step with them."""
    stack = with_channels(inputs.stack("stack"), parameters.channels_along)
    colours = declared.channels == "colours"
    further: list[Stack | None] = []
    for role in declared.inputs:
        given = inputs.optional_stack(role.name)
        channels = Kind.LABELS not in role.kinds
        further.append(
            given and in_step(given, stack, role.title, channels=channels, colours=colours)
        )
    return stack, *further


def _computation(declared: Declared, stack: Stack, parameters: Any, height: int) -> Computation:
    by_colour = declared.channels == "colours"
    return Computation(
        declared.function,
        parameters,
        tuple(role.name for role in declared.inputs),
        stack.channels,
        declared.channels == "apart" or (by_colour and not stack.rgb),
        rows_at([stack]),
        height,
        declared.by_rows,
        by_colour,
    )


def _rows_of(
    on: Grid, given: Grid, frame_shape: tuple[int, ...], axis: int
) -> tuple[int, float, float]:
    """Rows of the result, and scale and offset of the rows of a frame that they lie on."""
    to, of = on.axes[axis - 1], given.axes[axis - 1]
    if not of.scale:
        return on.shape[axis - 1], frame_shape[axis - 1] / on.shape[axis - 1], 0.0
    return on.shape[axis - 1], to.scale / of.scale, (to.translate - of.translate) / of.scale


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
    outcome = _outcome(made, data, values, made.stack.frame_numbers, made.layout)
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
        blocks = [_frame_of(given, index) for given in made.inputs]
        out = Several(place for _, place in places)
        values = [filter_block(made.computation, *blocks, out=out)]
    data = [image for image, _ in places]
    numbers = made.stack.frame_numbers[index : index + 1]
    return _outcome(made, data, values, numbers, layout)


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


def _frame_of(
    given: Stack | None, index: int, side: int | None = None, ndim: int = 0
) -> Array | None:
    if given is None:
        return None
    at = index if given.n_frames > 1 else 0
    keys = [slice(None)] + [_middle(length, side) for length in given.frame_shape[:ndim]]
    axis = rows_at([given])
    rows = None
    if side is not None and is_planar(given) and axis < len(keys):
        rows, keys[axis] = (keys[axis].start, keys[axis].stop), slice(None)
    frame = given.read(at, at + 1, rows)[tuple(keys)]
    return frame if frame.dtype.isnative else frame.astype(frame.dtype.newbyteorder("="))


def _middle(length: int, side: int | None) -> slice:
    start = 0 if side is None else max(0, (length - side) // 2)
    return slice(start, length if side is None else min(length, start + side))


def _layer(made: Prepared, image: Image, data: Any, sample: Array, layout: Layout) -> ImageResult:
    labels = image.kind == "labels"
    return ImageResult(
        f"{made.stack.name} {image.name}",
        data,
        layout.grid,
        kind=image.kind,
        rgb=layout.rgb and not labels,
        contrast_limits=None if labels else image.limits(sample),
        colormap=image.colormap,
        visible=image.visible,
    )


def _sample(made: Prepared, data: Any, layout: Layout) -> Array:
    """The first frame, of one that is cut a band in its middle."""
    if not isinstance(made.work, MapBands) or not layout.leading:
        return layout.first(data)
    lead, work = len(layout.leading), made.work
    start = work.height // 2 // work.band * work.band
    rows = slice(start, min(start + work.band, work.height))
    keys = [0 if number < lead else slice(None) for number in layout.order]
    keys[layout.order.index(lead + work.axis - 1)] = rows
    return np.asarray(data[tuple(keys)])


def _outcome(
    made: Prepared,
    data: Sequence[Any],
    values: Sequence[Values],
    numbers: range,
    layout: Layout,
) -> Outcome:
    declared, stack = made.declared, made.stack
    samples = [_sample(made, each, layout) for each in data]
    layers: list[ImageResult | VectorsResult] = [
        _layer(made, image, each, sample, layout)
        for image, each, sample in zip(made.images, data, samples, strict=True)
    ]
    tables: tuple[Table, ...] = ()
    if declared.columns and values:
        tables = (_table(made, values, numbers),)
    if made.vectors and values:
        layers.append(_vectors(made, values, layout))
    count = "1 frame" if len(numbers) == 1 else f"{len(numbers):,} frames"
    return Outcome(
        layers=tuple(layers),
        tables=tables,
        summary=f"{declared.title}: {count} of {stack.name}.",
        diagnostics=_diagnostics(made, samples, numbers),
    )


def _diagnostics(made: Prepared, samples: Sequence[Array], numbers: range) -> tuple[str, ...]:
    """That what was computed of the first frame's result holds no number at all."""
    if not samples or np.isfinite(samples[0]).any():
        return ()
    frame = f"rame {numbers[0]:,}"
    part = f"The middle of f{frame}" if isinstance(made.work, MapBands) else f"F{frame}"
    return (f"{part} holds no data that could be used: its result is empty.",)


def _table(made: Prepared, values: Sequence[Values], numbers: range) -> Table:
    stack = made.stack
    shown = stack.select(
        replace(stack.selection, frames=(numbers.start, numbers.stop, numbers.step))
    )
    columns, notes = frame_columns(shown)
    names = channel_names(stack) if made.computation.split > 1 else ()
    for name in made.declared.columns:
        note = made.declared.note(name)
        joined = np.concatenate([each.rows[name] for each in values])
        for which in range(joined.shape[1]):
            title = f"{name}_{names[which]}" if names else name
            columns[title], notes[title] = joined[:, which], note
    return Table(made.declared.name, "frame", columns, notes)


def _vectors(made: Prepared, values: Sequence[Values], layout: Layout) -> VectorsResult:
    found = [each for block in values for each in block.vectors or ()]
    lead = len(layout.leading)
    ndim = len(layout.frame_shape) - bool(made.stack.channels)
    data = np.zeros((sum(map(len, found)), 2, lead + ndim))
    data[:, :, lead:] = np.concatenate(found) if found else 0
    frames = np.arange(len(found)) // made.computation.split
    which = np.repeat(frames, [len(each) for each in found])
    if lead:
        data[:, 0, :lead] = np.stack(np.unravel_index(which, layout.leading), axis=-1)
    flat = layout_of(made.stack, channels=False)
    flat = flat if lead else flat.still
    return VectorsResult(f"{made.stack.name} {made.vectors}", flat.coordinates(data), flat.grid)
