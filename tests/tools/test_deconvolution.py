"""Deconvolution as a tool: its contract, PSFs that fit and that do not, series, what is watched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, get_args

import numpy as np
import pytest
from scipy import ndimage
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.engine import Engine
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.values import values_of
from napari_framewise.numerics.deconvolution import Method
from napari_framewise.numerics.psf import gaussian_psf
from napari_framewise.stacks.selection import Selection
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.psf import PSF
from napari_framewise.tools.registry import get_tool

KERNEL = gaussian_psf((1.0, 1.0))


def checked_inputs(**given: Any) -> Inputs:
    tool = get_tool("deconvolution")
    roles = {role.name: role for role in tool.inputs}
    known = {name: each for name, each in given.items() if each is not None}
    return tool.check_inputs({name: values_of(roles[name], each) for name, each in known.items()})


def data_of(outcome: Outcome) -> Array:
    layer = outcome.layer("deconvolved")
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


def scene(n: int = 3, noise: float = 0.5) -> Array:
    sharp = np.zeros((48, 52))
    sharp[10:30, 8:20], sharp[20:40, 25:45], sharp[30:34] = 80.0, 50.0, 100.0
    random = np.random.default_rng(0)
    seen = ndimage.convolve(sharp, KERNEL, mode="nearest")
    return np.asarray(20 + seen + random.normal(0, noise, (n, *sharp.shape)))


class TestContract(ToolContract):
    name = "deconvolution"
    compares = "pixels"
    parameters: ClassVar[dict[str, Any]] = {"iterations": 12}
    value_columns = ("deconvolved",)
    unit_rtol = 1e-6
    # Where the search for the strength ends: to 1e-5.
    rounded_columns = ("regularisation", "neighbours", "swing", "objective")

    def frames(self) -> Array:
        return blobs(4)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"psf": gaussian_psf((0.7, 0.7)), "mask": mask}


def test_frames_are_restored_one_by_one_and_told_of() -> None:
    frames = scene()
    outcome = run("deconvolution", stack=frames, psf=KERNEL)
    alone = run("deconvolution", stack=frames[1], psf=KERNEL)
    np.testing.assert_array_equal(data_of(outcome)[1], data_of(alone))
    table = outcome.table("deconvolution").columns
    np.testing.assert_allclose(table["noise"], 0.5, rtol=0.1)
    left = table["noise"] * np.sqrt(1 - table["freedom"])
    np.testing.assert_allclose(table["residual"], left, rtol=0.03)
    assert list(table["verdict"]) == ["converged"] * 3
    course = outcome.table("iterations").columns
    assert len(course["objective"]) == table["iterations"][0]
    assert "3 frames of stack restored by total variation (ADMM)" in outcome.summary
    assert not outcome.diagnostics


@pytest.mark.parametrize("result", ["memory", "lazy"])
def test_lazy_frames_are_the_same(result: str) -> None:
    outcome = run("deconvolution", stack=scene(), psf=KERNEL, iterations=8, result=result)
    plain = run("deconvolution", stack=scene()[2], psf=KERNEL, iterations=8)
    np.testing.assert_array_equal(data_of(outcome)[2], data_of(plain))


def test_frames_that_start_from_the_last_take_fewer_iterations() -> None:
    frames = scene(4, noise=0.2)
    plain = run("deconvolution", stack=frames, psf=KERNEL).table("deconvolution").columns
    follow = run("deconvolution", stack=frames, psf=KERNEL, follow=True)
    after = follow.table("deconvolution").columns
    assert after["iterations"][0] == plain["iterations"][0]
    assert after["iterations"][1:].sum() < plain["iterations"][1:].sum()


def test_a_flat_or_empty_frame_in_between_is_followed_by_the_others() -> None:
    frames = scene(4, noise=0.2)
    frames[1], frames[2] = 50.0, np.nan
    outcome = run("deconvolution", stack=frames, psf=KERNEL, follow=True, iterations=8)
    assert list(outcome.table("deconvolution").columns["verdict"])[1:3] == ["flat", "no data"]
    assert np.isfinite(data_of(outcome)[3]).all()
    np.testing.assert_array_equal(data_of(outcome)[1], 50.0)


def test_colours_are_restored_one_by_one_and_opacity_is_kept() -> None:
    frames = scene(4).round().clip(0, 255).astype(np.uint8)
    colours = np.stack([*frames[:3], np.full_like(frames[0], 200)], axis=-1)
    stack = stack_of(colours, axes=("y", "x", "c"), rgb=True)
    found = run("deconvolution", stack=stack, psf=KERNEL, iterations=10)
    made = data_of(found)
    assert made.dtype == np.uint8
    assert made.shape == colours.shape
    assert (made[..., 3] == 200).all()
    grey = data_of(run("deconvolution", stack=frames[1], psf=KERNEL, iterations=10))
    np.testing.assert_array_equal(made[..., 1], np.rint(grey))
    assert "residual_green" in found.table("deconvolution").columns
    coded = run("deconvolution", stack=stack, psf=KERNEL, iterations=10, light="srgb")
    assert not np.array_equal(data_of(coded), made)


def test_a_model_serves_as_an_image_does() -> None:
    grid = stack_of(KERNEL).spatial_grid
    space = Space.of("psf", grid)
    model = PSF(space, space, KERNEL, 0, "a formula")
    by_model = run("deconvolution", stack=scene(1), psf_model=model, iterations=8)
    by_image = run("deconvolution", stack=scene(1), psf=KERNEL, iterations=8)
    np.testing.assert_allclose(data_of(by_model), data_of(by_image), rtol=1e-9)


def test_methods_stand_side_by_side_on_the_middle_of_a_frame() -> None:
    frames = np.pad(scene(2), ((0, 0), (120, 120), (110, 120)), mode="reflect")
    stack = stack_of(frames, scale=(1.0, 0.5, 2.0), translate=(0.0, 7.0, 0.0))
    outcome = run(
        "deconvolution", stack=stack, psf=KERNEL, side_by_side=True, iterations=6, weight=0.5
    )
    assert len(outcome.layers) == 9
    side = 256 + 2 * (KERNEL.shape[0] // 2)
    shapes = {np.shape(layer.data) for layer in outcome.layers}  # type: ignore[union-attr]
    assert shapes == {(side, side)}
    corners = {layer.grid.translate for layer in outcome.layers}  # type: ignore[union-attr]
    assert len(corners) == 9
    rows = sorted({corner[0] for corner in corners})
    # No two overlap.
    assert rows[1] - rows[0] > side * 0.5
    columns = sorted({corner[1] for corner in corners})
    assert columns[1] - columns[0] > side * 2.0
    table = outcome.table("methods").columns
    assert list(table["method"]) == list(get_args(Method))
    weights = dict(zip(table["method"], table["regularisation"], strict=True))
    assert weights["tv"] == pytest.approx(0.5)
    assert weights["tikhonov"] != pytest.approx(0.5)
    first = (side - 8) // 2
    alone = run("deconvolution", stack=stack, psf=KERNEL, iterations=6, weight=0.5)
    part = np.asarray(outcome.layer("stack tv").data)  # type: ignore[union-attr]
    at = ((frames.shape[1] - side) // 2 + first, (frames.shape[2] - side) // 2 + first)
    np.testing.assert_allclose(
        part[first : first + 8, first : first + 8],
        data_of(alone)[0][at[0] : at[0] + 8, at[1] : at[1] + 8],
        atol=1.0,
    )


def test_volumes_take_a_psf_of_three_axes() -> None:
    volume = np.stack([scene(1)[0][:20, :22]] * 6)
    psf = gaussian_psf((0.5, 1.0, 1.0))[1:-1]
    stack = stack_of(volume, axes=("z", "y", "x")).select(Selection(frames_along=()))
    found = run("deconvolution", stack=stack, psf=psf, iterations=5)
    assert data_of(found).shape == volume.shape
    with pytest.raises(ValueError, match="the frames are planes"):
        run("deconvolution", stack=volume, psf=psf)


@pytest.mark.parametrize(
    ("psf", "words"),
    [
        (np.zeros((5, 5)), "zeros alone"),
        (np.full((5, 5), np.nan), "without a number"),
        (np.ones((101, 101)), "larger than the frames"),
        (np.ones(5), "image|axes"),
        (None, "No PSF was given"),
    ],
)
def test_psfs_that_can_be_none_are_refused(psf: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run("deconvolution", stack=scene(1), psf=psf)


@pytest.mark.parametrize(
    ("psf", "words"),
    [
        (None, "No PSF was given"),
        (np.zeros((5, 5)), "zeros alone"),
        (np.ones((101, 101)), "larger than the frames"),
    ],
)
def test_they_are_refused_before_a_run(psf: Any, words: str) -> None:
    tool = get_tool("deconvolution")
    with pytest.raises(ValueError, match=words):
        tool.plan(
            checked_inputs(stack=scene(1), psf=psf), tool.check_parameters({}), Engine.local()
        )


def test_what_is_strange_of_a_psf_is_said() -> None:
    delta = run("deconvolution", stack=scene(1), psf=np.ones((1, 1)), iterations=5)
    assert any("nothing to deconvolve" in each for each in delta.diagnostics)
    bright = run("deconvolution", stack=scene(1), psf=np.pad(KERNEL, 3) + 0.01, iterations=5)
    assert any("background" in each for each in bright.diagnostics)
    taken = run(
        "deconvolution", stack=scene(1), psf=np.pad(KERNEL, 3) + 0.01, psf_background="border"
    )
    plain = run("deconvolution", stack=scene(1), psf=KERNEL)
    assert not taken.diagnostics
    np.testing.assert_allclose(data_of(taken), data_of(plain), atol=0.5)
    small = stack_of(KERNEL, scale=(0.1, 0.1), units=("micrometer", "micrometer"))
    frames = stack_of(scene(1)[0], scale=(0.2, 0.2), units=("micrometer", "micrometer"))
    other = run("deconvolution", stack=frames, psf=small, iterations=5)
    assert any("times as large" in each for each in other.diagnostics)


def test_a_displaced_psf_is_told_of_and_moves_the_result() -> None:
    displaced = np.pad(KERNEL, ((4, 0), (0, 2)))
    asked = {"stack": scene(1), "psf": displaced, "iterations": 40}
    centred = run("deconvolution", **asked)
    assert not any("centroid" in each for each in centred.diagnostics)
    moved = run("deconvolution", **asked, psf_origin="middle")
    assert any(
        "lies +2, -1 pixels" in each and "moved by -2, +1" in each for each in moved.diagnostics
    )
    inner = np.s_[0, 12:-12, 12:-12]
    back = np.roll(data_of(moved), (2, -1), (1, 2))
    there = np.abs(data_of(moved) - data_of(centred))[inner].mean()
    assert np.abs(back - data_of(centred))[inner].mean() < 0.1 * there
    # The residual is as small as with the right origin.
    first, second = (
        float(each.table("deconvolution").columns["residual"][0]) for each in (centred, moved)
    )
    assert second < 1.05 * first


def test_a_preview_tells_of_what_it_is_and_not_of_structure_that_more_iterations_remove() -> None:
    tool = get_tool("deconvolution")
    inputs = checked_inputs(stack=scene(1), psf=KERNEL)
    weight = tool.check_parameters({"weight": 30.0, "iterations": 20})
    ended = tool.preview(inputs, weight, 0)
    assert any("still shows the scene" in each for each in ended.diagnostics)
    more = tool.preview(inputs, weight.model_copy(update={"iterations": 500}), 0)
    assert not any("still shows the scene" in each for each in more.diagnostics)


def test_saturated_pixels_are_missing_and_told_of() -> None:
    frames = scene(1).clip(0, 110)
    whole = run("deconvolution", stack=frames, psf=KERNEL, saturation=110.0)
    other = np.where(frames >= 110, 250.0, frames)
    again = run("deconvolution", stack=other, psf=KERNEL, saturation=110.0)
    np.testing.assert_array_equal(data_of(whole), data_of(again))
    full = np.where(scene(1) > 105, 255, scene(1)).astype(np.uint8)
    said = run("deconvolution", stack=full, psf=KERNEL, iterations=5).diagnostics
    assert any("Saturation" in each for each in said)


def test_the_inverse_shows_what_it_does_to_noise() -> None:
    found = run("deconvolution", stack=scene(1), psf=KERNEL, method="inverse")
    assert any(
        "multiplies the standard deviation of white noise" in each for each in found.diagnostics
    )
    # The same is said with a floor, so it must not say that none was set.
    floored = run("deconvolution", stack=scene(1), psf=KERNEL, method="inverse", floor=0.02)
    for each in (found, floored):
        assert list(each.table("deconvolution").columns["verdict"]) == ["noise amplified"]
        assert any("ripples that a floor leaves" in said for said in each.diagnostics)
    layer = found.layer("noise amplification")
    assert isinstance(layer, ImageResult)
    values = np.asarray(layer.data)
    assert values[24, 26] == pytest.approx(0, abs=1e-6)
    assert values.max() > 40


def test_what_there_is_so_far_is_shown_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_framewise.tools.deconvolution._SO_FAR_SECONDS", 0.0)
    tool = get_tool("deconvolution")
    inputs = checked_inputs(stack=scene(2), psf=np.pad(KERNEL, 3) + 0.01)
    steps = tool.run(
        inputs, tool.check_parameters({"iterations": 6, "tolerance": 0.0}), Engine.local()
    )
    partial = [each for each in steps if isinstance(each, Partial)]
    counts = [len(each.outcome.table("iterations")) for each in partial]
    assert counts == [1, 2, 3, 4, 5, 6]
    assert "residual" in partial[3].text() or "objective" in partial[3].text()
    assert any("background" in each for each in partial[0].outcome.diagnostics)
    residual = next(each for each in partial[-1].outcome.plots if each.title == "Residual")
    assert residual.log_y
    first, last = (each.outcome.layers[0] for each in (partial[0], partial[-1]))
    assert isinstance(first, ImageResult)
    assert isinstance(last, ImageResult)
    assert not np.array_equal(first.data, last.data)


def test_a_preview_is_a_part_of_a_large_frame() -> None:
    tool = get_tool("deconvolution")
    frames = np.tile(scene(2), (1, 8, 8))
    inputs = checked_inputs(stack=frames, psf=KERNEL)
    shown = tool.preview(inputs, tool.check_parameters({}), 1).layers[0]
    assert isinstance(shown, ImageResult)
    assert max(shown.data.shape) < 120
    assert shown.grid.translate[0] > 100


def test_a_preview_of_a_part_smaller_than_the_psf_cuts_the_psf() -> None:
    tool = get_tool("deconvolution")
    frames = np.tile(scene(1), (1, 2, 2))
    inputs = checked_inputs(stack=frames, psf=gaussian_psf((6.0, 6.0)))
    stack = inputs.stack("stack")
    part = stack.select(replace(stack.selection, region=((10, 34), (20, 50))))
    shown = tool.preview(inputs.with_stack("stack", part), tool.check_parameters({}), 0).layers[0]
    assert isinstance(shown, ImageResult)
    assert shown.data.shape == (24, 30)
    assert np.isfinite(shown.data).all()
