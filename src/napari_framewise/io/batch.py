"""A recipe run again on many files: one table, and a bad file stops nothing."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from ..stacks.engine import Engine
from ..stacks.progress import Progress
from ..tools.outcome import Outcome, Table
from ..tools.recipe import Recipe


@dataclass(frozen=True, eq=False)
class FileRun:
    """What became of one input of a batch."""

    name: str
    source: str
    outcomes: tuple[Outcome, ...] = ()
    written: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, eq=False)
class Batch:
    """What became of all of them: the runs, and their tables as one with a column for the file."""

    runs: tuple[FileRun, ...]
    tables: tuple[Table, ...]
    summary: str


def run_batch(
    recipe: Recipe,
    inputs: Sequence[str | os.PathLike[str]] = (),
    output: str | os.PathLike[str] | None = None,
    engine: Engine | None = None,
) -> Generator[Progress, None, Batch]:
    """Run a recipe on each input in turn, in place of the first step's first role."""
    raise NotImplementedError
