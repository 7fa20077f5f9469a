"""The form of a tool's parameters: a magicgui widget for each field of its Parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, LineEdit, SpinBox
from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_framewise.framework.fields import FieldSpec, fields_of
from napari_framewise.framework.parameters import Parameters
from napari_framewise.plugin.forms.folds import folded
from napari_framewise.plugin.forms.wheel import guard_wheel

_LARGEST_INT = 2**31 - 1
_LARGEST = 1e12
_DECIMALS = 4


class ParametersForm(QWidget):
    """Widgets for all parameters, in their groups; the rare ones folded away."""

    changed = Signal()

    def __init__(self, model: type[Parameters], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields = fields_of(model)
        self._widgets = {spec.name: _widget(spec) for spec in self._fields}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        common = [spec for spec in self._fields if not spec.rare]
        rare = [spec for spec in self._fields if spec.rare]
        for title, fields in _grouped(common):
            self._add_group(layout, title, fields)
        if rare:
            inside = QWidget()
            inner = QVBoxLayout(inside)
            inner.setContentsMargins(0, 0, 0, 0)
            for title, fields in _grouped(rare):
                self._add_group(inner, title, fields)
            layout.addWidget(folded("More parameters", [inside]))
        for widget in self._widgets.values():
            widget.changed.connect(self._tell)
        guard_wheel(self)

    def values(self) -> dict[str, Any]:
        """Plain values by name, not yet checked."""
        return {spec.name: _value(spec, self._widgets[spec.name]) for spec in self._fields}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Fill the form; names that it does not have are left alone."""
        for spec in self._fields:
            if spec.name in values:
                _set_value(spec, self._widgets[spec.name], values[spec.name])
        self.changed.emit()

    def _tell(self, _value: Any = None) -> None:
        self.changed.emit()

    def _add_group(self, layout: QVBoxLayout, title: str, fields: list[FieldSpec]) -> None:
        if title:
            heading = QLabel(f"<b>{title}</b>")
            layout.addWidget(heading)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for spec in fields:
            native = self._widgets[spec.name].native
            native.setToolTip(_tooltip(spec))
            if spec.type is bool and not spec.many:
                native.setText(_title(spec))
                form.addRow(native)
                continue
            label = QLabel(_title(spec))
            label.setWordWrap(True)
            label.setToolTip(_tooltip(spec))
            label.setBuddy(native)
            form.addRow(label, native)
        layout.addLayout(form)


def _grouped(fields: list[FieldSpec]) -> Iterator[tuple[str, list[FieldSpec]]]:
    """Fields by their heading, in the order in which the headings first come."""
    groups: dict[str, list[FieldSpec]] = {}
    for spec in fields:
        groups.setdefault(spec.group, []).append(spec)
    yield from groups.items()


def _title(spec: FieldSpec) -> str:
    return f"{spec.title} [{spec.unit}]" if spec.unit else spec.title


def _tooltip(spec: FieldSpec) -> str:
    unit = f" In {spec.unit}." if spec.unit else ""
    return f"<p>{spec.description}{unit}</p>"


def _widget(spec: FieldSpec) -> ValueWidget[Any]:
    if spec.many or (spec.optional and not spec.choices) or (spec.type is str and not spec.choices):
        widget: ValueWidget[Any] = LineEdit(name=spec.name)
        widget.native.setPlaceholderText("values, with commas" if spec.many else "not set")
    elif spec.choices:
        choices: list[Any] = [(_words(choice), choice) for choice in spec.choices]
        if spec.optional:
            choices.insert(0, ("not set", None))
        widget = ComboBox(name=spec.name, choices=choices)
    elif spec.type is bool:
        widget = CheckBox(name=spec.name)
    elif spec.type is int:
        widget = SpinBox(
            name=spec.name,
            min=-_LARGEST_INT if spec.low is None else int(spec.low),
            max=_LARGEST_INT if spec.high is None else int(spec.high),
        )
    else:
        widget = FloatSpinBox(
            name=spec.name,
            min=-_LARGEST if spec.low is None else spec.low,
            max=_LARGEST if spec.high is None else spec.high,
            step=_step(spec),
        )
        widget.native.setDecimals(_DECIMALS)
    native = widget.native
    native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    native.setMinimumWidth(90)
    _set_value(spec, widget, spec.default)
    return widget


def _words(choice: str) -> str:
    return choice.replace("_", " ")


def _step(spec: FieldSpec) -> float:
    size = abs(spec.default or 0.0) or (spec.high or 1.0)
    return float(10.0 ** math.floor(math.log10(size) - 0.5))


def _value(spec: FieldSpec, widget: ValueWidget[Any]) -> Any:
    return spec.parse(widget.value) if isinstance(widget, LineEdit) else widget.value


def _set_value(spec: FieldSpec, widget: ValueWidget[Any], value: Any) -> None:
    if isinstance(widget, LineEdit):
        widget.value = spec.format(value)
        return
    if isinstance(widget, FloatSpinBox):
        widget.native.setDecimals(max(_decimals(value), widget.native.decimals()))
    if value is not None or spec.optional:
        widget.value = value


def _decimals(value: float | None) -> int:
    """Decimals that a spin box needs to hold a value, and one more."""
    if not value or not math.isfinite(value):
        return _DECIMALS
    mantissa, _, exponent = f"{value:.12e}".partition("e")
    digits = len(mantissa.rstrip("0").partition(".")[2])
    return min(max(digits - int(exponent), 0) + 1, 16)
