"""Local moments: mean, variance and covariance over a window, with pixels missing."""

from __future__ import annotations

from napari_framewise.numerics.window_moments.moments import (
    Comoments,
    Moments,
    window_comoments,
    window_moments,
)
from napari_framewise.numerics.window_moments.neighbours import neighbour_correlation
from napari_framewise.numerics.window_moments.pivoted import (
    Sums,
    pivoted_comoments,
    pivoted_sums,
)
from napari_framewise.numerics.window_moments.window import (
    Window,
    box_window,
    check_side,
    gaussian_window,
)

__all__ = [
    "Comoments",
    "Moments",
    "Sums",
    "Window",
    "box_window",
    "check_side",
    "gaussian_window",
    "neighbour_correlation",
    "pivoted_comoments",
    "pivoted_sums",
    "window_comoments",
    "window_moments",
]
