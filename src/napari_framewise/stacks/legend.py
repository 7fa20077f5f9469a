"""Legend of an image of labels: what each label is, and the colour that it is shown in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from napari_framewise.stacks.source import Array

INDEX = "index"


@dataclass(frozen=True, eq=False)
class Legend:
    """Colours and features of labels.

    Attributes
    ----------
    numbers : (k,) ndarray of int
        Labels that have a colour.
    colours : (k, 4) ndarray
        Red, green, blue and alpha of each from 0 to 1.
    features : mapping of str to ndarray
        Columns of equal length, a row per label; the column "index" says of which, without it
        row n is that of label n.
    """

    numbers: Array
    colours: Array
    features: Mapping[str, Array] = field(default_factory=dict)

    def colour_of(self, labels: Array) -> Array:
        """Colours (..., 4) of labels; NaN where a label has none."""
        given = np.asarray(labels)
        found = np.full((*given.shape, 4), np.nan)
        if len(self.numbers):
            order = np.argsort(self.numbers, kind="stable")
            ranked = np.asarray(self.numbers)[order]
            places = np.searchsorted(ranked, given).clip(0, len(ranked) - 1)
            known = ranked[places] == given
            found[known] = np.asarray(self.colours, np.float64)[order][places[known]]
        return found

    def rows(self) -> dict[str, Array]:
        """One table of all: a row per label that has a colour or features, by its number.

        Missing numbers are NaN, missing texts and colours empty; colours are "#rrggbbaa".
        """
        of_rows = self.index
        numbers = np.union1d(self.numbers, of_rows).astype(np.int64)
        texts = np.array([hex_of(colour) for colour in self.colour_of(numbers)], dtype=str)
        table: dict[str, Array] = {INDEX: numbers, "color": texts}
        places = np.searchsorted(numbers, of_rows)
        for name, values in self.features.items():
            if name == INDEX:
                continue
            column = np.asarray(values)
            number = column.dtype.kind in "biuf"
            whole = np.full(len(numbers), np.nan) if number else np.full(len(numbers), "", object)
            whole[places] = column
            complete = len(of_rows) == len(numbers)
            table[name] = whole.astype(column.dtype) if number and complete else whole
        return table

    @property
    def index(self) -> Array:
        """The label of each row of features."""
        if INDEX in self.features:
            return np.asarray(self.features[INDEX]).astype(np.int64)
        return np.arange(len(next(iter(self.features.values()), ())))


def legend_of(rows: Mapping[str, Array]) -> Legend:
    """The legend of such a table; colours that can't be read are left out."""
    numbers = np.asarray(rows[INDEX]).astype(np.int64)
    colours = [colour_of_hex(str(text)) for text in rows.get("color", np.full(len(numbers), ""))]
    known = [number for number, colour in enumerate(colours) if colour is not None]
    features = {str(name): values for name, values in rows.items() if name not in (INDEX, "color")}
    return Legend(
        numbers[known],
        np.array([colours[number] for number in known], np.float64).reshape(-1, 4),
        {INDEX: numbers, **features} if features else {},
    )


def hex_of(colour: Array) -> str:
    """Red, green, blue and alpha from 0 to 1 as "#rrggbbaa"; empty where there is none."""
    if not np.isfinite(colour).all():
        return ""
    parts = np.clip(np.rint(np.asarray(colour, np.float64) * 255), 0, 255).astype(np.uint8)
    return "#" + parts.tobytes().hex()


def colour_of_hex(text: str) -> Array | None:
    """The colour of "#rrggbbaa" or "#rrggbb"; None where the text is neither."""
    digits = text.strip().lower().removeprefix("#")
    if len(digits) not in (6, 8) or set(digits) - set("0123456789abcdef"):
        return None
    parts = np.frombuffer(bytes.fromhex(digits.ljust(8, "f")), np.uint8)
    return np.asarray(parts / 255)
