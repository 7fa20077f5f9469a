"""Parameters: one pydantic model per tool is its form, its options, its recipe and its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

T = TypeVar("T")


class _Given:
    """Any value but None, False, and an empty text or tuple."""

    def __repr__(self) -> str:
        return "GIVEN"


GIVEN: Final = _Given()
"""In `shown_when`: whatever is given there, so long as something is."""


class Parameters(BaseModel):
    """Base of every tool's parameters: plain values only, none unknown, none changed later.

    Numbers are finite, for JSON knows no others: what has no bound is None. A form does not ask
    for a field that does not matter with the values of the others, `shown_when` of `parameter`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )

    def as_settings(self, settings: type[T]) -> T:
        """Settings of the numerics, each field the parameter of its name.

        Parameters
        ----------
        settings : type
            A dataclass; it holds the defaults of these parameters, too.
        """
        assert is_dataclass(settings)
        return settings(**{each.name: getattr(self, each.name) for each in fields(settings)})

    @classmethod
    def conditions(cls) -> dict[str, Mapping[str, Any]]:
        """`shown_when` of the fields that have it."""
        extras = {name: info.json_schema_extra for name, info in cls.model_fields.items()}
        return {
            name: extra["shown_when"]  # type: ignore[misc]
            for name, extra in extras.items()
            if isinstance(extra, dict) and extra.get("shown_when")
        }

    @classmethod
    def hidden(cls, values: Mapping[str, Any]) -> frozenset[str]:
        """Names of the fields that do not matter with these values of the others.

        What is missing in `values` has its default. What hangs on a hidden field is hidden too.
        """
        conditions = cls.conditions()

        def shown(name: str) -> bool:
            return all(
                shown(other) and _meets(values.get(other, cls.model_fields[other].default), wanted)
                for other, wanted in conditions.get(name, {}).items()
            )

        return frozenset(name for name in conditions if not shown(name))


def _meets(value: Any, wanted: Any) -> bool:
    """Whether a value is the one wanted, or one of several."""
    if wanted is GIVEN:
        return value is not None and value is not False and value not in ("", (), [])
    return value in wanted if isinstance(wanted, (tuple, list)) else bool(value == wanted)


def parameter(
    default: Any,
    title: str,
    description: str,
    *,
    unit: str = "",
    rare: bool = False,
    group: str = "",
    start: float | None = None,
    shown_when: Mapping[str, Any] | None = None,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> Any:
    """A field of `Parameters`.

    Parameters
    ----------
    default : object
        Value where the user says nothing.
    title : str
        Label in the form.
    description : str
        Tooltip and help text: a sentence.
    unit : str
        Unit of the value; stands behind the title and in the help.
    rare : bool
        Kept under the fold of the form.
    group : str
        Heading that it stands under in the form and the help.
    start : float, optional
        What a number that may be left open (None) begins with where the user switches it on; by
        default its lower bound, else 0 or 1.
    shown_when : mapping, optional
        The field matters only where other fields have these values: ``{"to": "running_mean"}``;
        a tuple allows several, `GIVEN` any. Elsewhere the form does not show it.
    ge, gt, le, lt : float, optional
        Bounds; those of a `Length` are 0 at most, for others depend on the size of a pixel.
    """
    return Field(
        default,
        title=title,
        description=description,
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        json_schema_extra={
            "unit": unit,
            "rare": rare,
            "group": group,
            "start": start,
            "shown_when": dict(shown_when or {}),
        },
    )


def sentence_of(
    error: ValidationError, model: type[Parameters], called: Callable[[str], str] | None = None
) -> str:
    """What is wrong with given parameters, in one sentence for each.

    `called` says what a parameter is called where it was given: a field's title by default.
    """
    # One value that is wrong in several places, as each number of a tuple, is said once.
    return " ".join(dict.fromkeys(_sentence(each, model, called) for each in error.errors()))


def _sentence(problem: Any, model: type[Parameters], called: Callable[[str], str] | None) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    place = problem["loc"]
    if not place:
        return f"{message}."
    name = str(place[0])
    if problem["type"] == "extra_forbidden":
        names = ", ".join(model.model_fields)
        return f"There is no parameter {name}; the parameters are: {names}."
    title = called(name) if called else model.model_fields[name].title or name
    wanted = message.replace("Input should be", "it should be")
    return f"{title} was given {problem['input']!r}; {wanted[:1].lower()}{wanted[1:]}."
