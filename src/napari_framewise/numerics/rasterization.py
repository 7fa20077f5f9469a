"""Outlines as pixels: which pixel centres lie inside a polygon or an ellipse, or near a path."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Box: TypeAlias = tuple[slice, slice]


def inside_polygon(vertices: Array, shape: tuple[int, int]) -> tuple[Box, Array]:
    """Pixels whose centre lies inside a closed polygon or on its edge.

    Parameters
    ----------
    vertices : ndarray
        (m, 2) rows and columns; pixel centres lie on integers.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    box : tuple of slice
        Part of the image that was looked at; empty where the polygon lies outside.
    inside : ndarray of bool
        Pixels of the box. Where the outline crosses itself, even and odd count.

    Examples
    --------
    >>> corners = np.array([[1.0, 1.0], [1.0, 3.0], [3.0, 3.0], [3.0, 1.0]])
    >>> box, inside = inside_polygon(corners, (5, 5))
    >>> bool(inside.any())
    True
    """
    from skimage.measure import grid_points_in_poly

    box, start = _box(vertices, 0.0, shape)
    size = _size(box)
    if 0 in size or len(vertices) < 2:
        return box, np.zeros(size, bool)
    grid: Any = grid_points_in_poly
    found = grid(size, np.asarray(vertices, np.float64) - start, binarize=False)
    return box, np.asarray(found > 0)


def inside_ellipse(corners: Array, shape: tuple[int, int]) -> tuple[Box, Array]:
    """Pixels whose centre lies inside an ellipse or on its edge.

    Parameters
    ----------
    corners : ndarray
        (4, 2) corners of the parallelogram that the ellipse touches at the middle of each side, in
        order: a turned or sheared ellipse is given by it exactly.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    box, inside
        As `inside_polygon`. With centre c and half sides a and b a pixel p is inside where
        p - c = u a + v b and u^2 + v^2 <= 1.

    Examples
    --------
    >>> corners = np.array([[0.0, 0.0], [0.0, 8.0], [8.0, 8.0], [8.0, 0.0]])
    >>> box, inside = inside_ellipse(corners, (9, 9))
    >>> bool(0.7 < inside.sum() / 64 < 0.85)
    True
    """
    corners = np.asarray(corners, np.float64)
    box, start = _box(corners, 0.0, shape)
    size = _size(box)
    axes = np.stack([corners[1] - corners[0], corners[3] - corners[0]], axis=-1) / 2
    if 0 in size or np.linalg.matrix_rank(axes) < 2:
        return box, np.zeros(size, bool)
    offsets = np.moveaxis(np.indices(size), 0, -1) + start - corners.mean(axis=0)
    parts = np.linalg.solve(axes, offsets.reshape(-1, 2).T)
    # The middle of a side is on the edge, whatever rounding says.
    return box, (np.square(parts).sum(axis=0) <= 1 + 1e-12).reshape(size)


def near_path(vertices: Array, width: float, shape: tuple[int, int]) -> tuple[Box, Array]:
    """Pixels whose centre lies within half a width of a path.

    Parameters
    ----------
    vertices : ndarray
        (m, 2) rows and columns.
    width : float
        Width of the line in pixels; below 1 counts as 1, so that no line has gaps.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    box, inside
        As `inside_polygon`.

    Examples
    --------
    >>> box, near = near_path(np.array([[2.0, 0.0], [2.0, 4.0]]), 1.0, (5, 5))
    >>> int(near.sum()) >= 5
    True
    """
    vertices, radius = np.asarray(vertices, np.float64), max(float(width), 1.0) / 2
    box, start = _box(vertices, radius, shape)
    size = _size(box)
    inside = np.zeros(size, bool)
    ends = vertices[1:] if len(vertices) > 1 else vertices
    for first, last in zip(vertices, ends, strict=False):
        part, corner = _box(np.stack([first, last]) - start, radius, size)
        points = np.moveaxis(np.indices(_size(part)), 0, -1) + corner + start - first
        along = last - first
        squared = float(along @ along)
        share = np.clip(points @ along / squared, 0, 1) if squared else np.zeros(points.shape[:-1])
        distance = points - share[..., None] * along
        inside[part] |= np.square(distance).sum(axis=-1) <= radius**2 * (1 + 1e-12)
    return box, inside


def _box(vertices: Array, margin: float, shape: tuple[int, ...]) -> tuple[Box, Array]:
    """The part of an image that vertices reach, and its first pixel."""
    vertices = np.asarray(vertices, np.float64)
    if not len(vertices) or not np.isfinite(vertices).all():
        return (slice(0, 0), slice(0, 0)), np.zeros(2)
    limit = np.array(shape)
    low = np.clip(np.floor(vertices.min(axis=0) - margin), 0, limit).astype(int)
    high = np.clip(np.ceil(vertices.max(axis=0) + margin) + 1, low, limit).astype(int)
    return (slice(low[0], high[0]), slice(low[1], high[1])), low.astype(np.float64)


def _size(box: Box) -> tuple[int, int]:
    return box[0].stop - box[0].start, box[1].stop - box[1].start
