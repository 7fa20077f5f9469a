"""Total variation of an image, and its proximal map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_framewise.numerics.deconvolution.extension import Array, Floats
from napari_framewise.numerics.deconvolution.kernels import (
    dual_ascent,
    shrink_differences,
    take_divergence,
)


def total_variation(image: Array, weights: Sequence[float] = ()) -> float:
    """Isotropic total variation: the sum of the lengths of the gradient by forward differences.

    ``TV(x) = sum_p sqrt(sum_a (w_a (x[p + e_a] - x[p]))^2)``, without a difference across the
    border.

    Parameters
    ----------
    image : (x,), (y, x) or (z, y, x)
    weights : sequence of float, optional
        Of each axis: one over the size of a pixel along it; 1 by default.

    Examples
    --------
    >>> total_variation(np.array([[0.0, 0.0], [0.0, 2.0]]))
    4.0
    """
    whole = volume(np.ascontiguousarray(image, np.float64))
    dual = np.zeros((3, *whole.shape))
    return float(dual_ascent(whole, dual, weights_of(image.ndim, weights), 0.0, dual))


def volume(image: Floats) -> Floats:
    """A view (z, y, x) of an image of one to three axes."""
    return image.reshape((1,) * (3 - image.ndim) + image.shape)


def weights_of(ndim: int, weights: Sequence[float]) -> Array:
    """Weights of differences along z, y and x; 0 where there is no such axis."""
    own = tuple(weights) or (1.0,) * ndim
    return np.array((0.0,) * (3 - ndim) + own)


@dataclass
class Split:
    """The splitting ``d = D x`` of the alternating direction method, with its scaled dual.

    Attributes
    ----------
    shape : tuple of int
        Of the domain.
    window : tuple of slice
        Where variation counts; across its edge it does not.
    wrap : bool
        Whether differences go round the domain.
    weights : sequence of float
        Of each axis.
    dtype : type
        Of all arrays.
    """

    shape: tuple[int, ...]
    window: tuple[slice, ...]
    wrap: bool
    weights: Sequence[float]
    dtype: type[np.floating] = np.float64
    variation: float = 0.0
    _dual: Floats = field(init=False)
    _bounds: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        whole = (1,) * (3 - len(self.shape)) + self.shape
        window = (slice(0, 1),) * (3 - len(self.shape)) + self.window
        self._dual = np.zeros((3, *whole), self.dtype)
        self._bounds = tuple(edge for each in window for edge in (each.start, each.stop))

    def shrink(self, scene: Floats, threshold: float) -> Floats:
        """``D' (d - u)`` after a pass over a scene; `variation` is that of the scene."""
        out = np.empty_like(scene)
        weights = weights_of(scene.ndim, self.weights).astype(self.dtype)
        self.variation = shrink_differences(
            volume(scene), self._dual, self._bounds, self.wrap, weights, self.dtype(threshold),
            volume(out),
        )  # fmt: skip
        return out


@dataclass
class Denoiser:
    """``argmin_x 1/2 |x - b|^2 + weight TV(x)``, x >= floor, by its dual (Beck and Teboulle 2009).

    The dual is kept between calls, so that one or two passes do where the next `b` is near the
    last.
    """

    shape: tuple[int, ...]
    weights: Sequence[float] = ()
    floor: float = -np.inf
    _dual: Array = field(init=False)

    def __post_init__(self) -> None:
        self._dual = np.zeros((3, *((1,) * (3 - len(self.shape)) + self.shape)))

    def denoised(self, image: Array, weight: float, passes: int) -> Array:
        """The proximal map at an image, by so many accelerated passes over the dual."""
        out, given = np.empty(image.shape), volume(image)
        weights = weights_of(image.ndim, self.weights)
        if weight == 0:
            return np.maximum(image, self.floor)
        step = 1 / (4 * float(np.sum(weights**2)) * weight)
        ahead, last, t = self._dual, self._dual, 1.0
        for number in range(1, passes + 1):
            take_divergence(given, ahead, weights, weight, self.floor, volume(out))
            new = np.empty_like(last)
            dual_ascent(volume(out), ahead, weights, step, new)
            if number < passes:
                then = (1 + np.sqrt(1 + 4 * t * t)) / 2
                ahead, t = new + (t - 1) / then * (new - last), then
            last = new
        self._dual = last
        take_divergence(given, last, weights, weight, self.floor, volume(out))
        return out
