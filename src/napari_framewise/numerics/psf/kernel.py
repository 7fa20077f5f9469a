"""Kernels from images: checked, of unit sum, with their origin in the middle pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array: TypeAlias = NDArray[np.float64]
Origin: TypeAlias = Literal["centroid", "middle"]
# Fractions of a pixel below this are rounding; what is smaller than this share of the largest value
# is an empty margin.
_WHOLE = 1e-6
_EMPTY = 1e-12
# Pixels that a cubic spline reaches past the last that is not zero.
_MARGIN = 6


def kernel_of(image: NDArray[Any], origin: Origin | Array = "centroid") -> Array:
    """The kernel that an image of a point is.

    Its sum is brought to 1 and its origin to the middle pixel of an odd shape, by a cubic spline
    where it lies between pixels: a spline keeps sum and centroid, so that a PSF of even size shifts
    nothing. Margins of zeros are left out.

    Parameters
    ----------
    image : (x,), (y, x) or (z, y, x) real
        Without background.
    origin : {"centroid", "middle"} or (axes,) ndarray
        Where light from the middle of a pixel goes: the centroid of the image, the middle of the
        array, or a place in it, in pixels.

    Returns
    -------
    ndarray of float64
        Of odd shape.

    Raises
    ------
    ValueError
        Where it has no light, missing pixels, or not one to three axes.

    Examples
    --------
    >>> kernel_of(np.ones((2, 1))).round(3)[:, 0].tolist()[6:9]
    [0.237, 0.6, 0.237]
    """
    values = np.asarray(image, np.float64)
    check_psf(values)
    values = values / np.abs(values).max()
    if isinstance(origin, str):
        middle_of = {"centroid": centroid, "middle": _middle_of}
        centre = middle_of[origin](values)
    else:
        centre = np.asarray(origin, np.float64)
    kept = np.abs(values) > _EMPTY
    bounds = [_extent(kept, axis) for axis in range(values.ndim)]
    values = values[tuple(slice(first, last + 1) for first, last in bounds)]
    centre = centre - [first for first, _ in bounds]
    whole = np.rint(centre)
    between = bool((np.abs(centre - whole) > _WHOLE).any())
    margin = _MARGIN if between else 0
    middle = whole.astype(int)
    reach = [
        max(int(m), length - 1 - int(m), 0) + (margin if length > 1 else 0)
        for m, length in zip(middle, values.shape, strict=True)
    ]
    kernel = np.zeros([2 * r + 1 for r in reach])
    place = tuple(
        slice(r - m, r - m + length)
        for r, m, length in zip(reach, middle, values.shape, strict=True)
    )
    kernel[place] = values
    if between:
        kernel = ndimage.shift(kernel, whole - centre, order=3, mode="constant")
    return np.asarray(kernel / kernel.sum())


def check_psf(image: Array) -> None:
    """That an image can be a PSF.

    Raises
    ------
    ValueError
        In one sentence, where it can't.

    Examples
    --------
    >>> check_psf(np.ones((3, 3)))
    """
    if image.ndim not in (1, 2, 3) or not image.size:
        raise ValueError(
            f"The PSF has the shape {image.shape}; an image of one to three axes is needed."
        )
    missing = int(np.count_nonzero(~np.isfinite(image)))
    if missing:
        raise ValueError(
            f"The PSF holds {missing:,} {'pixel' if missing == 1 else 'pixels'} without a number "
            "(NaN or infinite); crop it, or fill it first."
        )
    if not image.any():
        raise ValueError("The PSF holds zeros alone; an image of a point that shines is needed.")
    if float(image.sum()) <= 1e-6 * float(np.abs(image).sum()):
        raise ValueError(
            "The values of the PSF sum to zero or less, but it passes light on: its background was "
            "taken off too much, or it is another filter."
        )


def centroid(image: Array) -> Array:
    """Centroid ``sum(p h) / sum(h)`` along each axis, in pixels.

    Examples
    --------
    >>> centroid(np.array([[0.0, 1.0, 3.0]])).tolist()
    [0.0, 1.75]
    """
    total = float(image.sum())
    found = []
    for axis, length in enumerate(image.shape):
        others = tuple(n for n in range(image.ndim) if n != axis)
        found.append(float(np.dot(np.arange(length), image.sum(axis=others))) / total)
    return np.array(found)


def cropped_by_energy(kernel: Array, share: float) -> Array:
    """The middle of a kernel that holds a share of its sum, of unit sum again.

    It is cut by the smallest ellipsoid about its middle, in proportion to its widths, that holds
    the share; nothing outside is kept.

    Parameters
    ----------
    kernel : ndarray
        Of odd shape, its origin in the middle.
    share : float
        From 0 to 1.

    Examples
    --------
    >>> cropped_by_energy(np.array([0.005, 0.2, 0.59, 0.2, 0.005]), 0.98).round(3).tolist()
    [0.202, 0.596, 0.202]
    """
    sizes = np.maximum(widths(kernel), 0.3)
    places = np.indices(kernel.shape) - (np.array(kernel.shape) // 2).reshape(
        -1, *(1,) * kernel.ndim
    )
    radius = np.sqrt(np.sum(np.square(places / sizes.reshape(-1, *(1,) * kernel.ndim)), axis=0))
    order = np.argsort(radius, axis=None, kind="stable")
    # Where it was cut off or is noise, negative values can take it past its sum.
    light = np.maximum.accumulate(np.cumsum(kernel.ravel()[order]))
    last = int(np.searchsorted(light, share * light[-1]))
    limit = float(radius.ravel()[order[min(last, order.size - 1)]])
    kept = np.where(radius <= limit * (1 + 1e-9), kernel, 0.0)
    reach = [int(np.abs(places[n][kept != 0]).max(initial=0)) for n in range(kernel.ndim)]
    middle = [length // 2 for length in kernel.shape]
    part = kept[tuple(slice(m - r, m + r + 1) for m, r in zip(middle, reach, strict=True))]
    return np.asarray(part / part.sum())


def widths(kernel: Array) -> Array:
    """Standard deviation of a kernel along each axis, in pixels, about its centroid.

    Negative values count as nothing.

    Examples
    --------
    >>> widths(np.array([0.25, 0.5, 0.25])).round(4).tolist()
    [0.7071]
    """
    light = np.maximum(kernel, 0.0)
    middle = centroid(light)
    found = []
    for axis, length in enumerate(light.shape):
        others = tuple(n for n in range(light.ndim) if n != axis)
        profile = light.sum(axis=others)
        off = np.arange(length) - middle[axis]
        found.append(math.sqrt(max(0.0, float(np.dot(off * off, profile) / profile.sum()))))
    return np.array(found)


def half_maximum_widths(kernel: Array) -> Array:
    """Full width at half maximum along each axis through the middle pixel, in pixels.

    Interpolated linearly; NaN where the kernel does not fall to half inside.

    Examples
    --------
    >>> half_maximum_widths(np.array([0.0, 1.0, 2.0, 1.0, 0.0])).round(6).tolist()
    [2.0]
    """
    middle = tuple(length // 2 for length in kernel.shape)
    found = []
    for axis in range(kernel.ndim):
        line = kernel[tuple(slice(None) if n == axis else m for n, m in enumerate(middle))]
        found.append(_half_width(line) + _half_width(line[::-1]))
    return np.array(found)


def _middle_of(values: Array) -> Array:
    """Middle of an array, in pixels."""
    return (np.array(values.shape) - 1) / 2


def _half_width(line: Array) -> float:
    """Distance from the largest value of a line to where it falls to half, going up."""
    peak = int(np.argmax(line))
    half = line[peak] / 2
    below = np.flatnonzero(line[peak:] < half)
    if not below.size:
        return math.nan
    there = peak + int(below[0])
    return there - 1 + float((line[there - 1] - half) / (line[there - 1] - line[there])) - peak


def _extent(kept: NDArray[np.bool_], axis: int) -> tuple[int, int]:
    others = tuple(n for n in range(kept.ndim) if n != axis)
    found = np.flatnonzero(kept.any(axis=others))
    return int(found[0]), int(found[-1])


def padded_to(kernel: Array, shape: Sequence[int]) -> Array:
    """A kernel of odd shape with zeros around it, up to a larger odd shape.

    Examples
    --------
    >>> padded_to(np.ones(1), (3,)).tolist()
    [0.0, 1.0, 0.0]
    """
    more = [(new - old) // 2 for new, old in zip(shape, kernel.shape, strict=True)]
    return np.pad(kernel, [(each, each) for each in more])
