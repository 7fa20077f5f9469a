"""Points of two columns, each of them a row."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from napari_framewise.framework.outcome import Plot, Table
from napari_framewise.plugin.results.plots.drawing import Drawing, FloatArray, Mark, numbers
from napari_framewise.plugin.theme import Colours

# No more points than a screen can tell apart: one for each of these cells.
_CELLS = (300, 200)
_WITH_ERRORS = 300


class Scatter(Drawing):
    """Columns against the abscissa, without lines."""

    def __init__(self, axes: Axes, plot: Plot, table: Table, colours: Colours) -> None:
        super().__init__(axes, plot, table, colours)
        self.x = numbers(table, plot.x)
        self._y = [numbers(table, curve.y) for curve in plot.curves]
        size = 3.5 if len(table) < 1000 else 2.0
        self._drawn = [
            axes.plot([], [], "o", color=self.colour(number), markersize=size, markeredgewidth=0,
                      alpha=0.8, label=curve.label or curve.y)[0]
            for number, curve in enumerate(plot.curves)
        ]  # fmt: skip
        if len(table) <= _WITH_ERRORS:
            for number, (curve, y) in enumerate(zip(plot.curves, self._y, strict=True)):
                if curve.error is not None:
                    half = numbers(table, curve.error)
                    axes.vlines(self.x, y - half, y + half, self.colour(number), linewidth=0.7)
        self.legend(len(plot.curves) > 1)
        self.whole_view()

    def whole_view(self) -> None:
        """Show all points."""
        self.view(*self.span(self.x))

    def view(self, first: float, last: float) -> None:
        """Show a part of the abscissa, with the ordinate fitted to what is seen there."""
        seen = (self.x >= first) & (self.x <= last)
        for y, line in zip(self._y, self._drawn, strict=True):
            line.set_data(*_thinned(*self._placed(self.x[seen], y[seen])))
        self.axes.set_xlim(first, last)
        if self._y:
            self.fit_ordinate(np.concatenate([y[seen] for y in self._y]))

    def row_at(self, x: float, y: float) -> int | None:
        """The row whose point lies nearest on the screen."""
        if not len(self.x) or not self._y:
            return None
        to_screen = self.axes.transData.transform
        wanted = to_screen((x, y))
        nearest: tuple[float, int] | None = None
        for values in self._y:
            shown = np.flatnonzero(self._seen(self.x, values))
            places = to_screen(np.stack([self.x[shown], values[shown]], axis=1))
            if len(shown):
                distances = np.hypot(*(places - wanted).T)
                best = int(distances.argmin())
                found = (float(distances[best]), int(shown[best]))
                nearest = found if nearest is None else min(nearest, found)
        return None if nearest is None else nearest[1]

    def mark_of(self, row: int) -> Mark | None:
        """A ring around the row's point of the first column."""
        if not self._y or not 0 <= row < len(self.x):
            return None
        x, y = float(self.x[row]), float(self._y[0][row])
        return Mark(x, y) if self._seen(np.array([x]), np.array([y]))[0] else None

    def _seen(self, x: FloatArray, y: FloatArray) -> np.ndarray:
        """Which points can be drawn."""
        known = np.isfinite(x) & np.isfinite(y)
        known &= (x > 0) | (not self.plot.log_x)
        return np.asarray(known & ((y > 0) | (not self.plot.log_y)))

    def _placed(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, ...]:
        """Points that can be drawn, and where they are as the axes' scales have it."""
        known = self._seen(x, y)
        x, y = x[known], y[known]
        at_x = np.log(x) if self.plot.log_x else x
        at_y = np.log(y) if self.plot.log_y else y
        return x, y, at_x, at_y


def _thinned(
    x: FloatArray, y: FloatArray, at_x: FloatArray, at_y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """One point of each cell of the plot; all of them where they are few."""
    if len(x) <= _CELLS[0] * 10:
        return x, y
    cells = [
        np.minimum((at - at.min()) / (np.ptp(at) or 1.0) * count, count - 1).astype(np.int64)
        for at, count in zip((at_x, at_y), _CELLS, strict=True)
    ]
    first = np.unique(cells[0] * _CELLS[1] + cells[1], return_index=True)[1]
    return x[first], y[first]
