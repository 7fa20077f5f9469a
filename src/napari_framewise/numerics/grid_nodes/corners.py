"""Corners of chessboards as saddle points of quadratics fitted to the pixels around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_OF_PITCH, _LEAST, _MOST = 0.075, 1.7, 6.0
_REACH, _ITERATIONS, _AT_ONCE = 3.0, 6, 512
_STEEPEST = 0.5
"""Of the contrast of squares: light that changes by more from one corner to the next is none."""
_WITHIN, _SAMPLES = (0.25, 0.7), 8
"""Part of a square, from the corner, that is looked at for the light, at so many places a side."""
_WHOLE = 0.97
"""Share of a window's weight that must lie on pixels with data."""


def corners(
    image: Array, usable: BoolArray, places: Array, steps: Array, noise: float
) -> tuple[Array, Array]:
    """Saddle points, (n, 2), and their standard errors, (n,); NaN where there is none.

    ``f(p) = a + g'p + p'Hp / 2`` is fitted by least squares with Gaussian weights around the last
    estimate, which moves to ``-H^-1 (g - m)`` until it stays. m is the slope of the light, the mean
    of those of planes through the inner parts of the white and of the black squares around: uneven
    light would move the saddle. So would a contrast that changes along the squares, which is why
    H's term is ``(1 + k'p) p'Hp / 2``, with k the difference of these slopes over that of white and
    black. The error is that of g and m by the noise, carried on by H; a corner's weights are taken
    as fixed.

    Parameters
    ----------
    image : (y, x) float64
        Without gaps.
    usable : (y, x) bool
        Pixels that count.
    places : (n, 2)
        Where to begin, within a third of the pitch.
    steps : (n, 2, 2)
        Ways to the corner of the next row and column, in pixels.
    noise : float
        Standard deviation of the pixels' noise.
    """
    found, errors = np.full(places.shape, np.nan), np.full(len(places), np.nan)
    pitch = np.sqrt((steps**2).sum(axis=2)).min(axis=1)
    sigma = np.clip(_OF_PITCH * pitch, _LEAST, _MOST)
    tilts, spread, change = _light(image, usable, places, steps)
    for start in range(0, len(places), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        light = tilts[part], spread[part], change[part]
        found[part], errors[part] = _some(image, usable, places[part], sigma[part], *light, noise)
    lost = ~(np.hypot(*(found - places).T) < pitch / 3)
    found[lost], errors[lost] = np.nan, np.nan
    return found, errors


def _some(
    image: Array,
    usable: BoolArray,
    places: Array,
    sigma: Array,
    tilts: Array,
    tilts_spread: Array,
    change: Array,
    noise: float,
) -> tuple[Array, Array]:
    reach = int(np.ceil(_REACH * sigma.max()))
    grid = np.argwhere(np.ones((2 * reach + 1,) * 2)) - reach
    last = np.array(image.shape) - 1
    at, moved = places.copy(), np.zeros_like(places)
    hessian, spread = np.zeros((len(at), 2, 2)), np.zeros((len(at), 2, 2))
    good = np.ones(len(at), bool)
    for _ in range(_ITERATIONS):
        base = np.rint(at).astype(np.int64)
        pixels = base[:, None] + grid
        inside = ((pixels >= 0) & (pixels <= last)).all(axis=2)
        rows, columns = np.moveaxis(np.clip(pixels, 0, last), 2, 0)
        values = image[rows, columns]
        away = pixels - at[:, None]
        # Nearly a Gaussian, and nothing at the window's border: no jump as the window moves.
        full = np.clip(1 - (away**2).sum(axis=2) / (_REACH * sigma[:, None]) ** 2, 0, 1) ** 4
        weights = full * (inside & usable[rows, columns])
        good &= weights.sum(axis=1) > _WHOLE * full.sum(axis=1)
        y, x = np.moveaxis(away / sigma[:, None, None], 2, 0)
        rise = np.clip(1 + np.einsum("nki,ni->nk", away, change), 0.2, 5)
        bent = [rise * each for each in (y * y / 2, y * x, x * x / 2)]
        terms = np.stack([np.ones_like(y), y, x, *bent], axis=2)
        weighted = terms * weights[..., None]
        normal = np.einsum("nki,nkj->nij", weighted, terms)
        right = np.einsum("nki,nk->ni", weighted, values)
        normal[~good] = np.eye(6)
        fitted = np.linalg.solve(normal, right[..., None])[..., 0]
        slope = fitted[:, 1:3] - tilts * sigma[:, None]
        hessian = fitted[:, [[3, 4], [4, 5]]]
        determinant = np.linalg.det(hessian)
        good &= determinant < 0
        hessian[~good] = np.eye(2)
        step = -np.linalg.solve(hessian, slope[..., None])[..., 0]
        moved = np.clip(step, -1, 1) * sigma[:, None]
        at = np.where(good[:, None], at + moved, at)
        squares = np.einsum("nki,nkj->nij", weighted, weighted)
        once = np.linalg.solve(normal, squares)
        spread = np.linalg.solve(normal, once.transpose(0, 2, 1))[:, 1:3, 1:3]
        spread = spread + tilts_spread * sigma[:, None, None] ** 2
    good &= (np.abs(moved) < 0.05).all(axis=1)
    half = np.linalg.solve(hessian, spread)
    covariance = np.linalg.solve(hessian, half.transpose(0, 2, 1))
    variance = np.maximum(np.trace(covariance, axis1=1, axis2=2) / 2, 0)
    errors = noise * sigma * np.sqrt(variance)
    return np.where(good[:, None], at, np.nan), np.where(good, errors, np.nan)


def _light(
    image: Array, usable: BoolArray, places: Array, steps: Array
) -> tuple[Array, Array, Array]:
    """Slopes of the light at corners, (n, 2), their covariance for noise of 1, (n, 2, 2), and k.

    k, (n, 2), is the slope of the contrast over the contrast.

    Of each colour a plane through pixels well within its two squares; none where too few are seen,
    or where it is too steep for light, as at the border of a board.
    """
    parts = np.linspace(*_WITHIN, _SAMPLES)
    square = np.stack([each.ravel() for each in np.meshgrid(parts, parts)], axis=1)
    last = np.array(image.shape) - 1
    tilts = np.zeros((2, *places.shape))
    spreads = np.zeros((2, len(places), 2, 2))
    means = np.zeros((2, len(places)))
    seen = np.ones(len(places), bool)
    for colour, signs in enumerate((np.array([1, 1]), np.array([1, -1]))):
        at = np.concatenate([square * signs, -square * signs])
        pixels = places[:, None] + np.einsum("ks,nsi->nki", at, steps)
        inside = ((pixels >= 0) & (pixels <= last)).all(axis=2)
        rows, columns = np.moveaxis(np.clip(np.rint(pixels), 0, last).astype(np.int64), 2, 0)
        weights = (inside & usable[rows, columns]).astype(float)
        count = np.maximum(weights.sum(axis=1), 1)
        rest = pixels - ((pixels * weights[..., None]).sum(axis=1) / count[:, None])[:, None]
        rest = rest * weights[..., None]
        normal = np.einsum("nki,nkj->nij", rest, rest)
        seen &= (weights.sum(axis=1) >= _SAMPLES**2) & (np.linalg.det(normal) > 1)
        normal[~seen] = np.eye(2)
        values = ndimage.map_coordinates(image, pixels.reshape(-1, 2).T, order=1, mode="nearest")
        values = values.reshape(weights.shape)
        means[colour] = (values * weights).sum(axis=1) / count
        right = np.einsum("nki,nk->ni", rest, values - means[colour][:, None])
        tilts[colour] = np.linalg.solve(normal, right[..., None])[..., 0]
        spreads[colour] = np.linalg.inv(normal)
    tilt, spread = tilts.mean(axis=0), spreads.sum(axis=0) / 4
    pitch = np.sqrt((steps**2).sum(axis=2)).max(axis=1)
    contrast = means[0] - means[1]
    seen &= np.hypot(*tilt.T) * pitch < _STEEPEST * np.abs(contrast)
    change = (tilts[0] - tilts[1]) / np.where(contrast == 0, 1, contrast)[:, None]
    return (
        np.where(seen[:, None], tilt, 0.0),
        np.where(seen[:, None, None], spread, 0.0),
        np.where(seen[:, None], change, 0.0),
    )
