"""Values between pixels by splines, with masks: sampling at coordinates, warping by displacements.

Coordinates are in row-column order, with pixel centres on integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.interpolation import kernels
from napari_framewise.numerics.pyramid import filled

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Spline:
    """An image as a spline, to be sampled between its pixels.

    Attributes
    ----------
    coefficients : (channels, *grid) float32 or float64
        Of B-splines centred on the pixels (Unser, Aldroubi & Eden 1993).
    order : {1, 3}
        Linear or cubic.
    valid : (*grid) bool or None
        Where the image held data; None where it did everywhere.
    """

    coefficients: NDArray[Any]
    order: int
    valid: BoolArray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the grid."""
        return self.coefficients.shape[1:]


def spline(planes: NDArray[Any], *, order: int = 3, valid: BoolArray | None = None) -> Spline:
    """The spline that goes through every pixel.

    Parameters
    ----------
    planes : (channels, *grid) float32 or float64
        A 2-D or 3-D grid. NaN and infinite values are gaps; gaps are filled from around them
        before the spline is made, and what is sampled from them is marked.
    order : {1, 3}
        Linear, or cubic.
    valid : (*grid) bool, optional
        Further gaps, where it is False.

    Raises
    ------
    ValueError
        For another order or another number of axes.

    Examples
    --------
    >>> image = spline(np.arange(12.0).reshape(1, 3, 4))
    >>> values, _, inside = sample(image, np.array([[1.0], [2.0]]))
    >>> float(np.round(values[0, 0], 2)), bool(inside[0])
    (6.0, True)
    """
    if order not in (1, 3):
        raise ValueError(f"A spline of order {order} was asked for; give 1 or 3.")
    if planes.ndim not in (3, 4):
        raise ValueError(
            f"A spline of an array of shape {planes.shape} was asked for; give (channels, y, x) or "
            "(channels, z, y, x)."
        )
    whole, usable = filled(planes, valid)
    coefficients = np.array(whole, order="C") if order == 3 else np.ascontiguousarray(whole)
    if order == 3:
        kind = coefficients.dtype.name
        for axis in range(1, coefficients.ndim):
            length = coefficients.shape[axis]
            before = int(np.prod(coefficients.shape[:axis]))
            lines = coefficients.reshape(before, length, -1)
            if length > 1:
                compiled(kernels.prefilter, f"={kind}/3")(lines)
    return Spline(coefficients, order, None if usable is None else np.ascontiguousarray(usable))


def sample(
    image: Spline, coordinates: NDArray[Any], *, slopes: bool = False
) -> tuple[NDArray[Any], NDArray[Any] | None, BoolArray]:
    """Values, and slopes where they are asked for, at coordinates.

    Parameters
    ----------
    image : Spline
        Of a 2-D or 3-D grid.
    coordinates : (ndim, ...) float
        Row-column order. Past the border the value of the border is given.
    slopes : bool
        Give the derivatives of the spline as well.

    Returns
    -------
    values : (channels, ...)
        In the spline's float type.
    slopes : (ndim, channels, ...) or None
        Change per pixel along each axis.
    inside : (...) bool
        Where the coordinate lies within the grid, and between pixels that held data.

    Examples
    --------
    >>> image = spline(np.arange(12.0).reshape(1, 3, 4), order=1)
    >>> values, _, inside = sample(image, np.array([[0.5, 5.0], [1.0, 1.0]]))
    >>> float(values[0, 0]), inside.tolist()
    (3.0, [True, False])
    """
    ndim = len(image.shape)
    points = coordinates.shape[1:]
    count = int(np.prod(points, dtype=np.int64))
    kind = image.coefficients.dtype.name
    channels = len(image.coefficients)
    at = np.ascontiguousarray(coordinates, dtype=np.float64).reshape(ndim, count)
    values = np.empty((channels, count), kind)
    rates = np.empty((ndim, channels, count if slopes else 0), kind)
    inside = np.empty(count, np.bool_)
    valid = image.valid if image.valid is not None else np.empty((0,) * ndim, np.bool_)
    compiled(
        kernels.SAMPLERS[ndim, image.order],
        f"{kind}/{ndim + 1}",
        f"bool/{ndim}",
        "float64/2",
        f"={kind}/2",
        f"={kind}/3",
        "=bool/1",
    )(image.coefficients, valid, at, values, rates, inside)
    return (
        values.reshape(channels, *points),
        rates.reshape(ndim, channels, *points) if slopes else None,
        inside.reshape(points),
    )


def warp(
    image: Spline, displacement: NDArray[Any], *, slopes: bool = False
) -> tuple[NDArray[Any], NDArray[Any] | None, BoolArray]:
    """What `sample` gives at every pixel moved by its displacement ``(ndim, *grid)``.

    ``values[:, p] = image(p + displacement[:, p])``: a pull-back, so that the image comes to lie
    on the grid that the displacements are given on.

    Examples
    --------
    >>> image = spline(np.arange(12.0).reshape(1, 3, 4), order=1)
    >>> one_down = np.zeros((2, 3, 4))
    >>> one_down[0] = 1.0
    >>> values, _, inside = warp(image, one_down)
    >>> values[0, 0].tolist(), inside[2].tolist()
    ([4.0, 5.0, 6.0, 7.0], [False, False, False, False])
    """
    shape = displacement.shape[1:]
    coordinates = displacement.astype(np.float64)
    for axis, length in enumerate(shape):
        coordinates[axis] += np.arange(length).reshape(-1, *(1,) * (len(shape) - 1 - axis))
    return sample(image, coordinates, slopes=slopes)
