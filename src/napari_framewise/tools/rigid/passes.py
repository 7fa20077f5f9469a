"""The passes that align volumes; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames, MapNeighbours, Reduce
from napari_framewise.framework.in_step import series
from napari_framewise.framework.masks import selected
from napari_framewise.framework.model import Space
from napari_framewise.numerics import rigid as numerics
from napari_framewise.numerics.alignment import Alignment
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.rigid.model import RigidTransforms


def to_template(
    stack: Stack,
    mask: Stack | None,
    template: numerics.RigidTemplate,
    starts: Array,
    engine: Engine,
    label: str,
) -> Generator[Progress, None, list[Alignment]]:
    """Align all frames to one template."""
    parts = yield from run_pass(
        MapFrames(),
        align_block,
        (stack, mask, series(starts)),
        (template,),
        engine=engine,
        cost=cost_of(stack),
        label=label,
    )
    return [each for part in parts for each in part]


def to_previous(
    stack: Stack,
    mask: Stack | None,
    scale: tuple[float, ...],
    settings: numerics.RigidSettings,
    engine: Engine,
) -> Generator[Progress, None, tuple[list[Alignment], Array]]:
    """Align each frame to the one before; its matrices are composed, NaN behind a break."""
    parts = yield from run_pass(
        MapNeighbours(before=1, after=0),
        neighbours_block,
        (stack, mask),
        (scale, settings),
        engine=engine,
        cost=cost_of(stack),
        label="Aligning",
    )
    found = [each for part in parts for each in part]
    matrices = np.array([each.matrix for each in found])
    for number in range(1, len(matrices)):
        matrices[number] = matrices[number] @ matrices[number - 1]
    return found, matrices


def mean_of(
    stack: Stack, mask: Stack | None, matrices: Array, gains: Array, engine: Engine
) -> Generator[Progress, None, Array]:
    """Mean of the aligned frames, brought to the reference's brightness; NaN where none shows."""
    total, number = yield from run_pass(
        Reduce(),
        sum_block,
        (stack, mask, series(matrices), series(gains)),
        engine=engine,
        cost=cost_of(stack),
        label="Averaging",
        merge=add_sums,
    )
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def align_block(
    frames: Array, masks: Array | None, starts: Array, template: numerics.RigidTemplate
) -> list[Alignment]:
    """Align every frame to a template, from given starts; NaN is none."""
    return [
        numerics.align(template, frame, mask_of(masks, index), start=start)
        for index, (frame, start) in enumerate(zip(frames, starts, strict=True))
    ]


def neighbours_block(
    frames: Array,
    masks: Array | None,
    scale: tuple[float, ...],
    settings: numerics.RigidSettings,
    core: slice,
) -> list[Alignment]:
    """Align every frame to the one before it; the first to itself."""
    found = []
    for index in range(core.start, core.stop):
        before = max(index - 1, 0)
        template = numerics.prepare(
            frames[before], mask_of(masks, before), scale=scale, settings=settings
        )
        found.append(numerics.align(template, frames[index], mask_of(masks, index)))
    return found


def sum_block(
    frames: Array, masks: Array | None, matrices: Array, gains: Array
) -> tuple[Array, Array]:
    """Sum of the aligned frames, and how many show each pixel."""
    space = Space("", (), (), ())
    model = RigidTransforms(space, space, matrices, "euclidean")
    total: Any = np.zeros(frames.shape[1:])
    number: Any = np.zeros(frames.shape[1:])
    for index, frame in enumerate(frames):
        values = frame.astype(np.float64)
        mask = mask_of(masks, index)
        if mask is not None:
            values[~mask] = np.nan
        moved = model.warp_image(values[None], index)[0]
        gain, offset = gains[index]
        known = np.isfinite(moved) & np.isfinite(gain)
        total += np.where(known, (moved - offset) / gain, 0.0)
        number += known
    return total, number


def add_sums(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """Sums of two blocks."""
    return first[0] + second[0], first[1] + second[1]


def mask_of(masks: Array | None, index: int) -> Array | None:
    """The mask of a frame of a block: its own, or the one for all."""
    if masks is None:
        return None
    return selected(masks[index if len(masks) > 1 else 0])


def cost_of(stack: Stack) -> Cost:
    """What it takes to align a volume."""
    pixels = int(np.prod(stack.frame_shape))
    return Cost(output=16 * pixels, scratch=200 * pixels, seconds=1e-2 + 3e-6 * pixels)
