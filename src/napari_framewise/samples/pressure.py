"""Pressure series: calibration grids seen through a lens that bends with pressure, with the truth.

Truth is a smooth map in closed form from each pixel of an image to where it would lie without the
lens; where a node is seen is found by iterating it. Nothing of it is a spline.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_framewise.samples.mixtures import SEED, SIMULATED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import Stack, stack_of

Array = npt.NDArray[np.float64]
Pattern = Literal["chessboard", "dots", "lines"]
SHAPE, NODES, PITCH = (480, 640), (9, 13), 44.0
PRESSURES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
_INK, _PAPER, _NOISE, _BLUR, _FINE = 45.0, 205.0, 3.0, 0.7, 5
_ITERATIONS = 80


def straight(points: Array, pressure: float, shape: Sequence[int] = SHAPE) -> Array:
    """Points (n, 2) of an image where they would lie without the lens.

    A barrel that grows faster than pressure does, and a bend without symmetry: at pressure 5 the
    corners of the frame move by 46 to 65 pixels.
    """
    size = np.asarray(shape, float)
    half = float(np.hypot(*size)) / 2
    at = (points - (size - 1) / 2) / half
    square = (at**2).sum(axis=1, keepdims=True)
    part = pressure / 5
    strength = part * (0.7 + 0.3 * part)
    barrel = at * (0.62 * square + 0.38 * square**2)
    y, x = at.T
    bend = np.stack([np.sin(2.3 * x + 0.8 * y) * 0.6, np.cos(2.9 * y - 0.7 * x) - 1], axis=1)
    return np.asarray(
        points + half * (0.145 * strength * barrel + 0.018 * np.sin(1.1 * part) * bend)
    )


def seen(points: Array, pressure: float, shape: Sequence[int] = SHAPE) -> Array:
    """Points (n, 2) of the straight scene where the lens shows them: the inverse of `straight`."""
    found = np.array(points, float)
    for _ in range(_ITERATIONS):
        found += points - straight(found, pressure, shape)
    return found


def nodes_of(shape: Sequence[int] = SHAPE, count: Sequence[int] = NODES) -> Array:
    """Nodes of the straight grid, (rows * columns, 2), from the top left."""
    axes = [
        (size - 1) / 2 + PITCH * (np.arange(n) - (n - 1) / 2)
        for size, n in zip(shape, count, strict=True)
    ]
    return np.stack([each.ravel() for each in np.meshgrid(*axes, indexing="ij")], axis=1)


def view(
    pattern: Pattern,
    pressure: float,
    *,
    shape: Sequence[int] = SHAPE,
    count: Sequence[int] = NODES,
    noise: float = _NOISE,
    seed: int = SEED,
) -> Array:
    """One image of a grid at a pressure, float64: means over pixels, blurred, with noise."""
    clean = _clean(pattern, pressure, tuple(shape), tuple(count))
    return clean + np.random.default_rng(seed).normal(0, noise, clean.shape)


@lru_cache(maxsize=32)
def _clean(
    pattern: Pattern, pressure: float, shape: tuple[int, ...], count: tuple[int, ...]
) -> Array:
    fine = (np.arange(_FINE) + 0.5) / _FINE - 0.5
    image = np.zeros(shape)
    rows, columns = np.indices(shape, dtype=float)
    origin = nodes_of(shape, count)[0]
    for dy in fine:
        for dx in fine:
            at = np.stack([(rows + dy).ravel(), (columns + dx).ravel()], axis=1)
            place = (straight(at, pressure, shape) - origin) / PITCH
            image += _ink(pattern, place, count).reshape(shape)
    image = _PAPER + (_INK - _PAPER) * image / _FINE**2
    return np.asarray(ndimage.gaussian_filter(image, _BLUR, mode="nearest"))


def _ink(pattern: Pattern, place: Array, count: Sequence[int]) -> Array:
    """Share of ink at places in pitches from the first node; edges are as wide as a fine pixel."""
    last = np.asarray(count) - 1
    near = np.clip(np.rint(place), 0, last)
    if pattern == "dots":
        return _within(0.27 - np.sqrt(((place - near) ** 2).sum(axis=1)))
    if pattern == "chessboard":
        on = _within(place + 1).prod(axis=1) * _within(last + 1 - place).prod(axis=1)
        depth = np.abs(place - np.rint(place)) * (1 - 2 * (np.floor(place) % 2))
        signs = 2 * _within(depth) - 1
        return np.asarray(on * (1 + signs.prod(axis=1)) / 2)
    ends = _within(place + 0.4).prod(axis=1) * _within(last + 0.4 - place).prod(axis=1)
    bars = _within(1.75 / PITCH - np.abs(place - near))
    return np.asarray(ends * bars.max(axis=1))


def _within(depth: Array) -> Array:
    """Share of a fine pixel that lies inside, by how deep it does, in pitches."""
    return np.clip(0.5 + depth * PITCH * _FINE, 0, 1)


def _series(pattern: Pattern, title: str, seed: int) -> SampleData:
    images = [view(pattern, value, seed=seed + k) for k, value in enumerate(PRESSURES)]
    frames = np.rint(np.clip(images, 0, 255)).astype(np.uint8)
    ideal = nodes_of()
    where = np.stack([seen(ideal, value) for value in PRESSURES])
    truth = {"nodes": where, "straight": ideal, "pressures": PRESSURES, "noise": _NOISE}
    stacks = (("stack", _placed(frames, title)),)
    return SampleData(stacks, truth, described(title, SIMULATED, truth))


def chessboards() -> SampleData:
    """6 images of a chessboard of 9 x 13 inner corners at pressures 0 to 5.

    The truth holds `nodes` (6, 117, 2), where each corner is seen, `straight` (117, 2), where it is
    without the lens, `pressures` and `noise`.
    """
    return _series("chessboard", "Chessboard under pressure", SEED + 20)


def dots() -> SampleData:
    """6 images of a grid of 9 x 13 dots at pressures 0 to 5; truth as of the chessboards."""
    return _series("dots", "Dots under pressure", SEED + 30)


def lines() -> SampleData:
    """6 images of a grid of 9 x 13 lines at pressures 0 to 5; truth as of the chessboards."""
    return _series("lines", "Lines under pressure", SEED + 40)


def _placed(data: npt.NDArray[np.uint8], name: str) -> Stack:
    return stack_of(data, axes=("pressure", "y", "x"), name=name)
