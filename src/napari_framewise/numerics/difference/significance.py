"""p-values of a change by the parts that did not change; regions by false discovery rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_BINS, _FEWEST, _MANY = 24, 64, 8192
_NEIGHBOURS = 5
TAIL = 5.0
"""Degrees of freedom of Student's t that the upper tail of unchanged windows is bounded by."""


def scores(energy: FloatArray, structure: FloatArray, valid: BoolArray) -> FloatArray:
    """How far the energy of each window's residual is above that of windows of like structure.

    Parameters
    ----------
    energy : (...) float64
        Mean squared residual of each window.
    structure : (...) float64
        What an unchanged window's residual grows with: noise, and gradients that a rest of
        displacement or blur turns into a residual.
    valid : (...) bool
        Windows with data.

    Returns
    -------
    (...) float64
        ``(log energy - m) / s``, m and s the median, and the spread above it, of the windows of
        like structure; NaN without data. About standard normal where nothing changed.

    Notes
    -----
    Windows are sorted by their structure into bins of equally many; the median of the logarithm of
    the energy in each, and the distance from it to the 84 % point, are smoothed by medians over
    five bins, the slope of the medians (Theil and Sen) apart: they hold while changes fill fewer
    than half of neighbouring bins.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> energy = random.chisquare(50, 4000)
    >>> found = scores(energy, np.ones(4000), np.ones(4000, bool))
    >>> bool(abs(np.median(found)) < 0.2), bool(abs(found.std() - 1) < 0.25)
    (True, True)
    """
    found = np.full(energy.shape, np.nan)
    known = valid & np.isfinite(energy) & np.isfinite(structure)
    count = int(known.sum())
    if count < _FEWEST:
        return found
    # Neighbouring windows share their pixels: every second one tells the same.
    thin = np.zeros(energy.shape, np.bool_)
    thin[(slice(None, None, 2),) * energy.ndim] = True
    thin = thin[known] if count > _MANY else np.ones(count, np.bool_)
    least = np.finfo(float).tiny
    level, key = (
        np.log(np.maximum(energy[known], least)),
        np.log(np.maximum(structure[known], least)),
    )
    bins = min(_BINS, int(thin.sum()) // _FEWEST) or 1
    order = np.flatnonzero(thin)[np.argsort(key[thin], kind="stable")]
    parts = np.array_split(order, bins)
    places = np.array([key[part].mean() for part in parts])
    middle, spread = np.empty(bins), np.empty(bins)
    for number, part in enumerate(parts):
        values = level[part]
        low, centre, high = np.quantile(values, (0.1587, 0.5, 0.8413))
        middle[number], spread[number] = centre, max(high - centre, 0.5 * (high - low), 1e-3)
    middle, spread = _typical(places, middle, spread)
    found[known] = (level - np.interp(key, places, middle)) / np.interp(key, places, spread)
    return found


def _typical(
    places: FloatArray, middle: FloatArray, spread: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Medians and spreads of the bins by those of their neighbours, where changes fill a bin."""
    line = np.zeros_like(middle)
    if np.ptp(places) > 0:
        slopes = np.subtract.outer(middle, middle), np.subtract.outer(places, places)
        apart = np.abs(slopes[1]) > 0
        line = float(np.median(slopes[0][apart] / slopes[1][apart])) * places
    rest = ndimage.median_filter(middle - line, _NEIGHBOURS, mode="nearest")
    wide = ndimage.median_filter(spread, _NEIGHBOURS, mode="nearest")
    return line + rest, np.asarray(ndimage.maximum_filter1d(wide, 3, mode="nearest"))


def p_values(scores: FloatArray, tail: float = TAIL) -> FloatArray:
    """Probability of a score as high where nothing changed.

    Student's t instead of a normal distribution: the tails of what displacement and blur leave are
    heavier than those of noise.

    Examples
    --------
    >>> p_values(np.array([0.0, np.nan])).tolist()
    [0.5, nan]
    """
    places, levels = _table(tail)
    with np.errstate(invalid="ignore"):
        found = np.exp(np.interp(scores, places, levels))
    return np.asarray(np.where(np.isnan(scores), np.nan, found))


@lru_cache(maxsize=8)
def _table(tail: float) -> tuple[FloatArray, FloatArray]:
    """Scores and logarithms of their p-values: straight lines between are right to 1e-4."""
    places = np.sort(np.append(np.linspace(-40, 40, 4001), np.geomspace(40, 1e4, 400)[1:]))
    return places, np.asarray(stats.t.logsf(places, tail))


def discovered(p: FloatArray, rate: float) -> BoolArray:
    """Which hypotheses are rejected at a false discovery rate (Benjamini and Hochberg 1995).

    Examples
    --------
    >>> discovered(np.array([0.001, 0.02, 0.04, 0.9, np.nan]), 0.05).tolist()
    [True, True, False, False, False]
    """
    known = np.sort(p[np.isfinite(p)])
    if not known.size:
        return np.zeros(p.shape, np.bool_)
    below = known <= rate * np.arange(1, known.size + 1) / known.size
    if not below.any():
        return np.zeros(p.shape, np.bool_)
    with np.errstate(invalid="ignore"):
        return np.asarray(p <= known[np.flatnonzero(below)[-1]])


def kept(p: FloatArray, windows: float, rate: float) -> BoolArray:
    """Which regions are kept so that the share of false ones among them stays within a rate.

    Parameters
    ----------
    p : (regions,) float64
        Least p-value in each.
    windows : float
        How many windows that hardly overlap the image holds.
    rate : float
        False discovery rate over regions.

    Returns
    -------
    (regions,) bool

    Notes
    -----
    At a threshold u about ``windows * u`` regions are expected where nothing changed; the largest u
    is taken at which that is at most the rate times the regions found (Benjamini and Hochberg
    1995, over the tests that regions are; Chumbley and Friston 2009 for the kind).

    Examples
    --------
    >>> kept(np.array([1e-7, 1e-4, 0.002]), 500, 0.05).tolist()
    [True, True, False]
    """
    order = np.argsort(p, kind="stable")
    below = p[order] * windows <= rate * np.arange(1, len(p) + 1)
    last = int(np.flatnonzero(below)[-1]) + 1 if below.any() else 0
    found = np.zeros(len(p), np.bool_)
    found[order[:last]] = True
    return found


@dataclass(frozen=True, eq=False)
class Regions:
    """Connected regions of change.

    Attributes
    ----------
    labels : (y, x) int32
        0 where nothing changed.
    area : (regions,) int64
        Pixels.
    strength : (regions,) float64
        Largest measure in it.
    p : (regions,) float64
        Least p-value in it.
    centre : (regions, 2) float64
        Row and column of its middle, weighted by the measure.
    box : (regions, 4) int64
        First row, row behind the last, first column, column behind the last.
    """

    labels: NDArray[np.int32]
    area: NDArray[np.int64]
    strength: FloatArray
    p: FloatArray
    centre: FloatArray
    box: NDArray[np.int64]


def regions(changed: BoolArray, measure: FloatArray, p: FloatArray) -> Regions:
    """Connected regions (by edges and corners), the largest first.

    Examples
    --------
    >>> changed = np.array([[True, False, True], [False, False, True]])
    >>> found = regions(changed, changed * 2.0, changed * 0.1)
    >>> found.labels.tolist(), found.area.tolist()
    ([[2, 0, 1], [0, 0, 1]], [2, 1])
    """
    raw, count = ndimage.label(changed, np.ones((3, 3)))
    area = np.bincount(raw.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-area, kind="stable")
    rank = np.zeros(count + 1, np.int32)
    rank[1 + order] = np.arange(1, count + 1)
    labels = rank[raw]
    if not count:
        none = np.empty(0)
        return Regions(
            labels,
            np.empty(0, np.int64),
            none,
            none,
            np.empty((0, 2)),
            np.empty((0, 4), np.int64),
        )
    boxes = ndimage.find_objects(labels)
    strength, least, centre = np.empty(count), np.empty(count), np.empty((count, 2))
    for number, box in enumerate(boxes):
        inside = labels[box] == number + 1
        values = np.where(inside, np.nan_to_num(measure[box]), 0.0)
        strength[number] = values[inside].max()
        least[number] = np.nan_to_num(p[box], nan=1.0)[inside].min()
        weight = np.maximum(values, 0.0) + inside * 1e-300
        rows, columns = (np.arange(each.start, each.stop) for each in box)
        total = weight.sum()
        centre[number] = weight.sum(axis=1) @ rows / total, weight.sum(axis=0) @ columns / total
    return Regions(
        labels,
        area[order].astype(np.int64),
        strength,
        least,
        centre,
        np.array([[s.start, s.stop, t.start, t.stop] for s, t in boxes], np.int64),
    )
