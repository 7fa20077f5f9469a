"""Order statistics of 256 levels in boxes, at a cost that does not grow with the box."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import in_order


@in_order
def add_row(levels: Any, use: Any, sign: int, fine: Any, coarse: Any, counts: Any) -> None:
    """Put a row's pixels into the histograms of their columns (sign 1), or take them out (-1).

    Examples
    --------
    >>> fine, coarse = np.zeros((16, 2, 16), np.int32), np.zeros((1, 2, 16), np.int32)
    >>> counts, use = np.zeros(2, np.int64), np.array([1, 0], np.uint8)
    >>> add_row(np.array([17, 3], np.uint8), use, 1, fine, coarse, counts)
    >>> int(fine[1, 0, 1]), coarse[0, 0, :3].tolist(), counts.tolist()
    (1, [0, 1, 0], [1, 0])
    """
    for x in range(levels.size):
        if use.size == 0 or use[x] != 0:
            level = np.int64(levels[x])
            fine[level >> 4, x, level & 15] += sign
            coarse[0, x, level >> 4] += sign
            counts[x] += sign


@in_order
def moved_on(here: Any, columns: Any, part: int, x: int, reach: int) -> None:
    """Sixteen counts of a box at column x - 1 as those of the box at x.

    Indexed and not cut out: a view costs more than the sixteen sums.

    Examples
    --------
    >>> here, columns = np.zeros((1, 16), np.int32), np.ones((1, 3, 16), np.int32)
    >>> moved_on(here, columns, 0, 0, 1)
    >>> int(here[0, 0])
    1
    """
    comes, goes = x + reach, x - reach - 1
    if comes < columns.shape[1] and goes >= 0:
        for i in range(16):
            here[part, i] += columns[part, comes, i] - columns[part, goes, i]
    elif comes < columns.shape[1]:
        for i in range(16):
            here[part, i] += columns[part, comes, i]
    elif goes >= 0:
        for i in range(16):
            here[part, i] -= columns[part, goes, i]


@in_order
def level_of(
    wanted: int, x: int, reach: int, fine: Any, coarse_here: Any, fine_here: Any, upto: Any
) -> Any:
    """Level of the pixel of a box that has `wanted` others in front of it.

    The fine histogram of the sixteen levels that it lies in is brought to this place from where it
    was last asked for, or made anew where that is less work.

    Examples
    --------
    >>> fine = np.zeros((16, 1, 16), np.int32)
    >>> fine[[0, 2], 0, [3, 8]] = 1
    >>> coarse = fine.sum(axis=(1, 2)).reshape(1, 16)
    >>> here, upto = np.zeros((16, 16), np.int32), np.full(16, -9)
    >>> [int(level_of(k, 0, 1, fine, coarse, here, upto)) for k in (0, 1)]
    [3, 40]
    """
    part = 0
    while wanted >= coarse_here[0, part]:
        wanted -= coarse_here[0, part]
        part += 1
    if x - upto[part] > reach:
        for i in range(16):
            fine_here[part, i] = 0
        for column in range(max(0, x - reach), min(fine.shape[1], x + reach + 1)):
            for i in range(16):
                fine_here[part, i] += fine[part, column, i]
    else:
        for place in range(upto[part] + 1, x + 1):
            moved_on(fine_here, fine, part, place, reach)
    upto[part] = x
    # All sixteen, for where a search would end can't be foretold.
    level, below = 0, 0
    for i in range(16):
        below += fine_here[part, i]
        level += below <= wanted
    return (part << 4) + level


@in_order
def box_statistics(
    levels: Any,
    use: Any,
    reaches: Any,
    lower: Any,
    share: Any,
    rest: Any,
    halves: bool,
    fine: Any,
    coarse: Any,
    here: Any,
    out: Any,
) -> None:
    """Order statistics of the boxes of frames of 256 levels (Perreault and Hebert 2007).

    A histogram for each column of the box is kept as it moves down the frame, and added and
    taken away as it moves along a row: sixteen coarse levels for each pixel, of the fine ones
    those that hold the wanted rank.

    Parameters
    ----------
    levels : (n, z, y, x) uint8
        The frames.
    use : (n or 1, z, y, x) uint8
        Pixels with data; without columns where all have.
    reaches : (3,) int64
        How far the box reaches to both sides along each axis.
    lower, share, rest, halves
        As of `order_statistics`.
    fine, coarse, here : (16, x, 16), (1, x, 16) and (17, 16) int
        Room for the histograms of the columns and of the box, of a type that counts all its pixels.
    out : (n, z, y, x) float64
        NaN where a box holds no data.

    Examples
    --------
    >>> levels, out = np.array([[[[9, 0, 1]]]], np.uint8), np.empty((1, 1, 1, 3))
    >>> use, lower, share = np.empty((1, 1, 1, 0), np.uint8), np.array([0, 0, 0, 1]), np.zeros(4)
    >>> room = [np.empty(shape, np.uint16) for shape in ((16, 3, 16), (1, 3, 16), (17, 16))]
    >>> box_statistics(levels, use, np.array([0, 0, 1]), lower, share, share, False, *room, out)
    >>> out.tolist()
    [[[[0.0, 1.0, 0.0]]]]
    """
    frames, depth, height, width = levels.shape
    deep, high, wide = reaches
    counts = np.empty(width, np.int64)
    coarse_here, fine_here = here[16:], here[:16]
    upto = np.empty(16, np.int64)
    for frame in range(frames):
        masks = use[frame % use.shape[0]]
        for z in range(depth):
            fine[:] = 0
            coarse[:] = 0
            counts[:] = 0
            planes = range(max(0, z - deep), min(depth, z + deep + 1))
            for y in range(-high, height):
                comes, goes = y + high, y - high - 1
                for plane in planes:
                    if comes < height:
                        rows = levels[frame, plane]
                        add_row(rows[comes], masks[plane, comes], 1, fine, coarse, counts)
                    if goes >= 0:
                        rows = levels[frame, plane]
                        add_row(rows[goes], masks[plane, goes], -1, fine, coarse, counts)
                if y < 0:
                    continue
                target = out[frame, z, y]
                coarse_here[:] = 0
                # So far back that each is made anew when it is first asked for.
                upto[:] = -2 * wide - 2
                count = 0
                for x in range(-wide, width):
                    moved_on(coarse_here, coarse, 0, x, wide)
                    if x + wide < width:
                        count += counts[x + wide]
                    if x - wide - 1 >= 0:
                        count -= counts[x - wide - 1]
                    if x < 0:
                        continue
                    if count == 0:
                        target[x] = np.nan
                        continue
                    wanted = lower[count]
                    low = float(level_of(wanted, x, wide, fine, coarse_here, fine_here, upto))
                    part = share[count]
                    if part == 0:
                        target[x] = low
                        continue
                    further = level_of(wanted + 1, x, wide, fine, coarse_here, fine_here, upto)
                    above = float(further)
                    if halves:
                        target[x] = (low + above) / 2
                    elif part < 0.5:
                        target[x] = low + (above - low) * part
                    else:
                        target[x] = above - (above - low) * rest[count]
