"""Coefficients, errors and diagnostics of many frames.

"White" coordinates are those in which the Gram matrix of a frame is the identity: covariances are
plain products there, and active bounds orthogonal projections.
"""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.compiling import reordered
from napari_framewise.numerics.least_squares import perpendicular

# as in `_mixing_result.Status`
_AT_BOUND, _NO_GAIN, _UNRESOLVED = 8, 32, 64


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


def write_rows(  # type: ignore[no-untyped-def]
    free,
    bounded,
    active,
    rows,
    move,
    white_move,
    middle,
    member,
    bound,
    free_variance,
    variance,
    free_core,
    core,
    shared_core,
    noise,
    rss,
    tss,
    weight_sum,
    n_pixels,
    expected,
    has_offset,
    has_gain,
    coefficients,
    errors,
    covariance,
    unconstrained,
    unconstrained_errors,
    at_bound,
    shared_errors,
    offset,
    offset_errors,
    gain,
    gain_errors,
    rss_out,
    rmse,
    r2,
    chi2,
    n_pixels_out,
    dof,
    status,
):
    """Write one row per frame; see `_mixing_small.finish` for what goes in."""
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
                at_bound[i, k] = whole
            for p in range(len(member)):
                if active[i, p]:
                    at_bound[i, member[p]] = True
                    if not has_gain:
                        raw[member[p]] = bound[p]
        offset[i] = level
        offset_errors[i] = _root(wide[count, count]) if has_offset else np.nan
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
                offset_errors[i] = np.nan
            _form(left, shared_core[i], 1.0, half, wide)
            for a in range(count):
                shared_raw[a] = raw[a]
                for b in range(count):
                    common[a, b] = wide[a, b]
            if has_gain:
                _to_shares(shared_raw, common, rest)
        gain[i] = 1.0
        if has_gain:
            total, scatter = _to_shares(raw, own, rest)
            _to_shares(free_raw, freely, rest)
            gain[i] = total
            gain_errors[i] = _root(scatter)
            if not total > 0.0:
                state |= _NO_GAIN
        for a in range(count):
            coefficients[i, a] = raw[a]
            unconstrained[i, a] = free_raw[a]
            unconstrained_errors[i, a] = _root(freely[a, a])
            held = at_bound[i, a]
            errors[i, a] = np.nan if held else _root(own[a, a])
            shared_errors[i, a] = 0.0
            if noise.size > 0:
                shared_errors[i, a] = np.nan if held else _root(common[a, a])
            for b in range(count):
                covariance[i, a, b] = np.nan if held or at_bound[i, b] else own[a, b]
        weight = weight_sum[i if len(weight_sum) > 1 else 0]
        pixels = n_pixels[i if len(n_pixels) > 1 else 0]
        rss_out[i] = rss[i]
        rmse[i] = np.sqrt(rss[i] / weight)
        r2[i] = 1.0 - rss[i] / tss[i]
        if expected.size > 0 and expectation > 0.0:
            chi2[i] = rss[i] / expectation
        n_pixels_out[i] = pixels
        dof[i] = pixels - size + used
        status[i] |= state
