"""The list of earlier runs above a result: shown again, compared, set as the form's values."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from napari_framewise.plugin.choice_box import ChoiceBox
from napari_framewise.plugin.results.earlier import EarlierRun, EarlierRuns


class EarlierBar(QWidget):
    """Chooses one of the last runs; hidden until there are two."""

    picked = Signal(object)
    compare_clicked = Signal()
    values_wanted = Signal(object)

    def __init__(self, runs: EarlierRuns, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self.combo = ChoiceBox()
        self.combo.setToolTip("The last runs of this panel: when, and in which parameters.")
        self.combo.setMinimumContentsLength(10)
        self.combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.combo.activated.connect(lambda _: self.picked.emit(self.chosen))
        self.compare_button = QToolButton()
        self.compare_button.setText("Compare")
        self.compare_button.setToolTip("The first curve of all these runs in one plot.")
        self.compare_button.clicked.connect(self.compare_clicked)
        self.values_button = QToolButton()
        self.values_button.setText("Use values")
        self.values_button.setToolTip("Set the form to the parameters of the chosen run.")
        self.values_button.clicked.connect(lambda: self.values_wanted.emit(self.chosen))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.combo, 1)
        layout.addWidget(self.compare_button)
        layout.addWidget(self.values_button)
        self.refresh()

    @property
    def chosen(self) -> EarlierRun:
        """The run that is chosen; the newest stands first."""
        return self._runs.runs[-1 - max(self.combo.currentIndex(), 0)]

    def refresh(self) -> None:
        """Offer the runs anew, with the newest chosen."""
        with QSignalBlocker(self.combo):
            self.combo.clear()
            self.combo.addItems(self._runs.labels()[::-1])
        self.setVisible(len(self._runs.runs) > 1)
