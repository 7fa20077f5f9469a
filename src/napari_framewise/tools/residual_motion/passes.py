"""The passes over a stack that judge how much motion is left; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames, Reduce
from napari_framewise.framework.in_step import series
from napari_framewise.framework.masks import selected
from napari_framewise.numerics import residual_motion as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

FEWEST = 20
"""Frames with data that a judgement takes."""
_STEPS = 4
# A pixel takes part where so many of the frames show it; black borders are left out where so much
# of the frame remains.
_SHOWN, _LEFT = 0.95, 0.3


@dataclass(frozen=True)
class Reader:
    """How a block of frames becomes planes or volumes of one channel, some pixels binned to one.

    Attributes
    ----------
    channels : bool
        Whether the last axis of a frame holds channels: they are averaged.
    factor : int
        Side of the squares of pixels that are averaged.
    black : bool
        Whether lines of zeros that begin at a border are no data.
    """

    channels: bool
    factor: int
    black: bool = False

    def moved(self, frames: Array, maps: Array | None) -> Array:
        """Frames where they are judged: here as they are."""
        return frames

    def planes(self, frames: Array, masks: Array | None, maps: Array | None) -> Array:
        """(n, *shape) float64, NaN where there are no data."""
        values = self._unbinned(frames, masks, maps)
        if self.black:
            values = np.where(numerics.padding(values), np.nan, values)
        return numerics.binned(values, self.factor)

    def padded(self, frames: Array, masks: Array | None, maps: Array | None) -> Array:
        """Where a block's frames have black borders, (n, *shape) bool."""
        black = numerics.padding(self._unbinned(frames, masks, maps))
        return numerics.binned(black, self.factor) > 0

    def _unbinned(self, frames: Array, masks: Array | None, maps: Array | None) -> Array:
        values = self.moved(frames, maps).astype(np.float64)
        if self.channels:
            values = values.mean(axis=-1)
        values[~np.isfinite(values)] = np.nan
        if masks is not None:
            values = np.where(selected(masks), values, np.nan)
        return values


@dataclass(frozen=True, eq=False)
class Survey:
    """What a first look at some frames gives: sums for each pixel, and which frames hold data."""

    total: Array
    square: Array
    number: Array
    padded: Array
    holds: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class Judgement:
    """How much motion is left.

    Attributes
    ----------
    components : list of Component
        Those of most variance first.
    shares : (k,)
        Their shares of the variance.
    scores : (n, k)
    usable : (n,) bool
        Frames that hold data.
    extremes : (k, 2, *shape)
        Means of the frames of lowest and of highest score.
    motion, upper : float
        Root mean square motion in pixels, and its upper 95 % limit.
    least : float
        Root mean square motion, in pixels, that would hide.
    factor : int
        Side of the squares of pixels that were averaged; pixels above are those of the frames.
    black : float
        Share of the pixels that is left out for black borders.
    """

    components: list[numerics.Component]
    shares: Array
    scores: Array
    usable: Array
    extremes: Array
    motion: float
    upper: float
    least: float
    factor: int
    black: float


def judged(
    stack: Stack,
    masks: Stack | None,
    maps: Stack | None,
    reader: Reader,
    components: int,
    engine: Engine,
) -> Generator[Progress, None, Judgement | None]:
    """All passes; None where too few frames hold data, or no pixel is shown by nearly all.

    Parameters
    ----------
    stack, masks, maps : Stack
        Frames, pixels to use, and what moves each frame, in step.
    reader : Reader
        Its own kind may move frames first.
    components : int
        How many are looked at.
    """
    given = (stack, masks, maps)
    pixels = int(np.prod(stack.spatial_shape))
    scratch, seconds = 64 * pixels, 2e-5 + 2e-8 * pixels
    small = pixels // reader.factor ** len(stack.spatial_shape)
    surveyed = partial(
        run_pass,
        Reduce(),
        survey_block,
        given,
        engine=engine,
        cost=Cost(output=32 * small, scratch=scratch, seconds=seconds),
        merge=add_surveys,
        label="Looking for motion that is left",
    )
    survey: Survey | None = yield from surveyed(context=(reader,))
    if survey is None or sum(survey.holds) < FEWEST:
        return None
    usable = np.array(survey.holds)
    use, black = _pixels(survey, int(usable.sum()))
    if not use.any():
        return None
    if black:
        reader = replace(reader, black=True)
        survey = yield from surveyed(context=(reader,))
        assert survey is not None
    mean = np.where(use, survey.total / np.maximum(survey.number, 1), np.nan)
    count = min(components, int(usable.sum()) // 4, max(int(use.sum()) // 16, 1))
    context = (reader, mean, use)
    basis = numerics.first_basis(int(use.sum()), count)
    cost = Cost(output=basis.nbytes, scratch=scratch, seconds=seconds + 1e-9 * basis.size)
    for step in range(_STEPS):
        grown = yield from run_pass(
            Reduce(),
            power_block,
            given,
            (*context, basis),
            engine=engine,
            cost=cost,
            merge=add_arrays,
            label=f"Components of what varies, pass {step + 1} of {_STEPS}",
        )
        size = np.abs(grown).max()
        if not size > 0:
            return None
        basis = numerics.orthonormal(grown / size)
    parts = yield from run_pass(
        MapFrames(),
        score_block,
        given,
        (*context, basis),
        engine=engine,
        cost=Cost(scratch=scratch, seconds=seconds),
        label="Scores of the components",
    )
    scores = numerics.principal(np.concatenate(parts), count)
    weights = numerics.extremes(scores, usable)
    total, number = yield from run_pass(
        Reduce(),
        extremes_block,
        (*given, series(weights)),
        (reader,),
        engine=engine,
        cost=Cost(output=32 * count * small, scratch=scratch, seconds=seconds),
        merge=add_pairs,
        label="Extremes of the components",
    )
    means = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    means = means.reshape(count, 2, *mean.shape)
    found = []
    for k in range(count):
        yield Progress("Registering extremes", k, count, "components")
        pair = weights[:, 2 * k : 2 * k + 2]
        found.append(numerics.judge(means[k, 0], means[k, 1], use, scores[:, k], pair))
    varied = survey.square[use] - survey.number[use] * mean[use] ** 2
    return _judgement(found, scores, usable, means, mean, use, reader, float(varied.sum()), black)


def survey_block(frames: Array, masks: Array | None, maps: Array | None, reader: Reader) -> Survey:
    """A first look at a block of frames."""
    planes = reader.planes(frames, masks, maps)
    known = np.isfinite(planes)
    values = np.where(known, planes, 0.0)
    black = np.zeros(known.shape, bool) if reader.black else reader.padded(frames, masks, maps)
    # A frame of one value holds nothing: a shutter that was closed, a frame that was dropped.
    flat = [bool(np.ptp(plane[one]) == 0) if one.any() else True for plane, one in zip(
        planes, known, strict=True)]  # fmt: skip
    holds = ~np.array(flat)
    values, known, black = values[holds], known[holds], black[holds]
    return Survey(
        values.sum(axis=0),
        (values**2).sum(axis=0),
        known.sum(axis=0),
        (known & black).sum(axis=0),
        tuple(holds.tolist()),
    )


def add_surveys(first: Survey, second: Survey) -> Survey:
    """Two surveys, one behind the other."""
    return Survey(
        first.total + second.total,
        first.square + second.square,
        first.number + second.number,
        first.padded + second.padded,
        first.holds + second.holds,
    )


def power_block(
    frames: Array,
    masks: Array | None,
    maps: Array | None,
    reader: Reader,
    mean: Array,
    use: Array,
    basis: Array,
) -> Array:
    """A block's part of a power step."""
    return numerics.power_step(_rows(reader.planes(frames, masks, maps), mean, use), basis)


def score_block(
    frames: Array,
    masks: Array | None,
    maps: Array | None,
    reader: Reader,
    mean: Array,
    use: Array,
    basis: Array,
) -> Array:
    """Scores of a block's frames."""
    return numerics.scores(_rows(reader.planes(frames, masks, maps), mean, use), basis)


def extremes_block(
    frames: Array, masks: Array | None, maps: Array | None, weights: Array, reader: Reader
) -> tuple[Array, Array]:
    """Sums of a block's frames for the extremes that they belong to."""
    planes = reader.planes(frames, masks, maps)
    total, number = numerics.sums_of(planes, weights)
    return total, number


def add_arrays(first: Array, second: Array) -> Array:
    """The sum."""
    return np.asarray(first + second)


def add_pairs(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """The sum of both."""
    return first[0] + second[0], first[1] + second[1]


def _rows(planes: Array, mean: Array, use: Array) -> Array:
    rows = numerics.centred(planes, mean, use)
    # A frame of one value is left out: it differs from the mean by all of the scene.
    rows[np.ptp(np.where(use, np.nan_to_num(planes), 0.0)[:, use], axis=1) == 0] = 0.0
    return rows


def _pixels(survey: Survey, count: int) -> tuple[Array, bool]:
    """Pixels that nearly all frames show, and whether black borders were left out for it."""
    shown = survey.number >= _SHOWN * count
    inner = survey.number - survey.padded >= _SHOWN * count
    black = bool((inner != shown).any()) and inner.sum() >= _LEFT * inner.size
    return (inner if black else shown), black


def _judgement(
    found: list[numerics.Component],
    scores: Array,
    usable: Array,
    means: Array,
    mean: Array,
    use: Array,
    reader: Reader,
    varied: float,
    black: bool,
) -> Judgement:
    factor = reader.factor
    motion, upper = numerics.motion_left(found)
    power = (scores**2).sum(axis=0)
    return Judgement(
        components=[
            replace(
                each,
                shift=each.shift * factor,
                error=each.error * factor,
                motion=each.motion * factor,
                local=each.local * factor,
            )
            for each in found
        ],
        shares=power / varied if varied > 0 else np.full(len(power), np.nan),
        scores=scores,
        usable=usable,
        extremes=means.astype(np.float32),
        motion=motion * factor,
        upper=upper * factor,
        least=numerics.least_seen(mean, use, scores[usable, -1]) * factor,
        factor=factor,
        black=1 - float(use.mean()) if black else 0.0,
    )
