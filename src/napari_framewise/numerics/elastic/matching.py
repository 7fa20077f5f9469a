"""Where a block lies in a patch: the peak of the normalised correlation, to parts of a pixel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_framewise.numerics.elastic.field import FloatArray
from napari_framewise.numerics.overlap_correlation import Spectra, correlations, peaks

SURE = 5.0
"""Least height of a peak that is no chance."""
_RIVAL = 0.9


class Match(NamedTuple):
    """Where a block was found.

    Attributes
    ----------
    place : (d,) float64
        Of its first pixel, in the patch.
    weight : float
        Inverse variance of each coordinate; 0 where the peak lies at the end of the reach.
    height : float
        Correlation, in standard errors of unrelated pixels.
    proof : float
        Fisher's z of the correlation r in standard errors of unrelated textures as smooth as the
        peak is wide: its variance is ``(1 + r^2 (A - 1)) / n``, A the peak's area in pixels.
    """

    place: FloatArray
    weight: float
    height: float
    proof: float = 0.0


def matched(
    block: FloatArray, known: FloatArray, patch: FloatArray, seen: FloatArray, around: FloatArray,
    reach: NDArray[Any],
) -> Match | None:  # fmt: skip
    """Find a block in a patch, near a place; None where no place, or more than one, stands out.

    Parameters
    ----------
    block, patch : (y, x) or (z, y, x)
        Finite numbers.
    known, seen : same shapes
        1 where either may be used, else 0.
    around : (d,)
        Where the first pixel of the block is expected in the patch.
    reach : (d,) int
        How far from there it is sought.

    Examples
    --------
    >>> patch = np.random.default_rng(0).normal(size=(24, 24))
    >>> block, use = patch[5:19, 4:18], np.ones((24, 24))
    >>> found = matched(block, use[:14, :14], patch, use, np.array([5, 5]), np.array([3, 3]))
    >>> found.place.round(1).tolist(), found.weight > 0
    ([5.0, 4.0], True)
    """
    if any(n < m for n, m in zip(patch.shape, block.shape, strict=True)):
        return None
    low = np.maximum(around - reach, 0)
    high = np.minimum(around + reach + 1, np.array(patch.shape) - block.shape + 1)
    if (high - low < 3).any():
        return None
    values, overlap = _correlated(block, known, patch, seen)
    window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    inner, counts = values[window], overlap[window]
    if not np.isfinite(inner).any():
        return None
    found = peaks(inner, counts, 2, 3)
    best = found[0]
    height, count = float(inner[best]), float(counts[best])
    sure = height * float(np.sqrt(count))
    if sure < SURE:
        return None
    if len(found) > 1 and _is_peak(inner, found[1]) and inner[found[1]] > _RIVAL * height:
        return None
    place = np.array(best, float)
    curvature = np.inf
    for axis in range(block.ndim):
        if not 0 < best[axis] < inner.shape[axis] - 1:
            return Match(place + low, 0.0, sure)
        step = np.eye(block.ndim, dtype=int)[axis]
        before, after = (float(inner[tuple(np.array(best) + k * step)]) for k in (-1, 1))
        bend = 2 * height - before - after
        if not bend > 0:
            return None
        place[axis] += (after - before) / (2 * bend)
        curvature = min(curvature, bend)
    variance = max(1 - height**2, 1e-4) / (count * curvature)
    area = max(1.0, (np.pi * height / curvature) ** (block.ndim / 2))
    proof = np.arctanh(min(height, 0.9999)) * np.sqrt(count / (1 + height**2 * (area - 1)))
    return Match(place + low, 1 / variance, sure, float(proof))


def _correlated(
    block: FloatArray, known: FloatArray, patch: FloatArray, seen: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Correlation and number of pixels for every place of a block that lies within a patch."""
    extent = tuple(n - m + 1 for n, m in zip(patch.shape, block.shape, strict=True))
    if not (known.all() and seen.all()):
        # Only where the block lies wholly within the patch: then no shift wraps around.
        spectra = Spectra.of(patch[None], seen, (1,) * block.ndim)
        values, overlap = correlations(spectra, block[None], known, 0.6)
        inner = tuple(slice(m - 1, m - 1 + n) for m, n in zip(block.shape, extent, strict=True))
        return values[inner], overlap[inner]
    away, level = block - block.mean(), patch - patch.mean()
    padded = tuple(fft.next_fast_len(n, real=True) for n in patch.shape)
    # Correlations are compared to parts of a thousand; single precision gives parts of a million.
    first, second = [fft.rfftn(each.astype(np.float32), padded) for each in (level, away)]
    product = first * np.conj(second)
    both = fft.irfftn(product, padded)[tuple(map(slice, extent))].astype(np.float64)
    sums, squares = (_box_sums(each, block.shape) for each in (level, level**2))
    spread = (squares - sums**2 / block.size) * (away**2).sum()
    usable = spread > 1e-12 * max(float(spread.max()), 1e-300)
    values = np.where(usable, both / np.sqrt(np.where(usable, spread, 1.0)), np.nan)
    return np.clip(values, -1.0, 1.0), np.full(extent, float(block.size))


def _box_sums(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Sums over every box of a shape that lies within."""
    for axis, length in enumerate(shape):
        total = np.moveaxis(np.cumsum(values, axis=axis), axis, 0)
        found = total[length - 1 :].copy()
        found[1:] -= total[: len(total) - length]
        values = np.moveaxis(found, 0, axis)
    return values


def _is_peak(values: FloatArray, place: tuple[int, ...]) -> bool:
    """Whether nothing beside a place is higher."""
    around = values[tuple(slice(max(0, at - 1), at + 2) for at in place)]
    return bool(np.nanmax(around) <= values[place])
