from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_framewise.engine import Engine
from napari_framewise.engine.results import write_frames
from napari_framewise.framework.outcome import Outcome
from napari_framewise.io.formats.models import read_model, write_model
from napari_framewise.stacks.stack import Selection, stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.normalise import TOOL

TYPES = ["?", "u1", "u2", "i2", "u4", "f2", "f4", "f8", ">u2", ">f4"]


def frames_of(dtype: str = "u2", shape: tuple[int, ...] = (30, 12, 14)) -> np.ndarray:
    values = np.abs(np.random.default_rng(0).normal(90, 30, shape))
    return values > 90 if dtype == "?" else values.astype(dtype)


def data_of(outcome: Outcome) -> np.ndarray:
    return np.asarray(outcome.layer().data)  # type: ignore[union-attr]


def min_max(frames: np.ndarray, axis: Any) -> np.ndarray:
    values = frames.astype(np.float64)
    low, high = values.min(axis=axis, keepdims=True), values.max(axis=axis, keepdims=True)
    return np.asarray((values - low) / (high - low))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("result", ["lazy", "memory"])
def test_each_frame_and_the_whole_stack(dtype: str, result: str) -> None:
    frames = frames_of(dtype)
    each = run("normalise", stack=frames, result=result)
    np.testing.assert_allclose(data_of(each), min_max(frames, (1, 2)), rtol=1e-6, atol=1e-7)
    whole = run("normalise", stack=frames, result=result, scope="stack")
    np.testing.assert_allclose(data_of(whole), min_max(frames, None), rtol=1e-6, atol=1e-7)
    assert len(each.table()) == 30
    assert len(whole.table()) == 1
    assert each.layer().contrast_limits == (0, 1)  # type: ignore[union-attr]
    assert each.diagnostics == ()


@pytest.mark.parametrize("scope", ["frame", "stack"])
@pytest.mark.parametrize("dtype", ["u2", "f4", "f8"])
def test_percentiles_are_numpys_however_the_stack_is_cut(scope: str, dtype: str) -> None:
    frames = frames_of(dtype, (40, 30, 28))
    outcome = run(
        "normalise", stack=frames, method="percentiles", scope=scope, low_percentile=3,
        high_percentile=90, dtype="float64",
    )  # fmt: skip
    axis = (1, 2) if scope == "frame" else None
    low, high = np.percentile(frames.astype(np.float64), (3, 90), axis=axis, keepdims=True)
    np.testing.assert_allclose(data_of(outcome), (frames - low) / (high - low), atol=1e-12)


def test_a_background_region_or_mask_brings_its_mean_to_one() -> None:
    frames = frames_of()
    mask = np.zeros((12, 14), np.uint8)
    mask[2:6, 3:9] = 5
    wanted = frames / frames[:, 2:6, 3:9].mean(axis=(1, 2), keepdims=True)
    by_mask = run("normalise", stack=frames, method="mean", mask=mask)
    by_region = run("normalise", stack=frames, method="mean", region=(2, 6, 3, 9))
    np.testing.assert_allclose(data_of(by_mask), wanted, rtol=1e-6)
    np.testing.assert_array_equal(data_of(by_mask), data_of(by_region))
    moving = np.zeros(frames.shape, np.uint8)
    moving[np.arange(30), :, np.arange(30) % 14] = 1
    each = run("normalise", stack=frames, method="mean", mask=moving)
    inside = frames[np.arange(30), :, np.arange(30) % 14].mean(axis=1)
    np.testing.assert_allclose(data_of(each), frames / inside[:, None, None], rtol=1e-6)


@pytest.mark.parametrize("scope", ["frame", "stack"])
@pytest.mark.parametrize(
    ("shape", "given"),
    [((8, 10, 12, 3), {"rgb": True}), ((8, 3, 10, 12), {"axes": ("t", "c", "y", "x")})],
)
def test_channels_are_measured_apart_and_stay_where_they_are(
    scope: str, shape: tuple[int, ...], given: dict[str, Any]
) -> None:
    frames = frames_of("u1", shape)
    channel = 3 if "rgb" in given else 1
    axis = tuple(n for n in range(4) if n != channel and (n or scope == "stack"))
    mask = np.ones((10, 12))
    outcome = run("normalise", stack=stack_of(frames, **given), scope=scope, mask=mask)
    np.testing.assert_allclose(data_of(outcome), min_max(frames, axis), rtol=1e-6, atol=1e-7)
    together = run("normalise", stack=stack_of(frames, **given), scope=scope, per_channel=False)
    axis = (1, 2, 3) if scope == "frame" else (0, 1, 2, 3)
    np.testing.assert_allclose(data_of(together), min_max(frames, axis), rtol=1e-6, atol=1e-7)


def test_the_result_lies_where_the_stack_lies() -> None:
    stack = stack_of(
        frames_of(), axes=("t", "y", "x"), scale=(2, 0.5, 0.25), translate=(1, 2, 3),
        units=("second", "micrometer", "micrometer"),
        selection=Selection(frames=(4, 20, 2), region=((2, 8), (3, 11))),
    )  # fmt: skip
    layer = run("normalise", stack=stack).layer()
    assert np.shape(layer.data) == (8, 6, 8)  # type: ignore[union-attr]
    assert [axis.name for axis in layer.grid.axes] == ["t", "y", "x"]
    assert [axis.scale for axis in layer.grid.axes] == [4, 0.5, 0.25]
    assert [axis.translate for axis in layer.grid.axes] == [9, 3, 3.75]
    assert [axis.unit for axis in layer.grid.axes] == ["second", "micrometer", "micrometer"]
    assert layer.grid.role == "stack"


def test_integer_results_fill_their_range() -> None:
    frames = frames_of()
    outcome = run("normalise", stack=frames, dtype="uint8", result="memory")
    assert data_of(outcome).dtype == np.uint8
    assert (data_of(outcome).min(), data_of(outcome).max()) == (0, 255)
    part = run("normalise", stack=frames, dtype="uint16", low=100, high=200)
    assert (data_of(part).min(), data_of(part).max()) == (100, 200)


def test_clipped_and_constant_frames_are_named() -> None:
    frames = frames_of()
    frames[7] = 40
    for result in ("lazy", "memory"):
        outcome = run(
            "normalise", stack=frames, method="percentiles", low_percentile=5, high_percentile=95,
            dtype="uint8", result=result,
        )  # fmt: skip
        said = " ".join(outcome.diagnostics)
        assert "constant: 7." in said
        assert "29 frames were clipped" in said
        table = outcome.table()
        assert (table.columns["clipped"] > 0).sum() == 29
        assert table.columns["gain"][7] == 0


def test_whole_stacks_count_what_they_clip() -> None:
    frames = frames_of()
    for result in ("lazy", "memory"):
        outcome = run(
            "normalise", stack=frames, method="percentiles", scope="stack", dtype="uint8",
            low_percentile=10, high_percentile=90, result=result,
        )  # fmt: skip
        clipped = outcome.table().columns["clipped"][0]
        assert clipped == pytest.approx(0.2 * frames.size, rel=0.1)


def test_frames_without_data() -> None:
    frames = frames_of("f4")
    frames[3] = np.nan
    frames[4, 2, 2] = np.inf
    outcome = run("normalise", stack=frames)
    done = data_of(outcome)
    assert np.isnan(done[3]).all()
    assert done[4, 2, 2] == np.inf
    assert len(outcome.diagnostics) == 2
    lost = run("normalise", stack=np.full((2, 3, 3), np.nan), scope="stack", method="percentiles")
    assert "No frame" in lost.summary


@pytest.mark.parametrize("shape", [(1, 5, 6), (4, 1, 1)])
def test_one_frame_and_one_pixel(shape: tuple[int, ...]) -> None:
    for method in ("min_max", "percentiles", "z_score", "mean", "maximum", "dtype_range"):
        outcome = run("normalise", stack=frames_of(shape=shape), method=method)
        assert np.isfinite(data_of(outcome)).all()


def test_the_model_is_applied_and_undone(tmp_path: Path) -> None:
    frames = frames_of()
    other = frames_of("f4")
    outcome = run("normalise", stack=frames)
    write_model(outcome.model(), tmp_path / "model.npz")
    model = read_model(tmp_path / "model.npz")
    low = frames.min(axis=(1, 2), keepdims=True)
    span = np.ptp(frames, axis=(1, 2), keepdims=True)
    applied = run("renormalise", stack=other, model=model)
    np.testing.assert_allclose(data_of(applied), (other - low) / span, rtol=1e-5, atol=1e-6)
    for result in ("lazy", "memory"):
        back = run(
            "renormalise", stack=outcome.layer(), model=model, direction="undo", result=result
        )
        np.testing.assert_array_equal(data_of(back), frames)
        assert data_of(back).dtype == frames.dtype


def test_engines_give_the_same_bits() -> None:
    frames = frames_of("f4", (90, 40, 41))
    for options in ({"scope": "stack", "method": "z_score"}, {"method": "percentiles"}):
        one, two = (
            run("normalise", stack=frames, engine=Engine.local(workers), **options)  # type: ignore[arg-type]
            for workers in (1, 2)
        )
        np.testing.assert_array_equal(one.model().gain, two.model().gain)  # type: ignore[attr-defined]
        np.testing.assert_array_equal(data_of(one), data_of(two))


def test_a_run_to_disk_is_cancelled_and_resumed(tmp_path: Path) -> None:
    frames = frames_of(shape=(2000, 64, 65))
    layer = run("normalise", stack=frames).layer()
    wanted = np.asarray(layer.data)  # type: ignore[union-attr]
    engine = Engine.local(1)
    place = tmp_path / "done.ome.zarr"

    def writing() -> Any:
        return write_frames(layer.data, place, engine=engine, fingerprint="this")  # type: ignore[union-attr]

    started = writing()
    for progress in started:
        if 0 < progress.done < progress.total:
            break
    started.close()
    for _ in writing():
        pass
    import zarr

    np.testing.assert_array_equal(zarr.open_group(place)["0"][:], wanted)


@pytest.mark.parametrize("scope", ["frame", "stack"])
def test_the_preview_is_one_frame_of_the_run(scope: str) -> None:
    frames = frames_of()
    inputs = TOOL.check_inputs({"stack": stack_of(frames)})
    parameters = TOOL.check_parameters({"scope": scope, "method": "percentiles"})
    done = data_of(run("normalise", stack=frames, scope=scope, method="percentiles"))
    for index in (0, 9):
        shown = TOOL.preview(inputs, parameters, index)
        np.testing.assert_array_equal(shown.layer().data, done[index])  # type: ignore[union-attr]
        assert f"Frame {index}" in shown.summary
    assert TOOL.plan(inputs, parameters, Engine.local(2)).describe()
    assert "percentiles" in TOOL.methods(inputs, parameters)
    assert TOOL.advise is not None
    assert "float32" in TOOL.advise(inputs, parameters)


def test_a_painted_mask_changes_the_preview() -> None:
    frames, mask = frames_of(), np.ones((12, 14), np.uint8)
    parameters = TOOL.check_parameters({"scope": "stack"})

    def preview() -> Any:
        inputs = TOOL.check_inputs({"stack": stack_of(frames), "mask": stack_of(mask)})
        return TOOL.preview(inputs, parameters, 0).layer().data  # type: ignore[union-attr]

    before = preview()
    mask[:, 3:] = 0
    assert (before != preview()).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "z_score", "dtype": "uint8"}, "choose float32"),
        ({"low_percentile": 60, "high_percentile": 40}, "exchange them"),
        ({"low": 2.0, "high": 1.0}, "empty"),
        ({"low": 0.0, "high": 300.0, "dtype": "uint8"}, "does not fit"),
        ({"region": (1, 2, 3)}, "four numbers"),
        ({"region": (0, 99, 0, 5)}, "does not lie inside"),
        ({"mask": np.zeros((12, 14))}, "leaves no pixel"),
        ({"mask": np.ones((5, 5))}, "one mask of that size"),
        ({"channels_along": 7}, "axes 0 to 2"),
        ({"stack": np.zeros((2, 3, 3), complex)}, "complex"),
        ({"stack": np.zeros((0, 3, 3))}, "empty"),
        ({"stack": frames_of("f4"), "method": "dtype_range"}, "no range of its own"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run("normalise", **{"stack": frames_of(), **options})


def test_fortran_order_and_read_only() -> None:
    frames = np.asfortranarray(frames_of())
    frames.flags.writeable = False
    np.testing.assert_array_equal(
        data_of(run("normalise", stack=frames)), data_of(run("normalise", stack=frames_of()))
    )
