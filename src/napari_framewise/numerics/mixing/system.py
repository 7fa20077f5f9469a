"""The small system that is left of a frame once its pixels are summed, and its solution.

Everything here is in the coordinates ``t`` of the design's orthonormal basis: few unknowns, well
conditioned however similar the references are, and all frames of a block at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.least_squares import project
from napari_framewise.numerics.mixing.consistent import PixelSums
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.reference_noise import ReferenceNoise, correction

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class System:
    """Normal equations of n frames; leading axes of 1 where all frames have the same.

    Attributes
    ----------
    gradient : (n, J) float64
        ``Q d``.
    gram : (n, J, J) float64 or None
        ``Q Q^T`` over each frame's pixels; None, the identity, where all are used.
    noise : ReferenceNoise or None
        Sums of the references' noise.
    tss : (n,) float64
        Total sum of squares about the weighted mean; NaN for a constant frame.
    weight_sum, n_pixels : (1 or n,)
        Summed weights and number of the pixels used.
    expected_rss : (1 or n, K + 2) float64, or of size 0
        Expected residual sum per coefficient, per unit of offset, and constant.
    own : PixelSums or None
        What degrees of freedom need of each frame's own pixels; None where all in use are, and
        with more unknowns than `MOST_PAIRED`.
    seen : (n, P) bool or None
        Each frame's own pixels, with as many.
    """

    gradient: FloatArray
    gram: FloatArray | None
    noise: ReferenceNoise | None
    tss: FloatArray
    weight_sum: FloatArray
    n_pixels: NDArray[np.int64]
    expected_rss: FloatArray
    own: PixelSums | None = None
    seen: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Solution:
    """Solutions in basis coordinates.

    Attributes
    ----------
    free, bounded : (n, J) float64
        Without and with the bounds.
    active : (n, L) bool
        Bounds that hold.
    failed : (n,) bool
        The bounded solution was not reached.
    """

    free: FloatArray
    bounded: FloatArray
    active: NDArray[np.bool_]
    failed: NDArray[np.bool_]


def corrected(system: System, design: Design) -> tuple[FloatArray | None, FloatArray]:
    """Gram matrix and gradient after the correction for noisy references."""
    if system.noise is None:
        return system.gram, system.gradient
    move = design.to_coefficients
    gram = np.eye(design.n_unknowns)[np.newaxis] if system.gram is None else system.gram
    pull = (system.noise.total * design.middle) @ move
    return gram - correction(system.noise, move), system.gradient + pull


@cache
def pairs(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of a packed upper triangle, row by row."""
    first, second = np.triu_indices(size)
    return first, second


def root_of(gram: FloatArray | None) -> FloatArray | None:
    """Cholesky factors of Gram matrices; None, the identity, stays None."""
    if gram is None:
        return None
    return np.asarray(np.sqrt(gram) if gram.shape[-1] == 1 else np.linalg.cholesky(gram))


def solve(system: System, design: Design) -> Solution:
    """Solve the normal equations of every frame, without and with the bounds."""
    gram, gradient = corrected(system, design)
    free = np.ascontiguousarray(gradient) if gram is None else solved(gram, gradient)
    n = len(free)
    if not len(design.bound_rows):
        return Solution(free, free, np.zeros((n, 0), np.bool_), np.zeros(n, np.bool_))
    root = root_of(gram)
    start = free if root is None else (free[:, None, :] @ root)[:, 0]
    point, active, status = project(start, whitened(root, design.bound_rows), design.bound_limits)
    if not active.any():
        return Solution(free, free, active, status > 0)
    if root is not None:
        point = solved(np.swapaxes(root, 1, 2), point)
    return Solution(free, point, active, status > 0)


def solved(matrices: FloatArray, points: FloatArray) -> FloatArray:
    """Solve one small system for every row of `points`."""
    return np.asarray(solved_columns(matrices, points[..., None])[..., 0], np.float64)


def solved_columns(matrices: FloatArray, right: FloatArray) -> FloatArray:
    """Solve for columns (n, J, m); systems of one are quotients, which LAPACK gives as well."""
    if matrices.shape[-1] == 1:
        return np.asarray(right / matrices)
    return np.asarray(np.linalg.solve(matrices, right))


def whitened(root: FloatArray | None, rows: FloatArray) -> FloatArray:
    """Rows in coordinates where the Gram matrix ``root root^T`` is the identity: (1 or n, L, J)."""
    if root is None:
        return rows[np.newaxis]
    columns = np.broadcast_to(rows.T, (len(root), *rows.T.shape))
    return np.ascontiguousarray(np.swapaxes(solved_columns(root, columns), 1, 2))


def white_core(root: FloatArray | None, core: FloatArray) -> FloatArray:
    """``root^-1 core root^-T``, with symmetric cores (1 or n, J, J)."""
    if root is None:
        return core
    half = solved_columns(root, core)
    return np.ascontiguousarray(solved_columns(root, np.swapaxes(half, 1, 2)))


def unpacked(packed: FloatArray, size: int) -> FloatArray:
    """Symmetric matrices (n, size, size) from their upper triangles (n, L)."""
    if size == 1:
        return packed[:, :, np.newaxis]
    first, second = pairs(size)
    full = np.empty((len(packed), size, size))
    full[:, first, second] = packed
    full[:, second, first] = packed
    return full


def packed_inverses(inverse: FloatArray) -> FloatArray:
    """Upper triangles (n, L) of symmetric matrices, so that ``h = packed . (Q_i Q_j)``."""
    first, second = pairs(inverse.shape[1])
    return np.asarray(inverse[:, first, second] * np.where(first == second, 1.0, 2.0))


def leverages(inverse: FloatArray, products: FloatArray) -> FloatArray:
    """Leverage ``Q^T G^-1 Q`` of every pixel of every frame: (n, P)."""
    return np.asarray(packed_inverses(inverse) @ products)
