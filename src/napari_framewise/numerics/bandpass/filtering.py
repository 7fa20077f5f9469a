"""Isotropic filters applied in the frequency domain, reflected at the borders."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import fft

from napari_framewise.numerics.bandpass.responses import Array, Response


def filtered(frames: Array, response: Response, spacing: Sequence[float] = ()) -> Array:
    """Frames times a transfer function, continued past their borders by reflection.

    The cosine transform (DCT-II) of a frame is the Fourier transform of the frame and its
    reflections; coefficient k of N along an axis has ``k / (2 N spacing)`` cycles per unit. Each is
    multiplied by the gain at the length of its vector of frequencies. Frequencies in the corners,
    beyond half a cycle per pixel, are kept as the transfer function has them.

    Parameters
    ----------
    frames : (n, y, x) or (n, z, y, x)
        Any real dtype, without missing values.
    response : Gaussians, LogGabor or Butterworth
        Transfer function, in cycles per unit of the spacing.
    spacing : sequence of float, optional
        Distance of neighbouring pixels along each axis of a frame; 1 by default.

    Returns
    -------
    ndarray of float64
        Of the same shape. A frame with a value that is not finite is NaN as a whole.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_framewise.numerics.bandpass import Butterworth
    >>> wave = np.cos(np.pi * (np.arange(8) + 0.5) * 4 / 8)  # 0.25 cycles per pixel
    >>> frames = np.tile(10 + wave, (1, 8, 1))
    >>> found = filtered(frames, Butterworth(0.125, 0.5))[0, 0]
    >>> bool(np.allclose(found, wave, atol=1e-12))
    True
    """
    gain = response.transfer(frequencies_of(frames.shape[1:], spacing))
    result = np.empty(frames.shape)
    for frame, out in zip(frames, result, strict=True):
        if not np.isfinite(frame).all():
            out[...] = np.nan
            continue
        out[...] = frame
        size = scale_of(out)
        # In the place of the result throughout: two threads wait for memory before anything else.
        out /= size
        spectrum = fft.dctn(out, norm="ortho", overwrite_x=True)
        spectrum *= gain
        np.multiply(fft.idctn(spectrum, norm="ortho", overwrite_x=True), size, out=out)
    return result


def scale_of(frame: Array) -> float:
    """A power of two that brings the frame's largest value to about 1; 1 for a frame of zeros."""
    largest = max(float(frame.max(initial=0)), -float(frame.min(initial=0)))
    return math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest > 0 else 1.0


def frequencies_of(shape: Sequence[int], spacing: Sequence[float] = ()) -> Array:
    """Length of the vector of frequencies of each coefficient of the cosine transform."""
    steps = spacing or (1.0,) * len(shape)
    squares = np.zeros(())
    for length, step in zip(shape, steps, strict=True):
        squares = np.add.outer(squares, np.square(np.arange(length) / (2 * length * step)))
    return np.sqrt(squares)


def check_band(
    low: float,
    high: float,
    shape: Sequence[int],
    spacing: Sequence[float] = (),
    unit: str = "unit",
) -> None:
    """Refuse a band that frames of this shape can't have.

    Parameters
    ----------
    low, high : float
        Half-power edges; 0 and infinity where there are none.
    shape, spacing : sequence
        Of a frame.
    unit : str
        What the spacing counts, for the sentences.

    Raises
    ------
    ValueError
        Where an edge lies above half a cycle per pixel, or both edges below the lowest frequency
        of a frame, half a cycle per its length.

    Examples
    --------
    >>> check_band(0.05, 0.2, (64, 64))
    >>> check_band(0.05, 0.7, (64, 64))
    Traceback (most recent call last):
    ValueError: An edge of 0.7 cycles per unit was given, above the highest frequency that the ...
    """
    steps = spacing or (1.0,) * len(shape)
    nyquist = 0.5 / max(steps)
    for edge in (low, high):
        if math.isfinite(edge) and edge > nyquist * (1 + 1e-12):
            raise ValueError(
                f"An edge of {edge:g} cycles per {unit} was given, above the highest frequency "
                f"that the pixels can show, {nyquist:g} (half a cycle per pixel); give a lower one."
            )
    lowest = min(1 / (2 * length * step) for length, step in zip(shape, steps, strict=True))
    edge = high if math.isfinite(high) else low
    if edge < lowest:
        raise ValueError(
            f"A band up to {edge:g} cycles per {unit} was asked for, below the lowest frequency of "
            f"frames of this size, {lowest:g}; give a higher one, or larger frames."
        )
