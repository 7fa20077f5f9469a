"""The dual active-set method of `constrained`, for kernels."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.compiling import part, reordered


@part
@reordered
def perpendicular(span, used, direction, share):  # type: ignore[no-untyped-def]
    """Take the first `used` rows of `span` out of `direction`; their parts go into `share`."""
    size = len(direction)
    for a in range(used):
        share[a] = 0.0
    # two passes of Gram-Schmidt are enough (Parlett, 1980, The Symmetric Eigenvalue Problem, 6.9)
    for _ in range(2):
        for a in range(used):
            dot = 0.0
            for k in range(size):
                dot += span[a, k] * direction[k]
            share[a] += dot
            for k in range(size):
                direction[k] -= dot * span[a, k]
    total = 0.0
    for k in range(size):
        total += direction[k] * direction[k]
    return np.sqrt(total)


@part
@reordered
def _worst(rows, limits, u, active):  # type: ignore[no-untyped-def]
    """Return the bound that is violated by the largest distance, -1 if none is."""
    size = len(u)
    length = 0.0
    for k in range(size):
        length += abs(u[k])
    worst = -1
    deepest = 0.0
    for p in range(len(limits)):
        depth = -limits[p]
        for k in range(size):
            depth += rows[p, k] * u[k]
        if depth < deepest and depth < -1e-13 * (length + abs(limits[p])) and not active[p]:
            deepest = depth
            worst = p
    return worst


@part
@reordered
def nearest(  # type: ignore[no-untyped-def]
    rows, limits, u, active, members, span, factor, multipliers, share, direction
):
    """Move u to the nearest point with ``rows u >= limits``; return status and active number.

    The rows are of unit length.

    Of the scratch arrays, `span` (J, J) is left with an orthonormal basis of the active rows.
    """
    size = len(u)
    for p in range(len(limits)):
        active[p] = False
    used = 0
    steps = 0
    while True:
        worst = _worst(rows, limits, u, active)
        if worst < 0:
            return 0, used
        multipliers[used] = 0.0
        entered = False
        while not entered:
            steps += 1
            if steps > 20 * (size + len(limits)):
                return 1, used
            for k in range(size):
                direction[k] = rows[worst, k]
            norm = perpendicular(span, used, direction, share)
            # the active multipliers change by r, factor r = share
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
            independent = used < size and norm > 1e-11
            if independent:
                slack = -limits[worst]
                for k in range(size):
                    slack += rows[worst, k] * u[k]
                full = -slack / (norm * norm)
                if full <= step:
                    step = full
                    leaving = -1
                for k in range(size):
                    u[k] += step * direction[k]
            elif leaving < 0:
                return 2, used
            for a in range(used):
                multipliers[a] -= step * share[a]
            multipliers[used] += step
            if leaving < 0:
                first = used
                members[used] = worst
                active[worst] = True
                used += 1
                entered = True
            else:
                first = leaving
                active[members[leaving]] = False
                for a in range(leaving, used - 1):
                    members[a] = members[a + 1]
                    multipliers[a] = multipliers[a + 1]
                multipliers[used - 1] = multipliers[used]
                used -= 1
            for a in range(first, used):
                for k in range(size):
                    direction[k] = rows[members[a], k]
                norm = perpendicular(span, a, direction, share)
                for b in range(a):
                    factor[b, a] = share[b]
                factor[a, a] = norm
                for k in range(size):
                    span[a, k] = direction[k] / norm


@part
@reordered
def to_unit_length(rows, limits, unit, reach):  # type: ignore[no-untyped-def]
    """Write bounds whose rows are of unit length."""
    for p in range(len(rows)):
        total = 0.0
        for k in range(rows.shape[1]):
            total += rows[p, k] * rows[p, k]
        norm = np.sqrt(total)
        reach[p] = limits[p] / norm
        for k in range(rows.shape[1]):
            unit[p, k] = rows[p, k] / norm


def project(start, rows, limits, point, active, status):  # type: ignore[no-untyped-def]
    """See `constrained.project`."""
    n, size = start.shape
    count = rows.shape[1]
    members = np.empty(size, np.int64)
    multipliers = np.empty(size + 1)
    span = np.empty((size, size))
    factor = np.empty((size, size))
    share = np.empty(size)
    direction = np.empty(size)
    unit = np.empty((count, size))
    reach = np.empty(count)
    for i in range(n):
        if i == 0 or len(rows) > 1:
            to_unit_length(rows[i], limits, unit, reach)
        u = point[i]
        for k in range(size):
            u[k] = start[i, k]
        status[i], _ = nearest(
            unit, reach, u, active[i], members, span, factor, multipliers, share, direction
        )
