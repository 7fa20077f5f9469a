from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from napari_framewise.engine import Engine
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome
from napari_framewise.stacks.source import ArraySource
from napari_framewise.stacks.stack import Selection, Stack, stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.mixing import TOOL

SHAPE = (24, 20)
N = 60
NOISE = 20.0


@dataclass(frozen=True)
class Scene:
    """Frames that are mixtures of two known images."""

    first: np.ndarray
    second: np.ndarray
    shares: np.ndarray
    frames: np.ndarray


@pytest.fixture(scope="module")
def scene() -> Scene:
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    first = 2000 + 1500 * np.sin(columns / 3)
    second = 1500 + 900 * np.cos(rows / 4)
    shares = rng.uniform(0.4, 0.7, N)
    clean = shares[:, None, None] * first + (1 - shares)[:, None, None] * second
    frames = np.rint(clean + rng.normal(0, NOISE, clean.shape)).astype(np.uint16)
    return Scene(first, second, shares, frames)


def closed_form(scene: Scene, frames: np.ndarray, used: np.ndarray | None = None) -> np.ndarray:
    used = np.ones(SHAPE, bool) if used is None else used
    difference = (scene.first - scene.second)[used]
    left = frames.astype(float)[:, used] - scene.second[used]
    return left @ difference / (difference @ difference)


def fitted(scene: Scene, stack: Any = None, **given: Any) -> Outcome:
    given.setdefault("references", [scene.first, scene.second])
    return run("mixing", stack=scene.frames if stack is None else stack, **given)


def inputs_of(scene: Scene) -> Inputs:
    references = [stack_of(scene.first), stack_of(scene.second)]
    return TOOL.check_inputs({"stack": stack_of(scene.frames), "references": references})


def frames_of(frames: np.ndarray, *numbers: int) -> list[Stack]:
    return [stack_of(frames, selection=Selection(frames=(n, n + 1, 1))) for n in numbers]


def shares(outcome: Outcome) -> np.ndarray:
    return np.asarray(outcome.table("mixing").columns["x1"])


def test_the_coefficients_are_those_of_the_closed_form(scene: Scene) -> None:
    outcome = fitted(scene)
    np.testing.assert_allclose(shares(outcome), closed_form(scene, scene.frames), rtol=1e-12)
    assert np.abs(shares(outcome) - scene.shares).max() < 5 * NOISE / np.linalg.norm(
        scene.first - scene.second
    )
    np.testing.assert_allclose(
        outcome.table("mixing").columns["x2"], 1 - shares(outcome), atol=1e-12
    )


def test_errors_are_those_of_the_noise(scene: Scene) -> None:
    expected = NOISE / np.linalg.norm(scene.first - scene.second)
    for errors in ("hc2", "hc3", "classical"):
        table = fitted(scene, errors=errors).table("mixing")
        assert np.median(table.columns["x1_error"]) == pytest.approx(expected, rel=0.05)
        assert np.median(table.columns["rmse"]) == pytest.approx(NOISE, rel=0.05)


def test_the_former_name_of_the_consistent_errors_is_kept(scene: Scene) -> None:
    former, now = (fitted(scene, errors=each).table("mixing") for each in ("consistent", "hc3"))
    assert (former.columns["x1_error"] == now.columns["x1_error"]).all()
    default = fitted(scene).table("mixing").columns
    assert (
        default["x1_error"] == fitted(scene, errors="hc2").table("mixing").columns["x1_error"]
    ).all()
    assert (default["x1_error_dof"] < 480).all()


def test_pixels_of_high_leverage_are_named(scene: Scene) -> None:
    hot = scene.first.copy()
    hot[5, 7] = 60_000
    outcome = fitted(scene, references=[hot, scene.second])
    assert any("(5, 7)" in said and "leverage" in said for said in outcome.diagnostics)


def test_one_pixel_gives_no_consistent_error(scene: Scene) -> None:
    other = scene.second.copy()
    other[5, 7] += 900
    outcome = fitted(scene, references=[other, scene.second])
    assert np.isnan(outcome.table("mixing").columns["x1_interval"]).all()
    assert any("one pixel alone decides" in said for said in outcome.diagnostics)


def test_the_design_is_told(scene: Scene) -> None:
    outcome = fitted(scene)
    row = outcome.table("design").row(0)
    assert row["rank"] == 1
    assert row["difference"] == pytest.approx(np.linalg.norm(scene.first - scene.second))
    assert f"{N} frames" in outcome.summary
    assert outcome.diagnostics == ()


def test_references_may_be_frames_of_the_stack(scene: Scene) -> None:
    frames = np.concatenate([scene.first[None], scene.frames, scene.second[None]])
    outcome = run("mixing", stack=frames, references=frames_of(frames, 0, N + 1))
    assert shares(outcome)[[0, -1]] == pytest.approx([1, 0], abs=1e-9)
    np.testing.assert_allclose(shares(outcome)[1:-1], closed_form(scene, scene.frames), rtol=1e-9)
    assert any("frames of the stack itself" in said for said in outcome.diagnostics)


def test_references_outside_a_chosen_range_are_found(scene: Scene) -> None:
    frames = np.concatenate([scene.first[None], scene.second[None], scene.frames])
    stack = stack_of(frames, selection=Selection(frames=(2, N + 2, 3)))
    outcome = run("mixing", stack=stack, references=frames_of(frames, 0, 1))
    np.testing.assert_allclose(shares(outcome), closed_form(scene, scene.frames[::3]), rtol=1e-9)
    assert list(outcome.table("mixing").columns["frame"][:3]) == [2, 5, 8]


def test_one_layer_may_hold_all_references(scene: Scene) -> None:
    both = np.stack([scene.first, scene.second])
    outcome = fitted(scene, references=[both], several_frames="separate")
    np.testing.assert_allclose(shares(outcome), closed_form(scene, scene.frames), rtol=1e-12)


def test_replicates_are_averaged_and_their_pull_is_removed(scene: Scene) -> None:
    rng = np.random.default_rng(1)
    noise = 0.6 * np.sqrt(np.mean((scene.first - scene.second) ** 2))
    noisy = [image + rng.normal(0, noise, (4, *SHAPE)) for image in (scene.first, scene.second)]
    plain = fitted(scene, references=noisy, reference_noise="ignore")
    corrected = fitted(scene, references=noisy)
    bias = [float(np.mean(shares(each) - scene.shares)) for each in (plain, corrected)]
    table = corrected.table("mixing")
    assert abs(bias[1]) < 4 * np.nanmax(table.columns["x1_shared_error"])
    # At x = 0.55 the pull goes towards 1/2: by half the noise's share of the signal.
    pulled = np.polyfit(scene.shares, shares(plain), 1)[0]
    freed = np.polyfit(scene.shares, shares(corrected), 1)[0]
    assert pulled < 0.9
    assert freed == pytest.approx(1, abs=0.05)
    assert any("references moves all frames together" in said for said in corrected.diagnostics)


def test_a_mask_for_all_frames_and_one_for_each(scene: Scene) -> None:
    used = np.zeros(SHAPE, bool)
    used[3:20, 2:15] = True
    spoiled = np.where(used, scene.frames, 60000).astype(np.uint16)
    expected = closed_form(scene, scene.frames, used)
    one = fitted(scene, spoiled, mask=used.astype(np.uint8))
    each = fitted(scene, spoiled, mask=np.broadcast_to(used, spoiled.shape).astype(np.uint8))
    np.testing.assert_allclose(shares(one), expected, rtol=1e-12)
    np.testing.assert_allclose(shares(each), expected, rtol=1e-9)


def test_fitted_and_residual_add_up_to_the_frame(scene: Scene) -> None:
    outcome = fitted(scene, fitted=True)
    fitted_stack, residual_stack = (
        np.asarray(outcome.layer(f"{name} of stack").data) for name in ("fit", "residual")
    )
    np.testing.assert_allclose(fitted_stack + residual_stack, scene.frames, atol=2e-3)
    mean = outcome.layer("mean residual of stack").data
    np.testing.assert_allclose(mean, residual_stack.mean(axis=0), atol=1e-3)


def test_a_mean_residual_beyond_single_precision_stays_in_double(scene: Scene) -> None:
    plain, large = (
        fitted(scene, scene.frames * unit, references=[scene.first * unit, scene.second * unit])
        for unit in (1.0, 1e42)
    )
    layers = [one.layer("mean residual of stack").data for one in (plain, large)]
    assert [layer.dtype for layer in layers] == [np.float32, np.float64]
    np.testing.assert_allclose(layers[1], layers[0].astype(float) * 1e42, rtol=1e-4, atol=1e36)


def test_results_lie_where_the_stack_lies(scene: Scene) -> None:
    stack = stack_of(
        scene.frames,
        axes=("t", "y", "x"),
        scale=(0.5, 2.0, 3.0),
        translate=(10.0, 5.0, 7.0),
        units=("second", "micrometer", "micrometer"),
        selection=Selection(frames=(4, 44, 2), region=((2, 22), (1, 19))),
    )
    references = [stack_of(each[2:22, 1:19]) for each in (scene.first, scene.second)]
    outcome = fitted(scene, stack, references=references)
    residual = outcome.layer("residual of stack")
    t, y, x = residual.grid.axes
    assert residual.data.shape == (20, 20, 18)
    assert (t.scale, t.translate, t.unit) == (1.0, 12.0, "second")
    assert (y.scale, y.translate, x.translate) == (2.0, 9.0, 10.0)
    columns = outcome.table("mixing").columns
    np.testing.assert_allclose(columns["time"], 10 + 0.5 * columns["frame"])
    assert outcome.plots[0].x == "time"


def test_frames_along_two_axes(scene: Scene) -> None:
    frames = scene.frames.reshape(6, 10, *SHAPE)
    outcome = fitted(scene, frames)
    columns = outcome.table("mixing").columns
    assert list(columns["axis 1"][:12]) == [*range(10), 0, 1]
    assert outcome.layer("residual of stack").data.shape == frames.shape
    np.testing.assert_allclose(shares(outcome), closed_form(scene, scene.frames), rtol=1e-12)


def test_the_preview_is_the_run_s_row(scene: Scene) -> None:
    inputs = inputs_of(scene)
    outcome = TOOL.preview(inputs, TOOL.check_parameters({}), 11)
    assert f"{shares(fitted(scene))[11]:.4g}" in outcome.summary
    assert outcome.summary.startswith("Frame 11")
    residual, fitted_frame = (layer.data for layer in outcome.layers)
    # what comes last lies on top
    assert [layer.visible for layer in outcome.layers] == [False, True]
    np.testing.assert_allclose(fitted_frame + residual, scene.frames[11], atol=2e-3)


def test_what_can_be_told_apart_is_said_before(scene: Scene) -> None:
    inputs = inputs_of(scene)
    assert TOOL.advise is not None
    said = TOOL.advise(inputs, TOOL.check_parameters({}))
    assert "told apart" in said
    assert "condition number" in said
    assert "in flight" in TOOL.plan(inputs, TOOL.check_parameters({}), Engine.local()).describe()


def test_photon_noise_weights_lower_the_error() -> None:
    rng = np.random.default_rng(3)
    first = np.where(np.arange(400).reshape(20, 20) % 7 < 2, 400.0, 4.0)
    second = np.full((20, 20), 30.0)
    true = rng.uniform(0.3, 0.8, 400)[:, None, None]
    frames = rng.poisson(true * first + (1 - true) * second).astype(np.uint16)
    plain = run("mixing", stack=frames, references=[first, second])
    weighted = run(
        "mixing", stack=frames, references=[first, second], detector_gain=1.0, poisson_weights=True
    )
    spread = [np.std(shares(each) - true.ravel()) for each in (plain, weighted)]
    assert spread[1] < spread[0]
    assert np.median(weighted.table("mixing").columns["chi2"]) == pytest.approx(1, abs=0.05)
    assert abs(np.mean(shares(weighted) - true.ravel())) < 4 * spread[1] / 20


def test_a_frame_without_data_is_a_row_of_nan(scene: Scene) -> None:
    frames = scene.frames.astype(np.float32)
    frames[5] = np.nan
    outcome = fitted(scene, frames)
    assert np.flatnonzero(np.isnan(shares(outcome))).tolist() == [5]
    assert any("1 frame held no data" in said for said in outcome.diagnostics)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"references": []}, "nothing was given"),
        ({"references": "first"}, "2 to 16"),
        ({"references": "small"}, "must have the same shape"),
        ({"references": "same"}, "cannot be told apart"),
        ({"lowest": (0.7,), "highest": (0.4,)}, "0.7"),
        ({"lowest": (0.6, 0.6), "constraint": "sum_to_one"}, "sum"),
        ({"poisson_weights": True}, "gain"),
        ({"gain": True, "constraint": "none"}, "sum of one"),
        ({"constraint": "sum"}, "constraint was given"),
        ({"nonsense": 1}, "no input or parameter .nonsense"),
        ({"mask": "empty"}, "pixel"),
    ],
)
def test_bad_input_is_told_in_a_sentence(
    scene: Scene, change: dict[str, Any], sentence: str
) -> None:
    named = {
        "first": [scene.first],
        "small": [scene.first[:5], scene.second[:5]],
        "same": [scene.first, scene.first],
        "empty": np.zeros(SHAPE, np.uint8),
    }
    given = {k: named.get(v, v) if isinstance(v, str) else v for k, v in change.items()}
    with pytest.raises(ValueError, match=sentence) as caught:
        fitted(scene, **given)
    assert "\n" not in str(caught.value)


def test_complex_frames_are_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match="complex"):
        fitted(scene, scene.frames.astype(complex))


def test_a_mask_of_another_length_is_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match="one per frame"):
        fitted(scene, mask=np.ones((7, *SHAPE), np.uint8))


def test_one_thread_and_two_give_the_same_bits(scene: Scene) -> None:
    stack: Stack = stack_of(scene.frames)
    one, two = (fitted(scene, stack, engine=Engine.local(workers)) for workers in (1, 2))
    for name, values in one.table("mixing").columns.items():
        np.testing.assert_array_equal(values, two.table("mixing").columns[name], err_msg=name)
    np.testing.assert_array_equal(
        one.layer("mean residual of stack").data, two.layer("mean residual of stack").data
    )


class Counted(ArraySource):
    """An array that says which frames were read."""

    def read(self, region: Any) -> np.ndarray:
        block = super().read(region)
        _READ.append(len(block))
        return block


_READ: list[int] = []


def test_the_mean_residual_needs_no_second_reading(scene: Scene) -> None:
    stack = replace(stack_of(scene.frames), source=Counted(scene.frames))
    read = []
    for asked in (False, True):
        _READ.clear()
        outcome = run(
            "mixing", stack=stack, references=[scene.first, scene.second], mean_residual=asked
        )
        assert any("mean" in layer.name for layer in outcome.layers) == asked
        read.append(sum(_READ))
    assert read[0] == read[1] > 0
