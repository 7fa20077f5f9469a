"""Kernels of optical flow in a volume; see `_flow_plane` for what each does.

The equations of a voxel are ten volumes: the tensor's zz, zy, zx, yy, yx, xx, the right-hand side's
z, y, x, and the weight of the voxel's data.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def equations(
    residual: Any, before: Any, after: Any, flow: Any, usable: Any, sharpness: float, out: Any
) -> None:
    """Weighted products of gradients, for the total flow."""
    depth, rows, columns = usable.shape
    zero = np.float32(0)
    g, u = np.zeros(3, np.float32), np.zeros(3, np.float32)
    total = np.zeros(9, np.float32)
    for z in range(depth):
        for y in range(rows):
            for x in range(columns):
                total[:] = 0
                size, weight = zero, zero
                if usable[z, y, x]:
                    for i in range(3):
                        u[i] = flow[i, z, y, x]
                    for k in range(residual.shape[0]):
                        r = residual[k, z, y, x]
                        size += r * r
                        r = -r
                        for i in range(3):
                            g[i] = np.float32(0.5) * (before[i, k, z, y, x] + after[i, k, z, y, x])
                            r += g[i] * u[i]
                        place = 0
                        for i in range(3):
                            for j in range(i, 3):
                                total[place] += g[i] * g[j]
                                place += 1
                            total[6 + i] += g[i] * r
                    weight = np.float32(1) / np.sqrt(np.float32(1) + size * np.float32(sharpness))
                for i in range(9):
                    out[i, z, y, x] = weight * total[i]
                out[9, z, y, x] = weight


def links(flow: Any, guide: Any, jump: float, contrast: float, out: Any) -> None:
    """How strongly a voxel is tied to the next along each axis."""
    one, sharp, steep = np.float32(1), np.float32(jump), np.float32(contrast)
    depth, rows, columns = flow.shape[1:]
    for axis in range(3):
        dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
        for z in range(depth):
            for y in range(rows):
                for x in range(columns):
                    if z + dz >= depth or y + dy >= rows or x + dx >= columns:
                        out[axis, z, y, x] = 0
                        continue
                    size = np.float32(0)
                    for i in range(3):
                        a = flow[i, z + dz, y + dy, x + dx] - flow[i, z, y, x]
                        size += sharp * a * a
                    if steep > 0:
                        for k in range(guide.shape[0]):
                            c = guide[k, z + dz, y + dy, x + dx] - guide[k, z, y, x]
                            size += steep * c * c
                    out[axis, z, y, x] = one / np.sqrt(one + size)


def solved(equation: Any, link: Any, strength: float, out: Any) -> None:
    """Inverse (zz, zy, zx, yy, yx, xx) of tensor plus links, and its product with the data."""
    depth, rows, columns = link.shape[1:]
    scale, least = np.float32(strength), np.float32(1e-9)
    for z in range(depth):
        for y in range(rows):
            for x in range(columns):
                tied = link[0, z, y, x] + link[1, z, y, x] + link[2, z, y, x]
                if z > 0:
                    tied += link[0, z - 1, y, x]
                if y > 0:
                    tied += link[1, z, y - 1, x]
                if x > 0:
                    tied += link[2, z, y, x - 1]
                tied = scale * tied + least
                a, b, c = equation[0, z, y, x] + tied, equation[1, z, y, x], equation[2, z, y, x]
                d, e, f = (
                    equation[3, z, y, x] + tied,
                    equation[4, z, y, x],
                    equation[5, z, y, x] + tied,
                )
                p, q, r = equation[6, z, y, x], equation[7, z, y, x], equation[8, z, y, x]
                zz, zy, zx = d * f - e * e, c * e - b * f, b * e - c * d
                yy, yx, xx = a * f - c * c, b * c - a * e, a * d - b * b
                scaled = np.float32(1) / (a * zz + b * zy + c * zx)
                out[0, z, y, x] = zz * scaled
                out[1, z, y, x] = zy * scaled
                out[2, z, y, x] = zx * scaled
                out[3, z, y, x] = yy * scaled
                out[4, z, y, x] = yx * scaled
                out[5, z, y, x] = xx * scaled
                out[6, z, y, x] = (zz * p + zy * q + zx * r) * scaled
                out[7, z, y, x] = (zy * p + yy * q + yx * r) * scaled
                out[8, z, y, x] = (zx * p + yx * q + xx * r) * scaled


def relax(solution: Any, link: Any, strength: float, sweeps: int, factor: float, flow: Any) -> None:
    """Successive over-relaxation of ``(A + s L) u = b + s L u_neighbours``, in place."""
    depth, rows, columns = link.shape[1:]
    scale, over = np.float32(strength), np.float32(factor)
    kept = np.float32(1) - over
    near = np.zeros(3, np.float32)
    for sweep in range(sweeps):
        for plane in range(depth):
            z = plane if sweep % 2 == 0 else depth - 1 - plane
            for line in range(rows):
                y = line if sweep % 2 == 0 else rows - 1 - line
                for x in range(columns):
                    for i in range(3):
                        s = link[0, z, y, x] * flow[i, min(z + 1, depth - 1), y, x]
                        s += link[1, z, y, x] * flow[i, z, min(y + 1, rows - 1), x]
                        s += link[2, z, y, x] * flow[i, z, y, min(x + 1, columns - 1)]
                        if z > 0:
                            s += link[0, z - 1, y, x] * flow[i, z - 1, y, x]
                        if y > 0:
                            s += link[1, z, y - 1, x] * flow[i, z, y - 1, x]
                        if x > 0:
                            s += link[2, z, y, x - 1] * flow[i, z, y, x - 1]
                        near[i] = scale * s
                    zz, zy, zx = solution[0, z, y, x], solution[1, z, y, x], solution[2, z, y, x]
                    yy, yx, xx = solution[3, z, y, x], solution[4, z, y, x], solution[5, z, y, x]
                    a = solution[6, z, y, x] + zz * near[0] + zy * near[1] + zx * near[2]
                    b = solution[7, z, y, x] + zy * near[0] + yy * near[1] + yx * near[2]
                    c = solution[8, z, y, x] + zx * near[0] + yx * near[1] + xx * near[2]
                    flow[0, z, y, x] = kept * flow[0, z, y, x] + over * a
                    flow[1, z, y, x] = kept * flow[1, z, y, x] + over * b
                    flow[2, z, y, x] = kept * flow[2, z, y, x] + over * c
