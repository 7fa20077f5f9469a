"""The models that map pixels to pixels obey one contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.helpers.transform_contract import COUNT, SHAPE, TransformContract, pixels

from napari_framewise.framework.model import Model, Space
from napari_framewise.framework.outcome import PointsResult
from napari_framewise.framework.transform import Transform, moved_points
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.alignment import Transforms
from napari_framewise.tools.flow import FlowModel

SPACE = Space("cells", SHAPE, (1.0, 1.0), ("pixel", "pixel"))
MATRICES = np.array(
    [
        [[1.02, 0.05, -3.4], [-0.04, 0.99, 4.6], [2e-4, -3e-4, 1.0]],
        [[0.97, -0.06, 4.2], [0.05, 1.01, -4.7], [-1e-4, 2e-4, 1.0]],
    ]
)


class TestTransforms(TransformContract):
    @pytest.fixture
    def transform(self) -> Transform:
        return Transforms(SPACE, SPACE, MATRICES, "homography")

    def known(self, points: Array, frame: int) -> Array:
        (a, b, c), (d, e, f), (g, h, i) = MATRICES[frame]
        row, column = points[..., 0], points[..., 1]
        weight = g * row + h * column + i
        moved = a * row + b * column + c, d * row + e * column + f
        return np.stack(moved, axis=-1) / weight[..., None]


class TestFlow(TransformContract):
    # Displacements are float32, and what is bilinear stays so between them.
    tolerance, inverse_tolerance = 2e-6, 0.01

    @pytest.fixture
    def transform(self) -> Transform:
        moves = [self.known(pixels(), frame) - pixels() for frame in range(COUNT)]
        fields = np.moveaxis(np.array(moves, np.float32), -1, 1)
        return FlowModel(SPACE, SPACE, fields, "next")

    def known(self, points: Array, frame: int) -> Array:
        row, column = points[..., 0] / SHAPE[0], points[..., 1] / SHAPE[1]
        sign = 1 - 2 * frame
        move = 2 + 3 * row - column + 2 * row * column, -3 + row + 2 * column
        return points + sign * np.stack(move, axis=-1)

    def stack(self, transform: Transform) -> Stack:
        return stack_of(np.zeros((COUNT + 1, *SHAPE), np.float32), axes=("t", "y", "x"))

    def test_the_inverse_leads_from_the_first_frame_to_the_second(
        self, transform: Transform
    ) -> None:
        assert transform.frames_of(3, "cells") == (range(2), range(1, 3))
        back = transform.inverse()
        assert back.frames_of(3, "cells") == (range(1, 3), range(2))
        assert back.inverse().frames_of(3, "cells") == (range(2), range(1, 3))

    def test_the_jacobian_of_a_volume(self) -> None:
        at = np.stack(np.meshgrid(*map(np.arange, (6, 7, 8)), indexing="ij"), axis=-1)
        change = np.array([[0.1, 0.02, 0.0], [0.03, -0.1, 0.05], [0.0, 0.04, 0.2]])
        fields = np.moveaxis(at @ change.T, -1, 0)[None].astype(np.float32)
        space = Space("cells", (6, 7, 8), (1.0,) * 3, ("pixel",) * 3)
        model = FlowModel(space, space, fields, "others")
        found = model.jacobian(np.array([[2.3, 3.4, 4.5], [9.0, 1.0, 1.0]]), 0)
        np.testing.assert_allclose(found[0], np.eye(3) + change, atol=1e-6)
        assert np.isnan(found[1]).all()


def test_a_homography_has_no_counterpart_past_its_horizon() -> None:
    model = Transforms(SPACE, SPACE, np.array([[[1, 0, 0], [0, 1, 0], [-0.1, 0, 1]]]), "homography")
    points = np.array([[5.0, 5.0], [15.0, 5.0]])
    assert np.isfinite(model.pull_back(points, 0)).all(axis=1).tolist() == [True, False]
    assert np.isnan(model.jacobian(points, 0)[1]).all()


def test_one_transform_serves_all_frames() -> None:
    model = Transforms(SPACE, SPACE, MATRICES[:1], "homography")
    points = np.array([[5.0, 5.0]])
    np.testing.assert_array_equal(model.pull_back(points, 7), model.pull_back(points, 0))


def test_points_between_pixels_of_two_sizes_are_refused() -> None:
    wide = replace(SPACE, layer="template", scale=(2.0, 2.0))
    model = Transforms(SPACE, wide, MATRICES[:1], "homography")
    stack = stack_of(np.zeros(SHAPE, np.float32), axes=("y", "x"))
    points = PointsResult("spots", np.array([[5.0, 5.0]]), stack.grid)
    with pytest.raises(ValueError, match="pixels of one size"):
        moved_points(points, stack, model)


def test_points_must_say_their_frame_where_each_has_its_own_transform() -> None:
    stack = stack_of(np.zeros((COUNT, *SHAPE), np.float32), axes=("t", "y", "x"))
    points = PointsResult("spots", np.array([[5.0, 5.0]]), stack.spatial_grid)
    with pytest.raises(ValueError, match="2 transforms; give points with a frame axis"):
        moved_points(points, stack, Transforms(SPACE, SPACE, MATRICES, "homography"))


def test_the_face_itself_is_no_kind_of_file() -> None:
    assert "" not in Model.kinds
    assert Model.kinds["flow"] is FlowModel
