"""What lies between the nodes: whether a lattice is of the pattern that was asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.grid_nodes.candidates import Pattern

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
_SMOOTH = 0.05
"""Sigma, in pitches, of the Gaussian that what is read is smoothed by."""
_LINE, _CLEAR, _CORNER = 0.3, 0.38, (0.2, 0.8)
"""Least ink half-way along a line, most where there is ground, and that of a corner."""
_PARTS = (
    ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)),
    ((0.0, 0.5), (0.5, 0.0), (0.5, 1.0), (1.0, 0.5)),
    ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)),
    ((0.5, 0.5),),
)
"""Nodes, half-way between two, a quarter of the way along both sides, the middles of four."""


def is_of_pattern(ink: Array, pattern: Pattern, places: Array, index: IntArray) -> bool:
    """Whether there is ground, and ink, where the pattern has it.

    Half-way between two dots is ground: half of the ink where dark squares touch, as in a
    chessboard, and ink along lines. Half-way between two crossings is ink, a quarter of the way
    along both lines ground: half of the ink in a chessboard, whose squares may be taken for
    crossings. A corner lies half-way from black to white: saddles between dots lie on the ground.
    Read relative to nodes and to the middles of four, of all meshes together.

    Parameters
    ----------
    ink : (y, x)
        Ink of dots and lines is brighter than the ground.
    places, index : (n, 2)
        Nodes in pixels, and their rows and columns.
    """
    at = {(int(row), int(column)): k for k, (row, column) in enumerate(index)}
    sides = [(a, b) for a in (0, 1) for b in (0, 1)]
    meshes = np.array([[at.get((r + a, c + b), -1) for a, b in sides] for r, c in at])
    complete = (meshes >= 0).all(axis=1)
    whole, even = places[meshes[complete]], index[complete].sum(axis=1) % 2 == 0
    if not len(whole):
        return True
    pitch = float(np.median(np.hypot(*(whole[:, 1] - whole[:, 0]).T)))
    smooth = ndimage.gaussian_filter(ink, _SMOOTH * pitch, mode="nearest")
    nodes, half, quarter, middle = (_read(smooth, whole, parts) for parts in _PARTS)
    if pattern == "chessboard":
        if even.all() or not even.any():
            return True
        one, other = middle[even].mean(), middle[~even].mean()
        return bool(_CORNER[0] < (nodes.mean() - one) / (other - one) < _CORNER[1])
    ground = middle.mean()
    rise = nodes.mean() - ground
    if pattern == "dots":
        return bool(half.mean() - ground <= _CLEAR * rise)
    clear = quarter.mean() - ground <= _CLEAR * rise
    return bool(clear and half.mean() - ground >= _LINE * rise)


def _read(image: Array, meshes: Array, parts: tuple[tuple[float, float], ...]) -> Array:
    """Means, (n,), over parts of the sides of meshes (n, 4, 2), bilinearly."""
    weights = np.array([[(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b] for a, b in parts])
    points = np.einsum("pk,nkd->npd", weights, meshes).reshape(-1, 2)
    values = ndimage.map_coordinates(image, points.T, order=1, mode="nearest")
    return np.asarray(values.reshape(len(meshes), len(parts)).mean(axis=1))
