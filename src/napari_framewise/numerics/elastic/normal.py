"""Normal equations of a displacement on a lattice, summed along one axis after the other."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy import linalg, sparse

from napari_framewise.numerics.bsplines import Axis, Lattice
from napari_framewise.numerics.elastic.field import FloatArray

_REACH = 4
"""Nodes from one whose B-splines overlap with its own, itself included."""


def gradient(lattice: Lattice, coordinates: tuple[Any, Any], forces: FloatArray) -> FloatArray:
    """Sums ``sum_p f_i(p) B_k(p)`` of forces (2, y, x) on a grid: (y, x, 2)."""
    down, across = _designs(lattice, coordinates)
    found = [down.T @ (force @ across) for force in forces]
    return np.stack(found, axis=-1)


def hessian(lattice: Lattice, coordinates: tuple[Any, Any], weights: FloatArray) -> FloatArray:
    """Sums ``sum_p w_ij(p) B_k(p) B_l(p)`` as the lower diagonals of a symmetric band matrix.

    Parameters
    ----------
    weights : (3, y, x)
        w_00, w_01 and w_11 on the grid.

    Returns
    -------
    (band, 2 size)
        As `scipy.linalg.solveh_banded` takes it, unknowns in the order (y, x, i).
    """
    down, across = _designs(lattice, coordinates)
    rows, columns = lattice.shape
    found = np.zeros((band_of(lattice), rows, columns, 2))
    for my in range(_REACH):
        left = (down[:, : rows - my] * down[:, my:]).T
        along = [left @ each for each in weights]
        for mx in range(1 - _REACH, _REACH):
            if my == 0 and mx < 0:
                continue
            here = slice(max(0, -mx), columns - max(0, mx))
            there = slice(max(0, mx), columns - max(0, -mx))
            right = across[:, here] * across[:, there]
            sums = [each @ right for each in along]
            for i in range(2):
                for j in range(2):
                    place = 2 * (my * columns + mx) + j - i
                    if place >= 0:
                        found[place, : rows - my, here, i] += sums[i + j]
    return found.reshape(len(found), -1)


def band_of(lattice: Lattice) -> int:
    """Diagonals from the middle one down."""
    return int(2 * ((_REACH - 1) * lattice.shape[1] + _REACH - 1) + 2)


def banded_of(matrix: sparse.csr_array, lattice: Lattice) -> FloatArray:
    """The lower diagonals of a symmetric matrix of the same pattern."""
    entries = sparse.coo_array(matrix)
    lower = entries.row >= entries.col
    found = np.zeros((band_of(lattice), matrix.shape[0]))
    row, column = entries.row[lower], entries.col[lower]
    found[row - column, column] = entries.data[lower]
    return found


def solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solution of a positive definite band system, damped just enough where it is singular."""
    size = float(matrix[0].max())
    for damping in (1e-10, 1e-6, 1e-3):
        here = matrix.copy()
        here[0] += damping * (size or 1.0)
        try:
            return np.asarray(linalg.solveh_banded(here, right, lower=True, check_finite=False))
        except linalg.LinAlgError:
            continue
    return np.zeros_like(right)


def _designs(lattice: Lattice, coordinates: tuple[Any, Any]) -> tuple[FloatArray, FloatArray]:
    down, across = (
        _design(axis, np.asarray(each, float).tobytes())
        for axis, each in zip(lattice.axes, coordinates, strict=True)
    )
    return down, across


@lru_cache(maxsize=32)
def _design(axis: Axis, coordinates: bytes) -> FloatArray:
    found: FloatArray = axis.design(np.frombuffer(coordinates)).toarray()
    return found
