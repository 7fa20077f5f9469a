from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.numerics.tonemapping import Tones, luminance, tone_mapped
from napari_framewise.samples import SAMPLES
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.tonemap import TOOL, tones_of

SAMPLE = SAMPLES["bright_window"].make()
ROOM = dict(SAMPLE.stacks)["stack"]


def mapped(stack: Any = None, **given: Any) -> Outcome:
    return run("tonemap", stack=ROOM if stack is None else stack, **given)


def image(outcome: Outcome) -> np.ndarray:
    layer = outcome.layer("tone-mapped")
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


def tones(stack: Stack = ROOM, **given: Any) -> Tones:
    inputs = TOOL.check_inputs({"stack": stack})
    return tones_of(TOOL.settled(inputs, TOOL.check_parameters(given)))


@pytest.mark.parametrize("result", ["lazy", "memory"])
def test_frames_are_those_of_the_numerics(result) -> None:
    outcome = mapped(contrast=20, result=result)
    layer = outcome.layers[0]
    assert isinstance(layer, ImageResult)
    assert layer.rgb
    assert layer.contrast_limits == (0, 1)
    wanted = tone_mapped(ROOM.frame(0)[None], tones(contrast=20))[0]
    found = image(outcome)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, wanted)


def test_dark_and_bright_parts_are_seen_with_their_texture() -> None:
    """Light of five decades becomes the contrast asked for; what surfaces give back stays."""
    contrast = 10.0
    linear = luminance(image(mapped(contrast=contrast, gamma=1.0)).astype(float))
    light, surface = SAMPLE.truth["illumination"], luminance(SAMPLE.truth["reflectance"])
    dark, bright = (slice(20, 90), slice(20, 100)), (slice(50, 100), slice(260, 330))
    before = np.median(light[bright]) / np.median(light[dark])
    after = np.median(linear[bright]) / np.median(linear[dark])
    assert before > 3000
    assert after < contrast
    for part in (dark, bright):
        texture = np.log10(surface[part]) - np.log10(surface[part]).mean()
        shown = np.log10(linear[part]) - np.log10(linear[part]).mean()
        assert np.corrcoef(texture.ravel(), shown.ravel())[0, 1] > 0.9
        assert np.polyfit(texture.ravel(), shown.ravel(), 1)[0] == pytest.approx(1, abs=0.15)


def test_what_is_said() -> None:
    outcome = mapped()
    assert "decades" in outcome.summary
    columns = outcome.table("luminance").columns
    for name in ("before", "after"):
        assert columns[name].sum() == pytest.approx(1, abs=0.02)
    spread = [columns["decades"][columns[name] > 0].min() for name in ("before", "after")]
    assert spread[0] < spread[1]
    assert any("below the floor" in said for said in outcome.diagnostics)
    assert outcome.plots[0].table == "luminance"


def test_all_frames_are_mapped_alike() -> None:
    grey = luminance(ROOM.frame(0))
    film = stack_of(np.stack([grey, grey / 2, grey]).astype(np.float32), axes=tuple("tyx"))
    found = image(mapped(film, gamma=1.0))
    np.testing.assert_array_equal(found[0], found[2])
    made = tones(film, gamma=1.0)
    np.testing.assert_array_equal(
        found[1], tone_mapped((grey / 2).astype(np.float32)[None, ..., None], made)[0, ..., 0]
    )


@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_hardly_any_pixel_is_brighter_than_the_display(scale) -> None:
    """Also where the base has no contrast to compress."""
    flat = np.random.default_rng(2).normal(100, 5, (2, 60, 70))
    for stack in (stack_of(flat * scale), ROOM):
        found = image(mapped(stack))
        most = found if found.ndim == 3 and stack is not ROOM else found.max(axis=-1)
        assert 0 < (most >= 1).mean() < 0.003
    twice = image(mapped(exposure=2 * tones().exposure, gamma=1.0))
    once = image(mapped(gamma=1.0))
    dark = once < 0.4
    np.testing.assert_allclose(twice[dark], 2 * once[dark], rtol=1e-6)


def test_a_frame_without_light_is_said() -> None:
    outcome = mapped(np.zeros((2, 20, 30)))
    assert np.isfinite(image(outcome)).all()
    assert any("no light" in said for said in outcome.diagnostics)
    empty = mapped(np.full((2, 20, 30), np.nan))
    assert np.isnan(image(empty)).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"contrast": 1}, "greater than 1"),
        ({"contrast": float("inf")}, "finite|less than"),
        ({"low": 5, "high": 2, "floor": 0.1}, "must not be below"),
        ({"sigma": "0 px"}, "greater than 0"),
        ({"gamma": 0}, "greater than or equal"),
        ({"stack": np.zeros(9)}, "rows and columns"),
    ],
)
def test_bad_input_is_told_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        mapped(**change)
    assert "\n" not in str(caught.value)
