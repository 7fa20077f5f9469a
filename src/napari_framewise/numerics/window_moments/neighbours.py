"""How far neighbouring pixels of a window go together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.window_moments.kernels import merge_comoments
from napari_framewise.numerics.window_moments.moments import (
    comoments_of,
    pair_state,
    usable,
    windowed,
)
from napari_framewise.numerics.window_moments.window import Window, check_side


def neighbour_correlation(
    frames: ArrayLike, sides: tuple[int, ...], mask: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Correlation of each pixel with its neighbours, over a window around each pixel.

    Pearson's correlation of all pairs of adjacent pixels in the window along the axes of the grid,
    each pair in both orders: the correlation of a symmetric co-occurrence matrix at distance 1
    (Haralick, Shanmugam and Dinstein 1973, *IEEE Trans. SMC* 3, 610-621). About 0 for white noise,
    towards 1 where the window holds structure wider than a pixel, negative for a chequerboard.

    Parameters
    ----------
    frames : (n, *grid)
        Any real dtype; NaN and infinite values are no data, and a pair needs two.
    sides : tuple of int
        Odd sides of the window.
    mask : (n, *grid) or (1, *grid), optional
        Non-zero = use this pixel.

    Returns
    -------
    (n, *grid) float64
        NaN where the window holds no pair, or nothing varies. Of white noise, the mean over many
        windows of m pairs lies about 1 / m below 0.

    Raises
    ------
    ValueError
        Where sides or mask do not fit the frames.

    Examples
    --------
    >>> board = np.indices((6, 6)).sum(axis=0)[None] % 2
    >>> neighbour_correlation(board, (3, 3)).round(6).max()
    np.float64(-1.0)
    """
    for side in sides:
        check_side(side)
    given = np.asarray(frames)
    state = [np.zeros((1, given.size)) for _ in range(8)]
    for axis in range(given.ndim - 1):
        if sides[axis] == 1 or given.shape[axis + 1] < 2:
            continue
        starts = tuple(-(side // 2) for side in sides)
        weights = tuple((1.0,) * (side - (number == axis)) for number, side in enumerate(sides))
        window = Window(starts, weights)
        a, count = usable(given, mask, window)
        here, there = (
            (*(slice(None),) * (axis + 1), part) for part in (slice(0, -1), slice(1, None))
        )
        b = np.zeros_like(a)
        b[here] = a[there]
        pairs = np.zeros_like(count)
        pairs[here] = count[here] * count[there]
        found = windowed(pair_state(a, b, pairs), window, merge_comoments)
        n, ma, ra, mb, rb, aa, bb, ab = (each.reshape(1, -1) for each in found)
        merge_comoments(*state, n, ma, ra, mb, rb, aa, bb, ab, 1.0, 0)
        merge_comoments(*state, n, mb, rb, ma, ra, bb, aa, ab, 1.0, 0)
    return comoments_of([each.reshape(given.shape) for each in state]).correlation()
