"""Frames that are bad, with their reasons: found before an alignment, and by it."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.numerics import frame_quality
from napari_framewise.numerics.transforms import described
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.alignment.blocks import Alignments, mask_of, masked, plane_of

FEWEST = 5
"""Frames from which on the others say what a good one is like."""
_NAMED = 5


def bad_by_content(
    stack: Stack, masks: Stack | None, channel: int | None, engine: Engine
) -> Generator[Progress, None, Array]:
    """Codes of what is wrong with frames by themselves, (n,); see `frame_quality`."""
    if stack.n_frames < FEWEST:
        return np.zeros(stack.n_frames, np.int64)
    kind = stack.dtype
    top = float(np.iinfo(kind).max) if kind.kind in "iu" and kind.itemsize <= 2 else None
    pixels = int(np.prod(stack.frame_shape))
    parts = yield from run_pass(
        MapFrames(),
        look_block,
        (stack, masks),
        (channel, top),
        engine=engine,
        cost=Cost(output=32, scratch=48 * pixels, seconds=1e-5 + 2e-8 * pixels),
        label="Looking for bad frames",
    )
    return frame_quality.content_reasons(np.concatenate(parts))


def look_block(frames: Array, masks: Array | None, channel: int | None, top: float | None) -> Array:
    """What is measured of the frames of a block."""
    rows = []
    for index, frame in enumerate(frames):
        plane = masked(plane_of(frame, channel), mask_of(masks, index))
        rows.append(frame_quality.looks(plane[np.newaxis], top))
    return np.concatenate(rows)


def bad_after(codes: Array, alignments: Alignments, shape: tuple[int, int]) -> Array:
    """The codes with frames that correlate far less, or jump away and back."""
    if len(codes) < FEWEST:
        return codes
    moved = described(alignments.matrices, shape)
    shifts = np.column_stack([moved["row"], moved["column"]])
    correlation = alignments.columns["correlation"]
    return frame_quality.alignment_reasons(codes, correlation, shifts)


def nearest_good(bad: Array, number: int) -> int:
    """The good frame nearest to one that shows nothing: blank, or noise."""
    good = np.flatnonzero(bad == 0)
    if bad[number] not in (frame_quality.BLANK, frame_quality.NOISE) or not len(good):
        return number
    return int(good[np.argmin(np.abs(good - number))])


def left_out(matrices: Array, codes: Array) -> Array:
    """Matrices of the good frames; NaN for the others."""
    return np.where((codes == 0)[:, None, None], matrices, np.nan)


def words_of(codes: Array) -> Array:
    """The reasons, for a table."""
    return np.array([frame_quality.REASONS[each] for each in codes])


def said_of(stack: Stack, codes: Array) -> list[str]:
    """Which frames are bad, and why."""
    numbers = np.asarray(stack.frame_numbers)
    kinds = []
    for code in np.unique(codes[codes > 0]):
        which = numbers[codes == code]
        named = ", ".join(map(str, which[:_NAMED])) + (" ..." if len(which) > _NAMED else "")
        kinds.append(f"{frame_quality.REASONS[code]} ({named})")
    if not kinds:
        return []
    count = int((codes > 0).sum())
    frames = counted(count, "frame", "is", "are")
    return [f"{frames} bad: {'; '.join(kinds)}. No mean, chain or crop rests on them."]
