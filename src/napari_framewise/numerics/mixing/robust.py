"""Robust mixing coefficients: Huber's loss by iterated reweighting.

Minimises ``sum rho(e / s)``, with rho quadratic up to ``k = 1.345`` (95 % efficient under Gaussian
noise) and linear beyond (Huber, 1964, Ann. Math. Stat. 35, 73-101), e the residual times the root
of its weight. The scale s is ``median |e| / 0.6745``; it is taken anew in the first iterations
and then held, so that what is solved is convex (Huber, 1981, Robust Statistics, section 7.8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.mixing.consistent import damping
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.finish import Scatter, finish
from napari_framewise.numerics.mixing.result import MixingFit, Status
from napari_framewise.numerics.mixing.system import (
    Solution,
    System,
    leverages,
    solve,
    solved,
    unpacked,
)

FloatArray = NDArray[np.float64]
TUNING = 1.345
_SCALE_STEPS = 4
_MOST_STEPS = 100


@dataclass(frozen=True)
class _Pixels:
    """Weighted distances (n, P) from the middle mixture, which of them count, and ``Q_i Q_j``."""

    distance: FloatArray
    used: FloatArray
    gram: FloatArray
    products: FloatArray
    basis: FloatArray

    def left(self, points: FloatArray) -> FloatArray:
        return np.asarray(self.used * (self.distance - points @ self.basis))

    def of(self, rows: NDArray[np.int64]) -> _Pixels:
        return replace(
            self, distance=self.distance[rows], used=self.used[rows], gram=self.gram[rows]
        )


def finish_robust(
    distance: FloatArray,
    used: FloatArray,
    gram: FloatArray,
    products: FloatArray,
    system: System,
    design: Design,
    result: MixingFit,
    rows: NDArray[np.int64],
) -> None:
    """Fit frames of weighted distances (n, P) from the middle mixture and write their `rows`.

    Classical errors follow Huber (1981, eq. 7.6.5),
    ``K^2 [sum psi^2 / (n - p)] / m^2 G^-1`` with ``m`` the share of pixels within k s and
    ``K = 1 + p (1 - m) / (n m)``; consistent ones are the sandwich
    ``A^-1 [sum psi^2 Q Q^T / (1 - h)^a] A^-1`` (see `consistent`) with A the Gram matrix of the
    pixels within k s.
    """
    pixels = _Pixels(distance, used, gram, products, design.basis)
    first = solve(system, design)
    points, scale, settled = _iterate(pixels, system, design, first.free, None)
    bounded, active, failed = points.copy(), np.zeros_like(first.active), first.failed & False
    outside = _outside(points, design)
    if len(outside):
        inner, inner_system = pixels.of(outside), _rows_of(system, outside)
        bounded[outside], _, settled_inner = _iterate(
            inner, inner_system, design, first.bounded[outside], scale[outside]
        )
        gram_there, gradient = _weighted(inner, bounded[outside], scale[outside])
        last = solve(replace(inner_system, gram=gram_there, gradient=gradient), design)
        active[outside], failed[outside] = last.active, last.failed
        settled[outside] &= settled_inner
    left = pixels.left(bounded)
    limit = TUNING * scale[:, None]
    inside = used * (np.abs(left) <= limit)
    error_gram = unpacked(inside @ products.T, design.n_unknowns)
    weak = np.linalg.eigvalsh(error_gram)[:, 0] < 1e-10
    error_gram[weak] = gram[weak]

    def meat_of(at: FloatArray, part: NDArray[np.int64] | None) -> FloatArray:
        chosen = np.arange(len(rows)) if part is None else part
        pull = np.clip(pixels.of(chosen).left(at), -limit[chosen], limit[chosen])
        pull = pull**2 / damping(leverages(gram[chosen], products), design.errors)
        return np.asarray(pull @ products.T)

    consistent = design.errors != "classical"
    freedom = system.n_pixels - design.n_unknowns
    scatter = Scatter(
        np.einsum("np,np->n", left, left),
        _variance(left, used, scale, freedom + active.sum(axis=1)),
        _variance(pixels.left(points), used, scale, freedom),
        meat_of if consistent else None,
    )
    solution = Solution(points, bounded, active, failed)
    finish(
        system,
        solution,
        scatter,
        design,
        result,
        rows,
        error_gram=error_gram if consistent else None,
    )
    result.status[rows[~settled]] |= int(Status.NOT_CONVERGED)


def _iterate(
    pixels: _Pixels,
    system: System,
    design: Design,
    points: FloatArray,
    scale: FloatArray | None,
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Reweight until the points settle; with a `scale` given, it is held and bounds are kept."""
    bounded = scale is not None
    least = 1e-10 * np.sqrt(np.einsum("np,np->n", pixels.distance, pixels.distance))
    held = least if scale is None else scale
    settled = np.zeros(len(points), np.bool_)
    for step in range(_MOST_STEPS):
        if not bounded and step < _SCALE_STEPS:
            held = np.maximum(_spread(pixels.left(points), pixels.used), least)
        gram, gradient = _weighted(pixels, points, held)
        if bounded:
            moved = solve(replace(system, gram=gram, gradient=gradient), design).bounded
        else:
            moved = solved(gram, gradient)
        settled = np.abs(moved - points).max(axis=1) <= 1e-8 * held + 1e-14 * np.abs(moved).max(
            axis=1
        )
        points = moved
        if settled.all() and (bounded or step >= _SCALE_STEPS):
            break
    return points, held, settled


def _weighted(
    pixels: _Pixels, points: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gram matrix and gradient with every pixel's weight at these points."""
    limit = TUNING * scale[:, None]
    size = np.abs(pixels.left(points))
    weight = pixels.used * (limit / np.maximum(size, np.where(limit > 0, limit, 1.0)))
    gram = unpacked(weight @ pixels.products.T, len(pixels.basis))
    return gram, np.asarray((weight * pixels.distance) @ pixels.basis.T)


def _spread(left: FloatArray, used: FloatArray) -> FloatArray:
    """``median |e| / 0.6745`` over each frame's own pixels."""
    size = np.where(used > 0, np.abs(left), np.inf)
    counts = used.sum(axis=1).astype(np.int64)
    middle = np.empty(len(size))
    for count in np.unique(counts):
        chosen = counts == count
        places = [(count - 1) // 2, count // 2]
        middle[chosen] = np.partition(size[chosen], places, axis=1)[:, places].mean(axis=1)
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
    left: FloatArray, used: FloatArray, scale: FloatArray, freedom: NDArray[np.int64]
) -> FloatArray:
    limit = TUNING * scale[:, None]
    pull = np.clip(left, -limit, limit)
    counts = used.sum(axis=1)
    share = (used * (np.abs(left) <= limit)).sum(axis=1) / counts
    widening = 1 + (counts - freedom) / counts * (1 - share) / share
    spread = np.einsum("np,np->n", pull, pull) / np.where(freedom > 0, freedom, np.nan)
    return np.asarray(widening**2 * spread / share**2)
