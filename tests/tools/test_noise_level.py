from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.noise_level import TOOL

RNG = np.random.default_rng(11)
LIGHT = np.add.outer(np.linspace(10, 300, 64), np.linspace(0, 100, 72))


def camera_frames(count: int, light: Array = LIGHT, seed: int = 0) -> Array:
    """2 electrons per count, offset 100, read noise of 3 counts."""
    random = np.random.default_rng(seed)
    electrons = random.poisson(light, (count, *light.shape))
    return np.asarray(100 + electrons / 2 + random.normal(0, 3, electrons.shape))


class TestContract(ToolContract):
    name = "noise_level"
    value_columns = ("sigma", "sigma_error")

    def frames(self) -> Array:
        return blobs(shape=(40, 48))

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((40, 48), np.uint8)
        mask[1:4, 4:15] = 0
        return {"mask": mask} if self._whole else {}

    _whole = True

    def outcome(self, frames: Array, unit: float = 1.0, **options: Any) -> Any:
        # Masks are of the scene's size; frames of one pixel have none.
        self._whole = frames.shape[1:] == (40, 48)
        return super().outcome(frames, unit, **options)


class TestContractOfRepeatedFrames(ToolContract):
    name = "noise_level"
    parameters: ClassVar[dict[str, Any]] = {"method": "repeated"}
    value_columns = ("slope", "slope_error", "offset", "offset_error", "read_noise", "flicker")
    squared_columns = ("intercept", "intercept_error")
    skipped_columns = ("gain", "gain_error")

    def frames(self) -> Array:
        return np.rint(camera_frames(8, LIGHT[::2, ::2] / 4).clip(1, 255) / 2).clip(1, 119)


def test_frames_without_noise_are_named() -> None:
    frames = np.stack([np.full((64, 64), 7.0), RNG.normal(50, 2, (64, 64))])
    said = run("noise_level", stack=frames).diagnostics
    assert any("1 of 2 frames (0) hold no noise at all" in each for each in said)


def test_each_frame_has_its_noise() -> None:
    sigmas = np.array([1.0, 2.0, 4.0])
    frames = RNG.normal(50, sigmas[:, None, None], (3, 96, 96))
    outcome = run("noise_level", stack=frames)
    table = outcome.table("noise")
    np.testing.assert_allclose(table.columns["sigma"], sigmas, rtol=0.06)
    assert "Without a truth there is no PSNR" in outcome.summary
    assert "counts the image's structure as noise" in outcome.summary
    assert not outcome.diagnostics


def test_colours_have_a_column_each() -> None:
    frames = RNG.normal(100, [1.0, 2.0, 3.0], (2, 64, 64, 3))
    stack = stack_of(frames.clip(0, 255), axes=("t", "y", "x", "c"), rgb=True)
    columns = run("noise_level", stack=stack).table("noise").columns
    found = [columns[f"sigma_{name}"].mean() for name in ("red", "green", "blue")]
    np.testing.assert_allclose(found, [1, 2, 3], rtol=0.06)


def test_a_gain_from_100_frames() -> None:
    outcome = run("noise_level", stack=camera_frames(100), method="repeated")
    row = outcome.table("detector").row(0)
    assert row["gain"] == pytest.approx(2, rel=0.01)
    assert row["intercept"] == pytest.approx(9 - 50, rel=0.05)
    assert np.isnan(row["offset"])
    assert "apart only with dark frames" in outcome.summary
    dark = camera_frames(60, 0 * LIGHT, seed=1)
    outcome = run("noise_level", stack=camera_frames(100), dark=dark, method="repeated")
    row = outcome.table("detector").row(0)
    assert row["gain"] == pytest.approx(2, rel=0.01)
    assert row["offset"] == pytest.approx(100, abs=0.1)
    assert row["read_noise"] == pytest.approx(3, rel=0.01)
    assert row["read_noise_electrons"] == pytest.approx(6, rel=0.02)
    assert not outcome.diagnostics


def test_texture_flicker_and_motion_are_said() -> None:
    board = 40.0 * (np.indices((64, 64)).sum(axis=0) % 2)
    (said,) = run("noise_level", stack=board + RNG.normal(0, 1, (2, 64, 64))).diagnostics
    assert "texture is likely to be taken for noise" in said
    lamp = (1 + 0.2 * RNG.normal(size=30))[:, None, None]
    (said,) = run(
        "noise_level", stack=camera_frames(30, lamp * LIGHT)[0], method="repeated"
    ).diagnostics
    assert "differ in brightness" in said
    frames = camera_frames(30)
    frames[:, 5:15, 5:15] += RNG.normal(0, 100, (30, 10, 10))
    said = " ".join(run("noise_level", stack=frames, method="repeated").diagnostics)
    assert "parts that move" in said


def test_a_flat_scene_tells_no_gain() -> None:
    outcome = run("noise_level", stack=np.full((5, 16, 16), 7.0), method="repeated")
    assert "no gain could be told" in outcome.summary
    assert "a scene that stands still" in outcome.diagnostics[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dark": blobs()}, "choose the method repeated"),
        ({"method": "repeated", "stack": blobs()[:1]}, "2 frames or more"),
        ({"method": "repeated", "dark": blobs()[:1]}, "2 dark frames or more"),
        ({"method": "repeated", "mask": blobs()}, "one mask for all frames"),
        ({"method": "repeated", "dark": blobs()[:, :9]}, r"[Dd]ark.* has frames of"),
        ({"mask": np.zeros((20, 24))}, "leaves no pixel"),
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("noise_level", **{"stack": blobs(), **given})


def test_a_preview_is_the_noise_of_the_frame() -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(blobs())})
    said = TOOL.preview(inputs, TOOL.check_parameters({}), 1).summary
    assert "noise of 1." in said
    said = TOOL.preview(inputs, TOOL.check_parameters({"method": "repeated"}), 1).summary
    assert "press Run" in said


def test_the_methods_sentence_says_which() -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(blobs())})
    assert "cosine" in TOOL.methods(inputs, TOOL.check_parameters({}))
    repeated = TOOL.methods(inputs, TOOL.check_parameters({"method": "repeated"}))
    assert "photon transfer" in repeated
