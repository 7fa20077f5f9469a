"""Random disjoint rectangles that cover a number of pixels exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.erasing.placing import cut_apart, drawn_places, moved_about
from napari_framewise.numerics.erasing.sizes import (
    Request,
    Size,
    adds_up,
    drawn_sizes,
    largest_that_fits,
    most_by_cuts,
    sizes_of_one,
    turned,
    two_that_fit,
    widths_of,
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
# Pixels of an image of which the most that can be covered is looked for in all its boxes.
_LARGEST = 2**17


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
        f"{_asked(request)}: no arrangement was found in thousands of draws, though none of the "
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
            f"{_asked(request)}; {request.count} to {rows * columns:,} pixels can be covered."
        )


def _drawn(rng: np.random.Generator, request: Request) -> Rectangles | str:
    """Rectangles by draws, or why there are none by what is quickly said; empty where neither is.

    By draws as they come, then in parts of the image.
    """
    if request.count == 1:
        sizes = sizes_of_one(request)
        if not sizes:
            return f"{_asked(request)}, but {_divisors_in_words(request)}.{_instead(request)}"
        chosen = [sizes[int(rng.integers(len(sizes)))]]
        places = drawn_places(rng, request, chosen)
        assert places is not None
        return Rectangles(places, np.array(chosen))
    reason = _too_large(request)
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
    return found or _too_many_pixels(request) or _in_parts(rng, request, 300 * _CUTS, 0.8)


def _exactly(rng: np.random.Generator, request: Request) -> Rectangles | str:
    """Rectangles among all that a small image can hold, or that there are none."""
    boxes = laid_exactly(rng, request)
    if boxes is None:
        return (
            f"{_asked(request)}, but no {request.count} rectangles with "
            f"{_aspect_in_words(request)} have that area there, wherever they lie; ask for fewer "
            "pixels, a smaller gap or fewer rectangles."
        )
    laid = np.array(boxes, np.int64)
    sizes: list[Size] = [(box[2], box[3]) for box in boxes]
    return Rectangles(moved_about(rng, request, sizes, laid[:, :2]), laid[:, 2:], even=False)


def _too_many_pixels(request: Request) -> str:
    """Why three or four rectangles that straight cuts part can't cover so much; or empty."""
    if request.shape[0] * request.shape[1] > _LARGEST:
        return ""
    most = most_by_cuts(request)
    if most >= request.pixels:
        return ""
    return (
        f"{_asked(request)}, but those with {_aspect_in_words(request)} that straight cuts part "
        f"cover at most {most:,} pixels; ask for fewer pixels, a smaller gap or fewer rectangles."
    )


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


def _too_large(request: Request) -> str:
    """Why several rectangles can't cover so much, by the largest of them and the gaps; or empty."""
    asked, count = _asked(request), request.count
    largest = largest_that_fits(request)
    if count * largest < request.pixels:
        return (
            f"{asked}, but a rectangle with {_aspect_in_words(request)} that fits has at most "
            f"{largest:,} pixels; ask for at most {count * largest:,}."
        )
    room = (request.shape[0] + request.gap) * (request.shape[1] + request.gap)
    # Of areas with one sum the roots are least where all but one are 1.
    edges = 2 * (math.sqrt(request.pixels - count + 1) + count - 1)
    if request.pixels + request.gap * edges + count * request.gap**2 > room * (1 + 1e-12):
        return (
            f"{asked}, but with gaps of {request.gap} pixels there is no room for them; ask for "
            "fewer pixels, or a smaller gap."
        )
    return ""


def _why_impossible(rng: np.random.Generator, request: Request) -> str:
    """Why several rectangles can't have the area, wherever they lie; or empty."""
    reason = _too_large(request)
    # Sizes that add up show that there are some, much sooner than all sums.
    if reason or any(drawn_sizes(rng, request) is not None for _ in range(_DRAWS)):
        return reason
    if adds_up(request):
        return ""
    return (
        f"{_asked(request)}, but {request.pixels:,} is no sum of {request.count} areas of "
        f"rectangles with {_aspect_in_words(request)} that fit."
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
        f"{_asked(request)}, but no two rectangles with {_aspect_in_words(request)} fit into the "
        "image on the two sides of any straight cut; ask for fewer pixels, or more rectangles."
    )


def _asked(request: Request) -> str:
    rows, columns = request.shape
    many = "One rectangle" if request.count == 1 else f"{request.count} rectangles"
    gap = f" with gaps of {request.gap}" if request.gap and request.count > 1 else ""
    return f"{many} of {request.pixels:,} pixels in {rows} x {columns} were asked for{gap}"


def _aspect_in_words(request: Request) -> str:
    low, high = request.aspect
    return "any aspect" if not low else f"aspects of {low:g} to {high:g}"


def _divisors_in_words(request: Request) -> str:
    factors = _factors(request.pixels)
    product = " x ".join(f"{each:,}" for each in factors)
    is_what = "is prime and" if len(factors) == 1 else f"= {product}"
    return (
        f"{request.pixels:,} {is_what} has no two sides that fit with {_aspect_in_words(request)}"
    )


def _factors(number: int) -> list[int]:
    factors, divisor = [], 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return [*factors, number] if number > 1 or not factors else factors


def _instead(request: Request) -> str:
    """The nearest areas that one rectangle may have."""
    (rows, columns), pixels = request.shape, request.pixels
    heights = np.arange(1, rows + 1)
    least, most = widths_of(request, heights)
    less = np.minimum(most, (pixels - 1) // heights)
    more = np.maximum(least, pixels // heights + 1)
    below = int(np.max(heights * less, where=less >= least, initial=0))
    above = int(np.min(heights * more, where=more <= most, initial=rows * columns + 1))
    near = [area for area in (below, above) if 0 < area <= rows * columns]
    words = " or ".join(f"{area:,} pixels ({100 * area / (rows * columns):.4g} %)" for area in near)
    return f" Ask for {words}, or for two rectangles." if near else " Ask for two rectangles."
