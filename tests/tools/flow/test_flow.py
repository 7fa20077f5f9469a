"""The tool Optical flow: which frames are compared, what comes out and where, what goes along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import napari_framewise as fw
from napari_framewise.engine import Engine
from napari_framewise.framework.outcome import Outcome, PointsResult, VectorsResult
from napari_framewise.stacks import memory
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.tools import flow as module
from napari_framewise.tools.flow.model import FlowModel
from napari_framewise.tools.registry import get_tool

SHAPE = (56, 64)
DRIFT = np.array([0.7, -1.3])
COUNT = 5


def scene(at: np.ndarray) -> np.ndarray:
    """A smooth scene at positions (2, ...), drawn there: nothing is interpolated."""
    rng = np.random.default_rng(3)
    values = np.full(at.shape[1:], 100.0)
    for _ in range(220):
        row, column, height = *rng.uniform(-20, 85, 2), rng.uniform(-60, 60)
        away = (at[0] - row) ** 2 + (at[1] - column) ** 2
        values += height * np.exp(-away / (2 * rng.uniform(1.5, 6) ** 2))
    return values


def frame(number: float) -> np.ndarray:
    """The scene, drifted that often."""
    return scene(np.indices(SHAPE) - (number * DRIFT)[:, None, None])


FRAMES = np.array([frame(number) for number in range(COUNT)]).astype(np.float32)


def drifting(**options: Any) -> fw.Stack:
    given = {
        "axes": ("t", "y", "x"),
        "scale": (0.5, 0.25, 0.25),
        "translate": (2.0, 10.0, -20.0),
        "units": ("second", "micrometer", "micrometer"),
        "name": "cells",
    }
    return fw.stack_of(FRAMES, **{**given, **options})


def run(inputs: dict[str, Any], **parameters: Any) -> Outcome:
    return fw.run("flow", engine=Engine.local(1), **inputs, **parameters)


def model_of(outcome: Outcome) -> FlowModel:
    (model,) = outcome.models
    assert isinstance(model, FlowModel)
    return model


def arrows(outcome: Outcome) -> VectorsResult:
    (found,) = [each for each in outcome.layers if isinstance(each, VectorsResult)]
    return found


def median_of(displacement: np.ndarray) -> np.ndarray:
    return np.median(displacement[..., 8:-8, 8:-8], axis=(-2, -1))


@pytest.fixture(scope="module")
def followed() -> Outcome:
    return run({"stack": drifting()}, field="both", uncertainty=True, structure=True)


def test_neighbours_are_compared(followed: Outcome) -> None:
    moves = model_of(followed).displacement
    assert moves.shape == (COUNT - 1, 2, *SHAPE)
    np.testing.assert_allclose(median_of(moves), np.tile(DRIFT, (COUNT - 1, 1)), atol=0.03)
    table = followed.table("flow")
    assert table.entity == "pair"
    assert table.columns["first_frame"].tolist() == [0, 1, 2, 3]
    assert table.columns["second_frame"].tolist() == [1, 2, 3, 4]
    assert (table.columns["confident"] > 0.8).all()
    np.testing.assert_allclose(table.columns["median_y"], DRIFT[0], atol=0.03)


def test_speeds_are_in_the_units_of_the_layer(followed: Outcome) -> None:
    speed = np.hypot(*DRIFT) * 0.25 / 0.5
    np.testing.assert_allclose(followed.table("flow").columns["median_speed"], speed, rtol=0.03)
    features = arrows(followed).features
    assert features is not None
    assert np.median(features.columns["speed"]) == pytest.approx(speed, rel=0.03)
    assert np.median(features.columns["direction"]) == pytest.approx(
        np.degrees(np.arctan2(-DRIFT[0], DRIFT[1])) % 360, abs=2
    )
    assert "micrometer/s" in followed.summary


def test_milliseconds_are_seconds_too() -> None:
    stack = drifting(scale=(500.0, 0.25, 0.25), units=("ms", "micrometer", "micrometer"))
    columns = run({"stack": stack}, quality="fast").table("flow").columns
    np.testing.assert_allclose(columns["median_speed"], np.hypot(*DRIFT) / 2, rtol=0.03)


def test_arrows_stand_where_the_motion_is(followed: Outcome) -> None:
    vectors = arrows(followed)
    assert [axis.name for axis in vectors.grid.axes] == ["t", "y", "x"]
    assert [axis.scale for axis in vectors.grid.axes] == [0.5, 0.25, 0.25]
    assert [axis.translate for axis in vectors.grid.axes] == [2.0, 10.0, -20.0]
    starts, moves = vectors.data[:, 0], vectors.data[:, 1]
    assert set(starts[:, 0]) == {0, 1, 2, 3}
    assert not moves[:, 0].any()
    flow = model_of(followed).displacement
    at = starts.astype(int)
    np.testing.assert_array_equal(moves[:, 1:], flow[at[:, 0], :, at[:, 1], at[:, 2]])
    assert set(starts[:, 1]) <= set(range(5, SHAPE[0], 10))


def test_dense_layers_hold_the_flow_in_the_place_of_the_frames(followed: Outcome) -> None:
    flow = model_of(followed).displacement
    for part, name in enumerate(("flow along y", "flow along x")):
        layer = followed.layer(name)
        np.testing.assert_array_equal(np.asarray(layer.data), flow[:, part])
        assert layer.grid.axes[0] == Axis("t", 0.5, 2.0, "second")
    confidence = np.asarray(followed.layer("flow confidence").data)
    uncertainty = np.asarray(followed.layer("flow uncertainty").data)
    np.testing.assert_allclose(confidence, 1 / (1 + uncertainty**2), rtol=1e-6)
    assert set(np.unique(followed.layer("flow structure").data)) <= {0, 1, 2}
    colours = followed.layer("flow colours")
    assert np.asarray(colours.data).shape == (COUNT - 1, *SHAPE, 3)
    (wheel,) = [each for each in followed.layers if "colour wheel" in each.name]
    beside = wheel.grid.axes[1]
    assert beside.translate > -20.0 + 0.25 * SHAPE[1]


def test_the_second_frame_is_warped_onto_the_first(followed: Outcome) -> None:
    warped = np.asarray(followed.layer("warped").data)
    assert warped.shape == (COUNT - 1, *SHAPE)
    inside = (slice(None), slice(8, -8), slice(8, -8))
    left = np.abs(warped - FRAMES[:-1])[inside]
    before = np.abs(FRAMES[1:] - FRAMES[:-1])[inside]
    assert np.nanmean(left) < 0.05 * before.mean()


def test_frames_may_be_followed_from_a_reference() -> None:
    outcome = run({"stack": drifting()}, pairs="reference", reference_frame=1, ranking="residual")
    expected = (np.arange(COUNT) - 1)[:, None] * DRIFT
    np.testing.assert_allclose(median_of(model_of(outcome).displacement), expected, atol=0.08)
    columns = outcome.table("flow").columns
    assert columns["first_frame"].tolist() == [1] * COUNT
    assert columns["pair"].tolist() == list(range(COUNT))


def test_two_images_are_compared() -> None:
    first, second = (fw.stack_of(FRAMES[number], name=f"image {number}") for number in (0, 2))
    outcome = run({"stack": first, "second": second}, vectors=True, step=4, placement="surest")
    np.testing.assert_allclose(median_of(model_of(outcome).displacement), [2 * DRIFT], atol=0.05)
    assert arrows(outcome).data.shape[1:] == (2, 2)
    assert len(arrows(outcome).data) > 100


def test_one_image_is_the_second_of_all_frames() -> None:
    outcome = run({"stack": drifting(), "second": fw.stack_of(FRAMES[4])}, ranking="residual")
    expected = (4 - np.arange(COUNT))[:, None] * DRIFT
    np.testing.assert_allclose(median_of(model_of(outcome).displacement), expected, atol=0.1)


def test_chosen_frames_keep_their_numbers_and_times() -> None:
    stack = drifting()
    chosen = stack.select(fw.Selection(frames=(0, 5, 2)))
    outcome = run({"stack": chosen}, field="components")
    moves = model_of(outcome).displacement
    np.testing.assert_allclose(median_of(moves), [2 * DRIFT] * 2, atol=0.05)
    columns = outcome.table("flow").columns
    assert columns["first_frame"].tolist() == [0, 2]
    assert outcome.layer("flow along x").grid.axes[0].scale == 1.0
    np.testing.assert_allclose(columns["median_speed"], np.hypot(*DRIFT) / 2, rtol=0.05)


def test_the_last_frame_of_a_series_has_no_next() -> None:
    both = np.stack([FRAMES[:3], FRAMES[2:]])
    outcome = run({"stack": fw.stack_of(both, axes=("p", "q", "y", "x"))}, ranking="residual")
    usable = outcome.table("flow").columns["usable"]
    assert (usable > 0).tolist() == [True, True, False, True, True]
    assert any("no neighbours" in each for each in outcome.diagnostics)


def test_colour_and_a_channel_of_it() -> None:
    rgb = np.stack([FRAMES[:2], np.full_like(FRAMES[:2], 50), 200 - FRAMES[:2]], axis=-1)
    stack = fw.stack_of(np.clip(rgb, 0, 255).astype(np.uint8), axes=("t", "y", "x", "c"), rgb=True)
    for options in ({"quality": "thorough"}, {"channel": 2}):
        outcome = run({"stack": stack}, **options)
        np.testing.assert_allclose(median_of(model_of(outcome).displacement), [DRIFT], atol=0.06)
    assert np.asarray(outcome.layer("warped").data).shape == (1, *SHAPE, 3)


def test_a_mask_leaves_pixels_out() -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[:, 20:] = 3
    outcome = run({"stack": drifting(), "mask": fw.stack_of(mask)}, step=2)
    moves = model_of(outcome).displacement
    assert np.isnan(moves[..., :20]).all()
    assert np.isfinite(moves[..., 20:]).all()
    assert arrows(outcome).data[:, 0, 2].min() >= 20
    each = np.repeat(mask[None], COUNT, axis=0)
    stack = fw.stack_of(each, axes=("t", "y", "x"))
    again = run({"stack": drifting(), "mask": stack}, step=2)
    np.testing.assert_array_equal(model_of(again).displacement, moves)


def test_volumes_are_followed() -> None:
    rng = np.random.default_rng(1)
    image = ndimage.gaussian_filter(rng.normal(size=(14, 30, 34)), 1.5)
    pair = np.stack([image, ndimage.shift(image, (0.5, 1.0, -1.5), order=5, mode="mirror")])
    outcome = run({"stack": fw.stack_of(pair, axes=("t", "z", "y", "x"))}, field="colour", step=6)
    moves = model_of(outcome).displacement[0][:, 3:-3, 5:-5, 5:-5]
    np.testing.assert_allclose(np.median(moves, axis=(1, 2, 3)), (0.5, 1.0, -1.5), atol=0.05)
    names = [layer.name for layer in outcome.layers]
    assert sum("flow along" in name for name in names) == 3
    assert not any("colour" in name for name in names)
    assert arrows(outcome).data.shape[1:] == (2, 4)


# -- what goes with it -----------------------------------------------------------------------------


def test_other_channels_and_labels_come_along(followed: Outcome) -> None:
    labels = (FRAMES > 110).astype(np.uint16) * 7
    other = fw.stack_of(2 * FRAMES, axes=("t", "y", "x"), name="other")
    marked = fw.stack_of(labels, axes=("t", "y", "x"), name="marked")
    outcome = run({"stack": drifting(), "others": [other], "labels": [marked]})
    warped = np.asarray(outcome.layer("other warped").data)
    np.testing.assert_allclose(
        warped[:, 8:-8, 8:-8], 2 * FRAMES[:-1, 8:-8, 8:-8], atol=1.5, rtol=0.02
    )
    layer = outcome.layer("marked warped")
    moved = np.asarray(layer.data)
    assert layer.kind == "labels"  # type: ignore[union-attr]
    assert set(np.unique(moved)) == {0, 7}
    assert (moved == labels[:-1])[:, 8:-8, 8:-8].mean() > 0.95


def test_a_known_flow_is_applied(followed: Outcome, tmp_path: Path) -> None:
    fw.write_model(model_of(followed), tmp_path / "flow.npz")
    model = fw.read_model(tmp_path / "flow.npz")
    back = run({"stack": drifting(), "flow": model})
    wanted = np.asarray(followed.layer("warped").data)
    np.testing.assert_array_equal(np.asarray(back.layer("cells warped").data), wanted)
    assert not back.models
    forward = run({"stack": drifting(), "flow": model}, direction="forward")
    moved = forward.layer("cells moved")
    inside = (slice(None), slice(10, -10), slice(10, -10))
    left = np.abs(np.asarray(moved.data) - FRAMES[1:])[inside]
    assert np.nanmean(left) < 1.0
    assert moved.grid.axes[0].translate == 2.5


def test_one_flow_moves_any_number_of_frames(followed: Outcome) -> None:
    first, second = (fw.stack_of(FRAMES[number]) for number in (0, 1))
    model = model_of(run({"stack": first, "second": second}))
    outcome = run({"stack": drifting(), "flow": model})
    assert np.asarray(outcome.layers[0].data).shape == FRAMES.shape


@pytest.mark.parametrize("direction", ["forward", "back"])
def test_points_go_along_in_the_world(followed: Outcome, direction: str) -> None:
    # Drawn in micrometres and seconds, on a layer of its own scale.
    axes = (Axis("t", 1.0, 0.0, "s"), Axis("y", 1.0, 0.0, "um"), Axis("x", 2.0, 0.0, "um"))
    pixels = np.array([[20.0, 30.0], [40.0, 25.0]])
    frames = np.array([1, 3])
    world = pixels * 0.25 + [10.0, -20.0]
    data = np.column_stack([2.0 + 0.5 * frames, world[:, 0], world[:, 1] / 2])
    points = PointsResult("spots", data, Grid(axes))
    outcome = run(
        {"stack": drifting(), "flow": model_of(followed), "points": points}, direction=direction
    )
    sign = 1 if direction == "forward" else -1
    moved = outcome.layer("spots moved").data
    np.testing.assert_allclose(moved[:, 0], 2.0 + 0.5 * (frames + sign))
    expected = (pixels + sign * DRIFT) * 0.25 + [10.0, -20.0]
    np.testing.assert_allclose(moved[:, 1], expected[:, 0], atol=0.02)
    np.testing.assert_allclose(2 * moved[:, 2], expected[:, 1], atol=0.02)


def test_points_on_frames_with_channels_keep_their_channel(followed: Outcome) -> None:
    stack = drifting()
    data = np.stack([stack.read(0, stack.n_frames)] * 2, axis=1)
    colour = fw.stack_of(data, axes=("t", "c", "y", "x"), name="colour")
    points = PointsResult("spots", np.array([[1, 1, 20.0, 30.0]]), Grid(colour.axes))
    given = {"stack": colour, "flow": model_of(followed), "points": points}
    moved = run(given, direction="forward").layer("spots moved").data
    np.testing.assert_allclose(moved, [[2, 1, *(np.array([20.0, 30.0]) + DRIFT)]], atol=0.1)


def test_points_outside_are_left_out(followed: Outcome) -> None:
    axes = tuple(Axis(name) for name in ("t", "y", "x"))
    points = PointsResult("spots", np.array([[0.0, 5000.0, 5.0]]), Grid(axes))
    outcome = run({"stack": drifting(), "flow": model_of(followed), "points": points})
    assert outcome.layer("spots moved").data.shape == (0, 3)


# -- how it runs -----------------------------------------------------------------------------------


def test_the_preview_is_the_run_of_one_pair(followed: Outcome) -> None:
    tool = get_tool("flow")
    inputs = tool.check_inputs({"stack": drifting()})
    seen = tool.preview(inputs, tool.check_parameters({"field": "components"}), 2)
    flow = model_of(followed).displacement[2]
    np.testing.assert_array_equal(seen.layer("flow along x").data, flow[1])
    assert [axis.name for axis in seen.layer("flow along x").grid.axes] == ["y", "x"]
    assert arrows(seen).data.shape[1:] == (2, 2)
    last = tool.preview(inputs, tool.check_parameters({"field": "components"}), COUNT - 1)
    assert last.summary.startswith("The pair moved")


def test_large_frames_are_previewed_roughly_and_then_exactly(
    followed: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = get_tool("flow")
    assert tool.refine is not None
    inputs, parameters = tool.check_inputs({"stack": drifting()}), tool.check_parameters({})
    monkeypatch.setattr(module, "_QUICK_PIXELS", 1000)
    quick, exact = (each(inputs, parameters, 2) for each in (tool.preview, tool.refine))
    assert "A quick estimate; the exact one follows." in quick.diagnostics
    assert "A quick estimate; the exact one follows." not in exact.diagnostics
    whole = tool.check_parameters({"field": "components"})
    for number, name in enumerate(("flow along y", "flow along x")):
        flow = model_of(followed).displacement[2][number]
        np.testing.assert_array_equal(tool.refine(inputs, whole, 2).layer(name).data, flow)
        rough = tool.preview(inputs, whole, 2).layer(name).data
        assert np.median(np.abs(rough - DRIFT[number])) < 0.1
        assert not np.array_equal(rough, flow)


def test_threads_make_no_difference(followed: Outcome) -> None:
    again = fw.run("flow", engine=Engine.local(3), stack=drifting())
    np.testing.assert_array_equal(model_of(again).displacement, model_of(followed).displacement)


def test_too_large_to_keep_is_computed_as_one_looks(
    followed: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_KEPT", 1000)
    outcome = run({"stack": drifting()}, field="components")
    assert not outcome.models
    assert any("too large to keep" in each for each in outcome.diagnostics)
    wanted = model_of(followed).displacement[:, 1]
    np.testing.assert_array_equal(np.asarray(outcome.layer("flow along x").data), wanted)


def test_too_many_arrows_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_VECTORS", 100)
    outcome = run({"stack": drifting()}, step=3, ranking="residual")
    assert len(arrows(outcome).data) <= 150
    assert any("Arrows stand" in each for each in outcome.diagnostics)


def test_more_pairs_than_memory_can_list_are_refused_before_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "memory_bytes", lambda: 500)
    with pytest.raises(ValueError, match=r"the list of its 9 pairs takes 576 bytes"):
        fw.run("flow", stack=np.zeros((9, 16, 16)))


def test_the_plan_and_the_methods_are_told() -> None:
    tool = get_tool("flow")
    inputs, parameters = tool.check_inputs({"stack": drifting()}), tool.check_parameters({})
    assert "frame" in tool.plan(inputs, parameters, Engine.local(1)).describe()
    for given in ({}, {"smoothing": "none"}, {"quality": "thorough", "method": "one_shot"}):
        text = tool.methods(inputs, tool.check_parameters(given))
        assert text.startswith("Dense optical flow")
        assert text.endswith(".")


@pytest.mark.parametrize(
    ("inputs", "parameters", "message"),
    [
        ({"stack": fw.stack_of(FRAMES[0])}, {}, "a second image, or a stack of at least two"),
        ({"stack": drifting(), "second": fw.stack_of(FRAMES[:3])}, {}, "one for every frame"),
        (
            {"stack": drifting(), "second": fw.stack_of(FRAMES[0, :9])},
            {},
            "must have the same shape",
        ),
        ({"stack": drifting(), "mask": fw.stack_of(np.ones((5, 5), np.uint8))}, {}, "of that size"),
        ({"stack": drifting(), "mask": fw.stack_of(np.zeros(SHAPE, np.uint8))}, {}, "no pixel"),
        ({"stack": drifting()}, {"pairs": "reference", "reference_frame": 9}, "counted from 0"),
        ({"stack": drifting()}, {"channel": 1}, "no channels"),
        ({"stack": drifting()}, {"window_sigma": 0, "smoothing": "none"}, "two unknowns"),
        ({"stack": drifting()}, {"ratio": 1.0}, "less than or equal"),
        (
            {"stack": fw.stack_of(np.zeros((4, 7)), axes=("t", "x"))},
            {},
            "plane images or volumes are needed",
        ),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    inputs: dict[str, Any], parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run(inputs, **parameters)


def test_a_flow_of_other_frames_is_refused(followed: Outcome) -> None:
    model = model_of(followed)
    with pytest.raises(ValueError, match="must have the same shape"):
        run({"stack": fw.stack_of(FRAMES[:, :20], axes=("t", "y", "x")), "flow": model})
    with pytest.raises(ValueError, match="4 or 5 are needed"):
        run({"stack": fw.stack_of(FRAMES[:3], axes=("t", "y", "x")), "flow": model})


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_empty_frames_move_nothing(value: float) -> None:
    stack = fw.stack_of(np.full((3, 20, 24), value), axes=("t", "y", "x"))
    outcome = run({"stack": stack})
    assert outcome.summary.startswith("No pixel moved")
    assert len(arrows(outcome).data) == 0
    assert np.isnan(outcome.table("flow").columns["median_magnitude"]).all()


def test_where_nothing_is_seen_the_summary_says_so() -> None:
    rng = np.random.default_rng(0)
    noise = 100 + rng.normal(0, 3, (2, *SHAPE))
    stack = fw.stack_of(noise, axes=("t", "y", "x"), name="noise")
    outcome = run({"stack": stack})
    assert "no motion can be told from noise in" in outcome.summary
    assert outcome.table("flow").columns["unseen"][0] > 0.9
    tool = get_tool("flow")
    shown = tool.preview(tool.check_inputs({"stack": stack}), tool.check_parameters({}), 0)
    assert shown.summary == outcome.summary


def test_what_repeats_itself_is_said() -> None:
    y, x = np.indices((64, 72))
    frames = [
        100 + 30 * (np.cos(2 * np.pi * y / 9) + np.cos(2 * np.pi * (x - shift) / 9))
        for shift in (0, 2)
    ]
    outcome = run({"stack": fw.stack_of(np.array(frames), axes=("t", "y", "x"), name="lattice")})
    assert "the image repeats itself" in outcome.summary
    assert outcome.table("flow").columns["repeating"][0] > 0.9
    assert outcome.table("flow").columns["confident"][0] < 0.01


@pytest.mark.parametrize(("sigma", "said"), [(1.0, False), (2.0, True)])
def test_what_wide_gradients_do_to_the_confidence_is_said(sigma: float, said: bool) -> None:
    outcome = fw.run("flow", stack=drifting(), gradient_sigma=sigma)
    assert any("gradient sigma of 2" in each for each in outcome.diagnostics) == said
