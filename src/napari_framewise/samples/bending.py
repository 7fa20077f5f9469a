"""Two images of one tissue, bent in between, with the displacement and landmarks known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import data

from napari_framewise.samples.mixtures import SEED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import stack_of

_SIZE, _MARGIN = 320, 40
_NODES = 6
_LARGEST = 9.0
_NOISE = 3.0
_PIXEL = 0.5
_GAIN, _OFFSET = 0.8, 30.0
_LANDMARKS = 8


def bent_tissue() -> SampleData:
    """A photograph of stained tissue, 320 x 320, and the same bent by up to 9 px, paler, noisier.

    The truth holds `displacement` (2, 320, 320): where pixel p of the reference is in the image is
    ``p + displacement[:, p]``, and landmarks `reference_points` and `image_points` (8, 2).
    """
    rng = np.random.default_rng(SEED + 12)
    whole = data.immunohistochemistry().mean(axis=-1)[: _SIZE + 2 * _MARGIN, : _SIZE + 2 * _MARGIN]
    coarse = rng.normal(size=(2, _NODES, _NODES))
    places = np.linspace(0, _NODES - 1, _SIZE)
    rows, columns = np.meshgrid(places, places, indexing="ij")
    shift = np.stack([ndimage.map_coordinates(each, [rows, columns], order=3) for each in coarse])
    shift *= _LARGEST / np.sqrt((shift**2).sum(axis=0)).max()
    at = np.indices((_SIZE, _SIZE)) + shift
    reference = ndimage.map_coordinates(whole, at + _MARGIN, order=5)
    image = whole[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    frames = [
        _measured(reference, rng, 1.0, 0.0),
        _measured(image, rng, _GAIN, _OFFSET),
    ]
    points = rng.integers(40, _SIZE - 40, (_LANDMARKS, 2))
    truth = {
        "displacement": shift.astype(np.float32),
        "reference_points": points.astype(float),
        "image_points": at[:, points[:, 0], points[:, 1]].T,
    }
    title = "Bent tissue"
    stacks = tuple(
        (
            role,
            stack_of(
                frame,
                axes=("y", "x"),
                scale=(_PIXEL, _PIXEL),
                units=("um", "um"),
                name=f"{title}, {role}",
            ),
        )
        for role, frame in zip(("stack", "reference"), frames[::-1], strict=True)
    )
    source = "skimage.data.immunohistochemistry (Ghaznavi et al.), bent by a smooth random field"
    return SampleData(stacks, truth, described(title, source, truth))


def _measured(
    image: npt.NDArray[np.float64], rng: np.random.Generator, gain: float, offset: float
) -> npt.NDArray[np.uint8]:
    values = gain * image + offset + rng.normal(0, _NOISE, image.shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
