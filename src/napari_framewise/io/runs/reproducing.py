"""A recipe with its results run again, and compared with them item by item."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Notice, Progress, finish
from napari_framewise.framework.outcome import Table
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.progress_line import ProgressLine
from napari_framewise.framework.recipe import ItemRecord, Recipe, versions
from napari_framewise.io.recipes.files import load_recipe
from napari_framewise.io.runs.differences import Difference
from napari_framewise.io.runs.fingerprints import Differences, input_hashes, recorded_results
from napari_framewise.io.runs.steps import run_steps
from napari_framewise.tools.calls import engine_for

IDENTICAL, CLOSE, FIGURES = "identical", "equal to rounding", "figures agree"
DIFFERS, MISSING, NEW = "differs", "missing", "new"
_CLOSE = 1e-9


@dataclass(frozen=True)
class Comparison:
    """One result then and now.

    Attributes
    ----------
    step : int
        Number of the step, from 1.
    name : str
        Of the result.
    verdict : str
        "identical" to the bit; "equal to rounding", where every value is within 1e-9 of the largest
        one's size; "figures agree", where the values were not kept, but shape, number of finite
        values, extremes, mean and deviation agree as closely; "differs"; "missing" now; or "new".
    difference : float
        Largest difference of a value, or of those figures, over the size of the largest value;
        infinite where a value became NaN or was it; NaN where nothing can be compared.
    largest : float
        Largest difference of a value, in its unit; NaN where the values were not kept.
    """

    step: int
    name: str
    verdict: str
    difference: float = float("nan")
    largest: float = float("nan")


@dataclass(frozen=True, eq=False)
class Reproduction:
    """How a recipe's results came out again.

    Attributes
    ----------
    items : tuple of Comparison
        One for each result.
    changed_inputs : tuple of str
        Inputs whose files are no longer what they were, as "step, role, number".
    changed_versions : tuple of str
        Packages of another version: "numpy 2.3.1 then, 2.4.0 now".
    """

    items: tuple[Comparison, ...]
    changed_inputs: tuple[str, ...] = ()
    changed_versions: tuple[str, ...] = ()

    @property
    def reproduced(self) -> bool:
        """Whether every result came out again, to rounding at least."""
        return all(item.verdict in (IDENTICAL, CLOSE) for item in self.items)

    @property
    def summary(self) -> str:
        """How many of the results are what, and what has changed since."""
        counts = {
            verdict: sum(item.verdict == verdict for item in self.items)
            for verdict in (IDENTICAL, CLOSE, FIGURES, DIFFERS, MISSING, NEW)
        }
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        lines = [f"{len(self.items)} results: {told or 'none'}."]
        apart = [item for item in self.items if item.difference > 0]
        if apart:
            most = max(apart, key=lambda item: item.difference)
            by = "" if np.isnan(most.largest) else f", {most.largest:.3g} in its unit"
            lines.append(
                f"The largest difference is {most.difference:.2g} of the largest value{by}: "
                f"{most.name}, step {most.step}."
            )
        lines += [f"The input has changed since: {name}." for name in self.changed_inputs]
        lines += [f"Another version: {text}." for text in self.changed_versions]
        return "\n".join(lines)

    def table(self) -> Table:
        """The comparison as a table, a row for each result."""
        return Table(
            "comparison",
            "object",
            {
                "step": np.array([item.step for item in self.items], dtype=int),
                "result": np.array([item.name for item in self.items], dtype=str),
                "verdict": np.array([item.verdict for item in self.items], dtype=str),
                "difference": np.array([item.difference for item in self.items], dtype=float),
                "largest": np.array([item.largest for item in self.items], dtype=float),
            },
            {
                "difference": "Largest difference of a value over the size of the largest; where "
                "values were not kept, of extremes, mean and deviation.",
                "largest": "Largest difference of a value, in its unit.",
            },
        )


def with_results(
    recipe: Recipe, engine: Engine, beside: str | os.PathLike[str] | None
) -> Generator[Progress | Partial | Notice, None, tuple[Recipe, Reproduction]]:
    """Run a recipe, and record its inputs and results in it; also how they compare with earlier.

    What memory does not hold is written to a folder of its own in the folder of `beside`, the
    recipe's file, until it was compared; without one it lies among the system's temporary files.
    """
    hashes = yield from input_hashes(recipe)
    there = None if beside is None else Path(beside).absolute().parent
    if there is not None and not os.access(there, os.W_OK):
        there = None
    with tempfile.TemporaryDirectory(prefix=".framewise-", dir=there) as room:
        here = engine.writing_to(Path(room), "")
        outcomes, as_run = yield from run_steps(recipe, here)
        found, differences = yield from recorded_results(outcomes, recipe.results)
    now = as_run.model_copy(update={"versions": versions(), "hashes": hashes, "results": found})
    return now, compared(recipe, now, differences)


def compared(then: Recipe, now: Recipe, differences: Differences | None = None) -> Reproduction:
    """What two records of the same recipe, and the differences of their values, say of each other.

    Without differences only the figures of records are compared.
    """
    changed = [key for key, value in then.hashes.items() if now.hashes.get(key, value) != value]
    newer = [
        f"{name} {version} then, {now.versions[name]} now"
        for name, version in then.versions.items()
        if now.versions.get(name, version) != version
    ]
    steps = range(max(len(then.results), len(now.results)))
    items = [item for number in steps for item in _of_step(number, then, now, differences or {})]
    return Reproduction(tuple(items), tuple(changed), tuple(newer))


def reproduce(
    recipe: str | os.PathLike[str],
    *,
    engine: Engine | None = None,
    cluster: str | None = None,
    progress: bool = False,
) -> Reproduction:
    """Run a recipe that holds its results again, and compare item by item.

    Parameters
    ----------
    recipe : path
        A recipe that was written with results.
    engine, cluster, progress
        As `run_recipe` takes them.

    Raises
    ------
    ValueError
        Where the recipe holds no results, or can't be run.
    """
    loaded = load_recipe(recipe)
    check_results(loaded)
    with ProgressLine(shown=progress) as line, engine_for(engine, cluster) as where:
        _, found = finish(with_results(loaded, where, recipe), line.show)
    return found


def check_results(recipe: Recipe) -> None:
    """Refuse a recipe without results.

    Raises
    ------
    ValueError
        Where nothing was recorded.
    """
    if not recipe.results:
        raise ValueError(
            "The recipe holds no results to compare with; make one that does with --with-results, "
            "or with Record results in the panel."
        )


def _of_step(
    number: int, then: Recipe, now: Recipe, differences: Differences
) -> Iterator[Comparison]:
    before, after = (
        {item.name: item for item in recipe.results[number]} if number < len(recipe.results) else {}
        for recipe in (then, now)
    )
    for name, item in before.items():
        if name not in after:
            yield Comparison(number + 1, name, MISSING)
        else:
            yield _compare(number + 1, item, after[name], differences.get((number, name)))
    for name in after.keys() - before.keys():
        yield Comparison(number + 1, name, NEW)


def _compare(step: int, then: ItemRecord, now: ItemRecord, values: Difference | None) -> Comparison:
    same = (then.shape, then.dtype) == (now.shape, now.dtype)
    if same and then.sha256 == now.sha256:
        return Comparison(step, then.name, IDENTICAL, 0.0, 0.0)
    if values is not None:
        verdict = CLOSE if same and values.relative <= _CLOSE else DIFFERS
        return Comparison(step, then.name, verdict, values.relative, values.largest)
    figures = [(item.least, item.greatest, item.mean, item.deviation) for item in (then, now)]
    if then.shape != now.shape or then.known != now.known or None in (*figures[0], *figures[1]):
        return Comparison(step, then.name, DIFFERS)
    before, after = (np.array(each, dtype=float) for each in figures)
    size = float(np.abs(before[:2]).max()) or 1.0
    difference = float(np.abs(after - before).max()) / size
    verdict = FIGURES if same and difference <= _CLOSE else DIFFERS
    return Comparison(step, then.name, verdict, difference)
