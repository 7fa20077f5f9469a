"""Whether two runs are the same, and what an earlier part of a run has finished."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_framewise.framework.outcome import Outcome, Table
from napari_framewise.framework.recipe import InputRef, Recipe, versions
from napari_framewise.io.formats.tables import read_table
from napari_framewise.io.runs.journal import Journal
from napari_framewise.io.runs.outputs import Output

_MOST_LISTED = 100_000


def fingerprint_of(recipe: Recipe, sets: Sequence[tuple[InputRef, ...]], output: Output) -> str:
    """A name for a run that another has only where it would write the same.

    It stands for the tools with their parameters, the inputs with size and time of change, what is
    written of the results, and the versions that decide the numbers.
    """
    refs = [ref for refs in sets for ref in refs]
    refs += [ref for step in recipe.steps for inputs in step.inputs.values() for ref in inputs]
    said = {
        "steps": [step.model_dump(mode="json") for step in recipe.steps],
        "inputs": [[ref.model_dump(mode="json") for ref in refs] for refs in sets],
        "files": {path: _state(path) for path in {ref.path for ref in refs if ref.path}},
        "output": [
            os.path.abspath(output.place),
            output.layers,
            output.image_format,
            output.results,
        ],
        # What exists only in memory may be another the next time.
        "memory": uuid.uuid4().hex if any(ref.memory for ref in refs) else "",
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _state(path: str) -> list[Any]:
    """Size and time of change of a file, or of all that lies in a folder."""
    try:
        if not os.path.isdir(path):
            found = os.stat(path)
            return [found.st_size, found.st_mtime_ns]
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries)
        return [len(names), *(_of_entry(path, name) for name in names[:_MOST_LISTED])]
    except OSError:
        return []


def _of_entry(folder: str, name: str) -> list[Any]:
    try:
        found = os.stat(os.path.join(folder, name))
    except OSError:
        return [name]
    return [name, found.st_size, found.st_mtime_ns]


def entry_of(
    outcomes: Sequence[Outcome],
    tables: Sequence[Sequence[Path]],
    written: Sequence[Path],
    left: Sequence[str],
    as_run: Recipe,
) -> dict[str, Any]:
    """What the journal keeps of a finished input: all that another part of the run needs of it.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per step.
    tables : sequence of sequence of Path
        Files of the tables of each step.
    written : sequence of Path
        All files made of the input.
    left : sequence of str
        Layers that were not written.
    as_run : Recipe
        With what was really used.
    """
    steps = [
        {
            "summary": outcome.summary,
            "diagnostics": list(outcome.diagnostics),
            "tables": [
                {
                    "name": table.name,
                    "entity": table.entity,
                    "notes": dict(table.notes),
                    "file": path.name,
                }
                for table, path in zip(outcome.tables, paths, strict=True)
            ],
        }
        for outcome, paths in zip(outcomes, tables, strict=True)
    ]
    return {
        "written": [path.name for path in written],
        "left": list(left),
        "steps": steps,
        "recipe": as_run.model_dump(mode="json"),
    }


@dataclass(frozen=True)
class Earlier:
    """What an earlier part of a run made of an input.

    Attributes
    ----------
    outcomes : tuple of Outcome
        Summaries and tables of its steps.
    written : tuple of Path
        Files made of it.
    left : tuple of str
        Layers that were not written.
    as_run : Recipe
        With what was really used.
    """

    outcomes: tuple[Outcome, ...]
    written: tuple[Path, ...]
    left: tuple[str, ...]
    as_run: Recipe


def earlier(journal: Journal | None, name: str) -> Earlier | None:
    """What the journal says of an input; None where it is not finished, or a file of it is gone."""
    entry = journal.done.get(name) if journal is not None else None
    if journal is None or entry is None:
        return None
    try:
        written = tuple(journal.folder / each for each in entry["written"])
        if not all(path.exists() for path in written):
            return None
        outcomes = tuple(_outcome(journal.folder, step) for step in entry["steps"])
        return Earlier(
            outcomes, written, tuple(entry["left"]), Recipe.model_validate(entry["recipe"])
        )
    except (KeyError, TypeError, ValueError, OSError):
        # Notes that can't be read are none: the input is computed again.
        return None


def _outcome(folder: Path, step: Mapping[str, Any]) -> Outcome:
    tables = tuple(
        Table(each["name"], each["entity"], read_table(folder / each["file"]), each["notes"])
        for each in step["tables"]
    )
    return Outcome(tables=tables, summary=step["summary"], diagnostics=tuple(step["diagnostics"]))
