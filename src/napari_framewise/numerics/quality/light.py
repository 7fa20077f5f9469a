"""Errors that are light: the best gain and offset, and those that vary smoothly over a frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_STRIP = 2**16
_RCOND = 1e-10


def matched(truth: FloatArray, image: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Images after the gain and offset that bring each nearest to its truth.

    Parameters
    ----------
    truth, image : (n, ...) float64
        NaN is no data.

    Returns
    -------
    image : (n, ...) float64
        ``gain * image + offset``.
    gain, offset : (n,) float64
        Of least ``sum (gain x + offset - t)^2``: ``gain = cov(x, t) / var(x)`` (Weigert et al.
        2018, *Nature Methods* 15, 1090-1097). 0 and the truth's mean where the image is flat.

    Examples
    --------
    >>> image, gain, offset = matched(np.array([[1.0, 2.0, 3.0]]), np.array([[10.0, 20.0, 30.0]]))
    >>> image.round(12).tolist(), gain.round(12).tolist()
    ([[1.0, 2.0, 3.0]], [0.1])
    """
    t, x = truth.reshape(len(truth), -1), image.reshape(len(image), -1)
    known = np.isfinite(t) & np.isfinite(x)
    count = known.sum(axis=1)
    some = np.where(count > 0, count, np.nan)
    means = [np.where(known, each, 0.0).sum(axis=1) / some for each in (t, x)]
    dt, dx = (
        np.where(known, each - mean[:, None], 0.0) for each, mean in zip((t, x), means, strict=True)
    )
    spread = np.einsum("ij,ij->i", dx, dx)
    gain = np.divide(np.einsum("ij,ij->i", dx, dt), spread, out=np.zeros(len(t)), where=spread > 0)
    gain = np.where(count > 0, gain, np.nan)
    offset = means[0] - gain * means[1]
    lift = (slice(None), *(None,) * (image.ndim - 1))
    return image * gain[lift] + offset[lift], gain, offset


@dataclass(frozen=True, eq=False)
class Evened:
    """Images without the part of their error that varies smoothly.

    Attributes
    ----------
    image : (n, *grid) float64
        The truth and what is left of the error.
    uniform, smooth, rough : (n,) float64
        Mean squares of the parts of the error that one gain and offset explains, that a smoothly
        varying gain and offset explains further, and of what is left; they add up to the mean
        squared error.
    """

    image: FloatArray
    uniform: FloatArray
    smooth: FloatArray
    rough: FloatArray


def evened(truth: FloatArray, image: FloatArray, degree: int) -> Evened:
    """Split the error of each frame into what light explains, and the rest.

    Parameters
    ----------
    truth, image : (n, *grid) float64
        NaN is no data.
    degree : int
        Highest total degree of the polynomials over the frame.

    Returns
    -------
    Evened
        NaN in frames where no pixel has data in both.

    Notes
    -----
    ``e = sum_k (a_k + b_k t) P_k + rest`` with products of Legendre polynomials P_k over the frame,
    by least squares: a field of stray light, and uneven illumination, each of (degree + 1)(degree +
    2) / 2 terms in a plane. The fit is a projection, so that squares add up; of white noise it
    takes one part in N over twice the number of terms.

    Examples
    --------
    >>> truth = np.random.default_rng(0).uniform(1, 2, (1, 20, 20))
    >>> shade = np.linspace(0.8, 1.2, 20)
    >>> found = evened(truth, truth * shade, 2)
    >>> bool(found.rough[0] < 1e-20), bool(found.smooth[0] > 0.01)
    (True, True)
    """
    out = np.full(truth.shape, np.nan)
    parts = np.full((3, len(truth)), np.nan)
    for number in range(len(truth)):
        t, x = truth[number], image[number]
        known = np.isfinite(t) & np.isfinite(x)
        count = int(known.sum())
        if not count:
            continue
        middle = float(t.mean(where=known))
        spread = float(np.sqrt(np.mean((t - middle) ** 2, where=known)))
        signal = np.where(known, (t - middle) / spread, 0.0) if spread > 0 else np.zeros(t.shape)
        error = np.where(known, x - t, 0.0)
        size = float(np.abs(error).max())
        total = float(np.vdot(error, error))
        if size == 0:
            out[number], parts[:, number] = np.where(known, t, np.nan), 0.0
            continue
        gram, right = _normal(signal, error / size, known, degree)
        terms = len(right) // 2
        uniform = _explained(gram, right, np.array([0, terms]))
        both = np.linalg.lstsq(gram, right, rcond=_RCOND)[0] * size
        left = np.where(known, error, np.nan)
        for rows, basis in _bases(t.shape, degree):
            field = np.tensordot(both[:terms], basis, 1)
            field += signal[rows] * np.tensordot(both[terms:], basis, 1)
            left[rows] -= field
        out[number] = t + left
        rough = min(float(np.nansum(left * left)), total)
        first = min(max(uniform * size**2, 0.0), total - rough)
        parts[:, number] = np.array([first, total - rough - first, rough]) / count
    return Evened(out, *parts)


def _normal(
    signal: FloatArray, error: FloatArray, known: NDArray[np.bool_], degree: int
) -> tuple[FloatArray, FloatArray]:
    """Gram matrix of the fields and of the fields times the signal, and their sums with e."""
    gram: FloatArray | None = None
    right: FloatArray | None = None
    for rows, basis in _bases(signal.shape, degree):
        lines = np.where(known[rows], basis, 0.0).reshape(len(basis), -1)
        both = np.concatenate([lines, lines * signal[rows].reshape(1, -1)])
        part, sums = both @ both.T, both @ error[rows].reshape(-1)
        gram, right = (part, sums) if gram is None or right is None else (gram + part, right + sums)
    assert gram is not None
    assert right is not None
    return gram, right


def _explained(gram: FloatArray, right: FloatArray, which: NDArray[np.int64]) -> float:
    """Sum of squares that some of the terms explain by themselves."""
    part = gram[np.ix_(which, which)]
    found = np.linalg.lstsq(part, right[which], rcond=_RCOND)[0]
    return float(found @ right[which])


def _bases(shape: tuple[int, ...], degree: int) -> Iterator[tuple[slice, FloatArray]]:
    """Strips of rows of a frame, and the polynomials there (terms, rows, ...), the constant first.

    Their squares have about the mean 1.
    """
    lines = []
    for length in shape:
        at = np.linspace(-1, 1, length) if length > 1 else np.zeros(1)
        values = np.polynomial.legendre.legvander(at, degree).T
        lines.append(values * np.sqrt(2 * np.arange(degree + 1) + 1)[:, None])
    powers = sorted(
        (each for each in product(range(degree + 1), repeat=len(shape)) if sum(each) <= degree),
        key=lambda each: (sum(each), each),
    )
    step = max(1, _STRIP // max(1, int(np.prod(shape[1:]))))
    for start in range(0, shape[0], step):
        rows = slice(start, min(start + step, shape[0]))
        basis = []
        for power in powers:
            field = lines[0][power[0], rows]
            for axis in range(1, len(shape)):
                field = field[..., None] * lines[axis][power[axis]]
            basis.append(field)
        yield rows, np.stack(basis)
