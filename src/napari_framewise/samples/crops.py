"""Crops of a few dozen scenes, displaced, relit and noisy, and which belong together."""

from __future__ import annotations

import numpy as np

from napari_framewise.samples import scenes
from napari_framewise.samples.mixtures import SEED, SIMULATED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import stack_of

_SCENES, _EACH, _SIDE, _REACH = 60, 5, 64, 24
_NOISE = 6.0
_MICROMETRES = 0.1083


def cropped() -> SampleData:
    """300 crops of 64 x 64 of 60 scenes, five of each, up to 24 pixels apart.

    The truth holds `group` (300,), the scene of each, and `place` (300, 2), row and column of its
    first pixel in the scene: what is at x in crop i is at x + place[i] - place[j] in crop j.
    """
    rng = np.random.default_rng(SEED + 31)
    whole = _SIDE + _REACH
    makers = (scenes.nuclei, scenes.filaments, scenes.vesicles)
    counts = (10, 14, 90)
    images = [makers[k % 3](whole, counts[k % 3], rng) for k in range(_SCENES)]
    group = rng.permutation(np.arange(_SCENES * _EACH) % _SCENES)
    place = rng.integers(0, _REACH + 1, (len(group), 2))
    frames = np.empty((len(group), _SIDE, _SIDE), np.float32)
    for frame, number, (top, left) in zip(frames, group, place, strict=True):
        crop = images[number][top : top + _SIDE, left : left + _SIDE]
        light = 100 * rng.uniform(0.7, 1.3) * crop + rng.uniform(10, 40)
        frame[:] = light + rng.normal(0, _NOISE, crop.shape)
    title = "Crops of sixty scenes"
    stack = stack_of(
        np.rint(frames).clip(0, 255).astype(np.uint8),
        axes=("image", "y", "x"),
        scale=(1.0, _MICROMETRES, _MICROMETRES),
        units=("", "micrometer", "micrometer"),
        name=title,
    )
    truth = {"group": group, "place": place}
    return SampleData((("stack", stack),), truth, described(title, SIMULATED, truth))
