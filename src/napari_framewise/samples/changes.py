"""A scene before and after, with what changed known, under motion, blur, light and noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import color, data

from napari_framewise.samples.mixtures import SEED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of

_LEVELS, _MARGIN, _LEAST = (0.0, 1.0, 2.0), 12, 5.0
_BLOCKS = ((60, 90, 18, 22), (200, 300, 16, 24), (260, 80, 22, 16))
_DISCS = ((120, 210, 9, 45.0), (300, 250, 11, -40.0))


def known_changes() -> SampleData:
    """3 images of 360 x 400 beside one taken earlier.

    The truth holds `changed` (360, 400) of 0 and 1, and `levels`: at level 1 things are displaced
    by 1.3 pixels, by a warp that varies over the image, blurred by 0.35 pixels, 8 % brighter, with
    a vignette of 12 % and noise of 2.5; at level 2 by twice that; at level 0 there is noise of 1.
    """
    rng = np.random.default_rng(SEED + 12)
    scene = 255 * color.rgb2gray(data.coffee())[8:392, 88:512]
    after, changed = _changed(scene)
    inner = (slice(_MARGIN, -_MARGIN),) * 2
    later = np.stack([_disturbed(after, level, rng)[inner] for level in _LEVELS])
    earlier = scene[inner] + rng.normal(0, 1, scene[inner].shape)
    title = "Known changes"
    truth = {"changed": changed[inner].astype(np.uint8), "levels": np.array(_LEVELS)}
    stacks = (
        ("stack", _placed(later, "later")),
        ("reference", _placed(earlier, "earlier")),
    )
    return SampleData(stacks, truth, described(title, "coffee, ships with scikit-image", truth))


def _changed(scene: Array) -> tuple[Array, Array]:
    """Blocks put elsewhere, and discs brighter and darker."""
    after, changed = scene.copy(), np.zeros(scene.shape, bool)
    for top, left, height, width in _BLOCKS:
        place = (slice(top, top + height), slice(left, left + width))
        after[place] = scene[top + 40 : top + 40 + height, left + 60 : left + 60 + width]
        changed[place] = True
    y, x = np.indices(scene.shape)
    for row, column, radius, step in _DISCS:
        disc = (y - row) ** 2 + (x - column) ** 2 < radius**2
        after += step * ndimage.gaussian_filter(disc.astype(float), 1.0)
        changed |= disc
    return after, changed & (np.abs(after - scene) > _LEAST)


def _disturbed(image: Array, level: float, rng: np.random.Generator) -> Array:
    noise = rng.normal(0, max(2.5 * level, 1.0), image.shape)
    if not level:
        return np.asarray(image + noise)
    warp = np.stack([ndimage.gaussian_filter(rng.normal(size=image.shape), 40) for _ in range(2)])
    warp *= 0.45 * level / np.sqrt((warp**2).sum(axis=0).mean())
    angle = rng.uniform(0, 2 * np.pi)
    warp += 0.85 * level * np.array([np.sin(angle), np.cos(angle)])[:, None, None]
    moved = ndimage.map_coordinates(image, np.indices(image.shape) + warp, order=3, mode="nearest")
    moved = ndimage.gaussian_filter(moved, 0.35 * level)
    y, x = (np.linspace(-1, 1, length) for length in image.shape)
    vignette = 1 - 0.12 * level * np.add.outer(y**2, x**2) / 2
    return np.asarray(moved * (1 + 0.08 * level) * vignette + noise)


def _placed(frames: Array, name: str) -> Stack:
    return stack_of(frames.astype(np.float32), axes=("time", "y", "x")[-frames.ndim :], name=name)
