"""What is told of outlines: shapes, arrows, tables and the plot of their curvature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.framework.outcome import (
    Curve,
    Outcome,
    Plot,
    ShapesResult,
    Table,
    VectorsResult,
)
from napari_framewise.framework.placing import layout_of
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.stacks.units import PIXEL
from napari_framewise.tools.contour_normals.tracing import Outline

MOST_SHAPES = 2_000
MOST_ARROWS = 100_000


@dataclass(frozen=True)
class Ruler:
    """Size of a mean pixel in a unit, and height and width of a pixel in mean pixels."""

    size: float
    unit: str
    factors: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Placed:
    """An outline, where it lies: number of its frame, coordinates of its axes, in their order."""

    outline: Outline
    frame: int
    lead: tuple[float, ...]


def outcome_of(
    given: Stack | ShapesResult,
    frames: Sequence[Sequence[Outline]],
    ruler: Ruler,
    arrow_length: float,
) -> Outcome:
    """Layers, tables and plot of the outlines of all frames."""
    grid, arranged = _grid_of(given)
    placed = _placed(given, frames)
    if not placed:
        return _nothing(given, len(frames))
    contours, points = contour_table(placed, ruler), point_table(placed, ruler)
    layers = (
        _shapes(given.name, placed, contours, grid, arranged),
        _arrows(given.name, placed, points, grid, arranged, arrow_length),
    )
    single = len(placed) == 1
    unit = ruler.unit
    plot = Plot(
        "Curvature",
        points.name,
        "arc_length",
        (Curve("curvature"),),
        f"Arc length ({unit})",
        f"Curvature (1 / {unit})",
        kind="curve" if single else "scatter",
    )
    return Outcome(
        layers,
        (contours, points),
        (plot,),
        summary=_summary(given, placed, len(frames), ruler),
        diagnostics=_diagnostics(placed, frames, points),
    )


def contour_table(placed: Sequence[Placed], ruler: Ruler) -> Table:
    """A row for each outline."""
    lines = [each.outline for each in placed]
    size, unit = ruler.size, ruler.unit
    bent = [_extremes(line.curvature) for line in lines]
    columns = {
        "object": np.arange(len(lines)),
        "frame": np.array([each.frame for each in placed], np.int64),
        "label": np.array([line.label for line in lines]),
        "closed": np.array([line.closed for line in lines], np.int64),
        "hole": np.array([line.hole for line in lines], np.int64),
        "points": np.array([len(line.points) for line in lines], np.int64),
        "length": size * np.array([line.length for line in lines]),
        "area": size**2 * np.array([line.area for line in lines]),
        "least_curvature": np.array([low for low, _ in bent]) / size,
        "greatest_curvature": np.array([high for _, high in bent]) / size,
        "smoothing": size * np.array([line.sigma for line in lines]),
    }
    notes = {
        "object": "Number of the outline, from 0.",
        "frame": "Number of the frame, from 0.",
        "label": "Value of the label, or number of the shape from 1.",
        "closed": "1 of a loop; 0 of an outline that ends at the border, or of a path.",
        "hole": "1 of an outline around a hole.",
        "points": "How many points it has.",
        "length": f"Along the outline, what smoothing took given back, in {unit}.",
        "area": f"Enclosed, in {unit} squared; below 0 around a hole, missing of an open outline.",
        "least_curvature": f"Where it is most hollow, or bulges least, in 1 / {unit}.",
        "greatest_curvature": f"Where it bulges most, in 1 / {unit}.",
        "smoothing": f"Sigma that was used, in {unit}: less where an outline is short.",
    }
    return Table("contours", "object", columns, notes)


def point_table(placed: Sequence[Placed], ruler: Ruler) -> Table:
    """A row for each point of each outline."""
    lines = [each.outline for each in placed]
    counts = [len(line.points) for line in lines]
    points = np.concatenate([line.points for line in lines])
    factors = np.asarray(ruler.factors)
    directions = np.concatenate([line.normals for line in lines]) * factors
    size, unit = ruler.size, ruler.unit
    columns = {
        "landmark": np.arange(len(points)),
        "object": np.repeat(np.arange(len(lines)), counts),
        "frame": np.repeat([each.frame for each in placed], counts),
        "label": np.repeat([line.label for line in lines], counts),
        "row": points[:, 0],
        "column": points[:, 1],
        "arc_length": size * np.concatenate([line.arcs for line in lines]),
        "normal_down": directions[:, 0],
        "normal_right": directions[:, 1],
        "angle": np.degrees(np.arctan2(-directions[:, 0], directions[:, 1])) % 360,
        "curvature": np.concatenate([line.curvature for line in lines]) / size,
    }
    notes = {
        "landmark": "Number of the point, from 0.",
        "object": "Number of its outline.",
        "frame": "Number of the frame, from 0.",
        "label": "Value of the label, or number of the shape from 1.",
        "row": "In pixels; pixel centres lie on integers.",
        "column": "In pixels.",
        "arc_length": f"Way from the first point of its outline, in {unit}.",
        "normal_down": "Part along rows of the unit normal, which points outwards.",
        "normal_right": "Its part along columns.",
        "angle": "Of the normal in degrees, from the right counter-clockwise.",
        "curvature": f"In 1 / {unit}: above 0 where what is enclosed bulges.",
    }
    return Table("contour points", "landmark", columns, notes)


def _grid_of(given: Stack | ShapesResult) -> tuple[Grid, Callable[[Array], Array]]:
    """Grid of the layers, and coordinates (..., leading, row, column) in its order of axes."""
    if isinstance(given, ShapesResult):
        return replace(given.grid, role="outlines"), lambda positions: positions
    layout = layout_of(given, "outlines")
    return layout.grid, layout.coordinates


def _placed(given: Stack | ShapesResult, frames: Sequence[Sequence[Outline]]) -> list[Placed]:
    if isinstance(given, ShapesResult):
        lines = [line for frame in frames for line in frame]
        frame_of = [round(line.place[-1]) if line.place else 0 for line in lines]
        return [Placed(*each, each[0].place) for each in zip(lines, frame_of, strict=True)]
    numbers = given.frame_numbers
    places = list(np.ndindex(given.leading_shape))
    return [
        Placed(line, numbers[index], tuple(map(float, places[index])))
        for index, frame in enumerate(frames)
        for line in frame
    ]


def _positions(placed: Placed, points: Array) -> Array:
    lead = np.broadcast_to(np.asarray(placed.lead, np.float64), (len(points), len(placed.lead)))
    return np.concatenate([lead, points], axis=1)


def _shapes(
    name: str,
    placed: Sequence[Placed],
    table: Table,
    grid: Grid,
    arranged: Callable[[Array], Array],
) -> ShapesResult:
    shown = placed[:MOST_SHAPES]
    columns = {key: values[: len(shown)] for key, values in table.columns.items()}
    return ShapesResult(
        f"{name} contours",
        [arranged(_positions(each, each.outline.points)) for each in shown],
        grid,
        tuple("polygon" if each.outline.closed else "path" for each in shown),
        features=replace(table, columns=columns),
        colours=np.tile([1.0, 1.0, 0.0, 1.0], (len(shown), 1)),
        fill=np.zeros((len(shown), 4)),
        widths=np.full(len(shown), 0.5),
    )


def _arrows(
    name: str,
    placed: Sequence[Placed],
    table: Table,
    grid: Grid,
    arranged: Callable[[Array], Array],
    size: float,
) -> VectorsResult:
    starts = np.concatenate([_positions(each, each.outline.points) for each in placed])
    data = np.stack([starts, np.zeros_like(starts)], axis=1)
    data[:, 1, -2:] = size * np.concatenate([each.outline.normals for each in placed])
    every = -(-len(data) // MOST_ARROWS)
    shown = np.flatnonzero(np.isfinite(data[:, 1]).all(axis=1))[::every]
    columns = {key: values[shown] for key, values in table.columns.items()}
    bent = columns["curvature"]
    reach = float(np.nanpercentile(np.abs(bent), 95)) if np.isfinite(bent).any() else 0.0
    return VectorsResult(
        f"{name} normals",
        arranged(data[shown]),
        grid,
        features=replace(table, columns={**columns, "curvature": np.nan_to_num(bent)}),
        color_by="curvature",
        colormap="coolwarm",
        color_limits=(-reach, reach) if reach else (-1.0, 1.0),
        width=max(0.2, size / 12),
    )


def _summary(
    given: Stack | ShapesResult, placed: Sequence[Placed], frames: int, ruler: Ruler
) -> str:
    lines = [each.outline for each in placed]
    closed, holes = sum(line.closed for line in lines), sum(line.hole for line in lines)
    total = ruler.size * sum(line.length for line in lines)
    count = counted(len(lines), "outline")
    where = f" in {frames:,} frames" if frames > 1 else ""
    unit = "pixels" if ruler.unit == PIXEL else ruler.unit
    return (
        f"{count} of {given.name}{where}, {total:,.4g} {unit} long in all: {closed:,} closed "
        f"({holes:,} around holes), {len(lines) - closed:,} open."
    )


def _diagnostics(
    placed: Sequence[Placed], frames: Sequence[Sequence[Outline]], points: Table
) -> tuple[str, ...]:
    said = []
    empty = sum(not frame for frame in frames)
    if empty:
        said.append(f"{empty:,} of {len(frames):,} frames have no outline.")
    if len(placed) > MOST_SHAPES:
        said.append(
            f"The first {MOST_SHAPES:,} outlines are drawn; the tables hold all {len(placed):,}."
        )
    every = -(-len(points) // MOST_ARROWS)
    if every > 1:
        said.append(f"Of {len(points):,} normals every {every}th is drawn; the table holds all.")
    return tuple(said)


def _nothing(given: Stack | ShapesResult, frames: int) -> Outcome:
    what = "shapes" if isinstance(given, ShapesResult) else "pixels that are marked beside others"
    return Outcome(
        summary=f"No outline: {given.name} holds no {what}.",
        diagnostics=("Outlines run between what is marked and what is not; neither may be empty.",),
    )


def _extremes(bent: Array) -> tuple[float, float]:
    known = bent[np.isfinite(bent)]
    return (float(known.min()), float(known.max())) if known.size else (np.nan, np.nan)
