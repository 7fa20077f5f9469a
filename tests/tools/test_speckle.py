from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.numerics import speckle as numerics
from napari_framewise.samples import SAMPLES
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.speckle import TOOL

RNG = np.random.default_rng(8)


def data_of(outcome: Outcome, name: str = "despeckled") -> Array:
    layer = outcome.layer(name)
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


class TestContract(ToolContract):
    name = "speckle"
    parameters: ClassVar[dict[str, Any]] = {"size": 5, "result": "memory"}
    value_columns = ("despeckled",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[1:4, 4:15] = 0
        return {"mask": mask}


class TestContractOfAdditiveNoise(TestContract):
    parameters: ClassVar[dict[str, Any]] = {
        "size": 5, "noise": "additive", "sigma": 1.5, "result": "memory",
    }  # fmt: skip
    scaled_parameters = ("sigma",)


def scene(n: int = 3, size: int = 128) -> Array:
    y, x = np.mgrid[:size, :size]
    image = 20.0 + 60 * (x > size // 2) + 0.2 * y
    return np.broadcast_to(image, (n, size, size))


def speckled(looks: float) -> Array:
    return np.asarray(scene() * RNG.gamma(looks, 1 / looks, (3, 128, 128)))


@pytest.mark.parametrize("method", ["lee", "enhanced"])
def test_the_strength_is_estimated_or_given(method: str) -> None:
    frames = speckled(4)
    estimated = run("speckle", stack=frames, method=method)
    given = run("speckle", stack=frames, method=method, looks=4)
    errors = [
        np.sqrt(np.mean((each - scene()) ** 2))
        for each in (data_of(estimated), data_of(given), frames)
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.05)
    assert errors[0] < 0.45 * errors[2]
    assert "estimated from the flattest parts" in estimated.summary
    assert "Speckle of 4 looks, as given: variation 0.5" in given.summary
    assert not estimated.diagnostics
    assert not given.diagnostics
    function = numerics.lee if method == "lee" else numerics.enhanced_lee
    np.testing.assert_array_equal(data_of(given), function(frames, 0.5, (7, 7)).values)
    weight = data_of(given, "weight")
    assert weight.dtype == np.float32
    assert 0 <= weight.min() <= weight.max() <= 1


def test_an_index_image_takes_additive_noise() -> None:
    made = SAMPLES["index_image"].make()
    stack, truth = dict(made.stacks)["stack"], made.truth["index"]
    outcome = run("speckle", stack=stack, noise="additive", size=5)
    found, frames = data_of(outcome), stack.read(0, 6)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(frames))
    left, before = (np.sqrt(np.nanmean((each - truth) ** 2)) for each in (found, frames))
    assert left < 0.75 * before
    assert float(outcome.summary.split("sigma ")[1].split(",")[0]) == pytest.approx(2.0, rel=0.1)
    assert not outcome.diagnostics
    wrong = run("speckle", stack=stack, looks=4)
    assert any("negative" in each for each in wrong.diagnostics)


def test_a_model_that_does_not_fit_is_said() -> None:
    additive = scene() + RNG.normal(0, 3, (3, 128, 128))
    shot = RNG.poisson(scene()).astype(float)
    (said,) = run("speckle", stack=additive).diagnostics
    assert "additive noise fits better" in said
    (said,) = run("speckle", stack=speckled(9), noise="additive").diagnostics
    assert "multiplicative noise fits better" in said
    (said,) = run("speckle", stack=shot, noise="additive").diagnostics
    assert "as shot noise does" in said
    (said,) = run("speckle", stack=speckled(9), looks=1).diagnostics
    assert "not of 1 as given" in said


def test_the_sample_is_its_truth_with_speckle() -> None:
    made = SAMPLES["speckled"].make()
    stack, truth = dict(made.stacks)["stack"], made.truth
    frames = stack.read(0, stack.n_frames)
    ratio = frames / truth["reflectivity"]
    assert ratio.mean() == pytest.approx(1, abs=0.01)
    assert 1 / ratio.var() == pytest.approx(truth["looks"], rel=0.03)
    outcome = run("speckle", stack=stack)
    assert not outcome.diagnostics
    looks = float(outcome.summary.split("Speckle of ")[1].split()[0])
    assert looks == pytest.approx(truth["looks"], rel=0.1)


def test_a_preview_of_a_part_is_that_of_the_frame() -> None:
    frames = speckled(4)
    inputs = TOOL.check_inputs({"stack": stack_of(frames)})
    parameters = TOOL.check_parameters({"looks": 4.0})
    shown = data_of(TOOL.preview(inputs, parameters, 1))
    np.testing.assert_array_equal(shown, data_of(run("speckle", stack=frames, looks=4.0))[1])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"noise": "additive", "method": "enhanced"}, "which is for multiplicative noise"),
        ({"noise": "additive", "looks": 4.0}, "with a number of looks"),
        ({"sigma": 2.0}, "a sigma of additive noise"),
        ({"looks": 0.0}, "greater than 0"),
        ({"size": 6}, "an odd number is needed"),
        ({"stack": -blobs()}, "give it, or choose additive noise"),
        ({"stack": np.full((2, 20, 24), np.nan)}, "can't be estimated"),
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("speckle", **{"stack": blobs(), **given})


def test_the_methods_sentence_says_model_and_window() -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(blobs())})
    text = TOOL.methods(inputs, TOOL.check_parameters({"method": "enhanced", "looks": 3.0}))
    assert "looks 3" in text
    assert "windows of 7 pixels" in text


def test_the_noise_is_measured_once_while_a_window_changes_and_anew_when_pixels_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    fit = numerics.fit_of_image
    monkeypatch.setattr(
        numerics, "fit_of_image", lambda *args, **kwargs: asked.append(1) or fit(*args, **kwargs)
    )
    frames = np.random.default_rng(8).gamma(4, 25, (2, 40, 44))
    inputs = TOOL.check_inputs({"stack": stack_of(frames)})
    for size in (5, 7):
        TOOL.preview(inputs, TOOL.check_parameters({"size": size}), 0)
    assert len(asked) == 2
    frames *= np.random.default_rng(9).gamma(4, 0.25, frames.shape)
    TOOL.preview(inputs, TOOL.check_parameters({}), 0)
    assert len(asked) == 4
