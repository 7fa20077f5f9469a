"""Coefficients, errors and diagnostics of many frames.

"White" coordinates are those in which the Gram matrix of a frame is the identity: covariances are
plain products there, and active bounds orthogonal projections.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import reordered
from napari_framewise.numerics.least_squares import perpendicular

# as in `result.Status`
_AT_BOUND, _NO_GAIN, _UNRESOLVED = 8, 32, 64

Vector = Annotated[NDArray[np.float64], "float64/1"]
Matrix = Annotated[NDArray[np.float64], "float64/2"]
Matrices = Annotated[NDArray[np.float64], "float64/3"]
Flags = Annotated[NDArray[np.bool_], "bool/2"]
Integers = Annotated[NDArray[np.int64], "int64/1"]
Number = Annotated[int, "int64"]


class Points(NamedTuple):
    """Solutions in the coordinates of the basis; see `system.Solution`."""

    free: Matrix
    bounded: Matrix
    active: Flags


class Answers(NamedTuple):
    """How coefficients follow from the unknowns, and what bounds them.

    `white_rows` (1 or n, L, J) and `white_move` (1 or n, K + 1, J) are in white coordinates; `move`
    and `white_move` have a last row for the offset. `member` and `bound` say for each bound which
    coefficient it holds, and where.
    """

    white_rows: Matrices
    move: Matrix
    white_move: Matrices
    middle: Vector
    member: Integers
    bound: Vector
    low: Vector
    high: Vector
    has_offset: Number
    has_gain: Number


class Spreads(NamedTuple):
    """Covariance of the unknowns, white: cores (1 or n, J, J) times variances (n,).

    `shared_core` and `noise` (1 or n, K) are of the references' noise, or of size 0.
    """

    free_variance: Vector
    variance: Vector
    free_core: Matrices
    core: Matrices
    shared_core: Matrices
    noise: Matrix


class Residuals(NamedTuple):
    """Residual and total sums of squares (n,), and what stands beside them (1 or n)."""

    rss: Vector
    tss: Vector
    weight_sum: Vector
    n_pixels: Integers
    expected: Matrix


class Rows(NamedTuple):
    """What is written: fields of `MixingFit`."""

    coefficients: Annotated[NDArray[np.float64], "=float64/2"]
    errors: Annotated[NDArray[np.float64], "=float64/2"]
    covariance: Annotated[NDArray[np.float64], "=float64/3"]
    unconstrained: Annotated[NDArray[np.float64], "=float64/2"]
    unconstrained_errors: Annotated[NDArray[np.float64], "=float64/2"]
    at_bound: Annotated[NDArray[np.bool_], "=bool/2"]
    shared_errors: Annotated[NDArray[np.float64], "=float64/2"]
    offset: Annotated[NDArray[np.float64], "=float64/1"]
    offset_errors: Annotated[NDArray[np.float64], "=float64/1"]
    gain: Annotated[NDArray[np.float64], "=float64/1"]
    gain_errors: Annotated[NDArray[np.float64], "=float64/1"]
    rss: Annotated[NDArray[np.float64], "=float64/1"]
    rmse: Annotated[NDArray[np.float64], "=float64/1"]
    r2: Annotated[NDArray[np.float64], "=float64/1"]
    chi2: Annotated[NDArray[np.float64], "=float64/1"]
    n_pixels: Annotated[NDArray[np.int64], "=int64/1"]
    dof: Annotated[NDArray[np.int64], "=int64/1"]
    status: Annotated[NDArray[np.uint8], "=uint8/1"]


@reordered
def _form(left, core, factor, half, out):  # type: ignore[no-untyped-def]
    """Write ``factor * left core left^T``."""
    count, size = left.shape
    for a in range(count):
        for j in range(size):
            total = 0.0
            for m in range(size):
                total += left[a, m] * core[m, j]
            half[j] = factor * total
        for b in range(a + 1):
            total = 0.0
            for j in range(size):
                total += half[j] * left[b, j]
            out[a, b] = total
            out[b, a] = total


@reordered
def _span_of(rows, active, span, share, direction):  # type: ignore[no-untyped-def]
    """Orthonormal basis of the active rows, in the first rows of `span`; how many they are."""
    used = 0
    for p in range(len(active)):
        if active[p] and used < len(span):
            for k in range(len(direction)):
                direction[k] = rows[p, k]
            norm = perpendicular(span, used, direction, share)
            for k in range(len(direction)):
                span[used, k] = direction[k] / norm
            used += 1
    return used


@reordered
def _to_shares(raw, covariance, rest):  # type: ignore[no-untyped-def]
    """Turn b and its covariance into ``x = b / sum(b)`` and its, by the delta method.

    ``J = (I - x 1^T) / sum(b)``. Returns the sum and its variance.
    """
    count = len(raw)
    total = 0.0
    for k in range(count):
        total += raw[k]
    variance = 0.0
    for a in range(count):
        rest[a] = 0.0
        for b in range(count):
            rest[a] += covariance[a, b]
        variance += rest[a]
    if not total > 0.0:
        raw[:] = np.nan
        covariance[:] = np.nan
        return total, variance
    for k in range(count):
        raw[k] /= total
    for a in range(count):
        for b in range(count):
            moved = covariance[a, b] - raw[a] * rest[b] - rest[a] * raw[b]
            covariance[a, b] = (moved + raw[a] * raw[b] * variance) / total**2
    return total, variance


@reordered
def _root(value):  # type: ignore[no-untyped-def]
    return np.sqrt(value) if value >= 0.0 else np.nan


@reordered
def _within(value, low, high):  # type: ignore[no-untyped-def]
    """A solution keeps to its bounds to rounding; a coefficient that is written keeps to them."""
    if value < low:
        return low
    return high if value > high else value


def write_rows(points, answers, spreads, residuals, out):  # type: ignore[no-untyped-def]
    """Write one row per frame; see `finish.finish` for what goes in."""
    free, bounded, active = points
    rows, move, white_move = answers.white_rows, answers.move, answers.white_move
    middle, member, bound = answers.middle, answers.member, answers.bound
    has_offset, has_gain = answers.has_offset, answers.has_gain
    free_variance, variance, free_core, core, shared_core, noise = spreads
    expected = residuals.expected
    n, size = free.shape
    count = len(middle)
    everything = count + has_offset
    raw = np.empty(count)
    free_raw = np.empty(count)
    shared_raw = np.empty(count)
    left = np.empty((everything, size))
    wide = np.empty((everything, everything))
    own = np.empty((count, count))
    freely = np.empty((count, count))
    common = np.empty((count, count))
    half = np.empty(size)
    share = np.empty(size)
    span = np.empty((size, size))
    rest = np.empty(count)
    for i in range(n):
        r = i if len(rows) > 1 else 0
        w = i if len(white_move) > 1 else 0
        for k in range(count):
            raw[k] = middle[k]
            free_raw[k] = middle[k]
            for j in range(size):
                raw[k] += move[k, j] * bounded[i, j]
                free_raw[k] += move[k, j] * free[i, j]
            if not has_gain:
                raw[k] = _within(raw[k], answers.low[k], answers.high[k])
        level = 0.0
        for j in range(size):
            level += move[count, j] * bounded[i, j]
        for a in range(everything):
            for j in range(size):
                left[a, j] = white_move[w, a, j]
        _form(left, free_core[i if len(free_core) > 1 else 0], free_variance[i], half, wide)
        for a in range(count):
            for b in range(a + 1):
                freely[a, b] = wide[a, b]
                freely[b, a] = wide[a, b]
        state = 0
        used = 0
        if active.shape[1] > 0:
            used = _span_of(rows[r], active[i], span, share, half)
        if used > 0:
            state |= _AT_BOUND
            for a in range(everything):
                perpendicular(span, used, left[a], share)
            _form(left, core[i if len(core) > 1 else 0], variance[i], half, wide)
            whole = used >= size - has_offset - has_gain
            for k in range(count):
                out.at_bound[i, k] = whole
            for p in range(len(member)):
                if active[i, p]:
                    out.at_bound[i, member[p]] = True
                    if not has_gain:
                        raw[member[p]] = bound[p]
        out.offset[i] = level
        out.offset_errors[i] = _root(wide[count, count]) if has_offset else np.nan
        for a in range(count):
            for b in range(count):
                own[a, b] = wide[a, b]
        expectation = 0.0
        if expected.size > 0:
            e = i if len(expected) > 1 else 0
            expectation = expected[e, count] * level + expected[e, count + 1]
            for k in range(count):
                expectation += expected[e, k] * raw[k]
        if noise.size > 0:
            e = i if len(noise) > 1 else 0
            for k in range(count):
                expectation += noise[e, k] * raw[k] ** 2
                if own[k, k] < 0.0:
                    state |= _UNRESOLVED
            if state & _UNRESOLVED:
                own[:] = np.nan
                out.offset_errors[i] = np.nan
            _form(left, shared_core[i], 1.0, half, wide)
            for a in range(count):
                shared_raw[a] = raw[a]
                for b in range(count):
                    common[a, b] = wide[a, b]
            if has_gain:
                _to_shares(shared_raw, common, rest)
        out.gain[i] = 1.0
        if has_gain:
            total, scatter = _to_shares(raw, own, rest)
            _to_shares(free_raw, freely, rest)
            out.gain[i] = total
            out.gain_errors[i] = _root(scatter)
            if not total > 0.0:
                state |= _NO_GAIN
            for k in range(count):
                raw[k] = _within(raw[k], answers.low[k], answers.high[k])
        for a in range(count):
            out.coefficients[i, a] = raw[a]
            out.unconstrained[i, a] = free_raw[a]
            out.unconstrained_errors[i, a] = _root(freely[a, a])
            held = out.at_bound[i, a]
            out.errors[i, a] = np.nan if held else _root(own[a, a])
            out.shared_errors[i, a] = 0.0
            if noise.size > 0:
                out.shared_errors[i, a] = np.nan if held else _root(common[a, a])
            for b in range(count):
                out.covariance[i, a, b] = np.nan if held or out.at_bound[i, b] else own[a, b]
        weight = residuals.weight_sum[i if len(residuals.weight_sum) > 1 else 0]
        pixels = residuals.n_pixels[i if len(residuals.n_pixels) > 1 else 0]
        rss = residuals.rss[i]
        out.rss[i] = rss
        out.rmse[i] = np.sqrt(rss / weight)
        out.r2[i] = 1.0 - rss / residuals.tss[i]
        if expected.size > 0 and expectation > 0.0:
            out.chi2[i] = rss / expectation
        out.n_pixels[i] = pixels
        out.dof[i] = pixels - size + used
        out.status[i] |= state
