"""Kernels that find the best shift of two images: in single precision first, then exactly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import part, reordered

# Correlations from here on count as equal: then the larger overlap wins.
CEILING = 0.999
# An overlap with less than this share of both images' variance per pixel is plain.
PLAIN = 0.01
# How far a sum of products may be off in single precision, relative to the norms of both images.
SLACK = 2e-6
# Share by which a variance may be off.
UNSURE = 0.1


@part
@reordered
def sums_of_overlap(first: Any, second: Any, used: Any, other: Any, row: int, column: int) -> Any:
    """Over x of f(x) and g(x + d): pixels, f, g, f f, g g, f g, |f - g|.

    Images are 0 where they are not used. `used` and `other` are 1 there, else 0.
    """
    rows, columns = first.shape
    n = f = g = ff = gg = fg = 0.0
    start, stop = max(0, -column), min(columns, columns - column)
    for y in range(max(0, -row), min(rows, rows - row)):
        a, m = first[y, start:stop], used[y, start:stop]
        b = second[y + row, start + column : stop + column]
        k = other[y + row, start + column : stop + column]
        for i in range(a.size):
            p, q = float(a[i]), float(b[i])
            both = float(m[i]) * float(k[i])
            n += both
            f += p * both
            g += q * both
            ff += p * p * both
            gg += q * q * both
            fg += p * q
    return n, f, g, ff, gg, fg


@part
@reordered
def exact_correlation(
    first: Any, second: Any, used: Any, other: Any, row: int, column: int, least: float
) -> Any:
    """Correlation over the pixels that overlap, and their number; NaN where they are too few."""
    n, f, g, ff, gg, fg = sums_of_overlap(first, second, used, other, row, column)
    if n < least or n < 2:
        return math.nan, n
    a, b = ff - f * f / n, gg - g * g / n
    if a < PLAIN * n or b < PLAIN * n:
        return math.nan, n
    return min(1.0, max(-1.0, (fg - f * g / n) / math.sqrt(a * b))), n


@part
@reordered
def weighed(correlation: float, n: float) -> float:
    """Fisher's z over its standard error among independent pixels."""
    return math.atanh(min(CEILING, max(-CEILING, correlation))) * math.sqrt(n)


@reordered
def to_scales(sums: Any, n: Any) -> None:
    """Sums and sums of squares to what correlations take, in place: sums (2, shifts, shifts).

    The sum over the root of the pixels, and one over the deviation: 0 where the overlap is plain,
    and negative where it may be.
    """
    for s in range(n.shape[0]):
        for t in range(n.shape[1]):
            count = max(n[s, t], 1.0)
            variance = sums[1, s, t] - sums[0, s, t] * sums[0, s, t] / count
            sums[0, s, t] /= math.sqrt(count)
            if variance < (1 - UNSURE) * PLAIN * count:
                sums[1, s, t] = 0.0
            elif variance < (1 + UNSURE) * PLAIN * count:
                sums[1, s, t] = -1.0 / math.sqrt(variance)
            else:
                sums[1, s, t] = 1.0 / math.sqrt(variance)


@part
@reordered
def bounds(
    products: Any, n: Any, roots: Any, mine: Any, theirs: Any, off: Any, least: Any, room: Any
) -> Any:
    """Most that each correlation may be, in `room[0]`; least of each, weighed, in `room[1]`.

    The first is -2 where there is no answer; the second is 0 where it is not known to be above 0.
    Without logarithms: atanh r is at least r + r^3 / 3 for r > 0. Returns the largest of them.
    """
    none, zero, third = np.float32(-2), np.float32(0), np.float32(1 / 3)
    ceiling = np.float32(CEILING)
    lanes = room[2, 0]
    lanes[:] = zero
    for s in range(n.shape[0]):
        a, b, c, d = mine[0, s], theirs[0, s], mine[1, s], theirs[1, s]
        product, pixels, root = products[s], n[s], roots[s]
        high, low = room[0, s], room[1, s]
        for t in range(lanes.size):
            scale = abs(c[t] * d[t])
            r = (product[t] - a[t] * b[t]) * scale
            answer = (pixels[t] >= least) & (scale > zero)
            high[t] = min(r + off * scale, ceiling) if answer else none
            under = min(r - off * scale, ceiling)
            sure = answer & (c[t] > zero) & (d[t] > zero) & (under > zero)
            low[t] = (under + under * under * under * third) * root[t] if sure else zero
            lanes[t] = low[t] if low[t] > lanes[t] else lanes[t]
    best = zero
    for t in range(lanes.size):
        best = max(best, lanes[t])
    return best


@part
@reordered
def place_of(value: Any, plane: Any) -> Any:
    """Where a plane has a value that it has somewhere."""
    for s in range(plane.shape[0]):
        line, hits = plane[s], 0
        for t in range(line.size):
            hits += line[t] == value
        if hits:
            for t in range(line.size):
                if line[t] == value:
                    return s, t
    return 0, 0


@part
@reordered
def may_be_best(high: Any, roots: Any, best: Any) -> Any:
    """How many of a line of correlations may be at least `best` when weighed.

    atanh r is at most r + r^3 / (3 (1 - r^2)) for r > 0.
    """
    two, three, one, zero = np.float32(2), np.float32(3), np.float32(1), np.float32(0)
    level, hits = three * best, 0
    for t in range(high.size):
        r = high[t] if high[t] > zero else zero
        hits += roots[t] * r * (three - two * r * r) >= level * (one - r * r)
    return hits


@reordered
def compare_pairs(
    pairs: Any,
    firsts: Any,
    used: Any,
    local: Any,
    mine: Any,
    sizes: Any,
    products: Any,
    seconds: Any,
    masks: Any,
    groups: Any,
    counts: Any,
    theirs: Any,
    n: Any,
    roots: Any,
    room: Any,
    share: float,
    out: Any,
) -> None:
    """Best shift of each pair of images: out (pairs, 5).

    Correlation, its weighed value, shift along rows and columns, and pixels. The first images have
    one mask, `used`. `n` and `roots` are (masks, shifts, shifts), `mine` (firsts, masks, 2, ...)
    with `local` the place of each pair's first, and `theirs` (images, 2, ...). The likely best
    shift is computed exactly first, then every other that may be better.
    """
    rows, columns = products.shape[1:]
    for k in range(pairs.shape[0]):
        j = pairs[k, 1]
        first, fewest = firsts[pairs[k, 0]], sizes[pairs[k, 0]]
        group = groups[j]
        least = max(2.0, share * min(fewest, counts[j]))
        off = np.float32(SLACK * math.sqrt(fewest * counts[j]))
        root, found = roots[group], out[k]
        likely = bounds(
            products[k],
            n[group],
            root,
            mine[local[k], group],
            theirs[j],
            off,
            np.float32(least),
            room,
        )
        found[:] = math.nan
        highest = best = -math.inf
        begin_row, begin_column, at = -1, -1, -1
        if likely > 0:
            best = 0.999 * likely
            begin_row, begin_column = place_of(likely, room[1])
        for step in range(-1, rows):
            if step < 0 and begin_row < 0:
                continue
            s = begin_row if step < 0 else step
            high, line = room[0, s], root[s]
            if step >= 0 and best > 0 and not may_be_best(high, line, np.float32(0.9999 * best)):
                continue
            for t in range(columns):
                first_place = s == begin_row and t == begin_column
                if first_place != (step < 0) or high[t] < -1.5:
                    continue
                if step >= 0 and weighed(high[t], n[group, s, t]) < best:
                    continue
                exact, pixels = exact_correlation(
                    first, seconds[j], used, masks[group], s - rows // 2, t - columns // 2, least
                )
                z = weighed(exact, pixels)
                place = s * columns + t
                if exact == exact and (z > highest or (z == highest and place < at)):
                    highest, at = z, place
                    best = max(best, z)
                    found[0], found[1], found[4] = exact, z, pixels
                    found[2], found[3] = s - rows // 2, t - columns // 2


@reordered
def correlation_at(first: Any, second: Any, used: Any, other: Any, row: int, column: int) -> Any:
    """Correlation of two images at one shift; NaN where fewer than 2 pixels overlap, or plain."""
    return exact_correlation(first, second, used, other, row, column, 2.0)[0]
