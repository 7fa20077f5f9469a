"""Blocks of pairs: their flow, what is kept of it, and what layers show of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_framewise.framework.masks import selected
from napari_framewise.framework.transform import warp_block
from napari_framewise.numerics.flow import Flow, colours, estimate, planes_of
from napari_framewise.stacks.source import Array
from napari_framewise.tools.flow.model import FlowModel
from napari_framewise.tools.flow.pairs import Task

BINS = 36
"""Bins of the direction histogram."""


@dataclass(frozen=True, eq=False)
class PairResult:
    """What a table and a vectors layer need of one pair.

    Attributes
    ----------
    mean, median : ndarray
        Of the displacement of confident pixels, in pixels, row-column order.
    magnitude : tuple of float
        Mean and median size of their displacement, in pixels; then in the scale's unit.
    confident, usable : float
        Shares of all pixels.
    unseen, repeating : float
        Shares of the usable pixels where no motion can be told from noise in any direction, and
        where the image looks the same some pixels on; NaN where none is usable.
    residual : float
        Root mean square of what the warped second frame leaves.
    largest : float
        99th percentile of the displacement's size, for colours.
    directions : (BINS,) ndarray
        Confident pixels that move, by direction.
    starts, moves : (n, ndim) ndarray
        Picked vectors in pixels.
    confidences : (n,) ndarray
        Of these.
    """

    mean: Array
    median: Array
    magnitude: tuple[float, float, float, float]
    confident: float
    usable: float
    unseen: float
    repeating: float
    residual: float
    largest: float
    directions: Array
    starts: Array
    moves: Array
    confidences: Array


def flow_block(
    firsts: Array | None,
    seconds: Array,
    neighbours: Array,
    masks: Array | None,
    second_masks: Array | None,
    task: Task,
    out: Array | None = None,
) -> list[PairResult]:
    """Flow of the pairs of a block; with `out` (n, *grid, ndim + 2) also the dense fields."""
    results = []
    flows = pair_flows(firsts, seconds, neighbours, masks, second_masks, task)
    for number, flow in enumerate(flows):
        results.append(summarised(flow, task))
        if out is not None:
            fill_fields(flow, out[number])
    return results


def fields_block(
    firsts: Array | None,
    seconds: Array,
    neighbours: Array,
    masks: Array | None,
    second_masks: Array | None,
    task: Task,
    out: Array,
) -> None:
    """The dense fields of a block: components, uncertainty in pixels, structure."""
    flows = pair_flows(firsts, seconds, neighbours, masks, second_masks, task)
    for number, flow in enumerate(flows):
        fill_fields(flow, out[number])


def component_block(fields: Array, which: int, out: Array) -> None:
    """One of the dense fields."""
    out[...] = fields[..., which]


def confidence_block(fields: Array, out: Array) -> None:
    """The confidence that belongs to the uncertainty."""
    with np.errstate(over="ignore"):
        out[...] = 1 / (1 + fields[..., -2] ** 2)


def colour_block(fields: Array, largest: float, out: Array) -> None:
    """The flow in colours."""
    out[...] = colours(np.moveaxis(fields[..., :-2], -1, 0), largest)


def warped_block(
    fields: Array, frames: Array, model: FlowModel, order: Literal[0, 3], channels: bool, out: Array
) -> None:
    """Frames pulled back by the flow, which leads: one image may go with every pair."""
    warp_block(frames, fields, model, order, channels, out)


def inverse_block(fields: Array, model: FlowModel, out: Array) -> None:
    """The flows back."""
    out[...] = model.with_maps(fields).inverse().maps


def pair_flows(
    firsts: Array | None,
    seconds: Array,
    neighbours: Array,
    masks: Array | None,
    second_masks: Array | None,
    task: Task,
) -> Iterator[Flow]:
    """The flow of each pair of a block.

    Parameters
    ----------
    firsts : (n, *frame_shape) ndarray, optional
        First frames; None where the task has one for all.
    seconds : (n, *frame_shape) ndarray
        Second frames.
    neighbours : (n, 1) ndarray
        0 where the two frames are no neighbours.
    masks, second_masks : (n, *grid) ndarray, optional
        Masks of the first and of the second frames, where each frame has its own.
    task : Task
        What goes with every block.
    """
    for number, second in enumerate(seconds):
        first = task.reference if firsts is None else firsts[number]
        assert first is not None
        valid = task.mask if masks is None else selected(masks[number])
        later = valid if task.both else None
        if second_masks is not None:
            later = selected(second_masks[number])
        yield _flow(first, second, valid, later, bool(neighbours[number, 0]), task)


def _flow(
    first: Array, second: Array, valid: Array | None, later: Array | None, related: bool, task: Task
) -> Flow:
    one, two = (planes_of(each, channels_last=task.channels) for each in (first, second))
    if task.channel is not None:
        one, two = (each[task.channel : task.channel + 1] for each in (one, two))
    if not related:
        one = two = np.full((1, *one.shape[1:]), np.nan, np.float32)
    return estimate(one, two, task.settings, valid=valid, second_valid=later, ranking=task.ranking)


def fill_fields(flow: Flow, out: Array) -> None:
    """Write the dense fields of one flow."""
    out[..., :-2] = np.moveaxis(flow.displacement, 0, -1)
    out[..., -2] = flow.uncertainty()
    out[..., -1] = flow.evidence.structure()


def summarised(flow: Flow, task: Task) -> PairResult:
    """What is kept of one flow."""
    moves, confidence = flow.displacement, flow.confidence()
    known = np.isfinite(moves).all(axis=0)
    confident = known & (confidence >= task.least_confidence) & (confidence > 0)
    chosen = moves[:, confident].astype(np.float64)
    ndim = len(moves)
    size = np.sqrt(np.sum(chosen**2, axis=0))
    scaled = chosen * np.array(task.scale)[:, None]
    world = np.sqrt(np.sum(scaled**2, axis=0))
    angle = np.degrees(np.arctan2(-scaled[-2], scaled[-1])) % 360
    moving = size > 0.05
    counts, _ = np.histogram(angle[moving], bins=BINS, range=(0, 360))
    some = bool(confident.any())
    evidence = flow.evidence
    usable = evidence.usable
    residual = evidence.residual[usable]
    unseen, repeating = (
        float(each[usable].mean()) if usable.any() else np.nan
        for each in (evidence.structure() == 0, np.isfinite(evidence.rival))
    )
    starts = _picked(confident, confidence, task) if task.step else np.empty((0, ndim), np.int64)
    shown = evidence.known_part(moves) if task.on_edges == "across" and task.step else moves
    at = tuple(starts.T)
    return PairResult(
        mean=chosen.mean(axis=1) if some else np.full(ndim, np.nan),
        median=np.median(chosen, axis=1) if some else np.full(ndim, np.nan),
        magnitude=(
            (
                float(size.mean()),
                float(np.median(size)),
                float(world.mean()),
                float(np.median(world)),
            )
            if some
            else (np.nan,) * 4
        ),
        confident=float(confident.mean()),
        usable=float(usable.mean()),
        unseen=unseen,
        repeating=repeating,
        residual=float(np.sqrt(np.mean(residual**2))) if residual.size else np.nan,
        largest=float(np.percentile(size, 99)) if some else 0.0,
        directions=counts,
        starts=starts,
        moves=shown[:, *at].T if len(starts) else np.empty((0, ndim), np.float32),
        confidences=confidence[at] if len(starts) else np.empty(0, np.float32),
    )


def _picked(confident: Array, confidence: Array, task: Task) -> Array:
    """Pixels (n, ndim) that arrows start from."""
    step = task.step
    if task.placement == "grid":
        places = [
            np.arange(min(step // 2, (length - 1) // 2), length, step) for length in confident.shape
        ]
        grid = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, confident.ndim)
        return np.asarray(grid[confident[tuple(grid.T)]])
    cells = tuple(-(-length // step) for length in confident.shape)
    padded = np.zeros([count * step for count in cells], np.float32)
    padded[tuple(slice(length) for length in confident.shape)] = np.where(confident, confidence, 0)
    split = padded.reshape([part for count in cells for part in (count, step)])
    ndim = confident.ndim
    order = (*range(0, 2 * ndim, 2), *range(1, 2 * ndim, 2))
    flat = split.transpose(order).reshape(-1, step**ndim)
    best = flat.argmax(axis=1)
    kept = flat[np.arange(len(flat)), best] > 0
    corners = np.stack(np.unravel_index(np.arange(len(flat)), cells), axis=-1) * step
    inside = np.stack(np.unravel_index(best, (step,) * ndim), axis=-1)
    return np.asarray((corners + inside)[kept])
