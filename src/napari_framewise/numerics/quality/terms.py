"""The three terms of structural similarity from window sums, in one pass over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.window_moments import Sums

FloatArray = NDArray[np.float64]


def similarity_terms(
    sums: Sums, c1: float, c2: float, ddof: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Luminance, contrast and structure of windows; NaN where a window holds no data.

    Examples
    --------
    >>> from napari_framewise.numerics.window_moments import box_window, pivoted_sums
    >>> sums = pivoted_sums([[[1.0, 3.0, 2.0]]], [[[1.0, 3.0, 2.0]]], box_window((1, 3)))
    >>> [float(each[0, 0, 1]) for each in similarity_terms(sums, 1.0, 1.0, 0.0)]
    [1.0, 1.0, 1.0]
    """
    shape = sums.count.shape
    rows = (shape[0], -1)
    found = (np.empty(shape), np.empty(shape), np.empty(shape))
    given = (sums.count, *sums.sums, *sums.squares, sums.products)
    pivots = tuple(np.array(np.broadcast_to(each.reshape(-1), shape[0])) for each in sums.pivots)
    kinds = (*("float64/2",) * 6, *("float64/1",) * 2, *("float64",) * 3, *("=float64/2",) * 3)
    kernel = compiled(_terms, *kinds)
    kernel(
        *(each.reshape(rows) for each in given),
        *pivots,
        c1,
        c2,
        ddof,
        *(each.reshape(rows) for each in found),
    )
    return found


def _terms(
    count: Any,
    sum_a: Any,
    sum_b: Any,
    square_a: Any,
    square_b: Any,
    product: Any,
    pivot_a: Any,
    pivot_b: Any,
    c1: float,
    c2: float,
    ddof: float,
    luminance: Any,
    contrast: Any,
    structure: Any,
) -> None:
    for row in range(count.shape[0]):
        n, a, b = count[row], sum_a[row], sum_b[row]
        aa, bb, ab = square_a[row], square_b[row], product[row]
        out_l, out_c, out_s = luminance[row], contrast[row], structure[row]
        up_a, up_b = pivot_a[row], pivot_b[row]
        for i in range(n.size):
            each = 1.0 / n[i] if n[i] > 0 else np.nan
            mean_a, mean_b = a[i] * each, b[i] * each
            # A window of one pixel has no sample variance: it counts as flat.
            scale = 1.0 / (n[i] - ddof) if n[i] > ddof else 0.0
            variance_a = max(aa[i] - a[i] * mean_a, 0.0) * scale
            variance_b = max(bb[i] - b[i] * mean_b, 0.0) * scale
            covariance = (ab[i] - a[i] * mean_b) * scale
            both = np.sqrt(variance_a * variance_b)
            mean_a += up_a
            mean_b += up_b
            out_l[i] = (2 * mean_a * mean_b + c1) / (mean_a * mean_a + mean_b * mean_b + c1)
            out_c[i] = (2 * both + c2) / (variance_a + variance_b + c2)
            out_s[i] = (covariance + c2 / 2) / (both + c2 / 2)
