"""Compiled sums over rows of elements: moments of every row and channel in one reading.

Loops run by index over slices: they vectorise, loops over the elements themselves do not.
"""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.compiling import in_order

# Elements that are summed before partial sums are merged: within the fastest cache.
_CHUNK = 4096
# Elements of up to 16 bits whose sum, and of up to 8 bits whose squares' sum, fit into 32 bits.
_LANE_PIECES = 32768


@in_order
def integer_sums(values, mask, count, total, squares, low, high):  # type: ignore[no-untyped-def]
    """Exact sums of integers of up to 16 bits, row by row; `low` and `high` hold the type's range.

    A mask without columns is no mask.
    """
    for r in range(values.shape[0]):
        row = values[r]
        n, s, q = np.int64(row.size), np.int64(0), np.int64(0)
        least, most = high[r, 0], low[r, 0]
        if mask.shape[1]:
            use = mask[r % mask.shape[0]]
            n = np.int64(0)
            for j in range(row.size):
                w, m = np.int64(row[j]), np.int64(use[j])
                n += m
                s += m * w
                q += m * w * w
                least = min(least, row[j]) if m else least
                most = max(most, row[j]) if m else most
        else:
            for j in range(row.size):
                v = np.int32(row[j])
                s += v
                q += np.int64(np.uint32(v * v))
                least = min(least, row[j])
                most = max(most, row[j])
        count[r, 0], total[r, 0], squares[r, 0] = n, s, q
        low[r, 0], high[r, 0] = least, most


@in_order
def integer_lane_sums(values, mask, sums, powers, count, total, squares, low, high):  # type: ignore[no-untyped-def]
    """The same of rows in which channels alternate.

    As many elements as `sums` and `powers` are long, whole pixels, are added at once, so that any
    number of channels vectorises; a channel's sums are put together before they could overflow.
    """
    period, width = count.shape[1], sums.size
    used = np.empty(width, np.int32)
    least, most = np.empty(width, values.dtype), np.empty(width, values.dtype)
    count[:], total[:], squares[:] = 0, 0, 0
    for r in range(values.shape[0]):
        least[:], most[:] = high[r, 0], low[r, 0]
        for first in range(0, values.shape[1], width * _LANE_PIECES):
            last = min(first + width * _LANE_PIECES, values.shape[1])
            sums[:], powers[:], used[:] = 0, 0, 0
            for start in range(first, last, width):
                piece = values[r, start : min(start + width, last)]
                if mask.shape[1]:
                    use = mask[r % mask.shape[0], start : min(start + width, last)]
                    for j in range(piece.size):
                        v, m = np.int32(piece[j]), np.int32(use[j])
                        used[j] += m
                        sums[j] += m * v
                        powers[j] += np.int64(m) * np.uint32(v * v)
                        least[j] = min(least[j], piece[j]) if m else least[j]
                        most[j] = max(most[j], piece[j]) if m else most[j]
                else:
                    for j in range(piece.size):
                        v = np.int32(piece[j])
                        sums[j] += v
                        powers[j] += np.uint32(v * v)
                        least[j] = min(least[j], piece[j])
                        most[j] = max(most[j], piece[j])
            for c in range(period):
                for j in range(c, width, period):
                    total[r, c] += sums[j]
                    squares[r, c] += powers[j]
                    count[r, c] += used[j]
        for c in range(period):
            if not mask.shape[1]:
                count[r, c] = values.shape[1] // period
            low[r, c], high[r, c] = least[c::period].min(), most[c::period].max()


@in_order
def real_moments(values, mask, width, count, mean, rest, scatter, low, high):  # type: ignore[no-untyped-def]
    """Mean and sum of squared deviations of the finite elements, row by row, by Chan's update.

    `width` elements, whole pixels, are added at once. Means are kept as differences from the first
    piece's, so that none of their digits are lost where they are large; `rest` takes what rounding
    the mean itself leaves over.
    """
    period = count.shape[1]
    n, s, q = np.empty(width), np.empty(width), np.empty(width)
    middle, least, most = np.empty(width), np.empty(width), np.empty(width)
    pivot = np.empty(period)
    span = max(1, _CHUNK // width) * width
    for r in range(values.shape[0]):
        least[:], most[:] = np.inf, -np.inf
        count[r], mean[r], scatter[r] = 0, 0.0, 0.0
        for first in range(0, values.shape[1], span):
            last = min(first + span, values.shape[1])
            n[:], s[:] = 0.0, 0.0
            for start in range(first, last, width):
                piece = values[r, start : min(start + width, last)]
                use = mask[r % mask.shape[0], start : min(start + width, last)]
                for j in range(piece.size):
                    v = np.float64(piece[j])
                    known = abs(v) < np.inf
                    if mask.shape[1]:
                        known = known and use[j] != 0
                    n[j] += 1.0 if known else 0.0
                    s[j] += v if known else 0.0
                    least[j] = v if known and v < least[j] else least[j]
                    most[j] = v if known and v > most[j] else most[j]
            for c in range(period):
                middle[c::period] = s[c::period].sum() / max(1.0, n[c::period].sum())
            s[:], q[:] = 0.0, 0.0
            for start in range(first, last, width):
                piece = values[r, start : min(start + width, last)]
                use = mask[r % mask.shape[0], start : min(start + width, last)]
                for j in range(piece.size):
                    v = np.float64(piece[j])
                    known = abs(v) < np.inf
                    if mask.shape[1]:
                        known = known and use[j] != 0
                    d = v - middle[j] if known else 0.0
                    s[j] += d
                    q[j] += d * d
            for c in range(period):
                here = n[c::period].sum()
                if here == 0.0:
                    continue
                left = s[c::period].sum()
                if count[r, c] == 0:
                    pivot[c] = middle[c]
                step = (middle[c] - pivot[c]) + left / here - mean[r, c]
                both = count[r, c] + here
                scatter[r, c] += q[c::period].sum() - left * left / here
                scatter[r, c] += step * step * (count[r, c] * here / both)
                mean[r, c] += step * (here / both)
                count[r, c] += np.int64(here)
        for c in range(period):
            if count[r, c]:
                whole = pivot[c] + mean[r, c]
                rest[r, c] = (pivot[c] - whole) + mean[r, c]
                mean[r, c] = whole
            low[r, c], high[r, c] = least[c::period].min(), most[c::period].max()


@in_order
def cross_sums(pixels, mask, centre, count, sums, cross):  # type: ignore[no-untyped-def]
    """Sums and sums of products of channels about `centre`, over pixels with all channels.

    Exact where `centre` holds integers. `pixels` (n, pixels, channels) and `mask` likewise.
    """
    channels = pixels.shape[2]
    d = np.empty(channels, cross.dtype)
    for i in range(pixels.shape[0]):
        count[i], sums[i], cross[i] = 0, 0, 0
        for p in range(pixels.shape[1]):
            complete = True
            for a in range(channels):
                d[a] = pixels[i, p, a] - centre[i, a]
                complete = complete and bool(abs(np.float64(d[a])) < np.inf)
                if mask.shape[1]:
                    complete = complete and bool(mask[i % mask.shape[0], p, a] != 0)
            if complete:
                count[i] += 1
                for a in range(channels):
                    sums[i, a] += d[a]
                    for b in range(a + 1):
                        cross[i, a, b] += d[a] * d[b]


@in_order
def count_digits(bits, mask, period, kind, shift, prefixes, lengths, counts):  # type: ignore[no-untyped-def]
    """Count a digit of the ordered keys of elements whose leading part is one of `prefixes`.

    `kind` is 0 for unsigned and 1 for signed integers, 2 for floats, whose bits come as unsigned.
    """
    channels, size = counts.shape[0], np.uint64(counts.shape[2] - 1)
    width = np.uint64(0)
    while (size >> width) != 0:
        width += np.uint64(1)
    wide = np.uint64(8 * bits.itemsize - 1)
    top = np.uint64(1) << wide
    everything = top | (top - np.uint64(1))
    # Exponent bits of a float32 or float64: all set in NaN and infinities.
    special = np.uint64(0x7F800000) if bits.itemsize == 4 else np.uint64(0x7FF0000000000000)
    for r in range(bits.shape[0]):
        for c in range(period):
            channel = (r % (channels // period)) * period + c
            row = bits[r, c::period]
            use = mask[r % mask.shape[0], c::period]
            table, known = counts[channel], prefixes[channel, : lengths[channel]]
            for j in range(row.size):
                if mask.shape[1] and use[j] == 0:
                    continue
                key = np.uint64(row[j])
                if kind == 1:
                    key ^= top
                elif kind == 2:
                    if key & special == special:
                        continue
                    key ^= everything if key & top else top
                leading = (key >> shift) >> width
                for p in range(known.size):
                    if leading == known[p]:
                        table[p, (key >> shift) & size] += 1


@in_order
def count_bins(values, mask, period, first, last, scale, counts):  # type: ignore[no-untyped-def]
    """Count finite elements in evenly spaced bins."""
    channels, bins = counts.shape
    for r in range(values.shape[0]):
        for c in range(period):
            channel = (r % (channels // period)) * period + c
            row = values[r, c::period]
            use = mask[r % mask.shape[0], c::period]
            for j in range(row.size):
                v = np.float64(row[j])
                if mask.shape[1] and use[j] == 0:
                    continue
                if v >= first and v <= last:
                    # What is an edge but for rounding is one.
                    at = np.int64((v - first) * scale + 1e-9)
                    counts[channel, min(at, bins - 1)] += 1
