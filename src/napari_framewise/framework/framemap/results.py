"""The layers, table and vectors of a filter, from what its blocks gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_framewise.engine.work import MapBands
from napari_framewise.framework.channels import channel_names
from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.framemap.blocks import (
    Values,
)
from napari_framewise.framework.framemap.declaration import Image
from napari_framewise.framework.framemap.prepared import Prepared
from napari_framewise.framework.outcome import ImageResult, Outcome, Table, VectorsResult
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array


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


def outcome_of(
    made: Prepared,
    data: Sequence[Any],
    values: Sequence[Values],
    numbers: range,
    layout: Layout,
) -> Outcome:
    """Everything of a run or a preview, in the place of the frames `numbers`."""
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
    return Outcome(
        layers=tuple(layers),
        tables=tables,
        summary=f"{declared.title}: {counted(len(numbers), 'frame')} of {stack.name}.",
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
