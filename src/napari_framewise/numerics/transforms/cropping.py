"""What all frames show after they were moved."""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

FloatArray: TypeAlias = NDArray[np.float64]
_PROGRAMS = 6


def shown_by_all(
    matrices: ArrayLike, shape: tuple[int, ...], target: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """A box of the target that every frame covers: (start, stop) along each axis.

    Frames are convex, so that a box lies in one where its corners do, which is linear in its sides:
    a few linear programs lead to the largest area.

    Parameters
    ----------
    matrices : (n, d + 1, d + 1)
        From pixels of the target to those of the frames; those with NaN are left out.
    shape, target : tuple of int
        Of the frames, and of the target.

    Returns
    -------
    tuple of (int, int)
        Empty (start = stop) along all axes where no pixel is shown by all.

    Examples
    --------
    >>> shifts = np.tile(np.eye(3), (2, 1, 1))
    >>> shifts[0, 0, 2], shifts[1, 1, 2] = 2.0, -3.5
    >>> shown_by_all(shifts, (20, 30), (20, 30))
    ((0, 18), (4, 30))
    """
    given = np.asarray(matrices, float)
    known = given[np.isfinite(given).all(axis=(1, 2))]
    d = len(target)
    if not len(known):
        return ((0, 0),) * d
    limits = _corner_limits(known, np.array(shape, float) - 1)
    sizes = np.array(target, float)
    bounds = [(0.0, length - 1) for length in sizes] * 2
    sides = np.concatenate([np.zeros(d), np.full(d, -1.0)])
    lengths = sizes
    for number in range(_PROGRAMS):
        weights = np.concatenate([1 / lengths, -1 / lengths])
        found = linprog(weights, limits[:, :-1], -limits[:, -1], bounds=bounds)
        if not found.success:
            break
        best = np.asarray(found.x, np.float64)
        if (best[d:] < best[:d]).any():
            break
        # Half way between two corners of what is allowed the area is larger than at either.
        sides = best if number == 0 else _larger(sides, best)
        lengths = sides[d:] - sides[:d] + 1
    sides = np.concatenate([np.ceil(sides[:d] - 1e-6), np.floor(sides[d:] + 1e-6)])
    # Whole pixels, to the last digit: a border that is missed by less than rounding is no data.
    while (sides[d:] >= sides[:d]).all():
        out = limits[:, :-1] @ sides + limits[:, -1]
        if out.max() <= 0:
            break
        side = int(np.abs(limits[int(out.argmax()), :-1]).argmax())
        sides[side] += 1.0 if side < d else -1.0
    if (sides[d:] < sides[:d]).any():
        return ((0, 0),) * d
    return tuple((int(sides[axis]), int(sides[d + axis]) + 1) for axis in range(d))


def _corner_limits(matrices: FloatArray, last: FloatArray) -> FloatArray:
    """Rows (a, b) with ``a (low, high) + b <= 0`` where all corners lie in all frames."""
    d = len(last)
    rows = []
    for corner in product((0, 1), repeat=d):
        for axis in range(d):
            # Beyond the first pixel, and beyond the last; a homography's weight is linear, too.
            for kept in (-matrices[:, axis], matrices[:, axis] - last[axis] * matrices[:, d]):
                row = np.zeros((len(matrices), 2 * d + 1))
                for other, end in enumerate(corner):
                    row[:, other + d * end] = kept[:, other]
                row[:, -1] = kept[:, d]
                rows.append(row)
    return np.concatenate(rows)


def _larger(first: FloatArray, second: FloatArray) -> FloatArray:
    """Of the boxes between two the one of largest area."""
    d = len(first) // 2
    between = [first + share * (second - first) for share in np.linspace(0, 1, 9)]
    return max(between, key=lambda each: float(np.prod(each[d:] - each[:d] + 1)))
