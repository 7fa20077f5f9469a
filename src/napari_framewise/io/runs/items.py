"""Everything that came out of a step, array by array, each with a name of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from napari_framewise.framework.outcome import (
    ImageResult,
    LayerResult,
    Outcome,
    ShapesResult,
    Table,
)

PIECE = 2**24


class Item(NamedTuple):
    """One array among the results of a step, with the layer that it is the whole data of."""

    name: str
    values: Any
    layer: LayerResult | None = None


def items_of(outcome: Outcome) -> Iterator[Item]:
    """All arrays of an outcome."""
    for table in outcome.tables:
        yield from _columns(f"table {table.name}", table)
    for layer in outcome.layers:
        name = f"layer {layer.name}"
        if isinstance(layer, ImageResult):
            yield Item(name, layer.data, layer)
            continue
        if isinstance(layer, ShapesResult):
            for number, corners in enumerate(layer.data):
                yield Item(f"{name}: shape {number}", np.asarray(corners))
        else:
            yield Item(name, np.asarray(layer.data), layer)
        if layer.features is not None:
            yield from _columns(name, layer.features)
    for model in outcome.models:
        for field, values in model.arrays().items():
            yield Item(f"model {model.kind}: {field}", values)


def blocks_of(values: Any, shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[int, int, Any]]:
    """An array in blocks along its first axis, with the first row of each and the one behind it."""
    if not shape:
        yield 0, 1, np.asarray(values)
        return
    rows = max(1, PIECE // max(1, itemsize * math.prod(shape[1:])))
    for start in range(0, shape[0], rows):
        stop = min(start + rows, shape[0])
        yield start, stop, np.asarray(values[start:stop])


def _columns(name: str, table: Table) -> Iterator[Item]:
    for column, values in table.columns.items():
        yield Item(f"{name}: {column}", values)
