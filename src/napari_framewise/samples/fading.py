"""Cells that bleach, with the half-life of their light known."""

from __future__ import annotations

import numpy as np

from napari_framewise.samples import scenes
from napari_framewise.samples.camera import Camera
from napari_framewise.samples.mixtures import SEED, SIMULATED, described, imaged
from napari_framewise.samples.sample import SampleData

_COUNT, _SIZE = 150, 128
_SECONDS, _HALF_LIFE = 2.0, 80.0
_REMAINS = 0.2
_FLASH = slice(90, 96)


def bleaching_cells() -> SampleData:
    """150 frames of 128 x 128, 2 s apart, whose cells bleach; one spot flashes for six frames.

    The truth holds `half_life` in seconds, `remains`, the share of the light that does not bleach,
    and `flash`, the frames of the flash.
    """
    rng = np.random.default_rng(SEED + 14)
    cells = 300 * scenes.nuclei(_SIZE, 14, rng) + 60 * scenes.filaments(_SIZE, 12, rng)
    y, x = np.indices(cells.shape)
    spot = 400 * np.exp(-((y - 70) ** 2 + (x - 84) ** 2) / (2 * 4.0**2))
    time = _SECONDS * np.arange(_COUNT)
    light = _REMAINS + (1 - _REMAINS) * np.exp2(-time / _HALF_LIFE)
    glow = np.zeros(_COUNT)
    glow[_FLASH] = 1.0
    electrons = light[:, None, None] * (cells + glow[:, None, None] * spot)
    camera = Camera()
    truth = {
        "half_life": _HALF_LIFE,
        "remains": _REMAINS,
        "flash": (_FLASH.start, _FLASH.stop),
        **camera.truth(),
    }
    title = "Bleaching cells"
    stack = imaged(camera.frames(electrons, rng), title, seconds=_SECONDS)
    return SampleData((("stack", stack),), truth, described(title, SIMULATED, truth))
