"""The tool Align volumes: known motions of flat voxels, and what can not be aligned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_framewise as fw
from napari_framewise.numerics.rigid import RigidMotion
from napari_framewise.stacks.source import Array

SHAPE = (12, 36, 40)
SCALE = (2.5, 1.0, 1.0)
COUNT = 4


def drawn(points: Array) -> Array:
    rng = np.random.default_rng(0)
    values = np.full(points.shape[:-1], 100.0)
    for _ in range(90):
        centre = rng.uniform(-8, np.array(SHAPE) * SCALE + 8)
        height, width = rng.uniform(-50, 50), rng.uniform(3.0, 6.0)
        away = ((points * SCALE - centre) ** 2).sum(-1)
        values += height * np.exp(-away / (2 * width**2))
    return values


def movie(motion: RigidMotion) -> tuple[Any, Array]:
    """Volumes with 3 degrees more of rotation each, and the matrices from the first's pixels."""
    rng = np.random.default_rng(5)
    size = np.diag([*SCALE, 1.0])
    centre = (np.array(SHAPE) - 1) / 2
    matrices = []
    for number in range(COUNT):
        angle = np.radians(3 * number) if motion == "euclidean" else 0.0
        turn = np.eye(4)
        turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        matrix = np.linalg.solve(size, turn @ size)
        shift = number * np.array([0.3, 1.1, -0.8])
        matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
        matrices.append(matrix)
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1).astype(float)
    inverses = np.linalg.inv(matrices)
    frames = np.array([drawn(grid @ m[:3, :3].T + m[:3, 3]) for m in inverses])
    frames += rng.normal(0, 1, frames.shape)
    along = fw.Selection(frames_along=(0,))
    stack = fw.stack_of(
        frames, axes=("t", "z", "y", "x"), scale=(1, *SCALE), units=("s", "um", "um", "um")
    )
    return stack.select(along), np.array(matrices)


@pytest.mark.parametrize(
    ("motion", "to"),
    [("translation", "mean"), ("euclidean", "frame"), ("euclidean", "previous")],
)
def test_volumes_are_aligned(motion: RigidMotion, to: str) -> None:
    stack, truth = movie(motion)
    outcome = fw.run("rigid", stack=stack, motion=motion, to=to)
    (model,) = outcome.models
    relative = model.matrices @ np.linalg.inv(model.matrices[0])
    corners = np.array([[z, y, x, 1] for z in (0, 11) for y in (0, 35) for x in (0, 39)], float)
    away = np.einsum("nij,cj->nci", relative - truth, corners)[..., :3]
    assert np.sqrt((away**2).sum(-1)).max() < 0.15
    assert set(outcome.table("rigid").columns["status"]) == {"converged"}
    layer = outcome.layer("stack aligned")
    assert layer.data.shape == stack.source.shape
    assert layer.grid.scale[1:] == SCALE
    first, last = np.asarray(layer.data[0]), np.asarray(layer.data[COUNT - 1])
    inner = (slice(2, -2), slice(8, -8), slice(8, -8))
    assert np.nanmedian(np.abs(last - first)[inner]) < 3


def test_known_transforms_move_another_channel() -> None:
    stack, _ = movie("translation")
    outcome = fw.run("rigid", stack=stack, motion="translation", to="frame")
    again = fw.run("rigid", stack=stack, transforms=outcome.models[0])
    np.testing.assert_array_equal(
        np.asarray(again.layer("stack aligned").data[2]),
        np.asarray(outcome.layer("stack aligned").data[2]),
    )


def test_what_can_t_be_aligned_is_said() -> None:
    stack, _ = movie("translation")
    with pytest.raises(ValueError, match="Reference frame 9"):
        fw.run("rigid", stack=stack, reference_frame=9)
    deep = fw.stack_of(np.zeros((3, 4, 5, 6, 7))).select(fw.Selection(frames_along=(0,)))
    with pytest.raises(ValueError, match="volumes"):
        fw.run("rigid", stack=deep, motion="translation")
