"""Small bounded least squares: the nearest point that keeps to linear bounds.

After the pass over a frame's pixels, what is left is a system of a few unknowns: minimise
``|t - q| ** 2`` (in coordinates where the Gram matrix is the identity) with ``rows t >= limits``.
It is solved exactly by the dual active-set method of Goldfarb & Idnani (1983, Mathematical
Programming 27, 1-33): from the unbounded solution, one violated bound after the other is made
active, and those whose multiplier would turn negative are let go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics._jit import compiled

FloatArray = NDArray[np.float64]


def _project(start, rows, limits, point, active, status):  # type: ignore[no-untyped-def]
    n, size = start.shape
    count = rows.shape[1]
    per_frame = len(rows) > 1
    members = np.empty(size, np.int64)
    multipliers = np.empty(size + 1)
    # orthonormal basis of the active rows, and the coordinates of those rows in it
    span = np.empty((size, size))
    factor = np.empty((size, size))
    share = np.empty(size)
    direction = np.empty(size)
    norms = np.empty(count)
    for i in range(n):
        c = rows[i if per_frame else 0]
        if i == 0 or per_frame:
            for p in range(count):
                total = 0.0
                for k in range(size):
                    total += c[p, k] * c[p, k]
                norms[p] = np.sqrt(total)
        u = point[i]
        length = 0.0
        for k in range(size):
            u[k] = start[i, k]
            length += u[k] * u[k]
        length = np.sqrt(length)
        for p in range(count):
            active[i, p] = False
        status[i] = 0
        used = 0
        steps = 0
        while True:
            worst = -1
            deepest = 0.0
            for p in range(count):
                slack = -limits[p]
                for k in range(size):
                    slack += c[p, k] * u[k]
                slack /= norms[p]
                depth = -1e-13 * (length + abs(limits[p]) / norms[p])
                if slack < deepest and slack < depth and not active[i, p]:
                    deepest = slack
                    worst = p
            if worst < 0:
                break
            multipliers[used] = 0.0
            done = False
            while not done:
                steps += 1
                if steps > 20 * (size + count):
                    status[i] = 1
                    break
                # two passes of Gram-Schmidt are enough (Kahan; Parlett 1980, 6.9)
                norm0 = norms[worst]
                for k in range(size):
                    direction[k] = c[worst, k]
                for a in range(used):
                    share[a] = 0.0
                for _ in range(2):
                    for a in range(used):
                        dot = 0.0
                        for k in range(size):
                            dot += span[a, k] * direction[k]
                        share[a] += dot
                        for k in range(size):
                            direction[k] -= dot * span[a, k]
                norm = 0.0
                for k in range(size):
                    norm += direction[k] * direction[k]
                norm = np.sqrt(norm)
                # how the multipliers of the active rows change: factor r = share
                for a in range(used - 1, -1, -1):
                    for b in range(a + 1, used):
                        share[a] -= factor[a, b] * share[b]
                    share[a] /= factor[a, a]
                step = np.inf
                leaving = -1
                for a in range(used):
                    if share[a] > 0.0 and multipliers[a] < step * share[a]:
                        step = multipliers[a] / share[a]
                        leaving = a
                independent = used < size and norm > 1e-11 * norm0
                if independent:
                    slack = -limits[worst]
                    for k in range(size):
                        slack += c[worst, k] * u[k]
                    full = -slack / (norm * norm)
                    if full <= step:
                        step = full
                        leaving = -1
                elif leaving < 0:
                    status[i] = 2
                    break
                if independent:
                    for k in range(size):
                        u[k] += step * direction[k]
                for a in range(used):
                    multipliers[a] -= step * share[a]
                multipliers[used] += step
                if leaving < 0:
                    members[used] = worst
                    active[i, worst] = True
                    used += 1
                    done = True
                else:
                    active[i, members[leaving]] = False
                    for a in range(leaving, used - 1):
                        members[a] = members[a + 1]
                        multipliers[a] = multipliers[a + 1]
                    multipliers[used - 1] = multipliers[used]
                    used -= 1
                for a in range(used):
                    for k in range(size):
                        span[a, k] = c[members[a], k]
                    for b in range(a):
                        factor[b, a] = 0.0
                    for _ in range(2):
                        for b in range(a):
                            dot = 0.0
                            for k in range(size):
                                dot += span[b, k] * span[a, k]
                            factor[b, a] += dot
                            for k in range(size):
                                span[a, k] -= dot * span[b, k]
                    total = 0.0
                    for k in range(size):
                        total += span[a, k] * span[a, k]
                    total = np.sqrt(total)
                    factor[a, a] = total
                    for k in range(size):
                        span[a, k] /= total
            if status[i] != 0:
                break


def _free(rows, active, projector):  # type: ignore[no-untyped-def]
    n, count = active.shape
    size = rows.shape[2]
    per_frame = len(rows) > 1
    span = np.empty((size, size))
    for i in range(n):
        c = rows[i if per_frame else 0]
        used = 0
        for p in range(count):
            if active[i, p] and used < size:
                for k in range(size):
                    span[used, k] = c[p, k]
                for _ in range(2):
                    for b in range(used):
                        dot = 0.0
                        for k in range(size):
                            dot += span[b, k] * span[used, k]
                        for k in range(size):
                            span[used, k] -= dot * span[b, k]
                total = 0.0
                for k in range(size):
                    total += span[used, k] * span[used, k]
                total = np.sqrt(total)
                for k in range(size):
                    span[used, k] /= total
                used += 1
        for k in range(size):
            for m in range(size):
                value = 1.0 if k == m else 0.0
                for a in range(used):
                    value -= span[a, k] * span[a, m]
                projector[i, k, m] = value


def project(
    start: FloatArray, rows: FloatArray, limits: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.uint8]]:
    """Project points onto the polyhedron ``rows t >= limits``.

    Parameters
    ----------
    start : (n, size) float64
        The unbounded solutions, finite.
    rows : (1, count, size) or (n, count, size) float64
        Normals of the bounds, for all points alike or for each; of any length but zero.
    limits : (count,) float64
        Their limits.

    Returns
    -------
    point : (n, size) float64
        The nearest points that keep to the bounds.
    active : (n, count) bool
        The bounds that hold them.
    status : (n,) uint8
        0 solved, 1 too many steps, 2 no point keeps to all bounds.
    """
    n, size = start.shape
    point = np.empty((n, size))
    active = np.empty((n, len(limits)), np.bool_)
    status = np.empty(n, np.uint8)
    kernel = compiled(
        _project,
        *("float64/2", "float64/3", "float64/1"),
        *("=float64/2", "=bool/2", "=uint8/1"),
    )
    start, rows = np.ascontiguousarray(start), np.ascontiguousarray(rows)
    kernel(start, rows, limits, point, active, status)
    return point, active, status


def free_directions(rows: FloatArray, active: NDArray[np.bool_]) -> FloatArray:
    """Orthogonal projectors onto the directions that the active bounds leave free.

    Parameters
    ----------
    rows : (1, count, size) or (n, count, size) float64
        Normals of the bounds.
    active : (n, count) bool
        Those that hold, linearly independent.

    Returns
    -------
    (n, size, size) float64
    """
    projector = np.empty((len(active), rows.shape[2], rows.shape[2]))
    kernel = compiled(_free, "float64/3", "bool/2", "=float64/3")
    kernel(np.ascontiguousarray(rows), np.ascontiguousarray(active), projector)
    return projector
