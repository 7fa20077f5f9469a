"""Centres of dots: centroids of their ink, corrected for what a bent map does to a disc."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from napari_framewise.numerics.bsplines import Axis, Lattice, fit

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
_ITERATIONS, _AT_ONCE = 5, 512
_LOW, _HIGH = 0.2, 0.8
"""Of the way from ground to ink: below is none, above is all."""
_LEAST_CONTRAST, _SIZES = 0.35, (0.4, 2.5)
_WHOLE = 0.98
_DOTS_AROUND, _FEWEST_AROUND, _GROUND = 9, 6, 0.4873  # no tie for whole numbers
_FEWEST_IN_PLANE, _STEEPEST = 24, 0.5
"""Fewest pixels of ground whose tilt is found; a ground that rises by more of the contrast
over a dot's surroundings is no light."""
_FEWEST_TO_BEND = 3


def centres(
    image: Array, usable: BoolArray, places: Array, pitch: Array, noise: float, blur: float = 0.0
) -> tuple[Array, Array, Array]:
    """Centroids of dots brighter than the ground, (n, 2), standard errors and areas, (n,).

    NaN where a dot is cut by the border or a gap, much paler than the others, or of another size.
    `noise` is that of the pixels before they were smoothed by a Gaussian of `blur` pixels.
    """
    found = [np.empty((0, 2)), *(np.empty(0) for _ in range(3))]
    for start in range(0, len(places), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        here = _some(image, usable, places[part], pitch[part], noise, blur)
        found = [np.concatenate(pair) for pair in zip(found, here, strict=True)]
    at, errors, areas, contrast = found
    with np.errstate(invalid="ignore"):
        usual = areas / pitch**2
        size = usual / np.nanmedian(usual) if np.isfinite(usual).any() else usual
        strong = np.nanmedian(contrast) if np.isfinite(contrast).any() else np.nan
        good = (contrast > _LEAST_CONTRAST * strong) & (size > _SIZES[0]) & (size < _SIZES[1])
        good &= np.hypot(*(at - places).T) < pitch / 3
    at[~good], errors[~good], areas[~good] = np.nan, np.nan, np.nan
    return at, errors, areas


def _some(
    image: Array, usable: BoolArray, places: Array, pitch: Array, noise: float, blur: float
) -> tuple[Array, Array, Array, Array]:
    reach = int(np.ceil(pitch.max() / 2)) + 1
    grid = np.argwhere(np.ones((2 * reach + 1,) * 2)) - reach
    last = np.array(image.shape) - 1
    at = places.copy()
    light: tuple[Array, Array] | None = None
    for _ in range(_ITERATIONS):
        pixels = np.rint(at).astype(np.int64)[:, None] + grid
        inside = ((pixels >= 0) & (pixels <= last)).all(axis=2)
        rows, columns = np.moveaxis(np.clip(pixels, 0, last), 2, 0)
        away = pixels - at[:, None]
        within = (away**2).sum(axis=2) <= (pitch[:, None] / 2) ** 2
        known = within & inside & usable[rows, columns]
        values = np.where(known, image[rows, columns], np.nan)
        some = known.any(axis=1)
        values[~some] = 0
        if light is None:
            light = _light(values, away, known, places)
        tilt, change = light
        values -= np.einsum("nki,ni->nk", away, tilt)
        ground, ink = np.nanpercentile(values, (20, 95), axis=1)
        contrast = np.maximum(ink - ground, 0)
        scale = np.where(contrast > 0, contrast, 1)
        rise = 1 + np.einsum("nki,ni->nk", away, change) / scale[:, None]
        level = np.where(known, values, 0) - ground[:, None]
        level /= scale[:, None] * np.clip(rise, 0.2, 5)
        weights = np.where(known, np.clip((level - _LOW) / (_HIGH - _LOW), 0, 1), 0)
        total = weights.sum(axis=1)
        sure = np.where(total > 0, total, 1)
        at = at + (weights[..., None] * away).sum(axis=1) / sure[:, None]
    # Whole where all that lies as near as the ink reaches, and a pixel more, is known.
    radius = np.sqrt(total / np.pi)
    near = (away**2).sum(axis=2) <= (radius[:, None] + 1.5) ** 2
    whole = (near & inside & usable[rows, columns]).sum(axis=1) >= _WHOLE * near.sum(axis=1)
    good = whole & (total > 3) & (contrast > 0)
    sloped = (weights > 0) & (weights < 1)
    arms = np.where(sloped[..., None], away, 0.0)
    if blur > 0:
        # What a pixel's noise does after the smoothing.
        side = 2 * reach + 1
        windows = arms.reshape(-1, side, side, 2)
        arms = ndimage.gaussian_filter(windows, blur, axes=(1, 2)).reshape(arms.shape)
    arms = (arms**2).sum(axis=(1, 2)) / 2
    errors = noise / (scale * (_HIGH - _LOW)) * np.sqrt(arms) / sure
    return (
        np.where(good[:, None], at, np.nan),
        np.where(good, errors, np.nan),
        np.where(good, total, np.nan),
        np.where(good, contrast, np.nan),
    )


def _light(values: Array, away: Array, known: BoolArray, places: Array) -> tuple[Array, Array]:
    """Slopes of the ground around dots, and of the contrast, each (n, 2).

    Without them the brighter side of a dot's surroundings would count as ink, and its edge there
    as further out. The ground's is that of a plane through it, the contrast's that of a plane
    through the contrasts of the dots around.
    """
    tilt = np.zeros(places.shape)
    reach = np.sqrt(np.where(known, (away**2).sum(axis=2), 0).max(axis=1))
    for _ in range(2):
        flat = values - np.einsum("nki,ni->nk", away, tilt)
        ground, ink = np.nanpercentile(flat, (20, 95), axis=1)
        way = np.where(ink > ground, ink - ground, 1)
        level = (flat - ground[:, None]) / way[:, None]
        tilt = _slopes(values, away, known & (level < _GROUND), _FEWEST_IN_PLANE)
        tilt[np.hypot(*tilt.T) * reach > _STEEPEST * way] = 0
    near = min(_DOTS_AROUND, len(places))
    _, around = cKDTree(places).query(places, k=near)
    around = np.reshape(around, (len(places), near))
    ways = places[around] - places[:, None]
    return tilt, _slopes(way[around], ways, np.ones(around.shape, bool), _FEWEST_AROUND)


def _slopes(values: Array, away: Array, chosen: BoolArray, fewest: int) -> Array:
    """Slopes (n, 2) of the planes through chosen values; 0 where there are too few."""
    count = chosen.sum(axis=1)
    weights = chosen[..., None] / np.maximum(count, 1)[:, None, None]
    rest = away - (away * weights).sum(axis=1)[:, None]
    covariance = np.einsum("nki,nkj->nij", rest * weights, rest)
    right = np.einsum("nki,nk->ni", rest * weights, np.where(chosen, values, 0))
    good = (count >= fewest) & (np.linalg.det(covariance) > 0.1)
    covariance[~good] = np.eye(2)
    found = np.linalg.solve(covariance, right[..., None])[..., 0]
    return np.asarray(np.where(good[:, None], found, 0.0))


def straightened(places: Array, index: IntArray, areas: Array) -> Array:
    """Centres of discs of which only the centroids of their images are known.

    For a map f from the board (rows, columns) to the image, with J its Jacobian, the centroid of
    the image of a disc of radius r is to second order ``f + r^2 / 4 (lap f / 2 + Df grad ln |J|)``;
    f is a smooth spline through the centroids, r follows from the areas. Fewer than 3 x 3 nodes are
    left as they are.
    """
    if len(places) < _FEWEST_TO_BEND**2 or np.ptp(index, axis=0).min() < _FEWEST_TO_BEND - 1:
        return places
    last = index.max(axis=0)
    axes = tuple(
        Axis(0.0, float(end), int(np.clip(end // 2, 1, 14)), int(min(3, end))) for end in last
    )
    bent = fit(Lattice(axes), index.astype(float), places)
    at = index.astype(float)
    first = np.stack([bent.values(at, order) for order in ((1, 0), (0, 1))], axis=-1)
    second = {order: bent.values(at, order) for order in ((2, 0), (1, 1), (0, 2))}
    (a, b), (c, d) = first[0].T, first[1].T
    determinant = a * d - b * c
    changes = []
    for one, other in (((2, 0), (1, 1)), ((1, 1), (0, 2))):
        by = second[one], second[other]
        changes.append(by[0][0] * d + a * by[1][1] - by[1][0] * c - b * by[0][1])
    flat = np.abs(determinant) < 1e-12
    safe = np.where(flat, 1, determinant)
    square = np.median(areas / (np.pi * np.abs(safe)))
    slope = np.stack(changes, axis=-1) / safe[:, None]
    shift = (second[2, 0] + second[0, 2]).T / 2 + np.einsum("knj,nj->nk", first, slope)
    return np.asarray(np.where(flat[:, None], places, places - square / 4 * shift))
