"""A room with a window, in linear light: more contrast than any display has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_framewise.samples.mixtures import SEED, SIMULATED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import stack_of

_ROWS, _COLUMNS = 360, 480
# Light in an open cupboard, on the wall, under the lamp, in the window; of the bulb.
_CUPBOARD, _WALL, _LAMP, _WINDOW, _BULB = 5e-4, 0.02, 3.0, 200.0, 2000.0
_TEXTURE = 0.15
_NOISE = 0.0005


def bright_window() -> SampleData:
    """A dark room of 360 x 480, red, green and blue in linear light, seven decades of luminance.

    The truth holds `illumination` (360, 480), the light that falls everywhere, and `reflectance`
    (360, 480, 3), what the surfaces give back of it: their product and noise are the image. As in
    cameras, the noise leaves dark pixels below 0.
    """
    rng = np.random.default_rng(SEED + 8)
    y, x = np.mgrid[:_ROWS, :_COLUMNS]
    light = _illumination(y, x)
    reflectance = _reflectance(rng, y, x)
    image = light[..., None] * reflectance
    image = image * (1 + 0.01 * rng.normal(size=image.shape))
    image = (image + rng.normal(0, _NOISE, image.shape)).astype(np.float32)
    title = "Room with a bright window"
    truth = {"illumination": light, "reflectance": reflectance}
    stack = stack_of(image, axes=("y", "x", "c"), rgb=True, name=title)
    return SampleData((("stack", stack),), truth, described(title, SIMULATED, truth))


def _illumination(y: npt.NDArray[np.int_], x: npt.NDArray[np.int_]) -> npt.NDArray[np.float64]:
    """Of window and lamp, what the wall has of both, and hardly any in the cupboard."""
    falling = _WALL * (1 + 8 * np.exp(-np.hypot(y - 110, x - 340) / 60))
    lamp = _LAMP * np.exp(-(((y - 280) / 60) ** 2 + ((x - 110) / 90) ** 2))
    light = falling + np.where(y > 235, lamp, 0.05 * lamp)
    window = (abs(y - 110) < 75) & (abs(x - 340) < 95)
    bars = (abs(y - 110) < 4) | (abs(x - 340) < 4)
    light = np.where(window & ~bars, _WINDOW * (1.2 - y / _ROWS), light)
    light = np.where((y > 310) & (x > 430), _CUPBOARD, light)
    return np.where(np.hypot(y - 215, x - 110) < 9, _BULB, light)


def _reflectance(
    rng: np.random.Generator, y: npt.NDArray[np.int_], x: npt.NDArray[np.int_]
) -> npt.NDArray[np.float64]:
    """Coloured surfaces with a fine texture, books on the desk, hills behind the window."""
    colours = np.broadcast_to([0.75, 0.7, 0.6], (*y.shape, 3)).copy()
    colours[y > 235] = [0.55, 0.35, 0.2]
    for number in range(9):
        book = (y > 240) & (y < 330) & (abs(x - 260 - 22 * number) < 9)
        colours[book] = rng.uniform(0.1, 0.9, 3)
    window = (abs(y - 110) < 75) & (abs(x - 340) < 95)
    hills = y > 130 + 14 * np.sin(x / 21) + 6 * np.sin(x / 7)
    colours[window] = [0.5, 0.7, 0.95]
    colours[window & hills] = [0.3, 0.5, 0.2]
    stripes = 1 + _TEXTURE * np.sign(np.sin(x / 2.2) * np.sin(y / 2.2))
    return colours * stripes[..., None]
