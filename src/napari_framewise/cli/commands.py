"""What the commands do: list, run, and a tool on files."""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from napari_framewise.cli.arguments import option_of
from napari_framewise.cli.choosing import check_frames, chosen_of, inputs_of, valued_refs
from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Notice, Progress, finish
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.progress_line import ProgressLine
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.framework.wording import worded
from napari_framewise.io.formats.tables import write_table
from napari_framewise.io.recipes.files import load_recipe, save_recipe
from napari_framewise.io.runs.batch import Batch, FileRun, run_batch
from napari_framewise.io.runs.outputs import Output
from napari_framewise.io.runs.reproducing import check_results, with_results
from napari_framewise.stacks.faults import os_faults_told
from napari_framewise.tools.calls import engine_for
from napari_framewise.tools.registry import get_tool

# Without a handler it prints what it thinks of a broken file; the error says it better.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

FINE, SOME_FAILED, BAD_INPUT = 0, 1, 2


def run_recipe(given: Namespace) -> int:
    """Run a recipe on its own input or on others; the exit code."""
    return _run(load_recipe(given.recipe), inputs_of(given.inputs), given)


def reproduce_recipe(given: Namespace) -> int:
    """Run a recipe again and compare it with its results; the exit code."""
    recipe = load_recipe(given.recipe)
    check_results(recipe)
    shown = sys.stderr.isatty() and not given.quiet
    with engine_for(_local(given), given.cluster) as engine, ProgressLine(shown) as line:
        _, found = finish(with_results(recipe, engine, given.recipe), line.show)
    if given.output is not None:
        with os_faults_told(given.output, "written"):
            write_table(found.table(), given.output)
    if not given.quiet:
        for item in found.items:
            text = f"step {item.step}, {item.name}: {item.verdict}"
            far = f", by {item.difference:.3g}" if item.difference > 0 else ""
            sys.stdout.write(f"{text}{far}\n")
    sys.stdout.write(f"{found.summary}\n")
    return FINE if found.reproduced else SOME_FAILED


def run_tool(given: Namespace) -> int:
    """Run a tool on files, its options as a recipe of one step; the exit code."""
    tool = get_tool(given.command)
    options = vars(given)
    refs = chosen_of(inputs_of(options.get("inputs", ())), given) if tool.inputs else []
    inputs = {
        role.name: tuple(
            valued_refs(
                inputs_of(options[f"role.{role.name}"]), role, options.get(f"value.{role.name}")
            )
        )
        for role in tool.inputs[1:]
        if f"role.{role.name}" in options
    }
    for first in tool.inputs[:1]:
        refs = valued_refs(refs, first, options.get(f"value.{first.name}"))
        inputs[first.name] = tuple(refs) if first.most > 1 else tuple(refs[:1])
    parameters = tool.check_parameters(
        {
            name.removeprefix("parameter."): value
            for name, value in options.items()
            if name.startswith("parameter.")
        },
        called=option_of,
    )
    if len(refs) == 1:
        check_frames(refs[0], given.frames)
    for role in tool.inputs[1:]:
        for ref in inputs.get(role.name, ()):
            check_frames(ref)
    plain = parameters.model_dump(mode="json")
    recipe = Recipe(steps=(Step(tool=tool.name, inputs=inputs, parameters=plain),))
    # what stands without an option has no other name than its title
    first_ones = {role.name for role in tool.inputs[:1]}

    def in_options(sentence: str) -> str:
        for role in tool.inputs:
            if role.value is not None:
                asked = f"give one number with each {role.value.per}"
                option = option_of(f"{role.name}_{role.value.title.lower()}")
                sentence = sentence.replace(asked, f"{asked} ({option})")
        return worded(sentence, tool, lambda name: None if name in first_ones else option_of(name))

    return _run(recipe, refs, given, in_options)


def _run(
    recipe: Recipe,
    refs: Sequence[InputRef],
    given: Namespace,
    said: Callable[[str], str] = str,
) -> int:
    output = None
    if given.output == "":
        raise ValueError("--output was given without a name; give a folder or a file.")
    if given.output is not None:
        output = Output(
            Path(given.output), given.overwrite, given.layers, given.image_format,
            given.with_results,
        )  # fmt: skip
    elif given.with_results:
        raise ValueError("--with-results was given without --output; the recipe is written there.")
    shown = sys.stderr.isatty() and not given.quiet
    with engine_for(_local(given), given.cluster) as engine, ProgressLine(shown) as line:
        line.compile_seconds = sum(get_tool(step.tool).compile_seconds for step in recipe.steps)
        batch = finish(run_batch(recipe, refs, output, engine), _reporter(line, given, said))
    if given.save_recipe is not None and batch.recipe is not None:
        with os_faults_told(given.save_recipe, "written"):
            save_recipe(batch.recipe, given.save_recipe)
    return _concluded(batch, given)


def _local(given: Namespace) -> Engine | None:
    if given.workers is None:
        return None
    if given.workers < 1:
        raise ValueError(f"--workers was given {given.workers}; it takes 1 or more.")
    if given.cluster is not None:
        raise ValueError("--workers and --cluster were given; a cluster has its own workers.")
    return Engine.local(given.workers)


def _reporter(
    line: ProgressLine, given: Namespace, said: Callable[[str], str]
) -> Callable[[Progress | Partial | Notice | FileRun], None]:
    """What is said while it runs, errors in the words of options."""

    def report(news: Progress | Partial | Notice | FileRun) -> None:
        if isinstance(news, Notice):
            line.clear()
            sys.stderr.write(f"napari-framewise: {news.text}\n")
            return
        if not isinstance(news, FileRun):
            line.show(news)
            return
        line.clear()
        if news.failure is not None:
            if given.traceback:
                traceback.print_exception(news.failure)
            shown, error = _shown(news.source), said(str(news.error))
            # A sentence that names the file already says it once.
            place = Path(news.source)
            named = place.name in error or bool(re.match(rf"{re.escape(place.stem)}\b", error))
            sys.stderr.write(f"napari-framewise: {'' if named else f'{shown}: '}{error}\n")
        elif not given.quiet:
            sys.stdout.write(_account(news))
            sys.stdout.flush()

    return report


def _account(run: FileRun) -> str:
    """What came of one input."""
    lines = [_shown(run.source)]
    for outcome in run.outcomes:
        lines += [f"  {outcome.summary}"] if outcome.summary else []
        lines += [f"  note: {text}" for text in outcome.diagnostics]
    lines += [f"  wrote {path}" for path in run.written]
    if run.left:
        lines.append(f"  not written: {', '.join(run.left)} (--layers all writes them)")
    return "\n".join(lines) + "\n"


def _concluded(batch: Batch, given: Namespace) -> int:
    """Say what failed and what was written for all; the exit code."""
    if not given.quiet:
        sys.stdout.writelines(f"wrote {path}\n" for path in batch.written)
    if not batch.failed:
        return FINE
    if any(run.unexpected for run in batch.failed) and not given.traceback:
        sys.stderr.write("napari-framewise: that is a defect; --traceback shows what to report\n")
    if len(batch.runs) == 1:
        return BAD_INPUT
    names = ", ".join(_shown(run.source) for run in batch.failed)
    sys.stderr.write(
        f"napari-framewise: {len(batch.failed)} of {len(batch.runs)} inputs failed: {names}\n"
    )
    return SOME_FAILED


def _shown(source: str) -> str:
    """An input as one would type it here."""
    here = f"{Path.cwd()}{os.sep}"
    return source.removeprefix(here)
