"""How often unrelated images correlate as well at a best shift, and fractions of shifts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from napari_framewise.numerics.similarity.best_shifts import Matches
from napari_framewise.numerics.similarity.prepared import Canvas, Spectra
from napari_framewise.numerics.similarity.ranking_kernels import correlation_at


def chances(
    first: Spectra, second: Spectra, pairs: NDArray[np.int64], matches: Matches
) -> NDArray[np.float64]:
    """Probability that unrelated images reach so much at any of the shifts that were looked at.

    Correlations of independent stationary images have the variance A / n, n the overlap and
    ``A = N sum_k P_f P_g / (sum_k P_f sum_k P_g)`` pixels (Bartlett 1946), P being power spectra
    over N frequencies. So ``z = atanh(r) sqrt(n / A)`` is a smooth Gaussian field over the shifts,
    and the chance that its maximum reaches z is about its expected Euler characteristic (Worsley
    1995), with the slopes' variances from the moments of ``P_f P_g``. Images whose contrast lies in
    a few spots are not stationary: for them it is a ranking.

    Parameters
    ----------
    first, second : Spectra
    pairs : (k, 2) int
    matches : Matches
        Of these pairs, from `best_shifts`.

    Returns
    -------
    (k,) float64
        0 to 1; NaN where nothing could be compared.

    References
    ----------
    Bartlett, M. S. (1946). J. Royal Statistical Society, Supplement 8, 27-41.
    Worsley, K. J. (1995). Advances in Applied Probability 27, 943-959.

    Examples
    --------
    >>> from napari_framewise.numerics.similarity import Filter, Transform, best_shifts, on_canvas
    >>> scene = np.random.default_rng(0).normal(size=(40, 40))
    >>> ready = on_canvas([scene[:30, :30], scene[4:34, 2:32]], (30, 30))
    >>> spectra, pairs = Spectra.of(ready, Transform((30, 30), (8, 8))), np.array([[0, 1]])
    >>> found = best_shifts(spectra, spectra, pairs)
    >>> float(chances(spectra, spectra, pairs, found)[0]) < 1e-9
    True
    """
    transform = first.transform
    rows, columns = transform.padded
    a, b = (_power(spectra, columns) for spectra in (first, second))
    y = (2 * np.pi * np.fft.fftfreq(rows))[:, None] ** 2
    x = (2 * np.pi * np.arange(transform.half) / columns) ** 2
    totals = [power.sum(axis=(1, 2)) for power in (a, b)]
    out = np.full(len(pairs), np.nan)
    for place in np.flatnonzero(np.isfinite(matches.score)):
        i, j = pairs[place]
        # Both hold the weight of a frequency's twin, which is wanted once.
        both = a[i] * b[j] / _twins(transform.half, columns)
        total = both.sum()
        area = rows * columns * total / (totals[0][i] * totals[1][j])
        slopes = np.sqrt([(both * y).sum() / total, (both * x).sum() / total])
        z = matches.weight[place] / np.sqrt(area)
        lengths = 2 * np.array(transform.reach) * slopes
        falling = np.exp(-(z**2) / 2) / (2 * np.pi)
        expected = special.ndtr(-z) + lengths.sum() * falling
        expected += lengths.prod() * falling * max(z, 0.0) / np.sqrt(2 * np.pi)
        out[place] = min(1.0, expected)
    return out


def fractions(
    first: Canvas, second: Canvas, pairs: NDArray[np.int64], matches: Matches
) -> NDArray[np.float64]:
    """What best shifts lack in fractions of a pixel: the top of a quadric through 3 x 3 of them.

    Returns
    -------
    (k, 2) float64
        To be added to `Matches.shifts`, at most 1 either way; 0 where a neighbour has too little
        overlap.

    Examples
    --------
    >>> from napari_framewise.numerics.similarity import Filter, Transform, best_shifts, on_canvas
    >>> scene = np.random.default_rng(0).normal(size=(40, 40))
    >>> ready = on_canvas([scene[:30, :30], scene[4:34, 2:32]], (30, 30))
    >>> spectra, pairs = Spectra.of(ready, Transform((30, 30), (8, 8))), np.array([[0, 1]])
    >>> found = best_shifts(spectra, spectra, pairs)
    >>> bool(np.abs(fractions(ready, ready, pairs, found)).max() < 0.1)
    True
    """
    place = np.mgrid[-1:2, -1:2].reshape(2, 9)
    y, x = place
    solve = np.linalg.pinv(np.stack([np.ones(9), y, x, y * y, x * x, y * x], axis=1))
    apart = second.origins[pairs[:, 1]] - first.origins[pairs[:, 0]]
    out = np.zeros((len(pairs), 2))
    for number in np.flatnonzero(np.isfinite(matches.score)):
        i, j = pairs[number]
        centre = (matches.shifts[number] + apart[number]).astype(int)
        given = (
            first.values[i],
            second.values[j],
            first.masks[first.groups[i]],
            second.masks[second.groups[j]],
        )
        around = [correlation_at(*given, int(row), int(column)) for row, column in centre + place.T]
        _, b, c, d, e, f = solve @ np.array(around)
        curvature = 4 * d * e - f * f
        if np.isfinite(around).all() and curvature > 0 and d < 0:
            top = np.array([f * c - 2 * e * b, f * b - 2 * d * c]) / curvature
            out[number] = top.clip(-1, 1)
    return out


def _twins(half: int, columns: int) -> NDArray[np.float64]:
    frequency = np.arange(half)
    return np.where((frequency == 0) | (2 * frequency == columns), 1.0, 2.0)


def _power(spectra: Spectra, columns: int) -> NDArray[np.float64]:
    """Power (n, P, L), a frequency that has a twin counted twice."""
    half = spectra.transform.half
    values = spectra.images.astype(np.float64)
    return np.asarray((values[..., :half] ** 2 + values[..., half:] ** 2) * _twins(half, columns))
