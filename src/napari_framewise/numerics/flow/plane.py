"""Kernels of optical flow on a plane: local equations, links between neighbours, their solution.

The equations of a pixel are stored as six planes: the tensor's yy, yx, xx, the right-hand side's
y, x, and the weight of the pixel's data.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def equations(
    residual: Any, before: Any, after: Any, flow: Any, usable: Any, sharpness: float, out: Any
) -> None:
    """Weighted products of gradients, for the total flow: ``g g' u = g (g' u0 - residual)``."""
    channels = residual.shape[0]
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    sharp = np.float32(sharpness)
    for y in range(residual.shape[1]):
        for x in range(residual.shape[2]):
            a, b, c, p, q, size, weight = zero, zero, zero, zero, zero, zero, zero
            if usable[y, x]:
                for k in range(channels):
                    gy = half * (before[0, k, y, x] + after[0, k, y, x])
                    gx = half * (before[1, k, y, x] + after[1, k, y, x])
                    r = residual[k, y, x]
                    size += r * r
                    r = gy * flow[0, y, x] + gx * flow[1, y, x] - r
                    a += gy * gy
                    b += gy * gx
                    c += gx * gx
                    p += gy * r
                    q += gx * r
                weight = one / np.sqrt(one + size * sharp)
            out[0, y, x] = weight * a
            out[1, y, x] = weight * b
            out[2, y, x] = weight * c
            out[3, y, x] = weight * p
            out[4, y, x] = weight * q
            out[5, y, x] = weight


def links(flow: Any, guide: Any, jump: float, contrast: float, out: Any) -> None:
    """How strongly a pixel is tied to the next along each axis: less across jumps of the flow.

    With a contrast above zero also less across edges of the guide (channels, y, x).
    """
    one, sharp, steep = np.float32(1), np.float32(jump), np.float32(contrast)
    rows, columns = flow.shape[1:]
    for axis in range(2):
        dy, dx = 1 - axis, axis
        for y in range(rows):
            for x in range(columns):
                if y + dy >= rows or x + dx >= columns:
                    out[axis, y, x] = 0
                    continue
                a = flow[0, y + dy, x + dx] - flow[0, y, x]
                b = flow[1, y + dy, x + dx] - flow[1, y, x]
                size = sharp * (a * a + b * b)
                if steep > 0:
                    for k in range(guide.shape[0]):
                        c = guide[k, y + dy, x + dx] - guide[k, y, x]
                        size += steep * c * c
                out[axis, y, x] = one / np.sqrt(one + size)


def solved(equation: Any, link: Any, strength: float, out: Any) -> None:
    """Inverse of each pixel's tensor plus its links, and the flow that its data alone give there.

    ``out`` gets the inverse's yy, yx, xx and the product with the right-hand side's y, x.
    """
    rows, columns = link.shape[1:]
    scale, least = np.float32(strength), np.float32(1e-9)
    for y in range(rows):
        for x in range(columns):
            tied = link[0, y, x] + link[1, y, x]
            if y > 0:
                tied += link[0, y - 1, x]
            if x > 0:
                tied += link[1, y, x - 1]
            tied = scale * tied + least
            a, b, c = equation[0, y, x] + tied, equation[1, y, x], equation[2, y, x] + tied
            p, q = equation[3, y, x], equation[4, y, x]
            scaled = np.float32(1) / (a * c - b * b)
            out[0, y, x] = c * scaled
            out[1, y, x] = -b * scaled
            out[2, y, x] = a * scaled
            out[3, y, x] = (c * p - b * q) * scaled
            out[4, y, x] = (a * q - b * p) * scaled


def relax(solution: Any, link: Any, strength: float, sweeps: int, factor: float, flow: Any) -> None:
    """Successive over-relaxation of ``(A + s L) u = b + s L u_neighbours``, in place."""
    rows, columns = link.shape[1:]
    scale, over = np.float32(strength), np.float32(factor)
    kept = np.float32(1) - over
    first, second = flow[0], flow[1]
    py, px = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    nothing = np.zeros(columns, np.float32)
    for sweep in range(sweeps):
        for line in range(rows):
            y = line if sweep % 2 == 0 else rows - 1 - line
            up = link[0, y - 1] if y > 0 else nothing
            down = link[0, y]
            above, below = max(y - 1, 0), min(y + 1, rows - 1)
            above_y, above_x, below_y, below_x = (
                first[above], second[above], first[below], second[below],
            )  # fmt: skip
            uy, ux, beside = first[y], second[y], link[1, y]
            for x in range(columns):
                py[x] = up[x] * above_y[x] + down[x] * below_y[x]
                px[x] = up[x] * above_x[x] + down[x] * below_x[x]
            for x in range(columns - 1):
                py[x] += beside[x] * uy[x + 1]
                px[x] += beside[x] * ux[x + 1]
            yy, yx, xx = solution[0, y], solution[1, y], solution[2, y]
            own_y, own_x = solution[3, y], solution[4, y]
            for x in range(columns):
                p, q = scale * py[x], scale * px[x]
                py[x] = kept * uy[x] + over * (own_y[x] + yy[x] * p + yx[x] * q)
                px[x] = kept * ux[x] + over * (own_x[x] + yx[x] * p + xx[x] * q)
            last_y, last_x = py[0], px[0]
            uy[0], ux[0] = last_y, last_x
            # Only this last loop depends on the pixel before; the others are done many at once.
            for x in range(1, columns):
                tied = over * scale * beside[x - 1]
                next_y = py[x] + tied * (yy[x] * last_y + yx[x] * last_x)
                next_x = px[x] + tied * (yx[x] * last_y + xx[x] * last_x)
                uy[x], ux[x] = next_y, next_x
                last_y, last_x = next_y, next_x
