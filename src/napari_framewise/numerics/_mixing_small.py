"""From the sums over a frame's pixels to its coefficients, errors and diagnostics.

Everything here is in the coordinates ``t`` of the design's orthonormal basis: few unknowns, well
conditioned however alike the references are, and all frames of a block at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics._mixing_design import Design
from napari_framewise.numerics._mixing_noise import ReferenceNoise, correction, shared_meat
from napari_framewise.numerics._mixing_result import MixingFit, Status
from napari_framewise.numerics.constrained import free_directions, project

FloatArray = NDArray[np.float64]
Rows = slice | NDArray[np.int64]


@dataclass(frozen=True)
class System:
    """Normal equations of n frames; leading axes of 1 where all frames have the same.

    Attributes
    ----------
    gradient : (n, J) float64
        ``Q d``.
    gram : (1 or n, J, J) float64
        ``Q Q^T`` over each frame's pixels; the identity where all are used.
    noise : ReferenceNoise or None
        Sums of the references' noise.
    tss : (n,) float64
        Total sum of squares about the weighted mean; NaN for a constant frame.
    weight_sum, n_pixels : (1 or n,)
        Summed weights and number of the pixels used.
    expected_rss : (1 or n, K + 2) float64, or of size 0
        Expected residual sum per coefficient, per unit of offset, and constant.
    """

    gradient: FloatArray
    gram: FloatArray
    noise: ReferenceNoise | None
    tss: FloatArray
    weight_sum: FloatArray
    n_pixels: NDArray[np.int64]
    expected_rss: FloatArray


@dataclass(frozen=True)
class Solution:
    """Solutions in basis coordinates.

    Attributes
    ----------
    unbounded, bounded : (n, J) float64
        Without and with the bounds.
    active : (n, L) bool
        Bounds that hold.
    failed : (n,) bool
        The bounded solution was not reached.
    """

    unbounded: FloatArray
    bounded: FloatArray
    active: NDArray[np.bool_]
    failed: NDArray[np.bool_]


@dataclass(frozen=True)
class Scatter:
    """How far the residuals of n frames go.

    Attributes
    ----------
    rss : (n,) float64
        Residual sum of squares at the bounded solution.
    variance, unbounded_variance : (n,) float64
        Noise variance at weight one, from the bounded and the unbounded residuals; NaN where it
        cannot be told.
    meat : callable or None
        ``meat(points, rows)``: the packed sandwich meat of the frames `rows` (all if None) at
        `points`; None for classical errors.
    """

    rss: FloatArray
    variance: FloatArray
    unbounded_variance: FloatArray
    meat: Callable[[FloatArray, NDArray[np.int64] | None], FloatArray] | None


def products_of(basis: FloatArray) -> FloatArray:
    """Rows ``Q_i Q_j`` for i <= j."""
    first, second = np.triu_indices(len(basis))
    return np.asarray(basis[first] * basis[second])


def unpacked(packed: FloatArray, size: int) -> FloatArray:
    """Symmetric matrices (n, size, size) from their upper triangles (n, L)."""
    first, second = np.triu_indices(size)
    full = np.empty((len(packed), size, size))
    full[:, first, second] = packed
    full[:, second, first] = packed
    return full


def leverages(gram: FloatArray, products: FloatArray) -> FloatArray:
    """Leverage ``Q^T G^-1 Q`` of every pixel of every frame: (n, P)."""
    first, second = np.triu_indices(gram.shape[1])
    inverse = np.linalg.inv(gram)[:, first, second] * np.where(first == second, 1.0, 2.0)
    return np.asarray(inverse @ products)


def corrected(system: System, design: Design) -> tuple[FloatArray, FloatArray]:
    """Gram matrix and gradient after the correction for noisy references."""
    if system.noise is None:
        return system.gram, system.gradient
    move = design.to_coefficients
    pull = (system.noise.total * design.middle) @ move
    return system.gram - correction(system.noise, move), system.gradient + pull


def solve(system: System, design: Design) -> Solution:
    """Solve the normal equations of every frame, without and with the bounds."""
    gram, gradient = corrected(system, design)
    shared = len(gram) == 1
    if shared:
        unbounded = np.linalg.solve(gram[0], gradient.T).T
    else:
        unbounded = np.linalg.solve(gram, gradient[..., None])[..., 0]
    n = len(gradient)
    rows = design.bounds.rows @ design.to_coefficients
    if not len(rows):
        nothing = np.zeros((n, 0), np.bool_)
        return Solution(unbounded, unbounded, nothing, np.zeros(n, np.bool_))
    limits = design.bounds.limits - design.bounds.rows @ design.middle
    root: FloatArray = np.asarray(np.linalg.cholesky(gram), np.float64)
    start = unbounded @ root[0] if shared else np.einsum("nij,ni->nj", root, unbounded)
    point, active, status = project(start, _whitened(root, rows), limits)
    if shared:
        bounded = np.linalg.solve(root[0].T, point.T).T
    else:
        bounded = np.linalg.solve(np.swapaxes(root, 1, 2), point[..., None])[..., 0]
    return Solution(unbounded, bounded, active, status > 0)


def _whitened(root: FloatArray, rows: FloatArray) -> FloatArray:
    """Rows of the bounds in coordinates where the Gram matrix ``root root^T`` is the identity."""
    full = np.broadcast_to(rows.T, (len(root), *rows.T.shape))
    return np.swapaxes(np.linalg.solve(root, full), 1, 2)


def held_inverse(gram: FloatArray, active: NDArray[np.bool_], design: Design) -> FloatArray:
    """Inverse of the Gram matrix within the directions that active bounds leave: (m, J, J)."""
    root: FloatArray = np.asarray(np.linalg.cholesky(gram), np.float64)
    rows = design.bounds.rows @ design.to_coefficients
    free = free_directions(_whitened(root, rows), active)
    half: FloatArray = np.asarray(np.linalg.solve(np.swapaxes(root, 1, 2), free), np.float64)
    return half @ np.swapaxes(half, 1, 2)


def finish_linear(
    system: System,
    solution: Solution,
    rss_of: Callable[[FloatArray], FloatArray],
    meat_of: Callable[[FloatArray, NDArray[np.int64] | None], FloatArray],
    design: Design,
    result: MixingFit,
    where: Rows,
) -> None:
    """Write the rows `where` of `result` for a least-squares fit.

    ``rss_of(points)`` gives residual sums of squares, `meat_of` is `Scatter.meat`.
    """
    freedom = system.n_pixels - design.n_unknowns + np.zeros(len(system.gradient))

    def variance(points: FloatArray, rss: FloatArray, dof: FloatArray) -> FloatArray:
        if system.noise is not None:
            raw = design.middle + points @ design.to_coefficients.T
            rss = rss - (raw**2 * system.noise.total).sum(axis=1)
        return rss / np.where(dof > 0, dof, np.nan)

    rss = rss_of(solution.bounded)
    free_rss = rss_of(solution.unbounded)
    scatter = Scatter(
        rss,
        variance(solution.bounded, rss, freedom + solution.active.sum(axis=1)),
        variance(solution.unbounded, free_rss, freedom),
        meat_of if design.errors == "consistent" else None,
    )
    finish(system, solution, scatter, design, result, where)


def finish(
    system: System,
    solution: Solution,
    scatter: Scatter,
    design: Design,
    result: MixingFit,
    where: Rows,
    *,
    error_gram: FloatArray | None = None,
) -> None:
    """Write the rows `where` of `result`; `error_gram` replaces the Gram matrix in the errors."""
    move = design.to_coefficients
    raw = design.middle + solution.bounded @ move.T
    free_raw = design.middle + solution.unbounded @ move.T
    _snap(raw, solution.active, design)
    held = np.flatnonzero(solution.active.any(axis=1))
    n_active = solution.active.sum(axis=1)
    status = np.zeros(len(raw), np.uint8)
    status[held] |= int(Status.AT_BOUND)
    status[solution.failed] |= int(Status.NOT_CONVERGED)
    at_bound = _at_bound(solution.active, n_active, design)

    gram = corrected(system, design)[0] if error_gram is None else error_gram
    bread: FloatArray = np.asarray(np.linalg.inv(gram), np.float64)
    map_all = np.vstack([move, design.to_offset])
    covariance = _covariance(
        bread, system, solution.unbounded, free_raw, scatter.unbounded_variance, scatter, map_all
    )
    free_covariance = covariance
    shared = _shared(bread, system, raw, design, map_all)
    if len(held):
        part = gram if len(gram) == 1 else gram[held]
        inner = held_inverse(part, solution.active[held], design)
        covariance = covariance.copy()
        covariance[held] = _covariance(
            inner,
            _subset(system, held),
            solution.bounded[held],
            raw[held],
            scatter.variance[held],
            scatter,
            map_all,
            rows=held,
        )
        if shared is not None:
            shared[held] = _shared(inner, _subset(system, held), raw[held], design, map_all)
    _write(
        system,
        scatter,
        design,
        result,
        where,
        raw=raw,
        free_raw=free_raw,
        offset=solution.bounded @ design.to_offset,
        covariance=covariance,
        free_covariance=free_covariance,
        shared=shared,
        at_bound=at_bound,
        n_active=n_active,
        status=status,
    )


def _snap(raw: FloatArray, active: NDArray[np.bool_], design: Design) -> None:
    """Put coefficients at an active bound exactly onto it."""
    if design.gain:
        return
    for row, k in enumerate(design.bounds.member):
        limit = design.bounds.limits[row] * design.bounds.rows[row, k]
        raw[active[:, row], k] = limit


def _at_bound(
    active: NDArray[np.bool_], n_active: NDArray[np.int64], design: Design
) -> NDArray[np.bool_]:
    at_bound = np.zeros((len(active), design.n_references), np.bool_)
    for row, k in enumerate(design.bounds.member):
        at_bound[:, k] |= active[:, row]
    # what the sum leaves to the last coefficient is held as well
    at_bound[n_active >= design.n_unknowns - design.offset - design.gain] |= len(active.T) > 0
    return at_bound


def _subset(system: System, rows: NDArray[np.int64]) -> System:
    def pick(values: FloatArray) -> FloatArray:
        return values if len(values) <= 1 else values[rows]

    noise = system.noise
    if noise is not None and len(noise.total) > 1:
        noise = ReferenceNoise(
            noise.variance,
            noise.total[rows],
            noise.spread[rows],
            noise.square[rows],
            noise.sandwich[rows],
        )
    return System(
        system.gradient[rows],
        pick(system.gram),
        noise,
        system.tss[rows],
        pick(system.weight_sum),
        system.n_pixels if len(system.n_pixels) <= 1 else system.n_pixels[rows],
        pick(system.expected_rss),
    )


def _covariance(
    bread: FloatArray,
    system: System,
    points: FloatArray,
    raw: FloatArray,
    variance: FloatArray,
    scatter: Scatter,
    map_all: FloatArray,
    rows: NDArray[np.int64] | None = None,
) -> FloatArray:
    """Covariance (n, K + 1, K + 1) of the coefficients before a gain, and of the offset."""
    if scatter.meat is None:
        left = map_all @ bread
        each = left @ system.gram @ np.swapaxes(left, 1, 2)
        return np.asarray(variance[:, None, None] * each)
    packed = scatter.meat(points, rows)
    if system.noise is not None:
        sandwich = np.broadcast_to(
            system.noise.sandwich, (len(packed), *system.noise.sandwich.shape[1:])
        )
        packed = packed - np.einsum("nk,nkl->nl", raw**2, sandwich)
    size = bread.shape[1]
    first, second = np.triu_indices(size)
    if len(bread) == 1:
        left = map_all @ bread[0]
        pairs = left[:, None, first] * left[None, :, second]
        twins = left[:, None, second] * left[None, :, first]
        pairs += np.where(first == second, 0.0, twins)
        flat = packed @ pairs.reshape(-1, len(first)).T
        return np.asarray(flat.reshape(len(packed), len(map_all), len(map_all)))
    left = map_all @ bread
    return np.asarray(left @ unpacked(packed, size) @ np.swapaxes(left, 1, 2))


def _shared(
    bread: FloatArray, system: System, raw: FloatArray, design: Design, map_all: FloatArray
) -> FloatArray | None:
    if system.noise is None:
        return None
    left = map_all @ bread
    meat = shared_meat(system.noise, raw, design.to_coefficients)
    return np.asarray(left @ meat @ np.swapaxes(left, 1, 2))


def _shares(raw: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """``x = b / sum(b)`` and its covariance by the delta method, ``J = (I - x 1^T) / sum(b)``."""
    total = raw.sum(axis=1)
    total = np.where(total > 0, total, np.nan)
    x = raw / total[:, None]
    slope = (np.eye(raw.shape[1]) - x[:, :, None]) / total[:, None, None]
    return x, slope @ covariance @ np.swapaxes(slope, 1, 2)


def _write(
    system: System,
    scatter: Scatter,
    design: Design,
    result: MixingFit,
    where: Rows,
    *,
    raw: FloatArray,
    free_raw: FloatArray,
    offset: FloatArray,
    covariance: FloatArray,
    free_covariance: FloatArray,
    shared: FloatArray | None,
    at_bound: NDArray[np.bool_],
    n_active: NDArray[np.int64],
    status: NDArray[np.uint8],
) -> None:
    count = design.n_references
    unresolved = _unresolved(covariance[:, :count, :count], system)
    status[unresolved] |= int(Status.NOISE_UNRESOLVED)
    covariance[unresolved] = np.nan
    result.rss[where] = scatter.rss
    result.rmse[where] = np.sqrt(scatter.rss / system.weight_sum)
    result.r2[where] = 1 - scatter.rss / system.tss
    if system.expected_rss.size:
        terms = np.column_stack([raw, offset, np.ones(len(raw))])
        expected = (terms * system.expected_rss).sum(axis=1)
        if system.noise is not None:
            expected += (raw**2 * system.noise.total).sum(axis=1)
        result.chi2[where] = scatter.rss / np.where(expected > 0, expected, np.nan)
    result.n_pixels[where] = system.n_pixels
    result.dof[where] = system.n_pixels - design.n_unknowns + n_active
    result.offset[where] = offset
    if design.offset:
        result.offset_errors[where] = _root(covariance[:, count, count])
    covariance = covariance[:, :count, :count]
    free_covariance = free_covariance[:, :count, :count]
    shared = None if shared is None else shared[:, :count, :count]
    if design.gain:
        total = raw.sum(axis=1)
        status[~(total > 0)] |= int(Status.NO_GAIN)
        result.gain[where] = total
        result.gain_errors[where] = _root(covariance.sum(axis=(1, 2)))
        if shared is not None:
            shared = _shares(raw, shared)[1]
        raw, covariance = _shares(raw, covariance)
        free_raw, free_covariance = _shares(free_raw, free_covariance)
    else:
        result.gain[where] = 1.0
    covariance[at_bound] = np.nan
    np.swapaxes(covariance, 1, 2)[at_bound] = np.nan
    result.coefficients[where] = raw
    result.covariance[where] = covariance
    result.errors[where] = _root(np.diagonal(covariance, axis1=1, axis2=2))
    result.unconstrained[where] = free_raw
    result.unconstrained_errors[where] = _root(np.diagonal(free_covariance, axis1=1, axis2=2))
    if shared is None:
        result.shared_errors[where] = 0.0
    else:
        errors = _root(np.diagonal(shared, axis1=1, axis2=2))
        errors[at_bound] = np.nan
        result.shared_errors[where] = errors
    result.at_bound[where] = at_bound
    result.status[where] |= status


def _root(variance: FloatArray) -> FloatArray:
    return np.sqrt(np.where(variance >= 0, variance, np.nan))


def _unresolved(covariance: FloatArray, system: System) -> NDArray[np.bool_]:
    """Frames whose residual is no larger than the references' noise explains."""
    if system.noise is None:
        return np.zeros(len(covariance), np.bool_)
    return np.asarray((np.diagonal(covariance, axis1=1, axis2=2) < 0).any(axis=1))
