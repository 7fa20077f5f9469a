"""Distortion over a third variable: where each straight pixel is seen, at any value of it."""

from napari_framewise.numerics.calibration.fields import (
    Field,
    at_value,
    covered,
    fit_field,
    hull_of,
    seen_from,
    slopes_of,
    straight_from,
)
from napari_framewise.numerics.calibration.judging import (
    Judgement,
    common_to_neighbours,
    judged,
)
from napari_framewise.numerics.calibration.references import common_index, regular_grid
from napari_framewise.numerics.calibration.straightening import row_ends, straight_image

__all__ = [
    "Field",
    "Judgement",
    "at_value",
    "common_index",
    "common_to_neighbours",
    "covered",
    "fit_field",
    "hull_of",
    "judged",
    "regular_grid",
    "row_ends",
    "seen_from",
    "slopes_of",
    "straight_from",
    "straight_image",
]
