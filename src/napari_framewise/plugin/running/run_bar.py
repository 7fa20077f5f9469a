"""The foot of a panel: the message, the bar, and the buttons."""

from __future__ import annotations

import time
from typing import Any

from napari.utils.progress import progress as activity
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_framewise.engine.progress import Progress
from napari_framewise.plugin.running.compiling_note import CompilingNote
from napari_framewise.plugin.running.runner import Failure
from napari_framewise.plugin.steering.bar import SteeringBar

KEYS = {"Run": "Ctrl+Return", "Preview": "Ctrl+Shift+Return", "Cancel": "Esc"}
_STEPS = 1000
_MIRROR_EVERY = 0.5


class RunBar(QWidget):
    """Preview, Run, Cancel, progress and one message."""

    run_clicked = Signal()
    stop_clicked = Signal()
    cancel_clicked = Signal()
    preview_toggled = Signal(bool)

    def __init__(
        self, title: str, compile_seconds: float = 0.0, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._title = title
        self._activity: Any = None
        self._mirrored = 0.0
        self._failure: Failure | None = None
        self._steered: SteeringBar | None = None
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._message.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        # Room for three lines, so that the plot above is not drawn anew with every message.
        self._message.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._message.setMinimumHeight(3 * self._message.fontMetrics().lineSpacing())
        self._details = QPushButton("Details")
        self._details.clicked.connect(self._show_details)
        self._details.hide()
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        keeps = self._bar.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(keeps)
        self.preview_box = QCheckBox("Preview")
        self.preview_box.setToolTip(
            "Show the result for the frame in view, at once, while the page Set up is open "
            f"({KEYS['Preview']})."
        )
        self.preview_box.toggled.connect(self.preview_toggled)
        self.where_box = QComboBox()
        self.where_box.addItem("new layers", False)
        self.where_box.addItem("update my last", True)
        self.where_box.setToolTip("Add the results, or put them in the place of the last ones.")
        self.where_box.setEnabled(False)
        self.run_button = QPushButton("Run")
        self.run_button.clicked.connect(self.run_clicked)
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop here, and keep what there is so far.")
        self.stop_button.clicked.connect(self.stop_clicked)
        self.stop_button.hide()
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip(f"Stop here, and keep nothing ({KEYS['Cancel']}).")
        self.cancel_button.clicked.connect(self.cancel_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        said = QHBoxLayout()
        said.addWidget(self._message, 1)
        said.addWidget(self._details)
        self.compiling = CompilingNote(compile_seconds)
        layout.addLayout(said)
        layout.addWidget(self.compiling)
        layout.addWidget(self._bar)
        buttons = QHBoxLayout()
        buttons.addWidget(self.preview_box)
        buttons.addStretch()
        buttons.addWidget(self.where_box)
        buttons.addWidget(self.run_button)
        buttons.addWidget(self.stop_button)
        buttons.addWidget(self.cancel_button)
        layout.addLayout(buttons)
        self.set_running(False)

    @property
    def message(self) -> str:
        """What is being said."""
        return self._message.text()

    @property
    def count(self) -> str:
        """How far the run has come, in words; empty where none goes on."""
        return self._message.text() if self.cancel_button.isVisible() else ""

    @property
    def updates_last(self) -> bool:
        """Whether results take the place of the last ones."""
        return bool(self.where_box.currentData())

    @property
    def wants_preview(self) -> bool:
        """Whether the preview is on."""
        return self.preview_box.isChecked()

    def offer_update(self) -> None:
        """There is a last result now."""
        self.where_box.setEnabled(True)

    def offer_stop(self) -> None:
        """There is something so far that could be kept."""
        if self.cancel_button.isEnabled() and not self.cancel_button.isHidden():
            self.stop_button.show()

    def steer_by(self, buttons: SteeringBar) -> None:
        """Show other buttons in the place of Run."""
        self.run_button.hide()
        self._steered = buttons
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.count() - 1, buttons)

    def offer_end(self) -> None:
        """A run waits between two steps: it can be kept or dropped as it is."""
        for button in (self.stop_button, self.cancel_button):
            button.show()
            button.setEnabled(True)

    def say(self, text: str, failure: Failure | None = None, detail: str = "") -> None:
        """Show a message; with a failure, where it came from can be asked for.

        A `detail` is for who asks: it is the message's tooltip.
        """
        self._message.setToolTip(detail)
        self._failure = failure
        self._message.setText(text)
        self._details.setVisible(failure is not None)

    def set_runnable(self, why_not: str | None) -> None:
        """Allow Run, or say why it cannot be."""
        if self._steered is not None:
            self._steered.set_runnable(why_not)
        self.run_button.setEnabled(why_not is None)
        self.run_button.setToolTip(why_not or f"Run ({KEYS['Run']}).")
        self.preview_box.setEnabled(why_not is None or self.preview_box.isChecked())

    def set_running(self, running: bool) -> None:
        """Show the bar and Cancel while a run goes on, Run otherwise."""
        self._bar.setVisible(running)
        self.cancel_button.setVisible(running)
        self.cancel_button.setEnabled(running)
        self.stop_button.hide()
        self.stop_button.setEnabled(running)
        self.run_button.setVisible(not running and self._steered is None)
        if running:
            self._bar.setRange(0, 0)
            self.say("Starting")
            self._mirrored = time.monotonic()
        elif self._activity is not None:
            self._activity.close()
            self._activity = None

    def show_progress(self, progress: Progress) -> None:
        """Move the bar, here and in napari's activity dock."""
        self._bar.setRange(0, _STEPS)
        self._bar.setValue(round(_STEPS * progress.fraction))
        self.say(progress.text())
        # napari handles waiting events in there, so it is told seldom, and never from within.
        now = time.monotonic()
        if now - self._mirrored > _MIRROR_EVERY:
            self._mirrored = now + 60
            if self._activity is None:
                self._activity = activity(total=_STEPS, desc=self._title)
            self._activity.n = self._bar.value()
            self._activity.refresh()
            self._mirrored = time.monotonic()

    def show_ending(self, text: str) -> None:
        """Say that Cancel or Stop was heard."""
        self.cancel_button.setEnabled(False)
        self.stop_button.setEnabled(False)
        self.say(text)

    def _show_details(self) -> None:
        if self._failure is None:
            return
        box = QMessageBox(self)
        box.setWindowTitle(self._title)
        box.setText(self._failure.sentence())
        box.setDetailedText(self._failure.trace)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
