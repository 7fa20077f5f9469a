"""Gradients by normalised convolution: a plane fitted to what is known around every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.normalised_convolution import kernels
from napari_framewise.numerics.normalised_convolution.certainty import certainty_of
from napari_framewise.numerics.normalised_convolution.sums import summed_along
from napari_framewise.numerics.normalised_convolution.windows import gaussian_window

FloatArray = NDArray[np.float64]
LEAST_RANK = 1e-2
_NARROWEST = 0.3


class Gradient(NamedTuple):
    """Slopes of fitted planes.

    Attributes
    ----------
    slopes : (ndim, n, *grid) float64
        Change per pixel along each axis; NaN where the confidence is below `LEAST_RANK`.
    errors : (ndim, n, *grid) float64
        Their standard errors; NaN where no residual is left to tell the noise from.
    confidence : (n, *grid) float64
        How well the known pixels determine a plane: 1 as complete data do, 0 where they lie on a
        line.
    """

    slopes: FloatArray
    errors: FloatArray
    confidence: FloatArray


def gradient(
    frames: ArrayLike,
    sigmas: Sequence[float],
    *,
    mask: ArrayLike | None = None,
    confidence: ArrayLike | None = None,
    centre: float = 0.0,
) -> Gradient:
    """Gradient by normalised differential convolution in the plane-fit form.

    Around every pixel x, ``m + g . u`` is fitted to f(x + u) by least squares with weights
    ``a(u) c(x + u)``, a Gaussian times the certainty: exact on a ramp, whatever is missing. With
    the weighted mean position u0 and covariance C of the known pixels, g = C^-1 cov(u, f). The rank
    confidence is the harmonic mean of the eigenvalues of ``D^-1/2 C D^-1/2``, D being C of complete
    data.

    The error takes pixels for independent, with variance ``s^2 / c``, around a plane; s follows
    from the weighted residuals and their degrees of freedom,
    ``E[sum a c r^2] = s^2 (sum_known a - tr(M^-1 T))``, with M the normal matrix and T that with
    weights ``a^2 c``. Where the image curves within the window, residuals and error grow.

    Parameters
    ----------
    frames : (n, *grid)
        Any real dtype.
    sigmas : sequence of float
        Standard deviation of the Gaussian along each axis in pixels, at least 0.3.
    mask : (n or 1, *grid), optional
        Neither 0 nor NaN = use this pixel.
    confidence : (n or 1, *grid), optional
        Certainty of each pixel, 0 to 1: one over its variance.
    centre : float
        A value to count from, near those of the frames: slopes stay the same, digits are won.

    Returns
    -------
    Gradient
        Slopes, errors and confidence.

    Raises
    ------
    ValueError
        Where frames are no real numbers, a sigma is too small, or mask or confidence do not fit.

    References
    ----------
    Knutsson, H. & Westin, C.-F. (1993). Normalized and differential convolution. CVPR, 515-523.

    Examples
    --------
    >>> rows, columns = np.mgrid[0:20, 0:20].astype(float)
    >>> ramp = 3 * rows - 2 * columns
    >>> ramp[5:9, 3:12] = np.nan
    >>> np.round(gradient(ramp[None], (2.0, 2.0)).slopes[:, 0, 7, 7], 9).tolist()
    [3.0, -2.0]
    """
    if min(sigmas) < _NARROWEST:
        raise ValueError(
            f"A gradient with a Gaussian of sigma {min(sigmas):g} pixels was asked for; give at "
            f"least {_NARROWEST} along each axis, so that neighbours count."
        )
    block = np.asarray(real_array(frames, "frames"), np.float64)
    certainty = certainty_of(block.shape, mask, confidence)
    known = (certainty > 0) & np.isfinite(block)
    weights = np.where(known, certainty, 0.0)
    values = np.where(known, block, centre) - centre
    window = gaussian_window(sigmas)
    taps = [[each * _offsets(each) ** order for order in range(3)] for each in window]
    squared = [[each**2 * _offsets(each) ** order for order in range(3)] for each in window]
    certain = _moments(weights, taps, 2)
    spread = _moments(weights, squared, 2)
    weights *= values
    slopes_of = _moments(weights, taps, 1)
    weights *= values
    squares = _moments(weights, taps, 0)
    count = certain if confidence is None else _moments(known.astype(np.float64), taps, 0)
    complete = np.array([each[2].sum() for each in taps])
    ndim = len(window)
    slopes, errors = np.empty((ndim, *block.shape)), np.empty((ndim, *block.shape))
    rank = np.empty(block.shape)
    kinds = [*["float64/2"] * 5, "float64/1", "float64", "=float64/2", "=float64/2", "=float64/1"]
    compiled(kernels.planes_fitted, *kinds)(
        certain,
        slopes_of,
        squares,
        spread,
        count,
        complete,
        LEAST_RANK,
        slopes.reshape(ndim, -1),
        errors.reshape(ndim, -1),
        rank.reshape(-1),
    )
    return Gradient(slopes, errors, rank)


def _offsets(taps: FloatArray) -> FloatArray:
    radius = len(taps) // 2
    return np.arange(-radius, radius + 1, dtype=np.float64)


def _moments(planes: FloatArray, taps: Sequence[Sequence[FloatArray]], order: int) -> FloatArray:
    """Moments (count, pixels) up to an order, sorted 1, u_i, u_i u_j (i <= j)."""
    ndim = len(taps)
    found: dict[tuple[int, ...], FloatArray] = {(): planes}
    for axis in reversed(range(ndim)):
        found = {
            (power, *powers): summed_along(plane, taps[axis][power], axis - ndim)
            for powers, plane in found.items()
            for power in range(order + 1 - sum(powers))
        }
    wanted = [(0,) * ndim]
    unit = np.eye(ndim, dtype=int)
    if order > 0:
        wanted += [tuple(each) for each in unit.tolist()]
    if order > 1:
        wanted += [tuple((unit[i] + unit[j]).tolist()) for i in range(ndim) for j in range(i, ndim)]
    out = np.empty((len(wanted), planes.size))
    for place, powers in zip(out, wanted, strict=True):
        place[...] = found[powers].ravel()
    return out
