"""Resample: frames with larger or smaller pixels, without aliasing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from napari_framewise.framework.framemap import FrameMap, FrameMapParameters, Image, Rows
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.masks import selected
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics.common.blocks import working_type
from napari_framewise.numerics.warp import (
    MAGNIFIED,
    Kernel,
    footprints,
    prepared,
    reach_of,
    warped,
)
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.memory import check_fits
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.mask_input import mask_input


class ResampleParameters(FrameMapParameters):
    """Parameters of resampling."""

    scale: float = parameter(
        0.5,
        "Scale",
        "Pixels of the result per pixel: 0.25 gives pixels four times as large. A pixel size below "
        "goes before it.",
        gt=0,
        le=1000,
    )
    pixel_size: Length | None = parameter(
        None,
        "Pixel size",
        "Size of the pixels of the result, one or one for each axis: 0.5um, 2px, 1,2px. Empty: by "
        "the scale.",
        gt=0,
    )
    kernel: Kernel = parameter(
        "jinc",
        "Kernel",
        "Weights over the footprint of a pixel: jinc with three lobes stops most of what the "
        "result can't show; Robidoux and Mitchell ring less and leave more; area is the exact mean "
        "over the pixel. Where pixels become smaller, a cubic B-spline.",
        rare=True,
    )


def resample(
    frames: Array, parameters: ResampleParameters, mask: Array | None = None, *, rows: Rows
) -> Array:
    """A block of frames (n, y, x) or (n, z, y, x) with the rows asked for."""
    size = np.array(_sizes(parameters)[-2:])
    shift = (size - 1) / 2
    slopes = np.diag(size)
    first, last = rows.asked
    columns = _length(frames.shape[-1], size[1])
    at = footprints(
        lambda points: points * size + shift,
        lambda points: np.broadcast_to(slopes, (len(points), 2, 2)),
        (last - first, columns),
        first,
        corners=parameters.kernel == "area",
    )
    work = frames.astype(working_type(frames.dtype))
    out = np.empty((*frames.shape[:-2], *at.shape), work.dtype)
    for index in np.ndindex(*frames.shape[:-2]):
        valid = None if mask is None else selected(mask[(min(index[0], len(mask) - 1), *index[1:])])
        image = prepared(work[index][None], valid, first_row=rows.given[0])
        out[index] = warped(image, at, kernel=parameters.kernel)[0]
    return out


def settle(inputs: Inputs, parameters: ResampleParameters) -> ResampleParameters:
    """The pixel size in pixels of the frames."""
    stack = inputs.stack("stack")
    axes = stack.spatial_grid.axes
    if len(axes) not in (2, 3):
        raise ValueError(
            f"{stack.name} holds {stack.summary()}; frames of rows and columns, or of planes of "
            "them, are needed."
        )
    flat = len(axes) == 2
    if parameters.pixel_size is None:
        sizes = 1 / parameters.scale, 1 / parameters.scale
    else:
        given = parameters.pixel_size
        whole = given.in_pixels(axes if len(given.values) == len(axes) else axes[-2:], "Pixel size")
        if len(whole) == 3 and not math.isclose(whole[0], 1):
            raise ValueError(
                f"Pixel size was given as {given}, but planes of {stack.name} stay as they are; "
                "give the sizes along y and x."
            )
        sizes = whole[-2], whole[-1]
    if any(size > n for n, size in zip(stack.spatial_shape[-2:], sizes, strict=True)):
        raise ValueError(
            f"Pixels of {sizes[0]:.6g} x {sizes[1]:.6g} pixels of {stack.name} were asked for, but "
            f"its frames have {' x '.join(map(str, stack.spatial_shape))}; choose smaller ones."
        )
    shape = [_length(n, size) for n, size in zip(stack.spatial_shape[-2:], sizes, strict=True)]
    check_fits(
        f"{stack.name} resampled",
        f"a frame of {shape[0]:,} x {shape[1]:,} pixels",
        4 * math.prod(shape) * (1 if flat else stack.spatial_shape[0]) * max(1, stack.channels),
        "choose larger pixels",
    )
    return parameters.model_copy(update={"pixel_size": Length(sizes)})


def grid(given: Grid, parameters: ResampleParameters) -> Grid:
    """Pixels whose edges begin where the frame's do."""
    sizes = (*(1.0,) * (given.ndim - 2), *_sizes(parameters))
    axes = tuple(
        replace(
            axis,
            scale=axis.scale * size,
            translate=axis.translate + axis.scale * (size - 1) / 2,
        )
        for axis, size in zip(given.axes, sizes, strict=True)
    )
    shape = tuple(_length(n, size) for n, size in zip(given.shape, sizes, strict=True))
    return Grid(axes, shape, role=given.role, moved=given.moved)


def halo(parameters: ResampleParameters) -> int | None:
    """Rows that a footprint reaches; a spline rests on the whole frame."""
    sizes = _sizes(parameters)
    if max(sizes) < MAGNIFIED:
        return None
    return math.ceil(reach_of(parameters.kernel) * max(sizes[0], 1.0)) + 1


def methods(inputs: Inputs, parameters: ResampleParameters) -> str:
    """Sentence for the methods part of a paper."""
    sizes = " x ".join(f"{size:g}" for size in _sizes(settle(inputs, parameters)))
    return (
        f"Frames were resampled to pixels of {sizes} of their own by averages over the footprint "
        f"of each (Greene & Heckbert, 1986; {parameters.kernel}), and by cubic B-splines where "
        "pixels became smaller."
    )


def warm_up() -> None:
    """Compile what frames of up to 16 bits and float32 need."""
    parameters = ResampleParameters(pixel_size=Length((2.0, 2.0)))
    resample(np.zeros((1, 8, 8), np.float32), parameters, rows=Rows((0, 4), (0, 8), 1))


def _sizes(parameters: ResampleParameters) -> tuple[float, float]:
    """Size along rows and columns in pixels of the frames, once it is settled."""
    assert parameters.pixel_size is not None
    rows, columns = parameters.pixel_size.values
    return rows, columns


def _length(length: int, size: float) -> int:
    return max(1, round(length / size))


RESAMPLE = FrameMap(
    name="resample",
    title="Resample",
    menu="transform",
    sentence="Larger or smaller pixels, by a factor or a pixel size, without aliasing.",
    parameters=ResampleParameters,
    function=resample,
    images=(Image("resampled", dtype="shown"),),
    inputs=(mask_input("use", "What lies under the rest changes nothing."),),
    by_rows=True,
    grid=grid,
    settle=settle,
    halo=halo,
    scratch=32.0,
    methods=methods,
    stack_sentence="The frames to resample.",
    label="Resampling",
    warm_up=warm_up,
    compile_seconds=2.5,
    citations=(
        "Greene, N. and Heckbert, P. S. (1986), IEEE Comput. Graphics and Appl. 6(6), 21-27",
    ),
)
TOOL = RESAMPLE.tool
