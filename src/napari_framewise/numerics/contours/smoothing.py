"""Contours with evenly spaced points, and Gaussian smoothing along them."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from napari_framewise.numerics.contours.contour import Contour
from napari_framewise.numerics.contours.measures import arc_lengths, length

_FIRST = 1.5
_TRUNCATE = 4.0


def resampled(contour: Contour, spacing: float) -> Contour:
    """A contour with points at equal ways along it, about a spacing apart.

    Parameters
    ----------
    contour : Contour
        Straight between its points.
    spacing : float
        In the unit of the points; the nearest that divides the length evenly is taken, and a
        closed contour keeps at least 8 points, an open one its ends and at least 3.

    Returns
    -------
    Contour
        Begins where the given one does.

    Raises
    ------
    ValueError
        Where the spacing is not positive.

    Examples
    --------
    >>> resampled(Contour([[0, 0], [0, 4]], closed=False), 1.0).points[:, 1].tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    if not spacing > 0:
        raise ValueError(f"A spacing of {spacing:g} was given; a positive one is needed.")
    ways = arc_lengths(contour)
    count = max(round(ways[-1] / spacing), 8 if contour.closed else 2)
    at = np.linspace(0.0, ways[-1], count + 1)
    at = at[:-1] if contour.closed else at
    points = [np.interp(at, ways, axis) for axis in contour.round.T]
    return Contour(np.stack(points, axis=1), contour.closed)


def smoothed(contour: Contour, sigma: float) -> Contour:
    """A contour whose points are smoothed by a Gaussian along it, round and round if closed.

    Beyond an open end its points are mirrored through that end, which stays in its place.

    Parameters
    ----------
    contour : Contour
        With evenly spaced points, as `resampled` gives them.
    sigma : float
        Standard deviation along the contour in the unit of the points; see `largest_sigma`.

    Returns
    -------
    Contour
        With as many points. A circle of radius r shrinks to ``r exp(-sigma^2 / (2 r^2))``.

    Examples
    --------
    >>> line = resampled(Contour([[0, 0], [0, 9]], closed=False), 1.0)
    >>> bool(np.allclose(smoothed(line, 2.0).points, line.points))
    True
    """
    points, count = contour.points, len(contour)
    step = length(contour) / max(count if contour.closed else count - 1, 1)
    if not sigma or not step:
        return contour
    width = sigma / step
    if contour.closed:
        even = gaussian_filter1d(points, width, axis=0, mode="wrap", truncate=_TRUNCATE)
        return Contour(even, True)
    reach = int(_TRUNCATE * width + 0.5)
    longer = np.pad(points, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    even = gaussian_filter1d(longer, width, axis=0, mode="nearest", truncate=_TRUNCATE)
    even = even[reach : reach + count]
    even[[0, -1]] = points[[0, -1]]
    return Contour(even, False)


def largest_sigma(contour: Contour) -> float:
    """The most that smoothing leaves of a contour what it is: half the radius of a circle.

    Of a circle as long as the contour, where it is closed; a quarter of its length else.

    Examples
    --------
    >>> largest_sigma(Contour(np.array([[0.0, 0.0], [0.0, 8.0]]), closed=False))
    2.0
    """
    return length(contour) / (4 * np.pi if contour.closed else 4)


def smoothed_outline(outline: Contour, sigma: float, spacing: float) -> tuple[Contour, float]:
    """An outline of a mask as a smooth curve with evenly spaced points.

    The points of an outline stand closer where it runs slantwise than where it runs straight, so
    it is resampled, smoothed a little, resampled again, and smoothed by what is left:
    ``sigma^2 = sigma_1^2 + sigma_2^2``.

    Parameters
    ----------
    outline : Contour
        As `outlines` gives it.
    sigma : float
        Standard deviation along it in the unit of the points.
    spacing : float
        From point to point, about.

    Returns
    -------
    smooth : Contour
        The curve.
    sigma : float
        By how much it was smoothed: `sigma`, or `largest_sigma` where that is less.

    Examples
    --------
    >>> rows, columns = np.indices((64, 64)) - 31.3
    >>> from napari_framewise.numerics.contours import outlines
    >>> (outline,) = outlines(rows**2 + columns**2 < 20**2)
    >>> smooth, sigma = smoothed_outline(outline, 6.0, 0.5)
    >>> bool(abs(smooth.points.mean() - 31.3) < 0.1), sigma
    (True, 6.0)
    """
    applied = min(sigma, largest_sigma(outline))
    first = min(_FIRST, applied / np.sqrt(2))
    even = resampled(smoothed(resampled(outline, spacing), first), spacing)
    return smoothed(even, float(np.sqrt(applied**2 - first**2))), applied
