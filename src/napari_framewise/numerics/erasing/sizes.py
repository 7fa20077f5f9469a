"""Sizes of rectangles whose areas add up to a number of pixels exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

Size = tuple[int, int]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
# Heights of two rectangles that are looked through at once for a proof.
_AT_ONCE = 2**20
FREE = (0.0, math.inf)
"""Aspects of any rectangle."""


@dataclass(frozen=True)
class Request:
    """Rectangles that are asked for.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of the image.
    pixels : int
        Their areas together.
    count : int
        How many they are, 1 to 4.
    aspect : (float, float)
        Least and greatest height over width.
    gap : int
        Pixels that stay free between any two, along rows or along columns.
    """

    shape: Size
    pixels: int
    count: int
    aspect: tuple[float, float] = (0.3, 3.3)
    gap: int = 0

    @property
    def share(self) -> float:
        """Part of the image that they cover."""
        return self.pixels / (self.shape[0] * self.shape[1])

    @property
    def of_any_aspect(self) -> Request:
        """The same with the aspects given up."""
        return replace(self, aspect=FREE)

    def widths(self, height: int, most: int) -> tuple[int, int]:
        """Least and greatest width of a rectangle of a height, of at most `most` columns."""
        low, high = self.aspect
        return math.ceil(height / high - 1e-9) or 1, min(most, _floor(height, low, most))


def _floor(height: int, low: float, most: int) -> int:
    return most if low * most <= height else math.floor(height / low + 1e-9)


def sizes_of_one(request: Request, pixels: int | None = None) -> list[Size]:
    """All sizes of a single rectangle of the area asked for, or of another, that fit the image.

    Examples
    --------
    >>> sizes_of_one(Request((20, 20), 24, 1))
    [(3, 8), (4, 6), (6, 4), (8, 3)]
    """
    area = request.pixels if pixels is None else pixels
    rows, columns = request.shape
    found = []
    for side in range(1, math.isqrt(area) + 1):
        if area % side == 0:
            found += [(side, area // side), (area // side, side)]
    fitting = {
        (height, width)
        for height, width in found
        if height <= rows and width <= columns and _within(request, height, width)
    }
    return sorted(fitting)


def _within(request: Request, height: int, width: int) -> bool:
    least, most = request.widths(height, width)
    return least <= width <= most


def two_widths(
    rng: np.random.Generator, request: Request, pixels: int, heights: Size, most: Size
) -> Size | None:
    """Widths of two rectangles of given heights whose areas add up; one of all such, or None.

    With heights a, c it solves a b + c d = pixels in whole numbers: b runs through one residue
    class modulo c / gcd(a, c).

    Parameters
    ----------
    rng : Generator
        Chooses among the solutions.
    request : Request
        For its aspects.
    pixels : int
        Sum of the areas.
    heights, most : (int, int)
        Of the two; the widths that they may have at most.
    """
    (a, c), divisor = heights, math.gcd(*heights)
    if pixels % divisor:
        return None
    least_b, most_b = request.widths(a, most[0])
    least_d, most_d = request.widths(c, most[1])
    low = max(least_b, -((most_d * c - pixels) // a))
    high = min(most_b, (pixels - least_d * c) // a)
    step = c // divisor
    first = (
        low + (pixels // divisor * pow(a // divisor, -1, step) - low) % step if step > 1 else low
    )
    if first > high:
        return None
    b = first + step * int(rng.integers((high - first) // step + 1))
    return b, (pixels - a * b) // c


def drawn_sizes(rng: np.random.Generator, request: Request) -> list[Size] | None:
    """Sizes whose areas add up, of random shares and logarithmically uniform aspects.

    None where the areas of this draw can't be made to add up.
    """
    rows, columns = request.shape
    drawn = (rng.dirichlet(np.ones(request.count)) * request.pixels).tolist()
    low, high = max(request.aspect[0], 1 / columns), min(request.aspect[1], rows)
    logs = rng.uniform(math.log(low), math.log(max(low, high)), request.count).tolist()
    pairs = sorted(zip(drawn, logs, strict=True))
    shares = [share for share, _ in pairs]
    heights = [min(max(round(math.sqrt(share * math.exp(log))), 1), rows) for share, log in pairs]
    left, sizes = request.pixels, []
    for height, share in zip(heights[:-2], shares[:-2], strict=True):
        least, most = request.widths(height, columns)
        if least > most:
            return None
        width = min(max(round(share / height), least), most)
        sizes.append((height, width))
        left -= height * width
    one, other = heights[-2:]
    widths = two_widths(rng, request, left, (one, other), (columns, columns)) if left > 1 else None
    return None if widths is None else [*sizes, (one, widths[0]), (other, widths[1])]


def largest_that_fits(request: Request) -> int:
    """Pixels of the largest single rectangle that fits the image with its aspects; 0 of none.

    Examples
    --------
    >>> largest_that_fits(Request((10, 90), 24, 1, (0.5, 2.0)))
    200
    """
    heights = np.arange(1, request.shape[0] + 1)
    least, most = widths_of(request, heights)
    return int(np.max(heights * most, where=least <= most, initial=0))


def widths_of(request: Request, heights: IntArray) -> tuple[IntArray, IntArray]:
    """Least and greatest widths of rectangles of some heights that fit the image."""
    low, high = request.aspect
    least = np.maximum(1, np.ceil(heights / high - 1e-9)).astype(np.int64)
    # Times the inverse of 0 would be no number.
    longest = np.floor(heights / low + 1e-9) if low else np.full(len(heights), np.inf)
    return least, np.minimum(request.shape[1], longest).astype(np.int64)


def areas_that_fit(request: Request) -> NDArray[np.bool_]:
    """Which areas a single rectangle may have: (pixels + 1,)."""
    rows, columns = request.shape
    possible = np.zeros(request.pixels + 1, bool)
    for height in range(1, rows + 1):
        least, most = request.widths(height, columns)
        widths = np.arange(least, min(most, request.pixels // height) + 1)
        possible[height * widths] = True
    return possible


def adds_up(request: Request) -> bool:
    """Whether the area is a sum of those of so many rectangles, wherever they would lie."""
    single = areas_that_fit(request)
    sums = single
    for _ in range(request.count - 1):
        # Counts of ways are whole numbers; rounding of the transform stays far below one half.
        ways = fftconvolve(sums.astype(float), single.astype(float))[: request.pixels + 1]
        sums = ways > 0.5
    return bool(sums[request.pixels])


def most_by_cuts(request: Request) -> int:
    """Most pixels that so many rectangles can cover which straight cuts part, one after the other.

    Over all boxes up to the image, from one rectangle to two, three and four; 0 where they don't
    fit at all.
    """
    rows, columns = request.shape
    one = np.full((rows + 1, columns + 1), -np.inf)
    for height in range(1, rows + 1):
        least, most = request.widths(height, columns)
        one[height, least : most + 1] = height * np.arange(least, most + 1)
    one = np.maximum.accumulate(np.maximum.accumulate(one, axis=0), axis=1)
    tables = [one]
    for count in range(2, request.count + 1):
        best = np.full_like(one, -np.inf)
        for first in range(1, count):
            halves = tables[first - 1], tables[count - first - 1]
            _cut_along_rows(best, *halves, request.gap)
            _cut_along_rows(best.T, halves[0].T, halves[1].T, request.gap)
        tables.append(best)
    return int(max(0.0, tables[-1][-1, -1]))


def _cut_along_rows(best: FloatArray, first: FloatArray, second: FloatArray, gap: int) -> None:
    for row in range(1, len(best) - gap - 1):
        below = best[row + gap + 1 :]
        np.maximum(below, first[row] + second[1 : len(below) + 1], out=below)


def two_that_fit(
    rng: np.random.Generator, request: Request, box: Size, pixels: int
) -> tuple[Size, Size] | None:
    """Two rectangles that fit a box one above the other, or None where there are none at all.

    Two rectangles that don't touch can always be parted by a straight cut, so that with the same
    question of the transposed box all is said.
    """
    rows, columns = box
    first, second = np.meshgrid(
        np.arange(1, rows + 1), np.arange(1, rows + 1), indexing="ij", sparse=True
    )
    fits = first + second <= rows - request.gap
    pairs = np.argwhere(fits & (first >= second)) + 1
    for chosen in np.array_split(rng.permutation(pairs), max(1, len(pairs) // _AT_ONCE)):
        for one, other in chosen[_solvable(request, chosen, columns, pixels)].tolist():
            widths = two_widths(rng, request, pixels, (one, other), (columns, columns))
            if widths is not None:
                return (one, widths[0]), (other, widths[1])
    return None


def _solvable(request: Request, pairs: IntArray, columns: int, pixels: int) -> NDArray[np.bool_]:
    """Pairs of heights that may have widths: the divisor divides, and the areas reach so far."""
    low, high = request.aspect
    least = np.maximum(1, np.ceil(pairs / high - 1e-9))
    with np.errstate(divide="ignore"):
        most = np.minimum(columns, np.floor(pairs / low + 1e-9))
    reach = ((pairs * least).sum(axis=1) <= pixels) & ((pairs * most).sum(axis=1) >= pixels)
    divides = pixels % np.gcd(pairs[:, 0], pairs[:, 1]) == 0
    return np.asarray(reach & divides & (least <= most).all(axis=1))


def turned(sizes: Sequence[Size]) -> list[Size]:
    """Sizes with rows and columns exchanged."""
    return [(width, height) for height, width in sizes]
