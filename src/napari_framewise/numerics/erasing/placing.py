"""Places of rectangles in an image: disjoint, and drawn evenly from all that there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.erasing.sizes import Request, Size, two_widths

IntArray = NDArray[np.int64]
_DRAWS = 64
_SWEEPS = 3
_RECTANGLES = 12


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
    apart = np.ones(_DRAWS, bool)
    for one in range(len(size)):
        for other in range(one):
            apart &= _apart(places[:, one], size[one], places[:, other], size[other], request.gap)
    found = np.flatnonzero(apart)
    return places[found[0]] if len(found) else None


def _apart(
    first: IntArray, first_size: IntArray, second: IntArray, second_size: IntArray, gap: int
) -> NDArray[np.bool_]:
    behind = second >= first + first_size + gap
    before = first >= second + second_size + gap
    return np.asarray((behind | before).any(axis=-1))


def cut_apart(rng: np.random.Generator, request: Request) -> tuple[list[Size], IntArray] | None:
    """Sizes and places of rectangles in the parts of an image that straight cuts give.

    The image is cut at random into as many parts; each holds one rectangle, and two of these take
    up what is left of the area. Then each is moved in turn to a place drawn evenly from all that
    the others leave it. None where these parts can't hold the area.
    """
    parts = _parts(rng, (0, 0), request.shape, request.count, request.gap)
    boxes = np.array([size for _, size in parts])
    room = int(boxes.prod(axis=1).sum())
    if (boxes < 1).any() or room < request.pixels:
        return None
    for _ in range(_RECTANGLES):
        sizes = _filling(rng, request, boxes, request.pixels / room)
        if sizes is not None:
            places = np.array([place for place, _ in parts])
            slack = boxes - np.array(sizes) + 1
            places = places + (rng.random(places.shape) * slack).astype(np.int64)
            return sizes, moved_about(rng, request, sizes, places)
    return None


def _parts(
    rng: np.random.Generator, place: Size, size: Size, count: int, gap: int
) -> list[tuple[Size, Size]]:
    """Places and sizes of the parts of a box."""
    if count == 1:
        return [(place, size)]
    first = int(rng.integers(1, count))
    axis = int(rng.random() * (size[0] + size[1]) >= size[0])
    share = float(np.clip(first / count + rng.normal(0, 0.12), 0.05, 0.95))
    cut = int(np.clip(round(share * (size[axis] - gap)), 1, max(1, size[axis] - gap - 1)))
    one, other, further = list(size), list(size), list(place)
    one[axis], other[axis] = cut, size[axis] - gap - cut
    further[axis] = place[axis] + cut + gap
    return [
        *_parts(rng, place, (one[0], one[1]), first, gap),
        *_parts(rng, (further[0], further[1]), (other[0], other[1]), count - first, gap),
    ]


def _filling(
    rng: np.random.Generator, request: Request, boxes: IntArray, share: float
) -> list[Size] | None:
    """A size for each box, together of the area asked for."""
    tall = share ** rng.random(len(boxes))
    heights = np.clip(np.rint(boxes[:, 0] * tall).astype(int), 1, boxes[:, 0])
    last = rng.permutation(len(boxes))[:2].tolist()
    left, sizes = request.pixels, [(0, 0)] * len(boxes)
    for number, (height, box) in enumerate(zip(heights.tolist(), boxes.tolist(), strict=True)):
        if number in last:
            continue
        least, most = request.widths(height, box[1])
        if least > most:
            return None
        width = min(max(round(share * box[0] * box[1] / height), least), most)
        sizes[number] = (height, width)
        left -= height * width
    pair = (int(heights[last[0]]), int(heights[last[1]]))
    most_wide = (int(boxes[last[0], 1]), int(boxes[last[1], 1]))
    widths = two_widths(rng, request, left, pair, most_wide) if left > 1 else None
    if widths is None:
        return None
    for number, height, width in zip(last, pair, widths, strict=True):
        sizes[number] = (height, width)
    return sizes


def moved_about(
    rng: np.random.Generator, request: Request, sizes: Sequence[Size], places: IntArray
) -> IntArray:
    """Each rectangle moved in turn to a place drawn evenly from all that the others leave it."""
    moved = places.copy()
    for _ in range(_SWEEPS):
        for number in range(len(sizes)):
            moved[number] = _free_place(rng, request, sizes, moved, number)
    return moved


def _free_place(
    rng: np.random.Generator,
    request: Request,
    sizes: Sequence[Size],
    places: IntArray,
    number: int,
) -> tuple[int, int]:
    """A place of one rectangle that leaves the others be, every one as likely.

    The places that it can't have because of another are a rectangle; their edges cut all places
    into a few, of which the free ones are drawn by their area.
    """
    edges, taken = [], []
    for axis in range(2):
        most = request.shape[axis] - sizes[number][axis] + 1
        spans = [
            (
                max(0, int(places[other, axis]) - sizes[number][axis] - request.gap + 1),
                min(most, int(places[other, axis]) + sizes[other][axis] + request.gap),
            )
            for other in range(len(sizes))
            if other != number
        ]
        edges.append(sorted({0, most, *(edge for span in spans for edge in span)}))
        taken.append(spans)
    free: list[tuple[int, int, int, int]] = []
    total = 0
    for top, bottom in zip(edges[0], edges[0][1:], strict=False):
        for left, right in zip(edges[1], edges[1][1:], strict=False):
            if not any(
                rows[0] <= top < rows[1] and columns[0] <= left < columns[1]
                for rows, columns in zip(*taken, strict=True)
            ):
                total += (bottom - top) * (right - left)
                free.append((total, top, left, right - left))
    drawn = int(rng.integers(total))
    before = 0
    for until, top, left, width in free:
        if drawn < until:
            return top + (drawn - before) // width, left + (drawn - before) % width
        before = until
    raise AssertionError("its own place is always free")
