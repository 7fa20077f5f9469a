"""How panels stand in the window: as tabs of one another."""

from __future__ import annotations

from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget


def join_panels(panel: QWidget, kind: type[QWidget]) -> None:
    """Make a panel a tab of the first one of its kind that is docked in its window.

    The manifest of napari 0.9 has a word for that, which does nothing.
    """
    dock = _dock_of(panel)
    window = None if dock is None else dock.parent()
    if dock is None or not isinstance(window, QMainWindow) or dock.isFloating():
        return
    if window.tabifiedDockWidgets(dock):
        return
    area = window.dockWidgetArea(dock)
    for other in window.findChildren(QDockWidget):
        docked = not other.isHidden() and not other.isFloating()
        there = docked and window.dockWidgetArea(other) == area
        if other is not dock and there and isinstance(_inner(other, kind), kind):
            window.tabifyDockWidget(other, dock)
            dock.show()
            dock.raise_()
            return


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent


def _inner(dock: QDockWidget, kind: type[QWidget]) -> QWidget | None:
    found = dock.widget()
    if isinstance(found, kind):
        return found
    return next(iter(dock.findChildren(kind)), None)
