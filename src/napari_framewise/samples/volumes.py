"""Volumes that drift and turn, with the matrix of each known."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from napari_framewise.samples.mixtures import SEED, SIMULATED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import stack_of

_COUNT, _SHAPE, _VOXEL = 10, (14, 48, 48), (0.5, 0.2, 0.2)
_BLOBS, _SIGMA = 60, 0.7
_DARK, _NOISE = 100.0, 6.0


def drifting_volume() -> SampleData:
    """10 volumes of 14 x 48 x 48 voxels, 0.5 x 0.2 x 0.2 um each, that drift and turn.

    The truth holds `matrices` (10, 4, 4): what stands at voxel p = (z, row, column, 1) of volume 0
    stands at ``matrices[n] @ p`` in volume n.
    """
    rng = np.random.default_rng(SEED + 15)
    voxel = np.array(_VOXEL)
    ends = voxel * (np.array(_SHAPE) - 1)
    middle = ends / 2
    blobs = rng.uniform(-0.1 * ends, 1.1 * ends, (_BLOBS, 3))
    bright = rng.uniform(60, 250, _BLOBS)
    shifts = np.cumsum(rng.normal(0, (0.08, 0.12, 0.12), (_COUNT, 3)), axis=0)
    turns = np.radians(np.cumsum(rng.normal(0, (0.8, 0.3, 0.3), (_COUNT, 3)), axis=0))
    shifts, turns = shifts - shifts[0], turns - turns[0]
    grid = np.moveaxis(np.indices(_SHAPE), 0, -1) * voxel
    frames = np.empty((_COUNT, *_SHAPE), np.uint16)
    matrices = np.zeros((_COUNT, 4, 4))
    for number, (shift, turn) in enumerate(zip(shifts, turns, strict=True)):
        rotation = Rotation.from_rotvec(turn).as_matrix()
        light = np.full(_SHAPE, _DARK)
        for place, peak in zip(blobs, bright, strict=True):
            away = grid - (rotation @ (place - middle) + middle + shift)
            light += peak * np.exp(-0.5 * (away**2).sum(axis=-1) / _SIGMA**2)
        noisy = light + rng.normal(0, _NOISE, _SHAPE)
        frames[number] = np.rint(noisy.clip(0))
        matrices[number, :3, :3] = rotation * voxel / voxel[:, None]
        matrices[number, :3, 3] = (middle + shift - rotation @ middle) / voxel
        matrices[number, 3, 3] = 1
    title = "Drifting volume"
    stack = stack_of(
        frames,
        axes=("t", "z", "y", "x"),
        scale=(1.0, *_VOXEL),
        units=("second", *("micrometer",) * 3),
        name=title,
    )
    truth = {"matrices": matrices}
    return SampleData((("stack", stack),), truth, described(title, SIMULATED, truth))
