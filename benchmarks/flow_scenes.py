"""Pairs of frames with known flow, made from scikit-image's photographs: layers that move apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data

FloatArray = NDArray[np.float64]
_PHOTOGRAPHS = (
    "astronaut", "coffee", "chelsea", "immunohistochemistry", "hubble_deep_field", "retina",
    "rocket", "brick", "grass", "gravel", "camera", "coins",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """Two frames (y, x, 3) in 0..255 and the displacement (2, y, x) of each pixel of the first.

    `known` is False where the truth is not known, `seen` where the pixel is also hidden in the
    second frame.
    """

    name: str
    first: NDArray[Any]
    second: NDArray[Any]
    truth: FloatArray
    known: NDArray[np.bool_]
    seen: NDArray[np.bool_]


@dataclass(frozen=True)
class _Layer:
    texture: FloatArray
    outline: tuple[float, ...]
    centre: tuple[float, float]
    linear: FloatArray
    shift: FloatArray
    wave: FloatArray
    origin: FloatArray

    def moved(self, points: FloatArray) -> FloatArray:
        """Where points of the first frame go."""
        away = points - np.array(self.centre)[:, None, None]
        swell = self.wave[:2, None, None] * np.sin(
            self.wave[2] * points[0] + self.wave[3] * points[1] + self.wave[4]
        )
        return points + np.tensordot(self.linear, away, 1) + self.shift[:, None, None] + swell

    def came(self, points: FloatArray) -> FloatArray:
        """Where points of the second frame came from."""
        back = points.copy()
        for _ in range(60):
            back += points - self.moved(back)
        return back

    def cover(self, points: FloatArray) -> FloatArray:
        """Share of a pixel at each point that the layer covers, by the distance to its outline."""
        if not self.outline:
            return np.ones(points.shape[1:])
        radius, *bumps = self.outline
        away = points - np.array(self.centre)[:, None, None]
        angle = np.arctan2(away[0], away[1])
        edge = radius * np.ones_like(angle)
        for k, bump in enumerate(bumps):
            edge += radius * bump * np.cos((k + 2) * angle + 7 * k)
        return np.clip(edge - np.hypot(*away) + 0.5, 0, 1)

    def colour(self, points: FloatArray) -> FloatArray:
        at = points + self.origin[:, None, None]
        return np.stack(
            [ndimage.map_coordinates(c, at, order=3, mode="mirror") for c in self.texture]
        )


def _texture(rng: np.random.Generator) -> FloatArray:
    image = getattr(data, str(rng.choice(_PHOTOGRAPHS)))()
    planes = np.atleast_3d(image).astype(float).transpose(2, 0, 1)[:3]
    planes = np.repeat(planes, 3, axis=0) if len(planes) == 1 else planes
    # A finer photograph than the frame, as a camera sees it.
    factor = rng.uniform(1.2, 2.0)
    blurred = ndimage.gaussian_filter(planes, (0, 0.45 * factor, 0.45 * factor))
    shape = tuple(int(length / factor) for length in planes.shape[1:])
    grid = np.mgrid[: shape[0], : shape[1]] * factor
    small = np.stack([ndimage.map_coordinates(c, grid, order=3, mode="mirror") for c in blurred])
    return small * rng.uniform(0.7, 1.0)


def layered(
    seed: int,
    shape: tuple[int, int] = (288, 384),
    *,
    speed: float = 4.0,
    layers: int = 5,
    noise: float = 1.5,
    gain: float = 1.0,
    offset: float = 0.0,
) -> Scene:
    """Photographs cut out and moved over each other: affine motion with a slow wave, and occlusion.

    `speed` is the typical displacement in pixels, `noise` the standard deviation added to both
    frames, `gain` and `offset` the change of brightness of the second.
    """
    rng = np.random.default_rng(seed)
    found = []
    for number in range(layers):
        centre = tuple(rng.uniform(0.1, 0.9) * length for length in shape)
        outline = (
            () if number == 0 else (rng.uniform(15, 85), *rng.uniform(-0.25, 0.25, size=3))
        )
        found.append(
            _Layer(
                _texture(rng),
                outline,
                centre,
                rng.normal(0, 0.006 * speed, (2, 2)),
                rng.normal(0, speed * (0.4 if number == 0 else 0.9), 2),
                np.array(
                    [
                        *rng.normal(0, 0.12 * speed, 2),
                        *rng.uniform(-0.04, 0.04, 2),
                        rng.uniform(0, 6),
                    ]
                ),
                rng.uniform(20, 90, 2),
            )
        )
    grid = np.mgrid[: shape[0], : shape[1]].astype(float)
    first, second = np.zeros((3, *shape)), np.zeros((3, *shape))
    truth = np.zeros((2, *shape))
    owner, later = np.zeros(shape, int), np.zeros(shape, int)
    for number, layer in enumerate(found):
        cover = layer.cover(grid)
        first += cover * (layer.colour(grid) - first)
        own = cover >= 0.5
        truth[:, own] = (layer.moved(grid) - grid)[:, own]
        owner[own] = number
        back = layer.came(grid)
        cover = layer.cover(back)
        second += cover * (layer.colour(back) - second)
        later[cover >= 0.5] = number
    goal = np.rint(grid + truth).astype(int)
    inside = np.all([(g >= 0) & (g < n) for g, n in zip(goal, shape, strict=True)], axis=0)
    goal = [np.clip(g, 0, n - 1) for g, n in zip(goal, shape, strict=True)]
    seen = inside & (later[goal[0], goal[1]] == owner)
    second = gain * second + offset
    frames = []
    for planes in (first, second):
        noisy = planes + rng.normal(0, noise, planes.shape)
        frames.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8).transpose(1, 2, 0))
    return Scene(f"layers {seed}", *frames, truth, np.ones(shape, bool), seen)


def end_point_error(scene: Scene, displacement: NDArray[Any]) -> FloatArray:
    """Distance to the truth of each known pixel, hidden ones included, in pixels."""
    return np.hypot(*(displacement - scene.truth))[scene.known]
