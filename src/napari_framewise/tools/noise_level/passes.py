"""The passes over a stack that measure its noise; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames, Reduce
from napari_framewise.framework.in_step import series
from napari_framewise.framework.masks import selected
from napari_framewise.numerics.noise import Repeats, blind_sigma
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

FIELDS = ("sigma", "error", "share", "colour", "pixels")
# Fewest pixels and frames from which a brightness that all pixels follow is taken out.
_PIXELS, _FRAMES = 100, 4


def blind_block(frames: Array, masks: Array | None, fixed: Array | None, channels: bool) -> Array:
    """Noise of each frame by itself: (n, channels, fields)."""
    planes = np.moveaxis(frames, -1, 1) if channels else frames[:, None]
    found = np.empty((*planes.shape[:2], len(FIELDS)))
    for number, frame in enumerate(planes):
        use = fixed if masks is None else selected(masks[number])
        for channel, plane in enumerate(frame):
            each = blind_sigma(plane, use)
            known = np.isfinite(plane.astype(np.float64, copy=False))
            count = np.count_nonzero(known if use is None else known & use)
            found[number, channel] = (each.sigma, each.error, each.share, each.colour, count)
    return found


def brightness_block(frames: Array, first: Array, use: Array | None) -> Array:
    """Mean distance of each frame from the first, over the pixels with data."""
    values = frames.astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    away = values - first
    known = np.isfinite(away) if use is None else np.isfinite(away) & use
    axes = tuple(range(1, frames.ndim))
    count = known.sum(axis=axes)
    total = np.where(known, away, 0.0).sum(axis=axes)
    mean = np.zeros(len(frames))
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def repeats_block(frames: Array, brightness: Array, first: Array) -> Repeats:
    """Sums of a block over its frames."""
    return Repeats.of(frames, brightness[:, 0], first)


@dataclass(frozen=True, eq=False)
class Still:
    """Moments of a scene that stands still.

    Attributes
    ----------
    mean, variance, highest : (*frame) float64
        Over the frames; NaN where one of them has no data.
    freedom : int
        Degrees of freedom of the variances.
    flicker : float
        Standard deviation of the frames' brightness.
    frames : int
        How many there are.
    """

    mean: Array
    variance: Array
    highest: Array
    freedom: int
    flicker: float
    frames: int


def still(
    stack: Stack, use: Array | None, engine: Engine, label: str
) -> Generator[Progress, None, Still]:
    """Mean and variance of each pixel over the frames, their common brightness taken out."""
    first = stack.frame(0).astype(np.float64)
    first[~np.isfinite(first)] = np.nan
    elements = int(first.size)
    cost = Cost(scratch=24 * elements, seconds=4e-9 * elements)
    blocks = yield from run_pass(
        MapFrames(),
        brightness_block,
        (stack,),
        (first, use),
        engine=engine,
        cost=cost,
        label=label,
    )
    levels = np.concatenate(blocks)
    levels = levels - levels.mean()
    cost = Cost(output=40 * elements, scratch=40 * elements, seconds=8e-9 * elements)
    sums: Repeats = yield from run_pass(
        Reduce(),
        repeats_block,
        (stack, series(levels, "brightness")),
        (first,),
        engine=engine,
        cost=cost,
        label=label,
        merge=Repeats.merge,
    )
    squares = float(levels @ levels)
    follows = elements >= _PIXELS and len(levels) >= _FRAMES
    variance, freedom = sums.variance(squares if follows else 0.0)
    hidden = np.zeros(first.shape, bool) if use is None else ~np.broadcast_to(use, first.shape)
    return Still(
        np.where(hidden, np.nan, sums.mean()),
        np.where(hidden, np.nan, variance),
        sums.highest,
        freedom,
        float(np.sqrt(squares / max(1, len(levels) - 1))),
        len(levels),
    )
