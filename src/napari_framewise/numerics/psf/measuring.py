"""PSFs measured: from an image of a point, from beads, from a sharp and a blurred image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from napari_framewise.numerics.psf.kernel import (
    Array,
    Origin,
    centroid,
    cropped_by_energy,
    kernel_of,
    padded_to,
    widths,
)

_ROUNDS = 20
_AT_REST = 1e-3
_RING = 1.4
_STANDS_OUT, _PAST_RING = 5.0, 8.0
# Pixels of at least this share of the peak tell the width; light is counted out to so many widths.
_BRIGHT, _WIDTHS = 0.1, 4.0
# Where the noise of the background alone moves the centroid by more (pixels), it is weighted.
_FAINT = 0.01
# By so many errors the two must agree: else the point is not symmetric, and has but one centroid.
_AGREE = 3.0
# A place moves at least by this share of what its weights see: else it is not told from noise.
_LEAST_MOVE = 0.2
# Of a point that is no larger than a pixel the light; pixels of one point that share its largest
# value.
_ONE_PIXEL, _SATURATED = 0.8, 5
_ITERATIONS = 150


@dataclass(frozen=True, eq=False)
class Point:
    """A point in an image, and the PSF that it shows.

    Attributes
    ----------
    kernel : ndarray
        Of odd shape and unit sum, its centroid in the middle pixel.
    place : ndarray
        Its centroid in the image, in pixels.
    place_error : ndarray
        Standard error of `place`, by the noise of the ring or by what differs between the point and
        its mirror image, whichever is larger: the second holds the noise of the point's own light,
        and, where the point is not symmetric, more than noise.
    background : float
        Median of a ring about it.
    light : float
        Sum of its pixels above the background.
    noise : float
        Standard deviation of the ring (from its quartiles).
    alone : bool
        Whether nearly all light fell on a single pixel, as of a defect of the detector.
    saturated : int
        Pixels that share the point's largest value where noise should make them differ; 0 for none.
    """

    kernel: Array
    place: Array
    place_error: Array
    background: float
    light: float
    noise: float
    alone: bool
    saturated: int


def point_psf(
    image: NDArray[np.floating],
    radius: Sequence[float],
    start: Sequence[float] | None = None,
    energy: float = 0.99,
) -> Point:
    """The PSF that an image of a point shows.

    The background is the median of the ring between `radius` and 1.4 times that about the centroid;
    the centroid is that of the light above it within 4 of its own widths, found in turns. Where the
    noise of the background would move that by more than 0.01 pixels, the light is weighted by a
    Gaussian of the point's own widths, which for a Gaussian point is nearly the most likely place
    (the windowed centroid of SExtractor, Bertin and Arnouts 1996, Astron. Astrophys. Suppl. 117,
    393); not where the two differ by more than the noise tells, as they do of a point that is not
    symmetric.

    Parameters
    ----------
    image : (y, x) or (z, y, x)
        Any real dtype.
    radius : sequence of float
        Within which the light of the point falls, in pixels along each axis.
    start : sequence of float, optional
        About where it is; by default where the smoothed image is brightest.
    energy : float
        Share of its light that is kept.

    Raises
    ------
    ValueError
        Where no point stands out, it is too near to the border, or pixels about it are missing.

    Examples
    --------
    >>> y, x = np.mgrid[:41, :41]
    >>> found = point_psf(7 + np.exp(-((y - 20.3) ** 2 + (x - 19.6) ** 2) / 8), (10, 10))
    >>> found.place.round(2).tolist(), round(found.background, 3)
    ([20.3, 19.6], 7.0)
    """
    values = np.asarray(image, np.float64)
    sizes = np.asarray(radius, np.float64)
    place = _brightest(values) if start is None else np.asarray(start, np.float64)
    near = sizes
    for _ in range(_ROUNDS):
        part, corner, distance, about = _about(values, place, sizes, near)
        ring = part[about]
        background = float(np.median(ring))
        light = np.where(distance <= 1, part - background, 0.0)
        peak = float(ndimage.gaussian_filter(light, 0.7).max())
        bright = np.where(light > _BRIGHT * peak, light, 0.0)
        total = float(light.sum())
        if peak <= 0 or total <= 0:
            break
        near = np.minimum(sizes, np.maximum(_WIDTHS * widths(bright), 2.0))
        moved = corner + centroid(light) - place
        place = place + moved
        if float(np.abs(moved).max()) < _AT_REST:
            break
    quartiles = np.quantile(ring, [0.25, 0.75])
    noise = float(quartiles[1] - quartiles[0]) / 1.349
    count = int(np.count_nonzero(distance <= 1))
    if (
        peak <= 0
        or total <= _STANDS_OUT * noise * math.sqrt(count)
        or not _stands_out(part, about, place - corner, near)
    ):
        raise ValueError(
            f"No point stands out: its light is {max(total, 0):.3g} beside noise of "
            f"{noise * math.sqrt(count):.3g}; give an image of a bright point, or less radius."
        )
    error = _error(distance, noise, total)
    origin: Array | Origin = "centroid"
    weights, gain = (distance <= 1).astype(np.float64), np.ones(values.ndim)
    if float(error.max()) > _FAINT:
        there, less, *narrow = _weighted(part - background, corner, place, sizes, near, noise)
        if bool((np.abs(there - place) < _AGREE * error).all()):
            place, error, (weights, gain) = there, less, narrow
            origin = place - corner
    error = np.maximum(error, gain * _error_by_halves(part - background, weights, place - corner))
    kernel = cropped_by_energy(kernel_of(light, origin), energy)
    top = part[distance <= 1].max()
    same = int(np.count_nonzero(part[distance <= 1] == top))
    return Point(
        kernel,
        place,
        error,
        background,
        total,
        noise,
        alone=float(kernel.max()) > _ONE_PIXEL,
        saturated=same if same >= _SATURATED and top - background > 20 * noise else 0,
    )


def bead_psf(points: Sequence[Point], energy: float = 0.99) -> tuple[Array, float]:
    """The mean PSF of several points, each with its centroid in the middle, and how they differ.

    Returns
    -------
    kernel : ndarray
    spread : float
        Root mean square difference of the points' PSFs from their mean, over the size of the mean.

    Examples
    --------
    >>> y, x = np.mgrid[:41, :41]
    >>> one = point_psf(np.exp(-((y - 20.3) ** 2 + (x - 19.6) ** 2) / 8), (10, 10))
    >>> bead_psf([one, one])[1]
    0.0
    """
    shape = tuple(
        max(each.kernel.shape[n] for each in points) for n in range(points[0].kernel.ndim)
    )
    every = np.stack([padded_to(each.kernel, shape) for each in points])
    mean = every.mean(axis=0)
    spread = math.sqrt(
        float(np.mean(np.square(every - mean).sum(axis=tuple(range(1, every.ndim)))))
    )
    # Each has its own origin in the middle.
    return cropped_by_energy(kernel_of(mean, "middle"), energy), spread / math.sqrt(
        float(np.sum(mean**2))
    )


def pair_psf(
    sharp: NDArray[np.floating],
    blurred: NDArray[np.floating],
    radius: Sequence[float],
    energy: float = 0.99,
) -> tuple[Array, float]:
    """The PSF that turns a sharp image into a blurred one of the same scene, in register.

    ``argmin_h |w (s * h - b)|^2``, h >= 0 within an ellipsoid, w the pixels that no border reaches;
    by projected accelerated gradients.

    Parameters
    ----------
    sharp, blurred : (y, x) or (z, y, x)
        Of one shape.
    radius : sequence of float
        Within which the PSF lies, in pixels along each axis.
    energy : float
        Share of its light that is kept.

    Returns
    -------
    kernel : ndarray
    left : float
        Standard deviation of the residual over that of the blurred image.

    Raises
    ------
    ValueError
        Where an image is flat, pixels are missing, or the radius leaves no pixel.

    Examples
    --------
    >>> scene = np.random.default_rng(0).random((48, 48))
    >>> kernel, left = pair_psf(scene, ndimage.uniform_filter(scene, 3), (3, 3), energy=1.0)
    >>> kernel.round(2).max(), left < 0.01
    (np.float64(0.11), True)
    """
    one, other = (np.asarray(each, np.float64) for each in (sharp, blurred))
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError(
            "The pair holds pixels without a number; crop them off, or fill them first."
        )
    reach = [math.ceil(each) for each in radius]
    inner = tuple(slice(r, n - r) for r, n in zip(reach, one.shape, strict=True))
    if any(n <= 2 * r + 1 for r, n in zip(reach, one.shape, strict=True)):
        size = " x ".join(map(str, one.shape))
        raise ValueError(f"A radius of {max(reach)} pixels leaves nothing of {size}; take less.")
    one, other = one - one.mean(), other - other[inner].mean()
    if not one.any() or not other[inner].any():
        raise ValueError("An image of the pair is flat; a scene with structure is needed.")
    spectrum = fft.rfftn(one)
    weight = np.zeros(one.shape)
    weight[inner] = 1.0
    support, offset = _support(radius, one.shape)
    step = 1 / float(np.max(np.abs(spectrum) ** 2))
    kernel = np.where(support, 1.0, 0.0)
    kernel /= kernel.sum()
    ahead, t = kernel, 1.0
    for _ in range(_ITERATIONS):
        left = weight * (fft.irfftn(spectrum * fft.rfftn(ahead), one.shape) - other)
        left -= weight * (left.sum() / weight.sum())
        gradient = fft.irfftn(np.conj(spectrum) * fft.rfftn(left), one.shape)
        new = np.where(support, np.maximum(ahead - step * gradient, 0.0), 0.0)
        then = (1 + math.sqrt(1 + 4 * t * t)) / 2
        ahead = new + (t - 1) / then * (new - kernel)
        if float(np.vdot(ahead - new, new - kernel)) < 0:
            ahead, then = new, 1.0
        kernel, t = new, then
    share = float(np.std(left[inner])) / float(np.std(other[inner]))
    middle = np.fft.fftshift(kernel)[offset]
    # The pair is in register: the origin is where the images say it is, not the centroid.
    return cropped_by_energy(kernel_of(middle, "middle"), energy), share


def _brightest(values: Array) -> Array:
    finite = np.isfinite(values)
    known = values[finite]
    if not known.size:
        raise ValueError("The image holds no data; give an image of a bright point.")
    low = float(known.min())
    if low == float(known.max()):
        raise ValueError("All pixels are equal: no point stands out; give an image of one.")
    smooth = ndimage.gaussian_filter(np.where(finite, values, low), 1.0)
    return np.array(np.unravel_index(int(np.argmax(smooth)), values.shape), np.float64)


def _stands_out(part: Array, about: NDArray[np.bool_], place: Array, near: Array) -> bool:
    """Whether a point is brighter than the ring, both smoothed by the point's own widths.

    Noise that is correlated over pixels makes points of its own; smoothed, the ring tells how
    bright those are.
    """
    smooth = ndimage.gaussian_filter(part, near / _WIDTHS)
    low, middle, high = np.quantile(smooth[about], [0.25, 0.5, 0.75])
    at = tuple(np.clip(np.rint(place).astype(int), 0, np.array(part.shape) - 1))
    return bool(smooth[at] - middle > _PAST_RING * (high - low) / 1.349)


def _error(distance: Array, noise: float, total: float) -> Array:
    """Standard error of a plain centroid by noise of the background, along each axis."""
    inside = distance <= 1
    found = []
    for places in np.nonzero(inside):
        off = places - places.mean()
        found.append(noise * math.sqrt(float(np.sum(off * off))) / total)
    return np.array(found)


def _error_by_halves(light: Array, weights: Array, place: Array) -> Array:
    """Standard error of a weighted place by what differs between a point and its mirror image.

    That is the noise of the light itself, of photons too, where the point is symmetric; where it is
    not, more than noise. With D that difference, of pixels at x from the place:
    ``sqrt(1/2 sum (w x D)^2) / sum w L``, over the share of noise that interpolation leaves.
    """
    whole = np.rint(place).astype(int)
    reach = np.minimum(whole, np.array(light.shape) - 1 - whole)
    box = tuple(slice(m - r, m + r + 1) for m, r in zip(whole, reach, strict=True))
    moved = ndimage.shift(light, whole - place, order=3, mode="nearest")[box]
    difference = moved - np.flip(moved)
    single = np.zeros((9,) * light.ndim)
    single[(4,) * light.ndim] = 1.0
    kept = float(np.sum(np.square(ndimage.shift(single, whole - place, order=3))))
    inside = weights[box]
    total = float(np.sum(inside * light[box]))
    if total <= 0:
        return np.zeros(light.ndim)
    found = []
    for axis, r in enumerate(reach):
        off = np.arange(-r, r + 1).reshape([-1 if n == axis else 1 for n in range(light.ndim)])
        squares = np.square(inside * off * difference)
        size = float(squares.sum())
        # Of so many independent values one was spent on the place.
        count = size * size / max(float(np.sum(squares * squares)), 1e-300) / 2
        spent = count / (count - 1) if count > 2 else 2.0
        found.append(math.sqrt(size / 2 / kept * spent) / total)
    return np.array(found)


def _weighted(
    light: Array, corner: Array, place: Array, sizes: Array, near: Array, noise: float
) -> tuple[Array, Array, Array, Array]:
    """A place by Gaussian weights of the point's own widths, and its standard error.

    With the weights, and by what along each axis the place moves where their mean does by one.
    """
    shape = (-1, *(1,) * light.ndim)
    grids = np.indices(light.shape) + corner.reshape(shape)
    widths_of = (near / _WIDTHS).reshape(shape)
    for _ in range(_ROUNDS):
        off = grids - place.reshape(shape)
        weights = np.exp(-np.sum(np.square(off / widths_of), axis=0) / 2)
        weights[np.sum(np.square(off / sizes.reshape(shape)), axis=0) > 1] = 0.0
        total = float(np.sum(weights * light))
        if total <= 0:
            break
        axes = tuple(range(1, grids.ndim))
        # Weights of the point's own width halve its offset.
        moved = 2 * np.sum(weights * light * off, axis=axes) / total
        place = place + np.clip(moved, -1.0, 1.0)
        if float(np.abs(moved).max()) < _AT_REST:
            break
    spread = np.sqrt(np.sum(np.square(weights * off), axis=tuple(range(1, grids.ndim))))
    # The weights follow the place: they take away from its moves the share s^2 / sigma^2, s the
    # width of the weighted light; a half where they are as wide as the point.
    off = grids - place.reshape(shape)
    second = np.sum(weights * light * np.square(off / widths_of), axis=tuple(range(1, grids.ndim)))
    gain = 1 / np.clip(1 - second / max(total, 1e-300), _LEAST_MOVE, 1.0)
    return place, gain * noise * spread / max(total, 1e-300), weights, gain


def _about(
    values: Array, place: Array, sizes: Array, near: Array
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Pixels about a place, their corner, their distance over `near`, and which are the ring."""
    whole = np.rint(place).astype(int)
    reach = np.ceil(sizes * _RING).astype(int)
    low, high = np.maximum(whole - reach, 0), np.minimum(whole + reach + 1, values.shape)
    inside = np.ceil(sizes).astype(int)
    if (whole - inside < 0).any() or (whole + inside >= values.shape).any():
        named = ", ".join(f"{each:.1f}" for each in place)
        raise ValueError(
            f"The point at ({named}) is nearer to the border than the radius of "
            f"{' x '.join(f'{each:g}' for each in sizes)} pixels; take a smaller radius."
        )
    part = values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    if not np.isfinite(part).all():
        raise ValueError("Pixels about the point are missing; fill them first, or take another.")
    shape = (-1, *(1,) * values.ndim)
    off = np.indices(part.shape) + low.reshape(shape) - place.reshape(shape)
    distance = np.sqrt(np.sum(np.square(off / near.reshape(shape)), axis=0))
    outer = np.sqrt(np.sum(np.square(off / sizes.reshape(shape)), axis=0))
    return part, low.astype(np.float64), distance, (outer > 1) & (outer <= _RING)


def _support(
    radius: Sequence[float], shape: tuple[int, ...]
) -> tuple[NDArray[np.bool_], tuple[slice, ...]]:
    """Pixels of a domain within an ellipsoid about the first, and where it lies, shifted."""
    total = np.zeros(())
    places = []
    for size, length in zip(radius, shape, strict=True):
        total = np.add.outer(total, np.square(fft.fftfreq(length, 1 / length) / max(size, 0.5)))
        reach, middle = math.ceil(size), length // 2
        places.append(slice(middle - reach, middle + reach + 1))
    return np.asarray(total <= 1), tuple(places)
