"""Power against frequency, whatever the direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import fft

from napari_framewise.numerics.bandpass.filtering import frequencies_of, scale_of
from napari_framewise.numerics.bandpass.responses import Array


class Spectrum(NamedTuple):
    """Mean power in rings of frequency.

    Attributes
    ----------
    frequencies : (m,)
        Mean frequency of each ring, in cycles per unit of the spacing.
    power : (m,)
        Mean square of its coefficients. Of white noise it is the variance at every frequency.
    """

    frequencies: Array
    power: Array


def radial_spectrum(frame: Array, spacing: Sequence[float] = ()) -> Spectrum:
    """Power of a frame by frequency: squared coefficients of its cosine transform, over rings.

    The transform is orthonormal, and continues the frame by reflection, so that opposite borders
    that differ make no power of their own. The mean of the frame is left out. Rings are as wide as
    the spacing of frequencies along the shortest axis, up to half a cycle per pixel.

    Parameters
    ----------
    frame : (y, x) or (z, y, x)
        Any real dtype.
    spacing : sequence of float, optional
        Distance of neighbouring pixels along each axis; 1 by default.

    Returns
    -------
    Spectrum
        NaN as power where a value of the frame is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(0, 3, (64, 64))
    >>> power = radial_spectrum(noise).power
    >>> bool(abs(power[5:].mean() - 9) < 1)
    True
    """
    steps = tuple(spacing or (1.0,) * frame.ndim)
    lengths = frequencies_of(frame.shape, steps)
    width = max(1 / (2 * n * step) for n, step in zip(frame.shape, steps, strict=True))
    rings = np.rint(lengths / width).astype(np.intp).ravel()
    rings[0] = 0
    top = int(0.5 / max(steps) / width) + 1
    counts = np.bincount(rings, minlength=top)[1:top]
    sums = np.bincount(rings, lengths.ravel(), minlength=top)[1:top]
    if np.isfinite(frame).all():
        size = scale_of(frame)
        values = fft.dctn(frame.astype(np.float64) / size, norm="ortho").ravel()
        with np.errstate(over="ignore", under="ignore"):
            power = np.bincount(rings, np.square(values), minlength=top)[1:top] * size * size
    else:
        power = np.full(len(counts), np.nan)
    filled = counts > 0
    return Spectrum(sums[filled] / counts[filled], power[filled] / counts[filled])
