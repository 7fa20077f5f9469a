"""Fields for numbers: exact to the last digit, and numbers that may be left open."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QHBoxLayout, QWidget

from napari_framewise.framework.fields import FieldSpec

# Whole numbers up to here are exact in a double; a QSpinBox ends at 2^31 - 1 and raises beyond.
_LARGEST_INT = 2**53
_LARGEST = sys.float_info.max
# A double spin box rounds to its decimals; so many round nothing but numbers below 1e-308.
_DECIMALS = 323
_ROUNDED = 1e-300
_BEGUN = re.compile(r"[-+]?\d*\.?\d*(e[-+]?\d*)?", re.IGNORECASE)


class ExactBox(QDoubleSpinBox):
    """A number box that keeps every digit of its value, and shows as many as there are."""

    def __init__(self, low: float | None, high: float | None, step: float) -> None:
        super().__init__()
        self._set = 0.0
        self.setDecimals(_DECIMALS)
        self.setRange(-_LARGEST if low is None else low, _LARGEST if high is None else high)
        self.setSingleStep(step)

    def setValue(self, value: float) -> None:
        """Take a value."""
        self._set = value
        super().setValue(value)

    def value(self) -> float:
        """The value, to its last digit."""
        value = super().value()
        return self._set if abs(value - self._set) < _ROUNDED else value

    def textFromValue(self, value: float) -> str:
        """The shortest text that is this number."""
        return repr(float(value)).removesuffix(".0")

    def valueFromText(self, text: str | None) -> float:
        """The number in a text."""
        return float((text or "").replace(",", "."))

    def validate(self, text: str | None, place: int) -> Any:
        """Whether a text is a number within the bounds, or may become one."""
        text = text or ""
        written = text.replace(",", ".")
        try:
            within = self.minimum() <= float(written) <= self.maximum()
        except ValueError:
            within = False
            if not _BEGUN.fullmatch(written):
                return QValidator.State.Invalid, text, place
        state = QValidator.State.Acceptable if within else QValidator.State.Intermediate
        return state, text, place

    def stepBy(self, steps: int) -> None:
        """A step more or less, without the digits that adding it would leave behind."""
        value = self.value() + steps * self.singleStep()
        self.setValue(float(f"{value:.12g}"))


class WholeBox(QDoubleSpinBox):
    """A number box of whole numbers, of any size that a form may be given."""

    def __init__(self, low: float | None, high: float | None) -> None:
        super().__init__()
        self.setDecimals(0)
        self.setRange(
            -_LARGEST_INT if low is None else int(low), _LARGEST_INT if high is None else int(high)
        )

    def value(self) -> int:
        """The value."""
        return round(super().value())

    def textFromValue(self, value: float) -> str:
        """Its digits, without groups."""
        return str(round(value))


class NumberField(QWidget):
    """One number."""

    changed = Signal()

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self.box: WholeBox | ExactBox = _box(spec)
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        self.box.valueChanged.connect(self._tell)
        self.setFocusProxy(self.box)

    @property
    def value(self) -> float | int:
        """The number."""
        return self.box.value()

    @value.setter
    def value(self, value: float | int | None) -> None:
        if value is not None:
            self.box.setValue(value)

    def _tell(self, _value: Any = None) -> None:
        self.changed.emit()


class OptionalField(QWidget):
    """A field behind a check box: what may be left open is None until it is checked."""

    changed = Signal()

    def __init__(self, field: Any, start: Any) -> None:
        super().__init__()
        self.field = field
        self.field.value = start
        self.field.setEnabled(False)
        self.given = QCheckBox()
        self.given.setToolTip("Give a value; without it there is none.")
        self.given.toggled.connect(self._toggled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.given)
        layout.addWidget(self.field, 1)
        self.field.changed.connect(self._tell)
        self.setFocusProxy(self.given)

    @property
    def value(self) -> Any:
        """What stands in the field; None where none is given."""
        return self.field.value if self.given.isChecked() else None

    @value.setter
    def value(self, value: Any) -> None:
        self.given.setChecked(value is not None)
        if value is not None:
            self.field.value = value

    def _toggled(self, on: bool) -> None:
        self.field.setEnabled(on)
        self._tell()

    def _tell(self) -> None:
        self.changed.emit()


def _box(spec: FieldSpec) -> WholeBox | ExactBox:
    if spec.type is int:
        return WholeBox(spec.low, spec.high)
    return ExactBox(spec.low, spec.high, _step(spec))


def _step(spec: FieldSpec) -> float:
    """A third to a thirtieth of the usual value, as a power of ten."""
    usual = spec.default if isinstance(spec.default, (int, float)) else spec.start
    size = abs(usual or 0.0) or spec.high or 1.0
    return float(10.0 ** math.floor(math.log10(abs(size)) - 0.5))


def start_of(spec: FieldSpec) -> float:
    """What a number that is switched on begins with."""
    if spec.start is not None:
        return int(spec.start) if spec.type is int else spec.start
    low, high = spec.low, spec.high
    if low is None:
        return 0 if high is None or high >= 0 else int(high)
    if spec.type is int:
        return int(low) + bool(spec.open_low)
    if not spec.open_low:
        return low
    return low + 1.0 if high is None or low + 1.0 < high else (low + high) / 2
