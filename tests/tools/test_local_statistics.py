from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.numerics.window_moments import neighbour_correlation
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.local_statistics import TOOL

ALL = dict.fromkeys(("mean", "variance", "deviation", "variation", "correlation"), True)


def data_of(outcome: Outcome, name: str) -> Array:
    layer = outcome.layer(name)
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


class TestContract(ToolContract):
    name = "local_statistics"
    parameters: ClassVar[dict[str, Any]] = {"size": 5, "result": "memory", **ALL}
    value_columns = ("local mean", "local deviation")
    squared_columns = ("local variance",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"mask": mask}


def test_all_statistics_are_numpy_s_window_by_window() -> None:
    frames = 1e6 + blobs(2, (14, 15))
    frames[0, 3:6, 4:8] = np.nan
    outcome = run("local_statistics", stack=frames, size=5, ddof=1, **ALL)
    wide = np.pad(frames, ((0, 0), (2, 2), (2, 2)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(wide, (5, 5), axis=(1, 2))
    windows = windows.reshape(*frames.shape, -1)
    mean, variance = np.nanmean(windows, axis=-1), np.nanvar(windows, axis=-1, ddof=1)
    np.testing.assert_allclose(data_of(outcome, "local mean"), mean, rtol=1e-13)
    np.testing.assert_allclose(data_of(outcome, "local variance"), variance, rtol=1e-9)
    np.testing.assert_allclose(data_of(outcome, "local deviation"), variance**0.5, rtol=1e-9)
    np.testing.assert_allclose(
        data_of(outcome, "coefficient of variation"), variance**0.5 / mean, rtol=1e-9
    )
    np.testing.assert_array_equal(
        data_of(outcome, "neighbour correlation"), neighbour_correlation(frames, (5, 5))
    )


def test_only_what_was_chosen_comes_back() -> None:
    outcome = run("local_statistics", stack=stack_of(blobs(), name="s"), variation=True, mean=False)
    names = [layer.name for layer in outcome.layers]
    assert names == ["s local deviation", "s coefficient of variation"]


def test_squares_of_small_floats_do_not_vanish() -> None:
    frames = (blobs() * 1e-23).astype(np.float32)
    found = data_of(run("local_statistics", stack=frames, variance=True), "local variance")
    assert found.dtype == np.float64
    assert (found > 0).all()


def test_a_large_frame_in_bands_has_the_same_bits() -> None:
    frame = blobs(1, (1500, 300))
    frame[0, 300:700, 50:150] = np.nan
    lazy = run("local_statistics", stack=frame, size=9, correlation=True)
    memory = run("local_statistics", stack=frame, size=9, correlation=True, result="memory")
    for name in ("local deviation", "neighbour correlation"):
        np.testing.assert_array_equal(data_of(lazy, name), data_of(memory, name))
    part = data_of(
        run("local_statistics", stack=frame[:, 280:340], size=9, correlation=True),
        "neighbour correlation",
    )
    whole = data_of(memory, "neighbour correlation")
    np.testing.assert_array_equal(part[:, 4:-4], whole[:, 284:336])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": 4}, "an odd number is needed"),
        ({"mean": False, "deviation": False}, "choose at least one of mean, variance"),
        (
            {"mean": False, "deviation": False, "correlation": True, "size": 1},
            "holds no neighbours",
        ),
        ({"ddof": -1}, "greater than or equal to 0"),
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("local_statistics", stack=blobs(), **given)


def test_the_methods_sentence_says_what_was_computed() -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(blobs())})
    text = TOOL.methods(inputs, TOOL.check_parameters({"ddof": 1}))
    assert "Local mean and local deviation" in text
    assert "variance over N - 1" in text
