"""How strongly each pixel looks like part of an outline: lines and edges in units of the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage

from napari_framewise.numerics.normalised_convolution import filled

Array = NDArray[np.float64]
Feature = Literal["dark line", "bright line", "edge"]

DIRECTIONS = 16
"""Directions that lines are looked for in, over half a turn."""
ELONGATION = 3.0
"""How many times longer than wide the filter is that finds outlines."""
_EVERY = 3
_DETAIL = 0.75, 0.5
"""Sigmas across and along a line of the filter that places it, in sigmas."""
_LEAST_NOISE = 1e-9


@dataclass(frozen=True, eq=False)
class OutlineStrength:
    """What looks like an outline.

    Attributes
    ----------
    strength : (y, x) float64
        Answer of a filter along the best of 16 directions, in standard deviations of its noise; 0
        where it is below 0, or too near to missing data.
    angle : (y, x) float64
        That direction: from the columns' axis towards growing rows, in radians, 0 to pi.
    detail : (y, x) float64
        The same of a smaller filter, 0.75 times as wide and half as long as wide, along the same
        direction: it follows every column by itself.
    sigma : float
        Of the filters across a line, in pixels.
    """

    strength: Array
    angle: Array
    detail: Array
    sigma: float


def outline_strength(
    frame: ArrayLike,
    feature: Feature = "dark line",
    sigma: float = 2.0,
    mask: ArrayLike | None = None,
) -> OutlineStrength:
    """How strongly each pixel looks like part of an outline.

    Parameters
    ----------
    frame : (y, x)
        Any real dtype; NaN and infinite values are no data.
    feature : {"dark line", "bright line", "edge"}
        What an outline looks like.
    sigma : float
        Of the Gaussian that the derivatives are taken of, in pixels: about half of a line's width.
    mask : (y, x), optional
        Non-zero = use this pixel.

    Returns
    -------
    OutlineStrength
        All 0 where the frame is flat.

    Raises
    ------
    ValueError
        Where the frame is no image of at least 3 x 3 pixels, or sigma is not above 0.

    Notes
    -----
    Of a line the answer is the second derivative across a direction of the frame under a Gaussian
    that is three times as long along it as it is wide (the ridges of Steger 1998, *IEEE Trans.
    PAMI* 20, 113-125, averaged along the line, as the oriented filters of Freeman & Adelson 1991,
    *IEEE Trans. PAMI* 13, 891-906); of an edge the absolute first derivative. Each direction is
    divided by 1.4826 times the median absolute answer, so that a few outlines do not change the
    unit.

    Examples
    --------
    >>> frame = np.random.default_rng(0).normal(0, 0.1, (40, 50))
    >>> frame[20] -= 5
    >>> found = outline_strength(frame)
    >>> found.strength.argmax(axis=0).tolist() == [20] * 50
    True
    """
    values, known = _usable(frame, mask)
    if not (np.isfinite(sigma) and sigma > 0):
        raise ValueError(f"A sigma of {sigma:g} pixels was given; give more than 0.")
    zero = np.zeros(values.shape)
    nothing = OutlineStrength(zero, zero.copy(), zero.copy(), sigma)
    if not known.any():
        return nothing
    gaps = ~known
    if gaps.any():
        # So that no value under a gap matters, and its rim is no edge.
        whole, _ = filled(np.where(known, values, np.nan)[np.newaxis])
        values = np.asarray(whole[0], np.float64)
    middle = float(np.median(values))
    spread = float(np.abs(values - middle).max())
    if spread == 0.0:
        return nothing
    usable = known
    if gaps.any():
        usable = ndimage.distance_transform_edt(known) > 2 * sigma
    return _oriented((values - middle) / spread, usable, feature, sigma)


def _usable(frame: ArrayLike, mask: ArrayLike | None) -> tuple[Array, NDArray[np.bool_]]:
    values = np.array(frame, np.float64)
    if values.ndim != 2 or min(values.shape) < 3:
        raise ValueError(
            f"The frame has the shape {values.shape}; an image (y, x) of at least 3 x 3 is needed."
        )
    known = np.isfinite(values)
    if mask is not None:
        use = np.asarray(mask)
        if use.shape != values.shape:
            raise ValueError(
                f"The mask has the shape {use.shape}, but the frame has {values.shape}; one of "
                "equal shape is needed."
            )
        known &= (use != 0) & (use == use)
    values[~known] = 0.0
    return values, known


def _oriented(
    values: Array, usable: NDArray[np.bool_], feature: Feature, sigma: float
) -> OutlineStrength:
    height, width = values.shape
    reach = int(np.ceil(4 * ELONGATION * sigma))
    shape = [fft.next_fast_len(side + 2 * reach, real=True) for side in values.shape]
    ends = [(reach, side - known - reach) for side, known in zip(shape, values.shape, strict=True)]
    # float32 holds seven digits of what is divided by its noise in the end.
    spectrum = fft.rfft2(np.pad(values, ends, mode="symmetric").astype(np.float32))
    down = (2 * np.pi * fft.fftfreq(shape[0]))[:, np.newaxis].astype(np.float32)
    right = (2 * np.pi * fft.rfftfreq(shape[1])).astype(np.float32)
    part = slice(reach, reach + height), slice(reach, reach + width)

    def answer(angle: float, wide: float, long: float) -> Any:
        across = np.float32(np.cos(angle)) * down - np.float32(np.sin(angle)) * right
        along = np.float32(np.sin(angle)) * down + np.float32(np.cos(angle)) * right
        filtered = np.exp(-(wide**2 * across**2 + long**2 * along**2) / 2)
        if feature == "edge":
            got = np.abs(fft.irfft2(spectrum * (1j * across * filtered), shape)[part])
        else:
            sign = -1.0 if feature == "dark line" else 1.0
            got = fft.irfft2(spectrum * (sign * across**2 * filtered), shape)[part]
        noise = 1.4826 * float(np.median(np.abs(got[::_EVERY, ::_EVERY])))
        # Where most of a frame is exactly flat, rounding is its only noise.
        return got / max(noise, _LEAST_NOISE)

    strength = np.zeros(values.shape, np.float32)
    detail, angles = np.zeros_like(strength), np.zeros_like(strength)
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        got = answer(angle, sigma, ELONGATION * sigma)
        better = got > strength
        np.copyto(strength, got, where=better)
        np.copyto(angles, np.float32(angle), where=better)
        np.copyto(detail, answer(angle, _DETAIL[0] * sigma, _DETAIL[1] * sigma), where=better)
    strength[~usable] = 0
    detail[~usable] = 0
    found, angle, fine = (each.astype(np.float64) for each in (strength, angles, detail))
    return OutlineStrength(found, angle, fine, sigma)
