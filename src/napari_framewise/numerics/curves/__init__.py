"""Continuous curves through noisy outlines: strength, ordered paths, fits, measures."""

from napari_framewise.numerics.curves.fitting import (
    FEWEST,
    Form,
    OutlineCurve,
    curve_vertices,
    outline_curve,
)
from napari_framewise.numerics.curves.measures import CurveMeasures, Measure, curve_measures
from napari_framewise.numerics.curves.observing import Sightings, outline_sightings
from napari_framewise.numerics.curves.paths import Path, outline_paths
from napari_framewise.numerics.curves.strength import Feature, OutlineStrength, outline_strength

__all__ = [
    "FEWEST",
    "CurveMeasures",
    "Feature",
    "Form",
    "Measure",
    "OutlineCurve",
    "OutlineStrength",
    "Path",
    "Sightings",
    "curve_measures",
    "curve_vertices",
    "outline_curve",
    "outline_paths",
    "outline_sightings",
    "outline_strength",
]
