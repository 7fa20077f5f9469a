"""A radar scene under speckle, beside what it would be without."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_framewise.samples.mixtures import SEED, SIMULATED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import Stack, stack_of

_COUNT, _SIZE, _LOOKS = 4, 256, 4
_METRES = 20.0


def speckled() -> SampleData:
    """4 images of 256 x 256 of intensities under speckle of 4 looks.

    The truth holds `reflectivity` (256, 256), without speckle, and `looks`. Intensities are the
    reflectivity times gamma noise of mean 1 and variance 1 / looks.
    """
    rng = np.random.default_rng(SEED + 8)
    reflectivity = _scene(rng)
    noise = rng.gamma(_LOOKS, 1 / _LOOKS, (_COUNT, _SIZE, _SIZE))
    title = "Speckled scene"
    frames = (reflectivity * noise).astype(np.float32)
    truth = {"reflectivity": reflectivity, "looks": _LOOKS}
    stacks = (
        ("stack", _placed(frames, title)),
        ("truth", _placed(reflectivity.astype(np.float32), f"{title}, truth")),
    )
    return SampleData(stacks, truth, described(title, SIMULATED, truth))


def _scene(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Fields, a river, woods with texture, and a few bright points."""
    y, x = np.mgrid[:_SIZE, :_SIZE] / _SIZE
    image = np.full((_SIZE, _SIZE), 110.0)
    for _ in range(8):
        angle, place = rng.uniform(0, np.pi), rng.uniform(0.1, 0.9, 2)
        side = np.cos(angle) * (y - place[0]) + np.sin(angle) * (x - place[1])
        image = np.where(side > 0, image, image * rng.uniform(0.6, 1.7))
    woods = ndimage.gaussian_filter(rng.normal(size=image.shape), 20) > 0.02
    texture = ndimage.gaussian_filter(rng.normal(size=image.shape), 2.5)
    image = np.where(woods, 140 * np.exp(3 * texture), image)
    river = np.abs(y - 0.55 - 0.12 * np.sin(7 * x)) < 0.025
    image = np.where(river, 20.0, image)
    for row, column in rng.integers(8, _SIZE - 8, (12, 2)):
        image[row, column] = 600.0
    return image


def _placed(data: npt.NDArray[np.float32], name: str) -> Stack:
    return stack_of(
        data,
        axes=("t", "y", "x")[-data.ndim :],
        scale=(1.0, _METRES, _METRES)[-data.ndim :],
        units=("day", "meter", "meter")[-data.ndim :],
        name=name,
    )
