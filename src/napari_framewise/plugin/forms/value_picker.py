"""A picker of a model or a table: made in this session, or opened from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Layer
from psygnal import Signal as PlainSignal
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_framewise.framework.inputs import Input, Kind, Value, takes_model
from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import Outcome, Table
from napari_framewise.io import read_table
from napari_framewise.io.formats.models import read_model
from napari_framewise.plugin.choice_box import ChoiceBox
from napari_framewise.plugin.connections import Connections
from napari_framewise.stacks.stack import Selection
from napari_framewise.tools.registry import MODEL_NAMES


class Shelf:
    """Models and tables of this session, so that one tool's can be another's input."""

    changed = PlainSignal()

    def __init__(self) -> None:
        self.values: dict[str, Model | Table] = {}

    def keep(self, title: str, outcome: Outcome) -> None:
        """Keep what a run gave; the newest stands last."""
        for table in outcome.tables:
            self._put(f"{title}: {table.name}", table)
        for model in outcome.models:
            self._put(f"{title}: {model.kind} of {model.source.layer}", model)
        self.changed.emit()

    def open(self, kind: Kind, path: str) -> None:
        """Put the model or the table of a file on the shelf.

        Raises
        ------
        ValueError
            Where the file holds nothing of that kind.
        """
        name = Path(path).name
        if kind is Kind.MODEL:
            self._put(name, read_model(path))
        else:
            self._put(name, Table(name, "object", read_table(path)))
        self.changed.emit()

    def _put(self, name: str, value: Model | Table) -> None:
        self.values.pop(name, None)
        self.values[name] = value


SHELF = Shelf()


class ValuePicker(QWidget):
    """Chooses a model or a table for a role."""

    changed = Signal()
    layer: Layer | None = None
    chosen_by_hand = True

    def __init__(self, _viewer: ViewerModel, role: Input, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = role
        self._combo = ChoiceBox()
        self._combo.setToolTip(role.description)
        self._combo.setMinimumContentsLength(12)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._combo.currentIndexChanged.connect(self._tell)
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        self._summary.hide()
        button = QToolButton()
        button.setText("Open…")
        button.clicked.connect(self._open)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self._combo)
        self._row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._row)
        layout.addWidget(self._summary)
        self._of_shelf = Connections(self)
        self._of_shelf.connect(SHELF.changed, self.offer_layers)
        self.offer_layers()

    def value(self, origin: bool = False, under: Layer | None = None) -> Value | None:
        """What is chosen; None where nothing is."""
        del origin, under
        return SHELF.values.get(self._combo.currentData())

    def choose(self, layer: Layer | None, selection: Selection | None = None) -> None:
        """No layer stands for a model or a table."""

    def choose_name(self, name: str) -> None:
        """Choose what lies on the shelf under a name."""
        self._combo.setCurrentIndex(self._combo.findData(name))

    def plain_value(self, origin: bool = False, under: Layer | None = None) -> Value | None:
        """What is chosen: no numbers go with a model or a table."""
        return self.value(origin, under)

    def draw_on(self, under: Callable[[], Layer | None]) -> None:
        """Neither models nor tables are drawn."""

    def candidates(self) -> list[Layer]:
        """No layer stands for a model or a table."""
        return []

    def choose_for(self, layer: Layer | None) -> None:
        """No layer stands for a model or a table."""

    def forget(self) -> None:
        """What lies on the shelf stays when the viewer is emptied."""

    def offer_layers(self) -> None:
        """Offer what lies on the shelf."""
        chosen = self._combo.currentData()
        with QSignalBlocker(self._combo):
            self._combo.clear()
            if self._role.least == 0:
                self._combo.addItem("none", None)
            for name, value in SHELF.values.items():
                if fits(self._role, value):
                    self._combo.addItem(name, name)
            index = self._combo.findData(chosen) if chosen else self._combo.count() - 1
            self._combo.setCurrentIndex(0 if self._role.least == 0 and not chosen else index)
        self._tell()

    def refresh_summary(self) -> None:
        """The list says it all."""

    def close_connections(self) -> None:
        """Stop listening to the shelf."""
        self._of_shelf.undo()

    def add_button(self, button: QToolButton) -> None:
        """Put a button beside the list."""
        self._row.addWidget(button)

    def _open(self) -> None:
        files = MODEL_NAMES if Kind.MODEL in self._role.kinds else "Tables (*.csv)"
        path, _ = QFileDialog.getOpenFileName(self, f"Open {self._role.title}", "", files)
        if not path:
            return
        try:
            SHELF.open(self._role.kinds[0], path)
        except (OSError, ValueError) as error:
            self._summary.setText(str(error))
            self._summary.show()
            return
        self._summary.hide()
        self.choose_name(Path(path).name)

    def _tell(self) -> None:
        self.changed.emit()


def fits(role: Input, value: Model | Table) -> bool:
    """Whether a role takes what lies on the shelf."""
    if isinstance(value, Model):
        return Kind.MODEL in role.kinds and takes_model(role, value)
    return Kind.TABLE in role.kinds
