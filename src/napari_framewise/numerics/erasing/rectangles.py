"""Random disjoint rectangles that cover a number of pixels exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.erasing.placing import cut_apart, drawn_places, moved_about
from napari_framewise.numerics.erasing.refusing import (
    asked_for,
    aspect_in_words,
    divisors_in_words,
    instead,
    too_large,
    too_many_pixels,
)
from napari_framewise.numerics.erasing.sizes import (
    Request,
    Size,
    adds_up,
    drawn_sizes,
    sizes_of_one,
    turned,
    two_that_fit,
)
from napari_framewise.numerics.erasing.small import MOST_PIXELS, laid_exactly

IntArray = NDArray[np.int64]
MOST = 4
"""Most rectangles in an image."""
GIVEN_UP_ABOVE = 0.7
"""Share of the image above which the range of aspects may be given up."""
_DRAWS = 24
# How often an image is cut before anything else is tried.
_CUTS = 300
# Where hardly any draw is disjoint.
_CROWDED = 0.65


class ImpossibleError(ValueError):
    """What was asked for can't be met: the sentence says why."""


@dataclass(frozen=True, eq=False)
class Rectangles:
    """Disjoint rectangles.

    Attributes
    ----------
    places : (k, 2) ndarray of int
        First row and first column of each.
    sizes : (k, 2) ndarray of int
        Rows and columns of each.
    aspect_kept : bool
        Whether all of them have the aspects that were asked for.
    even : bool
        Whether they lie in a draw that is uniform over all disjoint arrangements of these sizes;
        else they lie in parts of the image that straight cuts gave, and were moved about.
    """

    places: IntArray
    sizes: IntArray
    aspect_kept: bool = True
    even: bool = True

    @property
    def pixels(self) -> int:
        """Pixels that they cover."""
        return int(self.sizes.prod(axis=1).sum())

    def mask(self, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """Number of the rectangle, from 1, in each pixel of an image; 0 in none."""
        return numbered(np.concatenate([self.places, self.sizes], axis=1), shape)


def numbered(rectangles: IntArray, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Number, from 1, of the rectangle on each pixel of an image; 0 where there is none.

    Parameters
    ----------
    rectangles : (k, 4) ndarray of int
        First row, first column, rows and columns of each.
    shape : (int, int)
        Rows and columns of the image.

    Examples
    --------
    >>> numbered(np.array([[0, 1, 2, 2]]), (2, 4)).tolist()
    [[0, 1, 1, 0], [0, 1, 1, 0]]
    """
    mask = np.zeros(shape, np.uint8)
    for number, (row, column, height, width) in enumerate(rectangles.tolist(), start=1):
        mask[row : row + height, column : column + width] = number
    return mask


def random_rectangles(
    shape: tuple[int, int],
    pixels: int,
    count: int = 1,
    *,
    aspect: tuple[float, float] = (0.3, 3.3),
    gap: int = 0,
    seed: int | Sequence[int] = 0,
) -> Rectangles:
    """Disjoint rectangles at random that together cover so many pixels, exactly.

    Shares are drawn evenly, aspects logarithmically evenly; the widths of two rectangles then solve
    ``a b + c d = pixels left`` in whole numbers. Places are drawn evenly from all disjoint
    arrangements of the sizes (independent draws until one is disjoint). Where that finds none, as
    in a crowded image, the image is cut into parts at random, each with a rectangle, and these are
    moved about in turn, each to a place drawn evenly from those that the others leave.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    pixels : int
        How many pixels are covered.
    count : int
        How many rectangles, 1 to 4.
    aspect : (float, float)
        Least and greatest height over width. Where more than 70 % of the image are to be covered
        and nothing is found with it, it is given up: see `Rectangles.aspect_kept`.
    gap : int
        Pixels that stay free between two rectangles, along rows or along columns.
    seed : int or sequence of int
        The same numbers give the same rectangles.

    Returns
    -------
    Rectangles

    Raises
    ------
    ImpossibleError
        Where it is proved that there are none: one rectangle of an area that has no such divisors,
        an area that is no sum of so many areas, two that no straight cut parts, gaps that leave too
        little.
    ValueError
        Where the request makes no sense, or nothing was found and nothing proved.

    References
    ----------
    Zhong, Z. et al. (2020), Random erasing data augmentation, Proc. AAAI 34, 13001-13008: one
    rectangle, whose area is met roughly.

    Examples
    --------
    >>> found = random_rectangles((97, 101), 1959, 3, seed=1)
    >>> found.pixels, int((found.mask((97, 101)) > 0).sum())
    (1959, 1959)
    >>> random_rectangles((97, 101), 1949)
    Traceback (most recent call last):
    ...
    napari_framewise.numerics.erasing.rectangles.ImpossibleError: One rectangle of 1,949 pixels ...
    """
    request = Request((int(shape[0]), int(shape[1])), int(pixels), int(count), aspect, int(gap))
    _check(request)
    rng = np.random.default_rng(seed)
    found = _drawn(rng, request)
    if isinstance(found, Rectangles):
        return found
    free = request.share > GIVEN_UP_ABOVE
    if free:
        anyhow = _of_any_aspect(rng, request, _drawn)
        if isinstance(anyhow, Rectangles):
            return anyhow
    found = found or _looked_for(rng, request)
    if isinstance(found, str) and free:
        found = _of_any_aspect(rng, request, _looked_for) or found
    if isinstance(found, Rectangles):
        return found
    if found:
        raise ImpossibleError(found)
    raise ValueError(
        f"{asked_for(request)}: no arrangement was found in thousands of draws, though none of the "
        "proofs says that there is none; ask for fewer pixels, a wider range of aspects or less "
        "gap."
    )


def _check(request: Request) -> None:
    rows, columns = request.shape
    if min(rows, columns) < 1:
        raise ValueError(f"The image has {rows} x {columns} pixels; it needs at least one.")
    if not 1 <= request.count <= MOST:
        raise ValueError(f"{request.count} rectangles were asked for; ask for 1 to {MOST}.")
    low, high = request.aspect
    if not (0 < low <= high and math.isfinite(high)):
        raise ValueError(
            f"Aspects from {low:g} to {high:g} were asked for; give a least and a greatest height "
            "over width, both above 0, the least first."
        )
    if request.gap < 0:
        raise ValueError(f"A gap of {request.gap} pixels was asked for; it must not be negative.")
    if not request.count <= request.pixels <= rows * columns:
        raise ImpossibleError(
            f"{asked_for(request)}; {request.count} to {rows * columns:,} pixels can be covered."
        )


def _drawn(rng: np.random.Generator, request: Request) -> Rectangles | str:
    """Rectangles by draws, or why there are none by what is quickly said; empty where neither is.

    By draws as they come, then in parts of the image.
    """
    if request.count == 1:
        sizes = sizes_of_one(request)
        if not sizes:
            return f"{asked_for(request)}, but {divisors_in_words(request)}.{instead(request)}"
        chosen = [sizes[int(rng.integers(len(sizes)))]]
        places = drawn_places(rng, request, chosen)
        assert places is not None
        return Rectangles(places, np.array(chosen))
    reason = too_large(request)
    if reason:
        return reason
    for _ in range(_DRAWS if request.share < _CROWDED else 0):
        drawn = drawn_sizes(rng, request)
        places = None if drawn is None else drawn_places(rng, request, drawn)
        if drawn is not None and places is not None:
            return Rectangles(places, np.array(drawn))
    return _in_parts(rng, request, _CUTS)


def _in_parts(
    rng: np.random.Generator, request: Request, tries: int, whole: float = 0.0
) -> Rectangles | str:
    """Rectangles in the parts of an image that straight cuts give; empty where none were found."""
    boxes = cut_apart(rng, request, tries, whole)
    return "" if boxes is None else Rectangles(boxes[:, :2], boxes[:, 2:], even=False)


def _looked_for(rng: np.random.Generator, request: Request) -> Rectangles | str:
    """Rectangles where draws found none, or why there are none; empty where that is not known.

    A proof that costs more is looked for when more cuts found nothing.
    """
    if request.count == 1:
        return _drawn(rng, request)
    reason = _why_impossible(rng, request)
    if reason:
        return reason
    if request.count == 2:
        return _in_parts(rng, request, 3 * _CUTS, 0.5) or _two(rng, request)
    if request.shape[0] * request.shape[1] <= MOST_PIXELS:
        return _exactly(rng, request)
    found = _in_parts(rng, request, 10 * _CUTS, 0.5)
    return found or too_many_pixels(request) or _in_parts(rng, request, 300 * _CUTS, 0.8)


def _exactly(rng: np.random.Generator, request: Request) -> Rectangles | str:
    """Rectangles among all that a small image can hold, or that there are none."""
    boxes = laid_exactly(rng, request)
    if boxes is None:
        return (
            f"{asked_for(request)}, but no {request.count} rectangles with "
            f"{aspect_in_words(request)} have that area there, wherever they lie; ask for fewer "
            "pixels, a smaller gap or fewer rectangles."
        )
    laid = np.array(boxes, np.int64)
    sizes: list[Size] = [(box[2], box[3]) for box in boxes]
    return Rectangles(moved_about(rng, request, sizes, laid[:, :2]), laid[:, 2:], even=False)


def _of_any_aspect(
    rng: np.random.Generator,
    request: Request,
    search: Callable[[np.random.Generator, Request], Rectangles | str],
) -> Rectangles | str:
    """Rectangles that may have any aspect; of two or more without gap there are always some."""
    found = search(rng, request.of_any_aspect)
    if isinstance(found, str) and request.count > 1 and not request.gap:
        found = _columns(request)
    if isinstance(found, str):
        return found
    return Rectangles(found.places, found.sizes, _keeps(request, found.sizes), found.even)


def _keeps(request: Request, sizes: IntArray) -> bool:
    low, high = request.aspect
    aspects = sizes[:, 0] / sizes[:, 1]
    return bool(((aspects >= low - 1e-9) & (aspects <= high + 1e-9)).all())


def _columns(request: Request) -> Rectangles:
    """Full columns and the beginning of one more, cut on until they are as many as asked for."""
    rows, _ = request.shape
    full, rest = divmod(request.pixels, rows)
    parts = [(0, 0, rows, full)] * (full > 0) + [(0, full, rest, 1)] * (rest > 0)
    while len(parts) < request.count:
        parts.sort(key=lambda part: part[2] * part[3])
        row, column, height, width = parts.pop()
        if height > 1:
            half = height // 2
            parts += [(row, column, half, width), (row + half, column, height - half, width)]
        else:
            half = width // 2
            parts += [(row, column, 1, half), (row, column + half, 1, width - half)]
    laid = np.array(parts)
    return Rectangles(laid[:, :2], laid[:, 2:], even=False)


def _why_impossible(rng: np.random.Generator, request: Request) -> str:
    """Why several rectangles can't have the area, wherever they lie; or empty."""
    reason = too_large(request)
    # Sizes that add up show that there are some, much sooner than all sums.
    if reason or any(drawn_sizes(rng, request) is not None for _ in range(_DRAWS)):
        return reason
    if adds_up(request):
        return ""
    return (
        f"{asked_for(request)}, but {request.pixels:,} is no sum of {request.count} areas of "
        f"rectangles with {aspect_in_words(request)} that fit."
    )


def _two(rng: np.random.Generator, request: Request) -> Rectangles | str:
    """Two rectangles above or beside each other, or the proof that there are none."""
    for sideways in (False, True):
        shape = request.shape[::-1] if sideways else request.shape
        low, high = request.aspect
        aspect = (1 / high, 1 / low if low else math.inf) if sideways else request.aspect
        turned_request = Request(shape, request.pixels, 2, aspect, request.gap)
        pair = two_that_fit(rng, turned_request, shape, request.pixels)
        if pair is None:
            continue
        sizes: list[Size] = turned(pair) if sideways else list(pair)
        axis = int(sideways)
        places = np.zeros((2, 2), np.int64)
        places[1, axis] = sizes[0][axis] + request.gap
        return Rectangles(moved_about(rng, request, sizes, places), np.array(sizes), even=False)
    return (
        f"{asked_for(request)}, but no two rectangles with {aspect_in_words(request)} fit into the "
        "image on the two sides of any straight cut; ask for fewer pixels, or more rectangles."
    )
