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
    OF_LINE,
    OF_PAIR,
    UNKNOWNS,
    add_line,
    add_pair,
    dot,
    row_positions,
    row_slopes,
    row_values,
)
from napari_framewise.numerics.compiling import part, reordered
from napari_framewise.numerics.copying import copy_line

_HUBER, _TUKEY = 1.345, 4.685
# Rows of the moments: nine pairs of an own field and one of the other's; each own field with the
# template, 1 and psi, each of the other's with the instrument and 1; and the sums that end them.
# The last entry of all stays 0.
_OWN, _OTHER, _ENDS = 9, 18, 27
_ORDER = np.array(OF_PAIR)


def _places() -> tuple[Any, Any]:
    """Where each entry of the system and of its value lies in the moments, row by row."""
    nothing = 6 * (_ENDS + 1) + 5
    system = np.full((UNKNOWNS, UNKNOWNS), nothing)
    score = np.full(UNKNOWNS, nothing)
    motion = [(k, p) for k in range(3) for p in range(3)][:GAIN]
    for i, (k, p) in enumerate(motion):
        for j, (m, q) in enumerate(motion):
            system[i, j] = 6 * (3 * k + m) + OF_PAIR[p][q]
        for n in range(2):
            system[i, GAIN + n] = 6 * (_OWN + 3 * k + n) + OF_LINE[p]
            system[GAIN + n, i] = 6 * (_OTHER + 3 * k + n) + OF_LINE[p]
        score[i] = 6 * (_OWN + 3 * k + 2) + OF_LINE[p]
    for n in range(2):
        system[GAIN + n, GAIN:] = 6 * (_ENDS + n) + np.arange(2)
        score[GAIN + n] = 6 * (_ENDS + n) + 2
    return system, score


_SYSTEM, _SCORE = _places()


@part
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


@part
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
    rows = np.zeros((15, width), np.float32)
    place, value, rate, x, ones = rows[0], rows[1], rows[2], rows[3], rows[4]
    own, other, seen, sharp = rows[5:8], rows[8:11], rows[11:13], rows[13:15]
    moments = np.zeros((_ENDS + 2, 6))
    ends = moments[_ENDS:]
    fields = 3 if perspective else 2
    power = other_power = cross = 0.0
    agreeing = np.zeros((2, 2))
    first, second = np.float32(blunting[0]), np.float32(blunting[1])
    for j in range(width):
        x[j] = grid[2] + grid[3] * j
        ones[j] = 1.0
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
                add_line(own[k], psi[c, i], x, y, moments[_OWN + 3 * k + 2])
                for m in range(2):
                    add_line(own[k], seen[m], x, y, moments[_OWN + 3 * k + m])
                for j in range(width):
                    other[k, j] *= rate[j]
                add_line(other[k], z, x, y, moments[_OTHER + 3 * k])
                add_line(other[k], ones, x, y, moments[_OTHER + 3 * k + 1])
            for k in range(fields):
                for m in range(fields):
                    add_pair(own[k], other[m], x, y, moments[3 * k + m])
            for m in range(2):
                ends[0, m] += dot(z, seen[m])
                for j in range(width):
                    ends[1, m] += seen[m, j]
            ends[0, 2] += dot(z, psi[c, i])
            for j in range(width):
                ends[1, 2] += psi[c, i, j]
    for p in range(UNKNOWNS):
        for q in range(UNKNOWNS):
            at_entry = _SYSTEM[p, q]
            system[p, q] = moments[at_entry // 6, at_entry % 6]
        at_entry = _SCORE[p]
        score[p] = moments[at_entry // 6, at_entry % 6]
    for k in range(2):
        if agreeing[1, k] > 0.0:
            blunting[k] = min(max(agreeing[0, k] / agreeing[1, k], 1.0), 4.0)
    return other_power / max(power, 1e-300), cross / max(np.sqrt(power * other_power), 1e-300)


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
    area = float(step * step)
    for first in range(UNKNOWNS):
        k = min(first // 3, 2) if first < GAIN else first - GAIN + 3
        p = first % 3 if first < GAIN else 2
        for second in range(UNKNOWNS):
            m = min(second // 3, 2) if second < GAIN else second - GAIN + 3
            q = second % 3 if second < GAIN else 2
            out[first, second] = area * moments[k, m, _ORDER[p, q]]
