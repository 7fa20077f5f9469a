"""The best pairs of each of very many images: a screen of all pairs, then the exact measure."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.images import run_images
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.numerics import similarity as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.similarity.comparing import Comparison
from napari_framewise.tools.similarity.passes import Images, few, joined

# Candidates of each image that are compared exactly.
CANDIDATES = 100
_ROWS, _COLUMNS = 4000, 500
_LEARNED_FROM = 2000
_COPIES = 200
_DRAWN = 5000
_SEED = 20_261


@dataclass(frozen=True, eq=False)
class Best:
    """What the search for the best pairs gives.

    Attributes
    ----------
    columns : dict
        Of the table of pairs, by places of images.
    drawn : dict
        Columns of pairs drawn at random.
    recall : float
        Share of displaced copies of images whose original the screen keeps.
    copies : int
        How many copies that was measured on.
    """

    columns: dict[str, Array]
    drawn: dict[str, Array]
    recall: float
    copies: int


def best_pairs(
    given: Images, how: Comparison, top: int, left_out: Array, engine: Engine
) -> Generator[Progress, None, Best]:
    """The best pairs of each image with later ones, each compared exactly.

    Parameters
    ----------
    top : int
        How many of each image.
    left_out : (k, 2) int
        Places of images in pairs that were judged before, the lower one first.
    """
    n = given.n
    rng = np.random.default_rng(_SEED)
    yield Progress("Learning", 0, 1, "steps")
    learned = given.ready(_drawn(n, _LEARNED_FROM, rng).tolist(), how).canvas
    screen = numerics.Screen.learned(learned, how.transform, how.least_overlap)
    parts = yield from run_images(
        MapFrames(),
        reduced_images,
        given.images,
        (None if given.masks is None or given.masks.n_frames > 1 else given.masks.read(0, 1), how,
         screen.step),
        engine=engine,
        cost=Cost(4 * 256, 60 * int(np.prod(how.transform.canvas))),
        label="Reducing",
    )  # fmt: skip
    small = np.concatenate(parts)
    copied = _drawn(n, _COPIES, rng)
    recall = _recall(given, how, screen, small, copied, max(CANDIDATES, 4 * top))
    pairs = np.sort(rng.integers(0, n, (_DRAWN, 2)), axis=1)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    drawn = [few(part, given, how) for part in np.array_split(pairs, max(1, len(pairs) // 500))]
    rows = np.arange(-(-n // _block(n)) * _block(n)).reshape(-1, _block(n))
    found = yield from run_pass(
        MapFrames(),
        screened_block,
        (stack_of(np.where(rows < n, rows, -1), axes=("frame", "n"), name="blocks"),),
        (given, how, screen, small, top, left_out),
        engine=engine,
        cost=Cost(100 * top * _block(n), 0, 1.0),
        label="Comparing",
    )
    columns = joined([part for part in found if part is not None])
    return Best(columns, joined(drawn), recall, len(copied))


def reduced_images(images: Array, mask: Array | None, how: Comparison, step: int) -> Array:
    """Reduced images of a block."""
    return numerics.reduced(how.canvas(images, mask).values, step)


def screened_block(
    numbers: Array,
    given: Images,
    how: Comparison,
    screen: numerics.Screen,
    small: Array,
    top: int,
    left_out: Array,
) -> dict[str, Array]:
    """Columns of the best pairs of some images with later ones; -1 is no image."""
    rows = numbers.ravel()
    rows = rows[rows >= 0]
    first = given.ready(rows.tolist(), how)
    wanted = []
    for start in range(0, len(rows), 250):
        part = rows[start : start + 250]
        chosen = screen.candidates(small, part, max(CANDIDATES, 4 * top))
        pairs = np.stack([np.broadcast_to(part[:, None], chosen.shape), chosen], axis=-1)
        wanted.append(pairs[chosen >= 0])
    pairs = np.concatenate(wanted)
    if len(left_out):
        keys = pairs[:, 0] * given.n + pairs[:, 1]
        pairs = pairs[~np.isin(keys, left_out[:, 0] * given.n + left_out[:, 1])]
    pairs = pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]
    score, z = np.full((2, len(pairs)), np.nan)
    shifts = np.full((len(pairs), 2), np.nan)
    for start in range(0, given.n, _COLUMNS):
        low, high = np.searchsorted(pairs[:, 1], (start, start + _COLUMNS))
        if low == high:
            continue
        places = np.unique(pairs[low:high, 1])
        second = given.ready(places.tolist(), how)
        local = np.stack(
            [pairs[low:high, 0] - rows[0], np.searchsorted(places, pairs[low:high, 1])], axis=1
        )
        matches = how.compared(first.given, second.given, local)
        score[low:high], shifts[low:high] = matches.score, matches.shifts
        z[low:high] = matches.weight
    return _top(pairs, score, z, shifts, top)


def _top(pairs: Array, score: Array, z: Array, shifts: Array, top: int) -> dict[str, Array]:
    """The best of each first image."""
    known = np.isfinite(score)
    pairs, score, z, shifts = pairs[known], score[known], z[known], shifts[known]
    order = np.lexsort((pairs[:, 1], -z, pairs[:, 0]))
    first = pairs[order, 0]
    begins = np.searchsorted(first, first)
    kept = order[np.arange(len(first)) - begins < top]
    return {
        "first": pairs[kept, 0],
        "second": pairs[kept, 1],
        "score": score[kept],
        "z": z[kept],
        "shift_y": shifts[kept, 0],
        "shift_x": shifts[kept, 1],
    }


def _recall(
    given: Images, how: Comparison, screen: numerics.Screen, small: Array, copied: Array, count: int
) -> float:
    """Share of displaced copies whose original is among the candidates of all images."""
    canvas = given.ready(copied.tolist(), how).canvas
    moved = numerics.displaced(canvas.values, how.transform.reach, max(how.least_overlap, 0.3))
    scores = screen.scores(numerics.reduced(moved, screen.step), small)
    own = scores[np.arange(len(copied)), copied]
    return float(np.mean((scores > own[:, None]).sum(axis=1) < count))


def _drawn(n: int, count: int, rng: np.random.Generator) -> Array:
    return np.sort(rng.choice(n, min(n, count), replace=False))


def _block(n: int) -> int:
    """Images of a block: many, for each block makes all later images ready."""
    return max(1, min(_ROWS, -(-n // 4)))
