"""The tool Align: what frames are aligned to, what goes with them, where results lie, bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_framewise as fw
from napari_framewise.engine import Engine
from napari_framewise.framework.outcome import Outcome, ShapesResult
from napari_framewise.numerics import transforms
from napari_framewise.samples import SAMPLES
from napari_framewise.tools.alignment.model import Transforms
from napari_framewise.tools.registry import get_tool

SIZE = (72, 80)
COUNT = 9


def scene(at: np.ndarray) -> np.ndarray:
    """A smooth scene at positions (..., 2), drawn there: nothing is interpolated."""
    rng = np.random.default_rng(11)
    values = np.full(at.shape[:-1], 100.0)
    for _ in range(150):
        row, column, height = *rng.uniform(-30, 110, 2), rng.uniform(-60, 60)
        away = (at[..., 0] - row) ** 2 + (at[..., 1] - column) ** 2
        values += height * np.exp(-away / (2 * rng.uniform(3, 8) ** 2))
    return values


def grid(shape: tuple[int, int] = SIZE) -> np.ndarray:
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).astype(float)


def truths(count: int = COUNT) -> np.ndarray:
    """Drift and rotation of every frame, from the pixels of frame 0."""
    found = []
    for number in range(count):
        angle = np.radians(0.4 * number)
        matrix = np.eye(3)
        matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        centre = (np.array(SIZE) - 1) / 2
        shift = np.array([0.8 * number, 3 * np.sin(number)])
        matrix[:2, 2] = centre + shift - matrix[:2, :2] @ centre
        found.append(matrix)
    return np.array(found)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """frame(matrix @ p) = scene(p)."""
    drawn = [scene(transforms.mapped(transforms.inverse(each), grid())) for each in truths()]
    noise = np.random.default_rng(1).normal(0, 1.0, (COUNT, *SIZE))
    return (np.array(drawn) + noise).astype(np.float32)


def matrices_of(outcome: Outcome) -> np.ndarray:
    (model,) = outcome.models
    assert isinstance(model, Transforms)
    return model.matrices


def worst(matrices: np.ndarray) -> float:
    """Largest distance to the truth, told from frame 0 on both sides."""
    relative = transforms.composed(matrices, transforms.inverse(matrices[0]))
    wanted = transforms.composed(truths(), transforms.inverse(truths()[0]))
    return float(transforms.displacement(relative, wanted, SIZE).max())


@pytest.mark.parametrize(
    ("given", "within"),
    [
        ({"to": "frame"}, 0.08),
        ({"to": "frame", "reference_frame": 4}, 0.08),
        ({"to": "mean"}, 0.08),
        ({"to": "mean", "passes": 3}, 0.08),
        ({"to": "running_mean"}, 0.08),
        ({"to": "running_mean", "memory": 3}, 0.12),
        # Errors of the steps add up.
        ({"to": "previous"}, 0.2),
        ({"to": "mean", "method": "forward"}, 0.08),
    ],
)
def test_a_drifting_stack_is_aligned(frames: np.ndarray, given: Any, within: float) -> None:
    outcome = fw.run("alignment", stack=frames, **given)
    assert worst(matrices_of(outcome)) < within
    table = outcome.table("alignment")
    assert set(table.columns["status"]) == {"converged"}
    np.testing.assert_array_equal(table.columns["frame"], np.arange(COUNT))
    assert [plot.title for plot in outcome.plots] == ["Translation", "Rotation"]
    assert not outcome.diagnostics


def test_the_sample_s_truth_is_found() -> None:
    made = SAMPLES["drifting"].make()
    every = fw.Selection(frames=(0, 240, 20))
    stack = dict(made.stacks)["stack"].select(every)
    found = matrices_of(fw.run("alignment", stack=stack, to="frame", motion="euclidean"))
    distance = transforms.displacement(found, made.truth["matrices"][::20], stack.frame_shape)
    assert distance.max() < 0.15


def test_threads_and_cuts_change_no_bit(frames: np.ndarray) -> None:
    for given in ({"to": "mean"}, {"to": "previous"}, {"to": "running_mean"}):
        found = [
            matrices_of(fw.run("alignment", stack=frames, engine=engine, **given))
            for engine in (Engine.local(1), Engine.local(2))
        ]
        np.testing.assert_array_equal(*found)


def test_aligned_frames_look_like_the_reference(frames: np.ndarray) -> None:
    outcome = fw.run("alignment", stack=frames, to="frame")
    layer = outcome.layer("stack aligned")
    aligned = np.asarray(layer.data)
    assert aligned.dtype == np.float32
    assert aligned.shape == frames.shape
    left = aligned - frames[0]
    assert np.nanstd(left) < 2.0 < np.nanstd(frames - frames[0])
    assert np.isnan(aligned[-1]).any()
    before = np.asarray(outcome.layer("stack error before alignment").data)
    np.testing.assert_allclose(before, frames - frames[0], atol=1e-3)
    after = np.asarray(outcome.layer("stack error after alignment").data)
    assert np.nanstd(after) < 2.0


def test_errors_beyond_single_precision_stay_in_double(frames: np.ndarray) -> None:
    outcome = fw.run("alignment", stack=frames[:2].astype(float) * 1e40, to="frame")
    after = outcome.layer("stack error after alignment").data
    assert after.dtype == np.float64
    assert np.nanstd(np.asarray(after)) < 2e40


def test_a_template_is_found_in_an_image_and_outlined() -> None:
    image = scene(grid((90, 100)))
    truth = transforms.nearest([[1.02, 0.03, 14.3], [-0.03, 1.02, 21.8], [0, 0, 1]], "similarity")
    template = scene(transforms.mapped(truth, grid((50, 45))))
    outcome = fw.run(
        "alignment",
        stack=fw.stack_of(image, scale=(0.5, 0.5), units=("um", "um"), name="image"),
        template=fw.stack_of(template, scale=(2, 2), translate=(7, 8), units=("mm", "mm")),
        motion="similarity",
    )
    (matrix,) = matrices_of(outcome)
    assert transforms.displacement(matrix, truth, (50, 45)) < 2e-3
    layer = outcome.layer("image aligned")
    assert np.asarray(layer.data).shape == (50, 45)
    # The result lies on the template's pixels.
    assert [axis.scale for axis in layer.grid.axes] == [2, 2]
    assert [axis.translate for axis in layer.grid.axes] == [7, 8]
    assert [axis.unit for axis in layer.grid.axes] == ["mm", "mm"]
    assert layer.grid.role == "template"
    np.testing.assert_allclose(np.asarray(layer.data), template, atol=0.1)
    outline = outcome.layer("image template")
    assert isinstance(outline, ShapesResult)
    np.testing.assert_allclose(
        outline.data[0], transforms.mapped(truth, transforms.corners((50, 45))), atol=5e-3
    )
    assert [axis.unit for axis in outline.grid.axes] == ["um", "um"]
    history = outcome.table("history")
    assert history.entity == "iteration"
    assert history.columns["step"][-1] < 0.001


def test_one_image_keeps_its_pixels_and_its_layer_is_moved() -> None:
    image = scene(grid())
    template = scene(grid() + np.array([3.0, -2.0]))
    given = {"stack": image, "template": template, "motion": "translation", "result": "affine"}
    layer = fw.run("alignment", **given).layer("stack aligned")
    np.testing.assert_array_equal(layer.data, image)
    assert layer.grid.moved is not None
    moved = np.array(layer.grid.moved)
    # What lies at (13, 8) of the image lies at (10, 10) of the template.
    np.testing.assert_allclose(moved @ [13, 8, 1], [10, 10, 1], atol=2e-3)
    with pytest.raises(ValueError, match="no perspective"):
        fw.run("alignment", **{**given, "motion": "homography"})
    with pytest.raises(ValueError, match="one place for all frames"):
        fw.run("alignment", **{**given, "stack": np.stack([image, image])})


def test_what_was_found_on_one_channel_moves_all(frames: np.ndarray) -> None:
    dim = np.zeros_like(frames)
    dim[:, 30:40, 30:40] = 1.0
    stack = fw.stack_of(np.stack([dim, frames], axis=1), axes=("t", "c", "y", "x"))
    outcome = fw.run("alignment", stack=stack, channel=1, to="frame")
    alone = fw.run("alignment", stack=frames, to="frame")
    np.testing.assert_array_equal(matrices_of(outcome), matrices_of(alone))
    layer = outcome.layer("stack aligned")
    assert [axis.name for axis in layer.grid.axes] == ["t", "c", "y", "x"]
    aligned = np.asarray(layer.data)
    np.testing.assert_array_equal(aligned[:, 1], np.asarray(alone.layer("stack aligned").data))
    np.testing.assert_array_equal(aligned[5, 0], transforms.warp(dim[5], matrices_of(outcome)[5]))


def test_colours_stay_colours(frames: np.ndarray) -> None:
    colours = np.clip(np.stack([frames, frames * 0.5, 250 - frames], axis=-1), 0, 255)
    stack = fw.stack_of(colours.astype(np.uint8), rgb=True)
    outcome = fw.run("alignment", stack=stack, to="frame")
    assert worst(matrices_of(outcome)) < 0.1
    layer = outcome.layer("stack aligned")
    assert layer.rgb
    assert np.asarray(layer.data).shape == colours.shape
    assert [axis.name for axis in layer.grid.axes] == ["axis 0", "y", "x"]


def test_other_stacks_and_labels_go_with_it(frames: np.ndarray) -> None:
    labels = np.zeros((COUNT, *SIZE), np.int32)
    labels[:, 20:30, 20:30] = 7
    outcome = fw.run(
        "alignment", stack=frames, others=[frames * 2], labels=[labels], to="frame", errors=False
    )
    assert [layer.name for layer in outcome.layers] == [
        "stack aligned",
        "others 1 aligned",
        "labels 1 aligned",
    ]
    moved = np.asarray(outcome.layers[2].data)
    assert outcome.layers[2].kind == "labels"
    assert set(np.unique(moved)) == {0, 7}
    np.testing.assert_array_equal(
        moved[4], transforms.warp(labels[4], matrices_of(outcome)[4], order=0)
    )


def test_transforms_are_saved_and_applied_to_another_stack(
    frames: np.ndarray, tmp_path: Path
) -> None:
    found = fw.run("alignment", stack=frames, to="frame")
    fw.write_model(found.models[0], tmp_path / "transforms.npz")
    model = fw.read_model(tmp_path / "transforms.npz")
    np.testing.assert_array_equal(model.matrices, matrices_of(found))
    again = fw.run("alignment", stack=frames, transforms=model)
    np.testing.assert_array_equal(
        np.asarray(again.layers[0].data), np.asarray(found.layers[0].data)
    )
    assert "known transforms" in again.summary
    with pytest.raises(ValueError, match="as many, or one for all"):
        fw.run("alignment", stack=frames[:4], transforms=model)


def test_masks_leave_out_what_does_not_move(frames: np.ndarray) -> None:
    dirty = frames.copy()
    dirty[:, 30:50, 20:60] = np.random.default_rng(2).normal(100, 60, (20, 40))
    mask = np.ones(SIZE, np.uint8)
    mask[28:52, 18:62] = 0
    # The mask stands still, and so does what it hides.
    outcome = fw.run("alignment", stack=dirty, mask=mask, to="frame")
    assert worst(matrices_of(outcome)) < 0.2


def test_lost_frames_are_said_and_left_empty(frames: np.ndarray) -> None:
    broken = frames.copy()
    broken[3], broken[6] = np.nan, 5.0
    for given in ({"to": "mean"}, {"to": "previous"}, {"to": "running_mean"}):
        outcome = fw.run("alignment", stack=broken, **given)
        table = outcome.table("alignment")
        assert table.columns["status"][3] == table.columns["status"][6] == "no data"
        assert np.isnan(np.asarray(outcome.layers[0].data)[3]).all()
        assert any("2 frames (3, 6" in each for each in outcome.diagnostics)
        kept = [0, 1, 2, 4, 5, 7, 8]
        found = matrices_of(outcome)
        relative = transforms.composed(found[kept], transforms.inverse(found[0]))
        assert transforms.displacement(relative, truths()[kept], SIZE).max() < 0.2


def test_a_chain_is_bridged_over_frames_of_noise_or_its_break_is_said(frames: np.ndarray) -> None:
    rng = np.random.default_rng(12)
    broken = frames.copy()
    broken[3] = rng.normal(100, 20, SIZE)
    outcome = fw.run("alignment", stack=broken, to="previous")
    assert np.isnan(matrices_of(outcome)[3]).all()
    kept = [0, 1, 2, 4, 5, 6, 7, 8]
    found = matrices_of(outcome)[kept]
    relative = transforms.composed(found, transforms.inverse(found[0]))
    assert transforms.displacement(relative, truths()[kept], SIZE).max() < 0.25
    assert any("bridged" in each and "4 to 2" in each for each in outcome.diagnostics)
    long = np.concatenate([frames[:4], rng.normal(100, 20, (6, *SIZE)), frames[4:]])
    found = matrices_of(fw.run("alignment", stack=long.astype(np.float32), to="previous"))
    kept = [0, 1, 2, 3, *range(10, 15)]
    relative = transforms.composed(found[kept], transforms.inverse(found[0]))
    assert transforms.displacement(relative, truths(), SIZE).max() < 0.25
    # Another scene behind the gap has no bridge: that is said.
    long[10:] = long[10:, ::-1, ::-1]
    outcome = fw.run("alignment", stack=long.astype(np.float32), to="previous")
    assert any("chain breaks before frame 11" in each for each in outcome.diagnostics)


def test_nothing_found_is_no_error() -> None:
    noise = np.random.default_rng(3).normal(size=(2, 60, 60))
    outcome = fw.run("alignment", stack=noise[0], template=noise[1])
    assert outcome.summary.startswith("Nothing could be aligned")
    assert outcome.layers == ()
    assert outcome.diagnostics


def test_a_preview_aligns_one_frame(frames: np.ndarray) -> None:
    tool = get_tool("alignment")
    inputs = tool.check_inputs({"stack": fw.stack_of(frames)})
    for given in ({"to": "frame"}, {"to": "previous"}):
        outcome = tool.preview(inputs, tool.check_parameters(given), 3)
        reference = 0 if given["to"] == "frame" else 2
        left = np.asarray(outcome.layer("stack aligned").data) - frames[reference]
        assert np.nanstd(left) < 2.0
        assert outcome.plots[0].table == "history"
        assert "within" in outcome.summary


def test_methods_name_what_was_done(frames: np.ndarray) -> None:
    tool = get_tool("alignment")
    inputs = tool.check_inputs({"stack": fw.stack_of(frames)})
    sentence = tool.methods(inputs, tool.check_parameters({"motion": "affine"}))
    assert "aligned to their mean by affine transforms" in sentence
    assert "inverse compositional" in sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"stack": np.zeros((30, 30))}, "is one image; a template"),
        ({"stack": np.zeros((3, 4, 30, 30)), "template": np.zeros((9, 9))}, "NaN"),
        (
            {"stack": np.zeros((2, 30, 30)), "reference_frame": 2, "to": "frame"},
            "2 frames, counted",
        ),
        (
            {"stack": np.zeros((2, 30, 30)), "channel": 1},
            "Channel 1 was asked for, but stack has 1",
        ),
        ({"stack": np.zeros((2, 30, 30)), "mask": np.ones((9, 9))}, "^mask: .* one image of 9 x 9"),
        ({"stack": np.zeros((2, 30, 30)), "others": [np.zeros((2, 9, 9))]}, "must have as many"),
        ({"stack": np.zeros((2, 30, 30)), "others": [np.zeros((3, 30, 30))]}, "as many are needed"),
        ({"stack": np.zeros((2, 30, 30)), "motion": "elastic"}, "motion was given"),
        ({"stack": np.zeros((0, 30, 30))}, "is empty"),
        ({"stack": np.zeros((2, 30, 30), complex)}, "complex"),
    ],
)
def test_bad_input_gets_a_sentence(given: dict[str, Any], sentence: str) -> None:
    if sentence == "NaN":
        assert "Nothing could be aligned" in fw.run("alignment", **given).summary
        return
    with pytest.raises(ValueError, match=sentence):
        fw.run("alignment", **given)


def test_volumes_and_other_channels_are_named(frames: np.ndarray) -> None:
    volumes = fw.stack_of(np.zeros((2, 5, 30, 30)), axes=("t", "z", "y", "x"))
    with pytest.raises(ValueError, match="plane images are needed"):
        fw.run("alignment", stack=volumes)
    colours = fw.stack_of(np.zeros((2, 30, 30, 3)), rgb=True)
    with pytest.raises(ValueError, match="choose one channel of each"):
        fw.run("alignment", stack=colours, template=np.zeros((9, 9)))
