"""Filters of frames: the numbers of the function itself, however frames are cut and handed on."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from tests.helpers import filters, median

from napari_framewise.engine import Engine
from napari_framewise.engine.banded import BandedFrames
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.progress import finish
from napari_framewise.framework.outcome import ImageResult, Outcome, VectorsResult
from napari_framewise.framework.tool import Tool
from napari_framewise.framework.values import stack_of_result
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of

RNG = np.random.default_rng(11)
SMALL = 2**16


def ran(tool: Tool[Any], engine: Engine | None = None, **given: Any) -> Outcome:
    parameters = given.pop("parameters", {})
    inputs, chosen = tool.check_inputs(given), tool.check_parameters(parameters)
    tool.plan(inputs, chosen, engine or Engine.local(2))
    return finish(tool.run(inputs, chosen, engine or Engine.local(2)), lambda _: None)


def image(outcome: Outcome, name: str) -> ImageResult:
    layer = outcome.layer(name)
    assert isinstance(layer, ImageResult)
    return layer


LAYOUTS = [("tyx", False), ("tcyx", False), ("ctyx", False), ("tzyx", False), ("tyxc", True)]


@pytest.mark.parametrize("result", ["lazy", "memory"])
@pytest.mark.parametrize("budget", [SMALL, 96 * 2**20])
@pytest.mark.parametrize(("names", "rgb"), LAYOUTS)
def test_a_median_filter_is_that_of_scipy(names: str, rgb: bool, budget: int, result: str) -> None:
    lengths = {"t": 3, "c": 3, "z": 6, "y": 130, "x": 40}
    data = RNG.integers(0, 255, [lengths[name] for name in names], np.uint8)
    stack = stack_of(data, axes=tuple(names), rgb=rgb, scale=[2.0] * data.ndim)
    engine = Engine(Engine.local(2).executor, budget)
    given = {"parameters": {"size": 5, "result": result}}
    layer = image(ran(median.TOOL, engine, stack=stack, **given), "median")
    size = [5 if name in "zyx" else 1 for name in names]
    wanted = ndimage.median_filter(data, size)
    found = np.asarray(layer.data)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, wanted)
    assert layer.grid.names == tuple(names)[: len(names) - rgb]
    assert set(layer.grid.scale) == {2.0}
    if result == "lazy":
        assert isinstance(layer.data, BandedFrames) or budget > SMALL
        key = tuple(slice(1, 2) if n == "t" else slice(None) for n in names)
        rows = tuple(slice(50, 71, 2) if n == "y" else k for n, k in zip(names, key, strict=True))
        np.testing.assert_array_equal(layer.data[rows], wanted[rows])
        one = tuple(7 if n == "y" else 0 if n == "t" else slice(3, None) for n in names)
        np.testing.assert_array_equal(layer.data[one], wanted[one])


def test_a_preview_is_the_frame_of_the_run() -> None:
    data = RNG.integers(0, 60_000, (3, 2, 50, 40), np.uint16)
    stack = stack_of(data, axes=tuple("tcyx"))
    parameters = median.TOOL.check_parameters({"size": 3})
    preview = median.TOOL.preview(median.TOOL.check_inputs({"stack": stack}), parameters, 2)
    layer = image(preview, "median")
    np.testing.assert_array_equal(layer.data, ndimage.median_filter(data[2], (1, 3, 3)))
    assert layer.grid.names == ("c", "y", "x")


def slow_median(frames: Array, parameters: median.MedianParameters) -> Array:
    time.sleep(1e-4 * frames.shape[1])
    return median.median(frames, parameters)


def test_frames_that_take_long_are_cut_by_the_clock() -> None:
    declared = median.FrameMap(
        name="slow",
        title="Slow",
        sentence="Slow.",
        parameters=median.MedianParameters,
        function=slow_median,
        images=(median.Image("median", dtype="same"),),
        halo=lambda parameters: parameters.size // 2,
        methods=median.methods,
        seconds=1e-4 / 50,
    ).tool
    stack = stack_of(RNG.integers(0, 9, (2, 2000, 50), np.uint8))
    inputs, parameters = declared.check_inputs({"stack": stack}), declared.check_parameters({})
    plan = declared.plan(inputs, parameters, Engine.local(2))
    assert plan.work.unit == "rows"
    assert plan.block_seconds <= 0.045
    assert plan.size * len(plan.blocks) >= 4000
    found = ran(declared, stack=stack, parameters={"result": "memory"}).layer("median")
    wanted = ndimage.median_filter(np.asarray(stack.source.array), (1, 3, 3))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(np.asarray(found.data), wanted)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("result", ["lazy", "memory"])
@pytest.mark.parametrize("names", ["tyx", "tcyx", "tyxc"])
def test_further_inputs_go_in_step(names: str, result: str, several: bool) -> None:
    lengths = {"t": 5, "c": 2, "y": 20, "x": 30}
    data = RNG.normal(100, 5, [lengths[name] for name in names]).astype(np.float32)
    mask = RNG.integers(0, 2, (5, 20, 30) if several else (20, 30))
    stack = stack_of(data, axes=tuple(names), name="s")
    masks = stack_of(mask, axes=tuple("tyx")[-mask.ndim :])
    outcome = ran(filters.LOCAL, stack=stack, mask=masks, parameters={"result": result})
    mean, weight = (image(outcome, name) for name in ("mean", "weight"))
    # Frame after frame and channel after channel, by the function alone.
    order = [names.index(name) for name in ("tcyx" if "c" in names else "tyx")]
    planes = data.transpose(order).reshape(5, -1, 20, 30)
    for number in range(5):
        for channel in range(planes.shape[1]):
            use = mask[number] if several else mask
            wanted = filters.local_mean(
                planes[number, channel][None], filters.LocalParameters(), use[None]
            )
            for layer, one in zip((mean, weight), wanted.images, strict=True):
                whole = np.asarray(layer.data).transpose(order).reshape(planes.shape)
                np.testing.assert_allclose(whole[number, channel], one[0], rtol=1e-6)
    used = outcome.table().columns["used_c0" if "c" in names else "used"]
    counts = mask.reshape(-1, 600).sum(axis=1)
    np.testing.assert_array_equal(used, np.broadcast_to(counts, 5))
    arrows = outcome.layer("arrows")
    assert isinstance(arrows, VectorsResult)


def test_a_guide_may_have_the_channels_of_the_frames() -> None:
    data, guide = RNG.normal(size=(2, 4, 20, 2, 30)).swapaxes(3, 4)
    stack = stack_of(data, axes=tuple("tyxc"))
    given = {"guide": stack_of(guide, axes=tuple("tyxc"))}
    found = image(ran(filters.LOCAL, stack=stack, **given), "mean")
    both = image(ran(filters.LOCAL, stack=stack_of(data + guide, axes=tuple("tyxc"))), "mean")
    np.testing.assert_allclose(np.asarray(found.data), np.asarray(both.data))


@pytest.mark.parametrize("budget", [SMALL, 96 * 2**20])
def test_a_kernel_has_its_own_size_and_decides_the_halo_and_the_images(budget: int) -> None:
    data = RNG.normal(size=(3, 130, 40))
    taps = RNG.uniform(size=(5, 7))
    engine = Engine(Engine.local(2).executor, budget)
    given = {"stack": stack_of(data), "kernel": stack_of(taps)}
    outcome = ran(filters.KERNEL, engine, **given, parameters={"edges": True})
    wanted = ndimage.convolve(data, taps[None] / taps.sum(), mode="nearest")
    smooth, edges = (np.asarray(image(outcome, name).data) for name in ("smooth", "edges"))
    np.testing.assert_allclose(smooth, wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(edges, data - wanted, rtol=1e-9, atol=1e-12)
    assert len(ran(filters.KERNEL, engine, **given).layers) == 1


def test_a_result_without_any_number_is_said() -> None:
    stack = stack_of(np.full((2, 20, 30), np.nan))
    assert "no data" in ran(filters.LOCAL, stack=stack).diagnostics[0]


def test_inputs_that_do_not_go_in_step_are_refused() -> None:
    stack = stack_of(np.zeros((5, 20, 30)))
    for shape in ((4, 20, 30), (20, 31)):
        with pytest.raises(ValueError, match="of that size for all frames, or one per"):
            ran(filters.LOCAL, stack=stack, mask=stack_of(np.ones(shape, int)))


def test_vectors_start_in_their_frames() -> None:
    outcome = ran(filters.LOCAL, stack=stack_of(np.zeros((3, 8, 9)), axes=tuple("tyx")))
    arrows = outcome.layer("arrows")
    assert isinstance(arrows, VectorsResult)
    np.testing.assert_array_equal(arrows.data[:, 0, 0], [0, 1, 2])
    np.testing.assert_array_equal(arrows.data[:, 1], [[0, 1, 1]] * 3)


@pytest.mark.parametrize("result", ["lazy", "memory"])
def test_a_result_on_another_grid_lies_where_its_pixels_come_from(result: str) -> None:
    data = RNG.normal(size=(3, 21, 30))
    stack = stack_of(
        data,
        axes=tuple("tyx"),
        scale=(1, 0.5, 0.25),
        translate=(0, 10, 20),
        units=("s", "um", "um"),
    )
    layer = image(ran(filters.SHRINK, stack=stack, parameters={"result": result}), "shrunk")
    wanted = data[:, :20].reshape(3, 10, 2, 15, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(np.asarray(layer.data), wanted)
    assert layer.grid.shape == (3, 10, 15)
    assert layer.grid.scale == (1, 1.0, 0.5)
    assert layer.grid.translate == (0, 10.25, 20.125)
    assert layer.grid.units == ("s", "um", "um")


def in_bands(workers: int = 2) -> Engine:
    return Engine(Engine.local(workers).executor, SMALL)


@pytest.mark.parametrize("result", ["lazy", "memory"])
@pytest.mark.parametrize("names", ["tyx", "tcyx", "tyxc"])
def test_rows_and_vectors_of_bands_are_those_of_whole_frames(names: str, result: str) -> None:
    lengths = {"t": 3, "c": 2, "y": 210, "x": 30}
    data = RNG.integers(0, 4000, [lengths[name] for name in names], np.uint16)
    mask = RNG.integers(0, 2, (210, 30))
    given = {
        "stack": stack_of(data, axes=tuple(names), name="s", scale=[2.0] * data.ndim),
        "mask": stack_of(mask, axes=("y", "x")),
        "parameters": {"size": 5, "result": result},
    }
    tool = filters.LOCAL_ROWS
    inputs = tool.check_inputs({"stack": given["stack"], "mask": given["mask"]})
    plan = tool.plan(inputs, tool.check_parameters(given["parameters"]), in_bands())
    assert plan.work.unit == "rows"
    assert len(plan.blocks) > 2 * 3
    parts, whole = ran(tool, in_bands(), **given.copy()), ran(filters.LOCAL, **given.copy())
    for name in ("mean", "weight"):
        np.testing.assert_array_equal(
            np.asarray(image(parts, name).data), np.asarray(image(whole, name).data)
        )
    for title, column in whole.table().columns.items():
        np.testing.assert_array_equal(parts.table().columns[title], column)
    found, plain = (ran(tool, engine, **given.copy()) for engine in (in_bands(), None))
    one, two = found.layer("arrows"), plain.layer("arrows")
    assert isinstance(one, VectorsResult)
    assert isinstance(two, VectorsResult)
    np.testing.assert_array_equal(one.data, two.data)
    # Every used pixel of the first column has its arrow, which carries the pixel's value.
    used = mask[:, 0].astype(bool)
    rows = one.data[:, 0, one.grid.names.index("y")]
    channels = 2 if "c" in names else 1
    np.testing.assert_array_equal(rows, np.tile(np.flatnonzero(used), 3 * channels))
    order = [names.index(name) for name in ("tcyx" if "c" in names else "tyx")]
    planes = data.transpose(order).reshape(3 * channels, 210, 30)
    np.testing.assert_array_equal(one.data[:, 1, -1], planes[:, used, 0].ravel())


@pytest.mark.parametrize("result", ["lazy", "memory"])
def test_another_grid_is_cut_into_bands(result: str) -> None:
    data = RNG.normal(size=(3, 301, 30))
    given = {"stack": stack_of(data, axes=tuple("tyx"), scale=(1, 0.5, 0.25))}
    options = {"parameters": {"result": result}}
    tool = filters.SHRINK_ROWS
    plan = tool.plan(tool.check_inputs(given), tool.check_parameters({}), in_bands())
    assert plan.work.unit == "rows"
    parts = image(ran(tool, in_bands(), **given, **options), "shrunk")
    whole = image(ran(filters.SHRINK, **given), "shrunk")
    assert parts.grid == whole.grid
    np.testing.assert_array_equal(np.asarray(parts.data), np.asarray(whole.data))
    np.testing.assert_array_equal(parts.data[1, 40:90:3], np.asarray(whole.data)[1, 40:90:3])


def test_a_preview_in_bands_has_all_that_a_run_gives() -> None:
    data = RNG.integers(0, 4000, (2, 2400, 1600), np.uint16)
    tool = filters.LOCAL_ROWS
    inputs = tool.check_inputs({"stack": stack_of(data)})
    shown = tool.preview(inputs, tool.check_parameters({"size": 3}), 1)
    wanted = filters.local_mean(data[1:], filters.LocalParameters())
    np.testing.assert_array_equal(image(shown, "mean").data, wanted.images[0][0].astype("f4"))
    assert shown.table().columns["used"] == [2400 * 1600]
    assert len(shown.layer("arrows").data) == 2400


def test_an_empty_result_is_said_of_frames_in_bands_as_well() -> None:
    for shape, said in (((2, 9, 9), "Frame 0"), ((2, 2400, 1600), "The middle of frame 0")):
        stack = stack_of(np.full(shape, np.nan, np.float32))
        outcome = ran(filters.LOCAL_ROWS, in_bands(), stack=stack)
        assert outcome.diagnostics == (
            f"{said} holds no data that could be used: its result is empty.",
        )


def test_of_a_large_frame_the_middle_is_sampled_with_its_mask() -> None:
    frames = np.arange(2 * 30 * 41 * 3, dtype=float).reshape(2, 30, 41, 3)
    mask = RNG.integers(0, 2, (30, 41))
    declared = filters.LOCAL_MEAN
    given = {"stack": stack_of(frames, axes="tyxc"), "mask": stack_of(mask)}
    inputs = declared.tool.check_inputs(given)
    parameters = declared.tool.check_parameters({})
    for most, rows, columns in ((100, slice(10, 20), slice(15, 25)), (10**4, slice(30), slice(41))):
        found, further = declared.sample(inputs, parameters, 1, most)
        wanted = np.moveaxis(frames[1, rows, columns], -1, 0)
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(further["mask"], mask[None, rows, columns])


def test_why_large_frames_are_not_cut_is_said() -> None:
    source = np.broadcast_to(np.float32(1), (2, 9000, 9000))
    small = {"stack": stack_of(np.zeros((2, 9, 9), np.float32))}
    for tool, why in (
        (filters.SLEEP, "every pixel depends on the whole frame"),
        (filters.SHRINK, "every pixel depends on the whole frame"),
        (filters.LOCAL_ROWS, ""),
    ):
        assert tool.advise is not None
        said = tool.advise(
            tool.check_inputs({"stack": stack_of(source)}), tool.check_parameters({})
        )
        assert (f"Frames are filtered whole, for {why}." in said) == bool(why)
        assert "whole" not in tool.advise(tool.check_inputs(small), tool.check_parameters({}))


def test_whole_frame_work_leaves_at_once_when_cancelled() -> None:
    stack = stack_of(np.zeros((4, 8, 8)))
    inputs = filters.SLEEP.check_inputs({"stack": stack})
    parameters = filters.SLEEP.check_parameters({"result": "memory"})
    run = filters.SLEEP.run(inputs, parameters, Engine.local(2))
    next(run)
    next(run)
    began = time.perf_counter()
    run.close()
    assert time.perf_counter() - began < 1.5


def test_a_filter_of_a_filter_is_computed_on_the_way() -> None:
    data = RNG.integers(0, 255, (2, 200, 60), np.uint8)
    engine = Engine(Engine.local(2).executor, SMALL)
    first = image(ran(median.TOOL, engine, stack=stack_of(data)), "median")
    again: Stack = stack_of_result(first)
    second = image(ran(median.TOOL, engine, stack=again), "median")
    assert isinstance(second.data, LazyFrames)
    wanted = ndimage.median_filter(ndimage.median_filter(data, (1, 3, 3)), (1, 3, 3))
    np.testing.assert_array_equal(np.asarray(second.data), wanted)


@pytest.mark.parametrize("result", ["lazy", "memory"])
@pytest.mark.parametrize(("names", "rgb"), [("tyx", False), ("tcyx", False), ("tyxc", True)])
def test_what_is_left_open_is_settled_once_and_colours_stay_together(
    names: str, rgb: bool, result: str
) -> None:
    lengths = {"t": 4, "c": 3, "y": 20, "x": 30}
    data = RNG.uniform(0, 1, [lengths[name] for name in names]) + np.arange(4).reshape(
        4, *(1,) * (len(names) - 1)
    )
    stack = stack_of(data, axes=tuple(names), rgb=rgb, name="s")
    outcome = ran(filters.CLIP, stack=stack, parameters={"result": result})
    most = data[0].mean()
    wanted = np.minimum(data, most) * (3 if rgb else 1)
    np.testing.assert_allclose(np.asarray(image(outcome, "clipped").data), wanted)
    assert outcome.summary.endswith(f"Clipped at {most:g}.")
    assert outcome.table("limit").columns["most"] == [most]


@pytest.mark.parametrize("several", [False, True])
def test_a_guide_may_have_colours_where_the_frames_have_none(several: bool) -> None:
    data, colours = RNG.uniform(0, 1, (4, 20, 30)), RNG.uniform(0, 1, (4, 20, 30, 3))
    guide = colours if several else colours[0]
    given = stack_of(guide, axes=tuple("tyxc")[-guide.ndim :], rgb=True)
    found = image(ran(filters.CLIP, stack=stack_of(data), guide=given), "clipped")
    wanted = np.minimum(data, data[0].mean()) + guide.sum(axis=-1)
    np.testing.assert_allclose(np.asarray(found.data), wanted)
