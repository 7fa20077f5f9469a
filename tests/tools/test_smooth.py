from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import ndimage
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.smooth import TOOL


def data_of(outcome: Outcome, name: str) -> Array:
    layer = outcome.layer(name)
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


class TestContract(ToolContract):
    name = "smooth"
    parameters: ClassVar[dict[str, Any]] = {"result": "memory"}
    value_columns = ("smoothed",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"mask": mask}


def test_sigmas_in_units_of_length_are_those_of_each_axis() -> None:
    frames = blobs(2, (40, 50))
    stack = stack_of(frames, scale=(1, 0.5, 0.25), units=("pixel", "micrometer", "micrometer"))
    found = data_of(run("smooth", stack=stack, sigma="1um"), "smoothed")
    wanted = [ndimage.gaussian_filter(each, (2, 4), mode="constant") for each in frames]
    ones = ndimage.gaussian_filter(np.ones((40, 50)), (2, 4), mode="constant")
    np.testing.assert_allclose(found, np.array(wanted) / ones, rtol=1e-6)


def test_a_volume_is_smoothed_along_its_planes() -> None:
    volumes = blobs(12, (14, 16)).reshape(2, 6, 14, 16)
    volumes[0, 2] = np.nan
    stack = stack_of(volumes, axes="tzyx")
    found = data_of(run("smooth", stack=stack, sigma="1,2,2px"), "smoothed")
    use = np.isfinite(volumes)
    for frame, known, result in zip(volumes, use, found, strict=True):
        sums = [
            ndimage.gaussian_filter(each.astype(float), (1, 2, 2), mode="constant")
            for each in (np.where(known, frame, 0), known)
        ]
        np.testing.assert_allclose(result, sums[0] / sums[1], rtol=1e-12)


def test_channels_are_smoothed_apart_each_by_its_own_gaps() -> None:
    frames = np.stack([blobs(2), blobs(2, seed=1)], axis=1)
    frames[0, 1, 3:6] = np.nan
    found = data_of(run("smooth", stack=stack_of(frames, axes="tcyx")), "smoothed")
    for channel in range(2):
        alone = data_of(run("smooth", stack=frames[:, channel]), "smoothed")
        np.testing.assert_array_equal(found[:, channel], alone)


@pytest.mark.parametrize("empty", ["nan", "nearest", "coarser"])
def test_what_stands_where_nothing_is_known(empty: str) -> None:
    frames = blobs(2, (40, 60))
    frames[:, 8:32, 20:50] = np.nan
    outcome = run("smooth", stack=frames, sigma=1.0, empty=empty)
    values, known = data_of(outcome, "smoothed"), data_of(outcome, "confidence")
    assert (known == 0).sum() > 100
    np.testing.assert_array_equal(np.isnan(values), (known == 0) & (empty == "nan"))
    plain = data_of(run("smooth", stack=frames, sigma=1.0), "smoothed")
    np.testing.assert_array_equal(values[known > 0], plain[known > 0])


def test_a_kernel_given_as_an_image() -> None:
    frames = blobs(2)
    kernel = np.array([[0.0, 1, 0], [1, 2, 0], [0, 0, 0]])
    outcome = run("smooth", stack=frames, kernel="image", kernel_image=kernel)
    sums = [
        ndimage.convolve(each, kernel[None], mode="constant")
        for each in (frames, np.ones_like(frames))
    ]
    np.testing.assert_allclose(data_of(outcome, "smoothed"), sums[0] / sums[1], rtol=1e-12)


def test_integers_with_a_value_for_no_data() -> None:
    frames = np.rint(blobs(2)).astype(np.int16)
    frames[:, 4:9, 4:9] = -9999
    stack = stack_of(frames)
    stack = stack.select(type(stack.selection)(no_data=-9999))
    found = data_of(run("smooth", stack=stack), "smoothed")
    assert found.dtype == np.float32
    assert np.nanmin(found) >= 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kernel": "image"}, "no kernel image was given"),
        ({"kernel_image": np.ones((3, 3))}, "but a kernel image was given"),
        ({"kernel": "image", "kernel_image": np.ones((4, 3))}, "odd number"),
        ({"sigma": "1e6px"}, "give 0 to"),
        ({"sigma": "1um"}, "no size along"),
        ({"sigma": "1,2,3px"}, "3 numbers"),
        ({"sigma": -1.0}, "greater than or equal to 0"),
        ({"kernel": "box", "size": 0.0}, "greater than 0"),
        ({"confidence": np.full((20, 24), 1.5)}, "values from 1.5 to 1.5; give values from 0"),
        ({"confidence": np.ones((20, 25))}, "of that size for all frames"),
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("smooth", stack=blobs(), **given)


def test_the_methods_sentence_says_the_kernel() -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(blobs())})
    text = TOOL.methods(inputs, TOOL.check_parameters({"sigma": "3px"}))
    assert "Gaussian of sigma 3 px" in text
