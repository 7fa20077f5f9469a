"""Compiled sums over a window, weighted by distance in space and in range."""

from __future__ import annotations

from napari_framewise.numerics.compiling import reordered

# Weights are p(u)^16 with a polynomial p of degree 6, which becomes vector code where exp does not.


@reordered
def grey_rows(centre, near, taps_z, taps_y, taps_x, rows, poly, cut, number, weight, out):  # type: ignore[no-untyped-def]
    """What each pixel is moved by, where one channel is filtered by itself.

    ``out = sum(w d) / sum(w)`` with ``d = near(q) - centre(p)``. `near` (z, y, x + 2 r) is `centre`
    (z, y, x) with r columns on either side; pixels without data are so far away there that they
    weigh nothing. `taps` are the weights of space along each axis, `poly` those of range as a
    polynomial in d^2 below `cut`, where they end (then 1/2, 0 and NaN); `number` and `weight` are
    (x,) scratch.
    """
    depth, height, width = centre.shape
    rz, ry, rx = taps_z.size // 2, taps_y.size // 2, taps_x.size // 2
    c0, c1, c2, c3, c4, c5, c6 = poly[0], poly[1], poly[2], poly[3], poly[4], poly[5], poly[6]
    half, zero, nothing = poly[7], poly[8], poly[9]
    for z in range(depth):
        for y in range(rows[0], rows[1]):
            middle, result = centre[z, y], out[z, y - rows[0]]
            for i in range(width):
                number[i] = zero
                weight[i] = zero
            for dz in range(max(-rz, -z), min(rz, depth - 1 - z) + 1):
                for dy in range(max(-ry, -y), min(ry, height - 1 - y) + 1):
                    row = near[z + dz, y + dy]
                    for dx in range(rx + 1):
                        # On either side at once; the pixel's own column would count twice.
                        tap = taps_z[rz + dz] * taps_y[ry + dy] * taps_x[rx + dx]
                        tap = tap if dx else tap * half
                        right, left = row[rx + dx : rx + dx + width], row[rx - dx : rx - dx + width]
                        for i in range(width):
                            d = right[i] - middle[i]
                            u = d * d
                            p = c0 + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * (c5 + u * c6)))))
                            p = p * p
                            p = p * p
                            p = p * p
                            p = p * p
                            w = tap * p if u < cut else zero
                            e = left[i] - middle[i]
                            v = e * e
                            q = c0 + v * (c1 + v * (c2 + v * (c3 + v * (c4 + v * (c5 + v * c6)))))
                            q = q * q
                            q = q * q
                            q = q * q
                            q = q * q
                            x = tap * q if v < cut else zero
                            number[i] += w * d + x * e
                            weight[i] += w + x
            for i in range(width):
                result[i] = number[i] / weight[i] if weight[i] > zero else nothing


@reordered
def joint_rows(  # type: ignore[no-untyped-def]
    values,
    values_near,
    guide,
    guide_near,
    taps_z,
    taps_y,
    taps_x,
    rows,
    poly,
    cut,
    number,
    weight,
    out,
):
    """The same of several channels, by the distance in all channels of a guide.

    Parameters
    ----------
    values, values_near : (c, z, y, x), (c, z, y, x + 2 r)
        What is filtered; 0 where there are no data.
    guide, guide_near : (k, z, y, x), (k, z, y, x + 2 r)
        What distances in range are taken of; far away in `guide_near` where nothing is to weigh.
    number, weight : (c, x), (2, x)
        Scratch.
    out : (c, z, rows, x)
        What each pixel is moved by.
    """
    channels, depth, height, width = values.shape
    guides = guide.shape[0]
    rz, ry, rx = taps_z.size // 2, taps_y.size // 2, taps_x.size // 2
    c0, c1, c2, c3, c4, c5, c6 = poly[0], poly[1], poly[2], poly[3], poly[4], poly[5], poly[6]
    zero, nothing = poly[8], poly[9]
    total, here = weight[0], weight[1]
    for z in range(depth):
        for y in range(rows[0], rows[1]):
            for i in range(width):
                total[i] = zero
                for c in range(channels):
                    number[c, i] = zero
            for dz in range(max(-rz, -z), min(rz, depth - 1 - z) + 1):
                for dy in range(max(-ry, -y), min(ry, height - 1 - y) + 1):
                    for dx in range(2 * rx + 1):
                        tap = taps_z[rz + dz] * taps_y[ry + dy] * taps_x[dx]
                        for i in range(width):
                            here[i] = zero
                        for k in range(guides):
                            row = guide_near[k, z + dz, y + dy, dx : dx + width]
                            middle = guide[k, z, y]
                            for i in range(width):
                                d = row[i] - middle[i]
                                here[i] += d * d
                        for i in range(width):
                            u = here[i]
                            p = c0 + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * (c5 + u * c6)))))
                            p = p * p
                            p = p * p
                            p = p * p
                            p = p * p
                            w = tap * p if u < cut else zero
                            here[i] = w
                            total[i] += w
                        for c in range(channels):
                            row = values_near[c, z + dz, y + dy, dx : dx + width]
                            middle, sums = values[c, z, y], number[c]
                            for i in range(width):
                                sums[i] += here[i] * (row[i] - middle[i])
            for c in range(channels):
                result = out[c, z, y - rows[0]]
                for i in range(width):
                    result[i] = number[c, i] / total[i] if total[i] > zero else nothing
