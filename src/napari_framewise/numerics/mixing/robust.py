"""Robust mixing coefficients: Huber's loss by iterated reweighting.

Minimises ``sum rho(e / s)``, with rho quadratic up to ``k = 1.345`` (95 % efficient under Gaussian
noise) and linear beyond (Huber, 1964, Ann. Math. Stat. 35, 73-101), e the residual times the root
of its weight. The scale s is ``median |e| / 0.6745``; it is taken anew in the first iterations
and then held, so that what is solved is convex (Huber, 1981, Robust Statistics, section 7.8).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.finish import Scatter, finish
from napari_framewise.numerics.mixing.own_pixels import ResidualSums
from napari_framewise.numerics.mixing.pixels import OwnPixels
from napari_framewise.numerics.mixing.result import MixingFit, Status
from napari_framewise.numerics.mixing.robust_kernel import TUNING, RobustPoints
from napari_framewise.numerics.mixing.small_systems import solve_packed
from napari_framewise.numerics.mixing.system import Solution, System, solve, unpacked

FloatArray = NDArray[np.float64]
_MOST_STEPS = 100


def finish_robust(
    pixels: OwnPixels,
    system: System,
    design: Design,
    free: RobustPoints,
    at_free: ResidualSums,
    result: MixingFit,
    rows: NDArray[np.int64],
) -> None:
    """Bound the solutions of frames with pixels of their own and write their `rows`.

    Classical errors follow Huber (1981, eq. 7.6.5),
    ``K^2 [sum psi^2 / (n - p)] / m^2 G^-1`` with ``m`` the share of pixels within k s and
    ``K = 1 + p (1 - m) / (n m)``; consistent ones are the sandwich
    ``A^-1 [sum psi^2 Q Q^T / (1 - h)^a] A^-1`` (see `consistent`) with A the Gram matrix of the
    pixels within k s.
    """
    points, scale, settled = free.points, free.scale, free.settled.copy()
    bounded = points.copy()
    active = np.zeros((len(points), len(design.bound_rows)), np.bool_)
    failed = np.zeros(len(points), np.bool_)
    outside = _outside(points, design)
    if len(outside):
        inner, inner_system = pixels.rows(outside), _rows_of(system, outside)
        start = solve(inner_system, design).bounded
        bounded[outside], settled_inner = _reweight_within(
            inner, inner_system, design, start, scale[outside]
        )
        gram_there, gradient = inner.weighted(bounded[outside], TUNING * scale[outside])
        last = solve(replace(inner_system, gram=gram_there, gradient=gradient), design)
        active[outside], failed[outside] = last.active, last.failed
        settled[outside] &= settled_inner
    limit = TUNING * scale
    at_bounded = pixels.sums(bounded, limit=limit) if len(outside) else at_free
    error_gram = unpacked(at_bounded.inside_products, design.n_unknowns)
    weak = ~solve_packed(at_bounded.inside_products, points, 1e-10)[2]
    error_gram[weak] = pixels.gram[weak]

    def meat_of(at: FloatArray, part: NDArray[np.int64] | None) -> FloatArray:
        if at is points and part is None:
            return at_free.meat
        chosen = np.arange(len(rows)) if part is None else part
        return pixels.rows(chosen).sums(at, limit=limit[chosen]).meat

    consistent = design.errors != "classical"
    freedom = system.n_pixels - design.n_unknowns
    scatter = Scatter(
        at_bounded.rss,
        _variance(at_bounded, system.n_pixels, freedom + active.sum(axis=1)),
        _variance(at_free, system.n_pixels, freedom),
        meat_of if consistent else None,
    )
    solution = Solution(points, bounded, active, failed)
    finish(
        pixels.with_freedom(system, at_free),
        solution,
        scatter,
        design,
        result,
        rows,
        error_gram=error_gram if consistent else None,
    )
    result.status[rows[~settled]] |= int(Status.NOT_CONVERGED)


def _reweight_within(
    pixels: OwnPixels, system: System, design: Design, points: FloatArray, scale: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Reweight within the bounds, the scales being known: points, and which have settled."""
    points = points.copy()
    settled = np.zeros(len(points), np.bool_)
    moving, open_rows = pixels, np.arange(len(points))
    for _ in range(_MOST_STEPS):
        here, held = points[open_rows], scale[open_rows]
        gram, gradient = moving.weighted(here, TUNING * held)
        part = _rows_of(system, open_rows)
        moved = solve(replace(part, gram=gram, gradient=gradient), design).bounded
        done = _has_settled(moved, here, held)
        points[open_rows] = moved
        settled[open_rows[done]] = True
        if done.all():
            break
        if done.any():
            moving, open_rows = moving.rows(np.flatnonzero(~done)), open_rows[~done]
    return points, settled


def _has_settled(moved: FloatArray, before: FloatArray, scale: FloatArray) -> NDArray[np.bool_]:
    least = 1e-8 * scale + 1e-14 * np.abs(moved).max(axis=1)
    return np.asarray(np.abs(moved - before).max(axis=1) <= least)


def _outside(points: FloatArray, design: Design) -> NDArray[np.int64]:
    if not len(design.bounds.rows):
        return np.empty(0, np.int64)
    raw = design.middle + points @ design.to_coefficients.T
    slack = raw @ design.bounds.rows.T - design.bounds.limits
    return np.flatnonzero((slack < 0).any(axis=1))


def _rows_of(system: System, rows: NDArray[np.int64]) -> System:
    gram = None if system.gram is None else system.gram[rows]
    return replace(system, gradient=system.gradient[rows], gram=gram)


def _variance(
    sums: ResidualSums, n_pixels: NDArray[np.int64], freedom: NDArray[np.int64]
) -> FloatArray:
    share = sums.inside / n_pixels
    widening = 1 + (n_pixels - freedom) / n_pixels * (1 - share) / share
    spread = sums.clipped / np.where(freedom > 0, freedom, np.nan)
    return np.asarray(widening**2 * spread / share**2)
