"""Tables of several runs as one, with a column for the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from napari_framewise.framework.outcome import Outcome, Table


def joined(runs: Iterable[tuple[str, Sequence[Outcome]]]) -> tuple[Table, ...]:
    """Tables of the same name as one each, with a column for the file in front.

    `runs` gives the file of each run and what came out of it.
    """
    found: dict[str, list[tuple[str, Table]]] = {}
    for source, outcomes in runs:
        for outcome in outcomes:
            for table in outcome.tables:
                found.setdefault(table.name, []).append((source, table))
    return tuple(_stacked(name, parts) for name, parts in found.items())


def _stacked(name: str, parts: Sequence[tuple[str, Table]]) -> Table:
    names = dict.fromkeys(column for _, table in parts for column in table.columns)
    columns = {"file": np.repeat([file for file, _ in parts], [len(table) for _, table in parts])}
    for column in names:
        columns[column] = np.concatenate([_column(table, column) for _, table in parts])
    notes = {"file": "input that the row is of", **parts[0][1].notes}
    return Table(name, parts[0][1].entity, columns, notes)


def _column(table: Table, column: str) -> Any:
    """A column, or NaN in a table that does not have it."""
    return table.columns.get(column, np.full(len(table), np.nan))
