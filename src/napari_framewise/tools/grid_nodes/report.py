"""What is said of nodes: points, tables, words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.outcome import PointsResult, Table
from napari_framewise.framework.placing import layout_of
from napari_framewise.numerics.grid_nodes import Nodes
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_NAMED = 6
"""Most frames that a sentence names."""
_NOTES = {
    "row": "Row in the grid, from 0 at the top.",
    "column": "Column in the grid, from 0 at the left.",
    "error": "Standard error of a coordinate in pixels, by the noise of the image.",
}


def points_of(stack: Stack, found: Sequence[Nodes], index: int = 0) -> PointsResult:
    """All nodes as points on the stack's frames; the first of `found` is of frame `index`."""
    layout = layout_of(stack, channels=False)
    which, places = _listed(found)
    data = np.zeros((len(places), len(layout.leading) + 2))
    if layout.leading:
        data[:, :-2] = np.stack(np.unravel_index(which + index, layout.leading), axis=-1)
    data[:, -2:] = places
    return PointsResult(
        f"nodes of {stack.name}",
        layout.coordinates(data),
        replace(layout.grid, role="stack"),
        features=Table("nodes", "landmark", _columns(found), _NOTES),
    )


def frame_table(stack: Stack, found: Sequence[Nodes]) -> Table:
    """A row per frame."""
    columns, notes = frame_columns(stack)
    columns |= {
        "nodes": np.array([len(each.places) for each in found]),
        "rows": np.array([each.shape[0] for each in found]),
        "columns": np.array([each.shape[1] for each in found]),
        "missing": np.array([each.missing for each in found]),
        "pitch": np.array([each.pitch for each in found]),
        "error": np.array([_root_mean_square(each.errors) for each in found]),
        "candidates": np.array([each.candidates for each in found]),
    }
    notes |= {
        "nodes": "Nodes found.",
        "rows": "Rows of the grid.",
        "columns": "Columns of the grid.",
        "missing": "Nodes of those rows and columns that were not found.",
        "pitch": "Median distance between neighbours, in pixels.",
        "error": "Root mean square standard error of a coordinate, in pixels.",
        "candidates": "Places that looked like nodes.",
    }
    return Table("grid_nodes", "frame", columns, notes)


def node_table(stack: Stack, found: Sequence[Nodes]) -> Table:
    """A row per node."""
    which, places = _listed(found)
    numbers = np.asarray(stack.frame_numbers, dtype=np.int64)
    columns: dict[str, Array] = {
        "landmark": np.arange(len(places)),
        "frame": numbers[which],
        "y": places[:, 0],
        "x": places[:, 1],
        **_columns(found),
    }
    notes = {
        "landmark": "Number of the node.",
        "frame": "Number of the frame in the whole stack, from 0.",
        "y": "Where it lies along the rows, in pixels of the frame.",
        "x": "Where it lies along the columns, in pixels of the frame.",
        **_NOTES,
    }
    return Table("nodes", "landmark", columns, notes)


def summary_of(stack: Stack, found: Sequence[Nodes]) -> str:
    """The result in a sentence."""
    with_grid = [each for each in found if len(each.places)]
    if not with_grid:
        where = "the frame" if len(found) == 1 else f"any of {len(found):,} frames"
        return f"{stack.name}: no grid was found in {where}."
    count = sum(len(each.places) for each in with_grid)
    sizes = sorted({each.shape for each in with_grid})
    size = f"{sizes[-1][0]} x {sizes[-1][1]}"
    size = size if len(sizes) == 1 else f"up to {size}"
    error = _root_mean_square(np.concatenate([each.errors for each in with_grid]))
    return (
        f"{stack.name}: {count:,} nodes of a grid of {size} in {len(with_grid):,} of "
        f"{len(found):,} frames, to {error:.2g} pixels by the images' noise."
    )


def diagnostics_of(stack: Stack, found: Sequence[Nodes]) -> tuple[str, ...]:
    """Frames without a grid, and frames in which nodes are missing."""
    numbers = stack.frame_numbers
    named = [
        nothing_found(f"Frame {int(number)}", each)
        for number, each in zip(numbers, found, strict=True)
        if not len(each.places)
    ]
    said = named[:_NAMED]
    if len(named) > _NAMED:
        said.append(f"{len(named) - _NAMED:,} further frames hold no grid.")
    partial = [
        f"{int(number)} ({each.missing})"
        for number, each in zip(numbers, found, strict=True)
        if each.missing
    ]
    if partial:
        more = f" and {len(partial) - _NAMED:,} more" if len(partial) > _NAMED else ""
        said.append(f"Nodes are missing in frames {', '.join(partial[:_NAMED])}{more}.")
    several = [
        f"{int(number)} ({each.others})"
        for number, each in zip(numbers, found, strict=True)
        if each.others
    ]
    if several:
        more = f" and {len(several) - _NAMED:,} more" if len(several) > _NAMED else ""
        said.append(
            f"Frames {', '.join(several[:_NAMED])}{more} hold nodes of a second grid, so many of "
            "them; the larger grid was taken. Give a mask of the one that is meant."
        )
    return tuple(said)


def nothing_found(what: str, nodes: Nodes) -> str:
    """What was found of a grid that was not."""
    if nodes.lack == "data":
        return f"{what}: no grid was found, for all of its pixels are NaN or masked."
    if nodes.lack == "contrast":
        return f"{what}: no grid was found, for all of its pixels have one value."
    if nodes.lack == "pattern":
        return (
            f"{what}: no grid was found; {nodes.candidates:,} places lie as nodes do, but what is "
            "between them is that of another pattern: choose chessboard, dots or lines as it is."
        )
    if nodes.candidates == 0:
        return f"{what}: no grid was found, and no place that looks like a node."
    return (
        f"{what}: no grid was found; {nodes.candidates:,} places look like nodes, but they make no "
        "rows and columns of at least 2 x 2. Is it another pattern?"
    )


def _listed(found: Sequence[Nodes]) -> tuple[Array, Array]:
    """Number of the frame of each node, and where it lies."""
    counts = [len(each.places) for each in found]
    places = [each.places for each in found]
    return np.repeat(np.arange(len(found)), counts), np.concatenate([np.empty((0, 2)), *places])


def _columns(found: Sequence[Nodes]) -> dict[str, Array]:
    index = np.concatenate([np.empty((0, 2), np.int64), *(each.index for each in found)])
    errors = np.concatenate([np.empty(0), *(each.errors for each in found)])
    return {"row": index[:, 0], "column": index[:, 1], "error": errors}


def _root_mean_square(values: Array) -> float:
    return float(np.sqrt((values**2).mean())) if len(values) else float("nan")
