"""Similarity of images that may be shifted, cut, and lit differently."""

from napari_framewise.numerics.similarity.best_shifts import Matches, all_pairs, best_shifts
from napari_framewise.numerics.similarity.differences import least_differences, phase_correlations
from napari_framewise.numerics.similarity.grouping import (
    Unrelated,
    groups_of,
    order_of,
    spanning,
    tree_of,
)
from napari_framewise.numerics.similarity.histograms import histogram_distances, histograms
from napari_framewise.numerics.similarity.prepared import Canvas, Filter, Spectra, grey, on_canvas
from napari_framewise.numerics.similarity.screen import (
    Screen,
    Small,
    coarse_shifts,
    displaced,
    reduced,
)
from napari_framewise.numerics.similarity.significance import chances, fractions
from napari_framewise.numerics.similarity.structural import Pictures, structural_similarities
from napari_framewise.numerics.similarity.transform import Transform

__all__ = [
    "Canvas",
    "Filter",
    "Matches",
    "Pictures",
    "Screen",
    "Small",
    "Spectra",
    "Transform",
    "Unrelated",
    "all_pairs",
    "best_shifts",
    "chances",
    "coarse_shifts",
    "displaced",
    "fractions",
    "grey",
    "groups_of",
    "histogram_distances",
    "histograms",
    "least_differences",
    "on_canvas",
    "order_of",
    "phase_correlations",
    "reduced",
    "spanning",
    "structural_similarities",
    "tree_of",
]
