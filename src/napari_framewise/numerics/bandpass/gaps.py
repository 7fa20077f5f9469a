"""Differences of Gaussians on frames with missing pixels: normalised convolutions in space."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from napari_framewise.numerics.bandpass.responses import Array, Gaussians, Response
from napari_framewise.numerics.normalised_convolution import gaussian_window, smoothed

_ALLOWED = 0.01
_FINE = np.linspace(0, 0.5, 65)


def filtered_with_gaps(
    frames: Array,
    response: Response,
    spacing: Sequence[float] = (),
    mask: Array | None = None,
) -> Array:
    """The difference of two normalised convolutions, by what is known of each frame.

    Past the border nothing is known. Missing and masked pixels leave no trace in the others, and
    stay missing in the result.

    Parameters
    ----------
    frames : (n, y, x) or (n, z, y, x)
        What is not finite is missing.
    response : Gaussians
        Any other is refused, for its kernel has negative weights on long tails.
    spacing : sequence of float, optional
        Distance of neighbouring pixels along each axis of a frame; 1 by default.
    mask : (n, *frame) or (1, *frame), optional
        Not zero where pixels are used.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    ValueError
        Where the band can't be filtered in space: see `check_taps`.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_framewise.numerics.bandpass import Gaussians
    >>> frame = np.full((1, 9, 9), 7.0)
    >>> frame[0, 4, 4] = np.nan
    >>> found = filtered_with_gaps(frame, Gaussians(1.5, 4.0))[0]
    >>> float(np.nanmax(np.abs(found))), bool(np.isnan(found[4, 4]))
    (0.0, True)
    """
    steps = tuple(spacing or (1.0,) * (frames.ndim - 1))
    gaussians = check_taps(response, steps)
    known = np.isfinite(frames) if frames.dtype.kind == "f" else np.ones(frames.shape, bool)
    if mask is not None:
        known &= mask != 0
    given = np.where(known, frames, np.nan) if not known.all() else frames
    first = np.asarray(given, np.float64)
    if gaussians.narrow > 0:
        first = _blurred(given, gaussians.narrow, steps)
    if math.isfinite(gaussians.wide):
        first = first - _blurred(given, gaussians.wide, steps)
    return np.where(known, first, np.nan)


def check_taps(response: Response, spacing: Sequence[float]) -> Gaussians:
    """The Gaussians, where their sampled weights have the transfer function that is asked for.

    Raises
    ------
    ValueError
        Where the response is no difference of Gaussians, or the gain of the weights, cut at four
        sigma, is off by more than 1 % of the largest gain at any frequency along an axis.

    Examples
    --------
    >>> check_taps(Gaussians(1.5, 4.0), (1.0, 1.0))
    Gaussians(narrow=1.5, wide=4.0)
    """
    advice = "fill the missing pixels first, or leave the frames that have some out"
    if not isinstance(response, Gaussians):
        raise ValueError(
            f"A {type(response).__name__} filter was asked for on frames with missing pixels; only "
            f"Gaussians can be used there: take those, {advice}."
        )
    peak = float(response.transfer(np.linspace(0, 0.5 / min(spacing), 257)).max())
    for step in spacing:
        taps = [_taps(sigma / step) for sigma in (response.narrow, response.wide)]
        first, second = response.parts(_FINE / step)
        off = np.abs((_gain(taps[0]) - _gain(taps[1])) - (first - second)).max()
        if off > _ALLOWED * peak:
            raise ValueError(
                f"Gaussians of {response.narrow / step:.3g} and {response.wide / step:.3g} pixels "
                f"were asked for on frames with missing pixels; sampled at the pixels, their gain "
                f"is off by {100 * off / peak:.0f} % of the largest: {advice}, or lower the upper "
                "edge."
            )
    return response


def _blurred(frames: Array, sigma: float, spacing: Sequence[float]) -> Array:
    window = gaussian_window(tuple(sigma / step for step in spacing))
    return np.asarray(smoothed(frames, window).values, np.float64)


def _taps(sigma: float) -> Array:
    """The weights that `smoothed` takes along an axis; none of an infinitely wide Gaussian."""
    return gaussian_window((sigma,))[0] if math.isfinite(sigma) else np.zeros(1)


def _gain(taps: Array) -> Array:
    places = np.arange(len(taps)) - len(taps) // 2
    return np.asarray(np.cos(2 * np.pi * np.outer(_FINE, places)) @ taps)
