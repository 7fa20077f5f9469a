"""Curves of a result: error bands, a line at the frame in view, a click that moves the slider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from qtpy.QtCore import QPointF, Signal
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_framewise.framework.outcome import Plot, Table
from napari_framewise.plugin.theme import PRINT, Colours

FloatArray = npt.NDArray[np.floating[Any]]
_COLUMNS = 1200
_MARKED = 60
_MARGINS = (56, 10, 38, 22)


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


class Curves:
    """The curves of one plot, drawn for the part of the abscissa that is in view."""

    def __init__(self, axes: Axes, plot: Plot, table: Table, colours: Colours) -> None:
        self.axes = axes
        self.plot = plot
        x = np.asarray(table.columns[plot.x], dtype=float)
        self._ascending = np.argsort(x, kind="stable")
        self.x = x[self._ascending]
        self._y: list[tuple[FloatArray, FloatArray]] = []
        self._drawn: list[tuple[Any, Any]] = []
        for curve in plot.curves:
            y = np.asarray(table.columns[curve.y], dtype=float)[self._ascending]
            error = np.zeros_like(y)
            if curve.error is not None:
                error = np.asarray(table.columns[curve.error], dtype=float)[self._ascending]
            self._y.append((y, error))
        self._prepare(colours)
        self.whole_view()

    def whole_view(self) -> None:
        """Show the whole abscissa."""
        known = self.x[np.isfinite(self.x)]
        first, last = (known[0], known[-1]) if len(known) else (0.0, 1.0)
        room = 0.02 * (last - first) or 0.5
        self.view(first - room, last + room)

    def view(self, first: float, last: float) -> None:
        """Show a part of the abscissa, with the ordinate fitted to what is seen there."""
        start = max(int(np.searchsorted(self.x, first)) - 1, 0)
        stop = int(np.searchsorted(self.x, last, side="right")) + 1
        x = self.x[start:stop]
        seen = []
        for (y, error), (line, band) in zip(self._y, self._drawn, strict=True):
            part, width = y[start:stop], error[start:stop]
            shown = envelope(x, part, part - width, part + width, _COLUMNS)
            line.set_data(shown[0], shown[1])
            line.set_marker("o" if len(x) <= _MARKED else "")
            seen.append(shown[1])
            if band is not None:
                band.set_data(shown[0], shown[2], shown[3])
                seen += shown[2:4]
        self.axes.set_xlim(first, last)
        self._fit_ordinate(np.concatenate(seen) if seen else np.empty(0))

    def row_at(self, x: float) -> int | None:
        """Row of the table that lies nearest to a place of the abscissa."""
        if not len(self.x):
            return None
        right = min(int(np.searchsorted(self.x, x)), len(self.x) - 1)
        left = max(right - 1, 0)
        nearest = left if abs(self.x[left] - x) <= abs(self.x[right] - x) else right
        return int(self._ascending[nearest])

    def _prepare(self, colours: Colours) -> None:
        axes, plot = self.axes, self.plot
        axes.set_facecolor(colours.ground)
        axes.tick_params(colors=colours.text, labelsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_locator(MaxNLocator(6))
        for side in axes.spines.values():
            side.set_color(colours.grid)
        axes.grid(True, color=colours.grid, linewidth=0.4, alpha=0.6)
        axes.set_title(plot.title, color=colours.text, fontsize=9)
        axes.set_xlabel(plot.x_label or plot.x, color=colours.text, fontsize=8)
        axes.set_ylabel(plot.y_label, color=colours.text, fontsize=8)
        for number, curve in enumerate(plot.curves):
            colour = colours.cycle[number % len(colours.cycle)]
            band = None
            if curve.error is not None:
                band = axes.fill_between([], [], [], color=colour, alpha=0.3, linewidth=0)
            (line,) = axes.plot(
                [], [], color=colour, linewidth=1.1, markersize=2.5, label=curve.label or curve.y
            )
            self._drawn.append((line, band))
        bands = [band for _, band in self._drawn if band is not None]
        if bands and plot.band:
            bands[0].set_label(plot.band)
        if len(plot.curves) > 1 or (bands and plot.band):
            axes.legend(
                fontsize=7, labelcolor=colours.text, facecolor=colours.ground,
                edgecolor=colours.grid, framealpha=0.8, loc="best" if len(self.x) < 5000 else 1,
            )  # fmt: skip

    def _fit_ordinate(self, seen: FloatArray) -> None:
        seen = seen[np.isfinite(seen)]
        if not len(seen):
            return
        low, high = float(seen.min()), float(seen.max())
        room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
        self.axes.set_ylim(low - room, high + room)


class PlotCanvas(FigureCanvasQTAgg):
    """A plot in napari's colours, tied to the slider."""

    row_picked = Signal(int)

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(Figure())
        self.setParent(parent)
        self.setMinimumSize(120, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._colours = colours
        self._plot: Plot | None = None
        self._table: Table | None = None
        self._curves: Curves | None = None
        self._row: int | None = None
        self.mpl_connect("button_press_event", self._pressed)
        self.mpl_connect("scroll_event", self._scrolled)

    def resizeEvent(self, event: Any) -> None:
        """Keep the margins, which are as wide as the texts in them."""
        super().resizeEvent(event)
        self._set_margins()

    def show_plot(self, plot: Plot, table: Table) -> None:
        """Draw another plot."""
        self._plot, self._table = plot, table
        self._redraw()

    def recolour(self, colours: Colours) -> None:
        """Draw the same in the colours of another theme."""
        self._colours = colours
        self._redraw()

    def show_row(self, row: int | None) -> None:
        """Put the line at a row of the table; none hides it."""
        self._row = row
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Paint the plot and the line over it, so that moving the line draws nothing anew."""
        super().paintEvent(event)
        x = self._cursor_at()
        if x is None:
            return
        assert self._curves is not None
        box = self._curves.axes.bbox
        ratio, height = self.device_pixel_ratio, self.height()
        with QPainter(self) as painter:
            painter.setPen(QPen(QColor(self._colours.cursor), 1))
            painter.drawLine(
                QPointF(x, height - box.y1 / ratio), QPointF(x, height - box.y0 / ratio)
            )

    def save(self, path: str | Path) -> None:
        """Write the plot, as it is in view, in black on white: SVG, PDF or PNG."""
        if self._plot is None or self._table is None or self._curves is None:
            return
        figure = Figure(figsize=(6.4, 4.0), layout="constrained", facecolor=PRINT.ground)
        copy = Curves(figure.add_subplot(), self._plot, self._table, PRINT)
        copy.view(*self._curves.axes.get_xlim())
        figure.savefig(path, dpi=200)

    def _redraw(self) -> None:
        self.figure.clear()
        self.figure.set_facecolor(self._colours.ground)
        if self._plot is None or self._table is None:
            self.draw_idle()
            return
        axes = self.figure.add_subplot()
        self._set_margins()
        self._curves = Curves(axes, self._plot, self._table, self._colours)
        self.draw_idle()

    def _set_margins(self) -> None:
        # A layout engine would draw all texts twice, which takes longer than the curves.
        width, height = max(self.width(), 100), max(self.height(), 100)
        left, right, bottom, top = _MARGINS
        self.figure.subplots_adjust(
            left / width, bottom / height, 1 - right / width, 1 - top / height
        )

    def _cursor_at(self) -> float | None:
        """Where the line stands, in pixels of the widget; None where it is out of view."""
        table, plot, curves = self._table, self._plot, self._curves
        if table is None or plot is None or curves is None or self._row is None:
            return None
        if not 0 <= self._row < len(table):
            return None
        x = float(table.columns[plot.x][self._row])
        first, last = curves.axes.get_xlim()
        if not first <= x <= last:
            return None
        return float(curves.axes.transData.transform((x, 0.0))[0]) / self.device_pixel_ratio

    def _pressed(self, event: MouseEvent) -> None:
        if self._curves is None or event.inaxes is not self._curves.axes or event.xdata is None:
            return
        if event.dblclick:
            self._curves.whole_view()
            self.draw_idle()
            return
        row = self._curves.row_at(event.xdata)
        if row is not None:
            self.row_picked.emit(row)

    def _scrolled(self, event: MouseEvent) -> None:
        """Zoom along the abscissa around the mouse."""
        if self._curves is None or event.inaxes is not self._curves.axes or event.xdata is None:
            return
        factor = 0.8**event.step
        first, last = self._curves.axes.get_xlim()
        self._curves.view(
            event.xdata - (event.xdata - first) * factor,
            event.xdata + (last - event.xdata) * factor,
        )
        self.draw_idle()
