"""Length, area, normals and curvature of a contour."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.contours.contour import Array, Contour


def arc_lengths(contour: Contour, sigma: float = 0.0) -> Array:
    """Way from the first point to each, along the chords; of a closed one back to the first too.

    Parameters
    ----------
    contour : Contour
        Whose way is measured.
    sigma : float
        By how much it was smoothed: what each piece shrank by is taken back; see `curvature`.

    Returns
    -------
    (m,) or, of a closed contour, (m + 1,) float64
        From 0, in the unit of the points.

    Examples
    --------
    >>> arc_lengths(Contour([[0, 0], [0, 3], [4, 3]], closed=True)).tolist()
    [0.0, 3.0, 7.0, 12.0]
    """
    steps = np.hypot(*np.diff(contour.round, axis=0).T)
    if sigma and len(contour) > 2:
        shares = _shrinkage(np.nan_to_num(_bent(contour)), sigma)
        after = np.roll(shares, -1)
        steps = steps / ((shares + after) / 2)[: len(steps)]
    return np.concatenate([[0.0], np.cumsum(steps)])


def length(contour: Contour) -> float:
    """Length of a contour along its chords, in the unit of its points.

    Examples
    --------
    >>> length(Contour(np.array([[0.0, 0.0], [3.0, 4.0]]), closed=False))
    5.0
    """
    return float(arc_lengths(contour)[-1])


def signed_area(contour: Contour) -> float:
    """Area that a closed contour encloses, negative around a hole; NaN of an open one.

    ``A = 1/2 sum (x_i y_i+1 - x_i+1 y_i)`` with y upwards (the shoelace formula).

    Examples
    --------
    >>> signed_area(Contour([[0, 0], [2, 0], [2, 3], [0, 3]], closed=True))
    6.0
    """
    if not contour.closed:
        return float("nan")
    # About its middle, so that a far place costs no digits.
    rows, columns = (contour.points - contour.points.mean(axis=0)).T
    return 0.5 * float(rows @ np.roll(columns, -1) - columns @ np.roll(rows, -1))


def normals(contour: Contour) -> Array:
    """Unit vectors at the points, outwards: orthogonal to the line through both neighbours.

    At the ends of an open contour the line runs through the end and its only neighbour
    (Criminisi, Perez & Toyama 2004, section III).

    Returns
    -------
    (m, 2) float64
        Along rows and columns; NaN where both neighbours lie in one place.

    Examples
    --------
    >>> normals(Contour([[0, 0], [2, 0], [2, 2], [0, 2]], closed=True)).round(3).tolist()[1]
    [0.707, -0.707]
    """
    before, after = _neighbours(contour)
    along = after - before
    size = np.hypot(*along.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        units = along / np.where(size > 0, size, np.nan)[:, None]
    # What is enclosed lies to the left, so outwards is to the right.
    return np.stack([units[:, 1], -units[:, 0]], axis=1)


def curvature(contour: Contour, sigma: float = 0.0) -> Array:
    """Curvature at the points: positive where what is enclosed bulges, 1/r on a disc.

    ``k = (x' y'' - y' x'') / |(x', y')|^3`` by central differences over the points' numbers, which
    should lie about evenly. Gaussian smoothing by `sigma` shrinks a circle of curvature k to one of
    ``k' = k exp(k^2 sigma^2 / 2)``; solved for k this is ``(k sigma)^2 = W((k' sigma)^2)`` with
    Lambert's W (after Lowe 1989, Int. J. Computer Vision 3, 119-130).

    Parameters
    ----------
    contour : Contour
        Smoothed: second differences of the points of a mask are those of a staircase.
    sigma : float
        By how much it was smoothed, in the unit of its points.

    Returns
    -------
    (m,) float64
        In one over the unit of the points; NaN at both ends of an open contour, and where
        neighbours coincide.

    Examples
    --------
    >>> turn = 2 * np.pi * np.arange(200) / 200
    >>> circle = Contour(np.stack([-5 * np.sin(turn), 5 * np.cos(turn)], axis=1), closed=True)
    >>> curvature(circle)[0].round(3)
    np.float64(0.2)
    """
    bent = _bent(contour)
    return bent * _shrinkage(bent, sigma)


def _bent(contour: Contour) -> Array:
    """Curvature of the points as they are."""
    before, after = _neighbours(contour)
    first, second = (after - before) / 2, after - 2 * contour.points + before
    speed = np.hypot(*first.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        bent = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / speed**3
    bent = np.where(speed > 0, bent, np.nan)
    if not contour.closed:
        bent[[0, -1]] = np.nan
    return bent


def _shrinkage(bent: Array, sigma: float) -> Array:
    """Radius after smoothing over radius before, from the curvature after it."""
    if not sigma:
        return np.ones_like(bent)
    from scipy.special import lambertw

    branch: Any = lambertw
    return np.asarray(np.exp(-branch((bent * sigma) ** 2).real / 2))


def _neighbours(contour: Contour) -> tuple[Array, Array]:
    """The points before and behind each; at an end the end itself."""
    points = contour.points
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    if not contour.closed:
        before[0], after[-1] = points[0], points[-1]
    return before, after
