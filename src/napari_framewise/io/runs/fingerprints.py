"""What tells whether inputs and results are the same as those of an earlier run."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.outcome import ImageResult, Outcome, ShapesResult, Table
from napari_framewise.framework.recipe import InputRef, ItemRecord, Recipe

_PIECE = 2**24


def input_hashes(recipe: Recipe) -> Generator[Progress, None, dict[str, str]]:
    """SHA-256 of every file and folder that a recipe's inputs name, by "step, role, number"."""
    found: dict[str, str] = {}
    known: dict[str, str] = {}
    for key, ref in _places(recipe):
        if ref.path is not None:
            if ref.path not in known:
                known[ref.path] = yield from _hash_of(Path(ref.path))
            found[key] = known[ref.path]
    return found


def recorded_results(
    outcomes: tuple[Outcome, ...],
) -> Generator[Progress, None, tuple[tuple[ItemRecord, ...], ...]]:
    """What came out of every step; lazy results are computed for it."""
    steps = []
    for outcome in outcomes:
        records = []
        for name, values in _items(outcome):
            records.append((yield from _record_of(name, values)))
        steps.append(tuple(records))
    return tuple(steps)


def _places(recipe: Recipe) -> Iterator[tuple[str, InputRef]]:
    for number, step in enumerate(recipe.steps, 1):
        for role, refs in step.inputs.items():
            for place, ref in enumerate(refs, 1):
                yield f"{number}, {role}, {place}", ref


def _hash_of(path: Path) -> Generator[Progress, None, str]:
    """Of a file its content; of a folder that of all files in it, with their names in order."""
    digest = hashlib.sha256()
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            digest.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as content:
            while piece := content.read(_PIECE):
                digest.update(piece)
                yield Progress(f"Reading {path.name}", 0, 1)
    return digest.hexdigest()


def _items(outcome: Outcome) -> Iterator[tuple[str, Any]]:
    """All arrays of an outcome, each with a name of its own."""
    for table in outcome.tables:
        yield from _columns(f"table {table.name}", table)
    for layer in outcome.layers:
        name = f"layer {layer.name}"
        if isinstance(layer, ImageResult):
            yield name, layer.data
            continue
        if isinstance(layer, ShapesResult):
            for number, corners in enumerate(layer.data):
                yield f"{name}: shape {number}", np.asarray(corners)
        else:
            yield name, np.asarray(layer.data)
        if layer.features is not None:
            yield from _columns(name, layer.features)
    for model in outcome.models:
        for field, values in model.arrays().items():
            yield f"model {model.kind}: {field}", values


def _columns(name: str, table: Table) -> Iterator[tuple[str, Any]]:
    for column, values in table.columns.items():
        yield f"{name}: {column}", values


def _record_of(name: str, values: Any) -> Generator[Progress, None, ItemRecord]:
    dtype = np.dtype(values.dtype)
    shape = tuple(int(length) for length in values.shape)
    digest = hashlib.sha256()
    if dtype.kind not in "biufc":
        digest.update("\n".join(map(str, np.asarray(values).ravel())).encode())
        return ItemRecord(name=name, shape=shape, dtype="text", sha256=digest.hexdigest())
    little = dtype.newbyteorder("<")
    count, mean, squares, least, greatest = 0, 0.0, 0.0, math.inf, -math.inf
    for done, block in _blocks(values, shape, dtype.itemsize):
        part = np.ascontiguousarray(block, little)
        digest.update(part.tobytes())
        numbers = part.astype(np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size:
            # Chan's update of mean and sum of squares.
            own = float(numbers.mean())
            total = count + numbers.size
            change = own - mean
            squares += float(((numbers - own) ** 2).sum())
            squares += change**2 * count * numbers.size / total
            mean += change * numbers.size / total
            least, greatest = min(least, float(numbers.min())), max(greatest, float(numbers.max()))
            count = total
        yield Progress(f"Recording {name}", done, max(1, shape[0] if shape else 1), "rows")
    known = {"least": least, "greatest": greatest, "mean": mean}
    return ItemRecord(
        name=name,
        shape=shape,
        dtype=little.str.replace("|", "<"),
        sha256=digest.hexdigest(),
        known=count,
        **(known | {"deviation": math.sqrt(squares / count)} if count else {}),
    )


def _blocks(values: Any, shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[int, Any]]:
    """An array in blocks along its first axis, with how much of it is done then."""
    if not shape:
        yield 1, np.asarray(values)
        return
    rows = max(1, _PIECE // max(1, itemsize * math.prod(shape[1:])))
    for start in range(0, shape[0], rows):
        stop = min(start + rows, shape[0])
        yield stop, np.asarray(values[start:stop])
