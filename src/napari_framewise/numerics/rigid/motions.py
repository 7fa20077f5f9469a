"""Rigid motions of pixels that need not be cubes: directions, steps, and what they move."""

from __future__ import annotations

from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

FloatArray: TypeAlias = NDArray[np.float64]
RigidMotion: TypeAlias = Literal["translation", "euclidean"]


def directions(motion: RigidMotion, scale: tuple[float, ...]) -> FloatArray:
    """How each parameter moves pixels, counted from a centre.

    Parameters
    ----------
    motion : {"translation", "euclidean"}
        Shifts along every axis; with rotations in the plane of every pair of axes, (row, column)
        in a plane, (z, row), (z, column), (row, column) in a volume.
    scale : (d,) tuple of float
        Size of a pixel along each axis: a rotation keeps lengths, not pixels.

    Returns
    -------
    (k, d, d + 1) float64
        A pixel at q from the centre moves by ``directions @ (q, 1)``, in pixels for each unit of
        the parameter: pixels, and radians.

    Examples
    --------
    >>> directions("euclidean", (2.0, 1.0, 1.0)).shape
    (6, 3, 4)
    """
    d = len(scale)
    found = []
    for axis in range(d):
        shift = np.zeros((d, d + 1))
        shift[axis, d] = 1.0
        found.append(shift)
    if motion == "euclidean":
        for first, second in combinations(range(d), 2):
            turn = np.zeros((d, d + 1))
            turn[first, second] = -scale[second] / scale[first]
            turn[second, first] = scale[first] / scale[second]
            found.append(turn)
    return np.array(found)


def names(motion: RigidMotion, d: int) -> tuple[str, ...]:
    """Names of the parameters, in the order of `directions`.

    Examples
    --------
    >>> names("translation", 3)
    ('plane', 'row', 'column')
    """
    shifts = ("plane", "row", "column")[3 - d :]
    if motion == "translation":
        return shifts
    return (*shifts, "rotation") if d == 2 else (*shifts, "turn_zy", "turn_zx", "rotation")


def step(parameters: FloatArray, along: FloatArray, centre: FloatArray) -> FloatArray:
    """The motion (d + 1, d + 1) that parameters amount to, in pixels: exactly rigid.

    Examples
    --------
    >>> turned = step(np.array([0.0, 0.0, np.pi / 2]), directions("euclidean", (1.0, 1.0)),
    ...               np.zeros(2))
    >>> (np.round(turned, 12) + 0.0).tolist()
    [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    d = along.shape[1]
    rate = np.zeros((d + 1, d + 1))
    rate[:d] = np.einsum("k,kij->ij", parameters, along)
    away, back = np.eye(d + 1), np.eye(d + 1)
    away[:d, d], back[:d, d] = centre, -centre
    # A shift beside a rotation moves along its arc; here it is one after the other.
    shift = rate[:d, d].copy()
    rate[:d, d] = 0.0
    turned = expm(rate)
    turned[:d, d] += shift
    return np.asarray(away @ turned @ back)


def corner_points(shape: tuple[int, ...]) -> FloatArray:
    """Centres of a grid's corner pixels, (2^d, d).

    Examples
    --------
    >>> corner_points((2, 3)).tolist()
    [[0.0, 0.0], [0.0, 2.0], [1.0, 0.0], [1.0, 2.0]]
    """
    ends = [(0.0, length - 1.0) for length in shape]
    return np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, len(shape))


def corner_motion(covariance: FloatArray, along: FloatArray, corners: FloatArray) -> float:
    """Root mean square distance of corners (n, d) from the centre under parameters so spread."""
    moved = np.einsum("kij,nj->nki", along, np.column_stack([corners, np.ones(len(corners))]))
    spread = np.einsum("nki,kl,nli->n", moved, covariance, moved)
    return float(np.sqrt(spread.mean()))
