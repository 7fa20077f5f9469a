"""The number that goes with an image, or those that go with a stack's frames, beside its layer."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)

from napari_framewise.framework.valued import InputValue, Valued
from napari_framewise.io import read_table
from napari_framewise.io.recipes.numbers import SYNTAX, names_of, numbers_of


class NumberBox(QWidget):
    """A line for a number, or for what numbers are read by.

    Parameters
    ----------
    asked : InputValue
        What is asked for.
    """

    changed = Signal()

    def __init__(self, asked: InputValue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked = asked
        self._line = QLineEdit()
        self._line.setPlaceholderText("a number" if asked.per == "image" else "one per frame")
        self._line.setToolTip(f"<p>{asked.label} of each {asked.per}: {SYNTAX}.</p>")
        self._line.textChanged.connect(self._tell)
        button = QToolButton()
        button.setText("Table…")
        button.setToolTip("Take a column of a table, by the files' names or row by row.")
        button.clicked.connect(self._ask_table)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 0, 0)
        row.addWidget(QLabel(asked.label))
        row.addWidget(self._line, 1)
        row.addWidget(button)

    @property
    def text(self) -> str:
        """What is written in the line."""
        return self._line.text()

    def set_text(self, text: str) -> None:
        """Write something in the line."""
        self._line.setText(text)

    def set_numbers(self, numbers: tuple[float, ...] | None, pattern: str | None) -> None:
        """Write what a recipe says."""
        self.set_text(pattern or ", ".join(f"{number:.17g}" for number in numbers or ()))

    def valued(self, value: Any) -> Any:
        """What was chosen with its numbers; as it is where the line is empty.

        Raises
        ------
        ValueError
            Where the line can't be read.
        """
        text = self.text.strip()
        if not text:
            return value
        numbers = numbers_of(text, names_of(value), self._asked)
        return Valued(value, numbers, text if "{}" in text else None)

    def _ask_table(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, f"{self._asked.title}: a table", "", "Tables (*.csv *.tsv *.txt)"
        )
        if not path:
            return
        try:
            names = list(read_table(path))
        except (OSError, ValueError) as error:
            self._line.setToolTip(str(error))
            return
        column, taken = QInputDialog.getItem(
            self, self._asked.title, "Column", names, len(names) - 1, False
        )
        if taken:
            self.set_text(f"{path}:{column}")

    def _tell(self) -> None:
        self.changed.emit()
