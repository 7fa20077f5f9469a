"""A line that says that kernels are being compiled, whoever needs them: run, preview or warm-up."""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QWidget

from napari_framewise.framework.first_use import compiling_text

_LOOK_MS = 300


class CompilingNote(QLabel):
    """Shown while numba is at work, and only then.

    Parameters
    ----------
    about : float
        Seconds that all of it takes.
    """

    def __init__(self, about: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._about = about
        self.setWordWrap(True)
        self.hide()
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self.look)
        self._look.start()

    def look(self) -> None:
        """Say what is so now."""
        text = compiling_text(self._about)
        if text != self.text():
            self.setText(text)
            self.setVisible(bool(text))
