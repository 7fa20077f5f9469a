from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.engine.job import BlockError
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.numerics.bandpass import filtered, gaussians_of
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run


def data_of(outcome: Outcome) -> Array:
    layer = outcome.layer("filtered")
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


class TestContract(ToolContract):
    name = "bandpass"
    compares = "pixels"
    parameters: ClassVar[dict[str, Any]] = {"result": "memory"}
    value_columns = ("filtered",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"mask": mask}


def test_the_band_is_said_in_words_tables_and_plots() -> None:
    outcome = run("bandpass", stack=blobs(2, (64, 64)), low=0.05, high=0.2)
    assert "Half power at 0.05 and 0.2 cycles per pixel, 2.00 octaves" in outcome.summary
    band = outcome.table("band").row(0)
    assert (band["low"], band["high"]) == pytest.approx((0.05, 0.2))
    assert band["narrow"] == pytest.approx(gaussians_of(0.05, 0.2).narrow)
    transfer = outcome.table("transfer").columns
    np.testing.assert_allclose(
        transfer["transfer"], transfer["narrow"] - transfer["wide"], atol=1e-15
    )
    assert [plot.title for plot in outcome.plots] == ["Transfer function", "Spectrum"]
    powers = outcome.table("spectrum").columns
    inside = powers["before"] > 1e-9
    gain = gaussians_of(0.05, 0.2).transfer(powers["frequency"])
    ratio = powers["after"][inside] / powers["before"][inside]
    np.testing.assert_allclose(ratio[3:], np.square(gain[inside])[3:], rtol=0.2)


def test_sigmas_in_place_of_edges() -> None:
    frames = blobs(2, (40, 40))
    response = gaussians_of(0.03, 0.12)
    sigmas = {"ask": "sigmas", "narrow": response.narrow, "wide": response.wide}
    by_band, by_sigmas = run("bandpass", stack=frames), run("bandpass", stack=frames, **sigmas)
    np.testing.assert_allclose(data_of(by_sigmas), data_of(by_band), atol=1e-9)
    assert "Half power at 0.03 and 0.12" in by_sigmas.summary


def test_cycles_per_unit_of_the_scale_and_per_degree() -> None:
    frames = blobs(2, (40, 40))
    plain = data_of(run("bandpass", stack=frames))
    stack = stack_of(frames, scale=(1, 0.5, 0.5), units=("pixel", "micrometer", "micrometer"))
    scaled = run("bandpass", stack=stack, per="scale", low=0.06, high=0.24)
    np.testing.assert_allclose(data_of(scaled), plain, atol=1e-9)
    assert "cycles per micrometer" in scaled.summary
    degree = 2 * math.degrees(math.atan(0.3 / (2 * 600)))
    seen = run(
        "bandpass",
        stack=frames,
        per="degree",
        distance=600.0,
        pitch=0.3,
        low=0.03 / degree,
        high=0.12 / degree,
    )
    np.testing.assert_allclose(data_of(seen), plain, atol=1e-9)


def test_pixels_of_another_size_along_one_axis_see_the_same_frequencies() -> None:
    frames = blobs(1, (40, 40))
    stack = stack_of(frames, scale=(1, 2, 1), units=("pixel", "micrometer", "micrometer"))
    found = run("bandpass", stack=stack, per="scale", low=0.03, high=0.12)
    wanted = filtered(frames, gaussians_of(0.03, 0.12), (2.0, 1.0))
    np.testing.assert_allclose(data_of(found), wanted, atol=1e-9)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"low": 0.1, "high": 0.15}, "log-Gabor or Butterworth"),
        ({"low": 0.2, "high": 0.1}, "upper edge must lie above"),
        ({"low": None, "high": None}, "No edge was given"),
        ({"low": 0.1, "high": 0.9}, "above the highest frequency"),
        ({"low": None, "high": 0.1, "form": "log_gabor"}, "lower edge above 0"),
        ({"ask": "sigmas", "narrow": 3.0, "wide": 2.0}, "must be wider"),
        ({"per": "scale", "low": 1e-9, "high": 1e-8}, "below the lowest frequency"),
    ],
)
def test_bands_that_cannot_be_are_refused(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run("bandpass", stack=blobs(1), **parameters)


def test_missing_pixels_are_filtered_in_space_or_refused() -> None:
    frames = blobs(2, (40, 50))
    frames[1, 5:9, 5:9] = np.nan
    found = data_of(run("bandpass", stack=frames))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(frames))
    np.testing.assert_array_equal(found[0], data_of(run("bandpass", stack=frames[:1]))[0])
    with pytest.raises(BlockError, match="fill the missing pixels first"):
        run("bandpass", stack=frames, form="butterworth", result="memory")
