"""What is computed for a block of frames; importable by a cluster's workers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_framewise.engine.work import Cost
from napari_framewise.numerics import erasing as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.erasing.parameters import ErasingParameters

# Seeds of rectangles and of noise are apart.
_NOISE = 1


def rectangles_of(number: int, shape: tuple[int, int], parameters: ErasingParameters) -> Array:
    """Rectangles of a frame by its number: (k, 6), with aspect kept and evenly placed behind."""
    found = numerics.random_rectangles(
        shape,
        parameters.pixels(shape),
        parameters.rectangles,
        aspect=(parameters.lowest_aspect, parameters.highest_aspect),
        gap=parameters.gap,
        seed=(parameters.seed, number),
    )
    said = np.broadcast_to([found.aspect_kept, found.even], (len(found.sizes), 2))
    return np.concatenate([found.places, found.sizes, said], axis=1)


def rectangles_block(
    numbers: Array, shape: tuple[int, int], parameters: ErasingParameters
) -> Array:
    """Rectangles of the frames of a block: (n, k, 6)."""
    return np.stack([rectangles_of(int(each), shape, parameters) for each in numbers[:, 0]])


def erased_block(
    frames: Array, rectangles: Array, numbers: Array, parameters: ErasingParameters, *, out: Array
) -> None:
    """A block of frames with their rectangles filled."""
    for position, (frame, place) in enumerate(zip(frames, out, strict=True)):
        mine = rectangles[position if len(rectangles) > 1 else 0]
        seed = (parameters.seed, int(numbers[position, 0]), _NOISE)
        filled = numerics.erased(
            frame, mine[:, :4], parameters.fill, value=parameters.value, seed=seed
        )
        if out.dtype.kind in "iu" and filled.dtype.kind == "f":
            limits = np.iinfo(out.dtype)
            filled = np.clip(np.rint(np.nan_to_num(filled)), limits.min, limits.max)
        place[...] = filled


def mask_block(rectangles: Array, *, out: Array) -> None:
    """Numbers of the rectangles of a block of frames."""
    for mine, place in zip(rectangles, out, strict=True):
        place[...] = numerics.numbered(mine[:, :4], place.shape)


def dtype_of(stack: Stack, parameters: ErasingParameters) -> np.dtype[Any]:
    """Of the erased frames: that of the stack, but NaN needs floats."""
    dtype = stack.dtype.newbyteorder("=")
    if parameters.fill != "nan" or dtype.kind == "f":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


def cost_of(stack: Stack) -> Cost:
    """What a frame takes."""
    pixels = math.prod(stack.frame_shape)
    size = pixels * stack.dtype.itemsize
    return Cost(output=size, scratch=size + 10 * pixels, seconds=2e-5 + 2e-9 * pixels)
