"""Tables as CSV, exact both ways, and as JSON."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from napari_framewise.stacks.faults import check_regular
from napari_framewise.stacks.source import Array

_DELIMITERS = ",;\t"
_TRUTH = {"true": True, "false": False}


class HasColumns(Protocol):
    """A table: columns by name, all of one length."""

    @property
    def columns(self) -> Mapping[str, Array]:
        """One-dimensional arrays by name."""
        ...


def write_table(table: HasColumns, path: str | os.PathLike[str]) -> None:
    """Write a table: as CSV with a header and a row per entity, or as JSON where it ends in .json.

    Parameters
    ----------
    table : Table
        Anything with `columns`, one-dimensional arrays of one length by name.
    path : path
        File to make; one that is there is overwritten.

    Notes
    -----
    Floats keep all their digits. No data is "nan" in CSV, and `read_table` gives the same numbers
    back, to the last bit. JSON is a list with an object for each row, by the columns' names; what
    is not finite is null there, for JSON has no word for it.
    """
    if os.fspath(path).lower().endswith(".json"):
        lists = (np.asarray(values).tolist() for values in table.columns.values())
        rows = [
            dict(zip(table.columns, map(_in_json, row), strict=True))
            for row in zip(*lists, strict=True)
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
        return
    columns = [_written(np.asarray(values)) for values in table.columns.values()]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(zip(*columns, strict=True))


def read_table(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Columns of a CSV file by name.

    Parameters
    ----------
    path : path
        A file with the names of the columns in its first line; commas, semicolons or tabs between
        them.

    Returns
    -------
    dict of str to ndarray
        bool, int64, float64 (empty cells are NaN) or str, whichever holds all of a column.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    ValueError
        Where it is no text, has no header, or a row has more or fewer cells than the header.
    """
    check_regular(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            delimiter = max(_DELIMITERS, key=first.count)
            file.seek(0)
            rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no table in text form ({error}); give a CSV file.") from None
    if not rows:
        raise ValueError(f"{path} is empty; give a CSV file with a header.")
    header, *body = ([cell.strip() for cell in row] for row in rows)
    if all(_is_number(name) for name in header):
        raise ValueError(
            f"{path} begins with the numbers {', '.join(header[:4])}; its first line has to name "
            "the columns."
        )
    if len(set(header)) < len(header):
        raise ValueError(f"{path} names a column twice: {', '.join(header)}; name each once.")
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise ValueError(
                f"{path} has {len(row)} cells in row {number} and {len(header)} in its header; "
                "give each row as many."
            )
    cells = zip(*body, strict=True) if body else ((),) * len(header)
    return {name: _read(column) for name, column in zip(header, cells, strict=True)}


def _written(values: Array) -> list[Any]:
    """A column as text that gives the same values back: the csv writer calls str on the rest."""
    if values.dtype.kind == "f":
        return [repr(value) for value in values.astype(np.float64, copy=False).tolist()]
    return list(values.tolist())


def _in_json(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read(cells: Sequence[str]) -> Array:
    if cells and all(cell.casefold() in _TRUTH for cell in cells):
        return np.array([_TRUTH[cell.casefold()] for cell in cells])
    for convert in (_integers, _floats) if cells else (_floats,):
        try:
            return convert(cells)
        except (ValueError, OverflowError):
            continue
    return np.array(cells, dtype=np.str_)


def _integers(cells: Sequence[str]) -> Array:
    return np.array([int(cell) for cell in cells], np.int64)


def _floats(cells: Sequence[str]) -> Array:
    return np.array([float(cell or "nan") for cell in cells], np.float64)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
