"""Filters asked for by their band of frequencies, and noise that fills a band.

A band is given by its half-power edges: where the gain is the largest gain divided by the square
root of two. Frequencies are in cycles per unit of the spacing: of pixels where that is 1.
"""

from napari_framewise.numerics.bandpass.bands import (
    NARROWEST,
    Band,
    band_of,
    gaussians_of,
)
from napari_framewise.numerics.bandpass.filtering import check_band, filtered
from napari_framewise.numerics.bandpass.gaps import check_taps, filtered_with_gaps
from napari_framewise.numerics.bandpass.noise import band_noise
from napari_framewise.numerics.bandpass.responses import (
    Butterworth,
    Gaussians,
    LogGabor,
    Response,
)
from napari_framewise.numerics.bandpass.spectra import Spectrum, radial_spectrum

__all__ = [
    "NARROWEST",
    "Band",
    "Butterworth",
    "Gaussians",
    "LogGabor",
    "Response",
    "Spectrum",
    "band_noise",
    "band_of",
    "check_band",
    "check_taps",
    "filtered",
    "filtered_with_gaps",
    "gaussians_of",
    "radial_spectrum",
]
