"""Contour normals: discs, squares, stacks, shapes, and pixels that are not square."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.framework.outcome import Outcome, ShapesResult, VectorsResult
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run


class TestContract(ToolContract):
    name = "contour_normals"
    stack = "outlines"
    value_columns = ("label",)

    def frames(self) -> Array:
        frames = blobs()
        return np.where(frames > 70, 3.0, np.where(frames > 55, 8.0, 0.0))


def disc(radius: float, scale: tuple[float, float] = (1.0, 1.0)) -> Array:
    """A disc in the world, about pixel (40, 40)."""
    rows, columns = np.indices((80, 80)) - 40.0
    return np.asarray(np.hypot(rows * scale[0], columns * scale[1]) <= radius, np.uint8)


def normals_of(outcome: Outcome) -> Array:
    layer = outcome.layer("normals")
    assert isinstance(layer, VectorsResult)
    return layer.data


def test_a_disc_has_the_curvature_and_length_of_a_circle_and_radial_normals() -> None:
    outcome = run("contour_normals", outlines=7 * disc(25))
    (row,) = (outcome.table("contours").row(0),)
    assert row["label"] == 7
    assert row["closed"] == 1
    assert row["length"] == pytest.approx(2 * np.pi * 25, rel=0.005)
    assert row["area"] == pytest.approx(np.pi * 25**2, rel=0.01)
    points = outcome.table("contour points").columns
    assert points["curvature"].mean() == pytest.approx(1 / 25, rel=0.01)
    radial = np.stack([points["row"], points["column"]], axis=1) - 40
    radial /= np.hypot(*radial.T)[:, None]
    found = np.stack([points["normal_down"], points["normal_right"]], axis=1)
    angle = np.degrees(np.arccos(np.clip((found * radial).sum(axis=1), -1, 1)))
    assert angle.max() < 2
    assert outcome.plots[0].kind == "curve"


def test_normals_are_orthogonal_in_the_world_where_pixels_are_not_square() -> None:
    scale = (0.5, 1.25)
    labels = stack_of(disc(15, scale), axes="yx", scale=scale, units=("um", "um"), name="cell")
    outcome = run("contour_normals", outlines=labels, sigma="4um")
    row = outcome.table("contours").row(0)
    assert row["length"] == pytest.approx(2 * np.pi * 15, rel=0.01)
    assert row["area"] == pytest.approx(np.pi * 225, rel=0.02)
    assert row["smoothing"] == pytest.approx(4.0)
    assert "um" in outcome.table("contours").notes["length"]
    vectors = normals_of(outcome) * scale
    radial = vectors[:, 0] - 40 * np.array(scale)
    cosine = (radial * vectors[:, 1]).sum(axis=1)
    cosine /= np.hypot(*radial.T) * np.hypot(*vectors[:, 1].T)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 4
    layer = outcome.layer("normals")
    assert layer.grid.scale == scale
    assert layer.grid.role == "outlines"


def test_frames_of_a_stack_are_told_apart_and_empty_ones_are_said() -> None:
    frames = np.stack([disc(10), 0 * disc(10), 2 * disc(12)])
    outcome = run("contour_normals", outlines=stack_of(frames, axes="tyx"))
    assert outcome.table("contours").columns["frame"].tolist() == [0, 2]
    assert outcome.table("contours").columns["label"].tolist() == [1, 2]
    layer = outcome.layer("contours")
    assert isinstance(layer, ShapesResult)
    assert [set(shape[:, 0]) for shape in layer.data] == [{0.0}, {2.0}]
    assert set(normals_of(outcome)[:, 0, 0]) == {0.0, 2.0}
    assert not normals_of(outcome)[:, 1, 0].any()
    assert any("1 of 3 frames" in each for each in outcome.diagnostics)


def test_an_outline_at_the_border_is_open() -> None:
    mask = np.zeros((30, 40))
    mask[:, :20] = 1
    outcome = run("contour_normals", outlines=mask)
    row = outcome.table("contours").row(0)
    assert (row["closed"], row["length"]) == (0, 30.0)
    assert np.isnan(row["area"])
    layer = outcome.layer("contours")
    assert isinstance(layer, ShapesResult)
    assert layer.types == ("path",)
    np.testing.assert_allclose(normals_of(outcome)[:, 1], [[0, 5.0]] * 31, atol=1e-12)


def test_shapes_keep_their_vertices_and_overlap_unharmed() -> None:
    grid = Grid((Axis("z", 2.0), Axis("y", 0.5), Axis("x", 0.5)))
    corners = np.array([[3, 5.0, 5], [3, 5, 25], [3, 45, 25], [3, 45, 5]])
    ellipse = np.array([[1, 0.0, 0], [1, 0, 40], [1, 40, 40], [1, 40, 0]])
    line = np.array([[0, 10.0, 0], [0, 10, 30]])
    drawn = ShapesResult(
        "drawn", [corners, ellipse, line], grid, shape_type=("polygon", "ellipse", "path")
    )
    outcome = run("contour_normals", outlines=drawn, sigma=0, spacing=0.5)
    contours = outcome.table("contours").columns
    np.testing.assert_allclose(contours["area"][:2], [200, np.pi * 100], rtol=2e-3)
    np.testing.assert_allclose(contours["length"], [60, 20 * np.pi, 15], rtol=2e-3)
    assert contours["frame"].tolist() == [3, 1, 0]
    points = outcome.table("contour points").columns
    of_ellipse = points["object"] == 1
    np.testing.assert_allclose(points["curvature"][of_ellipse].mean(), 0.1, rtol=0.02)
    outwards = (points["row"] - 20) * points["normal_down"]
    outwards += (points["column"] - 20) * points["normal_right"]
    assert (outwards[of_ellipse] > 0).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((9, 9)), "No outline"),
        (np.ones((9, 9)), "No outline"),
        (np.full((9, 9), np.nan), "No outline"),
        (ShapesResult("none", [], Grid((Axis("y"), Axis("x")))), "No outline"),
    ],
)
def test_nothing_to_trace_is_said(given: Any, said: str) -> None:
    outcome = run("contour_normals", outlines=given)
    assert said in outcome.summary
    assert outcome.diagnostics
    assert not outcome.layers


def test_what_has_no_outlines_is_refused() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(ValueError, match="change from pixel to pixel"):
        run("contour_normals", outlines=random.normal(size=(30, 30)))
    with pytest.raises(ValueError, match="channels"):
        run("contour_normals", outlines=stack_of(np.ones((9, 9, 3), np.uint8), rgb=True))
    volume = stack_of(np.ones((2, 4, 9, 9), np.uint8), axes="tzyx")
    with pytest.raises(ValueError, match="plane"):
        run("contour_normals", outlines=volume)
    with pytest.raises(ValueError, match="one length"):
        run("contour_normals", outlines=disc(9), sigma="2,3px")
    across = np.array([[0, 1.0, 1], [1, 2, 2], [2, 5, 1]])
    drawn = ShapesResult("across", [across], Grid((Axis("z"), Axis("y"), Axis("x"))))
    with pytest.raises(ValueError, match="several planes"):
        run("contour_normals", outlines=drawn)
