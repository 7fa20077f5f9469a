"""Compiled passes of total variation over (z, y, x); images of fewer axes have lengths of one."""

from __future__ import annotations

import math

from napari_framewise.numerics.compiling import in_order


@in_order
def shrink_differences(scene, dual, window, wrap, weights, threshold, out):  # type: ignore[no-untyped-def]
    """One pass of the splitting ``d = D x`` with its scaled dual `dual` (3, z, y, x).

    With ``g = D x + dual``, ``d = g max(0, 1 - threshold / |g|)`` inside the window (6 numbers:
    first and last row of each axis) and ``d = g`` across its edge and outside; `dual` becomes
    ``g - d``, `out` ``D' (d - dual)``. Gives the total variation of the scene in the window.
    """
    depth, height, width = scene.shape
    wz, wy, wx = weights[0], weights[1], weights[2]
    total = 0.0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                out[z, y, x] = 0.0
    for z in range(depth):
        z1 = z + 1
        if z1 == depth:
            z1 = 0 if wrap else z
        for y in range(height):
            y1 = y + 1
            if y1 == height:
                y1 = 0 if wrap else y
            for x in range(width):
                x1 = x + 1
                if x1 == width:
                    x1 = 0 if wrap else x
                here = scene[z, y, x]
                dz = wz * (scene[z1, y, x] - here)
                dy = wy * (scene[z, y1, x] - here)
                dx = wx * (scene[z, y, x1] - here)
                inside = (
                    window[0] <= z < window[1]
                    and window[2] <= y < window[3]
                    and window[4] <= x < window[5]
                )
                tz = inside and z + 1 < window[1]
                ty = inside and y + 1 < window[3]
                tx = inside and x + 1 < window[5]
                gz = dz + dual[0, z, y, x]
                gy = dy + dual[1, z, y, x]
                gx = dx + dual[2, z, y, x]
                size, own = 0.0, 0.0
                if tz:
                    size += gz * gz
                    own += dz * dz
                if ty:
                    size += gy * gy
                    own += dy * dy
                if tx:
                    size += gx * gx
                    own += dx * dx
                size = math.sqrt(size)
                total += math.sqrt(own)
                kept = 1.0 - threshold / size if size > threshold else 0.0
                cz = (1.0 - kept) * gz if tz else 0.0
                cy = (1.0 - kept) * gy if ty else 0.0
                cx = (1.0 - kept) * gx if tx else 0.0
                dual[0, z, y, x] = cz
                dual[1, z, y, x] = cy
                dual[2, z, y, x] = cx
                vz = wz * (gz - 2 * cz)
                vy = wy * (gy - 2 * cy)
                vx = wx * (gx - 2 * cx)
                out[z, y, x] -= vz + vy + vx
                out[z1, y, x] += vz
                out[z, y1, x] += vy
                out[z, y, x1] += vx
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
