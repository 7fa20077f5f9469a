"""Rectangles in small images: all areas that they can have together, so that nothing stays open."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from napari_framewise.numerics.erasing.sizes import Request, Size

Box = tuple[int, int, int, int]
MOST_PIXELS = 400
"""Pixels of an image up to which all areas are looked through."""


def laid_exactly(rng: np.random.Generator, request: Request) -> list[Box] | None:
    """Rectangles of the area that is asked for, or None where there are none.

    Up to three rectangles that don't touch can always be parted by straight cuts, one after the
    other; of four, only a pinwheel can't. So the areas that k rectangles may have in a box are the
    sums of those of fewer on the two sides of a cut, over all cuts, as sets of bits.

    Parameters
    ----------
    rng : Generator
        Chooses among the cuts.
    request : Request
        In an image of at most `MOST_PIXELS` pixels.

    Returns
    -------
    list of (first row, first column, rows, columns), or None

    Examples
    --------
    >>> laid_exactly(np.random.default_rng(0), Request((1, 5), 4, 2, (0.1, 9.0), gap=1))
    [(0, 0, 1, 2), (0, 3, 1, 2)]
    >>> laid_exactly(np.random.default_rng(0), Request((1, 5), 5, 2, (0.1, 9.0), gap=1)) is None
    True
    """
    sums = _sums_with(request.aspect, request.gap)
    if sums.of(request.shape, request.count) >> request.pixels & 1:
        return sums.laid(rng, (0, 0), request.shape, request.count, request.pixels)
    return _pinwheel(request) if request.count == 4 else None


class _Sums:
    """Areas that rectangles parted by straight cuts may have together, by box and count."""

    def __init__(self, aspect: tuple[float, float], gap: int) -> None:
        self._request = Request((1, 1), 1, 1, aspect, gap)
        self._known: dict[tuple[Size, int], int] = {}

    def of(self, box: Size, count: int) -> int:
        """Areas as bits."""
        key = box, count
        if key not in self._known:
            self._known[key] = self._single(box) if count == 1 else self._together(box, count)
        return self._known[key]

    def laid(
        self, rng: np.random.Generator, place: Size, box: Size, count: int, pixels: int
    ) -> list[Box]:
        """Rectangles of an area that is possible."""
        if count == 1:
            for height in range(1, box[0] + 1):
                least, most = self._request.widths(height, box[1])
                if pixels % height == 0 and least <= pixels // height <= most:
                    return [(*place, height, pixels // height)]
        ways = list(self._ways(box, count))
        for number in rng.permutation(len(ways)).tolist():
            first, one, other, offset = ways[number]
            for area in _bits(self.of(one, first)):
                if area < pixels and self.of(other, count - first) >> (pixels - area) & 1:
                    beside = place[0] + offset[0], place[1] + offset[1]
                    return [
                        *self.laid(rng, place, one, first, area),
                        *self.laid(rng, beside, other, count - first, pixels - area),
                    ]
        raise AssertionError("an area that is possible has a way")

    def _ways(self, box: Size, count: int) -> Iterator[tuple[int, Size, Size, Size]]:
        """Cuts: how many lie on the first side, both sides, and where the other begins."""
        gap = self._request.gap
        for first in range(1, count):
            for cut in range(1, box[0] - gap):
                yield first, (cut, box[1]), (box[0] - gap - cut, box[1]), (cut + gap, 0)
            for cut in range(1, box[1] - gap):
                yield first, (box[0], cut), (box[0], box[1] - gap - cut), (0, cut + gap)

    def _together(self, box: Size, count: int) -> int:
        found = 0
        for first, one, other, _ in self._ways(box, count):
            if 2 * first <= count:
                longer = self.of(other, count - first)
                for area in _bits(self.of(one, first)):
                    found |= longer << area
        return found

    def _single(self, box: Size) -> int:
        found = 0
        for height in range(1, box[0] + 1):
            least, most = self._request.widths(height, box[1])
            for width in range(least, most + 1):
                found |= 1 << (height * width)
        return found


@lru_cache(maxsize=8)
def _sums_with(aspect: tuple[float, float], gap: int) -> _Sums:
    return _Sums(aspect, gap)


def _bits(areas: int) -> Iterator[int]:
    """Numbers of the bits that are set."""
    while areas:
        lowest = areas & -areas
        yield lowest.bit_length() - 1
        areas ^= lowest


def _pinwheel(request: Request) -> list[Box] | None:
    """Four rectangles, each along a side of the image, around a middle that none of them covers.

    Wide ones above and below, of heights a, b, and tall ones at the right and left, of widths c, d.
    """
    low, high = request.aspect
    turned = Request(request.shape[::-1], 1, 1, (1 / high, 1 / low if low else np.inf), request.gap)
    rows, columns = (side - request.gap for side in request.shape)
    for a in range(1, rows):
        for b in range(1, rows - a + 1):
            for c in range(1, columns):
                for d in range(1, columns - c + 1):
                    steps = (a, c, b, d)
                    ranges = (
                        request.widths(a, columns - c),
                        turned.widths(c, rows - b),
                        request.widths(b, columns - d),
                        turned.widths(d, rows - a),
                    )
                    lengths = _lengths(steps, ranges, request.pixels)
                    if lengths is None:
                        continue
                    above, right, below, left = lengths
                    bottom, wide = request.shape
                    return [
                        (0, 0, a, above),
                        (0, wide - c, right, c),
                        (bottom - b, wide - below, b, below),
                        (bottom - left, 0, left, d),
                    ]
    return None


def _lengths(
    steps: tuple[int, ...], ranges: tuple[tuple[int, int], ...], pixels: int
) -> tuple[int, ...] | None:
    """Lengths within their ranges that, each times its step, add up to so many pixels."""
    least, most = (sum(step * each[k] for step, each in zip(steps, ranges, strict=True))
                   for k in (0, 1))  # fmt: skip
    if not least <= pixels <= most or any(low > high for low, high in ranges):
        return None
    if len(steps) == 1:
        return (pixels // steps[0],) if pixels % steps[0] == 0 else None
    for length in range(ranges[0][0], ranges[0][1] + 1):
        rest = _lengths(steps[1:], ranges[1:], pixels - steps[0] * length)
        if rest is not None:
            return length, *rest
    return None
