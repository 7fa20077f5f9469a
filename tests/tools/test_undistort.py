"""Undistort: frames at their values, points, what lies outside, and the rules of transforms."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers import transform_contract
from tests.helpers.tool_contract import ToolContract, blobs
from tests.helpers.transform_contract import TransformContract

from napari_framewise.framework.model import Model, Space
from napari_framewise.framework.outcome import ImageResult, Outcome, PointsResult
from napari_framewise.framework.valued import valued
from napari_framewise.numerics import bsplines
from napari_framewise.numerics.calibration import fit_field, hull_of
from napari_framewise.numerics.grid_nodes import find_nodes
from napari_framewise.samples.pressure import PITCH, nodes_of, seen, view
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calibration import Calibration, Distortion, knots_of
from napari_framewise.tools.calls import run

SHAPE, COUNT = (220, 270), (4, 5)
VALUES = np.arange(5.0)


@lru_cache
def lens() -> Calibration:
    """The calibration of exact nodes."""
    ideal = nodes_of(SHAPE, COUNT)
    where = np.concatenate([seen(ideal, value, SHAPE) for value in VALUES])
    straight = np.tile(ideal, (5, 1))
    field = fit_field(np.repeat(VALUES, 20), straight, where, SHAPE, PITCH, strength=1e-4)
    space = Space("boards", SHAPE, (1.0, 1.0), ("pixel", "pixel"))
    knots, hull = knots_of(field.fit.lattice.axes), hull_of(ideal, PITCH / 2)
    return Calibration(
        space, space, field.fit.coefficients, knots, VALUES, "pressure", "bar", hull, 0.01
    )


def pixels(outcome: Outcome) -> Array:
    layer = outcome.layers[0]
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


class TestContract(ToolContract):
    name = "undistort"
    compares = "pixels"
    parameters: ClassVar[dict[str, Any]] = {"result": "memory"}
    float_atol = 1e-4
    value_columns = ("straightened",)

    def frames(self) -> Array:
        return blobs()

    def others(self, unit: float = 1.0) -> dict[str, Model]:
        space = Space("boards", (20, 24), (1.0, 1.0), ("pixel", "pixel"))
        axes = tuple(
            bsplines.Axis(*each) for each in ((-0.5, 0.5, 1, 0), (0.0, 19.0, 1), (0.0, 23.0, 1))
        )
        bend = 0.3 * np.random.default_rng(0).normal(size=(2, 1, 4, 4))
        hull = hull_of(np.array([[0.0, 0], [0, 23], [19, 0], [19, 23]]), 0.5)
        model = Calibration(
            space, space, bend, knots_of(axes), np.zeros(1), "value", "", hull, 0.01
        )
        return {"calibration": model}


class TestDistortion(TransformContract):
    """Fields of two frames: a linear one in closed form, which splines hold exactly."""

    tolerance, inverse_tolerance = 1e-9, 1e-6

    @pytest.fixture
    def transform(self) -> Distortion:
        axes = tuple(bsplines.Axis(0.0, length - 1.0, 4) for length in transform_contract.SHAPE)
        y, x = np.meshgrid(*(axis.centres for axis in axes), indexing="ij")
        coefficients = [[k + 0.02 * y - 0.01 * x, 1 - k + 0.03 * x] for k in range(2)]
        space = Space("frames", transform_contract.SHAPE, (1.0, 1.0), ("pixel", "pixel"))
        nowhere = np.empty((0, 3))
        return Distortion(space, space, np.array(coefficients), knots_of(axes), nowhere, False)

    def known(self, points: Array, frame: int) -> Array:
        y, x = np.moveaxis(points, -1, 0)
        moved = [frame + 0.02 * y - 0.01 * x, 1 - frame + 0.03 * x]
        return np.asarray(points + np.stack(moved, axis=-1))


def test_frames_are_straight_at_values_between_those_calibrated() -> None:
    values = (2.5, 0.5)
    frames = np.array([view("dots", value, shape=SHAPE, count=COUNT) for value in values])
    stack = stack_of(
        frames.astype(np.float32), axes="tyx", scale=(1, 2, 2), translate=(0, 5, -3), name="run"
    )
    outcome = run("undistort", stack=valued(stack, *values), calibration=lens())
    layer = outcome.layers[0]
    assert layer.grid.translate == (0.0, 5.0, -3.0)
    for image in pixels(outcome):
        found = find_nodes(image, "dots")
        ideal = nodes_of(SHAPE, COUNT).reshape(*COUNT, 2)
        off = found.places - ideal[tuple(found.index.T)]
        assert found.shape == COUNT
        assert np.sqrt((off**2).sum(axis=1).mean()) < 0.05
    # Beyond the nodes there are no data, unless asked for.
    assert np.isnan(pixels(outcome)[:, :20, :20]).all()
    whole = run("undistort", stack=valued(stack, *values), calibration=lens(), beyond_nodes=True)
    assert np.isfinite(pixels(whole)[:, 20:-20, 20:-20]).all()
    assert any("beyond the nodes" in each for each in whole.diagnostics)


def test_points_are_moved_with_their_frame() -> None:
    ideal = nodes_of(SHAPE, COUNT)
    data = np.concatenate(
        [np.column_stack([np.full(20, k), seen(ideal, v, SHAPE)]) for k, v in enumerate((1.0, 3.0))]
    )
    stack = stack_of(np.zeros((2, *SHAPE), np.float32), axes="tyx", name="run")
    points = PointsResult("marks", data, Grid((Axis("t"), Axis("y"), Axis("x"))))
    outcome = run("undistort", stack=valued(stack, 1, 3), calibration=lens(), points=points)
    moved = outcome.layers[1]
    assert isinstance(moved, PointsResult)
    np.testing.assert_allclose(moved.data[:, 1:], np.tile(ideal, (2, 1)), atol=0.03)


def test_one_number_serves_all_frames_and_lazy_is_as_in_memory() -> None:
    frames = np.random.default_rng(0).random((3, *SHAPE)).astype(np.float32)
    one = run("undistort", stack=valued(frames, 2.0), calibration=lens(), result="memory")
    each = run("undistort", stack=valued(frames, 2.0, 2.0, 2.0), calibration=lens())
    np.testing.assert_array_equal(pixels(one), pixels(each))


def test_masked_pixels_have_no_say() -> None:
    frames = np.random.default_rng(0).random((1, *SHAPE)).astype(np.float32)
    mask = np.ones(SHAPE, np.uint8)
    mask[90:110, 100:140] = 0
    wild = np.where(mask, frames, 1e9).astype(np.float32)
    given = {"calibration": lens(), "mask": mask}
    one = run("undistort", stack=valued(frames, 2.0), **given)
    other = run("undistort", stack=valued(wild, 2.0), **given)
    np.testing.assert_array_equal(pixels(one), pixels(other))
    assert np.isnan(pixels(one)[0, 95:105, 110:130]).all()


def test_what_is_not_known_is_refused_in_a_sentence() -> None:
    frames = np.zeros((2, *SHAPE), np.float32)
    with pytest.raises(ValueError, match="depends on pressure"):
        run("undistort", stack=frames, calibration=lens())
    with pytest.raises(ValueError, match="outside those calibrated, such as 9 bar"):
        run("undistort", stack=valued(frames, 1, 9), calibration=lens())
    with pytest.raises(ValueError, match="frames of that size"):
        run("undistort", stack=valued(frames[:, 2:], 1), calibration=lens())
    with pytest.raises(ValueError, match="one number may serve all"):
        run("undistort", stack=valued(np.zeros((5, *SHAPE)), 1, 2, 3), calibration=lens())
    allowed = run(
        "undistort", stack=valued(frames, 1, 4.5), calibration=lens(), extrapolate_values=True
    )
    assert any("outside those calibrated" in each for each in allowed.diagnostics)
