"""Fields of Parameters as forms, options and recipes see them: one reading for all of them."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from napari_framewise.framework.lengths import Length, length_of
from napari_framewise.framework.matrices import Rows, Shapes, text_of_matrix
from napari_framewise.framework.parameters import Parameters


@dataclass(frozen=True)
class FieldSpec:
    """One parameter.

    Attributes
    ----------
    name, title, description, unit, group : str
        How it is called, labelled and explained.
    type : type
        bool, int, float, str, `Length`, or tuple of a matrix.
    choices : tuple of str
        Allowed values; empty where any is.
    many : bool
        A tuple of values, written with commas.
    optional : bool
        May be left empty: None.
    default : object
        Value where the user says nothing.
    low, high : float, optional
        Bounds; `open_low`, `open_high` where the bound itself is excluded.
    rare : bool
        Kept under the fold.
    start : float, optional
        What a number that may be left open begins with.
    shown_when : tuple
        Names of other fields, each with the values that make this one matter.
    shapes : Shapes, optional
        Shapes of a matrix.
    """

    name: str
    title: str
    description: str
    unit: str
    group: str
    type: type
    choices: tuple[str, ...]
    many: bool
    optional: bool
    default: Any
    low: float | None
    high: float | None
    open_low: bool
    open_high: bool
    rare: bool
    start: float | None = None
    shown_when: tuple[tuple[str, Any], ...] = ()
    shapes: Shapes | None = None

    @property
    def is_length(self) -> bool:
        """Whether it is a `Length`."""
        return self.type is Length

    def parse(self, text: str) -> Any:
        """The value that a text stands for; text that it can't read, for the model to refuse."""
        if self.optional and text.strip().lower() in ("", "none"):
            return None
        if self.shapes is not None or self.is_length:
            return self._structured(text)
        if self.many:
            return tuple(
                self._one(part) for part in text.replace(";", ",").split(",") if part.strip()
            )
        return self._one(text)

    def format(self, value: Any) -> str:
        """A value as the text that `parse` reads."""
        if value is None:
            return ""
        if self.shapes is not None:
            return text_of_matrix(self.shapes.read(value), "; ")
        return ", ".join(map(str, value)) if self.many else str(value)

    def _structured(self, text: str) -> Any:
        try:
            return length_of(text) if self.shapes is None else self.shapes.read(text)
        except ValueError:
            return text

    def _one(self, text: str) -> Any:
        text = text.strip()
        if self.type is bool and text.lower() in ("true", "yes", "on", "1"):
            return True
        if self.type is bool and text.lower() in ("false", "no", "off", "0"):
            return False
        try:
            return self.type(text) if self.type in (int, float) else text
        except ValueError:
            return text


def fields_of(model: type[Parameters]) -> tuple[FieldSpec, ...]:
    """The fields of a Parameters model, in the order of its definition.

    Raises
    ------
    TypeError
        Where a field is of a type that forms and options can't show.
    """
    return tuple(_spec(model, name, info) for name, info in model.model_fields.items())


def _spec(model: type[Parameters], name: str, info: FieldInfo) -> FieldSpec:
    kind, optional, many, metadata = _unwrapped(info.annotation)
    metadata = [*info.metadata, *metadata]
    shapes = next((each for each in metadata if isinstance(each, Shapes)), None)
    if shapes is not None:
        kind, many = tuple, False
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    plain = kind in (bool, int, float, str) or (kind is Length and not many)
    if not plain and shapes is None and not (choices and all(map(_is_text, choices))):
        raise TypeError(
            f"The parameter {name} is annotated {info.annotation}; use bool, int, float, str, a "
            "Literal of texts, a tuple of one of them, a Length, a Matrix, or one of these or None."
        )
    low, high, open_low, open_high = _bounds(metadata)
    if kind is Length and (low or high is not None):
        raise TypeError(f"The parameter {name} is a Length; its only bound can be 0.")
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    return FieldSpec(
        name=name,
        title=info.title or name,
        description=info.description or "",
        unit=str(extra.get("unit", "")),
        group=str(extra.get("group", "")),
        type=str if choices else kind,
        choices=choices,
        many=many,
        optional=optional,
        default=_default(info.default, kind, shapes),
        low=low,
        high=high,
        open_low=open_low,
        open_high=open_high,
        rare=bool(extra.get("rare", False)),
        start=extra.get("start"),  # type: ignore[arg-type]
        shown_when=tuple(model.conditions().get(name, {}).items()),
        shapes=shapes,
    )


def _default(default: Any, kind: Any, shapes: Shapes | None) -> Any:
    if default is PydanticUndefined or default is None:
        return None
    if shapes is not None:
        return shapes.read(default)
    return length_of(default) if kind is Length else default


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _unwrapped(annotation: Any) -> tuple[Any, bool, bool, list[Any]]:
    """The plain type in an annotation, whether it is optional or a tuple, and its constraints."""
    optional = many = False
    if get_origin(annotation) in (Union, types.UnionType):
        inside = [each for each in get_args(annotation) if each is not types.NoneType]
        if len(inside) == 1 < len(get_args(annotation)):
            optional, annotation = True, inside[0]
    if get_origin(annotation) is tuple and annotation != Rows:
        many, annotation = True, get_args(annotation)[0]
    if get_origin(annotation) is Annotated:
        return annotation.__origin__, optional, many, list(annotation.__metadata__)
    return annotation, optional, many, []


def _bounds(metadata: list[Any]) -> tuple[float | None, float | None, bool, bool]:
    low = high = None
    open_low = open_high = False
    for each in metadata:
        match each:
            case Ge(ge=value):
                low = float(value)  # type: ignore[arg-type]
            case Gt(gt=value):
                low, open_low = float(value), True  # type: ignore[arg-type]
            case Le(le=value):
                high = float(value)  # type: ignore[arg-type]
            case Lt(lt=value):
                high, open_high = float(value), True  # type: ignore[arg-type]
    return low, high, open_low, open_high
