"""Calibration: values, references, hand-made points, and what cannot be calibrated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract

from napari_framewise.framework.outcome import ImageResult, Outcome, PointsResult
from napari_framewise.framework.valued import valued
from napari_framewise.io.formats.models import read_model, write_model
from napari_framewise.samples.pressure import nodes_of, seen, view
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calibration import Calibration
from napari_framewise.tools.calls import run

SHAPE, COUNT = (220, 270), (4, 5)
VALUES = (0.0, 1.0, 2.0, 3.0, 4.0)


def images() -> Array:
    frames = [view("dots", value, shape=SHAPE, count=COUNT, seed=int(value)) for value in VALUES]
    return np.array(frames, np.float32)


class TestContract(ToolContract):
    name = "calibration"
    stack = "images"
    numbered = True
    parameters: ClassVar[dict[str, Any]] = {"pattern": "dots"}
    # The field goes through all nodes of so few.
    rounded_columns = (
        "residual", "residual_y", "residual_x", "left_out_y", "left_out_x", "coefficients",
    )  # fmt: skip
    unit_rtol = 1e-6

    def frames(self) -> Array:
        made = [view("dots", value, shape=(150, 190), count=(3, 4)) for value in (0.0, 2.0, 4.0)]
        return np.rint(np.array(made) / 2).clip(1, 119)


@pytest.fixture(scope="module")
def made() -> Outcome:
    stack = stack_of(images(), axes="pyx", scale=(1, 0.5, 0.25), units=("bar", "mm", "mm"))
    return run("calibration", images=valued(stack, *VALUES), pattern="dots", unit="bar")


def test_the_model_says_where_pixels_are_seen_between_the_values(made: Outcome) -> None:
    model = made.model()
    assert isinstance(model, Calibration)
    at = nodes_of(SHAPE, COUNT)
    found = model.at(np.array([2.5])).pull_back(at, 0)
    assert np.hypot(*(found - seen(at, 2.5, SHAPE)).T).max() < 0.15
    table = made.table("calibration").columns
    assert table["value"].tolist() == list(VALUES)
    assert table["residual"].max() < 0.03
    assert table["left_out"][1:-1].max() < 0.1
    assert table["beyond"].tolist() == [1, 0, 0, 0, 1]
    assert not made.diagnostics


def test_uncertainty_lies_on_the_images(made: Outcome) -> None:
    layer = made.layer("uncertainty")
    assert isinstance(layer, ImageResult)
    assert layer.grid.role == "images"
    assert layer.data.shape == (5, 32, 32)
    height = layer.grid.scale[1] * 32
    assert height == pytest.approx(220 * 0.5)
    # Best where the nodes are.
    assert layer.data[2, 16, 16] < layer.data[2, 0, 0]
    # It would hide the images, and goes along their axis, so that one slider moves both.
    assert not layer.visible
    assert layer.grid.names == ("p", "y", "x")
    assert layer.grid.units[0] == "bar"


def test_uncertainty_goes_image_by_image_and_value_by_value_over_several_stacks() -> None:
    frames = images()
    frames[0] = 100
    backwards = stack_of(frames[::-1], axes="pyx")
    outcome = run("calibration", images=valued(backwards, *VALUES[::-1]), pattern="dots")
    layer = outcome.layer("uncertainty")
    assert isinstance(layer, ImageResult)
    assert layer.data.shape == (5, 32, 32)
    # The last image holds no grid, and its value is beyond the others'.
    assert np.isfinite(layer.data).all(axis=(1, 2)).tolist() == [True, True, True, True, False]
    assert layer.contrast_limits is not None
    assert np.isfinite(layer.contrast_limits).all()
    apart = [valued(frames[k : k + 1], VALUES[k]) for k in (1, 4, 2, 3)]
    other = run("calibration", images=apart, pattern="dots").layer("uncertainty")
    assert isinstance(other, ImageResult)
    assert (other.grid.axes[0].name, *other.grid.scale[:1]) == ("value", 1.0)
    assert other.grid.translate[0] == 1.0
    np.testing.assert_allclose(other.data, layer.data[3::-1], rtol=1e-3)


def test_a_model_survives_its_file(made: Outcome, tmp_path: Path) -> None:
    model = made.model()
    write_model(model, tmp_path / "lens.npz")
    again = read_model(tmp_path / "lens.npz")
    assert isinstance(again, Calibration)
    assert isinstance(model, Calibration)
    at = nodes_of(SHAPE, COUNT)
    np.testing.assert_array_equal(
        again.at(np.array([1.7])).pull_back(at, 0), model.at(np.array([1.7])).pull_back(at, 0)
    )


def test_points_corrected_by_hand_are_taken(made: Outcome) -> None:
    stack = stack_of(images(), axes="pyx", name="boards")
    (points,) = run("grid_nodes", stack=stack, pattern="dots").layers
    assert isinstance(points, PointsResult)
    outcome = run("calibration", images=valued(stack, *VALUES), nodes=points, pattern="dots")
    plain = run("calibration", images=valued(stack, *VALUES), pattern="dots")
    np.testing.assert_allclose(
        outcome.table("calibration").columns["residual"],
        plain.table("calibration").columns["residual"],
        # The pitch, by which knots and strength go, is a mean there and a median here.
        rtol=0.02,
    )
    moved = points.data.copy()
    moved[27, 1:] += [6, 0]
    astray = PointsResult("mine", moved, points.grid, features=points.features)
    said = run("calibration", images=valued(stack, *VALUES), nodes=astray).diagnostics
    assert any("row 1 and column 2 at 1 lies" in each for each in said)
    bare = PointsResult("mine", points.data, points.grid)
    again = run("calibration", images=valued(stack, *VALUES), nodes=bare)
    assert len(again.table("calibration nodes")) == len(outcome.table("calibration nodes"))


def test_one_image_is_a_plain_calibration() -> None:
    outcome = run("calibration", images=images()[3:4], pattern="dots")
    assert any("1 value the field is constant" in each for each in outcome.diagnostics)
    assert np.isnan(outcome.table("calibration").columns["left_out"]).all()


def test_a_reference_says_what_is_straight() -> None:
    frames = images()
    outcome = run(
        "calibration", images=valued(frames[2:], 2, 3, 4), reference=frames[0], pattern="dots"
    )
    model = outcome.model()
    assert isinstance(model, Calibration)
    at = nodes_of(SHAPE, COUNT)
    found = model.at(np.array([3.0])).pull_back(at, 0)
    assert np.hypot(*(found - seen(at, 3.0, SHAPE)).T).max() < 0.15


def test_an_image_without_the_grid_is_named_and_left_out() -> None:
    frames = images()
    frames[1] = 100
    outcome = run("calibration", images=valued(frames, *VALUES), pattern="dots")
    assert any("Image 1 of" in each and "no grid" in each for each in outcome.diagnostics)
    assert outcome.table("calibration").columns["value"].tolist() == [0, 2, 3, 4]


def test_what_is_straight_is_said_where_the_lowest_value_holds_no_grid() -> None:
    frames = images()
    frames[0] = 100
    outcome = run("calibration", images=valued(frames, *VALUES), pattern="dots")
    said = "No image of the lowest value, 0, holds a grid: straight is that of 1."
    assert said in outcome.diagnostics


def test_two_images_of_one_value_are_said() -> None:
    frames = images()
    contrary = run("calibration", images=valued(frames, 0, 1, 1, 3, 4), pattern="dots")
    said = [each for each in contrary.diagnostics if "2 images have the value 1" in each]
    assert len(said) == 1
    assert "pixels apart" in said[0]
    frames[2] = view("dots", 1.0, shape=SHAPE, count=COUNT, seed=77)
    agreed = run("calibration", images=valued(frames, 0, 1, 1, 3, 4), pattern="dots")
    assert any("2 images have the value 1; all count" in each for each in agreed.diagnostics)


def test_a_wrong_value_and_a_jump_between_values_are_said() -> None:
    """Halves of the nodes agree there: what is left out does not."""
    wrong = run("calibration", images=valued(images(), 0, 1, 3.6, 3, 4), pattern="dots")
    assert any("is a value wrong" in each for each in wrong.diagnostics)


def test_what_cannot_be_calibrated_is_said_in_a_sentence() -> None:
    frames = images()
    with pytest.raises(ValueError, match="is missing"):
        run("calibration", images=frames, pattern="dots")
    with pytest.raises(ValueError, match="No image holds the grid"):
        run("calibration", images=valued(np.full((2, 60, 70), np.nan), 0, 1))
    with pytest.raises(ValueError, match="images of one size"):
        run("calibration", images=[valued(frames[:1], 0), valued(frames[1:, 3:], 1, 2, 3, 4)])
    with pytest.raises(ValueError, match="The reference"):
        run(
            "calibration",
            images=valued(frames, *VALUES),
            reference=np.zeros(SHAPE),
            pattern="dots",
        )
