"""Moments of two groups of pixels put together without cancellation.

Means are kept in two parts, high and low, for in a window of small noise on a large offset the
rounding of a mean is as large as a share of the deviations from it.
"""

from __future__ import annotations

from typing import Any

from napari_framewise.numerics.compiling import in_order


@in_order
def merge_moments(
    count: Any,
    high: Any,
    low: Any,
    squares: Any,
    other_count: Any,
    other_high: Any,
    other_low: Any,
    other_squares: Any,
    weight: float,
    shift: int,
) -> None:
    """Put the moments `shift` elements further on to those of each element, along each row.

    Chan, Golub and LeVeque's update (1983): nothing is subtracted but means, so that what is added
    up is never negative. The other arrays may be the first ones themselves, where `shift` > 0.

    Examples
    --------
    >>> import numpy as np
    >>> zero, ones, values = np.zeros((1, 3)), np.ones((1, 3)), np.array([[1.0, 3.0, 5.0]])
    >>> state = np.zeros((4, 1, 3))
    >>> for shift in (0, 1):
    ...     merge_moments(*state, ones, values, zero, zero, 1.0, shift)
    >>> state[[0, 1, 3], 0].tolist()
    [[2.0, 2.0, 1.0], [2.0, 4.0, 5.0], [2.0, 2.0, 0.0]]
    """
    size = min(count.shape[1], other_count.shape[1] - shift)
    for row in range(count.shape[0]):
        n, m, r, s = count[row, :size], high[row, :size], low[row, :size], squares[row, :size]
        more_n = other_count[row, shift : shift + size]
        more_m = other_high[row, shift : shift + size]
        more_r = other_low[row, shift : shift + size]
        more_s = other_squares[row, shift : shift + size]
        for i in range(n.size):
            more = weight * more_n[i]
            total = n[i] + more
            share = more / (total if total > 0 else 1.0)
            was = m[i]
            away = (more_m[i] - was) + (more_r[i] - r[i])
            s[i] = s[i] + (weight * more_s[i] + away * away * n[i] * share)
            # The sum of two numbers and what its rounding leaves (Knuth's two-sum).
            step = away * share
            now = was + step
            part = now - was
            left = r[i] + ((was - (now - part)) + (step - part))
            # What is put to nothing stays as it is, with all its digits.
            r[i] = left if n[i] > 0 else more_r[i]
            m[i] = now if n[i] > 0 else more_m[i]
            n[i] = total


@in_order
def merge_comoments(
    count: Any,
    high_a: Any,
    low_a: Any,
    high_b: Any,
    low_b: Any,
    squares_a: Any,
    squares_b: Any,
    products: Any,
    other_count: Any,
    other_high_a: Any,
    other_low_a: Any,
    other_high_b: Any,
    other_low_b: Any,
    other_squares_a: Any,
    other_squares_b: Any,
    other_products: Any,
    weight: float,
    shift: int,
) -> None:
    """As `merge_moments`, of pairs of values with the sum of the products of their deviations.

    Examples
    --------
    >>> import numpy as np
    >>> zero, ones, values = np.zeros((1, 3)), np.ones((1, 3)), np.array([[1.0, 3.0, 5.0]])
    >>> state = np.zeros((8, 1, 3))
    >>> for shift in (0, 1):
    ...     merge_comoments(
    ...         *state, ones, values, zero, 2 * values, zero, zero, zero, zero, 1.0, shift
    ...     )
    >>> state[7].tolist()
    [[4.0, 4.0, 0.0]]
    """
    size = min(count.shape[1], other_count.shape[1] - shift)
    for row in range(count.shape[0]):
        n, more_n = count[row, :size], other_count[row, shift : shift + size]
        a, more_a = high_a[row, :size], other_high_a[row, shift : shift + size]
        ra, more_ra = low_a[row, :size], other_low_a[row, shift : shift + size]
        b, more_b = high_b[row, :size], other_high_b[row, shift : shift + size]
        rb, more_rb = low_b[row, :size], other_low_b[row, shift : shift + size]
        aa, more_aa = squares_a[row, :size], other_squares_a[row, shift : shift + size]
        bb, more_bb = squares_b[row, :size], other_squares_b[row, shift : shift + size]
        ab, more_ab = products[row, :size], other_products[row, shift : shift + size]
        for i in range(n.size):
            more = weight * more_n[i]
            total = n[i] + more
            share = more / (total if total > 0 else 1.0)
            both = n[i] * share
            was_a, was_b = a[i], b[i]
            away_a = (more_a[i] - was_a) + (more_ra[i] - ra[i])
            away_b = (more_b[i] - was_b) + (more_rb[i] - rb[i])
            aa[i] = aa[i] + (weight * more_aa[i] + away_a * away_a * both)
            bb[i] = bb[i] + (weight * more_bb[i] + away_b * away_b * both)
            ab[i] = ab[i] + (weight * more_ab[i] + away_a * away_b * both)
            step_a, step_b = away_a * share, away_b * share
            now_a, now_b = was_a + step_a, was_b + step_b
            part_a, part_b = now_a - was_a, now_b - was_b
            left_a = ra[i] + ((was_a - (now_a - part_a)) + (step_a - part_a))
            left_b = rb[i] + ((was_b - (now_b - part_b)) + (step_b - part_b))
            ra[i] = left_a if n[i] > 0 else more_ra[i]
            rb[i] = left_b if n[i] > 0 else more_rb[i]
            a[i] = now_a if n[i] > 0 else more_a[i]
            b[i] = now_b if n[i] > 0 else more_b[i]
            n[i] = total
