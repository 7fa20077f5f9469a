from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.numerics.statistics import (
    Ranks,
    count_ranks,
    covariance,
    cross_moments,
    find_percentiles,
    histogram,
    join_cross_moments,
    join_moments,
    moments,
    narrow,
    pool,
)

TYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "i8", "f2", "f4", "f8", ">u2", ">i4", ">f4", "g"]
LAYOUTS = [
    (None, (5, 11, 13)),
    (-1, (5, 11, 13, 3)),
    (1, (5, 3, 11, 13)),
    (2, (5, 11, 4, 13)),
    (None, (3, 1, 1)),
    (None, (1, 4, 9, 8)),
]

# Every type once without and once with channels; every layout with two types.
CASES = [(dtype, *layout) for dtype in TYPES for layout in LAYOUTS[:2]]
CASES += [(dtype, *layout) for dtype in ("u2", "f4") for layout in LAYOUTS[2:]]


def frames_of(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    values = np.abs(np.random.default_rng(seed).normal(60, 20, shape))
    return values > 60 if dtype == "?" else values.astype(dtype)


def by_channel(frames: np.ndarray, axis: int | None) -> np.ndarray:
    """Pixels as (n, pixels, channels) in long double."""
    last = frames[..., None] if axis is None else np.moveaxis(frames, axis, -1)
    return last.reshape(len(frames), -1, last.shape[-1]).astype(np.longdouble)


def percentiles_of(blocks: list[np.ndarray], wanted: Any, **options: Any) -> tuple[Any, int]:
    search, passes = find_percentiles(wanted, blocks[0].dtype), 0
    while isinstance(search, Ranks):
        passes += 1
        assert passes <= search.passes
        search = narrow(search, sum(count_ranks(block, search, **options) for block in blocks))
    return search, passes


@pytest.mark.parametrize(("dtype", "axis", "shape"), CASES)
def test_moments_are_those_of_long_double(
    dtype: str, axis: int | None, shape: tuple[int, ...]
) -> None:
    frames = frames_of(dtype, shape)
    pixels = by_channel(frames, axis)
    found = moments(frames, channel_axis=axis)
    np.testing.assert_allclose(found.mean, pixels.mean(axis=1).astype(float), rtol=1e-15)
    np.testing.assert_allclose(found.std(), pixels.std(axis=1).astype(float), rtol=1e-13)
    np.testing.assert_array_equal(found.minimum, pixels.min(axis=1))
    np.testing.assert_array_equal(found.maximum, pixels.max(axis=1))
    assert (found.count == pixels.shape[1]).all()
    whole = pool(found)
    flat = pixels.reshape(-1, pixels.shape[-1])
    np.testing.assert_allclose(whole.mean, flat.mean(axis=0).astype(float), rtol=1e-15)
    np.testing.assert_allclose(whole.std, flat.std(axis=0).astype(float), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize(("axis", "shape"), LAYOUTS[:4])
@pytest.mark.parametrize("per_frame", [False, True])
def test_masked_pixels_take_no_part(
    dtype: str, axis: int | None, shape: tuple[int, ...], per_frame: bool
) -> None:
    frames = frames_of(dtype, shape)
    spatial = tuple(n for at, n in enumerate(shape) if at not in (0, (axis or 0) % len(shape)))
    mask = np.random.default_rng(1).random((len(frames), *spatial) if per_frame else spatial) < 0.6
    pixels_in_use = mask.reshape(-1, math.prod(spatial))
    use = np.broadcast_to(pixels_in_use, (len(frames), math.prod(spatial)))
    found = moments(frames, channel_axis=axis, mask=mask)
    for n, pixels in enumerate(by_channel(frames, axis)):
        inside = pixels[use[n]]
        assert (found.count[n] == len(inside)).all()
        np.testing.assert_allclose(found.mean[n], inside.mean(axis=0).astype(float), rtol=1e-15)
        np.testing.assert_allclose(found.std()[n], inside.std(axis=0).astype(float), rtol=1e-13)
        np.testing.assert_array_equal(found.minimum[n], inside.min(axis=0))
        np.testing.assert_array_equal(found.maximum[n], inside.max(axis=0))


@given(st.lists(st.lists(st.integers(0, 65535), min_size=1, max_size=30), min_size=1, max_size=6))
def test_integers_of_16_bits_are_pooled_without_any_error(images: list[list[int]]) -> None:
    parts = [moments(np.array(image, np.uint16)[None, None]) for image in images]
    whole = pool(join_moments(parts))
    pixels = [value for image in images for value in image]
    mean = Fraction(sum(pixels), len(pixels))
    variance = Fraction(sum(value**2 for value in pixels), len(pixels)) - mean**2
    assert whole.mean[0] == float(mean)
    assert whole.variance[0] == float(variance)
    assert whole.within[0] + whole.between[0] == pytest.approx(float(variance), rel=1e-12, abs=1e-9)


@given(st.lists(st.lists(st.integers(-999, 999), min_size=1, max_size=30), min_size=1, max_size=6))
def test_images_of_any_size_may_count_alike(images: list[list[int]]) -> None:
    parts = [moments(np.array(image, np.float64)[None, None]) for image in images]
    whole = pool(join_moments(parts), "images")
    means = [np.mean(image) for image in images]
    variance = np.mean([np.var(image) for image in images]) + np.var(means)
    assert whole.mean[0] == pytest.approx(np.mean(means), abs=1e-12)
    assert whole.variance[0] == pytest.approx(variance, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("offset", "spread"), [(12000, 30), (1e6, 1), (1e9, 1), (-1e12, 1e-2)])
@pytest.mark.parametrize("axis", [None, -1])
def test_large_means_cost_no_digits(offset: float, spread: float, axis: int | None) -> None:
    frames = offset + spread * np.random.default_rng(0).normal(size=(3, 70, 65, 4))
    # Long double too loses digits where means are large.
    pixels = by_channel(frames, axis) - np.longdouble(offset)
    found = pool(moments(frames, channel_axis=axis))
    flat = pixels.reshape(-1, pixels.shape[-1])
    np.testing.assert_allclose(found.std, flat.std(axis=0).astype(float), rtol=1e-12)


def test_the_block_does_not_matter() -> None:
    frames = np.random.default_rng(0).normal(5, 2, (23, 40, 37)).astype(np.float32)
    whole = pool(moments(frames))
    for size in (1, 4, 7):
        parts = [moments(frames[at : at + size]) for at in range(0, 23, size)]
        cut = pool(join_moments(parts))
        assert cut.mean[0] == whole.mean[0]
        assert cut.variance[0] == whole.variance[0]


def test_nan_and_infinities_take_no_part() -> None:
    frames = np.random.default_rng(0).normal(size=(4, 6, 5, 2))
    frames[0, 1, 2, 0] = np.nan
    frames[1, 0, 0, 1] = np.inf
    frames[2] = np.nan
    found = moments(frames, channel_axis=-1)
    assert found.count.tolist() == [[29, 30], [30, 29], [0, 0], [30, 30]]
    assert np.isnan(found.mean[2]).all()
    assert np.isnan(found.std()[2]).all()
    whole = pool(found)
    assert whole.images.tolist() == [3, 3]
    for channel in (0, 1):
        known = frames[..., channel][np.isfinite(frames[..., channel])]
        assert whole.mean[channel] == pytest.approx(known.mean(), rel=1e-14)
        assert whole.std[channel] == pytest.approx(known.std(), rel=1e-14)


def test_without_any_data_there_is_no_number() -> None:
    whole = pool(moments(np.full((2, 3, 3), np.nan)))
    assert whole.images[0] == 0
    assert math.isnan(whole.mean[0])
    assert moments(np.empty((0, 3, 3), np.uint8)).mean.shape == (0, 1)
    assert np.isnan(moments(np.empty((2, 0, 3), np.uint8)).mean).all()


def test_averaging_deviations_leaves_out_what_lies_between_images() -> None:
    images = np.random.default_rng(0).normal(100, 10, (200, 20, 20))
    images += np.random.default_rng(1).normal(0, 20, (200, 1, 1))
    whole = pool(moments(images))
    assert whole.mean_of_stds[0] / whole.std[0] < 0.5
    assert whole.between[0] == pytest.approx(images.mean(axis=(1, 2)).var(), rel=1e-12)
    assert whole.within[0] == pytest.approx(images.var(axis=(1, 2)).mean(), rel=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_order_and_read_only_arrays_do_not_matter(order: Any) -> None:
    plain = frames_of("u2", (5, 11, 13, 3))
    frames = np.array(plain, order=order)
    frames.flags.writeable = False
    expected, found = (pool(moments(each, channel_axis=-1)) for each in (plain, frames))
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.std, expected.std)


@pytest.mark.parametrize(("dtype", "axis", "shape"), CASES)
def test_percentiles_of_everything_are_numpys(
    dtype: str, axis: int | None, shape: tuple[int, ...]
) -> None:
    frames = frames_of(dtype, shape)
    wanted = (0, 0.1, 33.3, 50, 99, 100)
    found, _ = percentiles_of([frames[:2], frames[2:]], wanted, channel_axis=axis)
    flat = by_channel(frames, axis).astype(np.float64).reshape(-1, found.shape[1])
    np.testing.assert_allclose(found, np.percentile(flat, wanted, axis=0), rtol=1e-15)


@given(
    st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), min_size=1, max_size=40),
    st.floats(0, 100),
)
def test_percentiles_of_any_floats(values: list[float], wanted: float) -> None:
    frames = np.array(values, np.float32)[None, None]
    found, _ = percentiles_of([frames], wanted)
    known = frames[np.isfinite(frames)].astype(np.float64)
    if not len(known):
        assert np.isnan(found).all()
        return
    span = np.ptp(known)
    assert found[0, 0] == pytest.approx(np.percentile(known, wanted), abs=1e-14 * span, rel=1e-14)


def test_masked_pixels_have_no_rank() -> None:
    frames = frames_of("u2", (4, 9, 9))
    mask = np.zeros((9, 9))
    mask[2:5, 3:7] = 7
    found, passes = percentiles_of([frames], (25, 75), mask=mask)
    np.testing.assert_array_equal(found[:, 0], np.percentile(frames[:, mask > 0], (25, 75)))
    assert passes == 1


@pytest.mark.parametrize("wanted", [-1, 101, math.nan])
def test_percentiles_lie_between_0_and_100(wanted: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        find_percentiles(wanted, np.uint8)


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize("axis", [-1, 1])
def test_covariance_is_numpys(dtype: str, axis: int) -> None:
    frames = frames_of(dtype, (6, 4, 9, 5))
    frames = frames + np.arange(6).reshape(6, 1, 1, 1).astype(dtype)
    parts = [cross_moments(block, channel_axis=axis) for block in (frames[:2], frames[2:])]
    flat = by_channel(frames, axis).reshape(-1, frames.shape[axis]).astype(np.float64)
    found = covariance(join_cross_moments(parts))
    np.testing.assert_allclose(found, np.cov(flat.T, bias=True), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        np.diag(found), pool(moments(frames, channel_axis=axis)).variance, rtol=1e-14
    )


@pytest.mark.parametrize("power", [0, 500, 505, 980])
@pytest.mark.parametrize("weights", ["pixels", "images"])
def test_covariance_of_enormous_values_is_scaled_or_infinite(power: int, weights) -> None:
    rng = np.random.default_rng(7)
    frames = rng.normal(3, 1, (4, 9, 8, 2)) * [1.0, 0.25]
    frames[0, 2, 3] = np.nan
    plain = covariance(cross_moments(frames, channel_axis=-1), weights)
    with np.errstate(all="raise"):
        parts = [cross_moments(np.ldexp(part, power), channel_axis=-1) for part in frames[:, None]]
        found = covariance(join_cross_moments(parts), weights)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, np.ldexp(plain, 2 * power), rtol=1e-12)


def test_images_of_ordinary_and_of_enormous_values_are_joined() -> None:
    small, large = np.arange(12.0).reshape(1, 3, 2, 2), np.arange(12.0).reshape(1, 3, 2, 2)[:, ::-1]
    whole = np.concatenate([small, np.ldexp(large, 505)])
    parts = [cross_moments(part, channel_axis=-1) for part in (whole[:1], whole[1:])]
    pixels = np.ldexp(whole, -500).reshape(-1, 2)
    expected = np.ldexp(np.cov(pixels.T, bias=True), 1000)
    np.testing.assert_allclose(covariance(join_cross_moments(parts)), expected, rtol=1e-12)


def test_covariance_takes_pixels_with_data_in_every_channel() -> None:
    frames = np.random.default_rng(0).normal(size=(3, 8, 8, 2))
    frames[0, 0, 0, 0] = np.nan
    frames[1, 3, 3, 1] = np.inf
    mask = np.ones((8, 8))
    mask[5] = 0
    flat = frames[:, mask > 0].reshape(-1, 2)
    flat = flat[np.isfinite(flat).all(axis=1)]
    found = covariance(cross_moments(frames, channel_axis=-1, mask=mask))
    np.testing.assert_allclose(found, np.cov(flat.T, bias=True), rtol=1e-13)
    by_images = covariance(cross_moments(frames, channel_axis=-1), "images")
    assert by_images.shape == (2, 2)
    assert np.isnan(covariance(cross_moments(frames * np.nan, channel_axis=-1))).all()


def test_a_histogram_counts_every_finite_value_once() -> None:
    frames = np.random.default_rng(0).normal(size=(3, 8, 8))
    edges = np.linspace(frames.min(), frames.max(), 11)
    np.testing.assert_array_equal(histogram(frames, edges)[0], np.histogram(frames, edges)[0])
    frames[0, 0, 0] = np.nan
    assert histogram(frames, edges).sum() == frames.size - 1
    constant = histogram(np.full((1, 2, 2), 5.0), np.full(4, 5.0))
    assert constant.sum() == 4


def test_what_does_not_fit_is_refused() -> None:
    frames = np.zeros((2, 4, 5), np.uint8)
    for mask in (np.ones((5, 4)), np.ones((3, 4, 5)), np.ones(20)):
        with pytest.raises(ValueError, match="mask has the shape"):
            moments(frames, mask=mask)
    with pytest.raises(ValueError, match="complex"):
        moments(frames.astype(complex))
    with pytest.raises(ValueError, match="channel axis"):
        moments(frames, channel_axis=0)
    with pytest.raises(ValueError, match="at least two axes"):
        moments(np.zeros(5))
