"""Outlines of the frames of a block, each as one curve with its measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_framewise.numerics.curves import (
    FEWEST,
    CurveMeasures,
    Feature,
    Form,
    OutlineCurve,
    curve_measures,
    curve_vertices,
    outline_curve,
    outline_paths,
    outline_sightings,
    outline_strength,
)
from napari_framewise.stacks.source import Array


@dataclass(frozen=True)
class Settings:
    """How outlines are found, fitted and measured."""

    feature: Feature
    sigma: float
    outlines: int | None
    form: Form
    pieces: int | None
    least_seen: float
    separation: float
    pixel: tuple[float, float]


@dataclass(frozen=True, eq=False)
class WayPoints:
    """Points (n, 2) that one outline passes through, and the frame of each, or None for all."""

    places: Array
    frames: Array | None

    def of(self, frame: int, first: int) -> list[tuple[float, float]]:
        """Those of a frame, columns counted from `first`."""
        here = self.places if self.frames is None else self.places[self.frames == frame]
        return [(float(y), float(x) - first) for y, x in here]


@dataclass(frozen=True, eq=False)
class Outline:
    """One outline of a frame.

    Attributes
    ----------
    curve : OutlineCurve
        Its columns are those of the frame's part that holds data, from `first` on.
    first : int
    x, y, error : (n,) ndarray
        The curve in every column of the frame, and its standard error.
    vertices : (m, 2) ndarray
        Rows and columns of its shape.
    share : float
        Share of its length that was seen.
    measures : CurveMeasures
    """

    curve: OutlineCurve
    first: int
    x: Array
    y: Array
    error: Array
    vertices: Array
    share: float
    measures: CurveMeasures


@dataclass(frozen=True, eq=False)
class Section:
    """The outlines of a frame, from top to bottom, and how many more were too little seen.

    Attributes
    ----------
    outlines : tuple of Outline
    faint : int
    lacks : str
        What the frame has too little of for any outline: data, or contrast; empty if neither.
    """

    outlines: tuple[Outline, ...]
    faint: int = 0
    lacks: Literal["", "data", "contrast"] = ""


def curves_block(
    frames: Array,
    mask: Array | None,
    numbers: Array,
    way_points: Sequence[WayPoints],
    settings: Settings,
    channels: bool,
) -> list[Section]:
    """Outlines of each frame; channels are averaged."""
    found = []
    for index, frame in enumerate(frames):
        plane = frame.astype(np.float64).mean(axis=-1) if channels else frame
        marks = None if mask is None else mask[index if len(mask) > 1 else 0]
        found.append(section_of(plane, marks, int(numbers[index, 0]), way_points, settings))
    return found


def section_of(
    frame: Array,
    mask: Array | None,
    number: int,
    way_points: Sequence[WayPoints],
    settings: Settings,
) -> Section:
    """Outlines of one frame (y, x), in the columns that hold data."""
    known = np.isfinite(frame)
    if mask is not None:
        known &= (mask != 0) & (mask == mask)
    columns = np.flatnonzero(known.any(axis=0))
    if len(columns) < 3:
        return Section((), lacks="data")
    first, last = int(columns[0]), int(columns[-1])
    points = [group for each in way_points if (group := each.of(number, first))]
    values = frame[known]
    if values.min() == values.max() and not points:
        return Section((), lacks="contrast")
    part = slice(first, last + 1)
    strength = outline_strength(frame[:, part], settings.feature, settings.sigma, known[:, part])
    paths = outline_paths(
        strength,
        settings.outlines,
        separation=settings.separation,
        least_seen=settings.least_seen,
        way_points=points,
    )
    seen = [(path, outline_sightings(path, strength, points)) for path in paths]
    enough = [(path, each) for path, each in seen if len(each.columns) >= FEWEST]
    curves = [
        outline_curve(each, (0.0, float(last - first)), settings.form, settings.pieces)
        for _, each in enough
    ]
    outlines = []
    for place, (curve, (path, _)) in enumerate(zip(curves, enough, strict=True)):
        below = curves[place + 1] if place + 1 < len(curves) else None
        x = np.arange(last - first + 1, dtype=np.float64)
        outlines.append(
            Outline(
                curve,
                first,
                x + first,
                curve.values(x),
                curve.deviation(x),
                curve_vertices(curve) + np.array([0.0, first]),
                path.share,
                curve_measures(curve, settings.pixel, below),
            )
        )
    return Section(tuple(outlines), len(seen) - len(enough))
