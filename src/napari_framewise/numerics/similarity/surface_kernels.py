"""Cross-correlation of two spectra at the shifts that are wanted, and no others.

Of an inverse transform only shifts of up to some pixels are needed. Sines and cosines are summed
for those alone, positive and negative shifts and frequencies together.
"""

from __future__ import annotations

from typing import Any

from napari_framewise.numerics.compiling import part, reordered


@part
@reordered
def folded_product(first: Any, second: Any, even: Any, odd: Any) -> None:
    """conj(F) G of frequencies k and -k along the rows: their sum and their difference.

    Spectra are (P, 2 L): real parts, then imaginary parts.
    """
    rows, width = first.shape
    half = width // 2
    for k in range(rows // 2 + 1):
        other = (rows - k) % rows
        f, g, fo, go = first[k], second[k], first[other], second[other]
        sums, differences = even[k], odd[k]
        if other == k:
            for i in range(half):
                sums[i] = f[i] * g[i] + f[half + i] * g[half + i]
                sums[half + i] = f[i] * g[half + i] - f[half + i] * g[i]
            for i in range(width):
                differences[i] = 0
        else:
            for i in range(half):
                real = f[i] * g[i] + f[half + i] * g[half + i]
                imaginary = f[i] * g[half + i] - f[half + i] * g[i]
                real_other = fo[i] * go[i] + fo[half + i] * go[half + i]
                imaginary_other = fo[i] * go[half + i] - fo[half + i] * go[i]
                sums[i] = real + real_other
                sums[half + i] = imaginary + imaginary_other
                differences[i] = real - real_other
                differences[half + i] = imaginary - imaginary_other


@part
@reordered
def weighed_rows(weights: Any, rows: Any, out: Any) -> None:
    """Two sums of rows with two lines of weights, as many as whole fours of rows."""
    first, second = out[0], out[1]
    for i in range(first.size):
        first[i] = 0
        second[i] = 0
    for k in range(0, weights.shape[1], 4):
        a, b, c, d = weights[0, k], weights[0, k + 1], weights[0, k + 2], weights[0, k + 3]
        e, f, g, h = weights[1, k], weights[1, k + 1], weights[1, k + 2], weights[1, k + 3]
        p, q, r, s = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        for i in range(first.size):
            first[i] += a * p[i] + b * q[i] + c * r[i] + d * s[i]
            second[i] += e * p[i] + f * q[i] + g * r[i] + h * s[i]


@part
@reordered
def correlation_surface(first: Any, second: Any, tables: Any, room: Any, out: Any) -> None:
    """Sum over x of f(x) g(x + d) for shifts d of up to (S, T): out (2 S + 1, 2 T + 1).

    Parameters
    ----------
    first, second : (P, 2 L) float32
        Spectra of f and g, real parts before imaginary parts.
    tables : four arrays
        Cosines and sines of shifts by frequencies, of rows and of columns: see `Transform`.
    room : four arrays
        Memory to work in: see `Transform.room`.
    """
    cos_rows, sin_rows, cos_columns, sin_columns = tables
    even, odd, lines, turned, across = room
    half = first.shape[1] // 2
    top, left = out.shape[0] // 2, out.shape[1] // 2
    count = top + 1
    folded_product(first, second, even, odd)
    for s in range(0, count, 2):
        weighed_rows(cos_rows[s : s + 2], even, lines[0])
        weighed_rows(sin_rows[s : s + 2], odd, lines[1])
        # The sum at shifts s and -s is a + i b and a - i b.
        for extra in range(min(2, count - s)):
            a, b, at = lines[0, extra], lines[1, extra], s + extra
            for i in range(half):
                turned[0, i, at] = a[i]
                turned[0, i, count + at] = b[half + i]
                turned[1, i, at] = a[half + i]
                turned[1, i, count + at] = b[i]
    for t in range(0, left + 1, 2):
        weighed_rows(cos_columns[t : t + 2], turned[0], across[0])
        weighed_rows(sin_columns[t : t + 2], turned[1], across[1])
        for extra in range(min(2, left + 1 - t)):
            cosines, sines, at = across[0, extra], across[1, extra], t + extra
            for s in range(count):
                real, cross = cosines[s] - sines[s], cosines[count + s] + sines[count + s]
                out[top + s, left + at] = real - cross
                out[top - s, left + at] = real + cross
                real, cross = cosines[s] + sines[s], cosines[count + s] - sines[count + s]
                out[top + s, left - at] = real - cross
                out[top - s, left - at] = real + cross
