from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import ndimage
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.rank import TOOL


def data_of(outcome: Outcome) -> Array:
    (layer,) = outcome.layers
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


class TestContract(ToolContract):
    name = "rank"
    parameters: ClassVar[dict[str, Any]] = {"size": 5, "result": "memory"}
    value_columns = ("median",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"mask": mask}


@pytest.mark.parametrize("statistic", ["median", "minimum", "maximum", "percentile"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_inside_it_is_what_scipy_gives(statistic: str, dtype: str) -> None:
    frames = blobs(2, (30, 25)).astype(dtype)
    outcome = run("rank", stack=frames, size=5, statistic=statistic, percentile=25.0)
    name = "25th percentile" if statistic == "percentile" else statistic
    assert outcome.layers[0].name.endswith(name)
    wanted = {
        "median": lambda: ndimage.median_filter(frames, (1, 5, 5)),
        "minimum": lambda: ndimage.minimum_filter(frames, (1, 5, 5)),
        "maximum": lambda: ndimage.maximum_filter(frames, (1, 5, 5)),
        # The seventh of 25: the place 0.25 * 24 is a whole number.
        "percentile": lambda: ndimage.rank_filter(frames, 6, (1, 5, 5)),
    }[statistic]()
    found = data_of(outcome)
    assert found.dtype == (np.float64 if dtype == "float64" else np.float32)
    np.testing.assert_array_equal(found[:, 2:-2, 2:-2], wanted[:, 2:-2, 2:-2])


def test_a_large_frame_in_bands_has_the_same_bits() -> None:
    frame = blobs(1, (1500, 300))
    frame[0, 300:700, 50:150] = np.nan
    stack = stack_of(frame)
    lazy = run("rank", stack=stack, size=9, shape="disc").layers[0].data  # type: ignore[union-attr]
    whole = data_of(run("rank", stack=stack, size=9, shape="disc", result="memory"))
    np.testing.assert_array_equal(np.asarray(lazy), whole)
    part = np.pad(frame[0, 296:330, 40:80], 4, constant_values=np.nan)[4:-4, 4:-4]
    direct = data_of(run("rank", stack=part, size=9, shape="disc"))
    np.testing.assert_array_equal(direct[4:-4, 4:-4], whole[0, 300:326, 44:76])


def test_volumes_take_a_depth_of_their_own() -> None:
    volumes = np.random.default_rng(0).normal(size=(2, 5, 12, 13))
    stack = stack_of(volumes, axes="tzyx")
    found = data_of(run("rank", stack=stack, size=3, depth=1))
    wanted = ndimage.median_filter(volumes, (1, 1, 3, 3))
    np.testing.assert_array_equal(found[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1])
    assert np.abs(data_of(run("rank", stack=stack, size=3)) - found).max() > 0


def test_integers_with_a_value_for_no_data() -> None:
    frames = blobs(2).astype(np.int16)
    frames[:, 4:9, 4:9] = -9999
    stack = stack_of(frames)
    stack = stack.select(type(stack.selection)(no_data=-9999))
    found = data_of(run("rank", stack=stack, statistic="minimum", size=3))
    assert np.nanmin(found) >= 1
    assert np.isnan(found[:, 5:8, 5:8]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data_of(run("rank", stack=np.where(frames < 0, 7, frames), size=3))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": 4}, "an odd number is needed, so that it has a middle: 3 or 5"),
        ({"size": 0}, "greater than or equal to 1"),
        ({"depth": 2}, "1 or 3"),
        ({"percentile": 101.0}, "less than or equal to 100"),
        ({"percentile": float("nan")}, "finite number"),
        ({"shape": "ring"}, "'box' or 'disc'"),
        ({"mask": np.ones((20, 25))}, "of that size for all frames"),
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("rank", stack=blobs(), **given)


def test_a_window_larger_than_the_frame_sees_all_of_it() -> None:
    frames = blobs(2)
    found = data_of(run("rank", stack=frames, size=10**6 + 1))
    np.testing.assert_array_equal(found[:, 3, 5], np.median(frames, axis=(1, 2)))


def test_the_methods_sentence_says_the_window() -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(blobs())})
    parameters = TOOL.check_parameters({"statistic": "percentile", "shape": "disc", "size": 9})
    text = TOOL.methods(inputs, parameters)
    assert "25th percentile of the pixels with data in a disc of 9 pixels" in text
