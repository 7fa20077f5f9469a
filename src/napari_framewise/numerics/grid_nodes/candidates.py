"""Places that may be nodes: extremes of the determinant of the Hessian over scales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Pattern: TypeAlias = Literal["chessboard", "dots", "lines"]
SCALES = (1.5, 2.2, 3.2, 4.6, 6.6, 9.4, 13.5)
"""Standard deviations of the Gaussians, in pixels of the reduced image."""
MOST_PIXELS = 1_500_000
"""Larger images are looked through at a half, a third ... of their size."""
_FRACTION, _RANK = 0.18, 12
_FEWEST = 4
_TWICE = 0.62


def reduced(image: Array) -> tuple[Array, int]:
    """Means over blocks of so many pixels a side that the image becomes small enough."""
    factor = max(1, int(np.ceil(np.sqrt(image.size / MOST_PIXELS))))
    if factor == 1:
        return image, 1
    rows, columns = (length // factor for length in image.shape)
    blocks = image[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    return np.asarray(blocks.mean(axis=(1, 3))), factor


def is_dark(image: Array, usable: NDArray[np.bool_]) -> bool:
    """Whether the ink of dots or lines is darker than the ground: it is what there is less of."""
    # A broad ground needs no more than every fourth pixel.
    image, usable = image[::4, ::4], usable[::4, ::4]
    size = max(2.0, min(image.shape) / 12)
    rest = (image - ndimage.gaussian_filter(image, size, mode="nearest"))[usable]
    if rest.size == 0:
        return True
    spread = rest.std()
    if spread == 0:
        return True
    return bool((((rest - rest.mean()) / spread) ** 3).mean() < 0)


def candidates(
    image: Array, usable: NDArray[np.bool_], pattern: Pattern, dark: bool
) -> Iterator[tuple[float, Array, Array]]:
    """Scale by scale: its sigma, places (n, 2) and how strongly each stands out.

    Parameters
    ----------
    image : (y, x) float64
        Without gaps.
    usable : (y, x) bool
        Where it held data: candidates lie there.
    pattern : {"chessboard", "dots", "lines"}
        A corner is a saddle, ``f_yy f_xx - f_xy^2 < 0``; a dot and a crossing are hollows.
    dark : bool
        Whether dots and lines are darker than the ground.
    """
    for sigma in SCALES:
        if 6 * sigma > min(image.shape):
            return
        yy, xy, xx = (
            ndimage.gaussian_filter(image, sigma, orders, mode="nearest", truncate=3.5)
            for orders in ((2, 0), (1, 1), (0, 2))
        )
        determinant = yy * xx - xy * xy
        if pattern == "chessboard":
            response = np.sqrt(np.maximum(-determinant, 0))
        else:
            response = np.sqrt(np.maximum(determinant, 0))
            response[(yy + xx < 0) == dark] = 0
        response *= sigma**2 * usable
        width = 2 * round(1.2 * sigma) + 1
        peaks = (ndimage.maximum_filter(response, width) == response) & (response > 0)
        places = np.argwhere(peaks)
        strengths = response[peaks]
        if pattern == "chessboard" and len(places):
            crossed = _is_crossed(ndimage.gaussian_filter(image, sigma / 2), places, sigma)
            places, strengths = places[crossed], strengths[crossed]
        if len(places) < _FEWEST:
            continue
        strongest = np.sort(strengths)[-min(_RANK, len(strengths))]
        kept = strengths > _FRACTION * strongest
        between, strengths = _between_pixels(response, places[kept]), strengths[kept]
        single = _without_twins(between, strengths, sigma)
        yield sigma, between[single], strengths[single]


def _without_twins(places: Array, strengths: Array, reach: float) -> NDArray[np.bool_]:
    """The strongest of places that lie closer than a distance, as where pixels are equal."""
    kept = np.ones(len(places), bool)
    for one, other in sorted(cKDTree(places).query_pairs(reach)):
        if kept[one] and kept[other]:
            kept[other if strengths[one] >= strengths[other] else one] = False
    return kept


def _is_crossed(image: Array, places: NDArray[np.int64], sigma: float) -> NDArray[np.bool_]:
    """Whether what lies around a place goes up and down twice, as around a corner of four squares.

    At a corner of the board, where three of four squares are ground, half of the power or more is
    in other harmonics.
    """
    angles = np.arange(16) * np.pi / 8
    ring = 2 * sigma * np.stack([np.sin(angles), np.cos(angles)])
    at = places.T[..., None] + ring[:, None]
    values = ndimage.map_coordinates(image, at.reshape(2, -1), order=1, mode="nearest")
    power = np.abs(np.fft.fft(values.reshape(len(places), 16), axis=1)) ** 2
    whole = power[:, 1:].sum(axis=1)
    return np.asarray(2 * power[:, 2] > _TWICE * whole)


def _between_pixels(response: Array, places: NDArray[np.int64]) -> Array:
    """Extremes of the parabolas through three values along each axis."""
    moved = places.astype(np.float64)
    for axis, length in enumerate(response.shape):
        inside = (places[:, axis] > 0) & (places[:, axis] < length - 1)
        at = places[inside]
        step = np.eye(2, dtype=int)[axis]
        low, here, high = (response[tuple((at + k * step).T)] for k in (-1, 0, 1))
        curve = low - 2 * here + high
        slope = np.divide(low - high, 2 * curve, out=np.zeros(len(at)), where=curve < 0)
        moved[inside, axis] += np.clip(slope, -0.5, 0.5)
    return moved
