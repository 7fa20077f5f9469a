"""Pairs of frames under light that varies over the frame and changes, many with a plain sky."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from common.flow_unseen import SHAPE, Array, Unseen, photograph, shifted, texture
from scipy import ndimage

_Y, _X = np.indices(SHAPE)
_DOWN, _RIGHT = _Y / SHAPE[0] - 0.5, _X / SHAPE[1] - 0.5
# How much of the frame is plain, how much light is lost at the corners, the grey levels of noise,
# by scene.
_PLAIN, _LOST, _NOISE = (0.3, 0.6, 0.8, 0.95), (0.3, 0.5, 0.7, 0.6), (2.0, 1.0, 3.0, 2.0)


def light_scenes(first_seed: int) -> list[Unseen]:
    """Four scenes of every kind: 0 for those that parameters were fixed by, 100 for the others."""
    found = []
    for name, kind in _KINDS.items():
        for number in range(4):
            rng = np.random.default_rng(5000 + first_seed + number)
            first, second, shift = kind(rng, first_seed, number)
            noisy = [each + rng.normal(0, _NOISE[number], SHAPE) for each in (first, second)]
            truth = np.broadcast_to(shift[:, None, None], (2, *SHAPE))
            found.append(Unseen(name, *noisy, truth))
    return found


def _sky(rng: np.random.Generator, number: int) -> Array:
    """A texture in front of a plain sky."""
    image = texture(rng)
    cover = ndimage.gaussian_filter(rng.normal(size=SHAPE), 30)
    cover = ndimage.gaussian_filter((cover > np.quantile(cover, _PLAIN[number])) * 1.0, 2)
    return 160 + (image - 127) * cover


def _scene(rng: np.random.Generator, seed: int, number: int) -> tuple[Array, Array]:
    """Photographs and skies in turn, and a shift."""
    image = _sky(rng, number) if number % 2 else photograph(seed, number, rng)
    return image, rng.uniform(-4, 4, 2)


def _vignette(both: bool) -> Callable[..., tuple[Array, Array, Array]]:
    def pair(rng: np.random.Generator, _: int, number: int) -> tuple[Array, Array, Array]:
        image, shift = _sky(rng, number), rng.uniform(-4, 4, 2)
        light = 1 - _LOST[number] * np.hypot(_DOWN, _RIGHT) / 0.7
        return light * image if both else image, light * shifted(image, shift), shift

    return pair


def _turning(rng: np.random.Generator, seed: int, number: int) -> tuple[Array, Array, Array]:
    image, shift = _scene(rng, seed, number)
    angle = rng.uniform(0, 6)
    one, two = (
        1 + 0.4 * (_DOWN * np.sin(each) + _RIGHT * np.cos(each))
        for each in (angle, angle + rng.uniform(0.5, 2))
    )
    return one * image, two * shifted(image, shift), shift


def _flicker(rng: np.random.Generator, seed: int, number: int) -> tuple[Array, Array, Array]:
    image, shift = _scene(rng, seed, number)
    return image, rng.uniform(0.6, 1.6) * shifted(image, shift) + rng.uniform(-20, 20), shift


def _shadow(rng: np.random.Generator, seed: int, number: int) -> tuple[Array, Array, Array]:
    """A shadow that moves otherwise than the scene, its edge 3 to 20 px soft."""
    image, shift = _scene(rng, seed, number)
    centre, radius = rng.uniform(50, 140, 2), rng.uniform(25, 50)

    def shadow(moved: Array) -> Array:
        y, x = centre + moved
        disk = np.hypot(_Y - y, _X - x) < radius
        return 1 - 0.4 * ndimage.gaussian_filter(disk * 1.0, (3, 6, 12, 20)[number])

    moved = rng.uniform(-12, 12, 2)
    return shadow(np.zeros(2)) * image, shadow(moved) * shifted(image, shift), shift


def _lamp(rng: np.random.Generator, seed: int, number: int) -> tuple[Array, Array, Array]:
    image, shift = _scene(rng, seed, number)
    centre = rng.uniform(60, 130, 2)
    one, two = (
        0.4 + 0.8 * np.exp(-((_Y - y) ** 2 + (_X - x) ** 2) / (2 * 60.0**2))
        for y, x in (centre, centre + rng.uniform(-20, 20, 2))
    )
    return one * image, two * shifted(image, shift), shift


def _nothing(rng: np.random.Generator, _: int, number: int) -> tuple[Array, Array, Array]:
    """A smooth scene that stands still while its light changes."""
    image = 160 + 30 * np.sin(_Y / 50 + number) + 20 * _X / SHAPE[1]
    y, x = rng.uniform(-0.2, 0.2, 2)
    light = 1 - _LOST[number] * np.hypot(_DOWN - y, _RIGHT - x) / 0.7
    return image, light * image, np.zeros(2)


_KINDS = {
    "vignette, sky": _vignette(both=False),
    "in both, sky": _vignette(both=True),
    "turning light": _turning,
    "flicker": _flicker,
    "shadow": _shadow,
    "lamp": _lamp,
    "light alone": _nothing,
}
