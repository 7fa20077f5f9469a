from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.engine import Engine
from napari_framewise.framework.outcome import ImageResult, Outcome, VectorsResult
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run


def data_of(outcome: Outcome, name: str) -> Array:
    layer = outcome.layer(name)
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


class TestContract(ToolContract):
    name = "gradient"
    parameters: ClassVar[dict[str, Any]] = {"result": "memory"}
    value_columns = (
        "gradient magnitude", "gradient along y", "gradient along x", "error along y",
        "error along x",
    )  # fmt: skip

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"mask": mask}


def ramps(shape: tuple[int, int] = (60, 80)) -> Array:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    frames = np.stack([3 * y - 4 * x, 4 * y + 3 * x])
    frames[:, 20:30, 30:50] = np.nan
    return frames


def test_slopes_magnitude_and_direction_of_ramps() -> None:
    outcome = run("gradient", stack=ramps())
    known = data_of(outcome, "rank confidence")[0] >= 0.01
    for name, wanted in (
        ("gradient along y", (3, 4)),
        ("gradient along x", (-4, 3)),
        ("gradient magnitude", (5, 5)),
        ("direction", (np.degrees(np.arctan2(3, -4)), np.degrees(np.arctan2(4, 3)))),
    ):
        for frame, value in zip(data_of(outcome, name), wanted, strict=True):
            np.testing.assert_allclose(frame[known], value, atol=1e-9)


def test_slopes_per_unit_of_a_layer_whose_axes_differ() -> None:
    stack = stack_of(ramps(), scale=(1, 2.0, 0.5), units=("pixel", "micrometer", "micrometer"))
    outcome = run("gradient", stack=stack, per="unit", sigma="2um")
    np.testing.assert_allclose(data_of(outcome, "gradient along y")[0, 5, 5], 1.5)
    np.testing.assert_allclose(data_of(outcome, "gradient along x")[0, 5, 5], -8)
    np.testing.assert_allclose(data_of(outcome, "gradient magnitude")[0, 5, 5], np.hypot(1.5, 8))


@pytest.mark.parametrize("budget", [2**18, 96 * 2**20])
def test_arrows_point_to_where_values_rise(budget: int) -> None:
    engine = Engine(Engine.local(2).executor, budget)
    frames = ramps((200, 80))
    outcome = run("gradient", stack=frames, arrows=True, spacing=10, engine=engine)
    arrows = outcome.layer("gradient arrows")
    assert isinstance(arrows, VectorsResult)
    starts, moves = arrows.data[:, 0], arrows.data[:, 1]
    assert sorted(set(starts[:, 0])) == [0, 1]
    assert set(starts[:, 1] % 10) == {5}
    assert len(starts) > 300
    assert (moves[:, 0] == 0).all()
    np.testing.assert_allclose(np.hypot(moves[:, 1], moves[:, 2]), 10, rtol=1e-6)
    first = moves[starts[:, 0] == 0]
    np.testing.assert_allclose(first[:, 1] / first[:, 2], -0.75)
    assert "2 pixels long" in outcome.summary


def test_a_volume_has_a_slope_along_its_planes_and_no_direction() -> None:
    z, y, x = np.mgrid[:6, :20, :24].astype(float)
    outcome = run("gradient", stack=stack_of((z - 2 * y + x)[None], axes="tzyx"), sigma="1px")
    np.testing.assert_allclose(data_of(outcome, "gradient along z"), 1, atol=1e-9)
    assert len(outcome.layers) == 8


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sigma": 0.1}, "at least 0.3"),
        ({"sigma": "1e6px"}, "give 0 to"),
        ({"sigma": 0.0}, "greater than 0"),
        ({"confidence": np.full((20, 24), -1.0)}, "give values from 0"),
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("gradient", stack=blobs(), **given)
