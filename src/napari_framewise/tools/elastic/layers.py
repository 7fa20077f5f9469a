"""Layers of an elastic registration: warped images, deformation grid, displacement, Jacobian."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import Cost
from napari_framewise.framework.in_step import series
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import (
    ImageResult,
    LayerResult,
    ShapesResult,
    Table,
    VectorsResult,
)
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.transform import warp_block
from napari_framewise.numerics.elastic import determinants_of
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.elastic.model import ElasticTransforms

_LINES = 16
_MOST_LINES = 2000
_MOST_ARROWS = 50_000
_PER_LINE = 64
_ALONG = ("plane", "row", "column")


def warped_layer(
    stack: Stack,
    model: ElasticTransforms,
    target: Grid,
    order: Literal[0, 1, 3],
    *,
    kind: Literal["image", "labels"] = "image",
    name: str = "registered",
) -> ImageResult:
    """All frames pulled back, computed as they are looked at."""
    layout = layout_of(stack, str(target.role), on=target)
    data = LazyFrames(
        (stack, series(model.maps)),
        warp_block,
        (model.with_maps(model.maps[:0]), order, bool(stack.channels)),
        dtype=_dtype(stack),
        frame_shape=layout.frame_shape,
        order=layout.order,
        cost=_cost(stack),
    )
    return ImageResult(
        f"{stack.name} {name}",
        data,
        layout.grid,
        kind=kind,
        rgb=layout.rgb and kind == "image",
        contrast_limits=limits_of(data.frame(0)) if kind == "image" else None,
    )


def back_layer(
    reference: Array, name: str, stack: Stack, model: ElasticTransforms, order: Literal[1, 3]
) -> ImageResult:
    """The reference on the pixels of every frame, by the inverse."""
    layout = layout_of(stack, "stack", channels=False)
    inverse = model.inverse()
    kind = np.promote_types(reference.dtype.newbyteorder("="), np.float32)
    data = LazyFrames(
        (_every(model, stack),),
        back_block,
        (reference.astype(kind), inverse.with_maps(inverse.maps[:0]), order),
        dtype=kind,
        frame_shape=layout.frame_shape,
        order=layout.order,
        cost=_cost(stack),
    )
    limits = limits_of(reference)
    return ImageResult(
        f"{name} on {stack.name}", data, layout.grid, contrast_limits=limits, visible=False
    )


def displacement_layers(
    stack: Stack, model: ElasticTransforms, target: Grid, spacing: float
) -> list[LayerResult]:
    """Arrows, a displacement for each axis and the Jacobian determinant."""
    layout = layout_of(stack, str(target.role), channels=False, on=target)
    found: list[LayerResult] = []
    if (model.source.scale, model.source.units) == (model.target.scale, model.target.units):
        arrows = _arrows(stack, model, layout, spacing)
        reach = float(np.abs(arrows.data[:, 1]).max()) if len(arrows.data) else 1.0
        found.append(arrows)
        for place, axis in enumerate(target.axes):
            title = f"displacement along {axis.name}"
            found.append(_dense(stack, model, layout, title, place, (-reach, reach), "PiYG"))
    found.append(_dense(stack, model, layout, "Jacobian", -1, (0.0, 2.0), "viridis"))
    return found


def grid_layer(stack: Stack, model: ElasticTransforms) -> list[LayerResult]:
    """Lines of the reference where they lie in every frame; none of many frames, or volumes."""
    if len(model.target.shape) != 2:
        return []
    numbers = np.flatnonzero(model.found)
    rows, columns = model.target.shape
    step = max(rows, columns) / _LINES
    lines = [
        np.column_stack([np.full(_PER_LINE, at), np.linspace(0, columns - 1, _PER_LINE)])
        for at in np.linspace(0, rows - 1, max(2, round(rows / step) + 1))
    ] + [
        np.column_stack([np.linspace(0, rows - 1, _PER_LINE), np.full(_PER_LINE, at)])
        for at in np.linspace(0, columns - 1, max(2, round(columns / step) + 1))
    ]
    if not len(numbers) or len(numbers) * len(lines) > _MOST_LINES:
        return []
    layout = layout_of(stack, "stack", channels=False)
    shapes = []
    for number in numbers.tolist():
        place = np.unravel_index(number, stack.leading_shape) if stack.leading_shape else ()
        for line in lines:
            there = model.pull_back(line, number)
            ahead = [np.full(len(there), float(each)) for each in place]
            shapes.append(layout.coordinates(np.column_stack([*ahead, there])))
    width = np.full(len(shapes), max(0.5, step / 30))
    name = f"{stack.name} deformation grid"
    return [ShapesResult(name, shapes, layout.grid, shape_type="path", widths=width)]


def back_block(
    maps: Array, reference: Array, model: ElasticTransforms, order: Literal[1, 3], out: Array
) -> None:
    """The reference on the pixels of the frames of a block."""
    here = model.with_maps(maps)
    for number in range(len(maps)):
        out[number] = here.warp_image(reference[None], number, order)[0]


def dense_block(maps: Array, model: ElasticTransforms, part: int, out: Array) -> None:
    """Displacement along an axis, or for part -1 the Jacobian determinant, of every pixel."""
    here = model.with_maps(maps)
    axes = [np.arange(n, dtype=float) for n in model.target.shape]
    for number in range(len(maps)):
        field = here.field(number)
        if not np.isfinite(field.coefficients).all():
            out[number] = np.nan
        elif part < 0:
            out[number] = determinants_of(field.slopes_on_grid(axes))
        else:
            along = np.meshgrid(*axes, indexing="ij", sparse=True)[part]
            out[number] = field.on_grid(axes)[part] - along


def _arrows(
    stack: Stack, model: ElasticTransforms, layout: Layout, spacing: float
) -> VectorsResult:
    numbers = np.flatnonzero(model.found)
    shape = model.target.shape
    most = _MOST_ARROWS / max(1, len(numbers))
    step = max(4.0, spacing / 2, (float(np.prod(shape)) / most) ** (1 / len(shape)))
    axes = [np.arange(min(step / 2, (n - 1) / 2), n, step) for n in shape]
    starts = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
    parts, which = [], []
    for number in numbers.tolist():
        place = np.unravel_index(number, stack.leading_shape) if stack.leading_shape else ()
        lead = np.tile(np.array(place, float), (len(starts), 1))
        move = model.pull_back(starts, number) - starts
        begin, end = np.hstack([lead, starts]), np.hstack([0 * lead, move])
        parts.append(np.stack([begin, end], axis=1))
        which += [stack.frame_numbers[number]] * len(starts)
    lead_axes = len(layout.leading)
    data = np.concatenate(parts) if parts else np.zeros((0, 2, lead_axes + len(shape)))
    moves = data[:, 1, lead_axes:]
    columns_of = {
        "frame": np.array(which, np.int64),
        **{_ALONG[k - len(shape)]: moves[:, k] for k in range(len(shape))},
        "length": np.sqrt((moves**2).sum(axis=1)),
    }
    notes = {
        "frame": "Number of the frame.",
        "plane": "Displacement along planes from the reference to the image, in pixels.",
        "row": "Displacement along rows from the reference to the image, in pixels.",
        "column": "Along columns.",
        "length": "Size of the displacement, in pixels.",
    }
    return VectorsResult(
        f"{stack.name} displacement",
        layout.coordinates(data),
        layout.grid,
        features=Table(
            "vectors", "object", columns_of, {k: notes[k] for k in notes if k in columns_of}
        ),
        color_by="length",
        width=max(0.5, step / 10),
    )


def _dense(
    stack: Stack,
    model: ElasticTransforms,
    layout: Layout,
    title: str,
    part: int,
    limits: tuple[float, float],
    colormap: str,
) -> ImageResult:
    data = LazyFrames(
        (_every(model, stack),),
        dense_block,
        (model.with_maps(model.maps[:0]), part),
        dtype=np.float32,
        frame_shape=layout.frame_shape,
        order=layout.order,
        cost=_cost(stack),
    )
    return ImageResult(
        f"{stack.name} {title}",
        data,
        layout.grid,
        contrast_limits=limits,
        colormap=colormap,
        visible=False,
    )


def _every(model: ElasticTransforms, stack: Stack) -> Stack:
    """The maps as a stack with the leading axes of the frames."""
    maps = np.broadcast_to(model.maps, (stack.n_frames, model.maps.shape[1]))
    lead = len(stack.leading_shape)
    names = (*(f"frames {number}" for number in range(lead)), "value")
    made = stack_of(maps.reshape(*stack.leading_shape, -1), axes=names, name="maps")
    return made.select(replace(made.selection, frames_along=tuple(range(lead))))


def _dtype(stack: Stack) -> np.dtype[np.generic]:
    """Type of registered frames: the stack's own, in this machine's byte order."""
    own = stack.dtype.newbyteorder("=")
    return np.promote_types(own, np.float32) if own.kind == "f" else own


def _cost(stack: Stack) -> Cost:
    pixels = int(np.prod(stack.frame_shape))
    return Cost(scratch=100 * pixels, seconds=1e-3 + 4e-7 * pixels)
