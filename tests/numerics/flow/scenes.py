"""Textures that move by what is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[Any]


def texture(shape: tuple[int, ...], seed: int = 0, blur: float = 1.5) -> Array:
    rng = np.random.default_rng(seed)
    image = np.zeros(shape)
    # Detail of several sizes, as pictures have it.
    for size in (1, 2, 4):
        part = ndimage.gaussian_filter(rng.normal(size=shape), size * blur, mode="mirror")
        image += part / part.std()
    return 127 + 90 * image / np.abs(image).max()


def pulled(image: Array, back: Array) -> Array:
    """The frame that holds at q what the image holds at q + back(q)."""
    at = np.indices(image.shape) + back
    return ndimage.map_coordinates(image, at, order=5, mode="mirror")


def shifted(image: Array, shift: tuple[float, ...]) -> Array:
    back = -np.array(shift).reshape(-1, *(1,) * image.ndim) * np.ones((1, *image.shape))
    return pulled(image, back)


def errors(flow: Array, shift: tuple[float, ...], border: int = 8) -> Array:
    inside = (slice(None), *(slice(border, -border or None),) * len(shift))
    away = flow - np.array(shift).reshape(-1, *(1,) * len(shift))
    return np.sqrt(np.sum(away[inside] ** 2, axis=0))
