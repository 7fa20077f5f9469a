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
from napari_framewise.numerics.mixing.own_pixels import ResidualSums, reweighted, sizes
from napari_framewise.numerics.mixing.pixels import OwnPixels
from napari_framewise.numerics.mixing.result import MixingFit, Status
from napari_framewise.numerics.mixing.system import (
    Solution,
    System,
    solve,
    solved,
    unpacked,
)

FloatArray = NDArray[np.float64]
TUNING = 1.345
_SCALE_STEPS = 4
_MOST_STEPS = 100


def finish_robust(
    pixels: OwnPixels,
    system: System,
    design: Design,
    result: MixingFit,
    rows: NDArray[np.int64],
) -> None:
    """Fit frames with pixels of their own and write their `rows`.

    Classical errors follow Huber (1981, eq. 7.6.5),
    ``K^2 [sum psi^2 / (n - p)] / m^2 G^-1`` with ``m`` the share of pixels within k s and
    ``K = 1 + p (1 - m) / (n m)``; consistent ones are the sandwich
    ``A^-1 [sum psi^2 Q Q^T / (1 - h)^a] A^-1`` (see `consistent`) with A the Gram matrix of the
    pixels within k s.
    """
    first = solve(system, design)
    points, scale, settled = _reweight_freely(pixels, first.free, system.n_pixels)
    bounded, active, failed = points.copy(), np.zeros_like(first.active), first.failed & False
    outside = _outside(points, design)
    if len(outside):
        inner, inner_system = pixels.rows(outside), _rows_of(system, outside)
        bounded[outside], settled_inner = _reweight_within(
            inner, inner_system, design, first.bounded[outside], scale[outside]
        )
        gram_there, gradient = _weighted(inner, bounded[outside], scale[outside])
        last = solve(replace(inner_system, gram=gram_there, gradient=gradient), design)
        active[outside], failed[outside] = last.active, last.failed
        settled[outside] &= settled_inner
    limit = TUNING * scale
    at_free = pixels.sums(points, limit=limit, freedom=True)
    at_bounded = pixels.sums(bounded, limit=limit) if len(outside) else at_free
    error_gram = unpacked(at_bounded.inside_products, design.n_unknowns)
    weak = np.linalg.eigvalsh(error_gram)[:, 0] < 1e-10
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


def _reweight_freely(
    pixels: OwnPixels, points: FloatArray, counts: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Reweight without bounds until the points settle: points, scales, and which have.

    A frame that has settled is left alone, so that its numbers do not hang on the others'.
    """
    size = np.where(np.isfinite(pixels.distance), pixels.distance, 0.0)
    least = 1e-10 * np.sqrt(np.einsum("np,np->n", size, size))
    points, scale = points.copy(), least.copy()
    settled = np.zeros(len(points), np.bool_)
    moving, open_rows = pixels, np.arange(len(points))
    for step in range(_MOST_STEPS):
        here = points[open_rows]
        if step < _SCALE_STEPS:
            scale = np.maximum(
                _spread(sizes(moving.distance, moving.shared.basis, here), counts), least
            )
        held = scale[open_rows]
        moved = solved(*_weighted(moving, here, held))
        done = _has_settled(moved, here, held)
        points[open_rows] = moved
        if step < _SCALE_STEPS:
            continue
        settled[open_rows[done]] = True
        if done.all():
            break
        if done.any():
            moving, open_rows = moving.rows(np.flatnonzero(~done)), open_rows[~done]
    return points, scale, settled


def _reweight_within(
    pixels: OwnPixels, system: System, design: Design, points: FloatArray, scale: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Reweight within the bounds, the scales being known: points, and which have settled."""
    points = points.copy()
    settled = np.zeros(len(points), np.bool_)
    moving, open_rows = pixels, np.arange(len(points))
    for _ in range(_MOST_STEPS):
        here, held = points[open_rows], scale[open_rows]
        gram, gradient = _weighted(moving, here, held)
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


def _weighted(
    pixels: OwnPixels, points: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gram matrix and gradient with every pixel's weight at these points."""
    gram, gradient = reweighted(
        pixels.distance, pixels.shared.basis, points, TUNING * scale, pixels.shared.products
    )
    return unpacked(gram, len(pixels.shared.basis)), gradient


def _spread(size: FloatArray, counts: NDArray[np.int64]) -> FloatArray:
    """``median |e| / 0.6745`` over each frame's own pixels; others are infinite."""
    middle = np.empty(len(size))
    for count in np.unique(counts):
        chosen = counts == count
        # one place asked for is found five times as soon as two
        parted = np.partition(size[chosen], count // 2, axis=1)
        upper = parted[:, count // 2]
        if count % 2:
            middle[chosen] = upper
        else:
            middle[chosen] = (parted[:, : count // 2].max(axis=1) + upper) / 2
    return middle / 0.6744897501960817


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
