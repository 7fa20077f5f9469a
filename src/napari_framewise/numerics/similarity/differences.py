"""Mean absolute or squared difference of pairs of images over shifts, and phase correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.similarity.best_shifts import Matches, all_pairs, matches_of
from napari_framewise.numerics.similarity.difference_kernels import UNRELATED, least_difference
from napari_framewise.numerics.similarity.prepared import Canvas, Spectra
from napari_framewise.numerics.similarity.transform import Transform


def least_differences(
    first: Canvas,
    second: Canvas,
    reach: tuple[int, int],
    pairs: NDArray[np.int64] | None = None,
    *,
    squared: bool = False,
    least_overlap: float = 0.3,
) -> Matches:
    """Mean difference per pixel of standardised images, at the shift where it is least.

    A small overlap differs little by chance, so the best shift has the largest
    ``(1 - d / d0) sqrt(n)``, with d0 what unrelated normal values differ by: ``2 / sqrt(pi)``, or 2
    of squares.

    Parameters
    ----------
    first, second : Canvas
        Of one shape.
    reach : tuple of int
        Largest shift along rows and columns.
    pairs, least_overlap
        As `best_shifts` takes them.
    squared : bool
        Squared instead of absolute differences.

    Examples
    --------
    >>> from napari_framewise.numerics.similarity import Filter, on_canvas
    >>> scene = np.random.default_rng(0).normal(size=(24, 24))
    >>> ready = on_canvas([scene[:20, :20], scene[2:22, 3:23]], (20, 20), Filter("nothing"))
    >>> least_differences(ready, ready, (4, 4), np.array([[0, 1]])).shifts.tolist()
    [[-2.0, -3.0]]
    """
    pairs = all_pairs(len(first), len(second)) if pairs is None else pairs
    found = np.full((len(pairs), 5), np.nan)
    mine, theirs = first.counts, second.counts
    for place, (i, j) in enumerate(pairs):
        if first.plain[i] or second.plain[j]:
            continue
        least_difference(
            first.values[i],
            second.values[j],
            first.masks[first.groups[i]],
            second.masks[second.groups[j]],
            *reach,
            least_overlap * min(mine[i], theirs[j]),
            squared,
            UNRELATED[squared],
            found[place],
        )
    return matches_of(found, first, second, pairs)


def phase_correlations(
    first: Spectra,
    second: Spectra,
    pairs: NDArray[np.int64] | None = None,
    *,
    least_overlap: float = 0.3,
    fine: float = 1.0,
) -> Matches:
    """Height of the peak of the phase correlation, 1 for equal images and none lost past a border.

    ``c(d) = sum_k w_k exp(i (phi_g - phi_f + 2 pi k d)) / sum_k w_k``, after Kuglin & Hines (1975),
    with weights ``w_k = exp(-(2 pi fine k)^2)`` that leave out what is finer than a detail.

    Parameters
    ----------
    first, second, pairs, least_overlap
        As `best_shifts` takes them.
    fine : float
        Sigma of the finest details that count, in pixels.

    References
    ----------
    Kuglin, C. D. & Hines, D. C. (1975). The phase correlation image alignment method. Proc. IEEE
    Conf. on Cybernetics and Society, 163-165.

    Examples
    --------
    >>> from napari_framewise.numerics.similarity import Filter, on_canvas
    >>> scene = np.random.default_rng(0).normal(size=(24, 24))
    >>> ready = on_canvas([scene[:20, :20], scene[2:22, 3:23]], (20, 20), Filter("nothing"))
    >>> spectra = Spectra.of(ready, Transform((20, 20), (4, 4)))
    >>> phase_correlations(spectra, spectra, np.array([[0, 1]])).shifts.tolist()
    [[-2.0, -3.0]]
    """
    pairs = all_pairs(len(first), len(second)) if pairs is None else pairs
    transform = first.transform
    weights = _weights(transform, fine)
    a, b = (_phases(spectra, transform) for spectra in (first, second))
    masks = [_complex(spectra.masks, transform) for spectra in (first, second)]
    counts = [spectra.canvas.counts for spectra in (first, second)]
    found = np.full((len(pairs), 5), np.nan)
    for place, (i, j) in enumerate(pairs):
        if first.canvas.plain[i] or second.canvas.plain[j]:
            continue
        groups = first.canvas.groups[i], second.canvas.groups[j]
        n = np.rint(_surface(np.conj(masks[0][groups[0]]) * masks[1][groups[1]], transform))
        least = max(1.0, least_overlap * min(counts[0][i], counts[1][j]))
        values = _surface(np.conj(a[i]) * b[j] * weights, transform)
        values = np.where(n >= least, values, -np.inf)
        s, t = np.unravel_index(int(np.argmax(values)), values.shape)
        if np.isfinite(values[s, t]):
            shift = s - transform.reach[0], t - transform.reach[1]
            height = values[s, t]
            found[place] = height, height * np.sqrt(n[s, t]), *shift, n[s, t]
    return matches_of(found, first.canvas, second.canvas, pairs)


def _complex(spectra: NDArray[np.float32], transform: Transform) -> NDArray[np.complex128]:
    width, half = transform.padded[1] // 2 + 1, transform.half
    return spectra[..., :width] + 1j * spectra[..., half : half + width]


def _phases(spectra: Spectra, transform: Transform) -> NDArray[np.complex128]:
    found = _complex(spectra.images, transform)
    size = np.abs(found)
    known = size > 1e-5 * size.max(axis=(1, 2), keepdims=True, initial=1e-30)
    return np.where(known, found / np.where(known, size, 1.0), 0.0)


def _weights(transform: Transform, fine: float) -> NDArray[np.float64]:
    rows, columns = transform.padded
    y, x = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)
    weights = np.exp(-((2 * np.pi * fine) ** 2) * (y**2 + x**2))
    whole = np.fft.irfft2(weights, transform.padded)[0, 0]
    return np.asarray(weights / whole)


def _surface(spectrum: NDArray[np.complex128], transform: Transform) -> NDArray[np.float64]:
    values = np.fft.irfft2(spectrum, transform.padded)
    rows, columns = (np.arange(-reach, reach + 1) for reach in transform.reach)
    return np.asarray(values[np.ix_(rows, columns)])
