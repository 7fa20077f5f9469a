"""Order statistics of 256 levels in windows of any shape, by a histogram of the window."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import in_order


@in_order
def level_statistics(
    levels: Any,
    width: int,
    runs: Any,
    lower: Any,
    share: Any,
    rest: Any,
    halves: bool,
    out: Any,
) -> None:
    """Order statistics of the windows of frames of 256 levels (Huang, Yang and Tang 1979).

    Parameters
    ----------
    levels : (n, z, y, x) uint16
        The frames, 256 where there are no data; the rows may be longer than `width`.
    width, runs, lower, share, rest, halves, out
        As of `order_statistics`; out is float64.

    Examples
    --------
    >>> levels, out = np.array([[[[9, 256, 1]]]], np.uint16), np.empty((1, 1, 1, 3))
    >>> runs, lower, share = np.array([[0, 0, 1]]), np.array([0, 0, 0]), np.zeros(3)
    >>> level_statistics(levels, 3, runs, lower, share, share, False, out)
    >>> out.tolist()
    [[[[9.0, 1.0, 1.0]]]]
    """
    frames, depth, height, stride = levels.shape
    base = np.empty(runs.shape[0], np.int64)
    reach = np.empty(runs.shape[0], np.int64)
    # Apart, so that a pixel that comes need not wait for one of its level that goes.
    came = np.empty(257, np.int32)
    went = np.empty(257, np.int32)
    for frame in range(frames):
        flat = levels[frame].reshape(-1)
        for z in range(depth):
            for y in range(height):
                target = out[frame, z, y]
                used = 0
                wide = 0
                for k in range(runs.shape[0]):
                    plane, row = z + runs[k, 0], y + runs[k, 1]
                    if 0 <= plane < depth and 0 <= row < height:
                        base[used] = (plane * height + row) * stride
                        reach[used] = runs[k, 2]
                        wide = max(wide, runs[k, 2])
                        used += 1
                came[:] = 0
                went[:] = 0
                level = 0
                below: Any = 0
                count: Any = 0
                for k in range(used):
                    for x in range(min(reach[k], width)):
                        new = np.int64(flat[base[k] + x])
                        came[new] += 1
                        count += new < 256
                for x in range(width):
                    if wide < x < width - wide:
                        for k in range(used):
                            new = np.int64(flat[base[k] + x + reach[k]])
                            old = np.int64(flat[base[k] + x - 1 - reach[k]])
                            came[new] += 1
                            went[old] += 1
                            below += np.int64(new < level) - np.int64(old < level)
                            count += np.int64(new < 256) - np.int64(old < 256)
                    else:
                        for k in range(used):
                            if x + reach[k] < width:
                                new = np.int64(flat[base[k] + x + reach[k]])
                                came[new] += 1
                                below += new < level
                                count += new < 256
                            if x - 1 - reach[k] >= 0:
                                old = np.int64(flat[base[k] + x - 1 - reach[k]])
                                went[old] += 1
                                below -= old < level
                                count -= old < 256
                    if count == 0:
                        target[x] = np.nan
                        continue
                    wanted = lower[count]
                    while below > wanted:
                        level -= 1
                        below -= came[level] - went[level]
                    while below + came[level] - went[level] <= wanted:
                        below += came[level] - went[level]
                        level += 1
                    low = float(level)
                    part = share[count]
                    if part == 0:
                        target[x] = low
                        continue
                    further, before = level, below
                    while before + came[further] - went[further] <= wanted + 1:
                        before += came[further] - went[further]
                        further += 1
                    high = float(further)
                    if halves:
                        target[x] = (low + high) / 2
                    elif part < 0.5:
                        target[x] = low + (high - low) * part
                    else:
                        target[x] = high - (high - low) * rest[count]
