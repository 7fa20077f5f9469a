"""The passes of an elastic registration; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames, MapNeighbours, Reduce
from napari_framewise.framework.in_step import series
from napari_framewise.framework.masks import selected
from napari_framewise.numerics.elastic import (
    Field,
    Registration,
    composed,
    coordinates,
    resampled,
    unfolded,
)
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.elastic.how import How


@dataclass(frozen=True, eq=False)
class Task:
    """What is registered, and how.

    Attributes
    ----------
    stack : Stack
    mask : Stack or None
        One frame, or as many as the stack has.
    channels : bool
        Whether the last axis of a frame holds channels, whose mean is compared.
    starts : (n, 3, 3)
        Where each frame begins; NaN is the default.
    how : How
    """

    stack: Stack
    mask: Stack | None
    channels: bool
    starts: Array
    how: How

    def plane(self, index: int) -> Array:
        """A frame as it is compared."""
        return plane_of(self.stack.frame(index), self.channels)

    def mask_of(self, index: int) -> Array | None:
        """The mask of a frame."""
        if self.mask is None:
            return None
        return selected(self.mask.frame(index if self.mask.n_frames > 1 else 0))

    def start_of(self, index: int) -> Array | None:
        """Where a frame begins."""
        start: Array = self.starts[index if len(self.starts) > 1 else 0]
        return start if np.isfinite(start).all() else None


def to_reference(
    task: Task, reference: Array, mask: Array | None, engine: Engine, label: str
) -> Generator[Progress, None, list[Registration]]:
    """Register all frames to one image."""
    parts = yield from run_pass(
        MapFrames(),
        register_block,
        (task.stack, task.mask, series(task.starts)),
        (task.channels, reference, mask, task.how),
        engine=engine,
        cost=cost_of(task.stack, task.how),
        label=label,
    )
    return [each for part in parts for each in part]


def to_previous(task: Task, engine: Engine) -> Generator[Progress, None, list[Registration]]:
    """Register each frame to the one before; transforms are composed, none behind a break."""
    parts = yield from run_pass(
        MapNeighbours(before=1, after=0),
        neighbours_block,
        (task.stack, task.mask, series(task.starts)),
        (task.channels, task.how),
        engine=engine,
        cost=cost_of(task.stack, task.how),
        label="Registering",
    )
    found = [each for part in parts for each in part]
    for number in range(1, len(found)):
        first, second = found[number - 1].field, found[number].field
        whole = composed(first, second)
        if found[number].found and np.isfinite(whole.coefficients).all():
            # The spline through two that do not fold could.
            whole = unfolded(whole.with_coefficients(0 * whole.coefficients), whole)
        found[number] = replace(found[number], field=whole)
    return found


def mean_of(
    task: Task, found: list[Registration], shape: tuple[int, ...], engine: Engine
) -> Generator[Progress, None, Array]:
    """Mean of the registered frames as they are compared; NaN where none shows anything."""
    known = [each for each in found if each.found]
    size = (known[0] if known else found[0]).field.coefficients.shape
    rows = np.array(
        [np.concatenate([each.field.matrix.ravel(), each.field.coefficients.ravel()])
         for each in found]
    )  # fmt: skip
    total, number = yield from run_pass(
        Reduce(),
        sum_block,
        (task.stack, task.mask, series(rows)),
        (task.channels, size, shape),
        engine=engine,
        cost=cost_of(task.stack, task.how),
        label="Averaging",
        merge=add_sums,
    )
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def register_block(
    frames: Array, masks: Array | None, starts: Array, channels: bool, reference: Array,
    reference_mask: Array | None, how: How,
) -> list[Registration]:  # fmt: skip
    """Register every frame of a block to an image."""
    return [
        how.registered(
            reference,
            plane_of(frame, channels),
            reference_mask,
            _mask_of(masks, index),
            _start_of(starts, index),
        )
        for index, frame in enumerate(frames)
    ]


def neighbours_block(
    frames: Array, masks: Array | None, starts: Array, channels: bool, how: How, core: slice,
) -> list[Registration]:  # fmt: skip
    """Register every frame to the one before it; the first to itself."""
    return [
        how.registered(
            plane_of(frames[max(index - 1, 0)], channels),
            plane_of(frames[index], channels),
            _mask_of(masks, max(index - 1, 0)),
            _mask_of(masks, index),
            _start_of(starts, index),
        )
        for index in range(core.start, core.stop)
    ]


def sum_block(
    frames: Array, masks: Array | None, rows: Array, channels: bool, size: tuple[int, ...],
    shape: tuple[int, ...],
) -> tuple[Array, Array]:  # fmt: skip
    """Sum of the registered frames, and how many show each pixel."""
    total: Any = np.zeros(shape)
    number: Any = np.zeros(shape)
    for index, frame in enumerate(frames):
        row = rows[index]
        if not np.isfinite(row).all():
            continue
        side = len(shape) + 1
        matrix, nodes = row[: side**2].reshape(side, side), row[side**2 :].reshape(size)
        field = Field(matrix, nodes, shape)
        values = plane_of(frame, channels).astype(np.float64)
        mask = _mask_of(masks, index)
        if mask is not None:
            values[~mask] = np.nan
        moved = resampled(values[None], coordinates(field, shape), 1)[0]
        known = np.isfinite(moved)
        total += np.where(known, moved, 0.0)
        number += known
    return total, number


def add_sums(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """Sums of two blocks."""
    return first[0] + second[0], first[1] + second[1]


def plane_of(frame: Array, channels: bool) -> Array:
    """A frame as it is compared: of several channels their mean."""
    return frame.mean(axis=-1, dtype=np.float64) if channels else frame


def cost_of(stack: Stack, how: How) -> Cost:
    """What it takes to register a frame."""
    pixels = int(np.prod(stack.frame_shape))
    seconds = 0.1 + 6e-6 * pixels if how.reach is None else 0.05 + 2e-6 * pixels
    return Cost(output=16 * pixels, scratch=400 * pixels, seconds=seconds)


def _mask_of(masks: Array | None, index: int) -> Array | None:
    return None if masks is None else selected(masks[index if len(masks) > 1 else 0])


def _start_of(starts: Array, index: int) -> Array | None:
    start: Array = starts[index if len(starts) > 1 else 0]
    return start if np.isfinite(start).all() else None
