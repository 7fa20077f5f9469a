"""Huber's problem of one frame after another, without bounds: see `robust`.

The first steps take the scale anew and weigh every pixel by ``min(1, limit / |e|)``; they are what
iterated reweighting does. Then the scale is held, and the convex rest is solved by Newton's method,
whose Gram matrix is that of the pixels within the limit (Madsen & Nielsen, 1990, BIT 30, 682-699):
a step that does not lead down is halved, and where that does not help, or too few pixels are within
the limit, a weighted step, which always leads down, is taken in its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled, part, reordered
from napari_framewise.numerics.copying import copy_line, copy_table
from napari_framewise.numerics.mixing.own_pixels import TILE, distances, dot, leave
from napari_framewise.numerics.mixing.small_systems import factored, substituted
from napari_framewise.numerics.ranked import select

FloatArray = NDArray[np.float64]

TUNING = 1.345
# of a normal distribution, from its median size
_QUARTILE = 0.6744897501960817
_SCALE_STEPS = 4
_MOST_STEPS = 200
_MOST_HALVED = 6
# below, all sizes are looked through for their median
_FEW_PIXELS = 128
_SAMPLED = 64


@part
@reordered
def _between(sizes, low, high, out):  # type: ignore[no-untyped-def]
    """Gather the values from `low` to `high`; how many they are, and how many are below."""
    below = 0
    for j in range(len(sizes)):
        below += 1 if sizes[j] < low else 0
    found = 0
    for j in range(len(sizes)):
        # written always and counted where it belongs: no branch to guess
        out[found] = sizes[j]
        found += 1 if low <= sizes[j] <= high else 0
    return found, below


@part
@reordered
def _median(sizes, centre, aside, work):  # type: ignore[no-untyped-def]
    """Median, first looked for within `aside` of a centre; `work` has room for one more."""
    upper = len(sizes) // 2
    lower = upper if len(sizes) % 2 else upper - 1
    while True:
        found, below = _between(sizes, centre - aside, centre + aside, work)
        if below <= lower and upper < below + found:
            break
        aside = 8.0 * aside if aside < centre else np.inf
    middle = select(work[:found], upper - below)
    if lower == upper:
        return middle
    least = 0.0
    for j in range(upper - below):
        least = max(least, work[j])
    return (least + middle) / 2


@part
@reordered
def _sampled(sizes, work):  # type: ignore[no-untyped-def]
    """Where the median is likely to be, from a few of the sizes."""
    step = len(sizes) // _SAMPLED
    for taken in range(_SAMPLED):
        value = sizes[taken * step]
        i = taken
        while i > 0 and work[i - 1] > value:
            work[i] = work[i - 1]
            i -= 1
        work[i] = value
    # two standard deviations of the share of a sample that is below the median
    aside = int(np.sqrt(_SAMPLED))
    low, high = work[_SAMPLED // 2 - aside], work[_SAMPLED // 2 + aside]
    return (low + high) / 2, (high - low) / 2


@part
@reordered
def _sizes(d, basis, t, out):  # type: ignore[no-untyped-def]
    """Write ``|e|`` of every pixel."""
    if len(basis) == 1:
        q, step = basis[0, : len(d)], t[0]
        for j in range(len(d)):
            out[j] = abs(d[j] - step * q[j])
        return
    for start in range(0, len(d), TILE):
        e = out[start : start + len(d[start : start + TILE])]
        leave(d[start : start + TILE], basis, start, t, e)
        for j in range(len(e)):
            e[j] = abs(e[j])


@part
@reordered
def _one_unknown(d, q, step, most, weighted):  # type: ignore[no-untyped-def]
    """`_normal_sums` of a single unknown, in one loop."""
    gram = gradient = loss = 0.0
    if weighted:
        for j in range(len(d)):
            e = d[j] - step * q[j]
            size = abs(e)
            # not "/", which looks for zeros: such a loop does not become vectors
            gram += q[j] * q[j] * np.divide(most, size if size > most else most)
            e = most if e > most else e
            gradient += q[j] * (-most if e < -most else e)
    else:
        for j in range(len(d)):
            e = d[j] - step * q[j]
            gram += q[j] * q[j] if abs(e) <= most else 0.0
            psi = most if e > most else e
            psi = -most if psi < -most else psi
            loss += psi * (e - 0.5 * psi)
            gradient += q[j] * psi
    return gram, gradient, loss


@part
@reordered
def _normal_sums(d, basis, products, t, most, weighted, scratch, gram, gradient):  # type: ignore[no-untyped-def]
    """Write the normal equations of a step from t, and return the sum of the losses.

    ``gradient = sum Q psi`` with ``psi = max(-limit, min(e, limit))``; the packed Gram matrix is
    weighted by ``psi / e``, or counts the pixels within the limit.
    """
    if len(basis) == 1:
        gram[0], gradient[0], loss = _one_unknown(d, basis[0, : len(d)], t[0], most, weighted)
        return loss
    gram[:] = 0.0
    gradient[:] = 0.0
    loss = 0.0
    for start in range(0, len(d), TILE):
        mine = d[start : start + TILE]
        e, w = scratch[0, : len(mine)], scratch[1, : len(mine)]
        leave(mine, basis, start, t, e)
        if weighted:
            for j in range(len(e)):
                w[j] = np.divide(most, abs(e[j]) if abs(e[j]) > most else most)
        else:
            for j in range(len(e)):
                w[j] = 1.0 if abs(e[j]) <= most else 0.0
        for j in range(len(e)):
            psi = most if e[j] > most else e[j]
            psi = -most if psi < -most else psi
            # e^2 / 2 within the limit, and limit (|e| - limit / 2) beyond
            loss += psi * (e[j] - 0.5 * psi)
            e[j] = psi
        for k in range(len(products)):
            gram[k] += dot(products[k, start : start + len(w)], w)
        for k in range(len(basis)):
            gradient[k] += dot(basis[k, start : start + len(e)], e)
    return loss


@part
@reordered
def _gather(d, basis, products, own_basis, own_products):  # type: ignore[no-untyped-def]
    """Move what is known of a frame, and its rows, to the front; how many pixels that is."""
    found = 0
    for j in range(len(d)):
        if d[j] == d[j]:
            d[found] = d[j]
            for k in range(len(basis)):
                own_basis[k, found] = basis[k, j]
            for k in range(len(products)):
                own_products[k, found] = products[k, j]
            found += 1
    return found


@part
@reordered
def _largest(values):  # type: ignore[no-untyped-def]
    most = 0.0
    for k in range(len(values)):
        most = max(most, abs(values[k]))
    return most


@part
@reordered
def _rescaled(d, basis, products, least, t, sizes, work, scratch, gram, step, factor):  # type: ignore[no-untyped-def]
    """Take weighted steps from t, each with a scale of its own; the last, 0 if there is none."""
    spread, middle, aside = least, 0.0, np.inf
    for turn in range(_SCALE_STEPS):
        _sizes(d, basis, t, sizes)
        if turn == 0 and len(d) > _FEW_PIXELS:
            middle, aside = _sampled(sizes, work)
        before = middle
        middle = _median(sizes, middle, aside, work)
        # from step to step it moves by less and less
        aside = 0.05 * middle if turn == 0 else 2.0 * abs(middle - before) + 0.002 * middle
        spread = max(middle / _QUARTILE, least)
        _normal_sums(d, basis, products, t, TUNING * spread, True, scratch, gram, step)
        if not factored(gram, 0.0, factor):
            return 0.0
        substituted(factor, step)
        for k in range(len(t)):
            t[k] += step[k]
    return spread


@part
@reordered
def _minimised(d, basis, products, spread, t, scratch, gram, gradient, step, moved, factor):  # type: ignore[no-untyped-def]
    """Move t to where the sum of the losses is least; whether it has settled there."""
    most = TUNING * spread
    copy_line(t, moved)
    step[:] = 0.0
    loss, halved, weighted, after_weighted = np.inf, 0, False, False
    for _ in range(_MOST_STEPS):
        # one place from which it is called: it is compiled into every one
        after = _normal_sums(d, basis, products, moved, most, weighted, scratch, gram, gradient)
        if not weighted:
            if after > loss and not after_weighted:
                halved += 1
                weighted = halved > _MOST_HALVED
                for k in range(len(t)):
                    moved[k] = t[k] if weighted else t[k] + step[k] * 0.5**halved
                continue
            copy_line(moved, t)
            loss = after
        if not factored(gram, 0.0, factor):
            if weighted:
                return False
            weighted = True
            continue
        copy_line(gradient, step)
        substituted(factor, step)
        small = _largest(step) <= 1e-8 * spread + 1e-14 * _largest(t)
        for k in range(len(t)):
            moved[k] = t[k] + step[k]
        if small:
            copy_line(moved, t)
            return True
        halved, after_weighted, weighted = 0, weighted, False
    return False


def _robust_points(  # type: ignore[no-untyped-def]
    frames, centre, scale, basis, products, known, points, spreads, settled
):
    n, pixels = frames.shape
    size, count = basis.shape[0], len(products)
    distance, sizes, work = np.empty(pixels), np.empty(pixels), np.empty(pixels + 1)
    own_basis, own_products = np.empty((size, pixels)), np.empty((count, pixels))
    scratch, factor = np.empty((2, min(TILE, pixels))), np.empty((size, size))
    gram, gradient = np.empty(count), np.empty(size)
    step, moved = np.empty(size), np.empty(size)
    whole = False
    for f in range(n):
        distances(frames[f], centre, scale, distance)
        if known[f] < pixels:
            whole = False
            _gather(distance, basis, products, own_basis, own_products)
        elif not whole:
            whole = True
            copy_table(basis, own_basis)
            copy_table(products, own_products)
        d = distance[: known[f]]
        least = 1e-10 * np.sqrt(dot(d, d))
        spreads[f] = least
        settled[f] = not least > 0.0
        if settled[f]:
            continue
        t = points[f]
        spread = _rescaled(
            *(d, own_basis, own_products, least, t, sizes[: len(d)], work),
            *(scratch, gram, step, factor),
        )
        if spread > 0.0:
            spreads[f] = spread
            settled[f] = _minimised(
                *(d, own_basis, own_products, spread, t, scratch),
                *(gram, gradient, step, moved, factor),
            )


@dataclass(frozen=True)
class RobustPoints:
    """Solutions of Huber's problem without bounds.

    Attributes
    ----------
    points : (n, J) float64
    scale : (n,) float64
        ``median |e| / 0.6745``, as it was held.
    settled : (n,) bool
        Whether the points have settled.
    """

    points: FloatArray
    scale: FloatArray
    settled: NDArray[np.bool_]


def robust_points(
    frames: FloatArray,
    centre: FloatArray,
    scale: FloatArray,
    basis: FloatArray,
    products: FloatArray,
    known: NDArray[np.int64],
    start: FloatArray,
) -> RobustPoints:
    """Solve frames (n, P) from their linear solutions.

    Parameters
    ----------
    frames, centre, scale, basis, products
        As for `own_pixels.residual_sums`.
    known : (n,) int64
        How many pixels each frame has.
    start : (n, J)
        Linear solutions.
    """
    points = np.array(start, order="C")
    spreads, settled = np.empty(len(frames)), np.empty(len(frames), np.bool_)
    kernel = compiled(
        _robust_points,
        *("float64/2", "float64/1", "float64/1", "float64/2", "float64/2", "int64/1"),
        *("=float64/2", "=float64/1", "=bool/1"),
    )
    kernel(frames, centre, scale, basis, products, known, points, spreads, settled)
    return RobustPoints(points, spreads, settled)


def _weighted_step(  # type: ignore[no-untyped-def]
    frames, centre, scale, basis, products, points, limit, gram, gradient
):
    n, pixels = frames.shape
    size, count = basis.shape[0], len(products)
    distance, scratch = np.empty(pixels), np.empty((2, min(TILE, pixels)))
    own_basis, own_products = np.empty((size, pixels)), np.empty((count, pixels))
    for f in range(n):
        distances(frames[f], centre, scale, distance)
        d = distance[: _gather(distance, basis, products, own_basis, own_products)]
        _normal_sums(
            *(d, own_basis, own_products, points[f], limit[f], True),
            *(scratch, gram[f], gradient[f]),
        )
        k = 0
        for i in range(size):
            for j in range(i, size):
                gradient[f, i] += gram[f, k] * points[f, j]
                if j > i:
                    gradient[f, j] += gram[f, k] * points[f, i]
                k += 1


def reweighted(
    frames: FloatArray,
    centre: FloatArray,
    scale: FloatArray,
    basis: FloatArray,
    products: FloatArray,
    points: FloatArray,
    limit: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Packed Gram matrices (n, L) and gradients (n, J) with weights ``min(1, limit / |e|)``.

    Their solutions are the next points. See `robust_points`.
    """
    gram, gradient = np.empty((len(points), len(products))), np.empty(points.shape)
    kernel = compiled(
        _weighted_step,
        *("float64/2", "float64/1", "float64/1", *("float64/2",) * 3),
        *("float64/1", "=float64/2", "=float64/2"),
    )
    kernel(frames, centre, scale, basis, products, np.ascontiguousarray(points), limit, gram,
           gradient)  # fmt: skip
    return gram, gradient
