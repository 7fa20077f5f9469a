"""Parameters: one pydantic model per tool is its form, its options, its recipe and its record."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Parameters(BaseModel):
    """Base of every tool's parameters: plain values only, none unknown, none changed later.

    Numbers are finite, for JSON knows no others: what has no bound is None.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )


def parameter(
    default: Any,
    title: str,
    description: str,
    *,
    unit: str = "",
    rare: bool = False,
    group: str = "",
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
    ge, gt, le, lt : float, optional
        Bounds.
    """
    return Field(
        default,
        title=title,
        description=description,
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        json_schema_extra={"unit": unit, "rare": rare, "group": group},
    )


def sentence_of(error: ValidationError, model: type[Parameters]) -> str:
    """What is wrong with given parameters, in one sentence for each."""
    return " ".join(_sentence(each, model) for each in error.errors())


def _sentence(problem: Any, model: type[Parameters]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    place = problem["loc"]
    if not place:
        return f"{message}."
    name = str(place[0])
    if problem["type"] == "extra_forbidden":
        names = ", ".join(model.model_fields)
        return f"There is no parameter {name}; the parameters are: {names}."
    title = model.model_fields[name].title or name
    wanted = message.replace("Input should be", "it should be")
    return f"{title} was given {problem['input']!r}; {wanted[:1].lower()}{wanted[1:]}."
