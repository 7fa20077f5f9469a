"""Kernels of random erasing: draws that are disjoint, and rectangles in the parts of an image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import in_order

_SPREAD = 0.12
_SWEEPS = 3
_RECTANGLES = 12


@in_order
def first_apart(places: Any, sizes: Any, gap: int) -> int:
    """Number of the first draw of places in which no two rectangles come closer than a gap; or -1.

    Parameters
    ----------
    places : (n, k, 2) int64
        First rows and columns of k rectangles, n times.
    sizes : (k, 2) int64
        Their rows and columns.
    gap : int
        Pixels between two, along rows or along columns.

    Examples
    --------
    >>> first_apart(np.array([[[0, 0], [1, 1]], [[0, 0], [0, 2]]]), np.array([[2, 2], [1, 1]]), 0)
    1
    """
    for n in range(len(places)):
        apart = True
        for one in range(len(sizes)):
            for other in range(one):
                beside = False
                for axis in range(2):
                    first, second = places[n, one, axis], places[n, other, axis]
                    if second >= first + sizes[one, axis] + gap:
                        beside = True
                    if first >= second + sizes[other, axis] + gap:
                        beside = True
                apart = apart and beside
        if apart:
            return n
    return -1


@in_order
def cut_and_fill(
    shape: Any,
    pixels: int,
    gap: int,
    low: float,
    high: float,
    whole: float,
    state: Any,
    tries: int,
    boxes: Any,
) -> bool:
    """Rectangles of an exact area together, one in each part that straight cuts give at random.

    The widths of the last two solve ``a b + c d = pixels left``; then each rectangle is moved in
    turn to a place drawn evenly from all that the others leave it.

    Parameters
    ----------
    shape : (2,) int64
        Rows and columns of the image.
    pixels, gap : int
        As they are asked for.
    low, high : float
        Least and greatest height over width.
    whole : float
        Share of the rectangles that are as high or as wide as their part, rather than of a height
        drawn between.
    state : (1,) uint64
        Of the random numbers; changed.
    tries : int
        How often the image is cut.
    boxes : (k, 4) int64
        k is 2 at least; filled with first row, first column, rows and columns.

    Returns
    -------
    bool
        Whether any were found.

    Examples
    --------
    >>> boxes, state = np.zeros((2, 4), np.int64), np.array([7], np.uint64)
    >>> cut_and_fill(np.array([9, 9]), 70, 0, 0.3, 3.3, 0.0, state, 100, boxes)
    True
    >>> int(boxes[:, 2] @ boxes[:, 3])
    70
    """
    count = len(boxes)
    parts, sizes = np.empty((count, 4), np.int64), np.empty((count, 2), np.int64)
    for _ in range(tries):
        parts[0, 0], parts[0, 1], parts[0, 2], parts[0, 3] = 0, 0, shape[0], shape[1]
        room = _cut(parts, gap, state)
        if room < pixels:
            continue
        for _again in range(_RECTANGLES):
            if _fill(parts, sizes, pixels, pixels / room, low, high, whole, state):
                for k in range(count):
                    for axis in range(2):
                        slack = parts[k, 2 + axis] - sizes[k, axis] + 1
                        boxes[k, axis] = parts[k, axis] + int(_uniform(state) * slack)
                        boxes[k, 2 + axis] = sizes[k, axis]
                move_about(shape, gap, state, boxes)
                return True
    return False


@in_order
def move_about(shape: Any, gap: int, state: Any, boxes: Any) -> None:
    """Each rectangle moved in turn to a place drawn evenly from all that the others leave it.

    The places that it can't have because of another are a rectangle; their edges cut all places
    into a few, of which the free ones are drawn by their area.

    Parameters
    ----------
    shape, gap, state
        As of `cut_and_fill`.
    boxes : (k, 4) int64
        First row, first column, rows and columns; disjoint, and changed.

    Examples
    --------
    >>> boxes, state = np.array([[0, 0, 1, 2], [0, 2, 1, 2]]), np.array([3], np.uint64)
    >>> move_about(np.array([1, 4]), 0, state, boxes)
    >>> boxes.tolist()
    [[0, 0, 1, 2], [0, 2, 1, 2]]
    """
    count = len(boxes)
    spans = np.empty((count, 2, 2), np.int64)
    edges = np.empty((2, 2 * count), np.int64)
    for turn in range(_SWEEPS * count):
        number, many = turn % count, 0
        for axis in range(2):
            edges[axis, 0] = 0
            edges[axis, 1] = shape[axis] - boxes[number, 2 + axis] + 1
        for other in range(count):
            if other == number:
                continue
            for axis in range(2):
                place, size = boxes[other, axis], boxes[other, 2 + axis]
                low = max(0, place - boxes[number, 2 + axis] - gap + 1)
                high = min(edges[axis, 1], place + size + gap)
                spans[many, axis, 0], spans[many, axis, 1] = low, high
                edges[axis, 2 + 2 * many], edges[axis, 3 + 2 * many] = low, high
            many += 1
        used = 2 + 2 * many
        # Few numbers, and a call of numpy's sort takes a second to compile.
        for axis in range(2):
            for i in range(1, used):
                for j in range(i, 0, -1):
                    if edges[axis, j] < edges[axis, j - 1]:
                        here = edges[axis, j]
                        edges[axis, j] = edges[axis, j - 1]
                        edges[axis, j - 1] = here
        rows, columns = edges[0], edges[1]
        total = 0
        for i in range(used - 1):
            for j in range(used - 1):
                if _free(rows[i], columns[j], spans, many):
                    total += (rows[i + 1] - rows[i]) * (columns[j + 1] - columns[j])
        drawn = min(int(_uniform(state) * total), total - 1)
        placed = False
        for i in range(used - 1):
            for j in range(used - 1):
                wide = columns[j + 1] - columns[j]
                area = (rows[i + 1] - rows[i]) * wide
                if placed or area == 0 or not _free(rows[i], columns[j], spans, many):
                    continue
                if drawn < area:
                    boxes[number, 0] = rows[i] + drawn // wide
                    boxes[number, 1] = columns[j] + drawn % wide
                    placed = True
                drawn -= area


@in_order
def _free(row: int, column: int, spans: Any, many: int) -> bool:
    for n in range(many):
        down = spans[n, 0, 0] <= row < spans[n, 0, 1]
        if down and spans[n, 1, 0] <= column < spans[n, 1, 1]:
            return False
    return True


@in_order
def _uniform(state: Any) -> float:
    """The next number from 0 to 1 (SplitMix64; Steele, Lea & Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) / 9007199254740992.0


@in_order
def _cut(parts: Any, gap: int, state: Any) -> int:
    """Cut the first of the parts into as many as there are; their pixels, or -1 without room."""
    count = len(parts)
    many = np.zeros(count, np.int64)
    many[0], known = count, 1
    while known < count:
        for k in range(known):
            if many[k] < 2:
                continue
            first = 1 + int(_uniform(state) * (many[k] - 1))
            rows, columns = parts[k, 2], parts[k, 3]
            axis = 1 if _uniform(state) * (rows + columns) >= rows else 0
            # Twelve uniform numbers less six are about normal.
            normal = -6.0
            for _ in range(12):
                normal += _uniform(state)
            share = min(max(first / many[k] + _SPREAD * normal, 0.05), 0.95)
            size = parts[k, 2 + axis]
            cut = min(max(round(share * (size - gap)), 1), max(1, size - gap - 1))
            for n in range(4):
                parts[known, n] = parts[k, n]
            parts[known, axis] += cut + gap
            parts[known, 2 + axis] = size - gap - cut
            parts[k, 2 + axis] = cut
            many[known], many[k] = many[k] - first, first
            known += 1
            break
    room = 0
    for k in range(count):
        if parts[k, 2] < 1 or parts[k, 3] < 1:
            return -1
        room += parts[k, 2] * parts[k, 3]
    return room


@in_order
def _fill(
    parts: Any,
    sizes: Any,
    pixels: int,
    share: float,
    low: float,
    high: float,
    whole: float,
    state: Any,
) -> bool:
    """A size for each part, together of the area asked for; whether there is one."""
    count = len(parts)
    one = int(_uniform(state) * count)
    other = int(_uniform(state) * (count - 1))
    other += other >= one
    left = pixels
    for k in range(count):
        power = _uniform(state)
        if whole > 0.0 and _uniform(state) < whole:
            power = float(round(power))
        height = round(parts[k, 2] * share**power)
        height = min(max(height, 1), parts[k, 2])
        sizes[k, 0] = height
        if k in (one, other):
            continue
        least, most = _widths(height, parts[k, 3], low, high)
        if least > most:
            return False
        width = min(max(round(share * parts[k, 2] * parts[k, 3] / height), least), most)
        sizes[k, 1] = width
        left -= height * width
    a, c = sizes[one, 0], sizes[other, 0]
    least_b, most_b = _widths(a, parts[one, 3], low, high)
    least_d, most_d = _widths(c, parts[other, 3], low, high)
    if left < 2 or least_b > most_b or least_d > most_d:
        return False
    first = max(least_b, -((most_d * c - left) // a))
    last = min(most_b, (left - least_d * c) // a)
    divisor, rest = a, c
    while rest:
        divisor, rest = rest, divisor % rest
    step = c // divisor
    # The first width of one for which the other's is whole; then every step-th is.
    for b in range(first, min(last, first + step - 1) + 1):
        if (left - a * b) % c == 0:
            b += step * int(_uniform(state) * ((last - b) // step + 1))
            sizes[one, 1], sizes[other, 1] = b, (left - a * b) // c
            return True
    return False


@in_order
def _widths(height: int, most: int, low: float, high: float) -> tuple[int, int]:
    """Least and greatest width of a rectangle of a height, of at most so many columns."""
    least = max(math.ceil(height / high - 1e-9), 1)
    if low * most > height:
        most = math.floor(height / low + 1e-9)
    return least, most
