"""Filling what is missing: by coarser and coarser scales, or by the nearest known pixel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.normalised_convolution.certainty import certainty_of

FloatArray = NDArray[np.float64]


class Filled(NamedTuple):
    """Frames without gaps, and how far each pixel lies from data.

    Attributes
    ----------
    values : (n, *grid) float64
        Known pixels as they were; NaN only in frames without any.
    distance : (n, *grid) float64
        Pixels to the nearest known one, 0 there; infinite in frames without any.
    """

    values: FloatArray
    distance: FloatArray


def filled(
    frames: ArrayLike, *, mask: ArrayLike | None = None, confidence: ArrayLike | None = None
) -> Filled:
    """Replace missing pixels by normalised convolution over growing scales.

    From level to level weighted sums ``a = c f`` and weights w = c are averaged by 1, 3, 3, 1 along
    each axis and every second kept. Back from the coarsest level, each takes its own average a / w
    as far as it rests on data and the coarser one, interpolated linearly, for the rest:
    ``x = b a / w + (1 - b) x_coarser``, ``b = 1 - (1 - w)^16``. All weights are positive, so filled
    values stay between the extremes of the data.

    Parameters
    ----------
    frames : (n, *grid)
        Any real dtype; what is not finite is missing.
    mask : (n or 1, *grid), optional
        Neither 0 nor NaN = known.
    confidence : (n or 1, *grid), optional
        How much a known pixel counts for its surroundings, 0 (missing) to 1.

    Returns
    -------
    Filled
        Frames and distances.

    Raises
    ------
    ValueError
        Where frames are no real numbers, or mask or confidence do not fit.

    References
    ----------
    Gortler, S. J., Grzeszczuk, R., Szeliski, R. & Cohen, M. F. (1996). The Lumigraph. SIGGRAPH,
    43-54: its push-pull filling, here with normalised weights.

    Examples
    --------
    >>> found = filled([[[1.0, np.nan, np.nan, 4.0]]])
    >>> np.round(found.values, 2).tolist(), found.distance.tolist()
    ([[[1.0, 1.75, 3.25, 4.0]]], [[[0.0, 1.0, 1.0, 0.0]]])
    """
    block = np.asarray(real_array(frames, "frames"), np.float64)
    certainty = certainty_of(block.shape, mask, confidence)
    known = (certainty > 0) & np.isfinite(block)
    values, distance = np.full(block.shape, np.nan), np.full(block.shape, np.inf)
    for number, use in enumerate(known):
        if use.all():
            values[number], distance[number] = block[number], 0.0
        elif use.any():
            weight = np.where(use, certainty[number % len(certainty)], 0.0)
            values[number] = _pulled(np.where(use, block[number], 0.0), weight, use)
            distance[number] = ndimage.distance_transform_edt(~use)
    return Filled(values, distance)


def nearest(values: ArrayLike) -> FloatArray:
    """Replace missing pixels by the nearest known one.

    Parameters
    ----------
    values : (n, *grid)
        NaN where missing.

    Examples
    --------
    >>> nearest([[[1.0, np.nan, np.nan, 4.0]]]).tolist()
    [[[1.0, 1.0, 4.0, 4.0]]]
    """
    block = np.array(values, np.float64)
    for frame in block:
        unknown = np.isnan(frame)
        if unknown.any() and not unknown.all():
            at = ndimage.distance_transform_edt(
                unknown, return_distances=False, return_indices=True
            )
            frame[...] = frame[tuple(at)]
    return block


def _pulled(values: FloatArray, weight: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """One frame without gaps; `values` is 0 and `weight` 0 where it is not known."""
    low, high = float(values[known].min()), float(values[known].max())
    levels = [(values * weight, weight)]
    while not (levels[-1][1] > 0).all():
        levels.append(tuple(_reduced(each) for each in levels[-1]))  # type: ignore[arg-type]
    total, weight = levels.pop()
    coarse = total / weight
    for total, weight in reversed(levels):
        coarse = _expanded(coarse, total.shape)
        some = weight > 0
        trust = 1 - (1 - np.minimum(weight, 1)) ** 16
        own = np.divide(total, weight, out=np.zeros_like(total), where=some)
        coarse += trust * (own - coarse)
    return np.where(known, values, np.clip(coarse, low, high))


def _reduced(plane: FloatArray) -> FloatArray:
    """Half the pixels along each axis, weighted 1, 3, 3, 1; nothing lies past the border."""
    for axis in range(plane.ndim):
        length = plane.shape[axis]
        if length == 1:
            continue
        around = [(0, 0)] * plane.ndim
        around[axis] = (1, 2 + length % 2)
        padded = np.moveaxis(np.pad(plane, around), axis, 0)
        half = (length + 1) // 2
        a, b, c, d = (padded[start : start + 2 * half : 2] for start in range(4))
        plane = np.moveaxis((a + d + 3 * (b + c)) / 8, 0, axis)
    return plane


def _expanded(plane: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """The pixels of the next finer level by linear interpolation; the outermost go on."""
    for axis, length in enumerate(shape):
        if length == 1:
            continue
        moved = np.moveaxis(plane, axis, 0)
        before = np.concatenate([moved[:1], moved[:-1]])
        behind = np.concatenate([moved[1:], moved[-1:]])
        fine = np.stack([0.75 * moved + 0.25 * before, 0.75 * moved + 0.25 * behind], axis=1)
        fine = fine.reshape(-1, *moved.shape[1:])[:length]
        plane = np.moveaxis(fine, 0, axis)
    return np.ascontiguousarray(plane)
