"""Points, vectors and shapes as tables, in the columns that napari's own CSV files have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table, VectorsResult
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.legend import colour_of_hex, hex_of
from napari_framewise.stacks.source import Array

_EDGE, _FILL, _WIDTH = "edge-color", "face-color", "edge-width"
_FEATURE = "feature:"


def table_of(result: PointsResult | VectorsResult | ShapesResult) -> Table:
    """Coordinates in pixels, a row per point, vector or vertex, and the features beside them.

    Points have the columns index, axis-0, axis-1 ...; vectors further displacement-0,
    displacement-1 ...; shapes have index, shape-type, vertex-index, axis-0 ... Colours stand in
    face-color and edge-color as #rrggbbaa, the width of outlines in edge-width. A feature that is
    called as one of the columns is written as feature:NAME; only the points' feature "index" is
    the index itself.
    """
    if isinstance(result, ShapesResult):
        return _shapes_table(result)
    data = np.asarray(result.data)
    columns: dict[str, Array] = {"index": np.arange(len(data))}
    features = dict(result.features.columns) if result.features is not None else {}
    if isinstance(result, VectorsResult):
        columns |= _numbered("axis", data[:, 0]) | _numbered("displacement", data[:, 1])
    else:
        columns |= _numbered("axis", data)
        if result.index is not None:
            columns["index"] = np.asarray(result.index)
        if "index" in features:
            columns["index"] = features.pop("index")
        if result.colours is not None:
            columns[_FILL] = _hex(result.colours)
    return Table(result.name, "object", columns | _apart(features, columns))


def points_of(columns: Mapping[str, Array], name: str) -> PointsResult:
    """Points from the columns of such a table; what else there is becomes features."""
    data, others = _coordinates(columns, name)
    index = others.pop("index", None)
    colours = _colours(others.pop(_FILL, None))
    placing = default_placing(data.shape[1])
    return PointsResult(name, data, placing, _features(name, others), index=index, colours=colours)


def shapes_of(columns: Mapping[str, Array], name: str) -> ShapesResult:
    """Shapes from the columns of such a table; what else there is becomes features."""
    data, others = _coordinates(columns, name)
    if "index" not in others:
        raise ValueError(f"{name} has no column index, which says what shape a vertex belongs to.")
    index = np.asarray(others.pop("index"))
    others.pop("vertex-index", None)
    numbers, firsts = np.unique(index, return_index=True)
    order = np.argsort(firsts)
    firsts = firsts[order]
    each = {column: np.asarray(values)[firsts] for column, values in others.items()}
    types = each.pop("shape-type", np.full(len(firsts), "path"))
    kinds = tuple(str(kind) for kind in types)
    widths = each.pop(_WIDTH, None)
    return ShapesResult(
        name,
        [data[index == number] for number in numbers[order]],
        default_placing(data.shape[1]),
        kinds[0] if len(set(kinds)) == 1 else kinds or "path",
        colours=_colours(each.pop(_EDGE, None)),
        fill=_colours(each.pop(_FILL, None)),
        widths=None if widths is None else np.asarray(widths, np.float64),
        features=_features(name, each),
    )


def default_placing(ndim: int) -> Grid:
    """Axes in pixels, for coordinates that say no more."""
    return Grid(tuple(Axis(name) for name in default_axis_names(ndim, rgb=False)))


def _shapes_table(result: ShapesResult) -> Table:
    counts = [len(shape) for shape in result.data]
    data = np.concatenate([np.asarray(shape) for shape in result.data]) if counts else None
    vertices = [np.arange(count) for count in counts]
    each: dict[str, Array] = {"shape-type": np.array(result.types, dtype=str)}
    for column, values in ((_EDGE, result.colours), (_FILL, result.fill)):
        if values is not None:
            each[column] = _hex(values)
    if result.widths is not None:
        each[_WIDTH] = np.asarray(result.widths)
    columns: dict[str, Array] = {
        "index": np.repeat(np.arange(len(counts)), counts),
        "vertex-index": np.concatenate(vertices) if counts else np.arange(0),
    }
    if data is not None:
        columns |= _numbered("axis", data)
    features = dict(result.features.columns) if result.features is not None else {}
    each |= _apart(features, columns | each)
    columns |= {column: np.repeat(np.asarray(values), counts) for column, values in each.items()}
    return Table(result.name, "object", columns)


def _apart(features: Mapping[str, Array], columns: Collection[str]) -> dict[str, Array]:
    """Features under names that no column has."""
    return {
        f"{_FEATURE}{name}" if name in columns or name.startswith(_FEATURE) else name: values
        for name, values in features.items()
    }


def _features(name: str, columns: Mapping[str, Array]) -> Table | None:
    named = {column.removeprefix(_FEATURE): values for column, values in columns.items()}
    return Table(name, "object", named) if named else None


def _hex(colours: Array) -> Array:
    return np.array([hex_of(each) for each in np.reshape(colours, (-1, 4))], dtype=str)


def _colours(texts: Array | None) -> Array | None:
    """Colours of "#rrggbbaa" or "#rrggbb"; None where a text is neither."""
    found = [colour_of_hex(str(text)) for text in (() if texts is None else texts)]
    known = [each for each in found if each is not None]
    return None if texts is None or len(known) < len(found) else np.reshape(known, (-1, 4))


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
