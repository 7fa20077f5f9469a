"""A turn of the mouse wheel scrolls the form; it changes a value only where one has clicked."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QWidget


class _Guard(QObject):
    """Passes wheel turns over a widget without focus on to what it lies in."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is None or event.type() != QEvent.Type.Wheel:
            return False
        if isinstance(watched, QWidget) and watched.hasFocus():
            return False
        event.ignore()
        return True


def guard_wheel(form: QWidget) -> None:
    """Guard all spin boxes and lists that a form holds by now."""
    guard = _Guard(form)
    for kind in (QAbstractSpinBox, QComboBox):
        for widget in form.findChildren(kind):
            widget.installEventFilter(guard)
