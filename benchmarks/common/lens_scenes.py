"""Grids through lenses in Brown's radial and tangential model: no spline, and no sample's map.

`seen` is in closed form (Brown 1971, as OpenCV's `projectPoints`); images are drawn by its inverse,
found by Newton's method, as means over 25 places in each pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import ndimage

SHAPE, COUNT, PITCH, FOCAL = (480, 640), (9, 13), 44.0, 520.0
VALUES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
PAPER, INK, BLUR, FINE = 205.0, 45.0, 0.8, 5


@dataclass(frozen=True)
class Lens:
    """Coefficients by the part of the range, 0 to 1: k1, k2, p1, p2, and the centre's (y, x)."""

    name: str
    course: Callable[[float], tuple[float, float, float, float, float, float]]

    def seen(self, points: Any, value: float) -> Any:
        """Points (n, 2), row and column, of the straight scene where the lens shows them."""
        k1, k2, p1, p2, cy, cx = self.course(value / VALUES[-1])
        middle = (np.array(SHAPE) - 1) / 2 + [cy, cx]
        y, x = (np.asarray(points) - middle).T / FOCAL
        square = x * x + y * y
        radial = 1 + k1 * square + k2 * square**2
        down = y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y
        right = x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x)
        return middle + FOCAL * np.stack([down, right], axis=1)

    def slopes(self, points: Any, value: float) -> Any:
        """Derivatives of `seen`, (n, 2, 2), by central differences."""
        steps = 1e-3 * np.eye(2)
        parts = [
            (self.seen(points + step, value) - self.seen(points - step, value)) / 2e-3
            for step in steps
        ]
        return np.stack(parts, axis=2)

    def straight(self, points: Any, value: float) -> Any:
        """The inverse of `seen`."""
        found = np.array(points, float)
        for _ in range(12):
            off = self.seen(found, value) - points
            if np.abs(off).max() < 1e-7:
                break
            found -= np.linalg.solve(self.slopes(found, value), off[..., None])[..., 0]
        return found


LENSES = (
    Lens("barrel", lambda s: (-0.24 * s * (0.6 + 0.4 * s), 0.05 * s, 0.0, 0.0, 9 * s, -14 * s)),
    Lens(
        "pincushion, tangential",
        lambda s: (0.12 * s, 0.05 * s * s, 0.006 * s, -0.009 * s, -12 * s * s, 8 * s),
    ),
    Lens(
        "bends back",
        lambda s: (
            -0.16 * np.sin(2.6 * s),
            0.06 * np.sin(1.7 * s),
            0.004 * np.sin(3 * s),
            0.003 * s,
            15 * np.sin(2 * s),
            6 * s,
        ),
    ),
)


def straight_nodes() -> Any:
    """Where nodes are without a lens, (rows * columns, 2)."""
    axes = [
        (size - 1) / 2 + PITCH * (np.arange(n) - (n - 1) / 2)
        for size, n in zip(SHAPE, COUNT, strict=True)
    ]
    return np.stack([each.ravel() for each in np.meshgrid(*axes, indexing="ij")], axis=1)


def drawn(lens: Lens, pattern: str, value: float, noise: float, seed: int) -> Any:
    """An image of a grid, float64."""
    place, inverse = _pixels(lens, value)
    fine = (np.arange(FINE) + 0.5) / FINE - 0.5
    image = np.zeros(SHAPE)
    for dy in fine:
        for dx in fine:
            # Second derivatives move this by less than 1e-4 pixels.
            at = place + inverse @ np.array([dy, dx])
            image += inked(pattern, (at - straight_nodes()[0]) / PITCH).reshape(SHAPE)
    image = PAPER + (INK - PAPER) * image / FINE**2
    image = ndimage.gaussian_filter(image, BLUR, mode="nearest")
    return image + np.random.default_rng(seed).normal(0, noise, SHAPE)


@lru_cache(maxsize=len(VALUES))
def _pixels(lens: Lens, value: float) -> tuple[Any, Any]:
    """Where pixels lie in the straight scene, and the slopes of that."""
    place = lens.straight(np.argwhere(np.ones(SHAPE, bool)).astype(float), value)
    return place, np.linalg.inv(lens.slopes(place, value))


def inked(pattern: str, place: Any) -> Any:
    """Share of ink in a fine pixel at places in pitches from the first node.

    Edges are as wide as a fine pixel: those that run along rows or columns are exact then.
    """
    last = np.array(COUNT) - 1
    off = place - np.clip(np.rint(place), 0, last)
    if pattern == "dots":
        return share(0.26 - np.hypot(*off.T))
    if pattern == "chessboard":
        on = share(np.minimum(place + 1, last + 1 - place).min(axis=1))
        away = np.abs(place - np.rint(place)) * np.where(np.floor(place) % 2, -1, 1)
        first, second = (2 * share(each) - 1 for each in away.T)
        return on * (1 + first * second) / 2
    on = share(np.minimum(place + 0.4, last + 0.4 - place).min(axis=1))
    return on * share(2.0 / PITCH - np.abs(off).min(axis=1))


def share(inside: Any) -> Any:
    """Share of a fine pixel that lies inside, by its distance to the edge in pitches."""
    return np.clip(0.5 + inside * PITCH * FINE, 0, 1)
