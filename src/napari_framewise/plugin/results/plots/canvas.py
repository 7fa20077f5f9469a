"""Where a plot is drawn: tied to the slider, saved as SVG, PDF or PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import QPointF, Signal
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_framewise.framework.outcome import Plot, Table
from napari_framewise.plugin.results.plots.curves import Curves
from napari_framewise.plugin.results.plots.drawing import Drawing
from napari_framewise.plugin.results.plots.histogram import Histogram
from napari_framewise.plugin.results.plots.scatter import Scatter
from napari_framewise.plugin.results.plots.tree import Tree
from napari_framewise.plugin.theme import PRINT, Colours

_MARGINS = (56, 10, 38, 22)
_EDGE = 3.0
_RING = 5.0
_DPI = 200


def drawing_of(
    axes: Axes, plot: Plot, table: Table, colours: Colours, leaves: Table | None = None
) -> Drawing:
    """A plot of its kind."""
    if plot.kind == "tree":
        return Tree(axes, plot, table, colours, leaves)
    kinds: dict[str, type[Drawing]] = {
        "curve": Curves, "scatter": Scatter, "histogram": Histogram,
    }  # fmt: skip
    return kinds[plot.kind](axes, plot, table, colours)


class PlotCanvas(FigureCanvasQTAgg):
    """A plot in napari's colours, tied to the slider."""

    row_picked = Signal(int)

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(Figure())
        self.setParent(parent)
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._colours = colours
        self._shown: tuple[Plot, Table, Table | None] | None = None
        self._drawing: Drawing | None = None
        self._row: int | None = None
        self._left = float(_MARGINS[0])
        self.mpl_connect("button_press_event", self._pressed)
        self.mpl_connect("scroll_event", self._scrolled)

    def resizeEvent(self, event: Any) -> None:
        """Keep the margins, which are as wide as the texts in them."""
        super().resizeEvent(event)
        self._set_margins()
        if self._drawing is not None:
            self._drawing.resized()

    def show_plot(self, plot: Plot, table: Table, leaves: Table | None = None) -> None:
        """Draw another plot; of a tree, `leaves` is the table of its leaves."""
        same = self._shown is not None and self._shown[0] == plot
        if same and self._drawing is not None and self._drawing.renewed(table):
            self._shown = (plot, table, leaves)
            self.draw_idle()
            return
        self._shown = (plot, table, leaves)
        self._left = float(_MARGINS[0])
        self._redraw()

    def recolour(self, colours: Colours) -> None:
        """Draw the same in the colours of another theme."""
        self._colours = colours
        self._redraw()

    def show_row(self, row: int | None) -> None:
        """Put the mark at a row of the table; none hides it."""
        self._row = row
        self.update()

    def draw(self) -> None:
        """Draw the plot, with room for the numbers beside it."""
        if self._drawing is not None:
            box = self._drawing.axes.yaxis.get_tightbbox(self.get_renderer())
            lacking = _EDGE - box.x0 / self.device_pixel_ratio if box is not None else 0.0
            if lacking > 0:
                self._left += lacking
                self._set_margins()
        super().draw()

    def paintEvent(self, event: Any) -> None:
        """Paint the plot and the mark over it, so that moving the mark draws nothing anew."""
        super().paintEvent(event)
        if self._drawing is None or self._row is None:
            return
        mark = self._drawing.mark_of(self._row)
        if mark is None:
            return
        axes, ratio, height = self._drawing.axes, self.device_pixel_ratio, self.height()
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        if not left <= mark.x <= right or not (mark.y is None or bottom <= mark.y <= top):
            return
        x, y = axes.transData.transform((mark.x, top if mark.y is None else mark.y)) / ratio
        box = axes.bbox
        with QPainter(self) as painter:
            painter.setPen(QPen(QColor(self._colours.cursor), 1))
            if mark.y is None:
                painter.drawLine(
                    QPointF(x, height - box.y1 / ratio), QPointF(x, height - box.y0 / ratio)
                )
            else:
                painter.drawEllipse(QPointF(x, height - y), _RING, _RING)

    def save(self, path: str | Path) -> None:
        """Write the plot, as it is in view, in black on white: SVG, PDF or PNG."""
        if self._shown is None or self._drawing is None:
            return
        plot, table, leaves = self._shown
        figure = Figure((6.4, 4.0), _DPI, layout="constrained", facecolor=PRINT.ground)
        copy = drawing_of(figure.add_subplot(), plot, table, PRINT, leaves)
        copy.view(*self._drawing.axes.get_xlim())
        figure.savefig(path, dpi=_DPI)

    def _redraw(self) -> None:
        self.figure.clear()
        self.figure.set_facecolor(self._colours.ground)
        if self._shown is None:
            self.draw_idle()
            return
        plot, table, leaves = self._shown
        axes = self.figure.add_subplot()
        self._set_margins()
        self._drawing = drawing_of(axes, plot, table, self._colours, leaves)
        self.draw_idle()

    def _set_margins(self) -> None:
        # A layout engine would draw all texts twice, which takes longer than the curves.
        width, height = max(self.width(), 100), max(self.height(), 100)
        _, right, bottom, top = _MARGINS
        self.figure.subplots_adjust(
            min(self._left / width, 0.6), bottom / height, 1 - right / width, 1 - top / height
        )

    def _pressed(self, event: MouseEvent) -> None:
        drawing = self._drawing
        if drawing is None or event.inaxes is not drawing.axes or event.xdata is None:
            return
        if event.dblclick:
            drawing.whole_view()
            self.draw_idle()
            return
        row = drawing.row_at(event.xdata, event.ydata or 0.0)
        if row is not None:
            self.row_picked.emit(row)

    def _scrolled(self, event: MouseEvent) -> None:
        """Zoom along the abscissa around the mouse."""
        drawing = self._drawing
        if drawing is None or event.inaxes is not drawing.axes or event.xdata is None:
            return
        drawing.zoomed(event.xdata, 0.8**event.step)
        self.draw_idle()
