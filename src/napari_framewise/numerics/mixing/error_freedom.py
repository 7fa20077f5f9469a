"""Degrees of freedom of the errors of fitted frames, and errors that cannot be given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.mixing.consistent import (
    degrees_of_sums,
    degrees_one_by_one,
    products_of,
)
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.result import MixingFit, Status
from napari_framewise.numerics.mixing.system import (
    Solution,
    System,
    leverages,
    solved_columns,
    whitened,
)

FloatArray = NDArray[np.float64]
Degrees = tuple[FloatArray, NDArray[np.bool_]]
# up to here patterns are counted, beyond they are sorted
_FEW_BOUNDS = 4


def write_freedom(
    rows: MixingFit, system: System, solution: Solution, root: FloatArray | None, design: Design
) -> None:
    """Write `MixingFit.error_dof`, and take back consistent errors that one pixel decides.

    Parameters
    ----------
    rows : MixingFit
        The frames at hand, with everything else written.
    system, solution, design
        What they were solved from.
    root : (1 or n, J, J) float64, optional
        Cholesky factors of the Gram matrices that the errors stand on; None for the identity.
    """
    if design.errors == "classical":
        rows.error_dof[:] = np.where(rows.dof > 0, rows.dof, np.nan)[:, None]
    else:
        _write_consistent(rows, system, solution, root, design)
    rows.error_dof[np.isnan(rows.errors)] = np.nan


def _write_consistent(
    rows: MixingFit, system: System, solution: Solution, root: FloatArray | None, design: Design
) -> None:
    count = design.n_references
    hidden: NDArray[np.bool_]
    groups = _groups(solution.active)
    # what follows from the design and the active bounds alone is found once
    shared = root is None and system.gram is None and not design.gain
    for active, chosen in groups:
        if shared:
            freedom, hidden = _of_pattern(active, system, design)
        else:
            part = None if root is None else root if len(root) == 1 else root[chosen]
            moves = _moves(part, design, active)
            freedom, hidden = _degrees(moves, rows.coefficients[chosen], chosen, system, design)
        hidden = hidden & np.array([True] * count + [design.offset, design.gain])
        rows.error_dof[slice(None) if len(groups) == 1 else chosen] = freedom[:, :count]
        if not hidden.any():
            continue
        hidden = np.broadcast_to(hidden, (len(chosen), hidden.shape[1]))
        lost = hidden[:, :count]
        rows.errors[chosen] = np.where(lost, np.nan, rows.errors[chosen])
        either = lost[:, :, None] | lost[:, None, :]
        rows.covariance[chosen] = np.where(either, np.nan, rows.covariance[chosen])
        for name, column in (("offset_errors", count), ("gain_errors", count + 1)):
            values = getattr(rows, name)
            values[chosen] = np.where(hidden[:, column], np.nan, values[chosen])
        rows.status[chosen] |= np.where(hidden.any(axis=1), int(Status.ONE_PIXEL), 0).astype("u1")
    if solution.active.any():
        # the solutions without the bounds
        free = np.zeros(solution.active.shape[1], np.bool_)
        if shared:
            _, hidden = _of_pattern(free, system, design)
        else:
            every = np.arange(len(rows))
            moves = _moves(root, design, free)
            _, hidden = _degrees(moves, rows.unconstrained, every, system, design)
    if hidden.any():
        rows.unconstrained_errors[np.broadcast_to(hidden[:, :count], rows.errors.shape)] = np.nan


def _of_pattern(active: NDArray[np.bool_], system: System, design: Design) -> Degrees:
    """`_degrees` of all frames with these active bounds, where they are the same for all."""
    known = design.freedom_by_pattern
    key = active.tobytes()
    if key not in known:
        none = np.empty((0, design.n_references))
        known[key] = _degrees(
            _moves(None, design, active), none, np.empty(0, np.int64), system, design
        )
    return known[key]


def _groups(active: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Frames with the same active bounds."""
    if not active.any():
        return [(np.zeros(active.shape[1], np.bool_), np.arange(len(active)))]
    # at most two bounds for each of 16 coefficients: a pattern is a whole number
    codes = active @ (1 << np.arange(active.shape[1], dtype=np.int64))
    if active.shape[1] <= _FEW_BOUNDS:
        present = np.flatnonzero(np.bincount(codes, minlength=1))
        found = [np.flatnonzero(codes == code) for code in present]
        return [(active[rows[0]], rows) for rows in found]
    _, first, places = np.unique(codes, return_index=True, return_inverse=True)
    return [(active[at], np.flatnonzero(places == number)) for number, at in enumerate(first)]


def _moves(root: FloatArray | None, design: Design, active: NDArray[np.bool_]) -> FloatArray:
    """How the gradient moves coefficients and offset while bounds hold: (1 or n, K + 1, J)."""
    white = whitened(root, design.move)
    if active.any():
        held = whitened(root, design.bound_rows[active])
        white = white - (white @ np.linalg.pinv(held)) @ held
    if root is None:
        return white
    return np.asarray(np.swapaxes(solved_columns(np.swapaxes(root, 1, 2), _turned(white)), 1, 2))


def _turned(rows: FloatArray) -> FloatArray:
    return np.ascontiguousarray(np.swapaxes(rows, 1, 2))


def _degrees(
    moves: FloatArray,
    coefficients: FloatArray,
    chosen: NDArray[np.int64],
    system: System,
    design: Design,
) -> Degrees:
    """Degrees of freedom, and what is hidden, of coefficients, offset and gain: (1 or n, K + 2)."""
    count = design.n_references
    total = moves[:, :count].sum(axis=1, keepdims=True)
    shares = moves[:, :count]
    if design.gain:
        # the delta method: a share moves with its coefficient and against the sum
        shares = shares - coefficients[:, :, None] * total
    wide = (len(shares), 1, moves.shape[2])
    offset, gain = (np.broadcast_to(each, wide) for each in (moves[:, count:], total))
    contrasts = np.concatenate([shares, offset, gain], axis=1)
    if system.gram is None:
        return design.freedom.degrees(contrasts)
    # each contrast is summed over each frame's own pixels: only those that were fitted
    kept = [
        *range(count),
        *([count] if design.offset else []),
        *([count + 1] if design.gain else []),
    ]
    contrasts = contrasts[:, kept]
    contrasts = np.broadcast_to(contrasts, (len(chosen), *contrasts.shape[1:]))
    if system.own is not None:
        freedom, hidden = degrees_of_sums(contrasts, system.own.of(chosen))
    else:
        assert system.seen is not None
        inverse = np.asarray(np.linalg.inv(system.gram[chosen]), np.float64)
        freedom, hidden = degrees_one_by_one(
            contrasts,
            system.seen[chosen].astype(np.float64),
            leverages(inverse, products_of(design.basis)),
            inverse,
            design.basis,
            design.errors,
        )
    every = (len(chosen), count + 2)
    wide_freedom, wide_hidden = np.full(every, np.nan), np.zeros(every, np.bool_)
    wide_freedom[:, kept], wide_hidden[:, kept] = freedom, hidden
    return wide_freedom, wide_hidden
