"""Real input: what ships with scikit-image, as it is and as noisy mixtures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import skimage
from skimage import color, data

from napari_framewise.samples.camera import Camera
from napari_framewise.samples.mixtures import SEED, mixture, wandering
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.sources.tiff import open_tiff
from napari_framewise.stacks.stack import Stack, stack_of

_FROM = "ships with scikit-image"


def photographs() -> SampleData:
    """500 noisy mixtures of two photographs, 128 x 128."""
    images = np.stack([_reduced(data.camera()), _reduced(color.rgb2gray(data.astronaut()))])
    return _mixed("Mixture of two photographs", images, 500, f"camera and astronaut, {_FROM}")


def pages() -> SampleData:
    """The two pages of a TIFF file, read from it, and 500 noisy mixtures of them, 15 x 10."""
    path = Path(skimage.__file__).parent / "data" / "multipage.tif"
    source = open_tiff(str(path)).source
    names = ("page", "y", "x")
    file = Stack(source, tuple(Axis(name) for name in names), name=path.name)
    images = np.stack([file.frame(0), file.frame(1)]).astype(np.float64)
    return _beside(_mixed("Mixture of two TIFF pages", images, 500, f"{path.name}, {_FROM}"), file)


def faces() -> SampleData:
    """200 crops of Labelled Faces in the Wild, 25 x 25, and 2,000 noisy mixtures of two faces."""
    crops = data.lfw_subset()
    file = stack_of(crops, axes=("crop", "y", "x"), name="LFW subset")
    source = f"Labelled Faces in the Wild, subset, {_FROM}"
    return _beside(_mixed("Mixture of two faces", crops[[3, 41]], 2000, source), file)


def _mixed(title: str, images: npt.NDArray[np.float64], count: int, source: str) -> SampleData:
    """Mixtures with x from 0.4 to 0.7 at a few hundred electrons a pixel."""
    rng = np.random.default_rng(SEED + 4)
    share = wandering(count, 0.4, 0.7, rng)
    electrons = 20 + 300 * (images - images.min()) / np.ptp(images)
    return mixture(title, electrons, np.stack([share, 1 - share], 1), Camera(), rng, source=source)


def _beside(made: SampleData, file: Stack) -> SampleData:
    return SampleData((*made.stacks, ("as it is", file)), made.truth, made.metadata)


def _reduced(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A 512 x 512 photograph as 128 x 128, by means of 4 x 4 pixels; 0 to 1."""
    blocks = np.asarray(image, np.float64).reshape(128, 4, 128, 4).mean((1, 3))
    return np.asarray(blocks / blocks.max())
