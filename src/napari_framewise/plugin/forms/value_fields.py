"""Fields for what is more than a number or a word: several choices, lengths, a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QToolButton,
    QWidget,
)

from napari_framewise.framework.fields import FieldSpec
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.matrices import text_of_matrix
from napari_framewise.plugin.forms.number_fields import ExactBox
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.units import CENTIMETRES, PIXEL, SYMBOLS, unit_name

_ROWS_SHOWN = 6
_MATRIX_LINES = 3


def words_of(choice: str) -> str:
    """A choice as it is shown."""
    return choice.replace("_", " ")


class ChoicesField(QListWidget):
    """Any of several choices, each with a check box, in the order of their declaration."""

    changed = Signal()

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self._spec = spec
        for choice in spec.choices:
            item = QListWidgetItem(words_of(choice))
            item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.addItem(item)
        rows = min(_ROWS_SHOWN, len(spec.choices))
        self.setFixedHeight(max(self.sizeHintForRow(0), 16) * rows + 2 * self.frameWidth())
        self.itemChanged.connect(self._tell)

    @property
    def value(self) -> tuple[str, ...] | None:
        """The checked choices; where the parameter may be left open and none is, None."""
        chosen = tuple(
            choice
            for row, choice in enumerate(self._spec.choices)
            if self._item(row).checkState() == Qt.CheckState.Checked
        )
        return None if self._spec.optional and not chosen else chosen

    @value.setter
    def value(self, value: Sequence[str] | None) -> None:
        for row, choice in enumerate(self._spec.choices):
            on = choice in (value or ())
            self._item(row).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    def _item(self, row: int) -> QListWidgetItem:
        item = self.item(row)
        assert item is not None
        return item

    def _tell(self, _item: Any = None) -> None:
        self.changed.emit()


class LengthField(QWidget):
    """A length in pixels or in the layer's unit; one for all axes, or one per axis."""

    changed = Signal()

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self._low = spec.low
        self._axes: tuple[str, ...] = ()
        self._setting = False
        self.boxes: list[ExactBox] = []
        self.unit_box = QComboBox()
        self.unit_box.setToolTip("Pixels, or a unit of length: the layer's, where it has one.")
        self.unit_box.addItem("px", PIXEL)
        self.apart = QToolButton()
        self.apart.setText("per axis")
        self.apart.setCheckable(True)
        self.apart.setToolTip("One number for each axis.")
        self.apart.hide()
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(self.unit_box)
        self._layout.addWidget(self.apart)
        self._set_count(1)
        self.apart.toggled.connect(self._toggled)
        self.unit_box.currentIndexChanged.connect(self._tell)
        self.setFocusProxy(self.boxes[0])

    @property
    def value(self) -> Length:
        """What stands in the field."""
        return Length(tuple(box.value() for box in self.boxes), self.unit_box.currentData())

    @value.setter
    def value(self, value: Length | None) -> None:
        if value is None:
            return
        self._setting = True
        self._set_count(len(value.values))
        for box, number in zip(self.boxes, value.values, strict=True):
            box.setValue(number)
        self._offer_unit(value.unit)
        self.unit_box.setCurrentIndex(self.unit_box.findData(value.unit))
        self.apart.setChecked(len(value.values) > 1)
        self._setting = False
        self._tell()

    def set_axes(self, axes: Sequence[Axis]) -> None:
        """Offer one number for each of these axes, and their unit."""
        self._axes = tuple(axis.name for axis in axes)
        self.apart.setVisible(len(axes) > 1 or len(self.boxes) > 1)
        for axis in axes:
            unit = unit_name(axis.unit)
            if unit in CENTIMETRES:
                self._offer_unit(unit)
        self._name_boxes()

    def _offer_unit(self, unit: str) -> None:
        if self.unit_box.findData(unit) < 0:
            self.unit_box.addItem(SYMBOLS.get(unit, unit), unit)

    def _toggled(self, apart: bool) -> None:
        if not self._setting:
            self._set_count(max(2, len(self._axes)) if apart else 1)
            self._tell()

    def _set_count(self, count: int) -> None:
        """As many boxes, the new ones with the first one's number."""
        while len(self.boxes) > count:
            box = self.boxes.pop()
            self._layout.removeWidget(box)
            box.deleteLater()
        while len(self.boxes) < count:
            box = ExactBox(self._low, None, 0.5)
            box.setMinimumWidth(46)
            box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            if self.boxes:
                box.setValue(self.boxes[0].value())
            box.valueChanged.connect(self._tell)
            self._layout.insertWidget(len(self.boxes), box, 1)
            self.boxes.append(box)
        if count > 1:
            self.apart.show()
        self._name_boxes()

    def _name_boxes(self) -> None:
        fitting = len(self._axes) == len(self.boxes)
        for number, box in enumerate(self.boxes):
            box.setToolTip(f"along {self._axes[number]}" if fitting else "")

    def _tell(self, _value: Any = None) -> None:
        if not self._setting:
            self.changed.emit()


class MatrixField(QPlainTextEdit):
    """A matrix as text, a line a row: typed, or pasted from NumPy, MATLAB or a table."""

    changed = Signal()

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self._spec = spec
        assert spec.shapes is not None
        self.setPlaceholderText(f"{spec.shapes.words} numbers, a line a row")
        height = QFontMetrics(self.font()).lineSpacing() * _MATRIX_LINES
        self.setFixedHeight(height + 2 * self.frameWidth() + 10)
        self.setTabChangesFocus(True)
        self.textChanged.connect(self.changed)

    @property
    def value(self) -> Any:
        """The rows; a text that can't be read, for the model to refuse."""
        return self._spec.parse(self.toPlainText())

    @value.setter
    def value(self, value: Any) -> None:
        self.setPlainText("" if value is None else text_of_matrix(value))
