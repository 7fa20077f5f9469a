"""What all frames show after they were moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def shown_by_all(
    matrices: ArrayLike, shape: tuple[int, ...], target: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """A box of the target that every frame covers: (start, stop) along each axis.

    It is shrunk from the whole target, at the side that sticks out most. Frames are convex, so that
    a box lies in one where its corners do.

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
    low, high = np.zeros(d), np.array(target, float) - 1
    last = np.array(shape, float) - 1
    while len(known) and (high >= low).all():
        ends = np.stack(np.meshgrid(*np.stack([low, high], 1), indexing="ij"), -1).reshape(-1, d)
        places = np.einsum("nij,cj->nci", known[:, :d, :d], ends) + known[:, None, :d, d]
        weight = np.einsum("nj,cj->nc", known[:, d, :d], ends) + known[:, d, d, None]
        places = places / np.where(weight > 0, weight, np.nan)[..., None]
        # A point past a homography's horizon is shown by no frame.
        out = np.nan_to_num(np.maximum(-places, places - last), nan=1.0).max(axis=(0, 2))
        if out.max() <= 1e-6:
            break
        # How far the worst corner on each side sticks out: the side with most gives way.
        at_low = [out[ends[:, axis] == low[axis]].max() for axis in range(d)]
        at_high = [out[ends[:, axis] == high[axis]].max() for axis in range(d)]
        both_low = [out[ends[:, axis] == low[axis]].min() for axis in range(d)]
        both_high = [out[ends[:, axis] == high[axis]].min() for axis in range(d)]
        best, worst = np.array([*both_low, *both_high]), np.array([*at_low, *at_high])
        # A side both of whose corners are out comes first.
        side = int(np.lexsort((worst, best))[-1])
        step = max(1.0, np.floor(worst[side] / 2))
        if side < d:
            low[side] += step
        else:
            high[side - d] -= step
    if not len(known) or (high < low).any():
        return ((0, 0),) * d
    return tuple((int(one), int(two) + 1) for one, two in zip(low, high, strict=True))
