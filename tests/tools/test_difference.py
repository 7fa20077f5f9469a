from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import ndimage
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.framework.outcome import ImageResult
from napari_framewise.numerics.difference import compare
from napari_framewise.samples import SAMPLES
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.difference import TOOL

RNG = np.random.default_rng(13)


def scene(n: int = 3, shape: tuple[int, int] = (160, 180)) -> Array:
    """Frames of one scene with noise of 1; a square is brighter in the second."""
    base = 60 + 200 * ndimage.gaussian_filter(np.random.default_rng(1).normal(size=shape), 2)
    frames = base + np.random.default_rng(2).normal(0, 1, (n, *shape))
    frames[1:2, 30:44, 40:56] += 30
    return frames


class TestContract(ToolContract):
    name = "difference"
    unit_rtol = 1e-6
    value_columns = ("noise",)
    float_rtol = 1e-5

    def frames(self) -> Array:
        return np.rint(blobs(4, (40, 44))).clip(1, 119)


class TestContractOfPixels(ToolContract):
    name = "difference"
    unit_rtol = 1e-6
    parameters: ClassVar[dict[str, Any]] = {"measure": "ncc", "p_map": False, "light": "global"}
    compares = "pixels"
    float_rtol = 1e-5

    def frames(self) -> Array:
        return np.rint(blobs(3, (40, 44))).clip(1, 119)


def test_frames_are_compared_with_a_reference() -> None:
    frames = scene()
    reference = scene(4)[3]
    outcome = run("difference", stack=frames, reference=reference)
    table = outcome.table("changes").columns
    assert table["regions"].tolist() == [0, 1, 0]
    row = outcome.table("regions").row(0)
    assert row["frame"] == 1
    assert abs(row["row"] - 37) < 3
    assert abs(row["column"] - 48) < 3
    labels, change = outcome.layer("changed"), outcome.layer("change")
    assert isinstance(labels, ImageResult)
    assert isinstance(change, ImageResult)
    assert labels.kind == "labels"
    assert np.asarray(labels.data)[1, 37, 48] == 1
    expected = compare(reference, frames[1])
    np.testing.assert_allclose(np.asarray(change.data)[1], expected.measure)
    assert "1 region changed in 1 of 3 frames" in outcome.summary
    assert row["area"] == (np.asarray(labels.data)[1] == 1).sum()


def test_without_a_reference_each_is_compared_with_the_frame_before() -> None:
    frames = scene()
    outcome = run("difference", stack=frames)
    table = outcome.table("changes").columns
    assert table["frame"].tolist() == [1, 2]
    assert (table["regions"] >= 1).all()
    layer = outcome.layer("change")
    assert isinstance(layer, ImageResult)
    assert layer.data.shape == (2, 160, 180)
    np.testing.assert_allclose(np.asarray(layer.data)[0], compare(frames[0], frames[1]).measure)


def test_memory_and_lazy_give_the_same() -> None:
    frames = scene()
    lazy = run("difference", stack=frames, shift_map=True)
    memory = run("difference", stack=frames, shift_map=True, result="memory")
    assert len(lazy.layers) == 5
    for one, other in zip(lazy.layers, memory.layers, strict=True):
        assert isinstance(one, ImageResult)
        assert isinstance(other, ImageResult)
        np.testing.assert_array_equal(np.asarray(one.data), np.asarray(other.data))


def test_the_maps_leave_the_image_to_be_seen() -> None:
    outcome = run("difference", stack=scene(), shift_map=True)
    shown = {each.name: each for each in outcome.layers if isinstance(each, ImageResult)}
    change = next(each for name, each in shown.items() if name.endswith(" change"))
    assert change.blending == "additive"
    # Up to 1 noise and displacement explain what is left.
    assert change.contrast_limits == (1.0, max(10.0, float(np.nanmax(change.data[0]))))
    right = next(each for name, each in shown.items() if name.endswith(" right"))
    assert right.contrast_limits is not None
    assert right.contrast_limits[0] == -right.contrast_limits[1]
    assert right.blending is None
    assert not right.visible


def test_windows_in_units_and_areas_in_units() -> None:
    stack = stack_of(
        scene(), axes=("t", "y", "x"), scale=(1, 0.5, 0.5), units=("s", "micrometer", "micrometer")
    )
    outcome = run("difference", stack=stack, window="2um", smoothness="6um")
    plain = run("difference", stack=scene())
    np.testing.assert_array_equal(
        outcome.table("changes").columns["p"], plain.table("changes").columns["p"]
    )
    regions = outcome.table("regions").columns
    np.testing.assert_allclose(regions["area_in_units"], regions["area"] / 4)


def test_colours_are_averaged() -> None:
    frames = np.repeat(scene()[..., None], 3, axis=-1).clip(0, 255)
    outcome = run("difference", stack=stack_of(frames, axes=tuple("tyxc"), rgb=True))
    assert (outcome.table("changes").columns["regions"] >= 1).all()
    layer = outcome.layer("change")
    assert isinstance(layer, ImageResult)
    assert layer.data.shape == (2, 160, 180)


def test_the_sample_shows_its_changes() -> None:
    made = SAMPLES["known_changes"].make()
    stacks, truth = dict(made.stacks), made.truth["changed"]
    outcome = run("difference", stack=stacks["stack"], reference=stacks["reference"])
    layer = outcome.layer("changed")
    assert isinstance(layer, ImageResult)
    labels = np.asarray(layer.data)
    counts = outcome.table("changes").columns["regions"]
    assert counts[0] >= 3
    assert (counts > 0).all()
    near = ndimage.binary_dilation(truth, iterations=12)
    assert near[labels[0] > 0].mean() > 0.75


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"stack": scene(1)}, "no reference was given"),
        ({"reference": scene(1)[0, :9]}, "^reference: .* must have the same shape"),
        ({"reference": scene(2)}, "one reference of that size for all frames"),
        ({"rate": 0.0}, "greater than 0"),
        ({"window": "0px"}, "window was given"),
        ({"window": "1um"}, "the pixels have no size"),
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("difference", **{"stack": scene(), **given})


def test_what_holds_nothing_is_said() -> None:
    outcome = run("difference", stack=np.full((2, 40, 40), np.nan))
    assert "no pixel could be compared" in outcome.summary
    assert "1 frame shares no pixel with data" in outcome.diagnostics[0]
    outcome = run("difference", stack=np.full((2, 40, 40), 5.0))
    assert "nothing changed" in outcome.summary
    said = run("difference", stack=scene(), mask=np.zeros(scene().shape, np.uint8)).summary
    assert "no pixel could be compared" in said
    assert "16 x 16 or more" in run("difference", stack=scene()[:, :9, :9]).diagnostics[0]


def test_a_preview_is_the_run_of_its_frame() -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(scene())})
    shown = TOOL.preview(inputs, TOOL.check_parameters({}), 0)
    whole = run("difference", stack=scene())
    for one, other in zip(shown.layers, whole.layers, strict=True):
        assert isinstance(one, ImageResult)
        assert isinstance(other, ImageResult)
        np.testing.assert_allclose(np.asarray(one.data), np.asarray(other.data)[0], rtol=1e-6)


def test_the_methods_sentence_says_what_was_borne_with() -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(scene())})
    said = TOOL.methods(inputs, TOOL.check_parameters({"measure": "ncc", "rate": 0.01}))
    assert "smooth over 12 px" in said
    assert "rate of 0.01" in said


def test_one_frame_is_spoken_of_in_the_singular() -> None:
    frames = scene()[:2].astype(float)
    frames[1] = np.nan
    said = run("difference", stack=frames, reference=scene()[0]).diagnostics
    assert said[0].startswith("1 frame shares no pixel with data"), said
    flat = np.full((40, 40), 5.0)
    assert "nothing changed in 1 frame," in run("difference", stack=flat, reference=flat).summary


def test_images_of_two_scenes_are_not_called_unchanged() -> None:
    first = scene(1)
    other = 60 + 200 * ndimage.gaussian_filter(RNG.normal(size=first.shape[1:]), 2)
    for reference in (other, np.full(first.shape[1:], 7.0)):
        outcome = run("difference", stack=first, reference=reference)
        assert "nothing changed" not in outcome.summary
        assert "don't show one scene" in outcome.diagnostics[0]
        assert outcome.table("changes").columns["unexplained"][0] > 0.5
    same = run("difference", stack=scene())
    assert (same.table("changes").columns["unexplained"] < 0.1).all()
    assert not same.diagnostics


@pytest.mark.parametrize("measure", ["mse", "ssim"])
@pytest.mark.parametrize("tolerance", ["search", "none"])
def test_what_is_unexplained_is_told_whatever_the_measure(measure: str, tolerance: str) -> None:
    chosen = {"measure": measure, "tolerance": tolerance, "light": "none"}
    same = run("difference", stack=scene(), **chosen)
    assert (same.table("changes").columns["unexplained"] < 0.1).all()
    flat = np.full(scene().shape[1:], 70.0)
    other = run("difference", stack=scene(), reference=flat, **chosen)
    assert (other.table("changes").columns["unexplained"] > 0.5).all()
