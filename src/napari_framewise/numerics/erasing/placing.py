"""Places of rectangles in an image: disjoint, and drawn evenly from all that there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.erasing.kernels import cut_and_fill, first_apart, move_about
from napari_framewise.numerics.erasing.sizes import Request, Size

IntArray = NDArray[np.int64]
_DRAWS = 64


def drawn_places(
    rng: np.random.Generator, request: Request, sizes: Sequence[Size]
) -> IntArray | None:
    """First rows and columns (k, 2), each disjoint arrangement of these sizes being as likely.

    Independent draws of all places at once, the first that is disjoint: so the result is uniform
    over all disjoint arrangements. None where none of 64 draws was.
    """
    size = np.array(sizes)
    free = np.array(request.shape) - size + 1
    if (free < 1).any():
        return None
    places = (rng.random((_DRAWS, *size.shape)) * free).astype(np.int64)
    found = first_apart(places, size, request.gap)
    return places[found] if found >= 0 else None


def cut_apart(
    rng: np.random.Generator, request: Request, tries: int, whole: float = 0.0
) -> IntArray | None:
    """Rectangles (k, 4) in the parts of an image that straight cuts give, then moved about.

    The image is cut at random into as many parts; each holds one rectangle, and two of these take
    up what is left of the area. Then each is moved in turn to a place drawn evenly from all that
    the others leave it. A share of `whole` of them is as high or as wide as its part. None where no
    cut of so many holds the area.
    """
    boxes = np.zeros((request.count, 4), np.int64)
    low, high = request.aspect
    shape = np.array(request.shape, np.int64)
    asked = shape, request.pixels, request.gap, low, high
    found = cut_and_fill(*asked, whole, _state(rng), tries, boxes)
    return boxes if found else None


def moved_about(
    rng: np.random.Generator, request: Request, sizes: Sequence[Size], places: IntArray
) -> IntArray:
    """Each rectangle moved in turn to a place drawn evenly from all that the others leave it."""
    boxes = np.concatenate([places, np.array(sizes)], axis=1)
    move_about(np.array(request.shape, np.int64), request.gap, _state(rng), boxes)
    return boxes[:, :2]


def _state(rng: np.random.Generator) -> NDArray[np.uint64]:
    """A state for the random numbers of the kernels."""
    return rng.integers(0, 2**64, 1, dtype=np.uint64)
