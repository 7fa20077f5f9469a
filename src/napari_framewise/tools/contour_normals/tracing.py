"""Outlines of labels and of drawn shapes, with their normals, as a block's answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_framewise.framework.outcome import ShapesResult
from napari_framewise.numerics.contours import (
    Contour,
    arc_lengths,
    curvature,
    length,
    normals,
    outlines_of_labels,
    signed_area,
    smoothed_outline,
)
from napari_framewise.stacks.source import Array

_TURNS = 256


@dataclass(frozen=True)
class Settings:
    """How outlines are measured.

    Attributes
    ----------
    sigma, spacing : float
        Of smoothing and of the points, in mean pixels.
    factors : tuple of float
        Height and width of a pixel in mean pixels: 1 and 1 where pixels are square.
    """

    sigma: float
    spacing: float
    factors: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Outline:
    """One outline, measured; lengths in mean pixels, points and normals in pixels.

    Attributes
    ----------
    label : float
        Value of the label, or number of the shape from 1.
    points, normals : (m, 2) ndarray
        Rows and columns. Normals are orthogonal to the outline in the world, and 1 long there.
    arcs, curvature : (m,) ndarray
        Way from the first point, and curvature, of the outline before it shrank by smoothing.
    closed, hole : bool
        Whether it is a loop, and whether it runs around a hole.
    length, area : float
        Area is NaN of an open one, negative around a hole.
    sigma : float
        By how much it was smoothed.
    place : tuple of float
        Coordinates in front of rows and columns, of drawn shapes.
    """

    label: float
    points: Array
    normals: Array
    arcs: Array
    curvature: Array
    closed: bool
    hole: bool
    length: float
    area: float
    sigma: float
    place: tuple[float, ...] = ()


def outlines_block(labels: Array, settings: Settings) -> list[list[Outline]]:
    """The outlines of each frame of a block."""
    return [
        [measured(label, contour, settings) for label, contour in outlines_of_labels(frame)]
        for frame in labels
    ]


def outlines_of_shapes(drawn: ShapesResult, settings: Settings) -> list[Outline]:
    """The outlines of drawn shapes, straight from their vertices.

    Raises
    ------
    ValueError
        Where one does not lie in a plane of rows and columns.
    """
    found = []
    for number, (data, kind) in enumerate(zip(drawn.data, drawn.types, strict=True), 1):
        vertices = np.asarray(data, np.float64)
        places = vertices[:, :-2]
        if places.size and np.ptp(places, axis=0).max() > 1e-6:
            raise ValueError(
                f"{drawn.name}: shape {number} reaches over several planes; draw each shape in a "
                "plane of rows and columns."
            )
        place = tuple(places[0].tolist()) if len(places) else ()
        contour = contour_of(vertices[:, -2:], kind)
        if length(contour) > 0:
            found.append(measured(float(number), contour, settings, place))
    return found


def contour_of(vertices: Array, kind: str) -> Contour:
    """The outline of a drawn shape, anticlockwise where it is closed."""
    if kind in ("path", "line"):
        return Contour(vertices, closed=False)
    if kind == "ellipse":
        middle = vertices.mean(axis=0)
        sides = (vertices[1] - vertices[0]) / 2, (vertices[3] - vertices[0]) / 2
        turn = 2 * np.pi * np.arange(_TURNS)[:, None] / _TURNS
        vertices = middle + np.cos(turn) * sides[0] + np.sin(turn) * sides[1]
    contour = Contour(vertices, closed=True)
    return contour if signed_area(contour) >= 0 else Contour(vertices[::-1], closed=True)


def measured(
    label: float, contour: Contour, settings: Settings, place: tuple[float, ...] = ()
) -> Outline:
    """An outline, smoothed and measured where pixels are square."""
    factors = np.asarray(settings.factors)
    smooth, sigma = smoothed_outline(
        contour.scaled(settings.factors), settings.sigma, settings.spacing
    )
    arcs = arc_lengths(smooth, sigma)
    area = signed_area(contour.scaled(settings.factors))
    return Outline(
        label,
        smooth.points / factors,
        normals(smooth) / factors,
        arcs[: len(smooth)],
        curvature(smooth, sigma),
        contour.closed,
        area < 0,
        float(arcs[-1]),
        area,
        sigma,
        place,
    )
