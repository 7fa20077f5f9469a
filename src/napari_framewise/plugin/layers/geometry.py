"""Where layers lie, exactly: pixels of one as pixels of another, whatever transforms they have."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer
from pint import DimensionalityError

from napari_framewise.stacks.source import Array


def shear_matrix(shear: Any, n: int) -> Array:
    """A layer's shear, which is a matrix or the part of it above the diagonal, as a matrix."""
    values = np.asarray(shear, dtype=float)
    if values.ndim == 2:
        return values
    matrix = np.eye(n)
    matrix[np.triu_indices(n, 1)] = values
    return matrix


def stands_apart(layer: Layer, count: int) -> bool:
    """Whether a layer's last axes are turned and sheared only among themselves."""
    inside, outside = slice(layer.ndim - count, layer.ndim), slice(0, layer.ndim - count)
    return not _mixes(world_matrix(layer), inside, outside)


def world_matrix(layer: Layer) -> Array:
    """Matrix (n + 1, n + 1) from the layer's pixels to its world, in the layer's own units."""
    n = layer.ndim
    own = np.eye(n + 1)
    own[:n, :n] = np.asarray(layer.rotate) @ shear_matrix(layer.shear, n) @ np.diag(layer.scale)
    own[:n, n] = layer.translate
    return np.asarray(layer.affine.affine_matrix) @ own


def pixels_of(layer: Layer, other: Layer) -> Array | None:
    """Matrix from a layer's pixels to another's, along the axes that both have; None if the same.

    napari lays layers on each other by their last axes. What has fewer of them lies in all planes
    of the other.

    Returns
    -------
    ndarray
        (m + 1, n + 1) for the last m axes of the other and the n axes of the layer, where m is the
        smaller of both numbers.

    Raises
    ------
    ValueError
        Where the other is turned out of the plane of the axes that both have.
    """
    n, k = layer.ndim, other.ndim
    m = min(n, k)
    mine, its = world_matrix(layer), world_matrix(other)
    if n == k and np.array_equal(mine, its) and layer.units == other.units:
        return None
    own, rest = slice(k - m, k), slice(0, k - m)
    if _mixes(its, own, rest):
        raise ValueError(
            f"{other.name} is turned or sheared along an axis that {layer.name} does not have, so "
            f"{layer.name} has no place in it; give both as many axes."
        )
    base = np.eye(m + 1)
    base[:m, :m], base[:m, m] = its[own, own], its[own, k]
    world = np.vstack([mine[n - m : n], np.eye(n + 1)[n]])
    world[:m] *= _unit_ratios(layer, other, m)[:, None]
    onto = np.linalg.solve(base, world)
    return None if _is_identity(onto, m, n) else _tidy(onto)


def _mixes(matrix: Array, some: slice, others: slice) -> bool:
    """Whether a matrix turns or shears some axes into others, beyond rounding."""
    limit = 1e-12 * np.abs(matrix[:-1, :-1]).max()
    return bool(
        (np.abs(matrix[some, others]) > limit).any() or (np.abs(matrix[others, some]) > limit).any()
    )


def _unit_ratios(layer: Layer, other: Layer, m: int) -> Array:
    """Units of the other in one of the layer's, along the last m axes; 1 where they don't go."""
    ratios = np.ones(m)
    try:
        for place, (mine, its) in enumerate(zip(layer.units[-m:], other.units[-m:], strict=True)):
            if mine != its:
                ratios[place] = (1 * mine).to(its).magnitude
    except DimensionalityError:
        # napari then takes no notice of any unit.
        return np.ones(m)
    return ratios


def _is_identity(matrix: Array, m: int, n: int) -> bool:
    wanted = np.zeros_like(matrix)
    wanted[:m, n - m : n] = np.eye(m)
    wanted[m, n] = 1
    return np.allclose(matrix, wanted, rtol=0, atol=1e-12)


def _tidy(matrix: Array) -> Array:
    """The matrix without what only rounding put there, so that centres of pixels stay centres."""
    near = np.rint(matrix)
    return np.where(np.abs(matrix - near) < 1e-12, near, matrix)
