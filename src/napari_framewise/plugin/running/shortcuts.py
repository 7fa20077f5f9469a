"""Keys that run, preview and cancel."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_framewise.plugin.running.run_bar import KEYS, RunBar


def add_shortcuts(panel: QWidget, bar: RunBar) -> None:
    """Keys for Run, Preview and Cancel while the panel has the focus."""
    # A click into the panel gives it the focus, and with it the keys.
    panel.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    buttons = {"Run": bar.run_button, "Preview": bar.preview_box, "Cancel": bar.cancel_button}
    for name, button in buttons.items():
        key = QShortcut(QKeySequence(KEYS[name]), panel)
        key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        key.activated.connect(button.click)
