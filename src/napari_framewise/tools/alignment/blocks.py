"""What is computed for a block of frames of an alignment; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_framewise.framework.masks import selected
from napari_framewise.numerics import alignment as numerics
from napari_framewise.numerics.transforms import warp
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class Alignments:
    """Alignments of some frames, as arrays with a row per frame.

    Attributes
    ----------
    matrices : (n, 3, 3)
    errors : (n, k)
        Standard errors of the parameters.
    status : (n,) int
    columns : dict of (n,)
        gain, offset, correlation, rmse, overlap, motion_error, iterations.
    back : (n,) int
        How many frames back the template is, where it is an earlier frame; else 0.
    """

    matrices: Array
    errors: Array
    status: Array
    columns: dict[str, Array]
    back: Array

    @classmethod
    def of(cls, found: Sequence[numerics.Alignment]) -> Alignments:
        """The alignments of consecutive frames."""
        return cls(
            np.stack([each.matrix for each in found]),
            np.stack([np.sqrt(np.diag(each.covariance)) for each in found]),
            np.array([int(each.status) for each in found]),
            {name: np.array([getattr(each, name) for each in found], float) for name in COLUMNS},
            np.zeros(len(found), np.int64),
        )

    @classmethod
    def joined(cls, parts: Sequence[Alignments]) -> Alignments:
        """One after the other."""
        return cls(
            np.concatenate([each.matrices for each in parts]),
            np.concatenate([each.errors for each in parts]),
            np.concatenate([each.status for each in parts]),
            {name: np.concatenate([each.columns[name] for each in parts]) for name in COLUMNS},
            np.concatenate([each.back for each in parts]),
        )


FRAMES_BACK = 4
"""So many frames that hold nothing, or nothing similar, can be stepped over."""
COLUMNS = ("gain", "offset", "correlation", "rmse", "overlap", "motion_error", "iterations")


@dataclass(frozen=True)
class Running:
    """A running mean of aligned frames.

    Attributes
    ----------
    mean : (y, x) or (y, x, channels) float64
        NaN where nothing has been seen.
    weight : (y, x) float64
        Frames that it rests on, pixel by pixel.
    """

    mean: Array
    weight: Array


def align_block(
    frames: Array,
    masks: Array | None,
    starts: Array,
    template: numerics.Template,
    channel: int | None,
) -> Alignments:
    """Align every frame to a template, from given starts; NaN is none."""
    return Alignments.of(
        [
            numerics.align(
                template, plane_of(frame, channel), mask_of(masks, index), start=_known(start)
            )
            for index, (frame, start) in enumerate(zip(frames, starts, strict=True))
        ]
    )


def align_neighbours(
    frames: Array,
    masks: Array | None,
    bad: Array,
    begins: Array,
    settings: numerics.Settings,
    channel: int | None,
    core: slice,
) -> Alignments:
    """Align every frame to the nearest good one before it that it matches.

    Frames that the chain begins with, no good one being before them, are aligned to themselves.
    """
    templates: dict[int, numerics.Template] = {}
    found, back = [], []
    for index in range(core.start, core.stop):
        plane = plane_of(frames[index], channel)
        best: tuple[numerics.Alignment, int] | None = None
        nearest = range(min(1, index), min(FRAMES_BACK, index) + 1)
        good = [away for away in nearest if away == 0 or not bad[index - away, 0]]
        if begins[index, 0]:
            good = [0]
        for away in good or nearest[:1]:
            if index - away not in templates:
                before = plane_of(frames[index - away], channel)
                own = mask_of(masks, index - away)
                templates[index - away] = numerics.prepare(before, own, settings=settings)
            template = templates[index - away]
            each = numerics.align(template, plane, mask_of(masks, index))
            # Of what was not found the nearest frame that holds data says why.
            if each.found or best is None or best[0].status == numerics.Status.NO_DATA:
                best = (each, away)
            if each.found:
                break
        assert best is not None
        found.append(best[0])
        back.append(best[1])
        templates.pop(index - FRAMES_BACK, None)
    alignments = Alignments.of(found)
    return replace(alignments, back=np.array(back))


def align_running(
    state: Running | None,
    frames: Array,
    masks: Array | None,
    bad: Array,
    settings: numerics.Settings,
    channel: int | None,
    memory: int,
) -> tuple[Running | None, Alignments]:
    """Align every frame to the mean of the aligned good frames before it."""
    found = []
    for index, frame in enumerate(frames):
        plane, mask = plane_of(frame, channel), mask_of(masks, index)
        if state is None and bad[index, 0]:
            # Nothing to align to yet, and nothing to begin from.
            nothing = numerics.prepare(np.full(plane.shape, np.nan), settings=settings)
            found.append(numerics.align(nothing, plane, mask))
            continue
        if state is None:
            known = masked(plane, mask)
            state = Running(known, _seen(known).astype(float))
        template = numerics.prepare(state.mean, settings=settings)
        each = numerics.align(template, plane, mask)
        found.append(each)
        if each.found and not bad[index, 0]:
            state = _with(state, masked(plane, mask), each, memory)
    return state, Alignments.of(found)


def _with(state: Running, plane: Array, found: numerics.Alignment, memory: int) -> Running:
    """The running mean with one frame more, brought to the mean's brightness."""
    moved = (warp(plane, found.matrix) - found.offset) / found.gain
    seen = _seen(moved)
    weight = np.minimum(state.weight + seen, memory)
    share = np.where(seen, 1 / np.maximum(weight, 1), 0.0)
    share = share if moved.ndim == 2 else share[..., None]
    mean: Array = np.where(np.isfinite(state.mean), state.mean, moved)
    step: Array = share * np.where(share > 0, moved - mean, 0.0)
    return Running(np.asarray(mean + step), np.asarray(weight))


def sum_block(
    frames: Array, masks: Array | None, matrices: Array, gains: Array, channel: int | None
) -> tuple[Array, Array]:
    """Sum of the aligned frames, brought to the reference's brightness, and their number."""
    total: Any = 0.0
    count: Any = 0
    each = zip(frames, matrices, gains, strict=True)
    for index, (frame, matrix, (gain, offset)) in enumerate(each):
        if not np.isfinite(matrix).all():
            matrix = np.full((3, 3), np.nan)
        plane = masked(plane_of(frame, channel), mask_of(masks, index))
        moved = (warp(plane, matrix) - offset) / gain
        seen = np.isfinite(moved)
        total = total + np.where(seen, moved, 0.0)
        count = count + seen
    return total, count


def add_sums(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """Sums of two blocks."""
    return first[0] + second[0], first[1] + second[1]


def error_block(
    frames: Array,
    matrices: Array,
    gains: Array,
    template: Array,
    channel: int | None,
    out: Array,
) -> None:
    """Frames pulled back, minus the template with their gain and offset; channels averaged."""
    for frame, matrix, (gain, offset), place in zip(frames, matrices, gains, out, strict=True):
        plane = plane_of(frame, channel)
        moved = warp(plane.astype(np.promote_types(plane.dtype, np.float32)), matrix, place.shape)
        left = moved - gain * template - offset
        place[...] = left if left.ndim == 2 else left.mean(axis=-1)


def plane_of(frame: Array, channel: int | None) -> Array:
    """What of a frame is compared: one channel, or all of it."""
    return frame if channel is None or frame.ndim == 2 else frame[..., channel]


def mask_of(masks: Array | None, index: int) -> Array | None:
    """The mask of a frame of a block: its own, or the one for all."""
    if masks is None:
        return None
    return selected(masks[index if len(masks) > 1 else 0])


def masked(plane: Array, mask: Array | None) -> Array:
    """A frame as floats, NaN where a mask leaves a pixel out."""
    known = plane.astype(np.promote_types(plane.dtype, np.float32))
    if mask is not None:
        known[np.asarray(mask) == 0] = np.nan
    return known


def _seen(plane: Array) -> Array:
    """Where a frame has data in all channels."""
    return np.asarray(np.isfinite(plane).reshape(*plane.shape[:2], -1).all(-1))


def _known(start: Array) -> Array | None:
    return start if np.isfinite(start).all() else None
