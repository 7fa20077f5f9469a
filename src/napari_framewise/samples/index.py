"""An index image with missing pixels, beside what stands under them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_framewise.samples.mixtures import SEED, SIMULATED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import Stack, stack_of

_COUNT, _SIZE = 6, 256
_METRES = 10.0
_NOISE = 2.0


def index_image() -> SampleData:
    """6 images of 256 x 256 of an index from -50 to 1 with clouds, stripes and dropouts missing.

    The truth holds `index` (6, 256, 256), without noise and gaps, and `noise`, the standard
    deviation of what was added where the index is known.
    """
    rng = np.random.default_rng(SEED + 7)
    index = np.stack([_fields(rng, 1 - 0.12 * number) for number in range(_COUNT)])
    measured = np.clip(index + rng.normal(0, _NOISE, index.shape), -50, 1)
    clouds = np.stack([_clouds(rng) for _ in range(_COUNT)])
    stripes = np.zeros((_COUNT, _SIZE, _SIZE), bool)
    stripes[..., 40::64] = stripes[..., 41::64] = True
    dropouts = rng.random(index.shape) < 0.05
    gaps = np.where(clouds | stripes | dropouts, np.nan, measured).astype(np.float32)
    title = "Index image with missing pixels"
    whole = index.astype(np.float32)
    truth = {"index": whole, "noise": _NOISE}
    stacks = (
        ("stack", _placed(gaps, title)),
        ("truth", _placed(whole, f"{title}, truth")),
    )
    return SampleData(stacks, truth, described(title, SIMULATED, truth))


def _fields(rng: np.random.Generator, wet: float) -> npt.NDArray[np.float64]:
    """Fields with straight edges over a slope, the more of them near -50 the wetter it is."""
    layout = np.random.default_rng(SEED)
    y, x = np.mgrid[:_SIZE, :_SIZE] / _SIZE
    image = -10 - 14 * wet * (0.6 * x + 0.4 * y)
    for _ in range(9):
        angle, place = layout.uniform(0, np.pi), layout.uniform(0.2, 0.8, 2)
        side = np.cos(angle) * (y - place[0]) + np.sin(angle) * (x - place[1])
        image = np.where(side > 0, image, image + layout.uniform(-9, 7))
    lake = (y - 0.62) ** 2 / 0.02 + (x - 0.35) ** 2 / 0.012 < 1
    image = np.where(lake, -46, image)
    texture = ndimage.gaussian_filter(rng.normal(size=image.shape), 6)
    return np.clip(image + 18 * texture, -49.5, 0.5)


def _clouds(rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """A fifth of the image in clouds of different size."""
    cover = ndimage.gaussian_filter(rng.normal(size=(_SIZE, _SIZE)), 14)
    cover += 0.12 * ndimage.gaussian_filter(rng.normal(size=(_SIZE, _SIZE)), 4)
    return np.asarray(cover > np.quantile(cover, 0.8))


def _placed(data: npt.NDArray[np.float32], name: str) -> Stack:
    return stack_of(
        data,
        axes=("t", "y", "x"),
        scale=(1.0, _METRES, _METRES),
        units=("day", "meter", "meter"),
        name=name,
    )
