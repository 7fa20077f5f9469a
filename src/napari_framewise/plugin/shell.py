"""A panel that appears at once: imported in a thread, made in pieces, so that the window lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from qtpy.QtCore import QEvent, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_framewise.plugin.docking import join_panels

_log = logging.getLogger(__name__)
_LOOK_MS = 10

Making: TypeAlias = "Generator[None, None, QWidget]"


class PanelShell(QWidget):
    """What stands in the place of a panel until that is there, and around it then.

    Parameters
    ----------
    viewer : ViewerModel
        Of the panel.
    load : callable
        Called in a thread: imports what makes the panel, and returns it. That takes the viewer and
        is a generator which yields between two pieces and returns the panel.
    """

    filled = Signal()

    def __init__(
        self,
        viewer: Any,
        load: Callable[[], Callable[[Any], Making]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.panel: QWidget | None = None
        self._viewer = viewer
        self._loaded: Callable[[Any], Making] | None = None
        self._joined = False
        self._making: Making | None = None
        self._made: QWidget | None = None
        self._said = QLabel("Opening")
        self._said.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._said.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._said)
        # napari puts a stretch into the layout of whatever does not expand.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._thread = threading.Thread(target=self._load, args=(load,))
        self._thread.start()
        self._turns = QTimer(self)
        self._turns.setInterval(_LOOK_MS)
        self._turns.timeout.connect(self._turn)
        self._turns.start()

    def sizeHint(self) -> QSize:
        """That of the panel which comes."""
        return QSize(400, 560) if self.panel is None else self.panel.sizeHint()

    def showEvent(self, event: Any) -> None:
        """Become a tab while it is small: one panel above another makes the window grow."""
        super().showEvent(event)
        if not self._joined:
            self._joined = True
            QTimer.singleShot(0, self._join)

    def _join(self) -> None:
        join_panels(self, PanelShell)

    def closeEvent(self, event: Any) -> None:
        """Close the panel, or make none."""
        self._turns.stop()
        panel = self.panel or self._made
        if panel is not None:
            panel.close()
        super().closeEvent(event)

    def event(self, event: Any) -> bool:
        """A shell that is taken out of its window takes the panel with it."""
        gone = event.type() == QEvent.Type.ParentChange and self.parent() is None
        if gone:
            made = getattr(self, "panel", None) or getattr(self, "_made", None)
            end = getattr(made, "end", None)
            if end is not None:
                end()
        return super().event(event)

    def _load(self, load: Callable[[], Callable[[Any], Making]]) -> None:
        try:
            self._loaded = load()
        except Exception:  # noqa: BLE001 - said in the panel, and logged
            _log.exception("A panel could not be loaded.")

    def _turn(self) -> None:
        """One piece in each turn of the window's loop."""
        if self._thread.is_alive():
            return
        if self._loaded is None:
            self._turns.stop()
            self._said.setText("This panel could not be loaded; see the console.")
            return
        if self._making is None:
            self._making = self._loaded(self._viewer)
        if self._made is not None:
            self._turns.stop()
            self._show(self._made)
            return
        try:
            next(self._making)
        except StopIteration as end:
            # shown in a turn of its own: its style is worked out then, which takes as long again
            self._made = end.value

    def _show(self, panel: QWidget) -> None:
        self.panel = panel
        layout = self.layout()
        assert layout is not None
        layout.removeWidget(self._said)
        self._said.deleteLater()
        layout.addWidget(panel)
        self.setFocusProxy(panel)
        self.filled.emit()
