"""What tells whether inputs and results are the same as those of an earlier run."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.recipe import InputRef, ItemRecord, Recipe
from napari_framewise.io.runs.differences import Difference
from napari_framewise.io.runs.items import PIECE, Item, blocks_of, items_of
from napari_framewise.io.runs.kept_values import KeptValues, Records

Differences: TypeAlias = dict[tuple[int, str], Difference]


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
    earlier: tuple[tuple[ItemRecord, ...], ...] = (),
) -> Generator[Progress, None, tuple[Records, Differences]]:
    """What came out of every step; lazy results are computed for it.

    Parameters
    ----------
    outcomes : tuple of Outcome
        Of each step.
    earlier : tuple, optional
        Records that the values are compared with on the way, where theirs were kept.

    Returns
    -------
    tuple
        Records of each step, and by step (from 0) and name how far the values are from those kept.
    """
    steps: list[tuple[ItemRecord, ...]] = []
    differences: Differences = {}
    kept = KeptValues()
    for number, outcome in enumerate(outcomes):
        before = {each.name: each for each in (earlier[number] if number < len(earlier) else ())}
        records = []
        for item in items_of(outcome):
            then = before.get(item.name)
            values = None if then is None else kept.of(then, item)
            against = None if values is None else Difference()
            records.append((yield from _record_of(item, values, against)))
            if against is not None:
                differences[number, item.name] = against
        steps.append(tuple(records))
    return tuple(steps), differences


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
            while piece := content.read(PIECE):
                digest.update(piece)
                yield Progress(f"Reading {path.name}", 0, 1)
    return digest.hexdigest()


def _record_of(
    item: Item, then: Any, against: Difference | None
) -> Generator[Progress, None, ItemRecord]:
    name, values = item.name, item.values
    dtype = np.dtype(values.dtype)
    shape = tuple(int(length) for length in values.shape)
    digest = hashlib.sha256()
    if dtype.kind not in "biufc":
        digest.update("\n".join(map(str, np.asarray(values).ravel())).encode())
        return ItemRecord(name=name, shape=shape, dtype="text", sha256=digest.hexdigest())
    little = dtype.newbyteorder("<")
    count, mean, squares, least, greatest = 0, 0.0, 0.0, math.inf, -math.inf
    for start, done, block in blocks_of(values, shape, dtype.itemsize):
        part = np.ascontiguousarray(block, little)
        if against is not None:
            against.add(np.asarray(then[start:done] if shape else then), part)
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
