from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run


def data_of(outcome: Outcome, name: str) -> Array:
    layer = outcome.layer(name)
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


class TestContract(ToolContract):
    name = "fill"
    parameters = {"result": "memory"}  # noqa: RUF012
    value_columns = ("filled",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"mask": mask}


def test_only_missing_pixels_are_replaced_and_it_is_said_how_far_data_is() -> None:
    frames = blobs(3, (40, 50))
    frames[0, 10:20, 5:30] = np.nan
    frames[2] = np.nan
    outcome = run("fill", stack=frames)
    found, distance = data_of(outcome, "filled"), data_of(outcome, "distance to data")
    known = np.isfinite(frames)
    np.testing.assert_array_equal(found[known], frames[known])
    assert np.isfinite(found[:2]).all()
    assert np.isnan(found[2]).all()
    wanted = ndimage.distance_transform_edt(~known[0])
    np.testing.assert_allclose(distance[0], wanted, rtol=1e-6)
    np.testing.assert_allclose(data_of(outcome, "confidence")[0], 1 / (1 + wanted), rtol=1e-6)
    assert np.isinf(distance[2]).all()
    assert (data_of(outcome, "confidence")[2] == 0).all()


def test_a_volume_is_filled_from_its_planes() -> None:
    z, y, x = np.mgrid[0:8, 0:20, 0:24].astype(float)
    volume = 3 * z + y - 2 * x
    holed = volume.copy()
    holed[4, 5:15, 5:15] = np.nan
    found = data_of(run("fill", stack=stack_of(holed[None], axes="tzyx")), "filled")[0]
    gap = np.isnan(holed)
    assert np.abs(found - volume)[gap].max() < 4
    np.testing.assert_array_equal(found[~gap], volume[~gap])


def test_integers_with_a_value_for_no_data_outside_their_range() -> None:
    frames = blobs(2).astype(np.uint8)
    stack = stack_of(frames)
    stack = stack.select(type(stack.selection)(no_data=-9999))
    np.testing.assert_array_equal(data_of(run("fill", stack=stack), "filled"), frames)


def test_a_frame_without_data_is_said() -> None:
    outcome = run("fill", stack=np.full((2, 8, 9), np.nan))
    assert "no data" in outcome.diagnostics[0]
    with pytest.raises(ValueError, match="give values from 0"):
        run("fill", stack=blobs(), confidence=np.full((20, 24), -0.5))


def test_how_much_was_missing_is_said_and_that_nothing_was() -> None:
    frames = np.random.default_rng(0).random((2, 20, 25, 3))
    whole = run("fill", stack=stack_of(frames, axes="tyxc"))
    assert whole.diagnostics[0].startswith("Frame 0 has no missing pixels: it stays as it is.")
    frames[0, :10] = np.nan
    assert (
        "Of frame 0 50 % was missing." in run("fill", stack=stack_of(frames, axes="tyxc")).summary
    )
    mask = np.ones((20, 25))
    mask[:, :5] = 0
    assert "60 %" in run("fill", stack=stack_of(frames, axes="tyxc"), mask=mask).summary
