"""The tool Register elastically: its transforms, layers, tables, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from tests.helpers.transform_contract import COUNT, SHAPE, TransformContract
from tests.numerics.test_elastic import pair, pixels, scene, truth

import napari_framewise as fw
from napari_framewise.engine import Engine
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import Outcome, PointsResult, ShapesResult
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.values import values_of
from napari_framewise.io.formats.models import read_model, write_model
from napari_framewise.numerics.elastic import Field, determinants
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.selection import Selection
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.elastic.model import ElasticTransforms
from napari_framewise.tools.registry import get_tool

SIZE = (128, 144)


def fields() -> list[Field]:
    made = []
    for number in range(COUNT):
        matrix = np.array([[1.01, 0.02, 1.5 + number], [-0.03, 0.98, -2.0], [0, 0, 1]])
        nodes = np.random.default_rng(number).normal(0, 1.2, (2, 6, 7))
        made.append(Field(matrix, nodes, SHAPE))
        assert determinants(made[-1]).min() > 0.3
    return made


class TestContract(TransformContract):
    tolerance, inverse_tolerance = 1e-9, 1e-8

    @pytest.fixture
    def transform(self) -> ElasticTransforms:
        space = Space("scene", SHAPE, (1.0, 1.0), ("um", "um"))
        return ElasticTransforms.of(fields(), space, replace(space, layer="reference"))

    def known(self, points: Array, frame: int) -> Array:
        field = fields()[frame]
        flat = points.reshape(-1, 2)
        shift = field.lattice.values(field.coefficients, flat).T
        there = flat @ field.matrix[:2, :2].T + field.matrix[:2, 2] + shift
        return np.asarray(there.reshape(points.shape))


class TestInverseContract(TestContract):
    """The inverse is a transform like any other: what it pulls back is pushed by the first."""

    @pytest.fixture
    def transform(self) -> ElasticTransforms:
        space = Space("scene", SHAPE, (1.0, 1.0), ("um", "um"))
        return ElasticTransforms.of(fields(), space, replace(space, layer="reference")).inverse()

    def known(self, points: Array, frame: int) -> Array:
        flat = points.reshape(-1, 2)
        there = fields()[frame].push(flat)
        inside = ((there >= -0.5) & (there <= np.array(SHAPE) - 0.5)).all(axis=1)
        return np.asarray(np.where(inside[:, None], there, 1e4).reshape(points.shape))


def images(translate: float = 0.0) -> tuple[Stack, Stack]:
    """Reference and image on pixels of half a micrometre, the image elsewhere in the world."""
    reference, image = pair()
    known: dict[str, Any] = {"axes": ("y", "x"), "scale": (0.5, 0.5), "units": ("um", "um")}
    return (
        stack_of(reference, name="fixed", translate=(7.0, 9.0), **known),
        stack_of(image, name="cells", translate=(translate, 0.0), **known),
    )


SETTINGS: dict[str, Any] = {"spacing": 16.0, "window": 15}


def test_an_image_is_registered_to_a_reference() -> None:
    reference, image = images(30.0)
    places = np.array([[40.25, 50.5], [80.0, 100.0], [64.0, 30.0]])
    there = truth(places)
    axes = Grid(image.axes)
    points = PointsResult("spots", there, axes)
    shapes = ShapesResult("cell", [there], axes, "polygon")
    labels = np.zeros(SIZE, np.uint16)
    labels[40:70, 40:90] = 5
    outcome = fw.run(
        "elastic",
        stack=image,
        reference=reference,
        points=points,
        shapes=shapes,
        labels=labels,
        **SETTINGS,
    )
    row = outcome.table("elastic").row(0)
    assert row["status"] == "converged"
    assert row["correlation"] > row["correlation_before"] + 0.3
    assert row["least_jacobian"] > 0
    assert row["inconsistency"] < 1e-6
    layer = outcome.layer("cells registered")
    assert layer.grid.role == "reference"
    assert layer.grid.translate == (7.0, 9.0)
    assert layer.grid.scale == (0.5, 0.5)
    inner = (slice(12, -12), slice(12, -12))
    away = np.asarray(layer.data)[inner] - np.asarray(reference.frame(0))[inner]
    assert np.sqrt(np.mean(away**2)) < 4
    back = outcome.layer("fixed on cells")
    assert back.grid.role == "stack"
    away = np.asarray(back.data)[inner] - np.asarray(image.frame(0))[inner]
    assert np.sqrt(np.nanmean(away**2)) < 4
    # A spot of the image lies where the reference has it: in the world of the reference.
    moved = outcome.layer("spots moved")
    assert moved.grid.role == "reference"
    world = moved.data * np.array(moved.grid.scale) + moved.grid.translate
    np.testing.assert_allclose(world, places * 0.5 + [7, 9], atol=0.1)
    drawn = outcome.layer("cell moved")
    np.testing.assert_allclose(drawn.data[0], moved.data)
    assert set(np.unique(np.asarray(outcome.layer("labels registered").data))) == {0, 5}
    grid = outcome.layer("cells deformation grid")
    (model,) = outcome.models
    np.testing.assert_allclose(grid.data[0][0], model.pull_back(np.zeros((1, 2)), 0)[0])
    arrows = outcome.layer("cells displacement").data
    np.testing.assert_allclose(
        arrows[:, 0] + arrows[:, 1], model.pull_back(arrows[:, 0], 0), atol=1e-9
    )
    jacobian = np.asarray(outcome.layer("cells Jacobian").data)
    assert jacobian.min() > 0
    down = np.asarray(outcome.layer("cells displacement along y").data)
    wanted = truth(pixels())[..., 0] - pixels()[..., 0]
    assert np.abs(down - wanted)[inner].mean() < 0.1
    assert {each.name for each in outcome.tables} == {"elastic", "objective", "levels"}


def test_the_objective_is_shown_as_it_falls() -> None:
    tool = get_tool("elastic")
    reference, image = images()
    roles = {role.name: role for role in tool.inputs}
    given = {"stack": image, "reference": reference}
    inputs = tool.check_inputs({name: values_of(roles[name], each) for name, each in given.items()})
    run = tool.run(inputs, tool.check_parameters(SETTINGS), Engine.local())
    partial = [each for each in run if isinstance(each, Partial)]
    assert len(partial) > 10
    assert partial[3].text().startswith("objective = ")
    lengths = [len(each.outcome.table("objective")) for each in partial]
    assert lengths == list(range(1, len(partial) + 1))


def test_a_model_is_saved_applied_and_inverted(tmp_path: Any) -> None:
    reference, image = images()
    outcome = fw.run("elastic", stack=image, reference=reference, **SETTINGS)
    (model,) = outcome.models
    write_model(model, tmp_path / "elastic.npz")
    kept = read_model(tmp_path / "elastic.npz")
    assert isinstance(kept, ElasticTransforms)
    again = fw.run("elastic", stack=image, reference=reference, transforms=kept)
    np.testing.assert_array_equal(
        np.asarray(again.layer("cells registered").data),
        np.asarray(outcome.layer("cells registered").data),
    )
    other = fw.run("elastic", stack=reference, reference=image, transforms=kept.inverse())
    np.testing.assert_allclose(
        np.asarray(other.layer("fixed registered").data),
        np.asarray(outcome.layer("fixed on cells").data),
    )
    started = fw.run("elastic", stack=image, reference=reference, start=kept, **SETTINGS)
    assert started.table("elastic").row(0)["status"] == "converged"


def landmarks(count: int = 6) -> dict[str, PointsResult]:
    here = np.random.default_rng(0).uniform(20, 108, (count, 2))
    axes = Grid(stack_of(np.zeros(SIZE), axes=("y", "x")).axes)
    return {
        "reference_landmarks": PointsResult("a", here, axes),
        "landmarks": PointsResult("b", truth(here), axes),
    }


def test_landmarks_are_measured() -> None:
    reference, image = pair()
    outcome = fw.run("elastic", stack=image, reference=reference, **landmarks(), **SETTINGS)
    table = outcome.table("landmarks")
    assert len(table) == 6
    assert table.columns["error"].max() < 0.4
    assert table.columns["before"].min() > table.columns["error"].max()
    assert "Landmarks are off by" in outcome.summary
    assert outcome.table("elastic").row(0)["landmark_error"] < 0.3


def movie() -> Array:
    """Three frames, each bent a little more."""
    whole = scene()[:104, :110]
    grid = np.indices((72, 80)).astype(float)
    frames = []
    for number in range(3):
        row, column = grid
        down = number * np.sin(2 * np.pi * column / 90)
        right = number * np.cos(2 * np.pi * row / 80)
        at = grid + np.stack([down, right]) + 12
        frames.append(ndimage.map_coordinates(whole, at, order=5))
    return np.array(frames)


@pytest.mark.parametrize("to", ["frame", "previous", "mean"])
def test_frames_are_registered_to_each_other(to: str) -> None:
    frames = movie() + np.random.default_rng(0).normal(0, 1, (3, 72, 80))
    outcome = fw.run("elastic", stack=frames, to=to, **SETTINGS)
    data = np.asarray(outcome.layer("registered").data)
    assert data.shape == frames.shape
    inner = (slice(8, -8), slice(8, -8))
    plain = np.sqrt(np.mean((frames[2] - frames[0])[inner] ** 2))
    left = np.sqrt(np.nanmean((data[2] - data[0])[inner] ** 2))
    assert left < 0.2 * plain
    assert (outcome.table("elastic").columns["least_jacobian"] > 0).all()
    assert len(outcome.models[0].numbers) == 3
    assert len(outcome.plots) == 2


BLOCKS: dict[str, Any] = {"method": "blocks", "spacing": 20.0, "to": "frame"}


def trembling(shape: tuple[int, ...], count: int) -> tuple[Array, Array]:
    """Spots that shake as a whole and a little in themselves, and by how much each frame does."""
    rng = np.random.default_rng(4)
    wide = ndimage.gaussian_filter(rng.gamma(0.3, 1, [n + 16 for n in shape]), 1.6) * 400
    grid = np.indices(shape).astype(float)
    shakes, frames = [], []
    for number in range(count):
        bend = np.sin(2 * np.pi * (grid[-1] / shape[-1] + number / 7)) * (number > 0)
        shake = np.stack([rng.normal(0, 1.5 * (number > 0)) + bend * 0.5 for _ in shape])
        shakes.append(shake)
        frames.append(ndimage.map_coordinates(wide, grid + 8 + shake, order=3))
    return np.array(frames) + rng.normal(0, 0.5, (count, *shape)), np.array(shakes)


@pytest.mark.parametrize("shape", [(96, 104), (14, 56, 60)])
def test_blocks_follow_planes_and_volumes(shape: tuple[int, ...]) -> None:
    frames, shakes = trembling(shape, 3)
    spacing = 20.0 if len(shape) == 2 else 12.0
    stack = stack_of(frames, axes=("t", *("z", "y", "x")[-len(shape) :]))
    stack = stack.select(Selection(frames_along=(0,)))
    outcome = fw.run("elastic", stack=stack, **BLOCKS | {"spacing": spacing})
    table = outcome.table("elastic")
    assert (table.columns["least_jacobian"] > 0).all()
    assert (table.columns["blocks"] > 0.5).all()
    model = outcome.models[0]
    inner = tuple(slice(max(4, n // 8), -max(4, n // 8)) for n in shape)
    places = np.moveaxis(np.indices(shape).astype(float), 0, -1)[inner].reshape(-1, len(shape))
    for number in (1, 2):
        # The frame shows at p what the scene has at p + shake; frame 0 has it at p.
        there = model.pull_back(places, number)
        at = ndimage.map_coordinates
        moved = np.stack([at(each, there.T, order=1) for each in shakes[number]], axis=-1)
        error = np.sqrt(((there + moved - places) ** 2).sum(axis=1))
        assert error.mean() < 0.45
    names = [layer.name for layer in outcome.layers]
    assert any("displacement along x" in name for name in names)
    assert any("deformation grid" in name for name in names) == (len(shape) == 2)
    data = np.asarray(outcome.layers[0].data)
    assert data.shape == frames.shape
    away = np.nanstd((data[1] - data[0])[inner])
    assert away < 0.6 * np.std((frames[1] - frames[0])[inner])


def test_a_frame_without_data_keeps_the_others() -> None:
    frames = movie()
    frames[1] = np.nan
    for options in (SETTINGS, BLOCKS):
        outcome = fw.run("elastic", stack=frames, **options | {"to": "frame"})
        assert outcome.table("elastic").columns["status"].tolist()[1] == "no data"
        assert outcome.models[0].found.tolist() == [True, False, True]


def test_motion_that_is_left_is_scored_as_in_alignment() -> None:
    frames, _ = trembling((64, 72), 22)
    outcome = fw.run("elastic", stack=frames, **BLOCKS)
    before = fw.run("residual_motion", stack=frames)
    left, was = (each.table("residual_motion").columns["motion"] for each in (outcome, before))
    assert np.sqrt((left**2).sum()) < 0.3 * np.sqrt((was**2).sum())
    assert any(plot.table == "residual_motion" for plot in outcome.plots)


NOTHING = {
    "unrelated": (scene(0)[:96, :96], scene(1)[:96, :96], "no texture in common"),
    "flat": (np.full((96, 96), 3.0), scene(0)[:96, :96], "of one value"),
    "all NaN": (np.full((96, 96), np.nan), scene(0)[:96, :96], "no usable pixels"),
    "noise": (*np.random.default_rng(0).normal(size=(2, 96, 96)), "no texture in common"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_nothing_to_find_is_said_and_shown_by_no_layer(case: str) -> None:
    reference, image, words = NOTHING[case]
    outcome = fw.run("elastic", stack=image, reference=reference, **SETTINGS)
    assert words in outcome.summary
    assert not outcome.layers
    assert not outcome.models
    assert outcome.diagnostics


def _one_landmark_each() -> dict[str, Any]:
    both = landmarks()
    first = both["landmarks"]
    return both | {"landmarks": replace(first, data=first.data[:4])}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "one image": ({"reference": None}, "a reference to register it to is needed"),
    "landmarks of one image": ({"landmarks": landmarks()["landmarks"]}, "Landmarks of one image"),
    "landmarks that do not pair": (_one_landmark_each(), "as many of each are needed"),
    "landmarks with a stack": (
        {"stack": np.stack([pair()[0]] * 2), **landmarks()},
        "Landmarks go with one image",
    ),
    "landmarks with blocks": ({"method": "blocks", **landmarks()}, "blocks know none"),
    "volumes by splines": (
        {
            "stack": stack_of(np.zeros((2, 9, 20, 20)), axes=("t", "z", "y", "x")).select(
                Selection(frames_along=(0,))
            ),
            "reference": None,
        },
        "splines register planes",
    ),
    "reference frame": (
        {"stack": movie(), "reference": None, "reference_frame": 7},
        "counted from",
    ),
    "others": ({"others": np.zeros((20, 20))}, "must have as many"),
    "tiny": ({"stack": np.zeros((8, 40))}, "16 x 16"),
    "window": ({"window": 10}, "odd number"),
    "mask": ({"reference_mask": np.ones((5, 5), np.uint8)}, "5 x 5"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(case: str) -> None:
    options, words = BAD[case]
    reference, image = pair()
    given = {"stack": image, "reference": reference, **SETTINGS, **options}
    with pytest.raises(ValueError, match=words):
        fw.run("elastic", **{name: each for name, each in given.items() if each is not None})


def test_one_landmark_is_a_start() -> None:
    reference, image = pair()
    outcome: Outcome = fw.run(
        "elastic", stack=image, reference=reference, **landmarks(1), **SETTINGS
    )
    assert outcome.table("elastic").row(0)["status"] == "converged"


def test_the_summary_says_how_finely_bends_are_followed() -> None:
    frame = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(96, 96)), 1.5)
    for method, finest in (("splines", 60), ("blocks", 120)):
        found = fw.run("elastic", stack=frame, reference=frame, method=method, spacing=20.0)
        assert f"less than {finest} px from crest to crest" in found.summary
