"""Passes over pairs: the whole matrix, chosen pairs, references, and each frame with the last."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.images import run_images
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.stacks.memory import check_fits
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.similarity.comparing import Comparison, Ready, prepare

_SIDE = 192
_LARGE_SIDE = 24
_LEAST_SIDE = 16
_TILE_SECONDS = 1.5
_LARGE = 256**2


@dataclass(frozen=True, eq=False)
class Images:
    """What is compared: images, their numbers in the pass, and pixels to use.

    Attributes
    ----------
    images : Stack or RaggedStack
    masks : Stack, optional
        One for all images, or one for each.
    """

    images: Stack | RaggedStack
    masks: Stack | None = None

    @property
    def n(self) -> int:
        """How many."""
        return self.images.n_frames

    @property
    def numbers(self) -> Stack:
        """The images by number, as frames of one element."""
        return stack_of(np.arange(self.n)[:, None], axes=("frame", "n"), name="numbers")

    @property
    def beside(self) -> tuple[Stack, ...]:
        """What is read with the images."""
        return (self.numbers,) if self.masks is None else (self.numbers, self.masks)

    def read(self, places: Sequence[int]) -> tuple[list[Array], Array | None]:
        """Some of the images, and their masks."""
        if isinstance(self.images, RaggedStack):
            return [self.images.read(place) for place in places], None
        images = [self.images.read(place, place + 1)[0] for place in places]
        if self.masks is None:
            return images, None
        if self.masks.n_frames == 1:
            return images, self.masks.read(0, 1)
        return images, np.stack([self.masks.read(place, place + 1)[0] for place in places])

    def ready(self, places: Sequence[int], how: Comparison) -> Ready:
        """Some of the images made ready."""
        images, masks = self.read(places)
        return prepare(images, np.asarray(places, np.int64), masks, how)


def cost_of(how: Comparison) -> Cost:
    """Of a pair, with its share of what making images ready takes."""
    rows, columns = how.transform.padded
    image = 60 * rows * columns
    return Cost(20, 2 * image // side_of(how), how.pair_seconds())


def side_of(how: Comparison) -> int:
    """Images along a tile: many, for each is made ready once a tile, unless pairs are slow.

    A tile is finished before progress is told, and before a cancelled run rests.
    """
    rows, columns = how.transform.canvas
    most = _SIDE if rows * columns < _LARGE else _LARGE_SIDE
    return min(most, max(_LEAST_SIDE, int((_TILE_SECONDS / how.pair_seconds()) ** 0.5)))


def prepared(images: Any, numbers: Array, *rest: Any) -> Ready:
    """Make the images of a tile ready: after the numbers maybe masks, then the comparison."""
    masks = rest[0] if isinstance(rest[0], np.ndarray) else None
    how = next(each for each in rest if isinstance(each, Comparison))
    return prepare(images, numbers, masks, how)


def against(images: Any, *rest: Any) -> Array:
    """Scores, shifts and weighed scores of images against references: (n, references, 4)."""
    how = next(each for each in rest if isinstance(each, Comparison))
    references = next(each for each in rest if isinstance(each, Ready))
    masks = rest[0] if isinstance(rest[0], np.ndarray) else None
    ready = prepare(images, np.arange(len(images)), masks, how)
    found = how.compared(references.given, ready.given)
    values = np.stack([found.score, *found.shifts.T, found.weight], axis=-1)
    return np.asarray(values.reshape(len(references.numbers), len(images), 4).swapaxes(0, 1))


def with_references(
    given: Images, references: Ready, how: Comparison, engine: Engine
) -> Generator[Progress, None, Array]:
    """Score, shift and weighed score of images with references: (references, n, 4)."""
    count = len(references.numbers)
    check_fits(
        given.images.name,
        f"the table of {given.n:,} images with {count:,} references",
        # Once in parts, and once joined.
        64 * count * given.n,
        "compare with fewer references at a time",
    )
    rows, columns = how.transform.padded
    cost = Cost(32 * count, 60 * rows * columns, count * how.pair_seconds())
    if isinstance(given.images, RaggedStack) or given.masks is None:
        found = yield from run_images(
            MapFrames(),
            against,
            given.images,
            (None, references, how),
            engine=engine,
            cost=cost,
            label="Comparing",
        )
    else:
        found = yield from run_pass(
            MapFrames(),
            against,
            (given.images, given.masks),
            (references, how),
            engine=engine,
            cost=cost,
            label="Comparing",
        )
    return np.concatenate(found).swapaxes(0, 1)
