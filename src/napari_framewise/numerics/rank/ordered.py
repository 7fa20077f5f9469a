"""Order statistics of windows that slide along rows, from the ranks of all pixels of a frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import in_order

_ONE, _NONE = np.uint64(1), np.uint64(0)
# A block of ranks: 2^9, eight words of 64 bits.
_BLOCK, _WORDS = 9, 3


@in_order
def bits_in(word: Any) -> Any:
    """Number of bits that are set.

    Examples
    --------
    >>> int(bits_in(np.uint64(0b1011)))
    3
    """
    count = 0
    while word != _NONE:
        word &= word - _ONE
        count += 1
    return count


@in_order
def rank_in_block(present: Any, block: int, number: int) -> Any:
    """Rank of the element that has `number` others in front of it in its block.

    Examples
    --------
    >>> int(rank_in_block(np.array([0, 0b1100, 0, 0, 0, 0, 0, 0], np.uint64), 0, 1))
    67
    """
    word = block << _WORDS
    here = bits_in(present[word])
    while number >= here:
        number -= here
        word += 1
        here = bits_in(present[word])
    left = present[word]
    for _ in range(number):
        left &= left - _ONE
    return (word << 6) + bits_in((left & (~left + _ONE)) - _ONE)


@in_order
def order_statistics(
    ranks: Any,
    width: int,
    ordered: Any,
    known: Any,
    runs: Any,
    lower: Any,
    share: Any,
    rest: Any,
    halves: bool,
    out: Any,
) -> None:
    """Order statistics of the windows of frames, interpolated between two ranks.

    The ranks in the window are the bits that are set in a table, counted by blocks; a window that
    moves on by a pixel sets and clears one bit for each of its runs, and the block that holds the
    wanted rank is found from the last one's.

    Parameters
    ----------
    ranks : (n, z, y, x) int32
        Rank of every pixel in its frame, those without data behind all others; the rows may be
        longer than `width`.
    width : int
        Pixels of a row.
    ordered : (n, pixels) float
        Values by rank.
    known : (n,) int64
        Pixels with data.
    runs : (runs, 3) int64
        The window.
    lower : (most + 1,) int64
        For each number of pixels with data in the window, the rank that is taken.
    share, rest : (most + 1,) float
        How far on towards the next rank, and what is left to it.
    halves : bool
        Two ranks are averaged instead.
    out : (n, z, y, x) float
        NaN where a window holds no data.

    Examples
    --------
    >>> ranks = np.array([[[[2, 0, 1]]]], np.int32)
    >>> ordered, known, out = np.array([[1.0, 2.0, 9.0]]), np.array([3]), np.empty((1, 1, 1, 3))
    >>> runs, lower, share = np.array([[0, 0, 1]]), np.array([0, 0, 0, 1]), np.zeros(4)
    >>> order_statistics(ranks, 3, ordered, known, runs, lower, share, share, False, out)
    >>> out.tolist()
    [[[[1.0, 2.0, 1.0]]]]
    """
    frames, depth, height, stride = ranks.shape
    blocks = (ordered.shape[1] >> _BLOCK) + 2
    present = np.zeros(blocks << _WORDS, np.uint64)
    counts = np.zeros(blocks, np.int32)
    base = np.empty(runs.shape[0], np.int64)
    reach = np.empty(runs.shape[0], np.int64)
    for frame in range(frames):
        flat = ranks[frame].reshape(-1)
        values = ordered[frame]
        end = known[frame]
        for z in range(depth):
            for y in range(height):
                target = out[frame, z, y]
                used = 0
                for k in range(runs.shape[0]):
                    plane, row = z + runs[k, 0], y + runs[k, 1]
                    if 0 <= plane < depth and 0 <= row < height:
                        base[used] = (plane * height + row) * stride
                        reach[used] = runs[k, 2]
                        used += 1
                present[:] = _NONE
                counts[:] = 0
                block = 0
                below: Any = 0
                count: Any = 0
                for k in range(used):
                    for x in range(min(reach[k], width)):
                        rank = np.int64(flat[base[k] + x])
                        present[rank >> 6] |= _ONE << np.uint64(rank & 63)
                        counts[rank >> _BLOCK] += 1
                        count += rank < end
                for x in range(width):
                    first = block << _BLOCK
                    for k in range(used):
                        comes, goes = x + reach[k], x - 1 - reach[k]
                        if comes < width:
                            rank = np.int64(flat[base[k] + comes])
                            present[rank >> 6] |= _ONE << np.uint64(rank & 63)
                            counts[rank >> _BLOCK] += 1
                            below += rank < first
                            count += rank < end
                        if goes >= 0:
                            rank = np.int64(flat[base[k] + goes])
                            present[rank >> 6] ^= _ONE << np.uint64(rank & 63)
                            counts[rank >> _BLOCK] -= 1
                            below -= rank < first
                            count -= rank < end
                    if count == 0:
                        target[x] = np.nan
                        continue
                    wanted = lower[count]
                    while below > wanted:
                        block -= 1
                        below -= counts[block]
                    while below + counts[block] <= wanted:
                        below += counts[block]
                        block += 1
                    low = values[rank_in_block(present, block, wanted - below)]
                    part = share[count]
                    if part == 0:
                        target[x] = low
                        continue
                    further, before = block, below
                    while before + counts[further] <= wanted + 1:
                        before += counts[further]
                        further += 1
                    high = values[rank_in_block(present, further, wanted + 1 - before)]
                    if halves:
                        target[x] = (low + high) / 2
                    elif part < 0.5:
                        target[x] = low + (high - low) * part
                    else:
                        target[x] = high - (high - low) * rest[count]
