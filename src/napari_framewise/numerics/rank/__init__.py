"""Rank filters of windows, with pixels missing."""

from __future__ import annotations

from napari_framewise.numerics.rank.filters import median_filter, percentile_filter
from napari_framewise.numerics.rank.footprint import Shape, runs_of

__all__ = ["Shape", "median_filter", "percentile_filter", "runs_of"]
