"""Damped Gauss-Newton on one level of a pyramid, compiled as a whole.

After Baker and Matthews (2004): inverse compositional (section 3.2) or forward additive (section
3.1), with Levenberg-Marquardt damping (section 4.5), robust weights and a free gain and offset.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from napari_framewise.numerics.alignment.kernels import (
    COST,
    COUNT,
    GAIN,
    HELD,
    HELD_SQUARES,
    IMAGE,
    IMAGE_SQUARES,
    LINEAR,
    N_SUMS,
    OFFSET,
    TUKEY,
    UNKNOWNS,
    WEIGHT,
    Place,
    normal_equations,
    residuals,
)
from napari_framewise.numerics.compiling import part, reordered
from napari_framewise.numerics.copying import copy_line, copy_table

CONVERGED, SLOW, SINGULAR, LEFT = range(4)
HISTORY = 4
_SCALE_EVERY = 4
_SCALE_PIXELS = 20000
_LEAST_GAIN = 0.05
# Times the tolerance: a refused step that is no longer than that is not tried shorter.
_SHORT = 20.0


@part
@reordered
def cholesky_solve(matrix: Any, rhs: Any, n: Any, out: Any) -> Any:
    """Solve the leading n equations of a symmetric system; whether it is positive definite."""
    low = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i == j:
                # Below this, rounding of the sums is all that is left.
                if not total > 1e-12 * matrix[i, i] or not total > 0.0:
                    return False
                low[i, i] = np.sqrt(total)
            else:
                low[i, j] = total / low[j, j]
    for i in range(n):
        total = rhs[i]
        for k in range(i):
            total -= low[i, k] * out[k]
        out[i] = total / low[i, i]
    for i in range(n - 1, -1, -1):
        total = out[i]
        for k in range(i + 1, n):
            total -= low[k, i] * out[k]
        out[i] = total / low[i, i]
    return True


@part
@reordered
def _directions(generators: Any, rigid: Any, forward: Any, matrix: Any) -> Any:
    """Changes of the matrix's entries per parameter: at the identity, or forward, where it is."""
    found = generators.copy()
    if rigid and forward:
        found[2, 0], found[2, 1] = -matrix[1, 0], -matrix[1, 1]
        found[2, 3], found[2, 4] = matrix[0, 0], matrix[0, 1]
    return found


@reordered
def composed_with_step(matrix: Any, change: Any, rigid: Any, angle: Any, forward: Any) -> Any:
    """The matrix after a step: added to it, or composed with the step's inverse."""
    out = matrix.copy()
    if forward:
        for k in range(8):
            out[k // 3, k % 3] += change[k]
        if rigid:
            length = np.hypot(out[0, 0] + out[1, 1], out[1, 0] - out[0, 1])
            cosine = (out[0, 0] + out[1, 1]) / length
            sine = (out[1, 0] - out[0, 1]) / length
            out[0, 0], out[0, 1], out[1, 0], out[1, 1] = cosine, -sine, sine, cosine
        return out
    a, b, c = 1.0 + change[0], change[1], change[2]
    d, e, f = change[3], 1.0 + change[4], change[5]
    g, h = change[6], change[7]
    if rigid:
        a, b, d, e = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    # Entry by entry: an array from nested lists takes numba a second to compile.
    adjugate = np.zeros((3, 3))
    adjugate[0, 0], adjugate[0, 1], adjugate[0, 2] = e - f * h, c * h - b, b * f - c * e
    adjugate[1, 0], adjugate[1, 1], adjugate[1, 2] = f * g - d, a - c * g, c * d - a * f
    adjugate[2, 0], adjugate[2, 1], adjugate[2, 2] = d * h - e * g, b * g - a * h, a * e - b * d
    for i in range(3):
        for j in range(3):
            out[i, j] = (
                matrix[i, 0] * adjugate[0, j]
                + matrix[i, 1] * adjugate[1, j]
                + matrix[i, 2] * adjugate[2, j]
            )
    last = out[2, 2]
    for i in range(3):
        for j in range(3):
            out[i, j] /= last
    if matrix[2, 0] == 0.0 and matrix[2, 1] == 0.0 and g == 0.0 and h == 0.0:
        out[2, 0], out[2, 1] = 0.0, 0.0
    return out


@reordered
def motion_of_points(first: Any, second: Any, corners: Any) -> Any:
    """Root mean square distance between where two matrices lead the corners."""
    total = 0.0
    for k in range(corners.shape[0]):
        y, x = corners[k, 0], corners[k, 1]
        p = first[2, 0] * y + first[2, 1] * x + first[2, 2]
        q = second[2, 0] * y + second[2, 1] * x + second[2, 2]
        if p <= 0.0 or q <= 0.0:
            return np.inf
        for row in range(2):
            away = (first[row, 0] * y + first[row, 1] * x + first[row, 2]) / p
            away -= (second[row, 0] * y + second[row, 1] * x + second[row, 2]) / q
            total += away * away
    return np.sqrt(total / corners.shape[0])


@part
@reordered
def _variance(sums: Any) -> Any:
    """Variance of the image where the template lies: what the residual is to be measured by.

    With a free gain, shrinking into a plain part of the image would lower the residual itself.
    """
    mean = sums[IMAGE] / sums[WEIGHT]
    return max(sums[IMAGE_SQUARES] / sums[WEIGHT] - mean * mean, 1e-12)


@reordered
def typical_size(values: Any, loss: Any) -> Any:
    """Scale of the residuals: 1.4826 times the median of their size, found by halving.

    Tukey's is at least a quarter of their root mean square: where half of both images is plain
    background, the median would shut out everything else.
    """
    flat = values.ravel()
    count = 0
    high = squares = 0.0
    for k in range(flat.size):
        if flat[k] == flat[k]:
            count += 1
            squares += flat[k] * flat[k]
            high = max(high, abs(flat[k]))
    low = 0.0
    for _ in range(24):
        middle = 0.5 * (low + high)
        below = 0
        for k in range(flat.size):
            below += abs(flat[k]) <= middle
        if 2 * below < count:
            low = middle
        else:
            high = middle
    least = 0.25 if loss == TUKEY else 0.02
    return max(1.4826 * high, least * np.sqrt(squares / max(count, 1)))


class Descent(NamedTuple):
    """How to descend.

    `generators` (k, 8) are the family's directions, `rigid` and `perspective` what it is made of;
    `corners` (n, 2), in units, are what steps are measured at; `known` says that gain and offset
    are not to be found first; `stiffness`, by how much the true slopes exceed the smoothed ones;
    `noise` is the template's; `least_count` the fewest pixels; `tolerance` the motion of the
    corners, in units, that ends it.
    """

    generators: Any
    rigid: Any
    perspective: Any
    corners: Any
    forward: Any
    loss: Any
    brightness: Any
    known: Any
    stiffness: Any
    noise: Any
    least_count: Any
    tolerance: Any


@reordered
def descend(
    held: Any,
    sampled: Any,
    how: Any,
    state: Any,
    hessian: Any,
    rhs: Any,
    sums: Any,
    history: Any,
) -> Any:
    """Fit the matrix and brightness in `state` (3 x 3, then gain and offset), in place.

    Each row of `history` gets the mean cost, the step and the motion since the start (units), and
    the damping. `hessian` and `rhs`, of all unknowns, and `sums` are those at the result.

    Returns the status and the number of iterations.
    """
    (
        generators, rigid, perspective, corners, forward, loss, brightness, known, stiffness, noise,
        least_count, tolerance,
    ) = how  # fmt: skip
    template = held.planes
    n_motion = generators.shape[0]
    n = n_motion + (2 if brightness else 0)
    matrix = state[:9].copy().reshape(3, 3)
    start = matrix.copy()
    gain, offset = state[9], state[10]
    new_hessian = np.zeros((UNKNOWNS, UNKNOWNS))
    new_rhs = np.zeros(UNKNOWNS)
    new_sums = np.zeros(N_SUMS)
    system = np.zeros((n, n))
    right = np.zeros(n)
    step = np.zeros(n)
    scale = 0.0
    rows = max(1, template.shape[1] * template.shape[2] // _SCALE_PIXELS)
    left = np.empty((template.shape[0], (template.shape[1] - 1) // rows + 1, template.shape[2]))
    if brightness and not known:
        # Where the brightness stands before anything moves: its own two equations.
        plain = LINEAR * loss  # a constant would be another type, and all compiled once more
        normal_equations(
            held, sampled, Place(matrix, gain, offset), plain, 1.0, forward, perspective,
            hessian, rhs, sums,
        )  # fmt: skip
        if sums[COUNT] < least_count:
            return LEFT, 0
        pair = hessian[GAIN:, GAIN:].copy()
        if not cholesky_solve(pair, rhs[GAIN:], pair.shape[0], step):
            return SINGULAR, 0
        # With no gain at all the template would fit anywhere that is dark.
        found, shift = max(gain + step[0], _LEAST_GAIN), offset + step[1]
        spreads = np.zeros(2)
        if loss != LINEAR:
            # What does not fit may have bent the line: see whether the given one fits the most.
            for k in range(2):
                residuals(
                    held, sampled,
                    Place(matrix, gain if k else found, offset if k else shift), rows, left,
                )  # fmt: skip
                spreads[k] = typical_size(left, loss)
        if spreads[0] <= spreads[1]:
            gain, offset = found, shift
    # Smoothed slopes balance the residual a little beside its smallest square, by no more than
    # the fit of as many unknowns as there are to noise.
    slack = 1e-6 + min(10.0 * UNKNOWNS / least_count, 0.02)
    damping = 1e-4
    accepted = 0
    last_motion = np.inf
    better = True
    fresh = True
    iteration = 0
    while iteration < history.shape[0]:
        if fresh:
            if loss != LINEAR:
                residuals(held, sampled, Place(matrix, gain, offset), rows, left)
                # Never above the scale so far, and never so small that rounding rules.
                now = max(typical_size(left, loss), 1e-6)
                scale = now if scale == 0.0 else min(scale, now)
            normal_equations(
                held, sampled, Place(matrix, gain, offset), loss, scale, forward, perspective,
                hessian, rhs, sums,
            )  # fmt: skip
            if sums[COUNT] < least_count:
                return LEFT, iteration
            fresh = False
        directions = _directions(generators, rigid, forward, matrix)
        for p in range(n):
            for q in range(p + 1):
                total = 0.0
                if p < n_motion and q < n_motion:
                    for k in range(8):
                        if directions[p, k] != 0.0:
                            for m in range(8):
                                total += directions[p, k] * hessian[k, m] * directions[q, m]
                elif q < n_motion:
                    for m in range(8):
                        total += hessian[GAIN + p - n_motion, m] * directions[q, m]
                else:
                    total = hessian[GAIN + p - n_motion, GAIN + q - n_motion]
                system[p, q] = total
                system[q, p] = total
            total = rhs[GAIN + p - n_motion] if p >= n_motion else 0.0
            if p < n_motion:
                for k in range(8):
                    total += directions[p, k] * rhs[k]
            right[p] = total
        if brightness:
            # The template's noise lessens the gain of plain least squares, and what is left of the
            # template in the residual then pulls at the motion (errors in variables).
            rest = sums[HELD_SQUARES] / (sums[HELD] * gain**2)
            extra = min(noise**2, rest) * hessian[OFFSET, OFFSET]
            system[n_motion, n_motion] -= extra
            right[n_motion] += gain * extra
        solved = False
        while damping < 1e8:
            for p in range(n):
                system[p, p] *= 1.0 + damping
            solved = cholesky_solve(system, right, n, step)
            for p in range(n):
                system[p, p] /= 1.0 + damping
            if solved:
                break
            damping *= 100.0
        if not solved:
            return SINGULAR, iteration
        new_gain = gain + (step[n_motion] if brightness else 0.0)
        new_offset = offset + (step[n_motion + 1] if brightness else 0.0)
        amount = 1.0 if forward else gain * stiffness
        change = np.zeros(8)
        for p in range(n_motion):
            for k in range(8):
                change[k] += directions[p, k] * step[p] / amount
        angle = step[2] / amount if rigid else 0.0
        moved = composed_with_step(matrix, change, rigid, angle, forward)
        motion = motion_of_points(matrix, moved, corners)
        normal_equations(
            held, sampled, Place(moved, new_gain, new_offset), loss, scale, forward,
            perspective, new_hessian, new_rhs, new_sums,
        )  # fmt: skip
        inside = new_sums[COUNT] >= least_count
        before = sums[COST] / sums[WEIGHT]
        after = new_sums[COST] / new_sums[WEIGHT] if inside else np.inf
        kept = before, after
        if brightness:
            before /= _variance(sums)
            fits = inside and new_gain >= _LEAST_GAIN
            after = after / _variance(new_sums) if fits else np.inf
        # The gain without the noise's pull does not make the residual smallest either.
        free = noise**4 * gain**2 / max(kept[0], 1e-14) if brightness else 0.0
        better = after <= before * (1.0 + slack + min(free, 0.02)) + 1e-14
        history[iteration, 0] = kept[1] if better else kept[0]
        history[iteration, 1] = motion
        history[iteration, 2] = motion_of_points(start, moved if better else matrix, corners)
        history[iteration, 3] = damping
        iteration += 1
        if better:
            matrix, gain, offset = moved, new_gain, new_offset
            copy_table(new_hessian, hessian)
            copy_line(new_rhs, rhs)
            copy_line(new_sums, sums)
            damping = max(damping * 0.1, 1e-9)
            accepted += 1
            fresh = loss != LINEAR and accepted % _SCALE_EVERY == 0
        else:
            damping = max(damping * 10.0, 1e-3)
        last_motion = motion
        if motion < tolerance or (not better and motion < _SHORT * tolerance):
            break
    copy_line(matrix.reshape(9), state[:9])
    state[9], state[10] = gain, offset
    # A step that is short under heavy damping says that it is stuck, not that it has arrived; one
    # that is short without, and leads nowhere better, that this is the place.
    arrived = last_motion < _SHORT * tolerance if not better else last_motion < tolerance
    return (CONVERGED if arrived and damping <= 0.1 else SLOW), iteration
