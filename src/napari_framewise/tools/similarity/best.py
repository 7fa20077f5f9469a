"""The best pairs of each of very many images: a screen of all pairs, then the exact measure."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.images import run_images
from napari_framewise.engine.job import one_blas_thread
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames, Reduce
from napari_framewise.numerics import similarity as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.similarity.comparing import Comparison, Ready
from napari_framewise.tools.similarity.passes import Images
from napari_framewise.tools.similarity.scattered import columns_of, tile_of

# Candidates of each image that are looked at closer, and those that are compared exactly.
CANDIDATES, LEAST_COMPARED = 100, 15
# Images that the screen compares with all later ones in one pass.
_STRIP = 2048
# Images that they are compared with in one call.
_CALL = 256
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
    with one_blas_thread():
        learned = given.ready(_drawn(n, _LEARNED_FROM, rng).tolist(), how).canvas
        screen = numerics.Screen.learned(learned, how.transform, how.least_overlap)
    mask = None
    if given.masks is not None and given.masks.n_frames == 1:
        mask = given.masks.read(0, 1)
    parts = yield from run_images(
        MapFrames(),
        reduced_images,
        given.images,
        (mask, how, screen),
        engine=engine,
        cost=Cost(4 * 600, 60 * int(np.prod(how.transform.canvas))),
        label="Reducing",
    )
    small = numerics.Small.joined(parts)
    many, compared = _kept(top)
    copied = _drawn(n, _COPIES, rng)
    with one_blas_thread():
        canvas = given.ready(copied.tolist(), how).canvas
        # Of an image without contrast no screen finds the copy.
        copied, values = copied[~canvas.plain], canvas.values[~canvas.plain]
        least = max(how.least_overlap, 0.3)
        moved = numerics.displaced(values, how.transform.reach, least)
        copies = screen.reduced(moved)
    nothing = np.full(len(copied), -1)
    found = yield from _screened(
        screen, copies.coarse, nothing, small.coarse, 0, many, engine, "Measuring recall", (0, 1)
    )
    kept = screen.closer(copies, small, found, compared)
    recall = float((kept == copied[:, None]).any(axis=1).mean()) if len(copied) else np.nan
    pairs = np.sort(rng.integers(0, n, (_DRAWN, 2)), axis=1)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    drawn = yield from _compared(given, how, pairs, engine, "Drawing")
    candidates = yield from _candidates(screen, small, many, engine)
    chosen = yield from run_pass(
        MapFrames(),
        closer_block,
        (stack_of(candidates, axes=("frame", "n"), name="candidates"),
         stack_of(np.arange(n)[:, None], axes=("frame", "n"), name="numbers")),
        (screen, small, compared),
        engine=engine,
        cost=Cost(8 * compared, 0, 3e-5 * many),
        label="Screening closer",
    )  # fmt: skip
    pairs = np.concatenate(chosen)
    if len(left_out):
        keys = pairs[:, 0] * n + pairs[:, 1]
        pairs = pairs[~np.isin(keys, left_out[:, 0] * n + left_out[:, 1])]
    columns = yield from _compared(given, how, pairs, engine, "Comparing")
    return Best(_top(columns, top), drawn, recall, len(copied))


def best_seconds(n: int, how: Comparison, top: int) -> float:
    """About how long the search takes one processor, as measured on 6,000 to 100,000 images."""
    shifts = len(numerics.coarse_shifts(how.transform, how.least_overlap)[0])
    many, compared = _kept(top)
    image = 1e-7 * float(np.prod(how.transform.canvas))
    # An image is made ready for each tile that its pairs are in.
    tiles = min(compared, -(-n // tile_of(how)))
    each = tiles * image + many * (1e-5 + 3e-7 * shifts) + compared * 2 * how.pair_seconds()
    return _DRAWN * 3 * image + n * each + 4e-9 * shifts * n * (n - 1) / 2


def _kept(top: int) -> tuple[int, int]:
    """Candidates of each image, and those that are compared exactly."""
    return max(CANDIDATES, 4 * top), max(LEAST_COMPARED, top + -(-top // 2))


def _candidates(
    screen: numerics.Screen, small: numerics.Small, count: int, engine: Engine
) -> Generator[Progress, None, Array]:
    """Numbers of the later images that are worth a closer look, of each (n, count)."""
    n = len(small.coarse)
    out = np.full((n, count), -1, np.int32)
    every, done = n * (n - 1) // 2, 0
    for start in range(0, n - 1, _STRIP):
        rows = np.arange(start, min(start + _STRIP, n))
        out[rows] = yield from _screened(
            screen,
            small.coarse[rows],
            rows,
            small.coarse[start + 1 :],
            start + 1,
            count,
            engine,
            "Screening",
            (done, every),
        )
        done += int((n - 1 - rows).sum())
    return out


def _screened(
    screen: numerics.Screen,
    first: Array,
    after: Array,
    second: Array,
    begin: int,
    count: int,
    engine: Engine,
    label: str,
    of: tuple[int, int],
) -> Generator[Progress, None, Array]:
    """Candidates of some images among others; progress in pairs from `of[0]` on, of `of[1]`."""
    # Memory, not the clock, makes a call as long as it is: each ends with a merge.
    scratch = max(0, (4 << 20) // _CALL - second[:1].nbytes)
    passing = run_pass(
        Reduce(),
        screened_block,
        (stack_of(second, axes=("frame", "n"), name="others"),
         stack_of(np.arange(begin, begin + len(second))[:, None], axes=("frame", "n"))),
        (screen, first, after, count),
        engine=engine,
        cost=Cost(0, scratch),
        merge=merged,
        label=label,
    )  # fmt: skip
    done, every = of
    mine = max(1, int((begin + len(second) - 1 - np.maximum(after, begin - 1)).sum()))
    total = mine if every == 1 else every
    try:
        while True:
            step = next(passing)
            yield replace(step, done=done + int(mine * step.fraction), total=total, unit="pairs")
    except StopIteration as end:
        numbers, _ = end.value
        return np.asarray(numbers)
    finally:
        passing.close()


def screened_block(
    second: Array, numbers: Array, screen: numerics.Screen, first: Array, after: Array, count: int
) -> tuple[Array, Array]:
    """Candidates among some of the others, and their scores."""
    return screen.candidates(first, after, second, int(numbers[0, 0]), count)


def merged(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """The better ones of two lots of candidates."""
    count = first[0].shape[1]
    numbers, scores = (np.concatenate(each, axis=1) for each in zip(first, second, strict=True))
    best = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    return np.take_along_axis(numbers, best, axis=1), np.take_along_axis(scores, best, axis=1)


def reduced_images(
    images: Array, mask: Array | None, how: Comparison, screen: numerics.Screen
) -> numerics.Small:
    """Reduced images of a block."""
    return screen.reduced(how.canvas(images, mask).values)


def closer_block(
    candidates: Array,
    numbers: Array,
    screen: numerics.Screen,
    small: numerics.Small,
    count: int,
) -> Array:
    """Pairs (k, 2) of some images with the best of their candidates."""
    rows = numbers.ravel()
    chosen = screen.closer(small.of(rows), small, candidates, count)
    pairs = np.stack([np.broadcast_to(rows[:, None], chosen.shape), chosen], axis=-1)
    return np.sort(pairs[chosen >= 0], axis=-1)


def _compared(
    given: Images, how: Comparison, pairs: Array, engine: Engine, label: str
) -> Generator[Progress, None, dict[str, Array]]:
    """Score, weight and whole shift of pairs."""
    return (yield from columns_of(scored, given, pairs, how, engine, label))


def scored(ready: Ready, pairs: Array, how: Comparison) -> dict[str, Array]:
    """Score, weight and whole shift of some pairs, given by their places in what was made ready."""
    found = how.compared(ready.given, ready.given, pairs)
    return {
        "first": ready.numbers[pairs[:, 0]],
        "second": ready.numbers[pairs[:, 1]],
        "score": found.score,
        "z": found.weight,
        "shift_y": found.shifts[:, 0],
        "shift_x": found.shifts[:, 1],
    }


def _top(columns: dict[str, Array], top: int) -> dict[str, Array]:
    """The best of each first image."""
    known = np.flatnonzero(np.isfinite(columns["score"]))
    first, second, z = (columns[name][known] for name in ("first", "second", "z"))
    order = np.lexsort((second, -z, first))
    begins = np.searchsorted(first[order], first[order])
    kept = known[order[np.arange(len(order)) - begins < top]]
    return {name: column[kept] for name, column in columns.items()}


def _drawn(n: int, count: int, rng: np.random.Generator) -> Array:
    return np.sort(rng.choice(n, min(n, count), replace=False))
