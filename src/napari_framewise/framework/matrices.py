"""Matrices as users paste them: rows of numbers from a text, a table, NumPy or MATLAB."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Rows: TypeAlias = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Shapes:
    """Which shapes a matrix may have; a part of the annotation of a parameter."""

    shapes: tuple[tuple[int, int], ...]

    @property
    def words(self) -> str:
        """The shapes as they are told: "2 x 3 or 3 x 3"."""
        return " or ".join(f"{rows} x {columns}" for rows, columns in self.shapes)

    def read(self, given: Any) -> Rows:
        """The rows of a matrix that was pasted as text, or given as nested sequences or an array.

        Raises
        ------
        ValueError
            Where it holds something else than finite numbers, or is of another shape.
        """
        rows = _rows(given) if isinstance(given, str) else _nested(given)
        if len(rows) == 1:
            rows = self._wrapped(rows[0])
        lengths = {len(row) for row in rows}
        if len(lengths) > 1:
            raise ValueError(
                f"it should be {self.words} numbers, but its rows hold "
                f"{', '.join(str(len(row)) for row in rows)}"
            )
        shape = (len(rows), next(iter(lengths), 0))
        if shape not in self.shapes:
            raise ValueError(
                f"it should be {self.words} numbers, but it is {shape[0]} x {shape[1]}"
            )
        if not all(math.isfinite(value) for row in rows for value in row):
            raise ValueError(f"it should be {self.words} finite numbers")
        return rows

    def _wrapped(self, numbers: Sequence[float]) -> Rows:
        """Numbers on one line as the rows of the one shape that has as many."""
        fitting = [columns for rows, columns in self.shapes if rows * columns == len(numbers)]
        if len(fitting) != 1:
            return (tuple(numbers),)
        columns = fitting[0]
        return tuple(
            tuple(numbers[start : start + columns]) for start in range(0, len(numbers), columns)
        )

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))


Matrix: TypeAlias = Annotated[Rows, Shapes(((2, 3), (3, 3)))]
"""A parameter that is an affine or a homography of the plane, in row-column order."""


def text_of_matrix(rows: Rows, between: str = "\n") -> str:
    """A matrix as the text that it is read from: a line a row, or `between` two rows."""
    return between.join(" ".join(f"{value!r}".removesuffix(".0") for value in row) for row in rows)


def _rows(text: str) -> Rows:
    text = re.sub(r"\.\.\.\s*\n", " ", text).replace("array", "").replace("matrix", "")
    # "dtype=float32" behind the brackets of NumPy's own notation.
    text = re.sub(r",\s*dtype\s*=\s*\S+", "", text)
    # What closes a row: a bracket, a semicolon or, outside of nested brackets, the line's end.
    nested = text.count("[") > 1 or text.count("(") > 2
    ends = r"[\]);]" if nested else r"[;\n\r]"
    rows = []
    for line in re.split(ends, text):
        words = re.split(r"[\s,]+", line.strip(" \t\r\n,[]()"))
        if words != [""]:
            rows.append(tuple(_number(word) for word in words))
    return tuple(rows)


def _nested(given: Any) -> Rows:
    try:
        return tuple(tuple(float(value) for value in row) for row in given)
    except (TypeError, ValueError):
        raise ValueError("it should be rows of numbers") from None


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"it should be rows of numbers, but it holds {word!r}") from None
