"""Two frames whose motion is known: photographs cut out and moved over each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import data

from napari_framewise.samples.mixtures import described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import stack_of

FloatArray = npt.NDArray[np.float64]
Frame = npt.NDArray[np.uint8]
_PHOTOGRAPHS = (
    "astronaut", "coffee", "chelsea", "immunohistochemistry", "hubble_deep_field", "retina",
    "rocket", "brick", "grass", "gravel", "camera", "coins",
)  # fmt: skip
_SOURCE = "photographs that ship with scikit-image, cut out and moved"
_INVERTING = 60


@dataclass(frozen=True, eq=False)
class Scene:
    """A pair of frames with known motion.

    Attributes
    ----------
    name : str
        What it shows.
    first, second : (y, x, 3) uint8
        The frames.
    truth : (2, y, x) float64
        Displacement of every pixel of the first, row-column order, in pixels.
    seen : (y, x) bool
        False where the pixel is hidden in the second frame, or outside it.
    """

    name: str
    first: Frame
    second: Frame
    truth: FloatArray
    seen: npt.NDArray[np.bool_]


def known_flow() -> SampleData:
    """Four cut-outs that move apart on a fifth photograph, with every pixel's displacement."""
    scene = layered(7, noise=1.0)
    first, second = (
        stack_of(frame, rgb=True, name=f"Known flow, {name} frame")
        for frame, name in ((scene.first, "first"), (scene.second, "second"))
    )
    truth = {"displacement": scene.truth.astype(np.float32), "seen": scene.seen}
    return SampleData(
        stacks=(("stack", first), ("second", second)),
        truth=truth,
        metadata=described("Known flow", _SOURCE, truth),
    )


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
    found = [_random_layer(rng, shape, speed, whole=number == 0) for number in range(layers)]
    grid = np.indices(shape).astype(np.float64)
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
    ends = np.array(shape)[:, None, None] - 1
    inside = ((goal >= 0) & (goal <= ends)).all(axis=0)
    row, column = np.clip(goal, 0, ends)
    return Scene(
        name=f"layers {seed}",
        first=_photographed(first, noise, rng),
        second=_photographed(gain * second + offset, noise, rng),
        truth=truth,
        seen=inside & (later[row, column] == owner),
    )


def _photographed(planes: FloatArray, noise: float, rng: np.random.Generator) -> Frame:
    """Planes (3, y, x) with noise, as a colour image of bytes."""
    noisy = np.clip(np.rint(planes + rng.normal(0, noise, planes.shape)), 0, 255)
    return noisy.astype(np.uint8).transpose(1, 2, 0)


def _random_layer(
    rng: np.random.Generator, shape: tuple[int, int], speed: float, *, whole: bool
) -> _Layer:
    rows, columns = shape
    wave = (*rng.normal(0, 0.12 * speed, 2), *rng.uniform(-0.04, 0.04, 2), rng.uniform(0, 6))
    return _Layer(
        texture=_texture(rng),
        outline=() if whole else (rng.uniform(15, 85), *rng.uniform(-0.25, 0.25, size=3)),
        centre=np.array([rng.uniform(0.1, 0.9) * rows, rng.uniform(0.1, 0.9) * columns]),
        linear=rng.normal(0, 0.006 * speed, (2, 2)),
        shift=rng.normal(0, speed * (0.4 if whole else 0.9), 2),
        wave=np.array(wave),
        origin=rng.uniform(20, 90, 2),
    )


@dataclass(frozen=True, eq=False)
class _Layer:
    """A photograph with an outline, and where its points go: affine, with a slow wave."""

    texture: FloatArray
    outline: tuple[float, ...]
    centre: FloatArray
    linear: FloatArray
    shift: FloatArray
    wave: FloatArray
    origin: FloatArray

    def moved(self, points: FloatArray) -> FloatArray:
        """Where points of the first frame go."""
        away = points - self.centre[:, None, None]
        swell = self.wave[:2, None, None] * np.sin(
            self.wave[2] * points[0] + self.wave[3] * points[1] + self.wave[4]
        )
        return points + np.tensordot(self.linear, away, 1) + self.shift[:, None, None] + swell

    def came(self, points: FloatArray) -> FloatArray:
        """Where points of the second frame came from."""
        back = points.copy()
        for _ in range(_INVERTING):
            back += points - self.moved(back)
        return back

    def cover(self, points: FloatArray) -> FloatArray:
        """Share of a pixel at each point that the layer covers, by the distance to its outline."""
        if not self.outline:
            return np.ones(points.shape[1:])
        radius, *bumps = self.outline
        away = points - self.centre[:, None, None]
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
    grid = np.indices(shape) * factor
    small = np.stack([ndimage.map_coordinates(c, grid, order=3, mode="mirror") for c in blurred])
    return small * rng.uniform(0.7, 1.0)
