"""Loops over a tile of pixels for a single unknown, such as two references that sum to one.

All that is asked of a tile is summed in one loop, which writes nothing: see `own_pixels` for what
the sums are.
"""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.compiling import part, reordered
from napari_framewise.numerics.mixing.consistent import BLIND_LEVERAGE, FLOOR

LARGEST = float(np.finfo(np.float64).max)


@part
@reordered
def first_of_one(raw, c, s, m, root, weight, q):  # type: ignore[no-untyped-def]
    """`own_pixels.first_sums` of a tile for a single unknown, in one loop."""
    gradient = level = square = gram = heavy = known = 0.0
    for j in range(len(c)):
        x = (raw[j] - c[j]) * s[j]
        good = abs(x) <= LARGEST
        x = x if good else 0.0
        y = x + m[j] if good else 0.0
        gradient += q[j] * x
        level += root[j] * y
        square += y * y
        gram += q[j] * q[j] if good else 0.0
        heavy += weight[j] if good else 0.0
        known += 1.0 if good else 0.0
    return gradient, level, square, gram, heavy, known


@part
@reordered
def square_of_one(raw, c, s, q, t):  # type: ignore[no-untyped-def]
    """Sum of squares, for one unknown."""
    rss = 0.0
    for j in range(len(c)):
        e = (raw[j] - c[j]) * s[j] - t * q[j]
        e *= e
        rss += e if e <= LARGEST else 0.0
    return rss


@part
@reordered
def limited_of_one(raw, c, s, q, t, most):  # type: ignore[no-untyped-def]
    """Sums of squares, of those up to the limit's, and of what is within, for one unknown."""
    rss = clipped = within = inside = 0.0
    for j in range(len(c)):
        e = (raw[j] - c[j]) * s[j] - t * q[j]
        e *= e
        # a product, not conditions: loops with several alike do not become vectors
        near = 1.0 if e <= most else 0.0
        within += near
        inside += q[j] * q[j] * near
        e = e if e <= LARGEST else 0.0
        rss += e
        clipped += min(e, most)
    return rss, clipped, within, inside


@part
@reordered
def consistent_of_one(raw, c, s, q, t, most, inverse, squared):  # type: ignore[no-untyped-def]
    """Sums of squares, meat, and the four for degrees of freedom, for one unknown."""
    rss = meat = seen = trace = alone = packed = 0.0
    for j in range(len(c)):
        e = (raw[j] - c[j]) * s[j] - t * q[j]
        e *= e
        good = e <= LARGEST
        p = q[j] * q[j]
        h = inverse * p
        left = 1.0 - h
        left = left if left > FLOOR else FLOOR
        # not "/", which looks for zeros: such a loop does not become vectors
        w = np.divide(p, left)
        w = np.divide(w, left) if squared else w
        rss += e if good else 0.0
        meat += w * (most if e > most else e) if good else 0.0
        shown = good and h <= BLIND_LEVERAGE
        w = w if shown else 0.0
        seen += p if shown else 0.0
        trace += w * (1.0 - h)
        alone += w * w * (1.0 - 2.0 * h)
        packed += w * p
    return rss, meat, seen, trace, alone, packed
