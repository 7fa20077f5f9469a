from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage import data

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework.outcome import Outcome
from napari_framewise.numerics.bilateral import bilateral_filter
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.bilateral import TOOL
from napari_framewise.tools.calls import run

RNG = np.random.default_rng(1)
CAMERA = data.camera()[100:228, 60:200].astype(np.float32)
NOISY = (CAMERA + RNG.normal(0, 12, (3, *CAMERA.shape))).astype(np.float32)


def filtered(stack: Any = None, **given: Any) -> Outcome:
    return run("bilateral", stack=NOISY if stack is None else stack, **given)


def layer(outcome: Outcome, name: str = "base") -> np.ndarray:
    return np.asarray(outcome.layer(name).data)  # type: ignore[union-attr]


@pytest.mark.parametrize("result", ["lazy", "memory"])
@pytest.mark.parametrize("sigma", [2.0, 12.0])
def test_base_and_detail_are_those_of_the_numerics(sigma, result) -> None:
    outcome = filtered(sigma=sigma, range_sigma=30.0, accuracy=50.0, result=result)
    way = None if sigma == 2 else 1
    wanted = bilateral_filter(NOISY[..., None], sigma, 30.0, per_sigma=way)[..., 0]
    np.testing.assert_array_equal(layer(outcome), wanted)
    np.testing.assert_array_equal(layer(outcome, "detail"), NOISY - wanted)
    assert ("exact sum" if way is None else "a grid of 1 cell per sigma") in outcome.summary
    assert "dB against the direct sum on" in outcome.summary


def test_noise_goes_and_edges_stay_with_the_sigma_that_noise_gives() -> None:
    outcome = filtered(sigma=2)
    before, after = (np.sqrt(np.mean((each - CAMERA) ** 2)) for each in (NOISY, layer(outcome)))
    assert after < 0.6 * before
    inputs = TOOL.check_inputs({"stack": stack_of(NOISY)})
    settled = TOOL.settled(inputs, TOOL.check_parameters({}))
    assert settled.range_sigma == pytest.approx(2.5 * 12, rel=0.1)
    assert TOOL.settled(inputs, settled) == settled


def test_lengths_are_those_of_the_pixels() -> None:
    scale = (1.0, 0.5, 0.25)
    stack = stack_of(NOISY, axes=tuple("tyx"), scale=scale, units=("", "um", "um"))
    found = layer(filtered(stack, sigma="1 um", range_sigma=30))
    wanted = bilateral_filter(NOISY[..., None], (2.0, 4.0), 30.0)[..., 0]
    np.testing.assert_array_equal(found, wanted)


def test_colours_go_together_and_channels_apart() -> None:
    picture = data.astronaut()[:60, 200:270]
    stack = stack_of(picture, axes=tuple("yxc"), rgb=True)
    outcome = filtered(stack, sigma=2, range_sigma=40)
    wanted = bilateral_filter(picture[None], 2.0, 40.0)[0]
    assert layer(outcome).dtype == np.uint8
    np.testing.assert_array_equal(layer(outcome), np.rint(wanted))
    np.testing.assert_allclose(layer(outcome, "detail"), picture - wanted, atol=1e-4)
    channels: Stack = stack_of(np.moveaxis(picture, -1, 0)[None], axes=tuple("tcyx"))
    found = layer(filtered(channels, sigma=2, range_sigma=40))
    for number in range(3):
        alone = bilateral_filter(picture[None, ..., number, None], 2.0, 40.0)[0, ..., 0]
        np.testing.assert_array_equal(found[0, number], alone)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("coloured", [False, True])
def test_another_image_guides(coloured, several) -> None:
    guide = np.repeat(NOISY[..., None], 3, axis=-1) if coloured else NOISY
    guide = guide if several else guide[0]
    axes = tuple("tyxc")[(0 if several else 1) : (4 if coloured else 3)]
    given = stack_of(guide, axes=axes, rgb=coloured)
    flat = np.full_like(NOISY, 5.0)
    flat[:, :, 70:] = 8.0
    flat[:, 40:50, 30:40] = np.nan
    outcome = filtered(flat, guide=given, sigma=2, range_sigma=30)
    found = layer(outcome)
    leading = guide.reshape(-1, *CAMERA.shape, 3 if coloured else 1)
    wanted = bilateral_filter(flat[..., None], 2.0, 30.0, guide=leading)[..., 0]
    np.testing.assert_array_equal(found, wanted)
    assert np.isfinite(found[:, 41, 31]).all()


def test_a_large_frame_in_bands_has_the_same_bits() -> None:
    tall = np.tile(NOISY[:1], (1, 4, 1))
    small = Engine(Engine.local(2).executor, 2**20)
    inputs = TOOL.check_inputs({"stack": stack_of(tall)})
    for given in ({"sigma": 2}, {"sigma": 8, "method": "grid"}):
        parameters = TOOL.check_parameters(given | {"range_sigma": 30})
        assert TOOL.plan(inputs, parameters, small).work.unit == "rows"
        whole = filtered(tall, range_sigma=30, **given)
        cut = finish(TOOL.run(inputs, parameters, small), lambda _: None)
        np.testing.assert_array_equal(layer(cut), layer(whole))


def test_an_accuracy_that_no_grid_reaches_is_said() -> None:
    outcome = filtered(sigma=6, range_sigma=20, method="grid", accuracy=110)
    assert any("less than the 110 dB" in said for said in outcome.diagnostics)


def test_nothing_is_measured_where_there_is_nothing() -> None:
    outcome = filtered(np.full((3, 20, 20), np.nan))
    assert np.isnan(layer(outcome)).all()
    assert any("no data" in said for said in outcome.diagnostics)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sigma": "-1 px"}, "greater than or equal to 0"),
        ({"sigma": "1 um"}, "no size along"),
        ({"sigma": "1,2,3 px"}, "3 numbers"),
        ({"range_sigma": 0}, "greater than 0"),
        ({"accuracy": 500}, "less than or equal to 120"),
        ({"guide": np.zeros((9, 9))}, "one guide of that size"),
        ({"mask": np.zeros((4, *CAMERA.shape), int)}, "mask"),
        ({"method": "fast"}, "automatic"),
        ({"stack": np.zeros(9)}, "rows and columns"),
    ],
)
def test_bad_input_is_told_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        filtered(**change)
    assert "\n" not in str(caught.value)
