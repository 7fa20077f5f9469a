"""Curves: shapes where the outlines are, tables, way-points, words for what was not found."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract

from napari_framewise.framework.outcome import Outcome, PointsResult, ShapesResult
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run

SHAPE = (48, 72)


def truth() -> Array:
    x = np.arange(SHAPE[1])
    bump = np.exp(-(((x - 36) / 14) ** 2))
    return np.stack([30 - 14 * bump, 38 - 2.0 * bump])


def sections(count: int = 4, depth: float = 50.0, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    rows = np.arange(SHAPE[0])[:, np.newaxis]
    lines = sum(np.exp(-((rows - row) ** 2) / 3.4) for row in truth())
    frames = 90 - depth * lines + rng.normal(0, 4, (count, *SHAPE))
    return np.rint(frames).clip(1, 119)


def shapes(outcome: Outcome) -> ShapesResult:
    (layer,) = outcome.layers
    assert isinstance(layer, ShapesResult)
    return layer


class TestContract(ToolContract):
    name = "curves"
    parameters: ClassVar[dict[str, Any]] = {"sigma": 1.3}

    def frames(self) -> Array:
        return sections()


def test_curves_lie_on_the_outlines_in_the_world() -> None:
    stack = stack_of(
        sections(2),
        axes="tyx",
        scale=(2.0, 0.5, 0.25),
        translate=(0, 30, -7),
        units=("s", "mm", "mm"),
    )
    outcome = run("curves", stack=stack, sigma=1.3)
    layer = shapes(outcome)
    assert (layer.grid.role, layer.grid.scale) == ("stack", (2.0, 0.5, 0.25))
    assert layer.grid.translate == (0.0, 30.0, -7.0)
    assert [int(path[0, 0]) for path in layer.data] == [0, 0, 1, 1]
    for path, row in zip(layer.data, np.tile(truth(), (2, 1)), strict=True):
        away = np.abs(path[:, 1] - np.interp(path[:, 2], np.arange(72), row))
        assert away.mean() < 0.8
    samples = outcome.table("samples").columns
    first = samples["object"] == 0
    assert np.abs(samples["y"][first] - truth()[0]).mean() < 0.4
    table = outcome.table("curves").columns
    length = np.hypot(0.5 * np.diff(truth()[0]), 0.25).sum()
    assert table["length"][0] == pytest.approx(length, rel=0.06)
    assert table["height"][0] == pytest.approx(7.0, abs=0.6)
    area = 0.5 * 0.25 * np.trapezoid(truth()[1] - truth()[0])
    assert table["area"][0] == pytest.approx(area, rel=0.02)
    assert np.isnan(table["area"][1])
    assert set(layer.features.columns) == set(table)


def test_pieces_have_a_vertex_at_each_hinge() -> None:
    outcome = run("curves", stack=sections(1), sigma=1.3, form="pieces", pieces=6)
    assert [len(path) for path in shapes(outcome).data] == [7, 7]
    assert outcome.table("curves").columns["pieces"].tolist() == [6, 6]


def test_way_points_of_one_frame_bring_back_a_faint_outline() -> None:
    frames = sections(2)
    clean = np.arange(SHAPE[0])[:, None]
    frames -= np.rint(9 * np.exp(-((clean - 5) ** 2) / 3.4))
    points = PointsResult(
        "way",
        np.array([[1.0, 5, x] for x in (2, 14, 27, 40, 55, 69)]),
        Grid(stack_of(frames, axes="tyx").axes),
    )
    given = {"stack": stack_of(frames, axes="tyx"), "sigma": 1.3}
    outcome = run("curves", way_points=points, **given)
    table = outcome.table("curves").columns
    assert table["frame"].tolist() == [0, 0, 1, 1, 1]
    samples = outcome.table("samples").columns
    top = samples["object"] == 2
    assert np.abs(samples["y"][top] - 5).mean() < 1


def test_what_is_not_there_is_said() -> None:
    frames = sections(3)
    frames[1] = np.rint(np.random.default_rng(2).normal(60, 5, SHAPE))
    outcome = run("curves", stack=frames, sigma=1.3)
    assert outcome.table("curves").columns["frame"].tolist() == [0, 0, 2, 2]
    assert any("No outline in frame 1" in each for each in outcome.diagnostics)
    nothing = run("curves", stack=frames[1:2], sigma=1.3)
    assert not nothing.layers
    assert "no outline was found" in nothing.summary
    far = PointsResult("far", np.array([[90.0, 3]]), stack_of(frames[0], axes="yx").grid)
    with pytest.raises(ValueError, match="row 90, column 3"):
        run("curves", stack=frames, way_points=far)


def test_columns_without_data_are_no_part_of_a_curve() -> None:
    mask = np.ones(SHAPE, np.uint8)
    mask[:, :10] = 0
    table = run("curves", stack=sections(1), mask=mask, sigma=1.3).table("curves").columns
    assert table["first_column"].tolist() == [10, 10]
    assert table["last_column"].tolist() == [71, 71]


def test_colours_are_averaged() -> None:
    frames = sections(1)
    colours = stack_of(np.stack([frames] * 3, axis=-1), axes="tyxc", rgb=True)
    plain, coloured = (run("curves", stack=each, sigma=1.3) for each in (frames, colours))
    np.testing.assert_allclose(shapes(coloured).data[0], shapes(plain).data[0], atol=1e-9)


def test_a_curve_that_is_bridged_for_long_is_said_to_be_looked_at() -> None:
    frames = sections(1)
    assert not any(
        "way-points" in each for each in run("curves", stack=frames, sigma=1.3).diagnostics
    )
    rows = np.round(truth()[0]).astype(int)
    for column in range(20, 38):
        frames[0, rows[column] - 4 : rows[column] + 5, column] = 90
    outcome = run("curves", stack=frames, sigma=1.3, outlines=2)
    assert (outcome.table("curves").columns["seen"] < 0.85).tolist() == [True, False]
    assert any("way-points: outlines 1 of frame 0." in each for each in outcome.diagnostics)


def test_frames_without_data_and_of_one_value_are_called_so() -> None:
    frames = sections(3)
    frames[1] = np.nan
    frames[2] = 7
    said = " ".join(run("curves", stack=frames, sigma=1.3).diagnostics)
    assert "Too few columns hold data in frame 1" in said
    assert "All pixels have one value in frame 2" in said
    assert "noise" not in said
