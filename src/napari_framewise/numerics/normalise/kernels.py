"""Compiled levels of every row: extremes, and exact percentiles."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.compiling import in_order
from napari_framewise.numerics.ranked import select

# Below that many elements selection beats clearing and summing 512 counters.
_FEW = 512
# Elements that are counted in 16 bits.
_COUNTED = 32768
# Rows that are sorted at a time: with 16 bits, two vectors.
_LANES = 32


@in_order
def integer_extremes(values, mask, count, low, high):  # type: ignore[no-untyped-def]
    """Number, least and greatest of the elements of rows of one channel."""
    for r in range(values.shape[0]):
        row, use = values[r], mask[r % mask.shape[0]]
        n, least, most = 0, row[0], row[0]
        if mask.shape[1]:
            for j in range(row.size):
                if use[j]:
                    least = row[j] if n == 0 else min(least, row[j])
                    most = row[j] if n == 0 else max(most, row[j])
                    n += 1
        else:
            n = row.size
            for j in range(row.size):
                least, most = min(least, row[j]), max(most, row[j])
        count[r, 0], low[r, 0], high[r, 0] = n, least, most


@in_order
def real_extremes(values, mask, width, count, low, high):  # type: ignore[no-untyped-def]
    """The same of any numbers and channels, where NaN and infinities take no part."""
    period = count.shape[1]
    n, least, most = np.empty(width, np.int64), np.empty(width), np.empty(width)
    for r in range(values.shape[0]):
        n[:], least[:], most[:] = 0, np.inf, -np.inf
        for start in range(0, values.shape[1], width):
            piece = values[r, start : start + width]
            use = mask[r % mask.shape[0], start : start + width]
            for j in range(piece.size):
                v = np.float64(piece[j])
                known = abs(v) < np.inf
                if mask.shape[1]:
                    known = known and use[j] != 0
                n[j] += 1 if known else 0
                least[j] = v if known and v < least[j] else least[j]
                most[j] = v if known and v > most[j] else most[j]
        for c in range(period):
            count[r, c] = n[c::period].sum()
            low[r, c], high[r, c] = least[c::period].min(), most[c::period].max()


@in_order
def min_max_rows(values, flat, low, gain, status, out):  # type: ignore[no-untyped-def]
    """Integers of up to 16 bits to float32 from 0 to 1, while a row is in the cache.

    Differences of such integers are exact in float32, and times their own reciprocal they round to
    1 at most, so nothing is lost by not taking float64. Constant rows get the status `flat`.
    """
    one = np.float32(1)
    for r in range(values.shape[0]):
        row, result = values[r], out[r]
        least, most = row[0], row[0]
        for j in range(row.size):
            least, most = min(least, row[j]), max(most, row[j])
        first = np.int32(least)
        extent = np.float32(np.int32(most) - first)
        factor = one / max(extent, one)
        low[r], gain[r] = first, factor if extent else np.float32(0)
        status[r] = 0 if extent else flat
        for j in range(row.size):
            result[j] = np.float32(np.int32(row[j]) - first) * factor


@in_order
def min_max_bytes(values, width, base, low, high, out):  # type: ignore[no-untyped-def]
    """Integers of up to 16 bits to whole numbers from `base` to ``base + width``, at most 255 more.

    ``(x - least) * width / (most - least)`` is rounded half to even, exactly: what float32 gives is
    right or one too small, and twice the products that tell are even and below 2^25, so that they
    are exact. Constant rows become `base`.
    """
    steps, twice = np.float32(width), np.float32(2 * width)
    # less than a half by more than float32 can be off
    nearly_half = np.float32(0.499)
    for r in range(values.shape[0]):
        row, result = values[r], out[r]
        least, most = row[0], row[0]
        for j in range(row.size):
            least, most = min(least, row[j]), max(most, row[j])
        low[r, 0], high[r, 0] = least, most
        first = np.int32(least)
        extent = np.int32(most) - first
        span = np.float32(extent)
        both = span + span
        factor = steps / span if extent else np.float32(0)
        for j in range(row.size):
            x = np.float32(np.int32(row[j]) - first)
            k = np.int32(x * factor + nearly_half)
            rest = np.int32(x * twice - np.float32(k) * both) + (k & np.int32(1))
            result[j] = k + np.int32(rest > extent) + base


@in_order
def _place(counts, rank):  # type: ignore[no-untyped-def]
    """The bin that holds a rank, and the rank within it."""
    digit = 0
    while rank >= counts[digit]:
        rank -= counts[digit]
        digit += 1
    return digit, rank


@in_order
def _between(low, high, part):  # type: ignore[no-untyped-def]
    """Linear interpolation that is exact at both ends and never leaves them."""
    step = high - low
    return low + step * part if part < 0.5 else high - step * (1.0 - part)


@in_order
def _count_below(row, level):  # type: ignore[no-untyped-def]
    """How many elements are less; counted in 16 bits, which vectorises by as many as can be."""
    total = np.int64(0)
    for start in range(0, row.size, _COUNTED):
        piece = row[start : start + _COUNTED]
        count = np.uint16(0)
        for j in range(piece.size):
            count = np.uint16(count + np.uint16(1 if piece[j] < level else 0))
        total += np.int64(count)
    return total


@in_order
def narrow_percentiles(values, fractions, found):  # type: ignore[no-untyped-def]
    """Percentiles (rows, fractions) of integers of up to 16 bits: their values are bisected."""
    for r in range(values.shape[0]):
        row = values[r]
        kind = row.dtype.type
        least, most = row[0], row[0]
        for j in range(row.size):
            least, most = min(least, row[j]), max(most, row[j])
        for f in range(fractions.size):
            position = (row.size - 1) * fractions[f]
            rank = int(position)
            low, high = np.int64(least), np.int64(most)
            while low < high:
                middle = (low + high + 1) >> 1
                if _count_below(row, kind(middle)) <= rank:
                    low = middle
                else:
                    high = middle - 1
            after = most
            if low < np.int64(most) and _count_below(row, kind(low + 1)) <= rank + 1:
                floor = kind(low)
                for j in range(row.size):
                    after = min(after, row[j] if row[j] > floor else most)
            else:
                after = kind(low)
            found[r, f] = _between(np.float64(low), np.float64(after), position - rank)


@in_order
def sorted_percentiles(values, comparators, fractions, found):  # type: ignore[no-untyped-def]
    """The same of short rows, many at a time through a network of comparators."""
    n, size = values.shape
    lanes = np.empty((size, _LANES), values.dtype)
    for start in range(0, n, _LANES):
        for k in range(_LANES):
            row = values[min(start + k, n - 1)]
            for j in range(size):
                lanes[j, k] = row[j]
        for c in range(comparators.shape[0]):
            upper, lower = lanes[comparators[c, 0]], lanes[comparators[c, 1]]
            for k in range(_LANES):
                a, b = upper[k], lower[k]
                upper[k], lower[k] = min(a, b), max(a, b)
        for k in range(min(_LANES, n - start)):
            for f in range(fractions.size):
                position = (size - 1) * fractions[f]
                rank = int(position)
                low, high = lanes[rank, k], lanes[min(rank + 1, size - 1), k]
                found[start + k, f] = _between(np.float64(low), np.float64(high), position - rank)


@in_order
def row_percentiles(values, mask, period, fractions, narrow, smallest, count, found):  # type: ignore[no-untyped-def]
    """Percentiles (rows, period, fractions) of the finite elements, interpolated linearly.

    `narrow` says that the elements are integers of up to 16 bits, the least being `smallest`.
    """
    # One more: every element is put behind the kept ones first.
    scratch = np.empty(values.shape[1] // period + 1, values.dtype)
    coarse, fine = np.empty(256, np.int64), np.empty(256, np.int64)
    pair = np.empty(2)
    for r in range(values.shape[0]):
        for c in range(period):
            row = values[r, c::period]
            use = mask[r % mask.shape[0], c::period]
            n = 0
            if narrow and not mask.shape[1]:
                n = row.size
                for j in range(n):
                    scratch[j] = row[j]
            else:
                for j in range(row.size):
                    scratch[n] = row[j]
                    known = abs(np.float64(row[j])) < np.inf
                    if mask.shape[1]:
                        known = known and use[j] != 0
                    n += 1 if known else 0
            count[r, c] = n
            if n == 0:
                found[r, c, :] = np.nan
                continue
            kept = scratch[:n]
            counted = narrow and n >= _FEW
            if counted:
                coarse[:] = 0
                for j in range(n):
                    coarse[(np.int64(kept[j]) - smallest) >> 8] += 1
            last = -1
            for f in range(fractions.size):
                position = (n - 1) * fractions[f]
                first = int(position)
                for side in range(2):
                    rank = min(first + side, n - 1)
                    if not counted:
                        pair[side] = select(kept, rank)
                        continue
                    digit, within = _place(coarse, rank)
                    if digit != last:
                        fine[:] = 0
                        for j in range(n):
                            key = np.int64(kept[j]) - smallest
                            fine[key & 255] += (key >> 8) == digit
                        last = digit
                    low, within = _place(fine, within)
                    pair[side] = (digit << 8) + low + smallest
                found[r, c, f] = _between(pair[0], pair[1], position - first)
