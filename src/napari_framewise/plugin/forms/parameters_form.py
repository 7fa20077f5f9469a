"""The form of a tool's parameters: a magicgui widget for each field of its Parameters."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, LineEdit
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_framewise.framework.fields import FieldSpec, fields_of
from napari_framewise.framework.lengths import length_of
from napari_framewise.framework.parameters import Parameters
from napari_framewise.plugin.forms.folds import folded
from napari_framewise.plugin.forms.number_fields import NumberField, OptionalField, start_of
from napari_framewise.plugin.forms.value_fields import (
    ChoicesField,
    LengthField,
    MatrixField,
    words_of,
)
from napari_framewise.plugin.forms.wheel import guard_wheel
from napari_framewise.stacks.axes import Axis

_FIELDS_AT_ONCE = 6


class ParametersForm(QWidget):
    """Widgets for all parameters, in their groups; the rare ones folded away.

    A field that does not matter with the values of the others is not shown, and not asked.
    """

    changed = Signal()

    def __init__(self, model: type[Parameters], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._begin(model)
        for spec in self._fields:
            self._widgets[spec.name] = _widget(spec)
        self._complete()

    @classmethod
    def in_pieces(cls, model: type[Parameters]) -> Generator[None, None, ParametersForm]:
        """The same, a few fields in each piece."""
        form = cls.__new__(cls)
        QWidget.__init__(form)
        form._begin(model)
        for number, spec in enumerate(form._fields, 1):
            form._widgets[spec.name] = _widget(spec)
            if number % _FIELDS_AT_ONCE == 0:
                yield
        yield
        form._complete()
        return form

    def _begin(self, model: type[Parameters]) -> None:
        self._model = model
        self._fields = fields_of(model)
        self._widgets: dict[str, Any] = {}

    def _complete(self) -> None:
        """Lay out the fields."""
        self._rows: dict[str, list[QWidget]] = {}
        self._headings: list[tuple[QWidget, list[str]]] = []
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
            fold = folded("More parameters", [inside])
            layout.addWidget(fold)
            self._headings.append((fold, [spec.name for spec in rare]))
        for widget in self._widgets.values():
            widget.changed.connect(self._tell)
        self._show_what_matters()
        guard_wheel(self)

    def values(self) -> dict[str, Any]:
        """Plain values by name, not yet checked; without those that do not matter."""
        values = self._all_values()
        hidden = self._model.hidden(values)
        return {name: value for name, value in values.items() if name not in hidden}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Fill the form; names that it does not have are left alone."""
        for spec in self._fields:
            if spec.name in values:
                _set_value(spec, self._widgets[spec.name], values[spec.name])
        self._tell()

    def set_axes(self, axes: Sequence[Axis]) -> None:
        """Offer lengths along these axes, in their unit."""
        for widget in self.findChildren(LengthField):
            widget.set_axes(axes)

    def _all_values(self) -> dict[str, Any]:
        return {spec.name: _value(spec, self._widgets[spec.name]) for spec in self._fields}

    def _tell(self, _value: Any = None) -> None:
        self._show_what_matters()
        self.changed.emit()

    def _show_what_matters(self) -> None:
        hidden = self._model.hidden(self._all_values())
        for name, widgets in self._rows.items():
            for widget in widgets:
                widget.setVisible(name not in hidden)
        for heading, names in self._headings:
            heading.setVisible(not hidden.issuperset(names))

    def _add_group(self, layout: QVBoxLayout, title: str, fields: list[FieldSpec]) -> None:
        if title:
            heading = QLabel(f"<b>{title}</b>")
            layout.addWidget(heading)
            self._headings.append((heading, [spec.name for spec in fields]))
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for spec in fields:
            native = _native(self._widgets[spec.name])
            native.setToolTip(_tooltip(spec))
            self._rows[spec.name] = [native]
            if spec.type is bool and not spec.many:
                native.setText(_title(spec))
                form.addRow(native)
                continue
            label = QLabel(_title(spec))
            label.setWordWrap(True)
            label.setToolTip(_tooltip(spec))
            label.setBuddy(native)
            self._rows[spec.name].append(label)
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


def _widget(spec: FieldSpec) -> Any:
    """The field of a parameter: it has `value` and `changed`."""
    if spec.shapes is not None:
        widget: Any = MatrixField(spec)
    elif spec.many and spec.choices:
        widget = ChoicesField(spec)
    elif spec.is_length:
        widget = _maybe_open(spec, LengthField(spec), length_of(spec.start or 1.0))
    elif spec.type in (int, float) and not spec.many:
        widget = _maybe_open(spec, NumberField(spec), start_of(spec))
    elif spec.choices:
        choices: list[Any] = [(words_of(choice), choice) for choice in spec.choices]
        if spec.optional:
            choices.insert(0, ("not set", None))
        widget = ComboBox(name=spec.name, choices=choices)
    elif spec.type is bool and not (spec.many or spec.optional):
        widget = CheckBox(name=spec.name)
    else:
        widget = LineEdit(name=spec.name)
        widget.native.setPlaceholderText("values, with commas" if spec.many else "not set")
    native = _native(widget)
    native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    native.setMinimumWidth(90)
    _set_value(spec, widget, spec.default)
    return widget


def _maybe_open(spec: FieldSpec, field: Any, start: Any) -> Any:
    return OptionalField(field, start) if spec.optional else field


def _native(widget: Any) -> Any:
    """The Qt widget of a field."""
    return getattr(widget, "native", widget)


def _value(spec: FieldSpec, widget: Any) -> Any:
    return spec.parse(widget.value) if isinstance(widget, LineEdit) else widget.value


def _set_value(spec: FieldSpec, widget: Any, value: Any) -> None:
    if isinstance(widget, LineEdit):
        widget.value = spec.format(value)
        return
    if value is not None and spec.is_length:
        value = length_of(value)
    if value is not None or spec.optional:
        widget.value = value
