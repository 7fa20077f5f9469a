"""The nodes of all images of a calibration, with their values, counted alike."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import MapFrames
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.numerics.calibration import common_index, regular_grid
from napari_framewise.numerics.grid_nodes import Nodes, lattice_of
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.calibration.parameters import CalibrationParameters
from napari_framewise.tools.grid_nodes import cost_of, dark_of, nodes_block, nothing_found


@dataclass(frozen=True, eq=False)
class Boards:
    """Nodes that are known both straight and distorted.

    Attributes
    ----------
    values : (n,)
        Of each node's image.
    image : (n,)
        Number of its image.
    index : (n, 2)
        Its row and column.
    straight, seen : (n, 2)
        Where it should be, and where it is, in pixels.
    pitch : float
        Median distance between neighbours, in pixels.
    regular : bool
        Whether straight is a square grid.
    notes : tuple of str
        Images that held no grid, and what is straight where the lowest held none.
    """

    values: Array
    image: Array
    index: Array
    straight: Array
    seen: Array
    pitch: float
    regular: bool
    notes: tuple[str, ...]


def boards_of(
    inputs: Inputs, parameters: CalibrationParameters, engine: Engine
) -> Generator[Progress, None, Boards]:
    """Find the nodes of all images, or take those that were given, and count them alike.

    Raises
    ------
    ValueError
        Where images differ in size, or no grid is found where one is needed.
    """
    stacks, values = inputs.stacks("images"), inputs.values("images")
    shape = stacks[0].spatial_shape
    for stack in stacks[1:]:
        if stack.spatial_shape != shape:
            sizes = [" x ".join(map(str, each.spatial_shape)) for each in (stacks[0], stack)]
            raise ValueError(
                f"{stacks[0].name} has images of {sizes[0]} pixels, but {stack.name} of "
                f"{sizes[1]}; a calibration needs images of one size."
            )
    found, names = [], []
    for stack in stacks:
        if inputs["nodes"] and len(stacks) == 1:
            found += _given(inputs, stack)
        else:
            found += yield from _looked_for(stack, inputs, parameters, engine)
        names += [f"Image {number} of {stack.name}" for number in stack.frame_numbers]
    notes = [
        nothing_found(name, each)
        for name, each in zip(names, found, strict=True)
        if not len(each.places)
    ]
    reference = inputs.optional_stack("reference")
    whole = list(found)
    if reference is not None:
        whole += yield from _looked_for(reference, inputs, parameters, engine)
        if not len(whole[-1].places):
            raise ValueError(nothing_found(f"The reference {reference.name}", whole[-1]))
    usable = [k for k, each in enumerate(found) if len(each.places)]
    if not usable:
        raise ValueError(f"No image holds the grid. {notes[0]}")
    order = sorted(usable, key=lambda k: float(values[k]))
    index = [each.index for each in whole]
    if parameters.counting == "least_motion":
        first = [len(found)] if reference is not None else []
        ranked = [*first, *order]
        # Along the values, so that a grid moves little from one to the next.
        moved = common_index(
            [whole[k].places for k in ranked], [index[k] for k in ranked], range(len(ranked))
        )
        for k, each in zip(ranked, moved, strict=True):
            index[k] = each
    single = len(set(values[usable].tolist())) == 1
    base = len(found) if reference is not None else order[0]
    regular = parameters.straight == "regular" or (
        reference is None and parameters.straight == "auto" and single
    )
    lowest = float(np.min(values))
    if reference is None and not regular and float(values[base]) > lowest:
        notes.append(
            f"No image of the lowest value, {lowest:g}, holds a grid: straight is that of "
            f"{float(values[base]):g}."
        )
    straight = _straight(whole[base], index[base], regular)
    kept = [
        (values[k], k, tuple(each), place)
        for k in usable
        for each, place in zip(index[k].tolist(), found[k].places, strict=True)
        if regular or tuple(each) in straight
    ]
    if len(kept) < 4:
        raise ValueError(
            f"Only {len(kept)} nodes are seen both in an image and in the reference; at least 4 "
            "are needed."
        )
    known = np.array([each[2] for each in kept])
    ideal = _on_grid(straight, known) if regular else np.array([straight[each[2]] for each in kept])
    return Boards(
        np.array([each[0] for each in kept], float),
        np.array([each[1] for each in kept]),
        known,
        ideal,
        np.array([each[3] for each in kept]),
        float(np.median([found[k].pitch for k in usable])),
        regular,
        tuple(notes),
    )


def _straight(nodes: Nodes, index: Array, regular: bool) -> dict[tuple[int, int], Array]:
    if regular:
        origin, step = regular_grid(nodes.places, index)
        return {(0, 0): origin, (0, 1): step}
    return {
        (int(row), int(column)): place
        for (row, column), place in zip(index.tolist(), nodes.places, strict=True)
    }


def _on_grid(grid: dict[tuple[int, int], Array], index: Array) -> Array:
    origin, (down, right) = grid[0, 0], grid[0, 1]
    rows, columns = index.T.astype(float)
    y = origin[0] + columns * down + rows * right
    x = origin[1] + columns * right - rows * down
    return np.stack([y, x], axis=1)


def _looked_for(
    stack: Stack, inputs: Inputs, parameters: CalibrationParameters, engine: Engine
) -> Generator[Progress, None, list[Nodes]]:
    mask = inputs.optional_stack("mask")
    blocks = yield from run_pass(
        MapFrames(),
        nodes_block,
        (stack, mask and in_step(mask, stack, "Mask")),
        (parameters.pattern, dark_of(parameters.ink), bool(stack.channels)),
        engine=engine,
        label=f"Looking for nodes in {stack.name}",
        cost=cost_of(stack),
    )
    return [nodes for block in blocks for nodes in block]


def _given(inputs: Inputs, stack: Stack) -> list[Nodes]:
    """Nodes that were given, frame by frame."""
    (drawn,) = inputs.points("nodes")
    frames = np.zeros(len(drawn.places), int) if drawn.frames is None else drawn.frames
    columns = {} if drawn.features is None else drawn.features.columns
    found = []
    for number in range(stack.n_frames):
        mine = np.flatnonzero(frames == number)
        places = drawn.places[mine]
        index = np.empty((0, 2), np.int64)
        if {"row", "column"} <= set(columns):
            index = np.stack([columns["row"][mine], columns["column"][mine]], axis=1)
            known = np.isfinite(index.astype(float)).all(axis=1)
            places, index = places[known], index[known].astype(np.int64)
        else:
            grown = lattice_of(places)
            chosen = np.empty(0, np.int64) if grown is None else grown.chosen
            index = index if grown is None else grown.index
            places = places[chosen]
        pitch = _pitch(places, index)
        found.append(Nodes(places, index, np.full(len(places), np.nan), pitch, len(mine)))
    return found


def _pitch(places: Array, index: Array) -> float:
    if len(places) < 4:
        return float("nan")
    _, step = regular_grid(places, index)
    return float(np.hypot(*step))
