"""Kernels that find the best shift of two images: in single precision first, then exactly."""

from __future__ import annotations

import math
from typing import Any

from napari_framewise.numerics.compiling import part, reordered
from napari_framewise.numerics.similarity.surface_kernels import correlation_surface

# Correlations from here on count as equal: then the larger overlap wins.
CEILING = 0.999
# An overlap with less than this share of both images' variance per pixel is plain.
PLAIN = 0.01
# How far single precision may be off, relative to 1.
SLACK = 1e-4


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


@part
@reordered
def fill_sums(value: Any, square: Any, mask: Any, tables: Any, room: Any, n: Any, out: Any) -> None:
    """Of one image under another's mask at every shift: its sum, and one over its deviation.

    `out` is (2, shifts, shifts); the second is 0 where the overlap is plain.
    """
    correlation_surface(value, mask, tables, room, out[0])
    correlation_surface(square, mask, tables, room, out[1])
    for s in range(n.shape[0]):
        for t in range(n.shape[1]):
            count = max(n[s, t], 1.0)
            variance = out[1, s, t] - out[0, s, t] * out[0, s, t] / count
            plain = variance < 0.9 * PLAIN * count
            out[1, s, t] = 0.0 if plain else 1.0 / math.sqrt(variance)


@reordered
def fill_overlaps(first: Any, masks: Any, tables: Any, room: Any, out: Any) -> None:
    """Pixels that one mask shares with each of others, at every shift: out (masks, ...)."""
    for k in range(masks.shape[0]):
        correlation_surface(first, masks[k], tables, room, out[k])
        for s in range(out.shape[1]):
            for t in range(out.shape[2]):
                out[k, s, t] = round(max(out[k, s, t], 0.0))


@reordered
def fill_under_masks(
    value: Any, square: Any, masks: Any, tables: Any, room: Any, n: Any, out: Any
) -> None:
    """One image under each of several masks: out (masks, 2, ...)."""
    for k in range(masks.shape[0]):
        fill_sums(value, square, masks[k], tables, room, n[k], out[k])


@reordered
def fill_images(
    mask: Any,
    values: Any,
    squares: Any,
    groups: Any,
    tables: Any,
    room: Any,
    n: Any,
    out: Any,
) -> None:
    """Each of several images under one mask, which here comes first: out (images, 2, ...)."""
    for j in range(values.shape[0]):
        count = n[groups[j]]
        correlation_surface(mask, values[j], tables, room, out[j, 0])
        correlation_surface(mask, squares[j], tables, room, out[j, 1])
        for s in range(count.shape[0]):
            for t in range(count.shape[1]):
                known = max(count[s, t], 1.0)
                variance = out[j, 1, s, t] - out[j, 0, s, t] * out[j, 0, s, t] / known
                plain = variance < 0.9 * PLAIN * known
                out[j, 1, s, t] = 0.0 if plain else 1.0 / math.sqrt(variance)


@part
@reordered
def screened(surface: Any, n: Any, mine: Any, theirs: Any, least: float) -> float:
    """Turn products into correlations in place, 2 where there is none.

    Returns the best weighed one that is certain within single precision.
    """
    best = -math.inf
    for s in range(n.shape[0]):
        for t in range(n.shape[1]):
            count = n[s, t]
            scale = mine[1, s, t] * theirs[1, s, t]
            if count < least or count < 2 or scale == 0:
                surface[s, t] = 2
                continue
            product = surface[s, t] - mine[0, s, t] * theirs[0, s, t] / count
            r = min(1.0, max(-1.0, product * scale))
            surface[s, t] = r
            root = math.sqrt(count)
            # atanh r is at most r / (1 - r^2), and at most r below 0.
            r = min(r, CEILING) - SLACK
            bound = root * (r / (1 - r * r) if r > 0 else r)
            if bound > best:
                best = max(best, weighed(r, count))
    return best


@reordered
def compare_with(
    first: Any,
    used: Any,
    spectrum: Any,
    mine: Any,
    fewest: float,
    chosen: Any,
    seconds: Any,
    masks: Any,
    spectra: Any,
    groups: Any,
    counts: Any,
    theirs: Any,
    n: Any,
    tables: Any,
    room: Any,
    surface: Any,
    share: float,
    out: Any,
) -> None:
    """Best shift of one image against each chosen one of others: out (chosen, 5).

    Correlation, its weighed value, shift along rows and columns, and pixels.
    """
    top, left = surface.shape[0] // 2, surface.shape[1] // 2
    for k in range(chosen.size):
        j = chosen[k]
        group = groups[j]
        least = share * min(fewest, counts[j])
        correlation_surface(spectrum, spectra[j], tables, room, surface)
        best = screened(surface, n[group], mine[group], theirs[j], least)
        found = out[k]
        for c in range(5):
            found[c] = math.nan
        if best == -math.inf:
            continue
        highest = -math.inf
        for s in range(surface.shape[0]):
            for t in range(surface.shape[1]):
                r = surface[s, t]
                if r > 1.5:
                    continue
                r = min(r + SLACK, CEILING)
                root = math.sqrt(n[group, s, t])
                bound = root * (r / (1 - r * r) if r > 0 else r)
                if bound < best or weighed(r, n[group, s, t]) < best:
                    continue
                exact, pixels = exact_correlation(
                    first, seconds[j], used, masks[group], s - top, t - left, least
                )
                z = weighed(exact, pixels)
                if exact == exact and z > highest:
                    highest = z
                    found[0], found[1], found[4] = exact, z, pixels
                    found[2], found[3] = s - top, t - left


@reordered
def correlation_at(first: Any, second: Any, used: Any, other: Any, row: int, column: int) -> Any:
    """Correlation of two images at one shift; NaN where fewer than 2 pixels overlap, or plain."""
    return exact_correlation(first, second, used, other, row, column, 2.0)[0]
