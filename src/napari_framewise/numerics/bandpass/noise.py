"""Noise that has power inside a band of frequencies alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft

from napari_framewise.numerics.bandpass.responses import Array


def band_noise(
    shape: Sequence[int],
    low: float,
    high: float,
    *,
    seed: Sequence[int],
    spacing: Sequence[float] = (),
    unit: str = "unit",
) -> Array:
    """Gaussian noise of mean 0 and standard deviation 1 with all its power in a band.

    White noise whose Fourier coefficients outside ``low <= |f| <= high`` are put to 0, and which is
    then brought to a mean of 0 and a standard deviation of 1 exactly. It continues without a seam
    past its borders (it tiles).

    Parameters
    ----------
    shape : sequence of int
        Of the image.
    low, high : float
        Edges of the band, in cycles per unit of the spacing. The mean is never part of it.
    seed : sequence of int
        The same numbers give the same noise (PCG64).
    spacing : sequence of float, optional
        Distance of neighbouring pixels along each axis; 1 by default.
    unit : str
        What the spacing counts, for the sentence.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    ValueError
        Where no frequency of an image of this shape lies in the band.

    Examples
    --------
    >>> noise = band_noise((64, 64), 0.1, 0.2, seed=(7,))
    >>> bool(abs(noise.mean()) < 1e-12), bool(abs(noise.std() - 1) < 1e-12)
    (True, True)
    """
    steps = spacing or (1.0,) * len(shape)
    squares = np.zeros(())
    for axis, (length, step) in enumerate(zip(shape, steps, strict=True)):
        spaced = fft.rfftfreq if axis == len(shape) - 1 else fft.fftfreq
        squares = np.add.outer(squares, np.square(spaced(length, step)))
    inside = (squares >= (low * (1 - 1e-9)) ** 2) & (squares <= (high * (1 + 1e-9)) ** 2)
    inside.flat[0] = False
    if not inside.any():
        finest = min(1 / (length * step) for length, step in zip(shape, steps, strict=True))
        raise ValueError(
            f"A band from {low:g} to {high:g} cycles per {unit} was asked for, but no frequency of "
            f"an image of this size lies in it: they are {finest:g} apart; widen the band, or make "
            "the image larger."
        )
    white = np.random.default_rng(list(seed)).standard_normal(tuple(shape))
    spectrum = fft.rfftn(white)
    spectrum[~inside] = 0
    noise = fft.irfftn(spectrum, tuple(shape))
    noise -= noise.mean()
    return np.asarray(noise / noise.std())
