"""Curves with their error bands, drawn for the part of the abscissa that is in view."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from napari_framewise.framework.outcome import Plot, Table
from napari_framewise.plugin.results.plots.drawing import Drawing, Mark, numbers
from napari_framewise.plugin.theme import Colours

FloatArray = npt.NDArray[np.floating[Any]]
_LEAST_COLUMNS = 200
_MARKED = 60


def envelope(
    x: FloatArray, y: FloatArray, low: FloatArray, high: FloatArray, columns: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """The same curve in about `columns` pairs of points: the extremes of each run of points.

    Parameters
    ----------
    x, y, low, high : ndarray
        Curve and error band, shape (n,), x ascending; NaN where there is no value.
    columns : int
        Number of runs.

    Returns
    -------
    tuple of ndarray
        x, y, low, high; unchanged where they are short. A run without any value is NaN.
    """
    run = len(x) // columns
    if run < 3:
        return x, y, low, high
    n = -(-len(x) // run)
    padded = np.full((4, n * run), np.nan)
    padded[:, : len(x)] = x, y, low, high
    xs, ys, lows, highs = padded.reshape(4, n, run)
    left = xs[:, 0]
    middle = xs[:, run // 2]
    middle = np.where(np.isnan(middle), left, middle)
    bottom, top = _extremes(ys)
    lowest, _ = _extremes(lows)
    _, highest = _extremes(highs)
    return (
        np.stack([left, middle], axis=1).ravel(),
        np.stack([bottom, top], axis=1).ravel(),
        np.repeat(lowest, 2),
        np.repeat(highest, 2),
    )


def _extremes(runs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest number of each row; NaN where it holds none."""
    known = ~np.isnan(runs)
    bottom = np.where(known, runs, np.inf).min(axis=1)
    top = np.where(known, runs, -np.inf).max(axis=1)
    empty = ~known.any(axis=1)
    return np.where(empty, np.nan, bottom), np.where(empty, np.nan, top)


class Curves(Drawing):
    """Lines against the abscissa."""

    def __init__(self, axes: Axes, plot: Plot, table: Table, colours: Colours) -> None:
        super().__init__(axes, plot, table, colours)
        self._take(table)
        self._drawn: list[tuple[Any, Any]] = []
        for number, curve in enumerate(plot.curves):
            band, colour = None, self.colour(number)
            if curve.error is not None:
                band = axes.fill_between([], [], [], color=colour, alpha=0.3, linewidth=0)
            (line,) = axes.plot(
                [], [], color=colour, linewidth=1.1, markersize=2.5, label=curve.label or curve.y
            )
            self._drawn.append((line, band))
        bands = [band for _, band in self._drawn if band is not None]
        if bands and plot.band:
            bands[0].set_label(plot.band)
        self.legend(len(plot.curves) > 1 or bool(bands and plot.band))
        self.whole_view()

    def _take(self, table: Table) -> None:
        x = numbers(table, self.plot.x)
        self._rows_x = x
        self._ascending = np.argsort(x, kind="stable")
        self.x = x[self._ascending]
        self._y: list[tuple[FloatArray, FloatArray]] = []
        for curve in self.plot.curves:
            y = numbers(table, curve.y)[self._ascending]
            error = np.zeros_like(y)
            if curve.error is not None:
                error = numbers(table, curve.error)[self._ascending]
            self._y.append((y, error))

    def renewed(self, table: Table) -> bool:
        """Show another table along the same axes."""
        self.table = table
        self._take(table)
        self.whole_view()
        return True

    def whole_view(self) -> None:
        """Show the whole abscissa."""
        self.view(*self.span(self.x))

    def view(self, first: float, last: float) -> None:
        """Show a part of the abscissa, with the ordinate fitted to what is seen there."""
        start = max(int(np.searchsorted(self.x, first)) - 1, 0)
        stop = int(np.searchsorted(self.x, last, side="right")) + 1
        x = self.x[start:stop]
        # more than the plot has pixels takes three times as long to draw, and is not seen
        columns = max(_LEAST_COLUMNS, round(self.axes.bbox.width))
        seen = []
        for (y, error), (line, band) in zip(self._y, self._drawn, strict=True):
            part, width = y[start:stop], error[start:stop]
            shown = envelope(x, part, part - width, part + width, columns)
            line.set_data(shown[0], shown[1])
            line.set_marker("o" if len(x) <= _MARKED else "")
            seen.append(shown[1])
            if band is not None:
                band.set_data(shown[0], shown[2], shown[3])
                seen += shown[2:4]
        self.axes.set_xlim(first, last)
        self.fit_ordinate(np.concatenate(seen) if seen else np.empty(0))

    def resized(self) -> None:
        """As many points as there are pixels now."""
        self.view(*self.axes.get_xlim())

    def row_at(self, x: float, y: float = 0.0) -> int | None:
        """Row of the table that lies nearest to a place of the abscissa."""
        if not len(self.x):
            return None
        right = min(int(np.searchsorted(self.x, x)), len(self.x) - 1)
        left = max(right - 1, 0)
        nearest = left if abs(self.x[left] - x) <= abs(self.x[right] - x) else right
        return int(self._ascending[nearest])

    def mark_of(self, row: int) -> Mark | None:
        """A line at the row's place on the abscissa."""
        return Mark(float(self._rows_x[row])) if 0 <= row < len(self._rows_x) else None
