from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.framework.outcome import Outcome
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.bleaching import TOOL
from napari_framewise.tools.calls import run

N, SHAPE, BACKGROUND = 40, (18, 22), 50.0


def movie(dtype: str = "float32", half_life: float = 8.0) -> np.ndarray:
    """A scene that bleaches above a background that does not."""
    rng = np.random.default_rng(0)
    scene = rng.gamma(3, 60, SHAPE)
    light = 0.2 + 0.8 * 0.5 ** (np.arange(N) / half_life)
    clean = light[:, None, None] * scene + BACKGROUND
    return (clean + rng.normal(0, 1, clean.shape)).astype(dtype)


def corrected(stack: Any = None, **given: Any) -> Outcome:
    given.setdefault("background", BACKGROUND)
    return run("bleaching", stack=movie() if stack is None else stack, **given)


def frames_of(outcome: Outcome) -> np.ndarray:
    return np.asarray(outcome.layers[0].data, np.float64)


@pytest.mark.parametrize("method", ["ratio", "exponential"])
@pytest.mark.parametrize("result", ["lazy", "memory"])
def test_frames_get_their_brightness_back(method, result) -> None:
    done = frames_of(corrected(method=method, result=result))
    np.testing.assert_allclose(done.mean(axis=(1, 2)), movie()[0].mean(), rtol=2e-3)
    # noise grows with the gain, the scene is the first frame's
    scene = np.random.default_rng(0).gamma(3, 60, SHAPE)
    slope = np.polyfit(scene.ravel(), done[-1].ravel(), 1)
    assert slope == pytest.approx([1, BACKGROUND], rel=0.02)


@pytest.mark.parametrize("method", ["ratio", "exponential", "histogram"])
@pytest.mark.parametrize("result", ["lazy", "memory"])
def test_values_beyond_single_precision_stay_in_double(method, result) -> None:
    plain = corrected(method=method, result=result)
    large = corrected(
        movie("float64") * 1e40, method=method, result=result, background=BACKGROUND * 1e40
    )
    assert plain.layers[0].data.dtype == np.float32
    assert large.layers[0].data.dtype == np.float64
    np.testing.assert_allclose(frames_of(large), frames_of(plain) * 1e40, rtol=1e-5)


def test_the_fit_tells_half_life_and_errors() -> None:
    stack = stack_of(movie(), axes=("t", "y", "x"), scale=(0.5, 1, 1), units=("second", "", ""))
    outcome = corrected(stack, method="exponential")
    row = outcome.table("decay").row(0)
    assert row["half_life"] == pytest.approx(4.0, abs=4 * row["half_life_error"])
    assert 0 < row["half_life_error"] < 0.1
    assert row["bleached"] == pytest.approx(0.6, abs=0.1)
    assert "half-life 4.0" in outcome.summary or "half-life 3.9" in outcome.summary
    assert "second" in outcome.summary
    columns = outcome.table("bleaching").columns
    np.testing.assert_allclose(columns["fit"], columns["mean"], atol=1)
    without = corrected(stack, method="exponential", level=False)
    assert without.table("decay").row(0)["level"] == BACKGROUND


def test_real_changes_survive_the_fit_but_not_the_ratio() -> None:
    frames = movie()
    frames[20:25] += 0.5 * (frames[20:25] - BACKGROUND)
    fit = frames_of(corrected(frames, method="exponential")).mean(axis=(1, 2))
    ratio = frames_of(corrected(frames, method="ratio")).mean(axis=(1, 2))
    assert fit[20:25].mean() / fit[:20].mean() > 1.25
    assert ratio[20:25].mean() / ratio[:20].mean() == pytest.approx(1, abs=0.01)


def test_a_region_and_a_reference_frame_are_measured() -> None:
    frames = movie()
    mask = np.zeros(SHAPE, np.uint8)
    mask[3:9, 4:12] = 1
    frames[:, ~mask.astype(bool)] = BACKGROUND + 1000
    done = frames_of(corrected(frames, mask=mask, reference_frame=10))
    inside = done[:, mask.astype(bool)].mean(axis=1)
    np.testing.assert_allclose(inside, frames[10][mask.astype(bool)].mean(), rtol=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
@pytest.mark.parametrize("result", ["lazy", "memory"])
def test_histograms_are_those_of_the_reference_frame(dtype, result) -> None:
    frames = movie("uint16")
    outcome = corrected(frames, method="histogram", dtype=dtype, result=result)
    done = np.asarray(outcome.layers[0].data)
    assert done.dtype == dtype
    for frame in done[[5, 39]]:
        np.testing.assert_allclose(
            np.quantile(frame, [0.1, 0.5, 0.9]), np.quantile(frames[0], [0.1, 0.5, 0.9]), rtol=0.03
        )
    assert any("not to measure" in said for said in outcome.diagnostics)


def test_channels_bleach_each_at_its_own_rate() -> None:
    frames = np.stack([movie(half_life=6), movie(half_life=15)], axis=1)
    stack: Stack = stack_of(frames, axes=("t", "c", "y", "x"))
    outcome = corrected(stack, method="exponential")
    assert outcome.table("decay").columns["half_life"] == pytest.approx([6, 15], rel=0.03)
    done = frames_of(outcome)
    assert done.shape == frames.shape
    means = done.mean(axis=(2, 3))
    np.testing.assert_allclose(means / means[0], 1, rtol=0.01)
    matched = frames_of(corrected(stack, method="histogram"))
    ratio = matched.mean(axis=(2, 3)) / frames[0].mean(axis=(1, 2))
    np.testing.assert_allclose(ratio, 1, rtol=0.01)


def test_a_frame_without_data_gets_no_result_and_is_named() -> None:
    frames = movie()
    frames[7] = np.nan
    for method in ("ratio", "exponential", "histogram"):
        outcome = corrected(frames, method=method)
        done = frames_of(outcome)
        assert np.isnan(done[7]).all()
        assert np.isfinite(np.delete(done, 7, axis=0)).all()
    dark = movie()
    dark[9] = BACKGROUND - 3
    outcome = corrected(dark)
    assert any("got no result: 9" in said for said in outcome.diagnostics)


def test_what_does_not_fit_is_told() -> None:
    def said(frames: np.ndarray, method: str = "exponential", background: float = 0.0) -> str:
        outcome = corrected(frames, method=method, background=background)
        return " ".join(outcome.diagnostics)

    assert "exponential" not in said(movie(), background=BACKGROUND)
    time = np.arange(N)[:, None, None]
    phases = (600 * 0.5 ** (time / 2) + 400 * 0.5 ** (time / 40)) * np.ones(SHAPE)
    noisy = phases + np.random.default_rng(1).normal(0, 5, phases.shape)
    assert "do not follow one exponential" in said(noisy)
    dark = movie()
    dark[9] = 0
    assert "1 frame lies more than six times" in said(dark, background=BACKGROUND)
    assert "1 frame holds one value alone" in said(dark, "histogram")
    blank = movie()
    blank[7] = np.nan
    assert "1 frame held no data and got no result: 7." in said(blank, "histogram")
    gone = 500 * 0.5**time * np.ones(SHAPE)
    gone = gone + np.random.default_rng(1).normal(BACKGROUND, 1, gone.shape)
    assert "so that their gain is noise" in said(gone, background=BACKGROUND)


@pytest.mark.parametrize("method", ["ratio", "exponential", "histogram"])
def test_saturated_pixels_are_told(method) -> None:
    bright = np.clip(movie(), 0, 255).astype("uint8")
    full = int((bright.max(axis=(1, 2)) == 255).sum())
    outcome = corrected(bright, method=method)
    assert any(f"In {full} frames pixels stand at 255" in each for each in outcome.diagnostics)
    plain = corrected(np.clip(movie() / 5, 0, 250).astype("uint8"), method=method, background=10.0)
    assert not any("saturated" in each for each in plain.diagnostics)


def test_a_correction_is_a_model_that_renormalise_takes_back() -> None:
    outcome = corrected(method="ratio", dtype="float64")
    back = run("renormalise", stack=frames_of(outcome), model=outcome.models[0], direction="undo")
    np.testing.assert_allclose(np.asarray(back.layers[0].data), movie(), rtol=1e-6)


@pytest.mark.parametrize("method", ["ratio", "exponential", "histogram"])
def test_the_preview_is_the_run_s_frame(method) -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(movie())})
    parameters = TOOL.check_parameters({"method": method, "background": BACKGROUND})
    shown = TOOL.preview(inputs, parameters, 11).layers[0].data
    np.testing.assert_allclose(shown, frames_of(corrected(method=method))[11], rtol=1e-6)
    assert TOOL.methods(inputs, parameters).endswith("(Miura, 2020).")
    assert "MiB" in TOOL.advise(inputs, parameters)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"reference_frame": 40}, "frames 0 to 39"),
        ({"background": 1e5}, "brighter than the background"),
        ({"stack": movie()[::-1], "method": "exponential"}, "do not grow darker"),
        ({"stack": movie()[:3], "method": "exponential"}, "more than 3"),
    ],
)
def test_bad_input_is_told_in_a_sentence(change, sentence) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        corrected(**change)
    assert "\n" not in str(caught.value)
