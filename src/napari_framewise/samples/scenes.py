"""Pictures that look like fluorescence micrographs: nuclei, filaments, vesicles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

Image = npt.NDArray[np.float64]


def nuclei(size: int, count: int, rng: np.random.Generator) -> Image:
    """Soft ellipses of different brightness, 0 to 1, (size, size)."""
    y, x = np.mgrid[:size, :size]
    image = np.zeros((size, size))
    for _ in range(count):
        centre_y, centre_x = rng.uniform(0.1 * size, 0.9 * size, 2)
        long, short = rng.uniform(0.09, 0.15) * size, rng.uniform(0.06, 0.09) * size
        angle = rng.uniform(0, np.pi)
        along = (x - centre_x) * np.cos(angle) + (y - centre_y) * np.sin(angle)
        across = (y - centre_y) * np.cos(angle) - (x - centre_x) * np.sin(angle)
        radius = np.hypot(along / long, across / short)
        image = np.maximum(image, rng.uniform(0.5, 1.0) / (1 + np.exp(8 * (radius - 1))))
    texture = gaussian_filter(rng.standard_normal((size, size)), size / 40)
    return _unit(image * (1 + 0.25 * texture / texture.std()))


def filaments(size: int, count: int, rng: np.random.Generator) -> Image:
    """Thin curved lines, 0 to 1, (size, size)."""
    image = np.zeros((size, size))
    steps = 4 * size
    for _ in range(count):
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.06, steps))
        y = rng.uniform(0, size) + 0.5 * np.cumsum(np.sin(angle))
        x = rng.uniform(0, size) + 0.5 * np.cumsum(np.cos(angle))
        inside = (y >= 0) & (y < size) & (x >= 0) & (x < size)
        np.add.at(image, (y[inside].astype(int), x[inside].astype(int)), rng.uniform(0.4, 1.0))
    return _unit(gaussian_filter(image, 0.8) + 0.3 * gaussian_filter(image, size / 16))


def vesicles(size: int, count: int, rng: np.random.Generator) -> Image:
    """Small round spots of different brightness over a faint haze, 0 to 1, (size, size)."""
    image = np.zeros((size, size))
    places = rng.integers(0, size, (2, count))
    np.add.at(image, tuple(places), rng.exponential(1.0, count))
    return _unit(gaussian_filter(image, 1.2) + 0.4 * gaussian_filter(image, size / 10))


def _unit(image: Image) -> Image:
    image = image - image.min()
    return np.minimum(image / np.quantile(image, 0.999), 1.0)
