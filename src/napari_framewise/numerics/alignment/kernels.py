"""Kernels of alignment: the sums of a Gauss-Newton step, pixel by pixel and row by row.

Positions are in *unit coordinates*, pixels counted from an image's centre and divided by half the
template's size, which keeps the normal equations well conditioned; `grid` holds the unit
coordinate of row 0, the step per row, and the same for columns.

The unknowns are the first eight entries of a 3 x 3 matrix, row by row, then gain and offset. All
share the structure ``field * basis``: two (with perspective, three) fields of slopes times the
basis (y, x, 1), so that moments of the fields up to second order hold the whole Hessian.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from napari_framewise.numerics.compiling import part, reordered
from napari_framewise.numerics.copying import copy_line

UNKNOWNS = 10
GAIN, OFFSET = 8, 9
# Of the residual: pixels, weights, cost, squares; with the loss's weights; of both images.
N_SUMS = 11
COUNT, WEIGHT, COST, SQUARES, HELD, HELD_SQUARES = range(6)
IMAGE, IMAGE_SQUARES, TEMPLATE, TEMPLATE_SQUARES, CROSS = range(6, 11)
LINEAR, HUBER, TUKEY = range(3)
LOSSES = {"linear": LINEAR, "huber": HUBER, "tukey": TUKEY}


# Rows of the moments of normal equations: pairs of fields, each field with the template, 1 and the
# residual, and last the sums that end them; the last entry of all stays 0.
_LINES, _ENDS = 6, 15
# Of a pair: 1, x, x^2, y, xy, y^2; of a line: 1, x, y; the basis of a field is (y, x, 1).
OF_PAIR = ((5, 4, 3), (4, 2, 1), (3, 1, 0))
OF_LINE = (2, 1, 0)


def _places() -> tuple[Any, Any]:
    """Where each entry of Hessian and right-hand side lies in the moments, row by row."""
    nothing = 6 * _ENDS + 5
    hessian = np.full((UNKNOWNS, UNKNOWNS), nothing)
    rhs = np.full(UNKNOWNS, nothing)
    motion = [(k, p) for k in range(3) for p in range(3)][:GAIN]
    for i, (k, p) in enumerate(motion):
        for j, (m, q) in enumerate(motion):
            first, second = max(k, m), min(k, m)
            hessian[i, j] = 6 * (first * (first + 1) // 2 + second) + OF_PAIR[p][q]
        for n in range(2):
            hessian[i, GAIN + n] = 6 * (_LINES + 3 * k + n) + OF_LINE[p]
            hessian[GAIN + n, i] = hessian[i, GAIN + n]
        rhs[i] = 6 * (_LINES + 3 * k + 2) + OF_LINE[p]
    hessian[GAIN:, GAIN:] = 6 * _ENDS + np.array([[0, 1], [1, 2]])
    rhs[GAIN:] = 6 * _ENDS + np.array([3, 4])
    return hessian, rhs


_HESSIAN, _RHS = _places()


class Held(NamedTuple):
    """A level of the template: what stands still.

    `planes` (channels, y, x) and `slopes` (2, channels, y, x; change per unit) are float32, and so
    are `weights` (y, x; 0 = not used); `grid` as above.
    """

    planes: Any
    weights: Any
    slopes: Any
    grid: Any


class Sampled(NamedTuple):
    """A level of the image, to be sampled.

    `planes` (channels, y, x) float32 holds pixels, or coefficients where `cubic`; `usable` (y, x)
    says where it may be sampled, empty where that is everywhere within `limits` (first and last
    row, first and last column); `grid` as above.
    """

    planes: Any
    cubic: Any
    usable: Any
    limits: Any
    grid: Any


class Place(NamedTuple):
    """Where the template lies in the image, and how bright: ``image(M p) = gain T(p) + offset``."""

    matrix: Any
    gain: Any
    offset: Any


@part
@reordered
def row_positions(
    i: Any, place: Any, matrix: Any, grid: Any, there: Any, usable: Any, limits: Any, at: Any
) -> Any:
    """Where a row of the template lies in the image; `place` becomes 0 where it has left it.

    Returns whether any pixel is left.
    """
    y = grid[0] + grid[1] * i
    rows, columns = limits[1], limits[3]
    any_left = False
    flat = matrix[2, 0] == 0.0 and matrix[2, 1] == 0.0
    down, right = 1.0 / there[1], 1.0 / there[3]
    for j in range(place.size):
        x = grid[2] + grid[3] * j
        w = 1.0
        if not flat:
            w = matrix[2, 0] * y + matrix[2, 1] * x + matrix[2, 2]
            if not w > 1e-3:
                place[j] = 0.0
                continue
            w = 1.0 / w
        first = (matrix[0, 0] * y + matrix[0, 1] * x + matrix[0, 2]) * w
        second = (matrix[1, 0] * y + matrix[1, 1] * x + matrix[1, 2]) * w
        r = (first - there[0]) * down
        c = (second - there[2]) * right
        within = r >= limits[0] and r < rows and c >= limits[2] and c < columns
        if within and usable.size:
            within = usable[int(r + 0.5), int(c + 0.5)]
        if not within:
            place[j] = 0.0
            continue
        # Pixels fade in over one pixel, or a row that crosses the border would shake the fit.
        edge = min(min(r - limits[0], rows - r), min(c - limits[2], columns - c))
        if edge < 1.0:
            place[j] *= np.float32(edge)
        at[0, j] = r
        at[1, j] = c
        at[2, j] = w
        any_left = any_left or place[j] > 0
    return any_left


@part
@reordered
def row_values(plane: Any, cubic: Any, at: Any, place: Any, values: Any) -> None:
    """Values of an image along a row of positions; 0 where `place` is 0."""
    one, half = np.float32(1.0), np.float32(0.5)
    third, sixth = np.float32(2.0 / 3.0), np.float32(1.0 / 6.0)
    for j in range(place.size):
        if place[j] == 0:
            values[j] = 0.0
            continue
        r, c = at[0, j], at[1, j]
        top, left = int(r), int(c)
        f, p = np.float32(r - top), np.float32(c - left)
        g, q = one - f, one - p
        if not cubic:
            above = q * plane[top, left] + p * plane[top, left + 1]
            below = q * plane[top + 1, left] + p * plane[top + 1, left + 1]
            values[j] = g * above + f * below
            continue
        r0 = q * q * q * sixth
        r1 = third - p * p * (one - half * p)
        r2 = third - q * q * (one - half * q)
        r3 = p * p * p * sixth
        a = plane[top - 1, left - 1 : left + 3]
        b = plane[top, left - 1 : left + 3]
        d = plane[top + 1, left - 1 : left + 3]
        e = plane[top + 2, left - 1 : left + 3]
        values[j] = (
            (g * g * g * sixth) * (r0 * a[0] + r1 * a[1] + r2 * a[2] + r3 * a[3])
            + (third - f * f * (one - half * f)) * (r0 * b[0] + r1 * b[1] + r2 * b[2] + r3 * b[3])
            + (third - g * g * (one - half * g)) * (r0 * d[0] + r1 * d[1] + r2 * d[2] + r3 * d[3])
            + (f * f * f * sixth) * (r0 * e[0] + r1 * e[1] + r2 * e[2] + r3 * e[3])
        )


@part
@reordered
def row_slopes(plane: Any, cubic: Any, at: Any, place: Any, down: Any, right: Any) -> None:
    """Slopes of an image per pixel along a row of positions."""
    one, half = np.float32(1.0), np.float32(0.5)
    third, sixth = np.float32(2.0 / 3.0), np.float32(1.0 / 6.0)
    two, most = np.float32(2.0), np.float32(1.5)
    for j in range(place.size):
        down[j] = 0.0
        right[j] = 0.0
        if place[j] == 0:
            continue
        r, c = at[0, j], at[1, j]
        top, left = int(r), int(c)
        f, p = np.float32(r - top), np.float32(c - left)
        g, q = one - f, one - p
        if not cubic:
            # Central differences, interpolated: those of a bilinear patch jump at every pixel.
            for k in range(2):
                for m in range(2):
                    share = (f if k else g) * (p if m else q)
                    y, x = top + k, left + m
                    down[j] += share * half * (plane[y + 1, x] - plane[y - 1, x])
                    right[j] += share * half * (plane[y, x + 1] - plane[y, x - 1])
            continue
        r0, s0 = q * q * q * sixth, -half * q * q
        r1, s1 = third - p * p * (one - half * p), p * (most * p - two)
        r2, s2 = third - q * q * (one - half * q), q * (two - most * q)
        r3, s3 = p * p * p * sixth, half * p * p
        for k in range(4):
            line = plane[top - 1 + k, left - 1 : left + 3]
            value = r0 * line[0] + r1 * line[1] + r2 * line[2] + r3 * line[3]
            slope = s0 * line[0] + s1 * line[1] + s2 * line[2] + s3 * line[3]
            if k == 0:
                share, rate = g * g * g * sixth, -half * g * g
            elif k == 1:
                share, rate = third - f * f * (one - half * f), f * (most * f - two)
            elif k == 2:
                share, rate = third - g * g * (one - half * g), g * (two - most * g)
            else:
                share, rate = f * f * f * sixth, half * f * f
            down[j] += rate * value
            right[j] += share * slope


@part
@reordered
def row_weights(place: Any, left: Any, loss: Any, scale: Any, sums: Any, out: Any) -> None:
    """Weights of a row of residuals under a loss; adds to the sums."""
    count = 0
    total = cost = squares = held = held_squares = 0.0
    if loss == LINEAR:
        for j in range(place.size):
            w = place[j]
            e = left[j]
            count += w > 0
            total += w
            squares += w * e * e
            out[j] = w
        cost = held_squares = squares
        held = total
    else:
        bound = scale * (1.345 if loss == HUBER else 4.685)
        for j in range(place.size):
            w = place[j]
            e = abs(left[j])
            count += w > 0
            total += w
            squares += w * e * e
            if loss == HUBER:
                inside = e <= bound
                cost += w * (e * e if inside else bound * (2.0 * e - bound))
                w = w if inside else w * bound / e
            else:
                t = e / bound
                u = max(1.0 - t * t, 0.0)
                cost += w * bound * bound / 3.0 * (1.0 - u * u * u)
                w = w * u * u
            out[j] = w
            held += w
            held_squares += w * e * e
    sums[COUNT] += count
    sums[WEIGHT] += total
    sums[COST] += cost
    sums[SQUARES] += squares
    sums[HELD] += held
    sums[HELD_SQUARES] += held_squares


@part
@reordered
def add_pair(a: Any, b: Any, x: Any, y: Any, out: Any) -> None:
    """Add the moments of a product over a row: 1, x, x^2, y, xy, y^2."""
    zero = first = second = np.float32(0.0)
    for j in range(x.size):
        p = a[j] * b[j]
        q = p * x[j]
        zero += p
        first += q
        second += q * x[j]
    out[0] += zero
    out[1] += first
    out[2] += second
    out[3] += zero * y
    out[4] += first * y
    out[5] += zero * y * y


@part
@reordered
def add_line(a: Any, b: Any, x: Any, y: Any, out: Any) -> None:
    """Add the moments of a product over a row: 1, x, y."""
    zero = first = np.float32(0.0)
    for j in range(x.size):
        p = a[j] * b[j]
        zero += p
        first += p * x[j]
    out[0] += zero
    out[1] += first
    out[2] += zero * y


@part
@reordered
def dot(a: Any, b: Any) -> Any:
    """Sum of products along a row."""
    total = np.float32(0.0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@reordered
def normal_equations(
    held: Any,
    sampled: Any,
    at_place: Any,
    loss: Any,
    scale: Any,
    forward: Any,
    perspective: Any,
    hessian: Any,
    rhs: Any,
    sums: Any,
) -> None:
    """Hessian and right-hand side of a Gauss-Newton step, and the sums of the residual.

    The residual is ``image(matrix p) - gain template(p) - offset``. Backward (inverse
    compositional), slopes are those of the template, given per unit; forward, those of the image.
    """
    template, weights, slopes, grid = held
    image, cubic, usable, limits, there = sampled
    matrix, gain, offset = at_place
    width = template.shape[2]
    at = np.zeros((3, width))
    rows = np.zeros((12, width), np.float32)
    place, value, left, w, x, ones = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]
    field, heavy = rows[6:9], rows[9:12]
    moments = np.zeros((_ENDS + 1, 6))
    ends = moments[_ENDS]
    fields = 3 if perspective else 2
    for j in range(width):
        x[j] = grid[2] + grid[3] * j
        ones[j] = 1.0
    sums[:] = 0.0
    a, b = np.float32(gain), np.float32(offset)
    for i in range(template.shape[1]):
        y = grid[0] + grid[1] * i
        copy_line(weights[i], place)
        if not row_positions(i, place, matrix, grid, there, usable, limits, at):
            continue
        for c in range(template.shape[0]):
            t = template[c, i]
            row_values(image[c], cubic, at, place, value)
            for j in range(width):
                left[j] = value[j] - a * t[j] - b if place[j] > 0 else 0.0
            row_weights(place, left, loss, scale, sums, w)
            sums[IMAGE] += dot(place, value)
            sums[TEMPLATE] += dot(place, t)
            for j in range(width):
                field[0, j] = place[j] * value[j]
                field[1, j] = place[j] * t[j]
            sums[IMAGE_SQUARES] += dot(field[0], value)
            sums[CROSS] += dot(field[0], t)
            sums[TEMPLATE_SQUARES] += dot(field[1], t)
            if forward:
                row_slopes(image[c], cubic, at, place, field[0], field[1])
                for j in range(width):
                    p = there[0] + there[1] * at[0, j]
                    q = there[2] + there[3] * at[1, j]
                    u = -field[0, j] * at[2, j] / there[1]
                    v = -field[1, j] * at[2, j] / there[3]
                    field[0, j] = u
                    field[1, j] = v
                    field[2, j] = -(u * p + v * q)
            else:
                copy_line(slopes[0, c, i], field[0])
                copy_line(slopes[1, c, i], field[1])
                if perspective:
                    for j in range(width):
                        field[2, j] = -(field[0, j] * y + field[1, j] * x[j])
            pair = 0
            for k in range(fields):
                for j in range(width):
                    heavy[k, j] = w[j] * field[k, j]
                for m in range(k + 1):
                    add_pair(heavy[k], field[m], x, y, moments[pair])
                    pair += 1
                line = _LINES + 3 * k
                add_line(heavy[k], t, x, y, moments[line])
                add_line(heavy[k], ones, x, y, moments[line + 1])
                add_line(heavy[k], left, x, y, moments[line + 2])
            ends[1] += dot(w, t)
            ends[2] += dot(w, ones)
            ends[4] += dot(w, left)
            for j in range(width):
                w[j] *= t[j]
            ends[0] += dot(w, t)
            ends[3] += dot(w, left)
    for p in range(UNKNOWNS):
        for q in range(UNKNOWNS):
            at_entry = _HESSIAN[p, q]
            hessian[p, q] = moments[at_entry // 6, at_entry % 6]
        at_entry = _RHS[p]
        rhs[p] = moments[at_entry // 6, at_entry % 6]


@reordered
def residuals(held: Any, sampled: Any, at_place: Any, every: Any, out: Any) -> None:
    """Residual of each pixel in every so many rows of the template; NaN where there is none."""
    template, weights, _, grid = held
    image, cubic, usable, limits, there = sampled
    matrix, gain, offset = at_place
    width = template.shape[2]
    at = np.zeros((3, width))
    rows = np.zeros((2, width), np.float32)
    place, value = rows[0], rows[1]
    for k in range(out.shape[1]):
        i = k * every
        copy_line(weights[i], place)
        if not row_positions(i, place, matrix, grid, there, usable, limits, at):
            out[:, k] = np.nan
            continue
        for c in range(template.shape[0]):
            row_values(image[c], cubic, at, place, value)
            for j in range(width):
                lost = value[j] - gain * template[c, i, j] - offset
                out[c, k, j] = lost if place[j] > 0 else np.nan
