"""Where an outline lies to sub-pixels, along its path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.curves.paths import SEEN, Path, WayPoints
from napari_framewise.numerics.curves.strength import OutlineStrength

Array = NDArray[np.float64]

_STEP = 0.5
_STRETCH = 3.0
_REACH = 2.5
_PRIOR = 1.5
_FAINTEST = 2.0
_STAIRS = 3.0


@dataclass(frozen=True, eq=False)
class Sightings:
    """Places at which an outline was seen, in the order of its path.

    Attributes
    ----------
    columns, rows : (n,) float64
        Sub-pixel coordinates.
    weights : (n,) float64
        Inverse variance of a row at its column, up to a factor: how much of the stretch was seen,
        times the squared cosine of the outline's slope, for what is measured is the distance along
        the normal.
    stretch : float
        Length in pixels that one place stands for: errors of neighbouring places are about
        independent.
    """

    columns: Array
    rows: Array
    weights: Array
    stretch: float


def outline_sightings(
    path: Path, strength: OutlineStrength, way_points: WayPoints = ()
) -> Sightings:
    """Where an outline lies along its path, to sub-pixels.

    Parameters
    ----------
    path : Path
    strength : OutlineStrength
        That the path was found in.
    way_points : sequence of sequences of (y, x), optional
        Those that the path passes through count as sightings too.

    Returns
    -------
    Sightings
        None in gaps.

    Notes
    -----
    At every pixel of the path the answer of the short filter is looked at along the normal, up to
    2.5 sigmas to both sides; the top of a parabola through its best peak is the place, nearer ones
    being preferred. The median of the places along three sigmas, over which the filters tie them
    together, is one observation.

    Examples
    --------
    >>> from napari_framewise.numerics.curves import outline_paths, outline_strength
    >>> rows, columns = np.indices((60, 80))
    >>> frame = -np.exp(-((rows - 20.3 - 0.25 * columns) ** 2) / 4)
    >>> frame += np.random.default_rng(0).normal(0, 0.05, frame.shape)
    >>> strength = outline_strength(frame)
    >>> found = outline_sightings(outline_paths(strength)[0], strength)
    >>> bool(np.abs(found.rows - 20.3 - 0.25 * found.columns).max() < 0.2)
    True
    """
    pixels = path.pixels
    seen = strength.strength[pixels[:, 0], pixels[:, 1]] >= SEEN
    sigma = strength.sigma
    smooth = ndimage.gaussian_filter1d(pixels.astype(np.float64), _STAIRS, axis=0, mode="nearest")
    angles = strength.angle[pixels[:, 0], pixels[:, 1]]
    normal = np.stack([np.cos(angles), -np.sin(angles)], axis=1)
    offsets, found = _offsets(strength.detail, smooth, normal, sigma)
    seen &= found
    arc = np.concatenate([[0.0], np.hypot(*np.diff(smooth, axis=0).T).cumsum()])
    stretch = _STRETCH * sigma
    groups = (arc / stretch).astype(np.int64)
    columns, rows, weights = [], [], []
    for group in np.unique(groups[seen]):
        here = np.flatnonzero(seen & (groups == group))
        doubled = np.exp(2j * angles[here]).mean()
        angle = float(np.angle(doubled)) / 2
        shift = float(np.median(offsets[here]))
        place = smooth[here].mean(axis=0) + shift * np.array([np.cos(angle), -np.sin(angle)])
        rows.append(place[0])
        columns.append(place[1])
        weights.append(len(here) / np.count_nonzero(groups == group) * np.cos(angle) ** 2)
    for y, x in (point for group in way_points if path.passes(group) for point in group):
        rows.append(y)
        columns.append(x)
        weights.append(1.0)
    order = np.argsort(columns, kind="stable")
    at, down, inverse = (np.array(each, np.float64)[order] for each in (columns, rows, weights))
    return Sightings(at, down, inverse, stretch)


def _offsets(
    detail: Array, places: Array, normals: Array, sigma: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Distance along the normal to the best peak, and whether there is one."""
    reach = np.arange(-_REACH * sigma, _REACH * sigma + _STEP / 2, _STEP)
    at = places[:, :, np.newaxis] + normals[:, :, np.newaxis] * reach
    profile = ndimage.map_coordinates(detail, at.transpose(1, 0, 2), order=3, mode="nearest")
    peak = np.zeros(profile.shape, bool)
    inner = profile[:, 1:-1]
    peak[:, 1:-1] = (inner > profile[:, :-2]) & (inner >= profile[:, 2:]) & (inner >= _FAINTEST)
    near = np.exp(-((reach / (_PRIOR * sigma)) ** 2) / 2)
    best = np.where(peak, profile * near, -1.0).argmax(axis=1)
    index = np.arange(len(best))
    found = peak[index, best]
    best = np.clip(best, 1, len(reach) - 2)
    before, there, after = (profile[index, best + step] for step in (-1, 0, 1))
    bend = before - 2 * there + after
    move = np.divide(before - after, 2 * bend, out=np.zeros(len(best)), where=bend < 0)
    return reach[best] + _STEP * np.clip(move, -0.5, 0.5), found
