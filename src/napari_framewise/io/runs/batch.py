"""A recipe run again on many files: one table, and a bad file stops nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_framewise.engine import Engine
from napari_framewise.engine.job import BlockError
from napari_framewise.engine.progress import Notice, Progress, finish
from napari_framewise.framework.inputs import Value
from napari_framewise.framework.outcome import Outcome, Table
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.progress_line import ProgressLine
from napari_framewise.framework.recipe import InputRef, Recipe, versions
from napari_framewise.io.recipes.files import check_recipe, load_recipe
from napari_framewise.io.recipes.naming import output_names, parse_input, text_of
from napari_framewise.io.runs.fingerprints import input_hashes, recorded_results
from napari_framewise.io.runs.joining import joined
from napari_framewise.io.runs.kept_values import with_kept
from napari_framewise.io.runs.outputs import Output
from napari_framewise.io.runs.resuming import Earlier, earlier, entry_of, fingerprint_of
from napari_framewise.io.runs.room import room_for
from napari_framewise.io.runs.steps import run_steps
from napari_framewise.io.runs.taking_turns import batch_refs, input_sets, on_inputs
from napari_framewise.io.runs.writing import (
    images_of,
    write_outcome,
    write_recipe_to,
    write_table_to,
    write_values_to,
)
from napari_framewise.tools.calls import engine_for

EXPECTED = (ValueError, OSError, MemoryError, BlockError)
"""What is wrong with an input, not with the program."""


@dataclass(frozen=True, eq=False)
class FileRun:
    """What became of one input of a batch.

    Attributes
    ----------
    name : str
        What its outputs are called.
    source : str
        The input as it was given.
    outcomes : tuple of Outcome
        One per step; empty where it failed.
    written : tuple of Path
        Files made of it.
    left : tuple of str
        Layers that were not written.
    failure : Exception, optional
        Why it failed.
    recipe : Recipe, optional
        What was run on it, with what was really used.
    """

    name: str
    source: str
    outcomes: tuple[Outcome, ...] = ()
    written: tuple[Path, ...] = ()
    left: tuple[str, ...] = ()
    failure: Exception | None = None
    recipe: Recipe | None = None

    @property
    def error(self) -> str:
        """Why it failed, in a sentence; empty where it did not."""
        if self.failure is None:
            return ""
        text = str(self.failure) or type(self.failure).__name__
        if self.unexpected is None:
            return text
        return f"{type(self.failure).__name__}: {text}"

    @property
    def unexpected(self) -> Exception | None:
        """The failure where it is a defect of the program rather than of the input."""
        return None if isinstance(self.failure, EXPECTED) else self.failure


@dataclass(frozen=True, eq=False)
class Batch:
    """What became of all inputs.

    Attributes
    ----------
    runs : tuple of FileRun
        In the order of the inputs.
    tables : tuple of Table
        The tables of all runs as one each, with a column ``file`` in front.
    written : tuple of Path
        Files made of all together: tables and the recipe.
    recipe : Recipe, optional
        What was run, with what was really used; of several inputs the first that went well.
    """

    runs: tuple[FileRun, ...]
    tables: tuple[Table, ...] = ()
    written: tuple[Path, ...] = ()
    recipe: Recipe | None = None

    @property
    def failed(self) -> tuple[FileRun, ...]:
        """The runs that failed."""
        return tuple(run for run in self.runs if run.failure is not None)

    def table(self, name: str) -> Table:
        """The table of that name over all files."""
        return Outcome(tables=self.tables).table(name)

    @property
    def summary(self) -> str:
        """How many went well, and what was wrong with each of the others."""
        count = len(self.runs)
        if not self.failed:
            return f"{count} of {count} inputs done."
        lines = [f"{count - len(self.failed)} of {count} inputs done; {len(self.failed)} failed:"]
        return "\n".join([*lines, *(f"  {run.source}: {run.error}" for run in self.failed)])


def run_recipe(
    recipe: Recipe | str | os.PathLike[str],
    inputs: Sequence[str | os.PathLike[str] | InputRef] = (),
    output: str | os.PathLike[str] | Output | None = None,
    *,
    engine: Engine | None = None,
    cluster: str | None = None,
    progress: bool = False,
) -> Batch:
    """Run a recipe again, on its own input or on others.

    Parameters
    ----------
    recipe : Recipe or path
        What to run.
    inputs : sequence of path
        Each takes the place of the first step's first input, in turn; texts may choose frames or
        arrays, such as ``stack.tif@0:100`` or ``data.h5::/frames``. None: the recipe's own.
    output : path, optional
        Folder, or one file ending in .csv, to write into; without it, outcomes stay in memory.
    engine : Engine, optional
        Where it runs; by default in threads of this process.
    cluster : str, optional
        Address of a dask scheduler to run on instead.
    progress : bool
        Show a line of progress on the standard error.

    Returns
    -------
    Batch
        Runs with outcomes and failures, and their tables as one.

    Raises
    ------
    ValueError
        Where the recipe can't run, or the output can't be written. What is wrong with an input is
        reported in its run instead.
    """
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    refs = [each if isinstance(each, InputRef) else parse_input(each) for each in inputs]
    place = Output(Path(output)) if isinstance(output, (str, os.PathLike)) else output

    with ProgressLine(shown=progress) as line, engine_for(engine, cluster) as where:
        return finish(run_batch(loaded, refs, place, where), _shown_by(line))


def run_batch(
    recipe: Recipe,
    inputs: Sequence[InputRef],
    output: Output | None,
    engine: Engine,
    memory: Mapping[str, Value] | None = None,
) -> Generator[Progress | Partial | Notice | FileRun, None, Batch]:
    """Run a recipe on each input in turn.

    An input takes the place of the first input of the first step, with its selection; further
    steps that begin with the same input follow it. Where that role takes several inputs, all are
    one run.

    Parameters
    ----------
    recipe : Recipe
        With absolute paths.
    inputs : sequence of InputRef
        None: the recipe's own.
    output : Output, optional
        Where results are written; they are kept in memory without it.
    engine : Engine
        Where it runs.
    memory : mapping, optional
        Inputs that exist only in memory, by the name that their references have for them.

    Yields
    ------
    Progress, Partial, Notice or FileRun
        Progress of the input at hand and what it has so far, what should be known before it goes
        on; its FileRun when it is done or has
        failed.

    Returns
    -------
    Batch
        All of it.
    """
    check_recipe(recipe)
    _check_places(recipe)
    sets = input_sets(recipe, inputs)
    names = output_names([refs[0] for refs in sets if refs]) or (recipe.steps[0].tool,)
    if output is None:
        return (yield from _run_sets(recipe, sets, names, None, engine, memory))
    if len(sets) > 1 and output.single not in (None, "table"):
        raise ValueError(
            f"{output.place} is one file, but there are {len(sets)} inputs; give a folder."
        )
    with output.prepared(fingerprint_of(recipe, sets, output)) as place:
        place.recipe_path(_title(recipe, names))
        return (yield from _run_sets(recipe, sets, names, place, engine, memory))


def _run_sets(
    recipe: Recipe,
    sets: Sequence[tuple[InputRef, ...]],
    names: Sequence[str],
    output: Output | None,
    engine: Engine,
    memory: Mapping[str, Value] | None,
) -> Generator[Progress | Partial | Notice | FileRun, None, Batch]:
    runs: list[FileRun] = []
    done: list[Recipe] = []
    for number, (refs, name) in enumerate(zip(sets, names, strict=True), 1):
        place = f"{number} of {len(sets)}, {name}: " if len(sets) > 1 else ""
        written_each = output if output is not None and not (output.single and place) else None
        try:
            here = on_inputs(recipe, refs, name)
            before = earlier(written_each.journal, name) if written_each is not None else None
            if before is not None:
                run, as_run = _from_earlier(before, name, here), before.as_run
            else:
                run, as_run = yield from _run_one(here, name, written_each, engine, place, memory)
            done.append(as_run)
        except Exception as error:  # noqa: BLE001 - the other inputs go on
            run = FileRun(name, text_of(refs[0]) if refs else name, failure=error)
        if output is not None:
            run = _tables_only(run)
        runs.append(run)
        yield run
    if not done:
        return Batch(tuple(runs))
    tables = joined((run.source, run.outcomes) for run in runs)
    as_run = done[0].model_copy(update={"versions": versions()})
    if output is None:
        return Batch(tuple(runs), tables, recipe=as_run)
    written = []
    if len(runs) > 1:
        wanted = tables[:1] if output.single else tables
        written = [write_table_to(table, output, "") for table in wanted]
    written.append(write_recipe_to(as_run, output, _title(recipe, names), memory))
    return Batch(tuple(runs), tables, tuple(written), as_run)


def _title(recipe: Recipe, names: Sequence[str]) -> str:
    """What the files for all inputs together are called: the one input's name, or the tool's."""
    return names[0] if len(names) == 1 else recipe.steps[-1].tool


def _tables_only(run: FileRun) -> FileRun:
    """A run without what was written of it: the layers of forty files need not fit into memory."""
    kept = tuple(replace(outcome, layers=(), models=()) for outcome in run.outcomes)
    return replace(run, outcomes=kept)


def _run_one(
    recipe: Recipe,
    name: str,
    output: Output | None,
    engine: Engine,
    place: str,
    memory: Mapping[str, Value] | None,
) -> Generator[Progress | Partial | Notice | FileRun, None, tuple[FileRun, Recipe]]:
    source = next(map(text_of, batch_refs(recipe.steps[0])), name)
    if output is not None:
        _refuse_own_inputs(recipe, output)
    if output is None:
        outcomes, as_run = yield from _labelled(run_steps(recipe, engine, memory), place)
        return FileRun(name, source, outcomes, recipe=as_run), as_run
    with room_for(output, name, engine) as roomy:
        outcomes, as_run = yield from _labelled(run_steps(recipe, roomy, memory), place)
        return (yield from _write_one(outcomes, as_run, name, source, output, engine, place))


def _write_one(
    outcomes: tuple[Outcome, ...],
    as_run: Recipe,
    name: str,
    source: str,
    output: Output,
    engine: Engine,
    place: str,
) -> Generator[Progress | Partial | Notice | FileRun, None, tuple[FileRun, Recipe]]:
    """Write what a run of all steps gave."""
    if output.results:
        hashes = yield from _labelled(input_hashes(as_run), place)
        found, _ = yield from _labelled(recorded_results(outcomes), place)
        as_run = as_run.model_copy(update={"hashes": hashes, "results": found})
    written: list[Path] = []
    left: list[str] = []
    tables: list[Sequence[Path]] = []
    images: list[Mapping[str, Path]] = []
    plain = as_run.model_dump(mode="json", exclude_none=True, exclude={"hashes", "results"})
    provenance = {"recipe": plain}
    for number, outcome in enumerate(outcomes, 1):
        title = name if len(outcomes) == 1 else f"{name}-step{number}"
        paths, others = yield from _labelled(
            write_outcome(outcome, output, title, engine, provenance), place
        )
        tables.append(paths[: 0 if output.single else len(outcome.tables)])
        images.append(images_of(outcome, output, title, paths))
        written += paths
        left += others
    if output.results:
        kept, values = with_kept(as_run.results, outcomes, output.results_path(name), images)
        written.append(write_values_to(values, output, name))
        as_run = as_run.model_copy(update={"results": kept})
    if output.journal is not None and not output.single:
        output.journal.finish(name, entry_of(outcomes, tables, written, left, as_run))
    return FileRun(name, source, outcomes, tuple(written), tuple(left), recipe=as_run), as_run


def _from_earlier(before: Earlier, name: str, recipe: Recipe) -> FileRun:
    """What an earlier part of the run made of an input."""
    source = text_of(batch_refs(recipe.steps[0])[0])
    return FileRun(name, source, before.outcomes, before.written, before.left, recipe=before.as_run)


def _check_places(recipe: Recipe) -> None:
    """Refuse files that are not there, once for all inputs of the batch; its own come in turn."""
    own = [text_of(ref) for ref in batch_refs(recipe.steps[0])]
    for step in recipe.steps:
        for ref in step.references:
            if ref.path is not None and text_of(ref) not in own and not os.path.exists(ref.path):
                raise ValueError(f"There is no file or folder {ref.path}.")


def _refuse_own_inputs(recipe: Recipe, output: Output) -> None:
    place = os.path.abspath(output.place)
    for step in recipe.steps:
        for ref in step.references:
            if ref.path == place:
                raise ValueError(f"{place} is an input; choose another place for the results.")


def _labelled(
    run: Generator[Progress | Partial | Notice, None, Any], place: str
) -> Generator[Progress | Partial | Notice, None, Any]:
    """The same run, its progress with a place in front."""
    try:
        while True:
            report = next(run)
            if isinstance(report, Progress):
                report = replace(report, label=f"{place}{report.label}")
            elif isinstance(report, Notice):
                report = Notice(f"{place}{report.text}")
            yield report
    except StopIteration as end:
        return end.value
    finally:
        run.close()


def _shown_by(line: ProgressLine) -> Callable[[Progress | Partial | Notice | FileRun], None]:
    def show(report: Progress | Partial | Notice | FileRun) -> None:
        if isinstance(report, FileRun):
            line.clear()
        else:
            line.show(report)

    return show
