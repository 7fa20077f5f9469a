"""Outlines of masks as ordered sub-pixel points: traced, resampled, smoothed, measured."""

from napari_framewise.numerics.contours.contour import Contour
from napari_framewise.numerics.contours.measures import (
    arc_lengths,
    curvature,
    length,
    normals,
    signed_area,
)
from napari_framewise.numerics.contours.smoothing import (
    largest_sigma,
    resampled,
    smoothed,
    smoothed_outline,
)
from napari_framewise.numerics.contours.tracing import outlines, outlines_of_labels

__all__ = [
    "Contour",
    "arc_lengths",
    "curvature",
    "largest_sigma",
    "length",
    "normals",
    "outlines",
    "outlines_of_labels",
    "resampled",
    "signed_area",
    "smoothed",
    "smoothed_outline",
]
