"""The number that goes with each image: typed, in a table's column, or in the file's name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_framewise.framework.valued import InputValue
from napari_framewise.io.formats.tables import read_table
from napari_framewise.io.recipes.naming import NUMBER
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.sources.folder import unpack_names
from napari_framewise.stacks.stack import Stack

SYNTAX = (
    "numbers such as 20,30; a pattern such as T{}K, where {} stands for the number in the file's "
    "name; or TABLE.csv or TABLE.csv:COLUMN"
)
_NAMED = ("file", "filename", "name", "image", "layer")
_COUNTED = ("index", "frame", "row")


def numbers_of(text: str, names: Sequence[str], asked: InputValue) -> tuple[float, ...]:
    """The numbers that a text stands for.

    Parameters
    ----------
    text : str
        Numbers with commas between them; a pattern that holds ``{}`` in place of the number in
        each name; or a table ``TABLE.csv:COLUMN``, whose rows are found by the file's name where it
        has a column file or name, else are taken in order. The column may be left out where there
        is only one of numbers.
    names : sequence of str
        Name of each image or frame.
    asked : InputValue
        What is asked for.

    Raises
    ------
    ValueError
        In one sentence, where it is none of them, or not as many numbers as names.
    """
    text = text.strip()
    if "{}" in text:
        return tuple(number_in(name, text, asked) for name in names)
    words = [word for word in re.split(r"[,;\s]+", text) if word]
    if words and all(re.fullmatch(NUMBER, word) for word in words):
        return tuple(map(float, words))
    path, column = _split(text)
    if path is None:
        raise ValueError(f"{asked.title} was given {text!r}; write {SYNTAX}.")
    return _of_table(path, column, names, asked)


def number_in(name: str, pattern: str, asked: InputValue) -> float:
    """The number that stands in a name where a pattern has ``{}``; ``*`` is any text.

    Raises
    ------
    ValueError
        Where the name does not fit the pattern.
    """
    parts = (
        f"({NUMBER})" if part == "{}" else ".*" if part == "*" else re.escape(part)
        for part in re.split(r"(\{\}|\*)", pattern)
    )
    found = re.search("".join(parts), os.path.basename(name))
    if found is None:
        raise ValueError(
            f"{asked.title}: the name {os.path.basename(name)!r} does not hold {pattern!r} with a "
            "number in the place of {}."
        )
    return float(found[1])


def names_of(value: Any) -> tuple[str, ...]:
    """Names of the files that the frames of a stack came from; its own name where there are none.

    The frames are all of the stack's, whatever is chosen.
    """
    if isinstance(value, RaggedStack):
        return value.names
    if not isinstance(value, Stack):
        return (getattr(value, "name", ""),)
    packed = getattr(value.source, "names", None)
    files = unpack_names(packed) if isinstance(packed, bytes) else value.source.paths
    total = int(np.prod([value.source.shape[axis] for axis in value.frame_axes]))
    if len(files) == total > 1:
        return tuple(os.path.basename(str(each)) for each in files)
    place = value.origin.path if value.origin is not None else None
    return (os.path.basename(place) if place else value.name,)


def _split(text: str) -> tuple[str | None, str | None]:
    """Path and column of "TABLE.csv:COLUMN"; no path where there is no such file."""
    if os.path.isfile(text):
        return text, None
    path, colon, column = text.rpartition(":")
    return (path, column) if colon and os.path.isfile(path) else (None, None)


def _of_table(
    path: str, column: str | None, names: Sequence[str], asked: InputValue
) -> tuple[float, ...]:
    columns = read_table(path)
    values = _column(columns, column, path, asked)
    key = next((columns[each] for each in columns if each.lower() in _NAMED), None)
    if key is None:
        return tuple(map(float, values))
    known = {_stem(str(name)): float(value) for name, value in zip(key, values, strict=True)}
    missing = [name for name in names if _stem(name) not in known]
    if missing:
        raise ValueError(f"{asked.title}: {path} has no row for {missing[0]}.")
    return tuple(known[_stem(name)] for name in names)


def _column(
    columns: Mapping[str, Array], wanted: str | None, path: str, asked: InputValue
) -> Array:
    numeric = [
        name
        for name, values in columns.items()
        if np.asarray(values).dtype.kind in "iuf" and name.lower() not in (*_NAMED, *_COUNTED)
    ]
    same_name = [name for name in numeric if name.lower() == asked.title.lower()]
    chosen = [wanted] if wanted else same_name or numeric
    if len(chosen) != 1 or chosen[0] not in columns:
        raise ValueError(
            f"{asked.title}: {path} has the columns {', '.join(columns)}; name the one to use, "
            f"such as {Path(path).name}:{(numeric or list(columns))[0]}."
        )
    return np.asarray(columns[chosen[0]], np.float64)


def _stem(name: str) -> str:
    return Path(os.path.basename(name)).stem.casefold()
