"""Kernels: sums and extremes over windows with nothing past the border.

Eight taps are handled at once, so that a line of sums is read and written once for them; taps are
padded with zeros to a multiple of eight. Sums are in the order of the taps, so that a band of rows
gives the bits that the whole frame gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.numerics.compiling import reordered


@reordered
def add_eight(
    out: Any, taps: Any, k: int, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any
) -> None:
    """Add eight lines weighted by the taps from k on; the first eight begin the sum."""
    ta, tb, tc, td = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
    te, tf, tg, th = taps[k + 4], taps[k + 5], taps[k + 6], taps[k + 7]
    if k == 0:
        for i in range(out.size):
            out[i] = 0.0
    for i in range(out.size):
        out[i] += (ta * a[i] + tb * b[i] + tc * c[i] + td * d[i]) + (
            te * e[i] + tf * f[i] + tg * g[i] + th * h[i]
        )


def along(given: Any, taps: Any, radius: int, out: Any, line: Any) -> None:
    """Sum over the last axis of (rows, n); `line` is zeros of n + taps - 1."""
    n = given.shape[1]
    for row in range(given.shape[0]):
        for i in range(n):
            line[radius + i] = given[row, i]
        target = out[row]
        for k in range(0, taps.size, 8):
            part = line[k:]
            add_eight(
                target,
                taps,
                k,
                part,
                part[1:],
                part[2:],
                part[3:],
                part[4:],
                part[5:],
                part[6:],
                part[7:],
            )


def across(given: Any, taps: Any, radius: int, out: Any, zeros: Any) -> None:
    """Sum over the middle axis of (blocks, n, behind), as many columns at once as `zeros` has."""
    strip = zeros.size
    n, behind = given.shape[1], given.shape[2]
    for block in range(given.shape[0]):
        planes = given[block]
        for start in range(0, behind, strip):
            stop = min(start + strip, behind)
            none = zeros[: stop - start]
            for j in range(n):
                target = out[block, j, start:stop]
                for k in range(0, taps.size, 8):
                    first = j + k - radius
                    if first + 8 <= 0 or first >= n:
                        if k == 0:
                            for i in range(target.size):
                                target[i] = 0.0
                        continue
                    a = planes[first, start:stop] if 0 <= first < n else none
                    b = planes[first + 1, start:stop] if 0 <= first + 1 < n else none
                    c = planes[first + 2, start:stop] if 0 <= first + 2 < n else none
                    d = planes[first + 3, start:stop] if 0 <= first + 3 < n else none
                    e = planes[first + 4, start:stop] if 0 <= first + 4 < n else none
                    f = planes[first + 5, start:stop] if 0 <= first + 5 < n else none
                    g = planes[first + 6, start:stop] if 0 <= first + 6 < n else none
                    h = planes[first + 7, start:stop] if 0 <= first + 7 < n else none
                    add_eight(target, taps, k, a, b, c, d, e, f, g, h)


def least_along(given: Any, width: int, radius: int, least: Any, line: Any) -> None:
    """Least over windows along the last axis of (rows, n), in place, by doubling.

    `least` is what stands past the border, `line` has n + width - 1 elements.
    """
    n = given.shape[1]
    for row in range(given.shape[0]):
        target = given[row]
        for i in range(line.size):
            line[i] = least
        for i in range(n):
            line[radius + i] = target[i]
        reach, left = 1, line.size
        while 2 * reach <= width:
            left -= reach
            ahead = line[reach:]
            for i in range(left):
                line[i] = min(line[i], ahead[i])
            reach *= 2
        ahead = line[width - reach :]
        for i in range(n):
            target[i] = min(line[i], ahead[i])


def least_across(given: Any, width: int, radius: int, least: Any, lines: Any) -> None:
    """The same along the middle axis of (blocks, n, behind); `lines` is (n + width - 1, strip)."""
    n, behind = given.shape[1], given.shape[2]
    for block in range(given.shape[0]):
        for start in range(0, behind, lines.shape[1]):
            stop = min(start + lines.shape[1], behind)
            for j in range(lines.shape[0]):
                line = lines[j]
                if 0 <= j - radius < n:
                    source = given[block, j - radius, start:stop]
                    for i in range(source.size):
                        line[i] = source[i]
                else:
                    for i in range(line.size):
                        line[i] = least
            reach, left = 1, lines.shape[0]
            while 2 * reach <= width:
                left -= reach
                for j in range(left):
                    line, ahead = lines[j], lines[j + reach]
                    for i in range(line.size):
                        line[i] = min(line[i], ahead[i])
                reach *= 2
            for j in range(n):
                line, ahead, target = (
                    lines[j],
                    lines[j + width - reach],
                    given[block, j, start:stop],
                )
                for i in range(target.size):
                    target[i] = min(line[i], ahead[i])


def weighed(frames: Any, certainty: Any, weighted: Any, used: Any, low: Any, high: Any) -> None:
    """Values times their certainty, and the values and their negatives where they count.

    `frames` is (n, pixels), `certainty` (n or 1, pixels). Whatever has no certainty, or is not
    finite, leaves no trace.
    """
    for frame in range(frames.shape[0]):
        row = frame % certainty.shape[0]
        for i in range(frames.shape[1]):
            value, weight = frames[frame, i], certainty[row, i]
            counts = weight > 0.0 and abs(value) < np.inf
            used[frame, i] = weight if counts else 0.0
            weighted[frame, i] = weight * value if counts else 0.0
            low[frame, i] = value if counts else np.inf
            high[frame, i] = -value if counts else np.inf


def ratios(weighted: Any, used: Any, low: Any, high: Any) -> None:
    """Weighted sums over sums of weights, between the extremes of what they hold, in place."""
    for i in range(weighted.size):
        value = weighted[i] / used[i] if used[i] > 0.0 else np.nan
        value = low[i] if value < low[i] else value
        weighted[i] = -high[i] if value > -high[i] else value


def dense(given: Any, kernel: Any, out: Any) -> None:
    """Sum of (planes + kernel - 1, rows + kernel - 1, columns + kernel - 1) under a kernel.

    `kernel` is (planes, rows, columns), already turned around.
    """
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            target = out[z, y]
            for i in range(target.size):
                target[i] = 0.0
            for p in range(kernel.shape[0]):
                for q in range(kernel.shape[1]):
                    line, taps = given[z + p, y + q], kernel[p, q]
                    for k in range(taps.size):
                        weight, part = taps[k], line[k:]
                        if weight != 0.0:
                            for i in range(target.size):
                                target[i] += weight * part[i]


def planes_fitted(
    certain: Any,
    values: Any,
    squares: Any,
    spread: Any,
    count: Any,
    complete: Any,
    least: float,
    slopes: Any,
    errors: Any,
    rank: Any,
) -> None:
    """Fit a plane around every pixel, from moments of the window; see `gradients.gradient`.

    Moments are (count, pixels), in the order 1, u_i, u_i u_j (i <= j): `certain` those of a c,
    `values` (1, u_i) those of a c f, `squares` (1) that of a c f^2, `spread` those of a^2 c;
    `count` is the sum of a over known pixels. `complete` is the variance of the window along each
    axis. Slopes and errors are (axes, pixels), NaN where the rank confidence is below `least`.
    """
    d = complete.size
    mean, change = np.zeros(d), np.zeros(d)
    cov, noise = np.zeros((d, d)), np.zeros((d, d))
    inverse, half = np.zeros((d, d)), np.zeros((d, d))
    for p in range(rank.size):
        for i in range(d):
            slopes[i, p] = np.nan
            errors[i, p] = np.nan
        rank[p] = 0.0
        s0 = certain[0, p]
        if not s0 > 0.0:
            continue
        f0, t0 = values[0, p] / s0, spread[0, p] / s0
        for i in range(d):
            mean[i] = certain[1 + i, p] / s0
        k = 1 + d
        for i in range(d):
            for j in range(i, d):
                cov[i, j] = certain[k, p] / s0 - mean[i] * mean[j]
                noise[i, j] = (
                    spread[k, p] / s0
                    - mean[i] * (spread[1 + j, p] / s0)
                    - mean[j] * (spread[1 + i, p] / s0)
                    + mean[i] * mean[j] * t0
                )
                cov[j, i], noise[j, i] = cov[i, j], noise[i, j]
                k += 1
        # Gauss-Jordan; the matrix is positive definite where the plane is determined.
        for i in range(d):
            for j in range(d):
                half[i, j] = cov[i, j]
                inverse[i, j] = 1.0 if i == j else 0.0
        fine = True
        for i in range(d):
            pivot = half[i, i]
            if not pivot > 1e-10 * complete[i]:
                fine = False
                break
            for j in range(d):
                half[i, j] /= pivot
                inverse[i, j] /= pivot
            for row in range(d):
                factor = half[row, i]
                if row != i:
                    for j in range(d):
                        half[row, j] -= factor * half[i, j]
                        inverse[row, j] -= factor * inverse[i, j]
        if not fine:
            continue
        trace = 0.0
        for i in range(d):
            trace += inverse[i, i] * complete[i]
        rank[p] = min(1.0, d / trace)
        if rank[p] < least:
            continue
        for i in range(d):
            change[i] = values[1 + i, p] / s0 - f0 * mean[i]
        explained, used = 0.0, t0
        for i in range(d):
            slope = 0.0
            for j in range(d):
                slope += inverse[i, j] * change[j]
                used += inverse[i, j] * noise[i, j]
            slopes[i, p] = slope
            explained += slope * change[i]
        left = squares[0, p] / s0 - f0 * f0 - explained
        free = count[0, p] - used
        if free < 1e-6 * count[0, p]:
            continue
        # The variance of a pixel of certainty 1, over the sum of weights.
        variance = max(left, 0.0) / free
        for i in range(d):
            total = 0.0
            for j in range(d):
                for row in range(d):
                    total += inverse[i, j] * noise[j, row] * inverse[row, i]
            errors[i, p] = np.sqrt(variance * max(total, 0.0))
