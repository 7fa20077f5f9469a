"""Crossings of lines: where the curves through the middles of two lines meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
_NEAR, _FAR = 0.14, 0.86
"""Part of the way to the next crossing that is looked at, clear of the lines across."""
_WIDE = 0.22
_SPACING, _MOST_SAMPLES = 1.5, 24
_LOW = 0.25
_FEWEST_SAMPLES, _ITERATIONS = 4, 4
_LEAST_CONTRAST, _CONTINUOUS = 0.3, 0.5
_ARMS = ((0, -1), (0, 1), (1, -1), (1, 1))


def crossings(
    image: Array, usable: BoolArray, places: Array, index: IntArray, steps: Array
) -> tuple[Array, Array]:
    """Crossings of lines brighter than the ground, (n, 2), and standard errors, (n,).

    Along each arm, from 0.14 to 0.86 of the way to the next crossing, the middle of the line is the
    centroid of its ink across it; a parabola is fitted to the middles of both arms, or of the only
    one, and two of those meet in the crossing. The error follows from how the
    middles scatter about their curves. NaN where a direction has no arm.
    """
    found = places.copy()
    errors = np.full(len(places), np.nan)
    for _ in range(3):
        arms = [_middles(image, usable, found, index, steps, *arm) for arm in _ARMS]
        curves = [_curve(arms[2 * axis], arms[2 * axis + 1]) for axis in (0, 1)]
        found, errors = _meeting(found, steps, curves)
    lengths = np.sqrt((steps**2).sum(axis=2)).min(axis=1)
    lost = ~(np.hypot(*(found - places).T) < lengths / 3)
    found[lost], errors[lost] = np.nan, np.nan
    return found, errors


def _frame(steps: Array, axis: int) -> tuple[Array, Array, Array, Array]:
    """Along and across the line that runs along rows (0) or columns (1): units and lengths.

    Axis 0 is the line on which the column changes.
    """
    along, across = steps[:, 1 - axis], steps[:, axis]
    length, width = (np.sqrt((each**2).sum(axis=1)) for each in (along, across))
    unit = along / length[:, None]
    normal = np.stack([unit[:, 1], -unit[:, 0]], axis=1)
    return unit, normal, length, width


def _middles(
    image: Array,
    usable: BoolArray,
    places: Array,
    index: IntArray,
    steps: Array,
    axis: int,
    sign: int,
) -> tuple[Array, Array]:
    """Places along an arm and the line's middles across it, (n, samples); NaN where there is none.

    In pixels from the place, in the frame of `_frame`.
    """
    unit, normal, length, width = _frame(steps, axis)
    known = {(int(r), int(c)): k for k, (r, c) in enumerate(index)}
    way = (0, sign) if axis == 0 else (sign, 0)
    beside = np.array([known.get((int(r) + way[0], int(c) + way[1]), -1) for r, c in index])
    samples = np.median(length) * (_FAR - _NEAR) / _SPACING
    count = int(np.clip(samples, _FEWEST_SAMPLES, _MOST_SAMPLES))
    along = sign * np.linspace(_NEAR, _FAR, count) * length[:, None]
    half = _WIDE * width
    reach = int(np.ceil(2 * np.median(half)))
    across = np.linspace(-1, 1, 2 * reach + 1) * half[:, None]
    # A chord to the next crossing is the first guess of where the line runs.
    target = np.where((beside >= 0)[:, None], places[beside], np.nan)
    chord = target - places
    slope = (chord * normal).sum(axis=1) / (chord * unit).sum(axis=1)
    middle = slope[:, None] * along
    known_pixels = usable.astype(np.float32)
    for _ in range(2):
        offset = middle[..., None] + across[:, None]
        at = (
            places[:, None, None]
            + along[..., None, None] * unit[:, None, None]
            + offset[..., None] * normal[:, None, None]
        )
        points = np.moveaxis(at, -1, 0).reshape(2, -1)
        bad = ~np.isfinite(points).all(axis=0)
        points[:, bad] = -9
        shape = at.shape[:-1]
        values = ndimage.map_coordinates(image, points, order=1, mode="nearest").reshape(shape)
        whole = ndimage.map_coordinates(known_pixels, points, order=1, cval=0.0).reshape(shape)
        ground, ink = np.percentile(values, (25, 100), axis=-1)
        contrast = ink - ground
        scale = np.where(contrast > 0, contrast, 1)
        weights = np.clip((values - ground[..., None]) / scale[..., None] - _LOW, 0, None)
        total = weights.sum(axis=-1)
        moved = (weights * across[:, None]).sum(axis=-1) / np.where(total > 0, total, 1)
        middle = middle + moved
    good = (whole.min(axis=-1) > 0.999) & (total > 0)
    strong = contrast[good & (contrast > 0)]
    good &= contrast > _LEAST_CONTRAST * (np.median(strong) if strong.size else np.inf)
    good &= np.abs(moved) < 0.5 * half[:, None]
    # A line runs all along; what is strong near the nodes alone is a row of dots.
    seen = whole.min(axis=-1) > 0.999
    good &= (good.sum(axis=1) >= _CONTINUOUS * seen.sum(axis=1))[:, None]
    return along, np.where(good, middle, np.nan)


def _curve(before: tuple[Array, Array], behind: tuple[Array, Array]) -> tuple[Array, Array]:
    """Coefficients of ``d(s) = a + b s + c s^2``, (n, 3), and the standard error of a, (n,)."""
    along = np.concatenate([before[0], behind[0]], axis=1)
    across = np.concatenate([before[1], behind[1]], axis=1)
    known = np.isfinite(across)
    scale = np.abs(along).max(axis=1, keepdims=True)
    s = along / scale
    both = np.stack([np.isfinite(each[1]).sum(axis=1) for each in (before, behind)])
    good = np.asarray((both >= _FEWEST_SAMPLES).any(axis=0))
    terms = np.stack([np.ones_like(s), s, s * s], axis=2) * known[..., None]
    normal = np.einsum("nki,nkj->nij", terms, terms)
    normal[~good] = np.eye(3)
    values = np.where(known, across, 0)
    fitted = np.linalg.solve(normal, np.einsum("nki,nk->ni", terms, values)[..., None])[..., 0]
    rest = np.where(known, values - np.einsum("nki,ni->nk", terms, fitted), 0)
    spare = known.sum(axis=1) - 3
    scatter = (rest**2).sum(axis=1)[good].sum() / max(spare[good].sum(), 1)
    scatter *= _repeated(np.where(known & good[:, None], rest, 0.0), before[1].shape[1])
    error = np.sqrt(scatter * np.linalg.inv(normal)[:, 0, 0])
    fitted = fitted / np.concatenate([np.ones_like(scale), scale, scale**2], axis=1)
    return np.where(good[:, None], fitted, np.nan), np.where(good, error, np.nan)


def _repeated(rest: Array, samples: int) -> float:
    """How many times neighbours along an arm say the same: ``1 + 2 sum rho``, at least 1.

    rho are the autocorrelations of the residuals (n, 2 samples) of both arms, up to the first that
    is not positive (Geyer 1992).
    """
    arms = rest.reshape(-1, samples)
    used = (arms != 0).astype(float)
    power = float((arms**2).sum() / max(used.sum(), 1))
    total = 1.0
    for lag in range(1, samples):
        pairs = float((used[:, lag:] * used[:, :-lag]).sum())
        both = float((arms[:, lag:] * arms[:, :-lag]).sum())
        if power <= 0 or pairs <= 0 or both <= 0:
            break
        total += 2 * both / pairs / power
    return total


def _meeting(places: Array, steps: Array, curves: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Where two curves meet, and the standard error of a coordinate of it."""
    at: Array = np.zeros(places.shape)
    frames = [_frame(steps, axis) for axis in (0, 1)]
    slopes = np.zeros((len(places), 2, 2))
    for _ in range(_ITERATIONS):
        misfit: Array = np.zeros(places.shape)
        for axis, ((unit, normal, *_), (curve, _)) in enumerate(zip(frames, curves, strict=True)):
            s = (at * unit).sum(axis=1)
            misfit[:, axis] = (at * normal).sum(axis=1) - (curve.T * [s**0, s, s * s]).sum(axis=0)
            bend = curve[:, 1] + 2 * curve[:, 2] * s
            slopes[:, axis] = normal - bend[:, None] * unit
        good = np.asarray(np.isfinite(misfit).all(axis=1) & np.isfinite(slopes).all(axis=(1, 2)))
        slopes[~good] = np.eye(2)
        rest = np.where(good[:, None], misfit, 0)[..., None]
        at = np.asarray(at - np.linalg.solve(slopes, rest)[..., 0])
    inverse = np.linalg.inv(slopes)
    spread = np.stack([error for _, error in curves], axis=1)
    errors = np.sqrt(((inverse * spread[:, None]) ** 2).sum(axis=(1, 2)) / 2)
    return np.where(good[:, None], places + at, np.nan), np.where(good, errors, np.nan)
