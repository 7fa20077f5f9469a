"""Images to be made smaller: a zone plate, and a photograph of fine lines."""

from __future__ import annotations

import numpy as np
from skimage import data

from napari_framewise.samples.mixtures import SIMULATED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import stack_of

_SIDE = 512
_MEAN, _AMPLITUDE = 128.0, 100.0


def zone_plate() -> SampleData:
    """Rings of 512 x 512 whose frequency is the distance from the centre over 512, in cycles/pixel.

    The truth holds `frequency` (512, 512) in cycles per pixel, the mean and the amplitude: where a
    result can't show a frequency it should be the mean.
    """
    y, x = np.mgrid[:_SIDE, :_SIDE] - (_SIDE - 1) / 2
    squared = y * y + x * x
    image = (_MEAN + _AMPLITUDE * np.cos(np.pi * squared / _SIDE)).astype(np.float32)
    title = "Zone plate"
    truth = {"frequency": np.sqrt(squared) / _SIDE, "mean": _MEAN, "amplitude": _AMPLITUDE}
    stack = stack_of(image, axes=("y", "x"), name=title)
    return SampleData((("stack", stack),), truth, described(title, SIMULATED, truth))


def bricks() -> SampleData:
    """The photograph of bricks that ships with scikit-image, 512 x 512, uint8 (CC0)."""
    title = "Photograph to shrink"
    stack = stack_of(data.brick(), axes=("y", "x"), name=title)
    source = "brick, ships with scikit-image"
    return SampleData((("stack", stack),), {}, described(title, source, {}))
