"""From solutions and residuals to coefficients, errors and diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.error_freedom import write_freedom
from napari_framewise.numerics.mixing.reference_noise import shared_meat
from napari_framewise.numerics.mixing.result import MixingFit, Status, empty_fit
from napari_framewise.numerics.mixing.rows_kernel import (
    Answers,
    Points,
    Residuals,
    Rows,
    Spreads,
    write_rows,
)
from napari_framewise.numerics.mixing.system import (
    Solution,
    System,
    corrected,
    root_of,
    unpacked,
    white_core,
    whitened,
)

FloatArray = NDArray[np.float64]
Where = slice | NDArray[np.int64]
Meat = Callable[[FloatArray, NDArray[np.int64] | None], FloatArray]


@dataclass(frozen=True)
class Scatter:
    """How far the residuals of n frames go.

    Attributes
    ----------
    rss : (n,) float64
        Residual sum of squares at the bounded solution.
    variance, free_variance : (n,) float64
        Noise variance at weight one, from the residuals with and without the bounds; NaN where it
        cannot be told.
    meat : callable or None
        ``meat(points, rows)``: the packed sandwich meat of the frames `rows` (all if None) at
        `points`; None for classical errors.
    """

    rss: FloatArray
    variance: FloatArray
    free_variance: FloatArray
    meat: Meat | None


def finish_linear(
    system: System,
    solution: Solution,
    rss_of: Callable[[FloatArray], FloatArray],
    meat_of: Meat,
    design: Design,
    result: MixingFit,
    where: Where,
) -> None:
    """Write the rows `where` of `result` for a least-squares fit.

    ``rss_of(points)`` gives residual sums of squares, `meat_of` is `Scatter.meat`.
    """
    freedom = system.n_pixels - design.n_unknowns

    def variance(points: FloatArray, rss: FloatArray, dof: NDArray[np.int64]) -> FloatArray:
        if system.noise is not None:
            raw = design.middle + points @ design.to_coefficients.T
            rss = rss - (raw**2 * system.noise.total).sum(axis=1)
        return np.asarray(rss / np.where(dof > 0, dof, np.nan))

    rss = rss_of(solution.bounded)
    spread = free_spread = variance(solution.bounded, rss, freedom)
    if solution.bounded is not solution.free:
        spread = variance(solution.bounded, rss, freedom + solution.active.sum(axis=1))
        free_spread = variance(solution.free, rss_of(solution.free), freedom)
    meat = None if design.errors == "classical" else meat_of
    finish(system, solution, Scatter(rss, spread, free_spread, meat), design, result, where)


def finish(
    system: System,
    solution: Solution,
    scatter: Scatter,
    design: Design,
    result: MixingFit,
    where: Where,
    *,
    error_gram: FloatArray | None = None,
) -> None:
    """Write the rows `where` of `result`; `error_gram` replaces the Gram matrix in the errors."""
    n, size = solution.free.shape
    root = root_of(corrected(system, design)[0] if error_gram is None else error_gram)
    if scatter.meat is None:
        gram = np.eye(size)[np.newaxis] if system.gram is None else system.gram
        free_core = core = white_core(root, gram)
        variances = scatter.free_variance, scatter.variance
    else:
        free_core, core = _sandwich_cores(system, solution, scatter.meat, design, root)
        variances = np.ones(n), np.ones(n)
    shared_core, noise = np.empty((0, size, size)), np.empty((0, 0))
    if system.noise is not None:
        raw = design.middle + solution.bounded @ design.to_coefficients.T
        shared_core = white_core(root, shared_meat(system.noise, raw, design.to_coefficients))
        noise = system.noise.total
    # rows in a run are written where they stand, others are spread out afterwards
    if isinstance(where, slice):
        names = (each.name for each in fields(result))
        rows = MixingFit(**{name: getattr(result, name)[where] for name in names})
    else:
        rows = empty_fit(n, design.n_references)
    bounds = design.bounds
    compiled(write_rows, Points, Answers, Spreads, Residuals, Rows)(
        Points(solution.free, solution.bounded, solution.active),
        Answers(
            whitened(root, design.bound_rows),
            design.move,
            whitened(root, design.move),
            *(design.middle, bounds.member, bounds.values, bounds.low, bounds.high),
            *(int(design.offset), int(design.gain)),
        ),
        Spreads(*variances, free_core, core, shared_core, noise),
        Residuals(
            *(scatter.rss, system.tss, system.weight_sum, system.n_pixels, system.expected_rss)
        ),
        Rows(*(getattr(rows, name) for name in Rows._fields)),
    )
    rows.status[solution.failed] |= int(Status.NOT_CONVERGED)
    write_freedom(rows, system, solution, root, design)
    if not isinstance(where, slice):
        for each in fields(rows):
            if each.name == "status":
                result.status[where] |= rows.status
            else:
                getattr(result, each.name)[where] = getattr(rows, each.name)


def _sandwich_cores(
    system: System, solution: Solution, meat: Meat, design: Design, root: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """White meat of the sandwich at the free and at the bounded solutions."""
    size = design.n_unknowns

    def own(points: FloatArray, rows: NDArray[np.int64] | None) -> FloatArray:
        packed = meat(points, rows)
        if system.noise is not None:
            # residuals hold the references' noise too, which is not the frame's own
            raw = design.middle + points @ design.to_coefficients.T
            noise = system.noise.sandwich
            noise = noise if rows is None or len(noise) == 1 else noise[rows]
            packed = packed - (raw[:, :, None] ** 2 * noise).sum(axis=1)
        mine = root if root is None or rows is None or len(root) == 1 else root[rows]
        return white_core(mine, unpacked(packed, size))

    free_core = own(solution.free, None)
    held = np.flatnonzero(solution.active.any(axis=1))
    if not len(held):
        return free_core, free_core
    core = free_core.copy()
    core[held] = own(solution.bounded[held], held)
    return free_core, core
