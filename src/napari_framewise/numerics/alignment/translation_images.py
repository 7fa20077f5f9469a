"""Images made ready to be shifted: smoothed, with slopes, and how much of them is noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_framewise.numerics.alignment.levels import slope_pixels
from napari_framewise.numerics.alignment.polish import some_way_off
from napari_framewise.numerics.alignment.shifts import Slopes
from napari_framewise.numerics.derivatives import eroded, gradient, gradient_radius, smooth
from napari_framewise.numerics.interpolation import spline

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
Plane: TypeAlias = NDArray[np.float32]
QUIET = 0.02
"""Share of noise in the variance up to which an image is taken as it is."""
PAD = 4
"""Pixels that coefficients go on past the border, so that each window can be sampled."""
_BRIGHTNESS_SIGMA = 2.0
# Frequencies that show noise alone, in cycles per pixel.
_NOISE_ABOVE = 0.42
# Shorter sides need narrower slopes, or too few pixels have any.
_SMALL = 24


@dataclass(frozen=True, eq=False)
class Still:
    """A template made ready to be shifted.

    Attributes
    ----------
    values : (channels, y, x) float32
        Smoothed.
    use : (y, x) float32
        1 where a pixel is used, else 0.
    slopes : (2, channels, y, x) float32
        Per pixel.
    away : (channels, y, x) float32
        What it is like some pixels away.
    bright : (channels, y, x) float32
        Smoothed further: what variances go by.
    compared : Slopes
        What all shifts are compared by.
    slope_pixels : float
        Pixels that slopes hang together over.
    smoothing : float
    """

    values: Plane
    use: Plane
    slopes: Plane
    away: Plane
    bright: Plane
    compared: Slopes
    slope_pixels: float
    smoothing: float
    windows: dict[Any, Any] = field(default_factory=dict, repr=False)
    """What was made of the last few windows of the template."""


@dataclass(frozen=True, eq=False)
class Moved:
    """An image made ready to be sampled at shifted pixels.

    Attributes
    ----------
    coefficients : (channels, y, x) float32
        Of cubic B-splines, a few pixels more on each side.
    slopes : (2, channels, y, x) float32
        Smoothed as the template's are.
    usable : (y, x) float32 or None
        1 where the image may be used; None where that is everywhere within the margin.
    margin : int
    shape : tuple of int
    """

    coefficients: Plane
    slopes: Plane
    usable: Plane | None
    margin: int
    shape: tuple[int, int]


@dataclass(eq=False)
class Ready:
    """An image, standardised, with what was made of it for each smoothing.

    Attributes
    ----------
    values : (channels, y, x) float32
    usable : (y, x) bool or None
    noise : float
        Share of white noise in its variance.
    """

    values: Plane
    usable: BoolArray | None
    noise: float
    _soft: dict[float, Plane] = field(default_factory=dict)
    _slopes: dict[float, tuple[Plane, Slopes]] = field(default_factory=dict)
    _still: dict[float, Still] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.values.shape[1], self.values.shape[2])

    def soft(self, smoothing: float) -> Plane:
        """Smoothed."""
        if smoothing not in self._soft:
            self._soft[smoothing] = smooth(self.values, smoothing)
        return self._soft[smoothing]

    def slopes(self, smoothing: float) -> tuple[Plane, Slopes]:
        """Slopes of what was smoothed, and as they are compared."""
        if smoothing not in self._slopes:
            slopes = gradient(self.soft(smoothing), 1.0 if min(self.shape) >= _SMALL else 0.5)
            self._slopes[smoothing] = (
                slopes,
                Slopes.of(
                    slopes,
                    self.inner(smoothing),
                    border=min(gradient_radius(1.0), min(self.shape) // 8),
                ),
            )
        return self._slopes[smoothing]

    def inner(self, smoothing: float) -> BoolArray | None:
        """Pixels that masks don't reach; None where there are none."""
        if self.usable is None:
            return None
        return eroded(self.usable, margin_of(self.shape, smoothing) + 1)

    def still(self, smoothing: float) -> Still:
        """As a template."""
        if smoothing not in self._still:
            slopes, compared = self.slopes(smoothing)
            soft, inner = self.soft(smoothing), self.inner(smoothing)
            margin = margin_of(self.shape, smoothing)
            used = np.ones(self.shape, bool) if inner is None else inner.copy()
            far = soft
            if self.noise > QUIET:
                apart = max(2, int(np.ceil(3 * smoothing)))
                far = some_way_off(soft, used.astype(np.float32), apart)
            used[:margin] = used[self.shape[0] - margin :] = False
            used[:, :margin] = used[:, self.shape[1] - margin :] = False
            self._still[smoothing] = Still(
                soft,
                used.astype(np.float32),
                slopes,
                far,
                smooth(soft, _BRIGHTNESS_SIGMA),
                compared,
                slope_pixels(slopes),
                smoothing,
            )
        return self._still[smoothing]

    def moved(self, smoothing: float) -> Moved:
        """As an image that is shifted."""
        pads = ((0, 0), (PAD, PAD), (PAD, PAD))
        coefficients = np.pad(spline(self.soft(smoothing)).coefficients, pads, mode="reflect")
        inner = self.inner(smoothing)
        return Moved(
            coefficients,
            self.slopes(smoothing)[0],
            None if inner is None else inner.astype(np.float32),
            margin_of(self.shape, smoothing),
            self.shape,
        )


def noise_share(values: Plane) -> float:
    """Share of white noise in the variance of finite planes, from their highest frequencies.

    The median of a periodogram of white noise is log 2 of its mean; texture has least there.
    """
    shape = (values.shape[1], values.shape[2])
    window, high = _noise_frequencies(shape)
    if not high.any():
        return 0.0
    centred = (values - values.mean(axis=(1, 2), keepdims=True)) * window
    found = np.abs(fft.rfft2(centred)[:, high]) ** 2
    total = float(values.var(axis=(1, 2)).mean())
    size = float(np.median(found) / np.log(2))
    return size / total if total > 0 else 0.0


@lru_cache(maxsize=16)
def _noise_frequencies(shape: tuple[int, int]) -> tuple[Plane, BoolArray]:
    """A Hann window whose squares sum up to one, and the frequencies that show noise alone."""
    rows, columns = (np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in shape)
    window = np.outer(rows, columns)
    radius = np.hypot(fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1]))
    return (window / np.sqrt((window**2).sum())).astype(np.float32), radius > _NOISE_ABOVE


def margin_of(shape: tuple[int, int], smoothing: float) -> int:
    """Pixels at the border that are not used: their values rest on how an image was carried on."""
    return max(1, min(2 + round(2 * smoothing), min(shape) // 8))
