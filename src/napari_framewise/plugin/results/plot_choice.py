"""The choice of what a plot shows: its kind, its columns, and logarithmic axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import QMenu, QPushButton, QWidget

from napari_framewise.framework.outcome import Curve, Plot, PlotKind, Table

_KINDS: tuple[tuple[PlotKind, str], ...] = (
    ("curve", "Curves"),
    ("scatter", "Scatter"),
    ("histogram", "Histogram"),
)


class PlotChoice(QPushButton):
    """A button with a menu; what is chosen is the plot anew, with other columns."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText("Columns")
        self.setToolTip("Which columns are plotted, and how.")
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.setMenu(self._menu)
        self._plot: Plot | None = None
        # Labels with units, by column: a plot that leaves a column may come back to it.
        self._labels: dict[str, str] = {}

    def offer(self, plot: Plot, table: Table) -> None:
        """Offer the columns of a plot's table."""
        self._plot = plot
        if plot.x_label and plot.kind != "histogram":
            self._labels[plot.x] = plot.x_label
        self._menu.clear()
        self.setVisible(plot.kind != "tree")
        if plot.kind == "tree":
            return
        columns = [name for name, values in table.columns.items() if values.dtype.kind in "biuf"]
        kinds = QActionGroup(self._menu)
        for kind, title in _KINDS:
            labels = {} if kind == plot.kind else {"x_label": self._label(plot.x, kind)}
            labels |= {} if kind == plot.kind else {"y_label": _ordinate(plot.curves, kind)}
            change = self._changed(kind=kind, **labels)
            entry = self._entry(self._menu, title, plot.kind == kind, change)
            kinds.addAction(entry)
        self._menu.addSeparator()
        abscissa = self._menu.addMenu("Abscissa")
        shown = self._menu.addMenu("Counted" if plot.kind == "histogram" else "Ordinate")
        assert abscissa is not None
        assert shown is not None
        abscissa.setEnabled(plot.kind != "histogram")
        drawn = [curve.y for curve in plot.curves]
        for name in columns:
            note = table.notes.get(name, name)
            x = self._changed(x=name, x_label=self._label(name, plot.kind))
            self._entry(abscissa, name, plot.x == name, x, note)
            self._entry(shown, name, name in drawn, self._toggled(name), note)
        self._menu.addSeparator()
        for field, title in (("log_x", "Logarithmic abscissa"), ("log_y", "Logarithmic ordinate")):
            on = bool(getattr(plot, field))
            self._entry(self._menu, title, on, self._changed(**{field: not on}))

    def _entry(
        self, menu: QMenu, text: str, on: bool, action: Callable[[], Plot], note: str = ""
    ) -> QAction:
        entry = QAction(text, menu)
        entry.setCheckable(True)
        entry.setChecked(on)
        entry.setToolTip(note or text)
        entry.triggered.connect(lambda *_: self.chosen.emit(action()))
        menu.addAction(entry)
        return entry

    def _changed(self, **fields: object) -> Callable[[], Plot]:
        plot = self._plot
        assert plot is not None
        return lambda: replace(plot, **fields)  # type: ignore[arg-type]

    def _toggled(self, name: str) -> Callable[[], Plot]:
        """The plot with a column more, or without it."""
        plot = self._plot
        assert plot is not None
        left = tuple(curve for curve in plot.curves if curve.y != name)
        curves = left if len(left) < len(plot.curves) else (*plot.curves, Curve(name))
        return lambda: replace(plot, curves=curves, y_label=_ordinate(curves, plot.kind))

    def _label(self, column: str, kind: str) -> str:
        """Of the abscissa; a histogram's says itself what is counted."""
        return "" if kind == "histogram" else self._labels.get(column, "")


def _ordinate(curves: tuple[Curve, ...], kind: str) -> str:
    """Of the ordinate: the one column; several are named in the legend."""
    return curves[0].label or curves[0].y if len(curves) == 1 and kind != "histogram" else ""
