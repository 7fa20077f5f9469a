"""Compiled passes of total variation over (z, y, x); images of fewer axes have lengths of one."""

from __future__ import annotations

import math

import numpy as np

from napari_framewise.numerics.compiling import in_order, reordered


@reordered
def shrink_differences(scene, dual, window, wrap, weights, threshold, out):  # type: ignore[no-untyped-def]
    """One pass of the splitting ``d = D x`` with its scaled dual `dual` (3, z, y, x).

    With ``g = D x + dual``, ``d = g max(0, 1 - threshold / |g|)`` inside the window (6 numbers:
    first and last row of each axis) and ``d = g`` across its edge and outside; `dual` becomes
    ``g - d``, `out` ``D' (d - dual)``. Gives the total variation of the scene in the window.

    Row by row, each loop over few rows, so that it becomes vectors; arrays and numbers are all of
    one type.
    """
    depth, height, width = scene.shape
    pulled = np.empty((3, width), scene.dtype)
    rows = np.zeros((4, width), scene.dtype)
    share, own, back, along = rows[0], rows[1], rows[2], rows[3]
    first, last = window[4], window[5]
    total = 0.0
    for z in range(depth):
        for y in range(height):
            row = out[z, y]
            for x in range(row.size):
                row[x] = 0
    for z in range(depth):
        z1 = z + 1
        if z1 == depth:
            z1 = 0 if wrap else z
        for y in range(height):
            y1 = y + 1
            if y1 == height:
                y1 = 0 if wrap else y
            here = scene[z, y]
            after, ahead = here[1:], along[:-1]
            for x in range(after.size):
                ahead[x] = after[x]
            along[width - 1] = here[0] if wrap else here[width - 1]
            inside = window[0] <= z < window[1] and window[2] <= y < window[3]
            ends = (
                last if inside and z + 1 < window[1] else first,
                last if inside and y + 1 < window[3] else first,
                last - 1 if inside else first,
            )
            there = (scene[z1, y], scene[z, y1], along)
            there_out = (out[z1, y], out[z, y1], out[z, y, 1:])
            counts = (z1 != z, y1 != y, True)
            for x in range(share.size):
                share[x] = 0
                own[x] = 0
            for axis in range(3):
                if counts[axis]:
                    other, held, g = there[axis], dual[axis, z, y], pulled[axis]
                    weight = weights[axis]
                    for x in range(here.size):
                        back[x] = weight * (other[x] - here[x])
                    for x in range(here.size):
                        g[x] = back[x] + held[x]
                    d, g = back[first : ends[axis]], g[first : ends[axis]]
                    size, length = share[first : ends[axis]], own[first : ends[axis]]
                    for x in range(d.size):
                        length[x] += d[x] * d[x]
                    for x in range(g.size):
                        size[x] += g[x] * g[x]
            length, size = own[first:last], share[first:last]
            for x in range(length.size):
                total += math.sqrt(length[x])
            for x in range(size.size):
                size[x] = threshold / max(threshold, math.sqrt(size[x]))
            for axis in range(3):
                if counts[axis]:
                    g, weight, goal = pulled[axis], weights[axis], there_out[axis]
                    for x in range(g.size):
                        back[x] = weight * g[x]
                    g, size = g[first : ends[axis]], share[first : ends[axis]]
                    held, part = dual[axis, z, y, first : ends[axis]], back[first : ends[axis]]
                    for x in range(g.size):
                        held[x] = size[x] * g[x]
                    for x in range(g.size):
                        part[x] = weight * (g[x] - held[x] - held[x])
                    row = out[z, y]
                    for x in range(row.size):
                        row[x] -= back[x]
                    for x in range(goal.size):
                        goal[x] += back[x]
                    if axis == 2:
                        row[0 if wrap else width - 1] += back[width - 1]
    return total


@in_order
def dual_ascent(scene, dual, weights, step, out):  # type: ignore[no-untyped-def]
    """``out = P(dual + step D scene)``: differences inside the image, lengths brought to 1 at most.

    Gives the total variation of the scene.
    """
    depth, height, width = scene.shape
    wz, wy, wx = weights[0], weights[1], weights[2]
    total = 0.0
    for z in range(depth):
        z1 = min(z + 1, depth - 1)
        for y in range(height):
            y1 = min(y + 1, height - 1)
            for x in range(width):
                x1 = min(x + 1, width - 1)
                here = scene[z, y, x]
                dz = wz * (scene[z1, y, x] - here)
                dy = wy * (scene[z, y1, x] - here)
                dx = wx * (scene[z, y, x1] - here)
                total += math.sqrt(dz * dz + dy * dy + dx * dx)
                gz = dual[0, z, y, x] + step * dz
                gy = dual[1, z, y, x] + step * dy
                gx = dual[2, z, y, x] + step * dx
                size = max(1.0, math.sqrt(gz * gz + gy * gy + gx * gx))
                out[0, z, y, x] = gz / size
                out[1, z, y, x] = gy / size
                out[2, z, y, x] = gx / size
    return total


@in_order
def take_divergence(image, dual, weights, weight, floor, out):  # type: ignore[no-untyped-def]
    """``out = max(floor, image - weight D' dual)``, with the differences of `dual_ascent`."""
    depth, height, width = image.shape
    wz, wy, wx = weights[0], weights[1], weights[2]
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                value = 0.0
                if z + 1 < depth:
                    value -= wz * dual[0, z, y, x]
                if y + 1 < height:
                    value -= wy * dual[1, z, y, x]
                if x + 1 < width:
                    value -= wx * dual[2, z, y, x]
                if z > 0:
                    value += wz * dual[0, z - 1, y, x]
                if y > 0:
                    value += wy * dual[1, z, y - 1, x]
                if x > 0:
                    value += wx * dual[2, z, y, x - 1]
                out[z, y, x] = max(floor, image[z, y, x] - weight * value)
