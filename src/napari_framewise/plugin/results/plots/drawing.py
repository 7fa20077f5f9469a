"""What every kind of plot does: its axes in napari's colours, the part in view, rows picked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from napari_framewise.framework.outcome import Plot, Table
from napari_framewise.plugin.theme import Colours

FloatArray = npt.NDArray[np.floating[Any]]
_MANY = 5000


@dataclass(frozen=True)
class Mark:
    """Where the row in view stands: a line across the plot, or a point where y is given."""

    x: float
    y: float | None = None


class Drawing:
    """One kind of plot on matplotlib's axes."""

    def __init__(self, axes: Axes, plot: Plot, table: Table, colours: Colours) -> None:
        self.axes, self.plot, self.table = axes, plot, table
        self._colours = colours
        axes.set_facecolor(colours.ground)
        axes.tick_params(colors=colours.text, labelsize=8)
        for logarithmic, scale, axis in (
            (plot.log_x, axes.set_xscale, axes.xaxis),
            (plot.log_y, axes.set_yscale, axes.yaxis),
        ):
            if logarithmic:
                scale("log", nonpositive="mask")
                axis.set_tick_params(which="minor", labelsize=0, colors=colours.grid)
            else:
                axis.set_major_locator(MaxNLocator(6))
        for side in axes.spines.values():
            side.set_color(colours.grid)
        axes.grid(True, color=colours.grid, linewidth=0.4, alpha=0.6)
        axes.set_title(plot.title, color=colours.text, fontsize=9)
        axes.set_xlabel(plot.x_label or plot.x, color=colours.text, fontsize=8)
        axes.set_ylabel(plot.y_label, color=colours.text, fontsize=8)

    def renewed(self, table: Table) -> bool:
        """Show another table in what is drawn, which is quicker; False where that can't be."""
        del table
        return False

    def colour(self, number: int) -> str:
        """The colour of a column."""
        return self._colours.cycle[number % len(self._colours.cycle)]

    def legend(self, wanted: bool) -> None:
        """Name the columns."""
        if wanted:
            self.axes.legend(
                fontsize=7, labelcolor=self._colours.text, facecolor=self._colours.ground,
                edgecolor=self._colours.grid, framealpha=0.8,
                loc="best" if len(self.table) < _MANY else 1,
            )  # fmt: skip

    def span(self, x: FloatArray) -> tuple[float, float]:
        """First and last place of the abscissa that shows all values, with some room."""
        known = x[np.isfinite(x) & (x > 0)] if self.plot.log_x else x[np.isfinite(x)]
        if not len(known):
            return (0.5, 1.5) if self.plot.log_x else (-0.5, 1.5)
        first, last = float(known.min()), float(known.max())
        if self.plot.log_x:
            room = (last / first) ** 0.02 if last > first else 1.5
            return first / room, last * room
        room = 0.02 * (last - first) or 0.5
        return first - room, last + room

    def fit_ordinate(self, seen: FloatArray) -> None:
        """Show all of these values."""
        seen = seen[np.isfinite(seen)]
        if self.plot.log_y:
            seen = seen[seen > 0]
        if not len(seen):
            return
        low, high = float(seen.min()), float(seen.max())
        if self.plot.log_y:
            room = (high / low) ** 0.06 if high > low else 1.5
            self.axes.set_ylim(low / room, high * room)
            return
        room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
        self.axes.set_ylim(low - room, high + room)

    def zoomed(self, x: float, factor: float) -> None:
        """Show a part so many times as long, with `x` where it is."""
        first, last = self.axes.get_xlim()
        if self.plot.log_x:
            self.view(x * (first / x) ** factor, x * (last / x) ** factor)
        else:
            self.view(x - (x - first) * factor, x + (last - x) * factor)

    def whole_view(self) -> None:
        """Show all."""
        raise NotImplementedError

    def view(self, first: float, last: float) -> None:
        """Show a part of the abscissa."""
        raise NotImplementedError

    def resized(self) -> None:
        """The axes are of another size."""

    def row_at(self, x: float, y: float) -> int | None:
        """The row that lies nearest to a place."""
        raise NotImplementedError

    def mark_of(self, row: int) -> Mark | None:
        """Where a row stands."""
        raise NotImplementedError


def numbers(table: Table, column: str) -> FloatArray:
    """A column as numbers; of texts their places in the order of the alphabet."""
    values = np.asarray(table.columns[column])
    if values.dtype.kind not in "biuf":
        return np.unique(values.astype(str), return_inverse=True)[1].astype(float)
    return values.astype(float)
