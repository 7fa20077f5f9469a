"""The matrix of all pairs: in memory, or on disk where memory does not hold it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.images import run_pairs
from napari_framewise.engine.pairs import PairSinks, open_pairs
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.sinks import MemorySinks, Sink
from napari_framewise.stacks.memory import memory_bytes
from napari_framewise.tools.similarity.comparing import Comparison, Ready
from napari_framewise.tools.similarity.passes import Images, cost_of, prepared, side_of

# What the matrices are called on disk.
_NAMES = {
    "score": "similarity",
    "row": "shift along rows",
    "column": "shift along columns",
    "weight": "z",
}
_SHIFTS = ("row", "column")
_OF_MEMORY = 0.5
# Images along a tile on disk at least: each tile is one file of each matrix.
_LEAST_TILE = 96


@dataclass(frozen=True, eq=False)
class Matrices:
    """What each pair of images gave, (n, n) each: arrays, or views of what is on disk.

    Attributes
    ----------
    score : array_like of float64
    row, column, weight : array_like of float32, optional
        Shift from the first to the second, and weighed score, where a best shift is looked for.
    folders : dict
        Where each of them is on disk, by these names; empty of those in memory.
    """

    score: Any
    row: Any = None
    column: Any = None
    weight: Any = None
    folders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many images."""
        return int(self.score.shape[0])


def bytes_on_disk(n: int, how: Comparison) -> int:
    """Bytes of the matrices of n images on disk; 0 where memory holds them."""
    taken = sum(np.dtype(kind).itemsize for kind in _kinds(how).values()) * n**2
    return taken if taken > _OF_MEMORY * memory_bytes() else 0


def whole_matrix(
    given: Images, how: Comparison, engine: Engine
) -> Generator[Progress, None, Matrices]:
    """Score of every pair; where a best shift is looked for also this, and the weighed score."""
    n, kinds = given.n, _kinds(how)
    if not bytes_on_disk(n, how):
        arrays: dict[str, Any] = {key: np.full((n, n), np.nan, kind) for key, kind in kinds.items()}
        yield from _fill(given, how, engine, MemorySinks(tuple(arrays.values())), side_of(how))
        for shift in (arrays[key] for key in _SHIFTS if key in arrays):
            for i in range(n):
                # Tiles below the diagonal mirror those above it, but shifts go the other way.
                shift[i + 1 :, i] = -shift[i, i + 1 :]
        return Matrices(**arrays)
    assert engine.folder is not None
    folders = {key: engine.folder.of(_NAMES[key]) for key in kinds}
    tile = max(_LEAST_TILE, side_of(how))
    sinks = PairSinks(
        [
            open_pairs(
                folders[key],
                n,
                kind,
                name=_NAMES[key],
                fingerprint=engine.folder.fingerprint,
                opposite=key in _SHIFTS,
                tile=tile,
            )
            for key, kind in kinds.items()
        ]
    )
    yield from _fill(given, how, engine, sinks, tile)
    sinks.complete()
    views = {key: sink.view() for key, sink in zip(kinds, sinks.sinks, strict=True)}
    return Matrices(**views, folders=folders)


def _fill(
    given: Images, how: Comparison, engine: Engine, into: Sink, side: int
) -> Generator[Progress, None, None]:
    yield from run_pairs(
        whole_tile,
        given.images,
        (how,),
        engine=engine,
        into=into,
        cost=cost_of(how),
        prepare=prepared,
        beside=given.beside,
        side=side,
    )


def whole_tile(first: Ready, second: Ready, how: Comparison, *, out: Any) -> None:
    """Scores, shifts and weighed scores of a tile of the matrix, as many as `out` has places."""
    n, m = len(first.numbers), len(second.numbers)
    every = np.ones((n, m), bool)
    pairs = np.argwhere(np.triu(every) if first is second else every)
    found = how.compared(first.given, second.given, pairs)
    values = (found.score, *found.shifts.T, found.weight)
    rows, columns = pairs.T
    for place, value, sign in zip(out, values, (1, -1, -1, 1), strict=False):
        if first is second:
            place[columns, rows] = sign * value
        place[rows, columns] = value


def _kinds(how: Comparison) -> dict[str, type[np.floating[Any]]]:
    """The matrices that there are, and their types."""
    every = {key: np.float64 if key == "score" else np.float32 for key in _NAMES}
    return every if how.weighs else {"score": np.float64}
