"""Points, vectors and shapes as tables, in the columns that napari's own CSV files have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table, VectorsResult
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array


def table_of(result: PointsResult | VectorsResult | ShapesResult) -> Table:
    """Coordinates in pixels, a row per point, vector or vertex, and the features beside them.

    Points have the columns index, axis-0, axis-1 ...; vectors further displacement-0,
    displacement-1 ...; shapes have index, shape-type, vertex-index, axis-0 ...
    """
    if isinstance(result, ShapesResult):
        return _shapes_table(result)
    data = np.asarray(result.data)
    columns: dict[str, Array] = {"index": np.arange(len(data))}
    if isinstance(result, VectorsResult):
        columns |= _numbered("axis", data[:, 0]) | _numbered("displacement", data[:, 1])
    else:
        columns |= _numbered("axis", data)
    if result.features is not None:
        columns |= {
            name: values for name, values in result.features.columns.items() if name not in columns
        }
    return Table(result.name, "object", columns)


def points_of(columns: Mapping[str, Array], name: str) -> PointsResult:
    """Points from the columns of such a table; what else there is becomes features."""
    data, others = _coordinates(columns, name)
    others.pop("index", None)
    features = Table(name, "object", others) if others else None
    return PointsResult(name, data, default_placing(data.shape[1]), features)


def shapes_of(columns: Mapping[str, Array], name: str) -> ShapesResult:
    """Shapes from the columns of such a table."""
    data, others = _coordinates(columns, name)
    if "index" not in others:
        raise ValueError(f"{name} has no column index, which says what shape a vertex belongs to.")
    index = np.asarray(others["index"])
    shapes = [data[index == number] for number in dict.fromkeys(index.tolist())]
    kinds = others.get("shape-type")
    kind = str(kinds[0]) if kinds is not None and len(kinds) else "path"
    return ShapesResult(name, shapes, default_placing(data.shape[1]), kind)


def default_placing(ndim: int) -> Grid:
    """Axes in pixels, for coordinates that say no more."""
    return Grid(tuple(Axis(name) for name in default_axis_names(ndim, rgb=False)))


def _shapes_table(result: ShapesResult) -> Table:
    counts = [len(shape) for shape in result.data]
    data = np.concatenate([np.asarray(shape) for shape in result.data]) if counts else None
    vertices = [np.arange(count) for count in counts]
    columns: dict[str, Array] = {
        "index": np.repeat(np.arange(len(counts)), counts),
        "shape-type": np.full(sum(counts), result.shape_type),
        "vertex-index": np.concatenate(vertices) if counts else np.arange(0),
    }
    if data is not None:
        columns |= _numbered("axis", data)
    return Table(result.name, "object", columns)


def _numbered(name: str, data: Array) -> dict[str, Array]:
    return {f"{name}-{axis}": data[:, axis] for axis in range(data.shape[1])}


def _coordinates(columns: Mapping[str, Array], name: str) -> tuple[Array, dict[str, Any]]:
    others = dict(columns)
    found: list[Array] = []
    while f"axis-{len(found)}" in others:
        found.append(np.asarray(others.pop(f"axis-{len(found)}"), np.float64))
    if not found:
        raise ValueError(
            f"{name} has the columns {', '.join(columns) or 'none'}; coordinates are needed in "
            "axis-0, axis-1 and so on, as napari writes them."
        )
    return np.stack(found, axis=1), others
