"""Grid nodes: points where they belong, tables, words for what was not found."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.spatial import cKDTree
from tests.helpers.tool_contract import ToolContract

from napari_framewise.framework.outcome import Outcome, PointsResult
from napari_framewise.samples.pressure import nodes_of, seen, view
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run

SHAPE, COUNT = (170, 210), (3, 4)


def images(pattern: Any = "dots", pressures: tuple[float, ...] = (0.0, 2.0, 5.0)) -> Array:
    frames = [view(pattern, value, shape=SHAPE, count=COUNT) for value in pressures]
    return np.rint(np.array(frames) / 2).clip(1, 119)


def points(outcome: Outcome) -> PointsResult:
    (layer,) = outcome.layers
    assert isinstance(layer, PointsResult)
    return layer


class TestContract(ToolContract):
    name = "grid_nodes"
    parameters: ClassVar[dict[str, Any]] = {"pattern": "dots"}

    def frames(self) -> Array:
        return images()


def test_points_lie_on_the_nodes_in_the_world() -> None:
    stack = stack_of(
        images("chessboard"),
        axes="tyx",
        scale=(2.0, 0.5, 0.25),
        translate=(0, 30, -7),
        units=("s", "mm", "mm"),
    )
    outcome = run("grid_nodes", stack=stack, pattern="chessboard")
    layer = points(outcome)
    assert layer.grid.role == "stack"
    assert layer.grid.scale == (2.0, 0.5, 0.25)
    assert layer.grid.translate == (0.0, 30.0, -7.0)
    last = layer.data[layer.data[:, 0] == 2, 1:]
    away, _ = cKDTree(seen(nodes_of(SHAPE, COUNT), 5.0, SHAPE)).query(last)
    assert len(last) == 12
    assert away.max() < 0.12
    assert set(layer.features.columns) == {"row", "column", "error"}
    nodes = outcome.table("nodes").columns
    np.testing.assert_array_equal(nodes["y"], layer.data[:, 1])
    assert outcome.table("grid_nodes").columns["rows"].tolist() == [3, 3, 3]


def test_chosen_frames_and_columns_of_a_layer_keep_their_numbers() -> None:
    frames = images().transpose(1, 2, 0)
    stack = stack_of(frames, axes="yxt")
    chosen = stack.select(type(stack.selection)(frames_along=(2,), frames=(1, 3, 1)))
    outcome = run("grid_nodes", stack=chosen, pattern="dots")
    assert outcome.table("grid_nodes").columns["frame"].tolist() == [1, 2]
    assert points(outcome).data.shape == (24, 3)
    assert points(outcome).data[:, 2].max() == 1


def test_a_frame_without_a_grid_is_named_with_what_was_found_of_it() -> None:
    frames = images()
    frames[1] = 7
    outcome = run("grid_nodes", stack=frames, pattern="dots")
    assert any("Frame 1: no grid was found" in each for each in outcome.diagnostics)
    assert "2 of 3 frames" in outcome.summary
    noise = np.random.default_rng(0).normal(50, 9, (1, 90, 110))
    said = run("grid_nodes", stack=noise).diagnostics[0]
    assert "look like nodes" in said or "no place" in said


def test_missing_nodes_are_counted() -> None:
    frames = images()
    mask = np.ones(SHAPE, np.uint8)
    middle = seen(nodes_of(SHAPE, COUNT), 2.0, SHAPE)[5].astype(int)
    mask[middle[0] - 12 : middle[0] + 12, middle[1] - 12 : middle[1] + 12] = 0
    outcome = run("grid_nodes", stack=frames, mask=mask, pattern="dots")
    assert outcome.table("grid_nodes").columns["missing"].tolist() == [1, 1, 1]
    assert any("missing in frames 0 (1), 1 (1), 2 (1)" in each for each in outcome.diagnostics)


def test_colours_are_averaged() -> None:
    frames = images()
    colours = stack_of(np.stack([frames] * 3, axis=-1), axes="tyxc", rgb=True)
    plain, coloured = (run("grid_nodes", stack=each, pattern="dots") for each in (frames, colours))
    np.testing.assert_allclose(points(coloured).data, points(plain).data, atol=1e-9)
