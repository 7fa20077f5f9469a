"""What is told of outlines: shapes, tables, plots and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.framework.outcome import Curve, Outcome, Plot, ShapesResult, Table
from napari_framewise.framework.placing import layout_of
from napari_framewise.numerics.curves import Measure
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.common.rulers import pixel_size
from napari_framewise.tools.curves.blocks import Outline, Section

_BEYOND = 0.05
"""Share of the columns, at an end, over which a curve may go on unseen without a word."""
_SEEN = 0.85
"""Share of its length below which a curve may have left its outline for another."""
_NAMED = 6
_COLOURS = np.array(
    [[1.0, 0.85, 0.2, 1.0], [0.2, 0.8, 1.0, 1.0], [1.0, 0.45, 0.75, 1.0], [0.5, 1.0, 0.4, 1.0]]
)


@dataclass(frozen=True, eq=False)
class Placed:
    """An outline, the number of its frame, its place among the chosen ones and in the frame."""

    outline: Outline
    frame: int
    index: int
    place: int


def outcome_of(
    stack: Stack, found: Sequence[Section], wanted: int | None, index: int = 0
) -> Outcome:
    """Layers, tables and plots of the outlines; the first of `found` is of frame `index`."""
    numbers = stack.frame_numbers
    placed = [
        Placed(outline, int(numbers[index + k]), index + k, place)
        for k, section in enumerate(found)
        for place, outline in enumerate(section.outlines)
    ]
    said = _diagnostics(stack, found, placed, wanted, index)
    if not placed:
        return Outcome(summary=f"{stack.name}: no outline was found.", diagnostics=said)
    table, unit = curve_table(stack, placed), _unit(stack)
    return Outcome(
        layers=(_shapes(stack, placed, table),),
        tables=(table, sample_table(placed), sighting_table(placed)),
        plots=(
            Plot(
                "Residuals", "sightings", "x", (Curve("residual"),), "Column (pixels)",
                "Residual (pixels)", kind="scatter",
            ),
            Plot("Curves", "samples", "x", (Curve("y"),), "Column", "Row", kind="scatter"),
        ),
        summary=_summary(stack, placed, len(found), unit),
        diagnostics=said,
    )  # fmt: skip


def curve_table(stack: Stack, placed: Sequence[Placed]) -> Table:
    """A row for each outline."""
    unit = _unit(stack)
    measures = [each.outline.measures for each in placed]
    columns: dict[str, Array] = {
        "object": np.arange(len(placed)),
        "frame": np.array([each.frame for each in placed], np.int64),
        "outline": np.array([each.place + 1 for each in placed], np.int64),
    }
    notes = {
        "object": "Number of the curve, from 0.",
        "frame": "Number of the frame in the whole stack, from 0.",
        "outline": "Number of the outline in its frame, from 1 at the top.",
    }
    for name, (field, what) in _measured_in(unit).items():
        values: list[Measure] = [getattr(each, field) for each in measures]
        columns[name] = np.array([each.value for each in values])
        columns[f"{name}_error"] = np.array([each.error for each in values])
        notes[name] = f"{what}."
        notes[f"{name}_error"] = (
            "Its standard error where errors along the outline are independent; a ranking on real "
            "sections, where it was too small by 1.6 in the median."
        )
    columns |= {
        "seen": np.array([each.outline.share for each in placed]),
        "sightings": np.array([len(each.outline.curve.residuals) for each in placed]),
        "outliers": np.array([int((each.outline.curve.trust < 0.1).sum()) for each in placed]),
        "pieces": np.array([len(each.outline.curve.knots) - 1 for each in placed]),
        "freedom": np.array([each.outline.curve.freedom for each in placed]),
        "first_column": np.array([each.outline.x[0] for each in placed]),
        "last_column": np.array([each.outline.x[-1] for each in placed]),
    }
    notes |= {
        "seen": "Share of its length that was seen; the rest was bridged.",
        "sightings": "Places along it that the curve was fitted to.",
        "outliers": "Those of them that count less than a tenth.",
        "pieces": "Pieces of the curve.",
        "freedom": "Degrees of freedom that the fit took.",
        "first_column": "Where the curve begins, in pixels of the frame.",
        "last_column": "Where it ends.",
    }
    return Table("curves", "object", columns, notes)


def _measured_in(unit: str) -> dict[str, tuple[str, str]]:
    """Columns of measures: the field that each is, and what it says."""
    return {
        "length": ("length", f"Along the curve, in {unit}"),
        "height": (
            "height",
            f"Largest distance from the line through both ends, in {unit}; below 0 if hanging",
        ),
        "left_angle": (
            "left",
            "Toe angle on the left, in degrees to that line, where steepest below half the height",
        ),
        "right_angle": ("right", "Toe angle on the right, in degrees"),
        "left_toe": (
            "left_toe",
            f"Where the left toe lies along the columns, in {unit} from the curve's first column",
        ),
        "right_toe": ("right_toe", f"Where the right toe lies, in {unit} from there"),
        "area": ("area", f"Between this outline and the one below it, in {unit} squared"),
        "rms": ("rms", f"Root mean square residual along the normal, in {unit}"),
    }


def sample_table(placed: Sequence[Placed]) -> Table:
    """The curves as y(x), column by column."""
    lines = [each.outline for each in placed]
    count = [len(line.x) for line in lines]
    columns = _which(placed, count) | {
        "x": np.concatenate([line.x for line in lines]),
        "y": np.concatenate([line.y for line in lines]),
        "y_error": np.concatenate([line.error for line in lines]),
    }
    notes = _WHICH | {
        "x": "Column in pixels of the frame.",
        "y": "Row of the curve, in pixels.",
        "y_error": "Its standard error.",
    }
    return Table("samples", "landmark", columns, notes)


def sighting_table(placed: Sequence[Placed]) -> Table:
    """What the curves were fitted to, with what is left."""
    lines = [each.outline for each in placed]
    seen = [line.curve.sightings for line in lines]
    columns = _which(placed, [len(each.rows) for each in seen]) | {
        "x": np.concatenate(
            [each.columns + line.first for each, line in zip(seen, lines, strict=True)]
        ),
        "y": np.concatenate([each.rows for each in seen]),
        "residual": np.concatenate([line.curve.residuals for line in lines]),
        "trust": np.concatenate([line.curve.trust for line in lines]),
    }
    notes = _WHICH | {
        "x": "Column in pixels of the frame.",
        "y": "Row, in pixels.",
        "residual": "Row minus that of the curve, in pixels.",
        "trust": "Weight against outliers, from 0 to 1.",
    }
    return Table("sightings", "landmark", columns, notes)


_WHICH = {
    "landmark": "Number of the place.",
    "object": "Number of the curve, from 0.",
    "frame": "Number of the frame in the whole stack, from 0.",
    "outline": "Number of the outline in its frame, from 1 at the top.",
}


def _which(placed: Sequence[Placed], counts: Sequence[int]) -> dict[str, Array]:
    return {
        "landmark": np.arange(sum(counts)),
        "object": np.repeat(np.arange(len(placed)), counts),
        "frame": np.repeat([each.frame for each in placed], counts),
        "outline": np.repeat([each.place + 1 for each in placed], counts),
    }


def _shapes(stack: Stack, placed: Sequence[Placed], table: Table) -> ShapesResult:
    layout = layout_of(stack, channels=False)
    data = []
    for each in placed:
        vertices = each.outline.vertices
        positions = np.zeros((len(vertices), len(layout.leading) + 2))
        if layout.leading:
            positions[:, :-2] = np.unravel_index(each.index, layout.leading)
        positions[:, -2:] = vertices
        data.append(layout.coordinates(positions))
    return ShapesResult(
        f"curves of {stack.name}",
        data,
        replace(layout.grid, role="stack"),
        "path",
        features=table,
        colours=_COLOURS[[each.place % len(_COLOURS) for each in placed]],
        fill=np.zeros((len(placed), 4)),
        widths=np.full(len(placed), 1.0),
    )


def _unit(stack: Stack) -> str:
    return pixel_size(stack.spatial_grid.axes)[2]


def _summary(stack: Stack, placed: Sequence[Placed], frames: int, unit: str) -> str:
    count = "1 outline" if len(placed) == 1 else f"{len(placed):,} outlines"
    where = f" in {frames:,} frames" if frames > 1 else ""
    seen = float(np.mean([each.outline.share for each in placed]))
    if len(placed) > 1:
        rms = float(np.nanmedian([each.outline.measures.rms.value for each in placed]))
        return (
            f"{stack.name}: {count}{where}, {seen:.0%} of their length seen, residuals of "
            f"{rms:.2g} {unit} (rms, median)."
        )
    measures = placed[0].outline.measures
    return (
        f"{stack.name}: 1 outline{where}, {seen:.0%} of its length seen, {_said(measures.length)} "
        f"{unit} long, {_said(measures.height)} {unit} high."
    )


def _said(measure: Measure) -> str:
    return f"{measure.value:.4g} +- {measure.error:.2g}"


def _diagnostics(
    stack: Stack,
    found: Sequence[Section],
    placed: Sequence[Placed],
    wanted: int | None,
    index: int,
) -> tuple[str, ...]:
    said = []
    counts = [len(section.outlines) for section in found]
    numbers = [int(each) for each in stack.frame_numbers[index : index + len(found)]]
    none = {
        lacks: [n for n, section in zip(numbers, found, strict=True) if section.lacks == lacks]
        for lacks in ("data", "contrast")
    }
    if none["data"]:
        said.append(
            f"Too few columns hold data in {_frames(none['data'])}; outlines need three or more "
            "that are neither NaN nor masked."
        )
    if none["contrast"]:
        said.append(
            f"All pixels have one value in {_frames(none['contrast'])}, so there is no outline."
        )
    empty = [
        number
        for number, section in zip(numbers, found, strict=True)
        if not section.outlines and not section.lacks
    ]
    if empty:
        said.append(
            f"No outline in {_frames(empty)}: nothing stands out from the noise from the left to "
            "the right. Are they bright lines, edges, or wider?"
        )
    if wanted is not None:
        fewer = [number for number, n in zip(numbers, counts, strict=True) if 0 < n < wanted]
        if fewer:
            said.append(f"Fewer than {wanted} outlines in {_frames(fewer)}.")
    elif len(set(counts) - {0}) > 1:
        said.append(
            f"Frames hold from {min(c for c in counts if c)} to {max(counts)} outlines; give their "
            "number if it is known."
        )
    faint = sum(section.faint for section in found)
    if faint:
        said.append(f"{faint:,} outlines are seen in too few places for a curve.")
    beyond = [each for each in placed if _unseen_end(each.outline) > _BEYOND]
    if beyond:
        said.append(f"Curves go on beyond what was seen at an end: outlines {_named(beyond)}.")
    bridged = [each for each in placed if each.outline.share < _SEEN]
    if bridged:
        said.append(
            f"More than {1 - _SEEN:.0%} of these were not seen, so look whether they keep to one "
            f"outline, or hold them there by way-points: outlines {_named(bridged)}."
        )
    return tuple(said)


def _named(placed: Sequence[Placed]) -> str:
    names = ", ".join(f"{each.place + 1} of frame {each.frame}" for each in placed[:_NAMED])
    return names + (f" and {len(placed) - _NAMED:,} more" if len(placed) > _NAMED else "")


def _unseen_end(outline: Outline) -> float:
    """Share of the columns by which a curve goes on beyond its outermost sightings."""
    first, last = outline.curve.span
    seen = outline.curve.sightings.columns
    return float(max(seen.min() - first, last - seen.max()) / (last - first))


def _frames(numbers: Sequence[int]) -> str:
    named = ", ".join(map(str, numbers[:_NAMED]))
    more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
    return f"frame{'s' * (len(numbers) > 1)} {named}{more}"
