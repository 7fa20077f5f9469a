"""Images made ready to be compared: grey, filtered, of mean 0 and deviation 1, on one canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.normalised_convolution import gaussian_window, gradient, smoothed
from napari_framewise.numerics.separable import Band, filtered
from napari_framewise.numerics.similarity.transform import Floats, Transform

First: TypeAlias = Literal["band", "edges", "nothing"]
_LEAST_SPREAD = 1e-9
# Images of up to so many pixels a side are smoothed by products of whole matrices.
_DENSE = 256
# Pixels of some images that a processor's cache holds with their copies.
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Filter:
    """What is done to images before they are compared.

    Attributes
    ----------
    first : {"band", "edges", "nothing"}
        The difference of two Gaussians, the size of the gradient, or the pixels as they are.
    fine, coarse : float
        Sigma of the two Gaussians in pixels: details from the first to the second stay. Edges are
        measured over the first.
    """

    first: First = "band"
    fine: float = 1.0
    coarse: float = 6.0

    def __post_init__(self) -> None:
        if self.first == "band" and not 0 <= self.fine < self.coarse:
            raise ValueError(
                f"Details from {self.fine:g} to {self.coarse:g} pixels were asked for; the second "
                "must be the larger."
            )

    def __call__(
        self, images: NDArray[np.float64], known: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Grey images (n, y, x), 0 where not known, filtered by what is known of each."""
        if self.first == "nothing":
            return images
        if self.first == "edges":
            sigma = max(self.fine, 0.5)
            slopes = gradient(images, (sigma, sigma), mask=known).slopes
            return np.asarray(np.hypot(*np.nan_to_num(slopes)))
        narrow = blurred(images, self.fine, known) if self.fine else images
        return np.asarray(narrow - blurred(images, self.coarse, known))


@dataclass(frozen=True, eq=False)
class Canvas:
    """Images on one canvas, each around its middle.

    Attributes
    ----------
    values : (n, y, x) float32
        Of mean 0 and deviation 1 over the pixels that are used, 0 elsewhere.
    masks : (groups, y, x) float32
        1 where an image is used; images with equal masks share one.
    groups : (n,) int
        Which mask each image has.
    origins : (n, 2) int
        Where the first pixel of each image lies on the canvas.
    plain : (n,) bool
        Images without contrast, or without a pixel to use.
    """

    values: Floats
    masks: Floats
    groups: NDArray[np.int64]
    origins: NDArray[np.int64]
    plain: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def counts(self) -> NDArray[np.float64]:
        """Pixels of each image that are used."""
        return np.asarray(self.masks.sum(axis=(1, 2), dtype=np.float64)[self.groups])


def grey(image: NDArray[Any]) -> NDArray[np.float64]:
    """One image (y, x), or (y, x, channels) averaged over colours: transparency left out.

    Examples
    --------
    >>> grey(np.array([[[1, 2, 6, 255]]])).tolist()
    [[3.0]]
    """
    plane = np.asarray(image, np.float64)
    if plane.ndim == 2:
        return plane
    with np.errstate(invalid="ignore"):
        return np.asarray(plane[..., :3].mean(axis=-1))


def on_canvas(
    images: Sequence[NDArray[Any]] | NDArray[Any],
    shape: tuple[int, int],
    details: Filter = Filter(),
    masks: Sequence[NDArray[Any] | None] | None = None,
) -> Canvas:
    """Lay images on a canvas.

    Parameters
    ----------
    images : sequence of (y, x) or (y, x, channels)
        Any real dtype; NaN and infinite pixels are no data. Colours are averaged.
    shape : tuple of int
        Rows and columns of the canvas, as many as the largest image has.
    details : Filter
        What is done to them first.
    masks : sequence of (y, x) or None, optional
        Pixels to use of each: neither 0 nor NaN.

    Raises
    ------
    ValueError
        Where an image is larger than the canvas, or holds no real numbers.

    Examples
    --------
    >>> ready = on_canvas([np.eye(4), np.eye(3)], (4, 4), Filter("nothing"))
    >>> ready.values.shape, ready.groups.tolist(), ready.origins.tolist()
    ((2, 4, 4), [0, 1], [[0, 0], [0, 0]])
    """
    n = len(images)
    values, used = np.zeros((n, *shape), np.float32), np.zeros((n, *shape), np.float32)
    origins, plain = np.zeros((n, 2), np.int64), np.zeros(n, bool)
    sizes: dict[tuple[int, ...], list[int]] = {}
    for number, image in enumerate(images):
        sizes.setdefault(tuple(np.shape(image)[:2]), []).append(number)
    for size, numbers in sizes.items():
        if any(side > most for side, most in zip(size, shape, strict=True)):
            raise ValueError(
                f"An image of {size[0]} x {size[1]} pixels was given for a canvas of "
                f"{shape[0]} x {shape[1]}; take a canvas that holds every image."
            )
        at = [(most - side) // 2 for side, most in zip(size, shape, strict=True)]
        place: tuple[Any, ...] = tuple(slice(o, o + k) for o, k in zip(at, size, strict=True))
        most = max(1, _AT_ONCE // max(1, size[0] * size[1]))
        for start in range(0, len(numbers), most):
            some = numbers[start : start + most]
            block = np.stack([grey(real_array(images[number], "images")) for number in some])
            known = np.isfinite(block)
            if masks is not None:
                known &= np.stack([_selected(masks[number], size) for number in some])
            values[(some, *place)], plain[some] = _standardised(block, known, details)
            used[(some, *place)] = known
        origins[numbers] = at
    kinds: dict[bytes, int] = {}
    groups = np.array([kinds.setdefault(mask.tobytes(), len(kinds)) for mask in used], np.int64)
    _, firsts = np.unique(groups, return_index=True)
    return Canvas(values, used[firsts], groups, origins, plain)


@dataclass(frozen=True, eq=False)
class Spectra:
    """A canvas with what comparing at every shift takes.

    Attributes
    ----------
    canvas : Canvas
    transform : Transform
    images : (n, P, 2 L) float32
        Spectra of the images.
    """

    canvas: Canvas
    transform: Transform
    images: Floats

    @classmethod
    def of(cls, canvas: Canvas, transform: Transform) -> Spectra:
        """Spectra of a canvas."""
        return cls(canvas, transform, transform.spectra(canvas.values))

    @cached_property
    def squares(self) -> Floats:
        """Spectra of the squares of the images (n, P, 2 L)."""
        return self.transform.spectra(self.canvas.values**2)

    @cached_property
    def masks(self) -> Floats:
        """Spectra of the masks (groups, P, 2 L)."""
        return self.transform.spectra(self.canvas.masks)

    def __len__(self) -> int:
        return len(self.canvas)


def blurred(
    images: NDArray[np.float64], sigma: float, known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Images smoothed by what is known of them: nothing is past the border.

    Examples
    --------
    >>> blurred(np.ones((1, 3, 3)), 1.0, np.ones((1, 3, 3), bool)).round(12).max()
    1.0
    """
    if not known.all():
        found = smoothed(images, gaussian_window((sigma, sigma)), mask=known).values
        return np.nan_to_num(found)
    (taps,) = gaussian_window((sigma,))
    weights = tuple(taps.tolist())
    for axis in (1, 2):
        length = images.shape[axis]
        if length > _DENSE:
            images = filtered(images, _cut_off(length, weights), axis)
        elif axis == 1:
            images = _dense(length, weights) @ images
        else:
            images = images @ _dense(length, weights).T
    return images


@lru_cache(maxsize=64)
def _dense(length: int, taps: tuple[float, ...]) -> NDArray[np.float64]:
    """The same as `_cut_off` as a whole matrix: faster for small images."""
    band = _cut_off(length, taps)
    whole = np.zeros((length, length))
    across = band.starts[:, None] + np.arange(band.weights.shape[1])
    np.put_along_axis(whole, across, band.weights, axis=1)
    return whole


@lru_cache(maxsize=64)
def _cut_off(length: int, taps: tuple[float, ...]) -> Band:
    """Taps around every pixel, those past the border left out and the others made to sum to one."""
    radius, width = len(taps) // 2, min(len(taps), length)
    starts = np.clip(np.arange(length) - radius, 0, length - width)
    at = starts[:, None] + np.arange(width) - np.arange(length)[:, None] + radius
    weights = np.where((at >= 0) & (at < len(taps)), np.array(taps)[at.clip(0, len(taps) - 1)], 0.0)
    inner = (radius, length - radius) if length > 2 * radius else (0, 0)
    return Band(starts, weights / weights.sum(axis=1, keepdims=True), inner)


def _selected(mask: NDArray[Any] | None, size: tuple[int, ...]) -> NDArray[np.bool_]:
    if mask is None:
        return np.ones(size, bool)
    given = np.asarray(mask)
    return np.asarray((given != 0) & (given == given))


def _standardised(
    images: NDArray[np.float64], known: NDArray[np.bool_], details: Filter
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Filtered, of mean 0 and deviation 1 where known; which have no contrast."""
    inside = np.where(known, images, 0.0)
    largest = np.abs(inside).max(axis=(1, 2), initial=0.0)
    # A power of two: the same bits in any unit, and no square too large or small for a number.
    _, exponents = np.frexp(largest)
    ready = details(np.ldexp(inside, -exponents[:, None, None]), known)
    counts = np.maximum(known.sum(axis=(1, 2)), 1)[:, None, None]
    ready = np.where(known, ready, 0.0)
    means = ready.sum(axis=(1, 2), keepdims=True) / counts
    ready = np.where(known, ready - means, 0.0)
    spreads = np.sqrt((ready**2).sum(axis=(1, 2), keepdims=True) / counts)
    plain = ~(spreads > _LEAST_SPREAD)
    return np.where(plain, 0.0, ready / np.where(plain, 1.0, spreads)), plain[:, 0, 0]
