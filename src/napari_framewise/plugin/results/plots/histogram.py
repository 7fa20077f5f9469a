"""How often the values of a column come."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from napari_framewise.framework.outcome import Plot, Table
from napari_framewise.plugin.results.plots.drawing import Drawing, FloatArray, Mark, numbers
from napari_framewise.plugin.theme import Colours

_MOST_BINS = 200


class Histogram(Drawing):
    """Counts of the values of each column, in bins that all columns share."""

    def __init__(self, axes: Axes, plot: Plot, table: Table, colours: Colours) -> None:
        super().__init__(axes, plot, table, colours)
        axes.set_xlabel(
            plot.x_label or ", ".join(curve.label or curve.y for curve in plot.curves),
            color=colours.text, fontsize=8,
        )  # fmt: skip
        axes.set_ylabel(plot.y_label or "rows", color=colours.text, fontsize=8)
        self._values = [numbers(table, curve.y) for curve in plot.curves]
        together = np.concatenate(self._values) if self._values else np.empty(0)
        shown = together[np.isfinite(together) & ((together > 0) | (not plot.log_x))]
        self.edges = _edges(shown, plot.log_x)
        known = [values[np.isfinite(values)] for values in self._values]
        self.counts = [np.histogram(values, self.edges)[0] for values in known]
        # Nothing has no place on a logarithmic axis: empty bins end below what is shown.
        floor = 0.5 if plot.log_y else 0.0
        for number, (curve, counts) in enumerate(zip(plot.curves, self.counts, strict=True)):
            colour, name = self.colour(number), curve.label or curve.y
            shown = np.maximum(counts, floor)
            axes.stairs(shown, self.edges, baseline=floor, fill=True, color=colour, alpha=0.45)
            axes.stairs(shown, self.edges, baseline=floor, color=colour, linewidth=1.0, label=name)
        self.legend(len(plot.curves) > 1)
        self.whole_view()

    def whole_view(self) -> None:
        """Show all bins."""
        self.view(*self.span(self.edges))

    def view(self, first: float, last: float) -> None:
        """Show a part of the abscissa, with the ordinate fitted to what is seen there."""
        seen = (self.edges[1:] >= first) & (self.edges[:-1] <= last)
        self.axes.set_xlim(first, last)
        highest = max((int(counts[seen].max(initial=0)) for counts in self.counts), default=0)
        low = 0.7 if self.plot.log_y else 0.0
        self.axes.set_ylim(low, max(highest, 1) * (1.5 if self.plot.log_y else 1.06))

    def row_at(self, x: float, y: float) -> int | None:
        """The row whose value in the first column lies nearest."""
        if not self._values or not np.isfinite(self._values[0]).any():
            return None
        return int(np.nanargmin(np.abs(self._values[0] - x)))

    def mark_of(self, row: int) -> Mark | None:
        """A line at the row's value in the first column."""
        if not self._values or not 0 <= row < len(self._values[0]):
            return None
        return Mark(float(self._values[0][row]))


def _edges(values: FloatArray, logarithmic: bool) -> FloatArray:
    """Edges by Freedman and Diaconis's rule; of integers between them, at most one bin each."""
    if not len(values):
        return np.array([0.5, 1.5])
    if logarithmic:
        return np.exp(_edges(np.log(values), False))
    low, high = float(values.min()), float(values.max())
    if low == high:
        room = 0.5 * (abs(low) * 1e-3 or 1.0)
        return np.array([low - room, high + room])
    quarters = np.percentile(values, [25, 75])
    width = 2 * (quarters[1] - quarters[0]) / len(values) ** (1 / 3)
    bins = min(_MOST_BINS, max(10, int((high - low) / width))) if width > 0 else _MOST_BINS
    if np.all(values == np.rint(values)):
        step = max(1, int(np.ceil((high - low + 1) / bins)))
        return np.arange(low, high + step + 1, step) - 0.5
    return np.linspace(low, high, bins + 1)
