from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from skimage import data
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.cli import main
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import ImageResult, Outcome, PointsResult, ShapesResult
from napari_framewise.numerics.transforms import inverse, mapped
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.alignment import Transforms
from napari_framewise.tools.calls import run
from napari_framewise.tools.flow import FlowModel
from napari_framewise.tools.rigid import RigidTransforms

SHRINK = [[0.4, 0.1, 3.0], [-0.1, 0.35, 6.0]]
"""From x and y of the image to those of the result, as OpenCV has it."""


def pulled_back(rows: Any = SHRINK) -> Array:
    """The same from rows and columns of the result to those of the image."""
    whole = np.vstack([np.array(rows, float), [0, 0, 1]])[:3]
    swap = np.eye(3)[[1, 0, 2]]
    return inverse(swap @ whole @ swap)


def image_of(outcome: Outcome) -> ImageResult:
    layer = outcome.layer("warped") if len(outcome.layers) == 1 else outcome.layers[0]
    assert isinstance(layer, ImageResult)
    return layer


class TestContract(ToolContract):
    name = "warp"
    compares = "pixels"
    parameters: ClassVar[dict[str, Any]] = {
        "matrix": [[0.6, 0.1, 3.0], [-0.1, 1.35, 2.0]],
        "result": "memory",
    }
    value_columns = ("warped",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"mask": mask}


class TestHomographyOfAModel(ToolContract):
    name = "warp"
    compares = "pixels"
    parameters: ClassVar[dict[str, Any]] = {
        "kernel": "area",
        "output_grid": "scale",
        "scale": 0.6,
        "result": "memory",
    }
    value_columns = ("warped",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        space = Space("s", (20, 24), (1.0, 1.0), ("pixel", "pixel"))
        matrix = np.array([[[1.1, 0.1, 2], [0.05, 0.9, 1], [0.004, 0.001, 1]]])
        return {"transform": Transforms(space, space, matrix, "homography")}


def calibrated(image: Array, scale: float = 0.5, name: str = "cells") -> Stack:
    return stack_of(
        image[None], axes=("t", "y", "x"), scale=(1, scale, scale), translate=(0, 20, -7),
        units=("pixel", "micrometer", "micrometer"), name=name,
    )  # fmt: skip


@pytest.mark.parametrize("axes", ["x_y", "row_column"])
@pytest.mark.parametrize("direction", ["input_to_output", "output_to_input"])
def test_a_matrix_of_any_convention_gives_the_same(axes: str, direction: str) -> None:
    frame = data.camera()[::4, ::4].astype(np.float32)
    matrix = pulled_back()
    given = matrix if direction == "output_to_input" else inverse(matrix)
    if axes == "x_y":
        given = given[np.ix_([1, 0, 2], [1, 0, 2])]
    found = run("warp", stack=frame, matrix=given, matrix_axes=axes, matrix_direction=direction)
    expected = run("warp", stack=frame, matrix=SHRINK)
    np.testing.assert_allclose(
        image_of(found).data, np.asarray(image_of(expected).data), rtol=1e-5, equal_nan=True
    )
    model = found.model()
    assert isinstance(model, Transforms)
    np.testing.assert_allclose(model.matrices[0], matrix, atol=1e-12)


@pytest.mark.parametrize(
    "output",
    [
        {"output_grid": "same"},
        {"output_grid": "scale", "scale": 0.5},
        {"output_grid": "shape", "rows": 33, "columns": 50},
        {"output_grid": "whole", "scale": 1.5},
        {"output_grid": "like"},
    ],
)
def test_a_landmark_lies_where_points_shapes_and_images_say(output: dict[str, Any]) -> None:
    y, x = np.mgrid[:60, :80]
    spot = np.array([31.3, 44.6])
    frame = np.exp(-((y - spot[0]) ** 2 + (x - spot[1]) ** 2) / 50).astype(np.float32)
    stack = calibrated(frame)
    others: dict[str, Any] = {}
    if output["output_grid"] == "like":
        others["like"] = calibrated(np.zeros((40, 70)), name="other")
    axes = Grid(stack.axes)
    points = PointsResult("spot", np.array([[0.0, *spot]]), axes)
    square = np.array([[0, *(spot + d)] for d in ([-3, -3], [-3, 3], [3, 3], [3, -3])])
    shapes = ShapesResult("box", [square], axes, "rectangle")
    labels = (frame > 0.5).astype(np.uint8)[None]
    outcome = run(
        "warp", stack=stack, matrix=SHRINK, points=points, shapes=shapes, labels=labels,
        **output, **others,
    )  # fmt: skip
    image, moved_labels, moved, box = outcome.layers
    assert isinstance(moved, PointsResult)
    assert isinstance(box, ShapesResult)
    assert isinstance(image, ImageResult)
    assert isinstance(moved_labels, ImageResult)
    found = np.nan_to_num(np.asarray(image.data)[0].astype(float))
    rows, columns = np.mgrid[: found.shape[0], : found.shape[1]]
    centre = np.array([(found * rows).sum(), (found * columns).sum()]) / found.sum()
    assert moved.grid.axes == image.grid.axes == box.grid.axes
    np.testing.assert_allclose(moved.data[0, 1:], centre, atol=0.06)
    np.testing.assert_allclose(box.data[0][:, 1:].mean(axis=0), moved.data[0, 1:], atol=1e-9)
    mass = np.argwhere(np.asarray(moved_labels.data)[0]).mean(axis=0)
    np.testing.assert_allclose(mass, centre, atol=0.35)
    # Exactly where the matrix says, in the world.
    there = mapped(inverse(pulled_back()), spot)
    world = [axis.translate + axis.scale * p
             for axis, p in zip(moved.grid.axes[1:], moved.data[0, 1:], strict=True)]  # fmt: skip
    np.testing.assert_allclose(world, np.array([20, -7]) + 0.5 * there, atol=1e-9)


def test_as_a_layer_without_a_transform_goes_by_the_world() -> None:
    y, x = np.mgrid[:40, :40]
    stack = calibrated((0.5 * y + 20) + 3 * (0.5 * x - 7.0))
    like = stack_of(
        np.zeros((12, 9)), scale=(1.5, 2000.0), translate=(22.0, -5000.0),
        units=("micrometer", "nanometer"), name="other",
    )  # fmt: skip
    layer = image_of(run("warp", stack=stack, like=like, output_grid="like", kernel="area"))
    assert layer.grid.role == "like"
    assert layer.grid.axes[1:] == like.axes
    rows, columns = 22 + 1.5 * np.arange(12), -5 + 2.0 * np.arange(9)
    known = np.asarray(layer.data)[0][:8, :6]
    np.testing.assert_allclose(known, (rows[:, None] + 3 * columns)[:8, :6], rtol=2e-3)


def test_the_whole_extent_holds_the_whole_image() -> None:
    frame = data.camera()[::8, ::8].astype(np.float64)
    turn = np.radians(30)
    matrix = [[np.cos(turn), -np.sin(turn), 500.0], [np.sin(turn), np.cos(turn), -90.0]]
    layer = image_of(run("warp", stack=frame, matrix=matrix, output_grid="whole", kernel="area"))
    assert np.nansum(layer.data) == pytest.approx(frame.sum(), rel=0.02)
    assert np.isfinite(layer.data).sum() == pytest.approx(frame.size, rel=0.02)


def test_each_frame_has_its_own_transform_and_its_labels_go_along() -> None:
    frames = blobs(3, (30, 40))
    space = Space("s", (30, 40), (1.0, 1.0), ("pixel", "pixel"))
    matrices = np.tile(np.eye(3), (3, 1, 1))
    matrices[:, 0, 2] = [0, 2, 4]
    model = Transforms(space, space, matrices, "translation")
    labels = np.arange(30)[None, :, None] * np.ones((3, 1, 40), np.int32)
    outcome = run("warp", stack=frames, transform=model, labels=labels)
    found, moved = (np.asarray(layer.data) for layer in outcome.layers)
    for number, shift in enumerate((0, 2, 4)):
        np.testing.assert_array_equal(found[number, : 30 - shift], frames[number, shift:])
        assert np.isnan(found[number, 30 - shift :]).all()
        np.testing.assert_array_equal(moved[number, : 30 - shift], labels[number, shift:])
    with pytest.raises(ValueError, match="give labels for each"):
        run("warp", stack=frames, transform=model, labels=labels[:2])


def test_a_flow_pulls_each_frame_onto_the_one_before() -> None:
    frames = np.stack([np.roll(blobs(1, (24, 30))[0], 3 * n, axis=1) for n in range(3)])
    flow = np.zeros((2, 2, 24, 30), np.float32)
    flow[:, 1] = 3
    space = Space("s", (24, 30), (1.0, 1.0), ("pixel", "pixel"))
    layer = image_of(run("warp", stack=frames, transform=FlowModel(space, space, flow, "next")))
    found = np.asarray(layer.data)
    assert found.shape == (2, 24, 30)
    np.testing.assert_array_equal(found[:, :, :27], frames[1:, :, 3:])


def test_light_is_averaged_where_it_is_asked_for() -> None:
    # A board of black and white is half as bright as white: the code 188, not 128.
    board = (255 * (np.indices((64, 64)).sum(axis=0) % 2)).astype(np.uint8)
    given = {"stack": board, "output_grid": "scale", "scale": 0.125, "kernel": "area"}
    assert np.allclose(image_of(run("warp", **given)).data, 127.5, atol=0.1)
    assert np.allclose(image_of(run("warp", **given, linear_light=True)).data, 187.5, atol=0.5)


HORIZON = [[1, 0, 0], [0, 1, 0], [0, 0.05, 1]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"matrix": [[1, 2, 3], [2, 4, 6]]}, "singular"),
        ({"matrix": [[0, 0, 0], [0, 0, 0]]}, "singular"),
        ({"matrix": [[1, 2], [3, 4]]}, "2 x 3 or 3 x 3"),
        (
            {"output_grid": "shape", "rows": 10**6, "columns": 10**6},
            "takes 4 TB, and this computer",
        ),
        ({"output_grid": "shape"}, "rows, columns or both"),
        ({"output_grid": "like"}, "choose that layer"),
        (
            {"matrix": HORIZON, "matrix_direction": "output_to_input", "output_grid": "whole"},
            "horizon|memory",
        ),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("warp", stack=np.ones((40, 50)), **given)


def test_volumes_and_transforms_must_agree() -> None:
    volumes = stack_of(np.ones((2, 4, 8, 9)), axes=("t", "z", "y", "x"))
    with pytest.raises(ValueError, match="a matrix moves planes"):
        run("warp", stack=volumes, matrix=SHRINK)
    space = Space("s", (8, 9), (1.0, 1.0), ("pixel", "pixel"))
    model = Transforms(space, space, np.eye(3)[None], "affine")
    with pytest.raises(ValueError, match="2 axes"):
        run("warp", stack=volumes, transform=model)
    with pytest.raises(ValueError, match="leave one of them out"):
        run("warp", stack=np.ones((8, 9)), transform=model, matrix=SHRINK)


def test_volumes_that_shrink_are_averaged() -> None:
    frames = np.random.default_rng(0).normal(10, 2, (2, 4, 8, 12)).astype(np.float32)
    volumes = stack_of(frames, axes=("t", "z", "y", "x"), scale=(1.0, 2.0, 0.5, 0.5))
    volumes = volumes.select(replace(volumes.selection, frames_along=(0,)))
    labels = stack_of((frames > 10).astype(np.uint8), axes=("t", "z", "y", "x"))
    labels = labels.select(replace(labels.selection, frames_along=(0,)))
    space = Space("s", (4, 8, 12), (2.0, 0.5, 0.5), ("pixel",) * 3)
    model = RigidTransforms(space, space, np.eye(4)[None], "translation")
    found = run(
        "warp", stack=volumes, transform=model, labels=labels, output_grid="scale", scale=0.5
    )
    image = image_of(found)
    blocks = frames.reshape(2, 2, 2, 4, 2, 6, 2)
    np.testing.assert_allclose(np.asarray(image.data), blocks.mean((2, 4, 6)), rtol=1e-6)
    assert image.grid.scale[-3:] == (4.0, 1.0, 1.0)
    assert image.grid.translate[-3:] == (1.0, 0.25, 0.25)
    share = (frames > 10).reshape(2, 2, 2, 4, 2, 6, 2).mean((2, 4, 6))
    shown = np.asarray(found.layers[1].data)
    np.testing.assert_array_equal(shown[share != 0.5], (share > 0.5)[share != 0.5])
    # Without a change of size the voxels are those of the model's own warp, to the bit.
    same = np.asarray(image_of(run("warp", stack=volumes, transform=model)).data)
    np.testing.assert_array_equal(same, frames)


def test_fourier_takes_affine_maps_alone() -> None:
    frame = data.camera()[::4, ::4].astype(np.float32)
    found = np.asarray(image_of(run("warp", stack=frame, matrix=SHRINK, kernel="fourier")).data)
    other = np.asarray(image_of(run("warp", stack=frame, matrix=SHRINK)).data)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(other))
    assert np.nanstd(found - other) < 0.2 * np.nanstd(other)
    with pytest.raises(ValueError, match="affine maps of planes alone"):
        run("warp", stack=frame, matrix=[[1, 0, 0], [0, 1, 0], [0, 0.001, 1]], kernel="fourier")


def test_the_command_line_has_an_option_for_every_parameter(capsys: Any) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["warp", "--help"])
    said = capsys.readouterr().out
    assert "--output-grid" in said
    assert "--matrix-direction" in said
