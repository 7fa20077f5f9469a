"""Rectangles as results: labels, shapes and a table, and what is said of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import Cost
from napari_framewise.framework.outcome import ImageResult, ShapesResult, Table
from napari_framewise.framework.placing import layout_of
from napari_framewise.stacks.selection import Selection
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.erasing.blocks import mask_block
from napari_framewise.tools.erasing.parameters import ErasingParameters

# napari takes a second to draw so many.
_MOST_SHAPES = 2000


def rectangle_table(rectangles: Array, numbers: Array, parameters: ErasingParameters) -> Table:
    """A row for each rectangle."""
    frames, count = rectangles.shape[:2]
    flat = rectangles.reshape(-1, 6)
    columns = {
        "object": np.tile(np.arange(1, count + 1), frames),
        "frame": np.full(len(flat), -1) if parameters.same else np.repeat(numbers, count),
        **{name: flat[:, n] for n, name in enumerate(("y", "x", "height", "width"))},
        "pixels": flat[:, 2] * flat[:, 3],
        "aspect": flat[:, 2] / flat[:, 3],
        "aspect_kept": flat[:, 4] > 0,
        "evenly_placed": flat[:, 5] > 0,
    }
    notes = {
        "object": "Number of the rectangle in its frame: its label in the mask.",
        "frame": "Number of the frame in the whole stack, from 0; -1: all frames.",
        "y": "First row, in pixels of the frame.",
        "x": "First column, in pixels of the frame.",
        "height": "Rows.",
        "width": "Columns.",
        "pixels": "Height times width.",
        "aspect": "Height over width.",
        "aspect_kept": "Whether the range of aspects was kept in its frame.",
        "evenly_placed": "Whether its frame's places are a draw that is uniform over all disjoint "
        "arrangements; else the frame was too full for that.",
    }
    return Table("rectangles", "object", columns, notes)


def mask_layer(stack: Stack, rectangles: Array, parameters: ErasingParameters) -> ImageResult:
    """Rectangles as labels: of one frame where they are the same in all."""
    layout = layout_of(stack, channels=False)
    data: Any
    if parameters.same or not layout.leading:
        layout = layout.still
        data, place = layout.empty(np.uint8)
        mask_block(rectangles[:1], out=place)
    else:
        data = LazyFrames(
            _in_order(stack, rectangles),
            mask_block,
            dtype=np.uint8,
            frame_shape=layout.frame_shape,
            order=layout.order,
            cost=Cost(output=math.prod(layout.frame_shape), seconds=1e-5),
        )
    return ImageResult(f"{stack.name} mask", data, layout.grid, kind="labels")


def _in_order(stack: Stack, rectangles: Array) -> Stack:
    """Rectangles of every frame along the frame axes that the stack has."""
    leading = layout_of(stack).leading
    names = (*(f"axis {axis}" for axis in range(len(leading))), "rectangle", "value")
    laid = stack_of(
        rectangles.reshape(*leading, *rectangles.shape[1:]), axes=names, name="rectangles"
    )
    return laid.select(Selection(frames_along=tuple(range(len(leading)))))


def shapes_layer(stack: Stack, rectangles: Array, parameters: ErasingParameters) -> ShapesResult:
    """The edges of the rectangles, those of the first frames where there are very many."""
    layout = layout_of(stack, channels=False)
    lead = len(layout.leading)
    still = parameters.same or not lead
    count = rectangles.shape[1]
    shown = rectangles[: max(1, _MOST_SHAPES // count)]
    numbers = np.repeat(np.arange(len(shown)), count)
    flat = shown.reshape(-1, 6)
    low, high = flat[:, :2] - 0.5, flat[:, :2] + flat[:, 2:4] - 0.5
    corners = np.stack(
        [low, np.stack([low[:, 0], high[:, 1]], -1), high, np.stack([high[:, 0], low[:, 1]], -1)],
        axis=1,
    )
    if still:
        layout = layout.still
    else:
        frames = np.stack(np.unravel_index(numbers, layout.leading), axis=-1)
        frames = np.broadcast_to(frames[:, None], (len(flat), 4, lead))
        corners = np.concatenate([frames, corners], axis=-1)
    return ShapesResult(
        f"{stack.name} rectangles",
        list(layout.coordinates(corners)),
        layout.grid,
        shape_type="rectangle",
        features=Table(
            "rectangles",
            "object",
            {
                "object": np.tile(np.arange(1, count + 1), len(shown)),
                "pixels": flat[:, 2] * flat[:, 3],
            },
        ),
        fill=np.zeros((len(flat), 4)),
        colours=np.tile([1.0, 0.8, 0.0, 1.0], (len(flat), 1)),
    )


def summary_of(stack: Stack, parameters: ErasingParameters) -> str:
    """How much was erased."""
    shape = stack.spatial_shape
    pixels, whole = parameters.pixels(shape), math.prod(shape)
    count = parameters.rectangles
    many = "one rectangle" if count == 1 else f"{count} rectangles"
    return (
        f"In every frame of {stack.name} {many} of together exactly {pixels:,} of {whole:,} pixels "
        f"({100 * pixels / whole:.4g} %) {'was' if count == 1 else 'were'} erased."
    )


def diagnostics_of(stack: Stack, rectangles: Array, shown: int, index: int = 0) -> tuple[str, ...]:
    """What was not as asked for."""
    said = []
    frames = len(rectangles)
    given_up = int((rectangles[:, 0, 4] == 0).sum())
    crowded = int((rectangles[:, 0, 5] == 0).sum())
    where = "" if frames == 1 else " in {:,} of {:,} frames"
    if given_up:
        said.append(
            "The range of aspects was given up"
            f"{where.format(given_up, frames)}: no rectangles that keep it were found."
        )
    if crowded:
        said.append(
            "The rectangles leave too little room to draw all places at once"
            f"{where.format(crowded, frames)}: they were laid into parts of the frame and moved "
            "about in turn, so not all arrangements are exactly as likely."
        )
    if shown < frames * rectangles.shape[1]:
        said.append(
            f"The shapes show the first {shown:,} rectangles of {frames * rectangles.shape[1]:,}; "
            "the table and the mask hold all."
        )
    if stack.dtype.kind == "f" and not np.isfinite(stack.frame(index)).any():
        said.append(f"Frame {stack.frame_numbers[index]:,} of {stack.name} holds no data.")
    return tuple(said)
