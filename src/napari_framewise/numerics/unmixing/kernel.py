"""Unmixing of many pixels, bands first."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.least_squares import nearest, perpendicular, to_unit_length

Vector = Annotated[NDArray[np.float64], "float64/1"]
Matrix = Annotated[NDArray[np.float64], "float64/2"]

TILE = 512


class Spectra(NamedTuple):
    """What all pixels share; names as in `mixing.Design`.

    `free_shares` is the number of unknowns without the offset; `member` (L,) holds the coefficient
    of each bound and `bound` (L,) its value.
    """

    centre: Vector
    scale: Vector
    basis: Matrix
    rows: Matrix
    limits: Vector
    middle: Vector
    move: Matrix
    freedom: Annotated[int, "int64"]
    weight_sum: Annotated[float, "float64"]
    free_shares: Annotated[int, "int64"]
    member: Annotated[NDArray[np.int64], "int64/1"]
    bound: Vector
    low: Vector
    high: Vector


def unmix(cube, spectra, abundances, errors, residual, active, state):  # type: ignore[no-untyped-def]
    """Solve every column of `cube` (bands, pixels); see `unmixing.unmix`.

    `state` becomes 0 solved, 1 a bound is active, 2 not solved, 3 no data in some band.
    """
    centre, scale, basis = spectra.centre, spectra.scale, spectra.basis
    rows, limits, middle, move = spectra.rows, spectra.limits, spectra.middle, spectra.move
    free_shares, low, high = spectra.free_shares, spectra.low, spectra.high
    bands, pixels = cube.shape
    size = len(basis)
    count = len(middle)
    sums = np.empty((size + 1, TILE))
    d0 = np.empty(TILE)
    d1 = np.empty(TILE)
    q = np.empty(size)
    u = np.empty(size)
    flags = np.empty(len(limits), np.bool_)
    members = np.empty(size, np.int64)
    multipliers = np.empty(size + 1)
    span = np.empty((size, size))
    factor = np.empty((size, size))
    share = np.empty(size)
    direction = np.empty(size)
    unit = np.empty(rows.shape)
    reach = np.empty(len(limits))
    to_unit_length(rows, limits, unit, reach)
    spread = np.empty(count)
    for k in range(count):
        total = 0.0
        for j in range(size):
            total += move[k, j] * move[k, j]
        spread[k] = np.sqrt(total)
    for start in range(0, pixels, TILE):
        stop = min(start + TILE, pixels)
        here = stop - start
        sums[:] = 0.0
        square = sums[size, :here]
        e0 = d0[:here]
        e1 = d1[:here]
        for b in range(0, bands, 2):
            # an odd last band is paired with itself at weight zero
            other = min(b + 1, bands - 1)
            y0 = cube[b, start:stop]
            y1 = cube[other, start:stop]
            c0 = centre[b]
            c1 = centre[other]
            s0 = scale[b]
            s1 = scale[other] if other > b else 0.0
            for j in range(len(square)):
                e0[j] = (y0[j] - c0) * s0 if s0 != 0.0 else 0.0
                e1[j] = (y1[j] - c1) * s1 if s1 != 0.0 else 0.0
                square[j] += e0[j] * e0[j] + e1[j] * e1[j]
            for m in range(size):
                v0 = basis[m, b]
                v1 = basis[m, other]
                line = sums[m, :here]
                for j in range(len(line)):
                    line[j] += v0 * e0[j] + v1 * e1[j]
        for j in range(len(square)):
            # only whether a band lacks data is asked of the squares; residuals come next
            square[j] = 0.0 if square[j] < np.inf else np.nan
        for b in range(bands):
            y0 = cube[b, start:stop]
            c0 = centre[b]
            s0 = scale[b]
            for j in range(len(square)):
                e0[j] = (y0[j] - c0) * s0 if s0 != 0.0 else 0.0
            for m in range(size):
                v0 = basis[m, b]
                line = sums[m, :here]
                for j in range(len(line)):
                    e0[j] -= v0 * line[j]
            for j in range(len(square)):
                square[j] += e0[j] * e0[j]
        for j in range(here):
            i = start + j
            if not np.isfinite(square[j]):
                state[i] = 3
                continue
            rss = square[j]
            for m in range(size):
                q[m] = sums[m, j]
                u[m] = q[m]
            failed, used = nearest(
                unit, reach, u, flags, members, span, factor, multipliers, share, direction
            )
            state[i] = 2 if failed else (1 if used > 0 else 0)
            for m in range(size):
                rss += (u[m] - q[m]) ** 2
            dof = spectra.freedom + used
            noise = np.sqrt(rss / dof) if dof > 0 else np.nan
            residual[i] = np.sqrt(rss / spectra.weight_sum)
            for k in range(count):
                value = middle[k]
                for m in range(size):
                    value += move[k, m] * u[m]
                value = low[k] if value < low[k] else value
                abundances[k, i] = high[k] if value > high[k] else value
                active[k, i] = used > 0 and used >= free_shares
                if used == 0:
                    errors[k, i] = noise * spread[k]
                else:
                    for m in range(size):
                        direction[m] = move[k, m]
                    errors[k, i] = noise * perpendicular(span, used, direction, share)
            for a in range(used):
                p = members[a]
                k = spectra.member[p]
                active[k, i] = True
                abundances[k, i] = spectra.bound[p]
            if used > 0:
                for k in range(count):
                    if active[k, i]:
                        errors[k, i] = np.nan
