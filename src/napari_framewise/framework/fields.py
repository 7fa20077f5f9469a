"""Fields of Parameters as forms, options and recipes see them: one reading for all of them."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from napari_framewise.framework.parameters import Parameters


@dataclass(frozen=True)
class FieldSpec:
    """One parameter.

    Attributes
    ----------
    name, title, description, unit, group : str
        How it is called, labelled and explained.
    type : type
        bool, int, float or str.
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

    def parse(self, text: str) -> Any:
        """The value that a text stands for; text that it can't read, for the model to refuse."""
        if self.optional and text.strip().lower() in ("", "none"):
            return None
        if self.many:
            return tuple(
                self._one(part) for part in text.replace(";", ",").split(",") if part.strip()
            )
        return self._one(text)

    def format(self, value: Any) -> str:
        """A value as the text that `parse` reads."""
        if value is None:
            return ""
        return ", ".join(map(str, value)) if self.many else str(value)

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
    return tuple(_spec(name, info) for name, info in model.model_fields.items())


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    kind, optional, many, metadata = _unwrapped(info.annotation)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if kind not in (bool, int, float, str) and not (choices and all(map(_is_text, choices))):
        raise TypeError(
            f"The parameter {name} is annotated {info.annotation}; use bool, int, float, str, a "
            "Literal of texts, a tuple of one of them, or one of these or None."
        )
    low, high, open_low, open_high = _bounds([*info.metadata, *metadata])
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
        default=None if info.default is PydanticUndefined else info.default,
        low=low,
        high=high,
        open_low=open_low,
        open_high=open_high,
        rare=bool(extra.get("rare", False)),
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _unwrapped(annotation: Any) -> tuple[Any, bool, bool, list[Any]]:
    """The plain type in an annotation, whether it is optional or a tuple, and its constraints."""
    optional = many = False
    if get_origin(annotation) in (Union, types.UnionType):
        inside = [each for each in get_args(annotation) if each is not types.NoneType]
        if len(inside) == 1 < len(get_args(annotation)):
            optional, annotation = True, inside[0]
    if get_origin(annotation) is tuple:
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
