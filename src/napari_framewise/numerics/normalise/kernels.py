"""Compiled levels of every row: extremes, and exact percentiles by counting or by selection."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.compiling import in_order

# Below that many elements selection beats clearing and summing 512 counters.
_FEW = 512


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
def select(values, rank):  # type: ignore[no-untyped-def]
    """The element of a rank, by Hoare's partition; smaller ones end up in front of it."""
    left, right = 0, values.size - 1
    while left < right:
        a, b, c = values[left], values[(left + right) // 2], values[right]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = left, right
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            right = j
        elif rank >= i:
            left = i
        else:
            break
    return values[rank]


@in_order
def _place(counts, rank):  # type: ignore[no-untyped-def]
    """The bin that holds a rank, and the rank within it."""
    digit = 0
    while rank >= counts[digit]:
        rank -= counts[digit]
        digit += 1
    return digit, rank


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
                part, step = position - first, pair[1] - pair[0]
                found[r, c, f] = (
                    pair[0] + step * part if part < 0.5 else pair[1] - step * (1.0 - part)
                )
