"""Plots of a result: curves, scatters, histograms and trees, in napari's colours."""

from napari_framewise.plugin.results.plots.canvas import PlotCanvas
from napari_framewise.plugin.results.plots.curves import Curves, envelope

__all__ = ["Curves", "PlotCanvas", "envelope"]
