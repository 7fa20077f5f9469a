"""How alike a pixel and each of its neighbours are: weights that add up to one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.window_moments import box_window, window_moments

Form: TypeAlias = Literal["published", "correlation"]
FloatArray = NDArray[np.float64]
# Of the published code: share of the variance, weight that the most similar neighbour has at
# least, and least variance of values from 0 to 1.
_OF_VARIANCE, _LEAST, _FLOOR = 0.6, 0.01, 2e-6


@dataclass(frozen=True, eq=False)
class Affinity:
    """Weights w_rs of the neighbours s of every pixel r.

    Attributes
    ----------
    offsets : (k, ndim) ndarray of int
        Where the neighbours lie: s = r + offset.
    weights : (k, *grid) float64
        Their weights, which add up to 1 at every pixel that has a neighbour; 0 where the neighbour
        or the pixel itself has no data, or lies beyond the border.
    known : (*grid) ndarray of bool
        Pixels that have data.
    """

    offsets: NDArray[np.int64]
    weights: FloatArray
    known: NDArray[np.bool_]


def affinity(luminance: ArrayLike, form: Form = "published") -> Affinity:
    """Weights of the neighbours in a window of 3 pixels along every axis.

    Parameters
    ----------
    luminance : (*grid)
        An image (y, x), or frames (t, y, x) whose neighbours in time count too. NaN and infinite
        values are no data.
    form : {"published", "correlation"}
        "published": ``exp(-(Y_r - Y_s)^2 / v_r)`` with v the 0.6-fold variance of the window, but
        at least such that the most similar neighbour weighs 0.01, and 2e-6 of the squared range of
        the image, as in the published code of Levin et al.; "correlation":
        ``1 + (Y_r - m_r)(Y_s - m_r) / v_r`` with mean m and variance v of the window (their
        equation 3), at least 0.01. Both are then divided by their sum over the neighbours.

    Returns
    -------
    Affinity

    References
    ----------
    Levin, A., Lischinski, D. and Weiss, Y. (2004). Colorization using optimization. ACM Trans.
    Graph. 23, 689-694, equations 2 and 3.

    Examples
    --------
    >>> found = affinity(np.array([[0.0, 0.0, 1.0]]))
    >>> dict(zip(map(tuple, found.offsets.tolist()), found.weights[:, 0, 1].round(3).tolist()))
    {(-1, -1): 0.0, (-1, 0): 0.0, (-1, 1): 0.0, (0, -1): 0.999, (0, 1): 0.001, ...}
    """
    values = np.array(luminance, np.float64)
    known = np.isfinite(values)
    spread = float(np.ptp(values[known])) if known.any() else 0.0
    # Of the range: the floor is that of values from 0 to 1, whatever the unit.
    values = np.where(known, (values - values[known].min(initial=np.inf)) / (spread or 1.0), 0.0)
    offsets = np.array([each for each in product((-1, 0, 1), repeat=values.ndim) if any(each)])
    there = [_shifted(known, offset, False) & known for offset in offsets]
    beside = [_shifted(values, offset, 0.0) for offset in offsets]
    side = box_window((3,) * values.ndim)
    moments = window_moments(values[None], side, known[None])
    variance = np.where(known, moments.variance()[0], 1.0)
    weights = np.empty((len(offsets), *values.shape))
    if form == "published":
        for each, other in zip(weights, beside, strict=True):
            np.square(values - other, out=each)
        nearest = np.full(values.shape, np.inf)
        for each, use in zip(weights, there, strict=True):
            np.minimum(nearest, each, out=nearest, where=use)
        nearest[~np.isfinite(nearest)] = 0.0
        width = np.maximum(_OF_VARIANCE * variance, nearest / -math.log(_LEAST))
        np.maximum(width, _FLOOR, out=width)
        np.exp(np.divide(weights, -width, out=weights), out=weights)
    else:
        mean = np.where(known, moments.mean[0], 0.0)
        scale = (values - mean) / np.maximum(variance, _FLOOR)
        for each, other in zip(weights, beside, strict=True):
            np.maximum(1 + scale * (other - mean), _LEAST, out=each)
    weights *= np.array(there)
    total = weights.sum(axis=0)
    weights /= np.where(total > 0, total, 1.0)
    return Affinity(offsets, weights, known)


def weighted(weights: Affinity, values: FloatArray) -> FloatArray:
    """Sum of the neighbours' values, each times its weight.

    Parameters
    ----------
    weights : Affinity
    values : (*grid) or (*grid, c)

    Examples
    --------
    >>> flat = affinity(np.zeros((3, 3)))
    >>> weighted(flat, np.full((3, 3), 5.0)).round(12).tolist()[0]
    [5.0, 5.0, 5.0]
    """
    further = values.ndim - weights.known.ndim
    out = np.zeros(values.shape)
    for offset, each in zip(weights.offsets, weights.weights, strict=True):
        here, there = windows_of(offset, weights.known.shape)
        out[here] += each[(*here, *(None,) * further)] * values[there]
    return out


def windows_of(
    offset: NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Pixels that have a neighbour at this offset, and those neighbours."""
    steps = [int(each) for each in offset]
    here = tuple(
        slice(max(0, -step), length - max(0, step))
        for step, length in zip(steps, shape, strict=True)
    )
    there = tuple(
        slice(max(0, step), length - max(0, -step))
        for step, length in zip(steps, shape, strict=True)
    )
    return here, there


def _shifted(values: NDArray[Any], offset: NDArray[np.int64], beyond: Any) -> NDArray[Any]:
    """The neighbours at an offset, in the places of the pixels whose neighbours they are."""
    out = np.full(values.shape, beyond, values.dtype)
    here, there = windows_of(offset, values.shape)
    out[here] = values[there]
    return out
