"""Estimating equations of an alignment, pixel by pixel: slopes of the template as instruments.

A residual is ``image(M p) - gain T(p) - offset``. Whatever noise template and image have, as long
as that of one is independent of the other's, slopes of the template have nothing to do with the
residual at their own pixel (their taps there are zero), and neither has what the template is like
some pixels away. So ``sum_p Z psi(residual) = 0`` with these instruments Z has the true transform
as its solution in the mean, and ``A = sum_p Z J'`` with the slopes J of the image is how it answers
to a change: nothing about the size of the noise needs to be known for either.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.alignment.kernels import (
    GAIN,
    HUBER,
    LINEAR,
    OFFSET,
    UNKNOWNS,
    add_line,
    add_pair,
    dot,
    row_positions,
    row_slopes,
    row_values,
)
from napari_framewise.numerics.compiling import in_order, reordered
from napari_framewise.numerics.copying import copy_line

_HUBER, _TUKEY = 1.345, 4.685


@reordered
def psi_row(place: Any, left: Any, loss: Any, scale: Any, secant: Any, psi: Any, rate: Any) -> None:
    """The loss's derivative along a row of residuals, and its own, times the pixels' share.

    `secant` gives the derivative over the residual instead of its own: the weight.
    """
    bound = scale * (_HUBER if loss == HUBER else _TUKEY)
    for j in range(place.size):
        w, e = place[j], left[j]
        if loss == LINEAR:
            psi[j], rate[j] = w * e, w
        elif loss == HUBER:
            psi[j] = w * min(max(e, -bound), bound)
            rate[j] = w if abs(e) <= bound else 0.0
        else:
            t = (e / bound) * (e / bound)
            psi[j] = w * e * (1.0 - t) * (1.0 - t) if t < 1.0 else 0.0
            rate[j] = w * (1.0 - t) * (1.0 - 5.0 * t) if t < 1.0 else 0.0
        if secant:
            rate[j] = psi[j] / e if e != 0.0 else w


@reordered
def slopes_on_template(at: Any, there: Any, matrix: Any, place: Any, down: Any, right: Any) -> None:
    """Slopes of an image along its own axes made those of the pulled-back image, per unit."""
    for j in range(place.size):
        if place[j] == 0:
            continue
        p = there[0] + there[1] * at[0, j]
        q = there[2] + there[3] * at[1, j]
        u = down[j] / there[1] * at[2, j]
        v = right[j] / there[3] * at[2, j]
        down[j] = u * (matrix[0, 0] - p * matrix[2, 0]) + v * (matrix[1, 0] - q * matrix[2, 0])
        right[j] = u * (matrix[0, 1] - p * matrix[2, 1]) + v * (matrix[1, 1] - q * matrix[2, 1])


@reordered
def estimating_equations(
    held: Any,
    sampled: Any,
    soft: Any,
    blunting: Any,
    at_place: Any,
    instrument: Any,
    loss: Any,
    scale: Any,
    secant: Any,
    perspective: Any,
    system: Any,
    score: Any,
    psi: Any,
    share: Any,
) -> Any:
    """The equations' answer to a change (10, 10) and their value (10,), at a place.

    `instrument` (channels, y, x) is the gain's. Rows of `system` are instruments, columns unknowns.
    The image's slopes are those of `soft` (channels, y, x), coefficients of the image smoothed as
    the template's slopes are, which leaves less noise in the system; `blunting` (2,), by how much
    the true slopes along each axis exceed those, is read, and written anew. `psi` (channels, y, x)
    gets the loss's derivative of each residual, 0 where there is none, and `share` (y, x) how far a
    pixel is used.

    Returns the mean square of the image's slopes over the template's, and their correlation.
    """
    template, weights, slopes, grid = held
    image, cubic, usable, limits, there = sampled
    matrix, gain, offset = at_place
    width = template.shape[2]
    at = np.zeros((3, width))
    place = np.zeros(width, np.float32)
    value = np.zeros(width, np.float32)
    rate = np.zeros(width, np.float32)
    x = np.zeros(width, np.float32)
    ones = np.ones(width, np.float32)
    own = np.zeros((3, width), np.float32)
    other = np.zeros((3, width), np.float32)
    seen = np.zeros((2, width), np.float32)
    pairs = np.zeros((9, 6))
    # Of each own field with template and 1, of each of the other's with instrument and 1.
    lines = np.zeros((2, 3, 3, 3))
    ends = np.zeros((2, 3))
    fields = 3 if perspective else 2
    power = other_power = cross = 0.0
    sharp = np.zeros((2, width), np.float32)
    agreeing = np.zeros((2, 2))
    first, second = np.float32(blunting[0]), np.float32(blunting[1])
    for j in range(width):
        x[j] = grid[2] + grid[3] * j
    for i in range(template.shape[1]):
        y = grid[0] + grid[1] * i
        copy_line(weights[i], place)
        if not row_positions(i, place, matrix, grid, there, usable, limits, at):
            share[i] = 0.0
            psi[:, i] = 0.0
            continue
        copy_line(place, share[i])
        for c in range(template.shape[0]):
            t = template[c, i]
            z = instrument[c, i]
            row_values(image[c], cubic, at, place, value)
            for j in range(width):
                value[j] = value[j] - np.float32(gain) * t[j] - np.float32(offset)
            psi_row(place, value, loss, scale, secant, psi[c, i], rate)
            row_slopes(image[c], cubic, at, place, sharp[0], sharp[1])
            slopes_on_template(at, there, matrix, place, sharp[0], sharp[1])
            row_slopes(soft[c], cubic, at, place, other[0], other[1])
            slopes_on_template(at, there, matrix, place, other[0], other[1])
            for j in range(width):
                own[0, j] = slopes[0, c, i, j]
                own[1, j] = slopes[1, c, i, j]
                if place[j] > 0:
                    power += rate[j] * (own[0, j] * own[0, j] + own[1, j] * own[1, j])
                    for k in range(2):
                        agreeing[0, k] += rate[j] * own[k, j] * sharp[k, j]
                        agreeing[1, k] += rate[j] * own[k, j] * other[k, j]
                    other[0, j] *= first
                    other[1, j] *= second
                    cross += rate[j] * (own[0, j] * other[0, j] + own[1, j] * other[1, j])
                    other_power += rate[j] * (other[0, j] * other[0, j] + other[1, j] * other[1, j])
            if perspective:
                for j in range(width):
                    own[2, j] = -(own[0, j] * y + own[1, j] * x[j])
                    other[2, j] = -(other[0, j] * y + other[1, j] * x[j])
            for j in range(width):
                seen[0, j] = rate[j] * t[j]
                seen[1, j] = rate[j]
            for k in range(fields):
                add_line(own[k], psi[c, i], x, y, lines[0, k, 2])
                for m in range(2):
                    add_line(own[k], seen[m], x, y, lines[0, k, m])
                for j in range(width):
                    other[k, j] *= rate[j]
                add_line(other[k], z, x, y, lines[1, k, 0])
                add_line(other[k], ones, x, y, lines[1, k, 1])
            for k in range(fields):
                for m in range(fields):
                    add_pair(own[k], other[m], x, y, pairs[3 * k + m])
            for m in range(2):
                ends[0, m] += dot(z, seen[m])
                for j in range(width):
                    ends[1, m] += seen[m, j]
            ends[0, 2] += dot(z, psi[c, i])
            for j in range(width):
                ends[1, 2] += psi[c, i, j]
    unpacked(pairs, lines, ends, fields, system, score)
    for k in range(2):
        if agreeing[1, k] > 0.0:
            blunting[k] = min(max(agreeing[0, k] / agreeing[1, k], 1.0), 4.0)
    return other_power / max(power, 1e-300), cross / max(np.sqrt(power * other_power), 1e-300)


@in_order
def unpacked(pairs: Any, lines: Any, ends: Any, fields: Any, system: Any, score: Any) -> None:
    """Instruments times unknowns from their moments; the basis of a field is (y, x, 1)."""
    # Moments of a pair: 1, x, x^2, y, xy, y^2; of a line: 1, x, y.
    order = np.array([[5, 4, 3], [4, 2, 1], [3, 1, 0]])
    along = np.array([2, 1, 0])
    system[:] = 0.0
    score[:] = 0.0
    for k in range(fields):
        for p in range(3 if k < 2 else 2):
            for m in range(fields):
                for q in range(3 if m < 2 else 2):
                    system[3 * k + p, 3 * m + q] = pairs[3 * k + m, order[p, q]]
            for m in range(2):
                system[3 * k + p, GAIN + m] = lines[0, k, m, along[p]]
                system[GAIN + m, 3 * k + p] = lines[1, k, m, along[p]]
            score[3 * k + p] = lines[0, k, 2, along[p]]
    system[GAIN, GAIN], system[GAIN, OFFSET] = ends[0, 0], ends[0, 1]
    system[OFFSET, GAIN], system[OFFSET, OFFSET] = ends[1, 0], ends[1, 1]
    score[GAIN], score[OFFSET] = ends[0, 2], ends[1, 2]


@reordered
def spread_of_equations(fields: Any, lags: Any, grid: Any, step: Any, out: Any) -> None:
    """Covariance (10, 10) of a sum of instruments times correlated noise of variance one.

    `fields` (5, channels, y, x): both slopes, the slopes' perspective (zeros where there is none),
    the gain's instrument and 1, each times the noise's standard deviation; `lags` (2 n + 1,
    2 n + 1) the noise's correlation; `step` rows and columns apart are the pixels that are looked
    at, each with all that lies around it.
    """
    reach = lags.shape[0] // 2
    count, channels, height, width = fields.shape
    moments = np.zeros((5, 5, 6))
    around = np.zeros(5)
    for c in range(channels):
        for i in range((height % step) // 2, height, step):
            y = grid[0] + grid[1] * i
            for j in range((width % step) // 2, width, step):
                if fields[4, c, i, j] == 0:
                    continue
                x = grid[2] + grid[3] * j
                around[:] = 0.0
                left, right = max(j - reach, 0), min(j + reach + 1, width)
                for a in range(max(i - reach, 0), min(i + reach + 1, height)):
                    row = lags[a - i + reach, left - j + reach : right - j + reach]
                    for k in range(count):
                        around[k] += dot(row, fields[k, c, a, left:right])
                for k in range(count):
                    for m in range(count):
                        value = fields[k, c, i, j] * around[m]
                        moments[k, m, 0] += value
                        moments[k, m, 1] += value * x
                        moments[k, m, 2] += value * x * x
                        moments[k, m, 3] += value * y
                        moments[k, m, 4] += value * x * y
                        moments[k, m, 5] += value * y * y
    order = np.array([[5, 4, 3], [4, 2, 1], [3, 1, 0]])
    area = float(step * step)
    for first in range(UNKNOWNS):
        k = min(first // 3, 2) if first < GAIN else first - GAIN + 3
        p = first % 3 if first < GAIN else 2
        for second in range(UNKNOWNS):
            m = min(second // 3, 2) if second < GAIN else second - GAIN + 3
            q = second % 3 if second < GAIN else 2
            out[first, second] = area * moments[k, m, order[p, q]]
