"""The foot of a panel: what is to be said, the bar, and the buttons."""

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

from ..stacks.progress import Progress
from .running import Failure

_STEPS = 1000
_MIRROR_EVERY = 0.5


class RunBar(QWidget):
    """Preview, Run, Cancel, progress and one message."""

    run_clicked = Signal()
    cancel_clicked = Signal()
    preview_toggled = Signal(bool)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._activity: Any = None
        self._mirrored = 0.0
        self._failure: Failure | None = None
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._message.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._details = QPushButton("Details")
        self._details.clicked.connect(self._show_details)
        self._details.hide()
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._count = QLabel()
        self._preview = QCheckBox("Preview")
        self._preview.setToolTip("Show the result for the frame in view, at once.")
        self._preview.toggled.connect(self.preview_toggled)
        self._where = QComboBox()
        self._where.addItem("new layers", False)
        self._where.addItem("update my last", True)
        self._where.setToolTip("Whether the results are added, or take the place of the last ones.")
        self._where.setEnabled(False)
        self._run = QPushButton("Run")
        self._run.clicked.connect(self.run_clicked)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(self.cancel_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        said = QHBoxLayout()
        said.addWidget(self._message, 1)
        said.addWidget(self._details)
        layout.addLayout(said)
        layout.addWidget(self._bar)
        layout.addWidget(self._count)
        buttons = QHBoxLayout()
        buttons.addWidget(self._preview)
        buttons.addStretch()
        buttons.addWidget(self._where)
        buttons.addWidget(self._run)
        buttons.addWidget(self._cancel)
        layout.addLayout(buttons)
        self.set_running(False)

    @property
    def updates_last(self) -> bool:
        """Whether results take the place of the last ones."""
        return bool(self._where.currentData())

    @property
    def wants_preview(self) -> bool:
        """Whether the preview is on."""
        return self._preview.isChecked()

    def offer_update(self) -> None:
        """There is a last result now."""
        self._where.setEnabled(True)

    def say(self, text: str, failure: Failure | None = None) -> None:
        """Show a message; with a failure, where it came from can be asked for."""
        self._failure = failure
        self._message.setText(text)
        self._message.setVisible(bool(text))
        self._details.setVisible(failure is not None)

    def set_runnable(self, why_not: str | None) -> None:
        """Allow Run, or say why it cannot be."""
        self._run.setEnabled(why_not is None)
        self._run.setToolTip(why_not or "")
        self._preview.setEnabled(why_not is None or self._preview.isChecked())

    def set_running(self, running: bool) -> None:
        """Show the bar and Cancel while a run goes on, Run otherwise."""
        self._bar.setVisible(running)
        self._count.setVisible(running)
        self._cancel.setVisible(running)
        self._cancel.setEnabled(running)
        self._run.setVisible(not running)
        if running:
            self._bar.setRange(0, 0)
            self._count.setText("Starting")
            self._activity = activity(total=_STEPS, desc=self._title)
        elif self._activity is not None:
            self._activity.close()
            self._activity = None

    def show_progress(self, progress: Progress) -> None:
        """Move the bar, here and in napari's activity dock."""
        self._bar.setRange(0, _STEPS)
        self._bar.setValue(round(_STEPS * progress.fraction))
        self._count.setText(progress.text())
        # napari handles waiting events in there, so it is told seldom, and never from within.
        now = time.monotonic()
        if self._activity is not None and now - self._mirrored > _MIRROR_EVERY:
            self._mirrored = now + 60
            self._activity.n = self._bar.value()
            self._activity.refresh()
            self._mirrored = time.monotonic()

    def show_cancelling(self) -> None:
        """Say that Cancel was heard."""
        self._cancel.setEnabled(False)
        self._count.setText("Cancelling")

    def _show_details(self) -> None:
        if self._failure is None:
            return
        box = QMessageBox(self)
        box.setWindowTitle(self._title)
        box.setText(self._failure.sentence())
        box.setDetailedText(self._failure.trace)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
