"""Writing what runs give: a file or a folder that bears its name is whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.results import note_provenance
from napari_framewise.framework.inputs import Value
from napari_framewise.framework.outcome import (
    ImageResult,
    LayerResult,
    Outcome,
    PointsResult,
    ShapesResult,
    Table,
    VectorsResult,
)
from napari_framewise.framework.recipe import Recipe
from napari_framewise.framework.values import stack_of_result
from napari_framewise.io.formats.coordinates import table_of
from napari_framewise.io.formats.models import write_model
from napari_framewise.io.formats.tables import write_table
from napari_framewise.io.formats.writing import write_image
from napari_framewise.io.recipes.files import save_recipe
from napari_framewise.io.runs.journal import part_name, settle
from napari_framewise.io.runs.outputs import Output
from napari_framewise.stacks.faults import os_faults_told
from napari_framewise.stacks.memory import size_text
from napari_framewise.stacks.source import Array

_COORDINATES: dict[type, str] = {
    PointsResult: "points",
    VectorsResult: "vectors",
    ShapesResult: "shapes",
}


def write_outcome(
    outcome: Outcome,
    output: Output,
    name: str,
    engine: Engine,
    provenance: Mapping[str, Any] | None = None,
) -> Generator[Progress, None, tuple[tuple[Path, ...], tuple[str, ...]]]:
    """Write the results of one run.

    Each is written under another name first and renamed when it is whole; where one fails, none
    stays. What an interrupted run with a journal has finished stays, for the same run to go on
    from.

    Parameters
    ----------
    outcome : Outcome
        What to write.
    output : Output
        Where.
    name : str
        Of the input: what files begin with.
    engine : Engine
        Computes what is lazy.
    provenance : mapping, optional
        Kept in image files.

    Returns
    -------
    tuple of Path, tuple of str
        What was written, and the names of the layers that were not.

    Raises
    ------
    ValueError
        Where something is there already, or the disk is too full.
    """
    written: list[Path] = []
    left: list[str] = []
    try:
        yield from _write_each(outcome, output, name, engine, provenance, written, left)
    except BaseException as error:
        if isinstance(error, Exception) or output.journal is None:
            for path in written:
                remove(path)
        raise
    if output.single and not written:
        raise ValueError(f"{output.place} asks for {_a(output.single)}, but the tool gives none.")
    return tuple(written), tuple(left)


def _write_each(
    outcome: Outcome,
    output: Output,
    name: str,
    engine: Engine,
    provenance: Mapping[str, Any] | None,
    written: list[Path],
    left: list[str],
) -> Generator[Progress, None, None]:
    tables, models = outcome.tables, outcome.models
    if output.single:
        tables = tables[:1] if output.single == "table" else ()
        models = models[:1] if output.single == "model" else ()
    for table in tables:
        written.append(write_table_to(table, output, name))  # noqa: PERF401 - known at each failure
    for model in models:
        path = output.path(name, model.kind, ".npz")
        _at_once(path, partial(write_model, model), output)
        written.append(path)
    for layer in _wanted_layers(outcome, output, left):
        if isinstance(layer, ImageResult):
            path = yield from _write_image(layer, output, name, engine, provenance)
        else:
            path = output.path(name, layer.name, f".{_COORDINATES[type(layer)]}.csv")
            _at_once(path, partial(write_table, table_of(layer)), output)
        written.append(path)


def write_table_to(table: Table, output: Output, name: str) -> Path:
    """Write one table; give back where."""
    path = output.path(name, table.name, ".csv")
    _at_once(path, partial(write_table, table), output)
    return path


def write_recipe_to(
    recipe: Recipe, output: Output, name: str, memory: Mapping[str, Value] | None = None
) -> Path:
    """Write the recipe of what was run beside its results; give back where."""
    path = output.recipe_path(name)
    if output.journal is not None:
        output.journal.note(path)
    with os_faults_told(path, "written"):
        save_recipe(recipe, path, memory)
    return path


def write_values_to(values: Mapping[str, Array], output: Output, name: str) -> Path:
    """Write the values of recorded results; give back where."""
    path = output.results_path(name)
    _at_once(path, partial(_save_values, values), output)
    return path


def _save_values(values: Mapping[str, Array], path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **values)


def images_of(
    outcome: Outcome, output: Output, name: str, written: Sequence[Path]
) -> dict[str, Path]:
    """The zarr that was written of each image layer of an outcome, by the layer's name."""
    names = [layer.name for layer in outcome.layers if isinstance(layer, ImageResult)]
    paths = {each: output.named(name, each, ".zarr") for each in names}
    return {each: path for each, path in paths.items() if path in written}


def _wanted_layers(outcome: Outcome, output: Output, left: list[str]) -> list[LayerResult]:
    if output.single:
        images = [layer for layer in outcome.layers if isinstance(layer, ImageResult)]
        images.sort(key=lambda layer: not layer.visible)
        return list(images[:1]) if output.single == "image" else []
    wanted = []
    for layer in outcome.layers:
        hidden = isinstance(layer, ImageResult) and not layer.visible
        if output.layers == "all" or (output.layers == "shown" and not hidden):
            wanted.append(layer)
        else:
            left.append(layer.name)
    return wanted


def _write_image(
    layer: ImageResult,
    output: Output,
    name: str,
    engine: Engine,
    provenance: Mapping[str, Any] | None,
) -> Generator[Progress, None, Path]:
    path = output.path(name, layer.name, f".{output.image_format}")
    if layer.folder is not None and path.suffix == ".zarr":
        _take_over(layer.folder, path, output, provenance)
        return path
    stack = stack_of_result(layer)
    free = shutil.disk_usage(output.folder).free
    if stack.nbytes > free:
        raise ValueError(
            f"{path} would take {size_text(stack.nbytes)}, but only {size_text(free)} are free; "
            "choose another folder, or fewer frames."
        )
    part = path.with_name(part_name(path.name))
    journal = output.journal
    if journal is None or not journal.resumed:
        remove(part)
    mark = ""
    if journal is not None:
        journal.note(path)
        mark = f"{journal.fingerprint} {path.name}"
    try:
        with os_faults_told(path, "written"):
            write = partial(
                write_image, stack, part, engine=engine, provenance=provenance, fingerprint=mark
            )
            try:
                yield from write()
            except FileExistsError:
                # An earlier part of the run ended while it made the folder, or when it was whole.
                remove(part)
                yield from write()
            if journal is not None:
                settle(part)
            _replace(part, path)
    except BaseException as error:
        if isinstance(error, Exception) or journal is None:
            remove(part)
        raise
    return path


def _take_over(
    made: Path, path: Path, output: Output, provenance: Mapping[str, Any] | None
) -> None:
    """What the run itself wrote, whole, under its name among the results."""
    if output.journal is not None:
        output.journal.note(path)
    with os_faults_told(path, "written"):
        note_provenance(made, provenance)
        settle(made)
        _replace(made, path)


def _at_once(path: Path, write: Callable[[Path], Any], output: Output) -> None:
    """Write under another name, then rename: a file that bears its name is whole."""
    part = path.with_name(part_name(path.name))
    if output.journal is not None:
        output.journal.note(path)
    try:
        with os_faults_told(path, "written"):
            write(part)
            settle(part)
            _replace(part, path)
    finally:
        remove(part)


def _replace(part: Path, path: Path) -> None:
    # Only a zarr is a folder of ours; a folder of another name is never removed.
    if path.suffix == ".zarr":
        remove(path)
    part.replace(path)


def remove(path: Path) -> None:
    """Take away a file or a folder, where there is one."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
