"""Which pixels a window holds: a box or a disc, as runs along the last axis."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.window_moments import check_side

Shape: TypeAlias = Literal["box", "disc"]


def runs_of(
    sides: Sequence[int], shape: Shape = "box", within: Sequence[int] | None = None
) -> NDArray[np.int64]:
    """The runs of pixels that a window is made of.

    Parameters
    ----------
    sides : sequence of int
        Odd sides in pixels, of two axes (y, x) or three (z, y, x).
    shape : {"box", "disc"}
        A disc holds the pixels whose distance from the middle is at most ``(side - 1) / 2``; with
        three axes it is a ball, with sides that differ an ellipse.
    within : sequence of int, optional
        Lengths of the axes of a frame: what reaches farther from every pixel is left out.

    Returns
    -------
    (runs, 3) int64
        For each run its plane and row, counted from the pixel, and how far it reaches to both
        sides of it along the last axis.

    Raises
    ------
    ValueError
        Where a side has no middle pixel.

    Examples
    --------
    >>> runs_of((3, 3)).tolist(), runs_of((3, 3), "disc").tolist()
    ([[0, -1, 1], [0, 0, 1], [0, 1, 1]], [[0, -1, 0], [0, 0, 1], [0, 1, 0]])
    """
    for side in sides:
        check_side(side)
    missing = 3 - len(sides)
    *across, last = [0] * missing + [side // 2 for side in sides]
    grid = [1] * missing + list(within or sides)
    ends = [min(reach, length - 1) for reach, length in zip(across, grid, strict=False)]
    runs = []
    for place in product(*(range(-end, end + 1) for end in ends)):
        left = 1.0
        if shape == "disc":
            left -= sum((p / reach) ** 2 for p, reach in zip(place, across, strict=True) if reach)
        if left >= -1e-12:
            reach = last if shape == "box" else int(last * max(left, 0.0) ** 0.5 + 1e-9)
            runs.append((*place, min(reach, grid[2] - 1 if within else reach)))
    return np.array(runs, np.int64)
