"""Pairs of frames in which part or all of the motion can't be seen, with what is true of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data
from skimage.color import rgb2gray

Array = NDArray[Any]
SHAPE = (192, 208)
_PHOTOGRAPHS = {
    0: ("camera", "astronaut", "coins", "gravel"),
    100: ("chelsea", "grass", "coffee", "immunohistochemistry"),
}


@dataclass(frozen=True, eq=False)
class Unseen:
    """A pair of grey frames, and the true displacement; None where the two have none in common."""

    kind: str
    first: Array
    second: Array
    truth: Array | None


def unseen_scenes(first_seed: int) -> list[Unseen]:
    """Scenes of every kind: 0 for those that parameters were fixed by, 100 for the others."""
    return [
        kind(np.random.default_rng(first_seed + 10 * place + number), first_seed, number)
        for place, kind in enumerate(_KINDS)
        for number in range(4)
    ]


def noisy_scenes(first_seed: int, repeats: int = 2) -> list[Unseen]:
    """Known smooth motion of a texture under noise of several kinds."""
    found = []
    for place, (name, spoil) in enumerate(NOISES.items()):
        for number in range(repeats):
            rng = np.random.default_rng(first_seed + 1000 + 10 * place + number)
            image = texture(rng, blur=rng.uniform(1.0, 2.0))
            back = _swell(rng)
            second = _pulled(image, back)
            found.append(Unseen(name, spoil(image, rng), spoil(second, rng), _inverse(back)))
    return found


def _correlated(image: Array, rng: np.random.Generator) -> Array:
    noise = ndimage.gaussian_filter(rng.normal(size=image.shape), 0.8)
    return image + 8 * noise / noise.std()


def _impulses(image: Array, rng: np.random.Generator) -> Array:
    hit = rng.random(image.shape) < 0.02
    return np.where(hit, rng.uniform(0, 255, image.shape), image + rng.normal(0, 3, image.shape))


NOISES: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "Gaussian 4": lambda image, rng: image + rng.normal(0, 4, image.shape),
    "Gaussian 12": lambda image, rng: image + rng.normal(0, 12, image.shape),
    "SNR 1": lambda image, rng: image + rng.normal(0, image.std(), image.shape),
    "Poisson": lambda image, rng: rng.poisson(np.maximum(image, 0) / 2).astype(float),
    "2 % impulses": _impulses,
    "correlated": _correlated,
}


def _noise(rng: np.random.Generator, _: int, number: int) -> Unseen:
    sigma = (1, 3, 10, 3)[number]
    first, second = (100 + rng.normal(0, sigma, SHAPE) for _ in range(2))
    if number == 3:
        first, second = (ndimage.gaussian_filter(each, 1.0) for each in (first, second))
    return Unseen("noise", first, second, None)


def _flat(rng: np.random.Generator, seed: int, number: int) -> Unseen:
    """Texture in patches on a smooth background that moves along."""
    image = texture(rng) - 127
    cover = ndimage.gaussian_filter(rng.normal(size=SHAPE), 18)
    cover = ndimage.gaussian_filter(
        (cover > np.quantile(cover, (0.6, 0.8, 0.9, 0.7)[number])) * 1.0, 3
    )
    shade = np.linspace(0, 30, SHAPE[1])
    shift = rng.uniform(-5, 5, 2)
    first = 100 + image * cover
    second = shifted(first, shift)
    return _noisy("flat", first + shade, second + shade, shift, rng, (1, 3, 2, 5)[number])


def _periodic(rng: np.random.Generator, _: int, number: int) -> Unseen:
    period = (12, 8, 12, 15)[number]
    shift = np.array(((0, 3), (2, -2), (5, 7), (-9, 4))[number], float) + rng.uniform(-0.5, 0.5, 2)
    y, x = np.indices(SHAPE)

    def lattice(dy: float, dx: float) -> Array:
        waves = np.cos(2 * np.pi * (y - dy) / period) + np.cos(2 * np.pi * (x - dx) / period)
        return 100 + (30 * waves if number % 2 == 0 else 60 * np.exp(2 * (waves - 2)))

    return _noisy("periodic", lattice(0, 0), lattice(*shift), shift, rng, (0, 1, 3, 2)[number])


def _unrelated(rng: np.random.Generator, seed: int, number: int) -> Unseen:
    if number < 2:
        first, second = (photograph(seed, 2 * number + k, rng) for k in range(2))
    else:
        first, second = (texture(rng, blur=(1.0, 2.5)[number - 2]) for _ in range(2))
    return Unseen("unrelated", first, second, None)


def _vignetted(rng: np.random.Generator, seed: int, number: int) -> Unseen:
    """Light that falls off: in both frames alike, or in the second only."""
    image = photograph(seed, number, rng) if number < 3 else texture(rng)
    shift = rng.uniform(-4, 4, 2)
    away = np.hypot(*(np.indices(SHAPE) / np.array(SHAPE)[:, None, None] - 0.5))
    light = 1 - (0.5, 0.8, 0.6, 0.6)[number] * away / 0.7
    second = light * shifted(image, shift)
    first = light * image if number == 0 else image
    return _noisy("vignetted", first, second, shift, rng, 2)


def _sparse(rng: np.random.Generator, _: int, number: int) -> Unseen:
    places = rng.uniform(10, np.array(SHAPE) - 10, ((10, 20, 35, 50)[number], 2))
    shift = rng.uniform(-4, 4, 2)
    wide = rng.uniform(1.2, 2.5)
    y, x = np.indices(SHAPE)
    first, second = (
        sum(200 * np.exp(-((y - p) ** 2 + (x - q) ** 2) / (2 * wide**2)) for p, q in places + each)
        for each in (np.zeros(2), shift)
    )
    return _noisy("sparse", 20 + first, 20 + second, shift, rng, 3)


_KINDS = (_noise, _flat, _periodic, _unrelated, _vignetted, _sparse)


def _noisy(
    kind: str, first: Any, second: Any, shift: Array, rng: np.random.Generator, sigma: float
) -> Unseen:
    truth = np.broadcast_to(shift[:, None, None], (2, *SHAPE))
    noisy = [each + rng.normal(0, sigma, SHAPE) for each in (first, second)]
    return Unseen(kind, *noisy, truth)


def photograph(seed: int, number: int, rng: np.random.Generator) -> Array:
    """A piece of one of four photographs, others by seed."""
    image = getattr(data, _PHOTOGRAPHS[seed][number])()
    grey = 255 * (rgb2gray(image) if image.ndim == 3 else image / 255.0)
    top = [rng.integers(0, n - m + 1) for n, m in zip(grey.shape, SHAPE, strict=True)]
    return np.asarray(grey[top[0] : top[0] + SHAPE[0], top[1] : top[1] + SHAPE[1]])


def texture(rng: np.random.Generator, blur: float = 1.5) -> Array:
    """Detail of several sizes, as pictures have it."""
    image = np.zeros(SHAPE)
    for size in (1, 2, 4):
        part = ndimage.gaussian_filter(rng.normal(size=SHAPE), size * blur)
        image += part / part.std()
    return 127 + 30 * image / image.std()


def _swell(rng: np.random.Generator) -> Array:
    """A shift with a slow wave, as displacements back from the second frame."""
    y, x = np.indices(SHAPE)
    phase = 2 * np.pi * (y / rng.uniform(120, 300) + x / rng.uniform(120, 300)) + rng.uniform(0, 6)
    return np.stack(
        [rng.uniform(-4, 4) + rng.uniform(0.5, 1.5) * np.sin(phase + k) for k in range(2)]
    )


def _inverse(back: Array) -> Array:
    """The displacement forth whose way back this is, by fixed-point iteration."""
    grid = np.indices(SHAPE).astype(float)
    forth = -back
    for _ in range(20):
        at = grid + forth
        forth = -np.stack(
            [ndimage.map_coordinates(each, at, order=3, mode="nearest") for each in back]
        )
    return forth


def _pulled(image: Array, back: Array) -> Array:
    at = np.indices(SHAPE) + back
    return ndimage.map_coordinates(image, at, order=5, mode="mirror")


def shifted(image: Array, shift: Array) -> Array:
    """The image moved by (rows, columns)."""
    return _pulled(image, -shift[:, None, None] * np.ones((2, *SHAPE)))
