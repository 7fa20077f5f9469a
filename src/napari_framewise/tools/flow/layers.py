"""Layers of a flow: arrows, dense fields, colours with their wheel, warped images and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import Cost
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import ImageResult, Table, VectorsResult
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.numerics.flow import legend, warped_dtype
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.flow.blocks import (
    PairResult,
    colour_block,
    component_block,
    confidence_block,
    inverse_block,
    warped_block,
)
from napari_framewise.tools.flow.model import FlowModel
from napari_framewise.tools.flow.pairs import cut
from napari_framewise.tools.flow.parameters import FlowParameters
from napari_framewise.tools.flow.units import Motion

_COLORMAPS = {"direction": "hsv", "magnitude": "viridis", "confidence": "viridis"}
_COLOR_LIMITS = {"direction": (0.0, 360.0), "confidence": (0.0, 1.0)}
_WHEEL_SHARE = 5


def fields_stack(fields: object, layout: Layout) -> Stack:
    """The dense fields (*leading, *grid, parts) as a stack of frames."""
    leading = len(layout.leading)
    names = [f"frames {number}" for number in range(leading)]
    names += [f"pixels {number}" for number in range(len(layout.frame_shape))]
    stack = stack_of(fields, axes=(*names, "part"), name="flow")
    return stack.select(replace(stack.selection, frames_along=tuple(range(leading))))


def vector_layer(
    name: str,
    results: Sequence[PairResult],
    numbers: Array,
    layout: Layout,
    parameters: FlowParameters,
    motion: Motion,
) -> VectorsResult:
    """Arrows at the picked pixels of every pair."""
    ndim = len(layout.frame_shape)
    lead = len(layout.leading)
    counts = [len(result.starts) for result in results]
    moves = np.concatenate([result.moves for result in results]).astype(np.float32)
    data = np.zeros((len(moves), 2, lead + ndim), np.float32)
    data[:, 0, lead:] = np.concatenate([result.starts for result in results])
    data[:, 1, lead:] = moves
    which = np.repeat(np.arange(len(results)), counts)
    if lead:
        data[:, 0, :lead] = np.stack(np.unravel_index(which, layout.leading), axis=-1)
    scale = np.array(spatial_grid(layout).scale)
    scaled = moves * scale
    columns: dict[str, Array] = {
        "frame": numbers[which],
        "u": moves[:, -1],
        "v": moves[:, -2],
        "magnitude": np.sqrt(np.sum(moves.astype(np.float64) ** 2, axis=1)),
        "direction": np.degrees(np.arctan2(-scaled[:, -2], scaled[:, -1])) % 360,
        "confidence": np.concatenate([result.confidences for result in results]),
    }
    notes = {
        "frame": "Number of the first frame of the pair.",
        "u": "Displacement to the right, in pixels per frame.",
        "v": "Displacement downwards, in pixels per frame.",
        "magnitude": "Size of the displacement, in pixels per frame.",
        "direction": "In degrees, from the right counter-clockwise.",
        "confidence": "0 to 1; 0.5 stands for about a pixel.",
    }
    if ndim == 3:
        columns["w"] = moves[:, 0]
        notes["w"] = "Displacement along the first axis, in pixels per frame."
    if motion.speed is not None:
        columns["speed"] = motion.speed * np.sqrt(np.sum(scaled.astype(np.float64) ** 2, axis=1))
        notes["speed"] = f"In {motion.speed_unit}."
    return VectorsResult(
        f"{name} flow",
        layout.coordinates(data),
        layout.grid,
        features=Table("vectors", "object", columns, notes),
        color_by=parameters.colour_by,
        colormap=_COLORMAPS[parameters.colour_by],
        color_limits=_COLOR_LIMITS.get(parameters.colour_by),
        width=max(0.5, parameters.step / 10),
    )


def dense_layers(
    name: str, fields: Stack, layout: Layout, parameters: FlowParameters, largest: float
) -> list[ImageResult]:
    """The dense fields that are asked for."""
    shape = fields.frame_shape[:-1]
    ndim = len(shape)
    reach = largest if largest > 0 else 1.0
    layers: list[ImageResult] = []
    planar = ndim == 2
    if parameters.field in ("colour", "both") and planar:
        colours = layout.coloured
        lazy = LazyFrames(
            fields,
            colour_block,
            (reach,),
            dtype=np.uint8,
            frame_shape=colours.frame_shape,
            order=colours.order,
        )
        layers.append(
            ImageResult(f"{name} flow colours", lazy, colours.grid, rgb=True, visible=False)
        )
        layers.append(_wheel(name, layout, reach))
    if parameters.field in ("components", "both") or (parameters.field == "colour" and not planar):
        for part, axis in enumerate(spatial_grid(layout).axes):
            lazy = LazyFrames(
                fields,
                component_block,
                (part,),
                dtype=np.float32,
                frame_shape=shape,
                order=layout.order,
            )
            layers.append(
                ImageResult(
                    f"{name} flow along {axis.name}",
                    lazy,
                    layout.grid,
                    contrast_limits=(-reach, reach),
                    colormap="PiYG",
                    visible=False,
                    metadata={"flow": {"component": part, "unit": "pixels per frame"}},
                )
            )
    if parameters.confidence:
        lazy = LazyFrames(
            fields, confidence_block, dtype=np.float32, frame_shape=shape, order=layout.order
        )
        layers.append(
            ImageResult(
                f"{name} flow confidence",
                lazy,
                layout.grid,
                contrast_limits=(0.0, 1.0),
                colormap="viridis",
                visible=False,
            )
        )
    for wanted, title, part in (
        (parameters.uncertainty, "uncertainty", ndim),
        (parameters.structure, "structure", ndim + 1),
    ):
        if not wanted:
            continue
        labels = title == "structure"
        lazy = LazyFrames(
            fields,
            component_block,
            (part,),
            dtype=np.uint8 if labels else np.float32,
            frame_shape=shape,
            order=layout.order,
        )
        layers.append(
            ImageResult(
                f"{name} flow {title}",
                lazy,
                layout.grid,
                kind="labels" if labels else "image",
                contrast_limits=None if labels else (0.0, 2.0),
                visible=False,
            )
        )
    return layers


def warped_layer(
    moving: Stack,
    fields: Stack,
    model: FlowModel,
    layout: Layout,
    *,
    title: str = "warped",
    labels: bool = False,
) -> ImageResult:
    """Frames pulled back by a flow whose displacements the fields hold, as they are looked at."""
    moved = _with_channels_of(moving, layout)
    pixels = int(np.prod(moving.frame_shape))
    dtype = moving.dtype.newbyteorder("=") if labels else warped_dtype(moving.dtype)
    lazy = LazyFrames(
        (fields, moving),
        warped_block,
        (model.with_maps(model.maps[:0]), 0 if labels else 3, bool(moving.channels)),
        dtype=dtype,
        frame_shape=moved.frame_shape,
        order=moved.order,
        cost=Cost(scratch=64 * pixels, seconds=1e-7 * pixels),
    )
    return ImageResult(
        f"{moving.name} {title}",
        lazy,
        moved.grid,
        kind="labels" if labels else "image",
        rgb=moved.rgb,
        contrast_limits=None if labels else limits_of(moving.frame(0)),
        visible=False,
    )


def followed(
    moving: Stack, model: FlowModel, role: str, *, forward: bool, labels: bool
) -> ImageResult:
    """Another stack moved by a flow: its second frames back, or its first frames forward.

    Raises
    ------
    ValueError
        Where its frames do not fit the flow.
    """
    shape = moving.spatial_shape
    wanted = model.displacement.shape[2:]
    if shape != wanted:
        raise ValueError(
            f"The flow is that of frames of {_size(wanted)} pixels, but {moving.name} has frames "
            f"of {_size(shape)}; they must have the same shape."
        )
    firsts, seconds = model.frames_of(moving.n_frames, moving.name)
    taken, shown = (firsts, seconds) if forward else (seconds, firsts)
    if len(taken) < moving.n_frames:
        moved, like = (cut(moving, each.start, each.stop) for each in (taken, shown))
    else:
        moved = like = moving
    layout = layout_of(like, role, channels=False)
    parts = np.broadcast_to(model.maps, (like.n_frames, *model.maps.shape[1:]))
    fields = fields_stack(parts.reshape(*layout.leading, *parts.shape[1:]), layout)
    if forward:
        back = LazyFrames(
            fields,
            inverse_block,
            (model.with_maps(model.maps[:0]),),
            dtype=np.float32,
            frame_shape=fields.frame_shape,
        )
        fields = fields_stack(back, layout)
    title = "moved" if forward else "warped"
    return warped_layer(moved, fields, model, layout, title=title, labels=labels)


def _with_channels_of(moving: Stack, layout: Layout) -> Layout:
    """The layout of pairs with the channels of the frames that are moved."""
    if not moving.channels:
        return layout
    own = layout_of(moving, on=spatial_grid(layout))
    channel, order = layout.grid.ndim, own.order
    if len(own.leading) != len(layout.leading):
        # One image for all pairs: its channels come in front of its rows and columns.
        order = (*layout.order[:-2], channel, *layout.order[-2:])
    if own.rgb:
        order = (*(number for number in order if number != channel), channel)
    natural = layout.grid.take([layout.order.index(number) for number in range(channel)])
    every = moving.grid.take([-1]).after(natural)
    grid = replace(every.take(order[:-1] if own.rgb else order), role=layout.grid.role)
    return replace(own, grid=grid, order=order, leading=layout.leading)


def _wheel(name: str, layout: Layout, reach: float) -> ImageResult:
    """The legend, beside the image, as wide as a fifth of it."""
    shape = layout.frame_shape
    size = max(9, min(shape) // _WHEEL_SHARE)
    left = shape[1] + size // 8
    return ImageResult(
        f"{name} colour wheel, {reach:.3g} px at its rim",
        legend(size),
        spatial_grid(layout).cropped((0, size), (left, left + size)),
        rgb=True,
        visible=False,
    )


def spatial_grid(layout: Layout) -> Grid:
    """The grid of one frame."""
    return layout.still.grid


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
