"""A stack that drifts and rotates, with the transform of every frame known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_framewise.numerics.transforms import mapped
from napari_framewise.samples import scenes
from napari_framewise.samples.camera import Camera
from napari_framewise.samples.mixtures import SEED, SIMULATED, described, imaged
from napari_framewise.samples.sample import SampleData

_COUNT, _SIZE = 240, 128
# The scene is finer than the camera, so that to draw it between pixels costs no accuracy.
_FINER = 2
_MARGIN = 64


def drifting() -> SampleData:
    """240 frames of 128 x 128 that drift by up to 12 pixels and rotate by up to 6 degrees.

    The truth holds `matrices` (240, 3, 3): what stands at pixel p = (row, column, 1) of frame 0
    stands at ``matrices[n] @ p`` in frame n.
    """
    rng = np.random.default_rng(SEED + 6)
    side = _FINER * (_SIZE + 2 * _MARGIN)
    scene = 20 + 120 * scenes.nuclei(side, 40, rng) + 160 * scenes.filaments(side, 60, rng)
    scene = ndimage.spline_filter(ndimage.gaussian_filter(scene, 0.5 * _FINER), 3)
    matrices = _wandering(rng)
    grid = np.stack(np.meshgrid(np.arange(_SIZE), np.arange(_SIZE), indexing="ij"), axis=-1)
    camera = Camera()
    frames = np.empty((_COUNT, _SIZE, _SIZE), np.uint16)
    for number, matrix in enumerate(matrices):
        places = _FINER * (mapped(np.linalg.inv(matrix), grid) + _MARGIN)
        electrons = ndimage.map_coordinates(
            scene, np.moveaxis(places, -1, 0), order=3, prefilter=False, mode="nearest"
        )
        frames[number] = camera.frames(np.maximum(electrons, 0), rng)
    truth = {"matrices": matrices, **camera.truth()}
    title = "Drifting stack"
    stack = imaged(frames, title)
    return SampleData((("stack", stack),), truth, described(title, SIMULATED, truth))


def _wandering(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A slow drift with a small jitter; frame 0 does not move."""
    time = np.linspace(0, 1, _COUNT)
    rows = 9 * np.sin(2.2 * time) + rng.normal(0, 0.3, _COUNT).cumsum() * 0.5
    columns = -10 * time + 3 * np.sin(9 * time) + rng.normal(0, 0.3, _COUNT).cumsum() * 0.5
    angles = np.radians(5 * np.sin(5 * time) + rng.normal(0, 0.1, _COUNT))
    rows, columns, angles = (each - each[0] for each in (rows, columns, angles))
    centre = np.full(2, (_SIZE - 1) / 2)
    matrices = np.zeros((_COUNT, 3, 3))
    matrices[:, 2, 2] = 1
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]])
    matrices[:, :2, :2] = np.moveaxis(turns, -1, 0)
    matrices[:, :2, 2] = centre + np.stack([rows, columns], 1) - matrices[:, :2, :2] @ centre
    return matrices
