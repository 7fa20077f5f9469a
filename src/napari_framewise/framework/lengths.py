"""Lengths as users give them: in pixels or a unit of length, one for all axes or one for each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.units import CENTIMETRES, PIXEL, SYMBOLS, unit_name

_PIXELS = ("", "px", "pixel", "pixels")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_WANTED = (
    "it should be one number, or one for each axis, with px or a unit of length: 2px, 0.5um, "
    "2,1,1px"
)


@dataclass(frozen=True, repr=False)
class Length:
    """One length, or one for each axis of the pixels, in row-column order.

    A parameter of this type takes a `Length`, a text such as ``2px``, ``0.5 um`` or ``2,1,1px``,
    and a number or several, which are pixels; a recipe holds the text.

    Attributes
    ----------
    values : tuple of float
        One number, or one per axis.
    unit : str
        "pixel", or the full name of a unit of length ("micrometer").
    """

    values: tuple[float, ...]
    unit: str = PIXEL

    def __str__(self) -> str:
        numbers = ",".join(f"{value!r}".removesuffix(".0") for value in self.values)
        return f"{numbers} {'px' if self.unit == PIXEL else SYMBOLS.get(self.unit, self.unit)}"

    def in_pixels(self, axes: Sequence[Axis], title: str = "A length") -> tuple[float, ...]:
        """The length along each axis in pixels: ``value * unit / (scale * axis unit)``.

        Parameters
        ----------
        axes : sequence of Axis
            The axes of a frame's pixels: (y, x) or (z, y, x).
        title : str
            What the length is, for the error.

        Raises
        ------
        ValueError
            Where there are neither one number nor as many as axes, or where a length is asked for
            along an axis whose pixels have none.
        """
        if len(self.values) not in (1, len(axes)):
            names = ", ".join(axis.name for axis in axes)
            raise ValueError(
                f"{title} was given {len(self.values)} numbers ({self}), but the pixels have "
                f"{len(axes)} axes ({names}); give one number, or one for each axis."
            )
        values = self.values * len(axes) if len(self.values) == 1 else self.values
        if self.unit == PIXEL:
            return values
        return tuple(
            value * CENTIMETRES[self.unit] / self._size_of(axis, title)
            for value, axis in zip(values, axes, strict=True)
        )

    def _size_of(self, axis: Axis, title: str) -> float:
        """Size of a pixel along an axis, in cm."""
        unit = unit_name(axis.unit)
        if unit not in CENTIMETRES or not axis.scale:
            raise ValueError(
                f"{title} was given as {self}, but the pixels have no size along {axis.name} "
                f"(scale {axis.scale:g} {axis.unit}); set the layer's scale and units, or give the "
                "length in pixels (px)."
            )
        return abs(axis.scale) * CENTIMETRES[unit]

    def __repr__(self) -> str:
        return f"{str(self)!r}"

    # A bound of a parameter holds for every number.
    def __ge__(self, bound: float) -> bool:
        return all(value >= bound for value in self.values)

    def __gt__(self, bound: float) -> bool:
        return all(value > bound for value in self.values)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            length_of,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )


def length_of(given: Any) -> Length:
    """A length from what a user, a recipe or Python gives.

    Raises
    ------
    ValueError
        Where it is not one number or several with a unit of length.
    """
    if isinstance(given, Length):
        return _checked(given.values, given.unit)
    if isinstance(given, str):
        return _parsed(given)
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return _checked((given,), PIXEL)
    if isinstance(given, Iterable):
        return _checked(tuple(given), PIXEL)
    raise ValueError(_WANTED)


def _parsed(text: str) -> Length:
    """The length in a text; a unit may stand behind every number, if it is always the same."""
    values, units = [], set()
    for part in re.split(r"[,;]", re.sub(r"[()\[\]]", "", text)):
        number = _NUMBER.match(part.strip())
        if number is None:
            raise ValueError(_WANTED)
        values.append(float(number.group()))
        units.add(part.strip()[number.end() :].strip())
    named = units - {""}
    if len(named) > 1:
        raise ValueError(f"{_WANTED}; all in one unit")
    written = next(iter(named), "")
    if written.lower() in _PIXELS:
        return _checked(tuple(values), PIXEL)
    unit = unit_name(written)
    if unit not in CENTIMETRES:
        raise ValueError(f"{_WANTED}; {written!r} is no unit of length that is known here")
    return _checked(tuple(values), unit)


def _checked(values: tuple[Any, ...], unit: str) -> Length:
    numbers = tuple(float(value) for value in values)
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(_WANTED)
    if unit != PIXEL and unit not in CENTIMETRES:
        raise ValueError(f"{_WANTED}; {unit!r} is no unit of length that is known here")
    return Length(numbers, unit)
