from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_framewise.numerics.normalise import (
    Status,
    diagnostics,
    levels,
    levels_of_stack,
    normalise,
    result_range,
    scale,
    scaling_of,
    unscale,
)
from napari_framewise.numerics.statistics import moments, pool

TYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "i8", "f2", "f4", "f8", ">u2", ">f4", "g"]
METHODS = ["min_max", "maximum", "percentiles", "mean", "z_score"]
LAYOUTS = [
    (None, (4, 27, 33)),
    (-1, (4, 27, 33, 3)),
    (1, (4, 3, 27, 33)),
    (2, (4, 9, 4, 13)),
    (None, (4, 3, 5)),
]
PERCENTILES = (2, 97.5)


def frames_of(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    values = np.abs(np.random.default_rng(2).normal(60, 20, shape))
    return values > 60 if dtype == "?" else values.astype(dtype)


def expected(
    frames: np.ndarray, method: str, axis: int | None, use: np.ndarray | None
) -> np.ndarray:
    """The textbook: measure in float64, subtract, divide."""
    last = (
        frames.astype(np.float64)[..., None]
        if axis is None
        else np.moveaxis(frames.astype(np.float64), axis, -1)
    )
    measured = last if use is None else np.where(use[..., None], last, np.nan)
    inside = tuple(range(1, last.ndim - 1))
    low: Any = 0.0
    if method == "min_max":
        low = np.nanmin(measured, axis=inside, keepdims=True)
        span = np.nanmax(measured, axis=inside, keepdims=True) - low
    elif method == "maximum":
        span = np.nanmax(measured, axis=inside, keepdims=True)
    elif method == "percentiles":
        low, high = (np.nanpercentile(measured, p, axis=inside, keepdims=True) for p in PERCENTILES)
        span = high - low
    elif method == "mean":
        span = np.nanmean(measured, axis=inside, keepdims=True)
    else:
        low = np.nanmean(measured, axis=inside, keepdims=True)
        span = np.nanstd(measured, axis=inside, keepdims=True)
    done = np.where(span > 0, (last - low) / np.where(span > 0, span, 1), 0)
    return done[..., 0] if axis is None else np.moveaxis(done, -1, axis)


def spatial(shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    return tuple(
        n for at, n in enumerate(shape) if at and (axis is None or at != axis % len(shape))
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("axis", "shape"), LAYOUTS)
@pytest.mark.parametrize("masked", ["no", "one", "each"])
def test_every_method_is_the_textbooks(
    method: Any, axis: int | None, shape: tuple[int, ...], masked: str
) -> None:
    rng = np.random.default_rng(0)
    use = mask = None
    if masked != "no":
        mask = rng.random((*((shape[0],) if masked == "each" else ()), *spatial(shape, axis))) < 0.6
        mask.reshape(-1, mask.size if masked == "one" else mask[0].size)[:, :3] = True
        use = np.broadcast_to(mask, (shape[0], *spatial(shape, axis)))
    for dtype in ("u2", "f4"):
        frames = frames_of(dtype, shape)
        options: dict[str, Any] = {
            "percentiles": PERCENTILES, "channel_axis": axis, "mask": mask,
        }  # fmt: skip
        wanted = expected(frames, method, axis, use)
        plain = normalise(frames, method, **options)
        np.testing.assert_allclose(plain.frames, wanted, rtol=3e-7, atol=2e-7)
        double = normalise(frames, method, dtype=np.float64, **options)
        np.testing.assert_allclose(double.frames, wanted, rtol=1e-13, atol=1e-13)
        if method not in ("mean", "z_score"):
            byte = normalise(frames, method, dtype=np.uint8, **options)
            assert np.abs(byte.frames - np.clip(255 * wanted, 0, 255)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_comes_in(dtype: str) -> None:
    frames = frames_of(dtype, (3, 24, 25))
    for method in METHODS:
        found = normalise(frames, method, percentiles=PERCENTILES, dtype=np.float64)  # type: ignore[arg-type]
        wanted = expected(frames, method, None, None)
        np.testing.assert_allclose(found.frames, wanted, rtol=1e-12, atol=1e-12)
        back, _ = unscale(found.frames, found.scaling, dtype=np.float64)
        assert not (found.status & Status.FLAT).any()
        np.testing.assert_allclose(back, frames.astype(np.float64), atol=1e-12 * 200)


@pytest.mark.parametrize("size", [7, 30])
@settings(max_examples=30)
@given(data=st.data())
def test_percentiles_of_small_and_large_frames_are_numpys(size: int, data: Any) -> None:
    dtype = data.draw(st.sampled_from(["u1", "i1", "u2", "i2", "f4", "i8"]))
    values = hnp.arrays(np.dtype(dtype), (1, size, size), elements=elements_of(dtype))
    frames = data.draw(values)
    wanted = sorted(data.draw(st.lists(st.floats(0, 100), min_size=2, max_size=2, unique=True)))
    found = normalise(frames, "percentiles", percentiles=(wanted[0], wanted[1]), dtype=np.float64)
    low, high = np.percentile(frames.astype(np.float64), wanted)
    assert found.scaling.offset[0, 0] == pytest.approx(low, rel=1e-14, abs=1e-300)
    if high - low > 1e-9 * max(abs(low), abs(high), 1e-290):
        assert 1 / found.scaling.gain[0, 0] == pytest.approx(high - low, rel=1e-6)


def elements_of(dtype: str) -> Any:
    if dtype == "f4":
        return st.floats(-1e6, 1e6, width=32)
    info = np.iinfo(dtype)
    bound = 2**40
    return st.integers(max(info.min, -bound), min(info.max, bound))


@given(hnp.arrays(np.uint16, (3, 6, 7)))
def test_the_ends_are_met_and_never_passed(frames: np.ndarray) -> None:
    for dtype in (np.float32, np.float64):
        found = normalise(frames, dtype=dtype)
        assert found.frames.min() == 0
        assert found.frames.max() <= 1
        varies = np.ptp(frames, axis=(1, 2)) > 0
        np.testing.assert_allclose(found.frames.max(axis=(1, 2))[varies], 1, rtol=1e-6)


@given(hnp.arrays(np.uint16, (2, 6, 7)), st.sampled_from(["min_max", "maximum", "z_score", "mean"]))
def test_undone_floats_are_what_they_were(frames: np.ndarray, method: Any) -> None:
    found = normalise(frames, method)
    back, _ = unscale(found.frames, found.scaling, dtype=np.float64)
    lost = method in ("maximum", "mean")
    for n in range(2):
        if lost and found.status[n, 0] & Status.FLAT and frames[n].any():
            continue
        scale_of_it = max(float(frames[n].max()), 1.0)
        assert np.abs(back[n] - frames[n].astype(float)).max() <= 1e-6 * scale_of_it


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_undone_integers_are_off_by_half_a_step_at_most(dtype: str) -> None:
    frames = frames_of("u2", (3, 24, 25))
    found = normalise(frames, dtype=dtype)
    back, _ = unscale(found.frames, found.scaling, dtype=np.float64)
    step = 1 / found.scaling.gain
    assert (np.abs(back - frames) <= (0.5 + 1e-9) * step[:, :, None]).all()
    exact, _ = unscale(found.frames, found.scaling, dtype=np.uint16)
    assert exact.dtype == np.uint16


def test_what_is_clipped_is_counted_and_never_wraps() -> None:
    frames = np.arange(1000, dtype=np.float64).reshape(1, 25, 40)
    for dtype, clip in ((np.uint8, False), (np.uint16, False), (np.float32, True)):
        found = normalise(frames, "percentiles", percentiles=(10, 90), dtype=dtype, clip=clip)
        top = 1 if dtype == np.float32 else np.iinfo(dtype).max
        assert found.frames.min() == 0
        assert found.frames.max() == top
        assert found.clipped[0, 0] == pytest.approx(200, abs=2)
        assert found.status[0, 0] == Status.CLIPPED
    open_ended = normalise(frames, "percentiles", percentiles=(10, 90))
    assert open_ended.clipped[0, 0] == 0
    assert open_ended.frames.max() > 1
    narrow = normalise(frames, dtype=np.uint8, range=(10, 20))
    assert (narrow.frames.min(), narrow.frames.max()) == (10, 20)


def test_the_range_of_the_type() -> None:
    frames = np.array([[[0, 65535], [32768, 1]]], np.uint16)
    found = normalise(frames, "dtype_range", dtype=np.float64)
    np.testing.assert_allclose(found.frames, frames / 65535, rtol=1e-15)
    signed = normalise(np.array([[[-128, 127]]], np.int8), "dtype_range", dtype=np.uint8)
    assert signed.frames.tolist() == [[[0, 255]]]
    with pytest.raises(ValueError, match="no range of its own"):
        normalise(frames.astype(np.float32), "dtype_range")


@pytest.mark.parametrize("method", METHODS)
def test_constant_frames_become_the_low_end(method: Any) -> None:
    constant = np.full((2, 5, 6), 7, np.uint16)
    constant[1] = 0
    found = normalise(constant, method)
    back, _ = unscale(found.frames, found.scaling)
    if method in ("maximum", "mean"):
        assert found.status.ravel().tolist() == [0, Status.FLAT]
        np.testing.assert_allclose(found.frames[0], 1, rtol=1e-6)
    else:
        assert (found.status == Status.FLAT).all()
    assert (found.frames[1] == 0).all()
    np.testing.assert_allclose(back, constant, rtol=1e-6)
    assert len(diagnostics(found.status)) == 1
    rounded = normalise(np.full((1, 30, 31), 0.1), method)
    assert np.isfinite(rounded.frames).all()
    assert np.abs(rounded.frames).max() <= 1 + 1e-6


def test_nan_and_infinities() -> None:
    frames = np.random.default_rng(0).normal(10, 2, (4, 8, 9))
    frames[0, 2, 3] = np.nan
    frames[1, 0, 0], frames[1, 0, 1] = np.inf, -np.inf
    frames[2] = np.nan
    found = normalise(frames)
    assert found.status.ravel().tolist() == [Status.PARTIAL, Status.PARTIAL, Status.NO_DATA, 0]
    assert np.isnan(found.frames[0]).sum() == 1
    assert np.isnan(found.frames[2]).all()
    assert found.frames[1, 0, 0] == np.inf
    clipped = normalise(frames, clip=True)
    assert clipped.frames[1, 0, :2].tolist() == [1, 0]
    whole = normalise(frames, dtype=np.uint8)
    assert whole.frames[0, 2, 3] == 0
    assert whole.frames[1, 0, :2].tolist() == [255, 0]
    assert (whole.frames[2] == 0).all()
    assert [said.partition(" ")[0] for said in diagnostics(found.status)] == ["1", "2"]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("axis", [None, -1])
def test_straight_into_what_was_given(order: Any, axis: int | None) -> None:
    frames = np.array(frames_of("f4", (4, 9, 10, 3)), order=order)
    wanted = normalise(frames, channel_axis=axis).frames
    out = np.full(frames.shape, -1, np.float32, order=order)
    assert normalise(frames, channel_axis=axis, out=out).frames is out
    np.testing.assert_array_equal(out, wanted)
    swapped = np.empty(frames.shape, ">f4")
    normalise(frames, channel_axis=axis, out=swapped)
    np.testing.assert_array_equal(swapped, wanted)
    frames.flags.writeable = False
    np.testing.assert_array_equal(normalise(frames, channel_axis=axis).frames, wanted)
    frames = frames.copy(order=order)
    normalise(frames, channel_axis=axis, out=frames)
    np.testing.assert_array_equal(frames, wanted)


def test_one_pixel_no_pixel_and_no_frame() -> None:
    assert normalise(np.full((3, 1, 1), 5, np.uint8)).frames.ravel().tolist() == [0, 0, 0]
    for method in METHODS:
        found = normalise(np.empty((2, 0, 4), np.uint16), method)
        assert (found.status == Status.NO_DATA).all()
        nothing = normalise(np.empty((0, 3, 4, 2), np.float32), method, channel_axis=-1)
        assert nothing.scaling.offset.shape == (0, 2)


def test_a_whole_stack_is_scaled_alike() -> None:
    frames = frames_of("u2", (6, 9, 10, 2))
    whole = pool(moments(frames, channel_axis=-1))
    scaling = scaling_of(levels_of_stack(whole, "min_max"), (0, 255))
    done, clipped = scale(frames, scaling, channel_axis=-1, dtype=np.uint8)
    low, high = frames.min(axis=(0, 1, 2)), frames.max(axis=(0, 1, 2))
    assert np.abs(done - 255 * (frames - low) / (high - low)).max() <= 0.5 + 1e-9
    assert not clipped.any()
    exact = np.percentile(frames.reshape(-1, 2), (5, 95), axis=0)
    made = scaling_of(levels_of_stack(whole, "percentiles", percentiles=exact))
    np.testing.assert_allclose(1 / made.gain[0], exact[1] - exact[0], rtol=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "z_score", "dtype": np.uint8}, "choose float32"),
        ({"method": "mean", "clip": True}, "clipping"),
        ({"range": (1, 1)}, "empty"),
        ({"range": (0, 300), "dtype": np.uint8}, "does not fit"),
        ({"method": "percentiles", "percentiles": (50, 50)}, "lower one first"),
        ({"out": np.empty((2, 2))}, "place for the result"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        normalise(np.ones((2, 3, 4)), **options)


def test_offsets_of_another_stack_are_refused() -> None:
    scaling = normalise(frames_of("u2", (4, 5, 6))).scaling
    with pytest.raises(ValueError, match="4 frames and 1 channels"):
        scale(frames_of("u2", (5, 5, 6)), scaling)
    assert result_range("min_max", np.uint16)[0] == (0, 65535)


@pytest.mark.parametrize("ends", [(0, 255), (0, 3), (0, 0.7), (-1, 1), (0.1, 0.8), (-7.3, 11.9)])
@pytest.mark.parametrize("method", ["min_max", "percentiles"])
def test_no_value_leaves_its_range_by_rounding(ends: tuple[float, float], method: Any) -> None:
    tops = np.random.default_rng(0).uniform(0.1, 1000, (3000, 1))
    frames = np.concatenate([np.zeros_like(tops), tops / 3, tops], axis=1)
    found = normalise(frames, method, percentiles=(0, 100), range=ends, dtype=np.float64).frames
    assert found.max() <= ends[1]
    assert found.min() >= ends[0]
    np.testing.assert_allclose(found[:, 2], ends[1], rtol=1e-14)


def test_half_of_an_even_span_is_rounded_to_even() -> None:
    frames = np.arange(23, dtype=np.uint16)[None]
    assert normalise(frames, dtype=np.uint8).frames[0, 11] == 128


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_frames_without_finite_pixels_warn_of_nothing(method: Any, dtype: Any) -> None:
    if dtype == np.uint8 and method in ("mean", "z_score"):
        return
    frames = np.ones((3, 4, 5))
    frames[1] = np.nan
    frames[2] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = normalise(frames, method, dtype=dtype)
    assert (found.status[1:] & Status.NO_DATA).all()
    assert np.isnan(found.scaling.gain[1:]).all()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize("result", ["u1", "i1"])
def test_min_max_to_bytes_is_the_exact_quotient_rounded_half_to_even(
    dtype: str, result: str
) -> None:
    info, low = np.iinfo(dtype), np.iinfo(result).min
    rng = np.random.default_rng(0)
    spans = {1, 2, 22, 34, 170, 255, int(info.max) - int(info.min)}
    spans |= {int(each) for each in rng.integers(1, int(info.max) - int(info.min) + 1, 300)}
    for span in sorted(spans & set(range(int(info.max) - int(info.min) + 1))):
        least = int(rng.integers(int(info.min), int(info.max) - span + 1))
        steps = np.arange(span + 1) if span < 3000 else rng.integers(0, span + 1, 3000)
        steps[0], steps[-1] = 0, span
        made = normalise((least + steps)[None].astype(dtype), dtype=result)
        # in whole numbers: quotient and what is left of twice the product
        quotient, left = np.divmod(510 * steps + span, 2 * span)
        ties = (left == 0) & (quotient % 2 == 1)
        np.testing.assert_array_equal(made.frames[0], quotient - ties + low)
        assert made.clipped.tolist() == [[0]]


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize("size", [1, 2, 3, 49, 128, 129, 500, 40_000])
@pytest.mark.parametrize("wanted", [(0, 100), (0.1, 99.9), (25, 50), (49.3, 50.1)])
def test_percentiles_of_integers_are_numpys(
    dtype: str, size: int, wanted: tuple[float, float]
) -> None:
    info, rng = np.iinfo(dtype), np.random.default_rng(size)
    frames = rng.integers(info.min, int(info.max) + 1, (37 if size < 1000 else 3, size))
    frames[::2] = frames[::2] // 50  # many ties
    frames = frames.astype(dtype)
    found = levels(frames, "percentiles", percentiles=wanted)
    expected = np.percentile(frames.astype(np.float64), wanted, axis=1)
    np.testing.assert_array_equal(found.start[:, 0], expected[0])
    np.testing.assert_array_equal(found.span[:, 0], expected[1] - expected[0])


@given(hnp.arrays(np.uint16, st.tuples(st.integers(1, 40), st.integers(1, 70))))
@settings(max_examples=40, deadline=None)
def test_short_rows_are_sorted(frames: np.ndarray) -> None:
    found = levels(frames, "percentiles", percentiles=(0, 100))
    np.testing.assert_array_equal(found.start[:, 0], frames.min(axis=1))
    np.testing.assert_array_equal(found.span[:, 0], np.ptp(frames.astype(float), axis=1))
