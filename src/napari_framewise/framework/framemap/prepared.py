"""A filter and its inputs, ready to be cut into blocks of frames or bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.banded import BandedFrames, bands_of, per_row
from napari_framewise.engine.job import is_planar, rows_at
from napari_framewise.engine.lazy import LazyFrames, computed_together
from napari_framewise.engine.work import Cost, MapBands, MapFrames
from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.framemap.blocks import (
    Computation,
    arguments,
    filter_block,
    image_block,
)
from napari_framewise.framework.framemap.declaration import Declared, Image
from napari_framewise.framework.framemap.timing import seconds_of
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs, Kind
from napari_framewise.framework.placing import Layout, layout_of
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
    blocks = [frame_of(each, index, side, ndim) for each in (stack, *further)]
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


def frame_of(
    given: Stack | None, index: int, side: int | None = None, ndim: int = 0
) -> Array | None:
    """A frame, or what lies in its middle within `side` along its first axes."""
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
