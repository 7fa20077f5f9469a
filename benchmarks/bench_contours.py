"""Normals, length and curvature of rasterised discs beside their peers, in one run.

Discs about random places; the greatest and the rms angle between normal and radius, over all points
of all discs of a radius. The places are other ones than those on which the default was chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from common.measuring import best_time, print_table
from scipy import ndimage
from skimage import measure

from napari_framewise.numerics.contours import (
    Contour,
    arc_lengths,
    curvature,
    normals,
    outlines,
    smoothed_outline,
)

RADII = (6, 10, 20, 40, 80, 150)
SIGMAS = (2.0, 4.0, 6.0, 8.0)
DISCS = 20
SEED = 100


def main() -> None:
    methods: dict[str, Callable[[Any], tuple[Any, Any]]] = {
        f"sigma {sigma:g} px": lambda mask, sigma=sigma: smooth(mask, sigma) for sigma in SIGMAS
    }
    methods["neighbours, not smoothed"] = plain
    for sigma in (2.0, 4.0):
        methods[f"slope of the mask blurred by {sigma:g} px"] = lambda mask, sigma=sigma: blurred(
            mask, sigma
        )
    rows = []
    for name, method in methods.items():
        cells = []
        for radius in RADII:
            angles = np.concatenate([errors(method, *each) for each in discs(radius)])
            cells.append(f"{angles.max():.1f} / {np.sqrt((angles**2).mean()):.2f}")
        rows.append((name, *cells))
    print_table("Angle to the radius, greatest / rms, degrees", ("", *map(str, RADII)), rows)
    rows = [
        (name, *(f"{100 * np.mean([of(m) / (2 * np.pi * r) - 1 for m, _ in discs(r)]):+.2f}"
                 for r in RADII))
        for name, of in LENGTHS.items()
    ]  # fmt: skip
    print_table("Length, error in per cent", ("", *map(str, RADII)), rows)
    bent = [f"{100 * np.mean([bend(m) * r - 1 for m, _ in discs(r)]):+.2f}" for r in RADII]
    print_table("Mean curvature at sigma 6 px, error in per cent", [*map(str, RADII)], [bent])
    labels = many()
    time = best_time(lambda: [smooth(labels == n, 6.0) for n in range(1, 26)])
    print(f"\n25 discs of radius 20 in 300 x 300 pixels: {1e3 * time:.0f} CPU ms")


def discs(radius: float) -> list[tuple[Any, Any]]:
    random = np.random.default_rng(SEED + radius)
    found = []
    for _ in range(DISCS):
        middle = radius + random.uniform(5, 6, 2)
        rows, columns = np.indices((int(2 * radius) + 14,) * 2)
        found.append((np.hypot(rows - middle[0], columns - middle[1]) <= radius, middle))
    return found


def many() -> Any:
    rows, columns = np.indices((300, 300))
    near = np.hypot(rows % 60 - 30, columns % 60 - 30) <= 20
    return near * (1 + rows // 60 * 5 + columns // 60)


def smooth(mask: Any, sigma: float) -> tuple[Any, Any]:
    line, _ = smoothed_outline(outlines(mask)[0], sigma, 0.5)
    return line.points, normals(line)


def plain(mask: Any) -> tuple[Any, Any]:
    (line,) = outlines(mask)
    return line.points, normals(line)


def blurred(mask: Any, sigma: float) -> tuple[Any, Any]:
    """Minus the gradient of the blurred mask, at the points of its outline."""
    image = mask.astype(float)
    points = measure.find_contours(image, 0.5)[0][:-1]
    slopes = [
        ndimage.map_coordinates(ndimage.gaussian_filter(image, sigma, order=order), points.T)
        for order in ((1, 0), (0, 1))
    ]
    found = -np.stack(slopes, axis=1)
    return points, found / np.hypot(*found.T)[:, None]


def errors(method: Callable[[Any], tuple[Any, Any]], mask: Any, middle: Any) -> Any:
    points, found = method(mask)
    radial = points - middle
    radial = radial / np.hypot(*radial.T)[:, None]
    return np.degrees(np.arccos(np.clip((found * radial).sum(axis=1), -1, 1)))


def way(mask: Any, sigma: float) -> float:
    line, used = smoothed_outline(outlines(mask)[0], sigma, 0.5)
    return float(arc_lengths(line, used)[-1])


def bend(mask: Any) -> float:
    line, used = smoothed_outline(outlines(mask)[0], 6.0, 0.5)
    return float(curvature(line, used).mean())


def crack(mask: Any) -> float:
    line: Contour = outlines(mask)[0]
    return float(arc_lengths(line)[-1])


LENGTHS: dict[str, Callable[[Any], float]] = {
    "sigma 6 px": lambda mask: way(mask, 6.0),
    "sigma 2 px": lambda mask: way(mask, 2.0),
    "outline, not smoothed": crack,
    "scikit-image perimeter": measure.perimeter,
    "scikit-image perimeter_crofton": measure.perimeter_crofton,
}


if __name__ == "__main__":
    main()
