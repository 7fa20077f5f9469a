"""Smoothing and gradients by Gaussians and their derivatives, with masks.

Arrays are *planes*: any leading axes (channels, say), then the `ndim` axes of the grid.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.separable import Edge, correlated

BoolArray = NDArray[np.bool_]
_TRUNCATE = 4.0


@lru_cache(maxsize=64)
def gaussian_taps(sigma: float, order: int = 0, truncate: float = _TRUNCATE) -> NDArray[np.float64]:
    """Taps of a sampled Gaussian or of its first derivative, to correlate with.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels; 0 is no smoothing, and the central difference.
    order : {0, 1}
        Gaussian (sums to one) or derivative (a ramp of slope one gives one).
    truncate : float
        Radius in standard deviations.

    Returns
    -------
    (2 * radius + 1,) float64
        Odd in number, at least three for a derivative.

    Raises
    ------
    ValueError
        Where sigma is negative or not finite.

    Examples
    --------
    >>> taps = gaussian_taps(1.0)
    >>> len(taps) % 2, round(float(taps.sum()), 12)
    (1, 1.0)
    >>> float(np.round(gaussian_taps(1.0, order=1) @ np.arange(len(taps)), 6))
    1.0
    """
    if not (np.isfinite(sigma) and sigma >= 0):
        raise ValueError(f"A Gaussian of sigma {sigma} was asked for; give 0 or more pixels.")
    radius = max(int(np.ceil(truncate * sigma)), order)
    offsets = np.arange(-radius, radius + 1, dtype=np.float64)
    # Narrower than this nothing but the central pixel is left.
    wide = sigma > 0.1
    bell = np.exp(-0.5 * (offsets / sigma) ** 2) if wide else (offsets == 0).astype(float)
    if order == 0:
        taps: NDArray[np.float64] = bell / bell.sum()
    else:
        slope = offsets * bell if wide else np.array([-1.0, 0.0, 1.0])
        reach = len(slope) // 2
        taps = slope / (slope @ np.arange(-reach, reach + 1))
    # One array serves all callers.
    taps.setflags(write=False)
    return taps


def smooth(
    planes: NDArray[Any],
    sigma: float,
    *,
    ndim: int = 2,
    edge: Edge = "even",
    truncate: float = _TRUNCATE,
) -> NDArray[Any]:
    """Gaussian smoothing over the grid axes of finite planes, in their own float type.

    Examples
    --------
    >>> spike = np.zeros((9, 9))
    >>> spike[4, 4] = 1.0
    >>> smoothed = smooth(spike, 1.0)
    >>> bool(smoothed[4, 4] < 0.2), round(float(smoothed.sum()), 6)
    (True, 1.0)
    """
    if sigma == 0:
        return planes
    taps = gaussian_taps(sigma, truncate=truncate)
    for axis in range(-ndim, 0):
        planes = correlated(planes, taps, axis, edge)
    return planes


def gradient(planes: NDArray[Any], sigma: float, *, ndim: int = 2) -> NDArray[Any]:
    """Derivatives along each axis of the grid, of finite planes smoothed by a Gaussian.

    Past the border a ramp goes on, so that the derivative there is not halved.

    Parameters
    ----------
    planes : (..., *grid) float32 or float64
        Finite values; see `pyramid.filled`.
    sigma : float
        Gaussian whose derivative is taken, in pixels; 0 takes central differences.
    ndim : int
        Number of grid axes.

    Returns
    -------
    (ndim, ..., *grid)
        Change per pixel along each axis, in row-column order.

    Examples
    --------
    >>> rows, columns = np.mgrid[0:16, 0:16].astype(float)
    >>> slopes = gradient(3 * rows - 2 * columns, 1.0)
    >>> np.round(slopes[:, 8, 8], 6).tolist()
    [3.0, -2.0]
    """
    slope, bell = gaussian_taps(sigma, 1), gaussian_taps(sigma)
    out = np.empty((ndim, *planes.shape), planes.dtype)
    for axis in range(ndim):
        values = planes
        for other in range(ndim):
            taps = slope if other == axis else bell
            if len(taps) > 1:
                values = correlated(values, taps, other - ndim, "odd")
        out[axis] = values
    return out


def gradient_radius(sigma: float) -> int:
    """Pixels around a value that its gradient depends on: what a mask is to be eroded by.

    Examples
    --------
    >>> gradient_radius(1.0) >= 3
    True
    """
    return len(gaussian_taps(sigma, 1)) // 2


def eroded(valid: BoolArray, radius: int, *, outside: bool = True) -> BoolArray:
    """Pixels whose whole square (or cube) neighbourhood of a radius is valid.

    Parameters
    ----------
    valid : (*grid) bool
        True = use this pixel.
    radius : int
        In pixels.
    outside : bool
        Whether what lies past the border counts as valid.

    Examples
    --------
    >>> valid = np.ones((5, 5), bool)
    >>> valid[2, 2] = False
    >>> int(eroded(valid, 1).sum())
    16
    """
    if radius == 0 or (outside and valid.all()):
        return valid
    small = valid.view(np.uint8)
    return np.asarray(
        ndimage.minimum_filter(small, 2 * radius + 1, mode="constant", cval=int(outside)), bool
    )
