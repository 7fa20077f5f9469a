"""Normalised convolution: smoothing, gradients and filling by what is known of an image.

Every pixel counts by its certainty, from 0 (missing, masked) to 1, and every result comes with how
far it rests on data. Sums run directly over windows: by Fourier transforms or recursive filters the
small sums of weights far from data would be rounding errors, and quotients of those.
"""

from napari_framewise.numerics.normalised_convolution.filling import Filled, filled, nearest
from napari_framewise.numerics.normalised_convolution.gradients import (
    LEAST_RANK,
    Gradient,
    gradient,
)
from napari_framewise.numerics.normalised_convolution.smoothing import Smoothed, reach_of, smoothed
from napari_framewise.numerics.normalised_convolution.sums import summed
from napari_framewise.numerics.normalised_convolution.windows import (
    box_window,
    gaussian_window,
    window_of,
)

__all__ = [
    "LEAST_RANK",
    "Filled",
    "Gradient",
    "Smoothed",
    "box_window",
    "filled",
    "gaussian_window",
    "gradient",
    "nearest",
    "reach_of",
    "smoothed",
    "summed",
    "window_of",
]
