"""Kernels that average the pixels of an image over the elliptic footprint of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import part, reordered

LANES = 8
"""Weights of a row are worked out in as many at once, and images padded by as many columns."""
TABLE = 65_536
"""Most weights of one footprint that are kept."""


@part
@reordered
def ellipse(slopes: Any, most: float, form: Any) -> float:
    """Squared radius ``form . (y^2, 2 x y, x^2)`` of a footprint; what it is given is 2 x 2.

    The axes of the ellipse ``J J^T`` are kept within 1 and `most` pixels. Returns its area over
    that of a circle of one pixel; `form` gets the inverse matrix (0, 1, 2), the squared half height
    (3) and the squared half width (4).

    Examples
    --------
    >>> form = np.zeros(5)
    >>> ellipse(np.array([[2.0, 0.0], [0.0, 4.0]]), 64.0, form), form.tolist()
    (8.0, [0.25, 0.0, 0.0625, 4.0, 16.0])
    """
    a = slopes[0, 0] * slopes[0, 0] + slopes[0, 1] * slopes[0, 1]
    b = slopes[0, 0] * slopes[1, 0] + slopes[0, 1] * slopes[1, 1]
    c = slopes[1, 0] * slopes[1, 0] + slopes[1, 1] * slopes[1, 1]
    det = slopes[0, 0] * slopes[1, 1] - slopes[0, 1] * slopes[1, 0]
    half, spread = (a - c) / 2.0, np.sqrt(((a - c) / 2.0) ** 2 + b * b)
    large = (a + c) / 2.0 + spread
    small = det * det / large if large > 0.0 else 0.0
    large = min(max(large, 1.0), most * most)
    small = min(max(small, 1.0), most * most)
    y, x, xy = 0.5, 0.5, 0.0
    if spread > 0.0:
        # Projector on the long axis.
        y, x, xy = 0.5 + half / (2 * spread), 0.5 - half / (2 * spread), b / (2 * spread)
    form[0] = y / large + x / small
    form[1] = xy / large - xy / small
    form[2] = x / large + y / small
    form[3] = y * large + x * small
    form[4] = x * large + y * small
    return float(np.sqrt(large * small))


@part
@reordered
def smooth(s: float, terms: Any) -> float:
    """A polynomial of degree 10 of the squared radius, of which 1 is the end.

    Examples
    --------
    >>> smooth(0.5, (0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    0.5
    """
    s2 = s * s
    s4 = s2 * s2
    low = (terms[0] + terms[1] * s) + (terms[2] + terms[3] * s) * s2
    middle = (terms[4] + terms[5] * s) + (terms[6] + terms[7] * s) * s2
    high = (terms[8] + terms[9] * s) + terms[10] * s2
    w = low + (middle + high * s4) * s4
    return float(w) if s < 1.0 else 0.0


@part
@reordered
def cubic(s: float, terms: Any) -> float:
    """Cubics of the radius: one to half of its end, where the squared radius is 1/4, one beyond.

    Examples
    --------
    >>> cubic(0.04, (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    0.16
    """
    q = 4.0 * s if s > 0.0 else 0.0
    r = np.sqrt(q)
    inner = (terms[0] + terms[1] * r) + (terms[2] + terms[3] * r) * q
    outer = (terms[4] + terms[5] * r) + (terms[6] + terms[7] * r) * q
    w = inner if q < 1.0 else outer
    return float(w) if q < 4.0 else 0.0


@part
@reordered
def row_weights(
    terms: Any, of_cubic: bool, begin: float, f0: float, f1: float, f2: float, weights: Any
) -> float:
    """Weights along a row and their sum; `f0` ... are the squared radius over the column.

    Examples
    --------
    >>> terms, weights = (0.0, 1.0, *[0.0] * 9), np.zeros(2)
    >>> row_weights(terms, False, 0.0, 0.0, 0.0, 0.25, weights), weights.tolist()
    (0.25, [0.0, 0.25])
    """
    total = 0.0
    if of_cubic:
        for j in range(weights.size):
            u = begin + j
            w = cubic(f0 + u * (f1 + u * f2), terms)
            weights[j] = w
            total += w
        return total
    for j in range(weights.size):
        u = begin + j
        w = smooth(f0 + u * (f1 + u * f2), terms)
        weights[j] = w
        total += w
    return total


@part
@reordered
def tabled(
    terms: Any, of_cubic: bool, phase: Any, form: Any, tall: float, reach: float, table: Any,
    rows: Any,
) -> float:  # fmt: skip
    """Weights of a footprint, row after row in a table, and their sum; NaN where they don't fit.

    `phase` is where the centre lies past the whole pixel before it. `rows` (n, 3) gets the first
    column of each row, from that pixel, how many columns it has, and where in the table it begins.

    Examples
    --------
    >>> terms, form = (1.0, -1.0, *[0.0] * 9), np.array([1.0, 0.0, 1.0, 1.0, 1.0])
    >>> table, rows = np.zeros(64), np.zeros((8, 3), np.int64)
    >>> tabled(terms, False, np.zeros(2), form, 1.0, 1.0, table, rows), rows[1].tolist()
    (1.0, [-1, 8, 0])
    """
    yy, xy, xx = form[0] / reach, form[1] / reach, form[2] / reach
    tilt, per, bent = xy / xx, 1.0 / xx, yy - xy * xy / xx
    total, filled = 0.0, 0
    low, high = int(np.ceil(phase[0] - tall)), int(np.floor(phase[0] + tall))
    if high - low + 1 > rows.shape[0]:
        return float(np.nan)
    for i in range(low, high + 1):
        v = i - phase[0]
        left = (1.0 - v * v * bent) * per
        rows[i - low, 1] = 0
        if left <= 0.0:
            continue
        wide, middle = np.sqrt(left), phase[1] - tilt * v
        first = int(np.ceil(middle - wide))
        count = int(np.floor(middle + wide)) + 1 - first
        if count <= 0:
            continue
        padded = (count + LANES - 1) // LANES * LANES
        if filled + padded > table.size:
            return float(np.nan)
        row = table[filled : filled + padded]
        total += row_weights(terms, of_cubic, first - phase[1], v * v * yy, 2.0 * v * xy, xx, row)
        rows[i - low, 0], rows[i - low, 1], rows[i - low, 2] = first, padded, filled
        filled += padded
    return total


def average(
    planes: Any,
    valid: Any,
    start: int,
    places: Any,
    slopes: Any,
    terms: Any,
    of_cubic: bool,
    radius: float,
    volume: float,
    most: float,
    tables: bool,
    out: Any,
) -> None:
    """Weighted means over elliptic footprints (Greene & Heckbert 1986), NaN where none is known.

    `planes` begin with row `start` and are padded by `LANES` columns; `terms`, `of_cubic`,
    `radius` and `volume` say the weights. With `tables` those of a footprint are kept for the next
    one that lies alike between pixels, as all do where an image becomes whole times smaller.
    """
    channels, rows = planes.shape[:2]
    columns = planes.shape[2] - LANES
    form, kept = np.empty(5), np.full(6, np.nan)
    phase, table, spans = np.empty(2), np.empty(TABLE), np.empty((TABLE // LANES, 3), np.int64)
    tall, area, weight_of_all = 0.0, 0.0, np.nan
    low, high, near, far, todo = 0, 0, 0, 0, True
    t = (
        terms[0], terms[1], terms[2], terms[3], terms[4], terms[5], terms[6], terms[7], terms[8],
        terms[9], terms[10],
    )  # fmt: skip
    sums = np.empty(channels)
    weights = np.empty(columns + LANES)
    reach = radius * radius
    for p in range(places.shape[0]):
        y, x = places[p, 0], places[p, 1]
        size = abs(slopes[p, 0, 0]) + abs(slopes[p, 0, 1])
        size += abs(slopes[p, 1, 0]) + abs(slopes[p, 1, 1])
        within = y >= start - 0.5 and y <= start + rows - 0.5
        within = within and x >= -0.5 and x <= columns - 0.5
        if not (within and size < np.inf):
            for k in range(channels):
                out[k, p] = np.nan
            continue
        before_y, before_x = int(np.floor(y)), int(np.floor(x))
        fresh = y - before_y != kept[0] or x - before_x != kept[1]
        for k in range(4):
            fresh = fresh or slopes[p, k // 2, k % 2] != kept[2 + k]
        if fresh:
            phase[0], phase[1] = y - before_y, x - before_x
            kept[0], kept[1] = phase[0], phase[1]
            for k in range(4):
                kept[2 + k] = slopes[p, k // 2, k % 2]
            area = ellipse(slopes[p], most, form)
            tall, wide = radius * np.sqrt(form[3]), radius * np.sqrt(form[4])
            low, high = int(np.ceil(phase[0] - tall)), int(np.floor(phase[0] + tall))
            near, far = int(np.ceil(phase[1] - wide)) - 1, int(np.floor(phase[1] + wide)) + 1
            todo = True
        top, bottom = before_y + low - start, before_y + high - start
        inside = top >= 0 and bottom < rows and before_x + near >= 0 and before_x + far < columns
        # What lies far from gaps is the same to the bit whether there are any elsewhere or not.
        gaps = False
        if valid.size:
            first, last = max(0, before_x + near), min(columns - 1, before_x + far)
            for i in range(max(0, top), min(rows - 1, bottom) + 1):
                for j in range(first, last + 1):
                    gaps = gaps or not valid[i, j]
        alone = channels == 1 and not gaps
        if tables and inside and not gaps:
            if todo:
                weight_of_all = tabled(t, of_cubic, phase, form, tall, reach, table, spans)
                todo = False
            if weight_of_all == weight_of_all:
                enough = weight_of_all >= 0.1 * area * volume
                for k in range(channels):
                    value = 0.0
                    for i in range(high - low + 1):
                        count = spans[i, 1]
                        if count == 0:
                            continue
                        first = before_x + spans[i, 0]
                        source = planes[k, top + i, first : first + count]
                        row = table[spans[i, 2] : spans[i, 2] + count]
                        for j in range(row.size):
                            value += row[j] * source[j]
                    out[k, p] = value / weight_of_all if enough else np.nan
                continue
        # In terms of the end of the weights, which is 1.
        yy, xy, xx = form[0] / reach, form[1] / reach, form[2] / reach
        tilt, per, bent = xy / xx, 1.0 / xx, yy - xy * xy / xx
        total, known = 0.0, 0.0
        for k in range(channels):
            sums[k] = 0.0
        for i in range(max(0, top), min(rows - 1, bottom) + 1):
            v = i + start - y
            left = (1.0 - v * v * bent) * per
            if left <= 0.0:
                continue
            wide, middle = np.sqrt(left), x - tilt * v
            first = max(0, int(np.ceil(middle - wide)))
            count = min(columns - 1, int(np.floor(middle + wide))) + 1 - first
            if count <= 0:
                continue
            # Whole vectors: the columns that are too many weigh nothing, or lie in the padding.
            padded = (count + LANES - 1) // LANES * LANES
            begin, f0, f1 = first - x, v * v * yy, 2.0 * v * xy
            if alone and first + padded <= columns:
                # The common case by itself: each view of an array that is made costs a row's time.
                source = planes[0, i, first : first + padded]
                weight, value = 0.0, 0.0
                if of_cubic:
                    for j in range(source.size):
                        u = begin + j
                        w = cubic(f0 + u * (f1 + u * xx), t)
                        weight += w
                        value += w * source[j]
                else:
                    for j in range(source.size):
                        u = begin + j
                        w = smooth(f0 + u * (f1 + u * xx), t)
                        weight += w
                        value += w * source[j]
                total += weight
                sums[0] += value
                continue
            row = weights[:padded]
            part_total = row_weights(t, of_cubic, begin, f0, f1, xx, row)
            for j in range(max(columns - first, 0), padded):
                part_total -= row[j]
                row[j] = 0.0
            total += part_total
            if gaps:
                line = valid[i, first : min(first + padded, columns)]
                for j in range(line.size):
                    row[j] = row[j] if line[j] else 0.0
                    known += row[j]
            for k in range(channels):
                source = planes[k, i, first : first + padded]
                value = 0.0
                for j in range(source.size):
                    value += row[j] * source[j]
                sums[k] += value
        if not gaps:
            known = total
        # Half of what lies in the frame, and not so little that noise is all there is.
        enough = known >= 0.5 * total and known >= 0.1 * area * volume
        for k in range(channels):
            out[k, p] = sums[k] / known if enough else np.nan
