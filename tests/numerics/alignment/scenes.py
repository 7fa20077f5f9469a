"""Scenes with a known transform, drawn where their points come to lie: nothing is interpolated."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics import transforms


def scene(at: np.ndarray) -> np.ndarray:
    """A smooth scene, 0 to about 200, at positions (..., 2)."""
    rng = np.random.default_rng(11)
    y, x = at[..., 0], at[..., 1]
    values = np.full(y.shape, 100.0)
    for _ in range(220):
        row, column = rng.uniform(-60, 220, 2)
        width = rng.uniform(3, 9)
        height = rng.uniform(-60, 60)
        values += height * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
    return values


def grid(shape: tuple[int, int]) -> np.ndarray:
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).astype(float)


def image(shape: tuple[int, int] = (160, 170)) -> np.ndarray:
    return scene(grid(shape))


def template(matrix: np.ndarray, shape: tuple[int, int] = (90, 80)) -> np.ndarray:
    """What of the image comes to lie at every pixel of a template: ``image(matrix @ p)``."""
    return scene(transforms.mapped(matrix, grid(shape)))


def moved(motion: transforms.Motion, amount: float = 1.0) -> np.ndarray:
    """A transform of a family that puts the template into the middle of the image."""
    change = np.array([[0.04, 0.05, 0], [-0.06, -0.03, 0], [2e-4, -3e-4, 0]]) * amount
    matrix = transforms.nearest(np.eye(3) + change, motion)
    centre = np.array([44.5, 39.5])
    matrix[:2, 2] = 0
    shift = np.array([80.0, 82.0]) + 3 * amount - transforms.mapped(matrix, centre)
    return transforms.composed([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]], matrix)
