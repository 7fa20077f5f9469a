"""Step, Run, Pause and Undo, for tools whose runs are steered."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

_BUTTONS = {
    "step": ("Step", "Take one step, then wait."),
    "run": ("Run", "Take steps until it is done or paused."),
    "pause": ("Pause", "Wait after the step that is under way."),
    "undo": ("Undo step", "Go back one step; inputs stay as they are now."),
}


class SteeringBar(QWidget):
    """The buttons that steer a run."""

    clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QPushButton] = {}
        self._runnable = True
        self._running, self._undoable = False, 0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for name, (text, tip) in _BUTTONS.items():
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, name=name: self.clicked.emit(name))
            self.buttons[name] = button
            layout.addWidget(button)
        layout.addStretch()
        self._refresh()

    def set_runnable(self, why_not: str | None) -> None:
        """Allow steps, or say why none can be taken."""
        self._runnable = why_not is None
        for name in ("step", "run"):
            self.buttons[name].setToolTip(why_not or _BUTTONS[name][1])
        self._refresh()

    def show_state(self, *, running: bool, undoable: int) -> None:
        """Offer what can be done now."""
        self._running, self._undoable = running, undoable
        self._refresh()

    def _refresh(self) -> None:
        at_rest = not self._running
        self.buttons["step"].setEnabled(at_rest and self._runnable)
        self.buttons["run"].setEnabled(at_rest and self._runnable)
        self.buttons["pause"].setEnabled(self._running)
        self.buttons["undo"].setEnabled(at_rest and self._undoable > 0)
