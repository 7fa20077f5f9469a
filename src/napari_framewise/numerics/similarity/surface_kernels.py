"""Kernels around the transform of many products of spectra at once, and sums over rectangles."""

from __future__ import annotations

from typing import Any

from napari_framewise.numerics.compiling import part, reordered


@reordered
def folded_products(firsts: Any, seconds: Any, pairs: Any, even: Any, odd: Any) -> None:
    """conj(F) G of frequencies k and -k along the rows: their sums and their differences.

    Spectra are (n, P, 2 L): real parts, then imaginary parts. Out: (P / 2 + 1, pairs, 2 L).
    """
    rows, width = firsts.shape[1:]
    half = width // 2
    for b in range(pairs.shape[0]):
        first, second = firsts[pairs[b, 0]], seconds[pairs[b, 1]]
        for k in range(rows // 2 + 1):
            other = (rows - k) % rows
            f, g, fo, go = first[k], second[k], first[other], second[other]
            sums, differences = even[k, b], odd[k, b]
            if other == k:
                for i in range(half):
                    sums[i] = f[i] * g[i] + f[half + i] * g[half + i]
                    sums[half + i] = f[i] * g[half + i] - f[half + i] * g[i]
                for i in range(width):
                    differences[i] = 0
                continue
            for i in range(half):
                real = f[i] * g[i] + f[half + i] * g[half + i]
                imaginary = f[i] * g[half + i] - f[half + i] * g[i]
                real_other = fo[i] * go[i] + fo[half + i] * go[half + i]
                imaginary_other = fo[i] * go[half + i] - fo[half + i] * go[i]
                sums[i] = real + real_other
                sums[half + i] = imaginary + imaginary_other
                differences[i] = real - real_other
                differences[half + i] = imaginary - imaginary_other


@reordered
def unfolded(real: Any, cross: Any, out: Any) -> None:
    """Shifts of both signs from sums and differences: (S + 1, n, 2 T + 2) to (n, 2 S + 1, ...)."""
    count, n, columns = real.shape
    top, left, wide = count - 1, out.shape[2] // 2, columns // 2
    for b in range(n):
        for s in range(count):
            below, above = out[b, top + s], out[b, top - s]
            a, c = real[s, b], cross[s, b]
            for t in range(left + 1):
                below[left + t] = a[t] - c[t]
                above[left + t] = a[t] + c[t]
            for t in range(left + 1):
                below[left - t] = a[wide + t] - c[wide + t]
                above[left - t] = a[wide + t] + c[wide + t]


@part
@reordered
def box_sums(running: Any, box: Any, sign: int, out: Any) -> None:
    """Sums of a plane over a rectangle moved by `sign` times every shift: out (2 S + 1, 2 T + 1).

    `running` holds running sums along both axes, with a line of zeros first; `box` is the first
    row, the row behind the last, and columns likewise.
    """
    rows, columns = running.shape[0] - 1, running.shape[1] - 1
    top, left = out.shape[0] // 2, out.shape[1] // 2
    for s in range(out.shape[0]):
        down = sign * (s - top)
        first = running[min(max(box[0] + down, 0), rows)]
        last = running[min(max(box[1] + down, 0), rows)]
        for t in range(out.shape[1]):
            right = sign * (t - left)
            a = min(max(box[2] + right, 0), columns)
            b = min(max(box[3] + right, 0), columns)
            out[s, t] = last[b] - last[a] - first[b] + first[a]


@reordered
def sums_in_box(plane: Any, power: int, running: Any, box: Any, sign: int, out: Any) -> None:
    """Sums of a plane, or of its squares, over a rectangle at every shift, as `box_sums`.

    `running` is room for running sums, a line and a column of zeros first.
    """
    for y in range(plane.shape[0]):
        line, above, below = plane[y], running[y], running[y + 1]
        total = 0.0
        for x in range(line.size):
            value = float(line[x])
            total += value * value if power == 2 else value
            below[x + 1] = above[x + 1] + total
    box_sums(running, box, sign, out)
