"""PSFs by formula: Gaussian, defocus disc, motion along a line."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import erf

from napari_framewise.numerics.psf.kernel import Array

_FINE = 32
_TRUNCATE = 4.0


def gaussian_psf(sigmas: Sequence[float]) -> Array:
    """A Gaussian of a standard deviation along each axis, integrated over every pixel.

    Parameters
    ----------
    sigmas : sequence of float
        In pixels, one per axis; 0 for none along it. It is cut at 4 sigma.

    Examples
    --------
    >>> gaussian_psf((1.0,)).round(4).tolist()[4:7]
    [0.3829, 0.2417, 0.0606]
    """
    kernel = np.ones(())
    for sigma in sigmas:
        reach = math.ceil(_TRUNCATE * sigma)
        edges = np.arange(-reach, reach + 2) - 0.5
        line = np.diff(erf(edges / (math.sqrt(2) * sigma))) if sigma > 0 else np.ones(1)
        kernel = np.multiply.outer(kernel, line)
    return np.asarray(kernel / kernel.sum())


def disc_psf(radii: Sequence[float]) -> Array:
    """The uniform disc of geometric defocus, with the share of every pixel that it covers.

    Parameters
    ----------
    radii : sequence of float
        Half axes in pixels, one per axis: an ellipse where pixels are not square, an ellipsoid of
        three; 0 for none along an axis.

    Examples
    --------
    >>> disc_psf((1.5, 1.5)).shape
    (3, 3)
    """
    grids = []
    for radius in radii:
        reach = max(0, math.ceil(radius - 0.5))
        count = (2 * reach + 1) * _FINE if radius > 0 else 1
        places = (np.arange(count) + 0.5) / _FINE - (2 * reach + 1) / 2
        grids.append(np.square(places / radius) if radius > 0 else np.zeros(1))
    total = np.zeros(())
    for each in grids:
        total = np.add.outer(total, each)
    inside = (total <= 1).astype(np.float64)
    for axis, radius in enumerate(radii):
        if radius > 0:
            length = inside.shape[axis] // _FINE
            split = (*inside.shape[:axis], length, _FINE, *inside.shape[axis + 1 :])
            inside = inside.reshape(split).sum(axis=axis + 1)
    return np.asarray(inside / inside.sum())


def motion_psf(length: float, angle: float, ndim: int = 2) -> Array:
    """Uniform motion along a straight line in the plane, shared among the pixels beside it.

    Parameters
    ----------
    length : float
        In pixels.
    angle : float
        Of the line with the rows, in degrees, from right towards down, as rows count downwards.
    ndim : int
        2, or 3 with a first axis of one plane.

    Examples
    --------
    >>> motion_psf(4.0, 0.0).round(3).tolist()
    [[0.125, 0.25, 0.25, 0.25, 0.125]]
    """
    count = max(1, math.ceil(length * 64))
    along = ((np.arange(count) + 0.5) / count - 0.5) * length
    turned = math.radians(angle)
    rows, columns = along * math.sin(turned), along * math.cos(turned)
    reach = math.ceil(length / 2) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = rows - top, columns - left
    for row, vertical in ((top, 1 - down), (top + 1, down)):
        for column, horizontal in ((left, 1 - right), (left + 1, right)):
            np.add.at(kernel, (row + reach, column + reach), vertical * horizontal)
    # Both ends alike, to the last bit.
    kernel = kernel + kernel[::-1, ::-1]
    used = [np.abs(np.flatnonzero(kernel.any(axis=1 - n)) - reach).max() for n in range(2)]
    kernel = kernel[reach - used[0] : reach + used[0] + 1, reach - used[1] : reach + used[1] + 1]
    return np.asarray(kernel / kernel.sum()).reshape((1,) * (ndim - 2) + kernel.shape)
