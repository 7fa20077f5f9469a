from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.numerics.standardise import (
    Status,
    scale,
    scaling_of_stack,
    standardise,
    unscale,
)
from napari_framewise.numerics.statistics import moments, pool

TYPES = ["u1", "u2", "i2", "u4", "f2", "f4", "f8", ">u2"]
LAYOUTS = [(-1, (5, 14, 15, 3)), (1, (5, 3, 14, 15)), (None, (5, 14, 15)), (-1, (2, 6, 7, 40))]


def frames_of(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.abs(np.random.default_rng(3).normal(60, 20, shape)).astype(dtype)


def textbook(frames: np.ndarray, axis: int | None, ddof: int, epsilon: float) -> np.ndarray:
    values = frames.astype(np.float64)
    channel = None if axis is None else axis % frames.ndim
    inside = tuple(at for at in range(1, frames.ndim) if at != channel)
    mean = values.mean(axis=inside, keepdims=True)
    variance = values.var(axis=inside, keepdims=True, ddof=ddof)
    return np.asarray((values - mean) / np.sqrt(variance + epsilon))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("axis", "shape"), LAYOUTS)
def test_each_channel_of_each_frame_is_the_textbooks(
    dtype: str, axis: int | None, shape: tuple[int, ...]
) -> None:
    frames = frames_of(dtype, shape)
    for ddof, epsilon in ((0, 0.0), (1, 0.5)):
        wanted = textbook(frames, axis, ddof, epsilon)
        options: dict[str, Any] = {"channel_axis": axis, "ddof": ddof, "epsilon": epsilon}
        np.testing.assert_allclose(
            standardise(frames, dtype=np.float64, **options).frames, wanted, rtol=1e-11, atol=1e-12
        )
        np.testing.assert_allclose(
            standardise(frames, **options).frames, wanted, rtol=1e-6, atol=1e-6
        )


def test_masked_and_missing_pixels_take_no_part() -> None:
    frames = frames_of("f8", (3, 8, 9, 2))
    mask = np.zeros((8, 9))
    mask[2:6, 3:7] = 1
    frames[0, 3, 4, 1] = np.nan
    found = standardise(frames, channel_axis=-1, mask=mask, dtype=np.float64)
    used = np.where(mask[None, :, :, None] > 0, frames, np.nan)
    wanted = (frames - np.nanmean(used, axis=(1, 2), keepdims=True)) / np.nanstd(
        used, axis=(1, 2), keepdims=True
    )
    np.testing.assert_allclose(found.frames, wanted, rtol=1e-12)
    assert np.isnan(found.frames).sum() == 1
    assert found.status.tolist() == [[0, Status.PARTIAL], [0, 0], [0, 0]]


def test_constant_channels_become_zero() -> None:
    frames = frames_of("u1", (2, 5, 6, 3))
    frames[1, :, :, 2] = 9
    for epsilon in (0.0, 1e-5):
        found = standardise(frames, channel_axis=-1, epsilon=epsilon)
        assert (found.frames[1, :, :, 2] == 0).all()
        assert found.status[1, 2] == Status.FLAT
        back, _ = unscale(found.frames, found.scaling, channel_axis=-1, dtype=np.uint8)
        np.testing.assert_array_equal(back, frames)
    rounded = standardise(np.full((1, 30, 31), 0.1))
    assert (rounded.frames == 0).all()


def test_too_few_pixels_give_nan() -> None:
    found = standardise(np.ones((2, 1, 1)), ddof=1)
    assert np.isnan(found.frames).all()
    assert (found.status == Status.NO_DATA).all()
    lost = standardise(np.full((1, 2, 2), np.nan))
    assert np.isnan(lost.frames).all()


def test_given_means_and_deviations() -> None:
    frames = frames_of("u1", (4, 6, 7, 3))
    mean, std = np.array([100.0, 110, 120]), np.array([50.0, 60, 70])
    found = standardise(frames, channel_axis=-1, mean=mean, std=std)
    np.testing.assert_allclose(found.frames, (frames - mean) / std, rtol=1e-6, atol=1e-7)
    one = standardise(frames, channel_axis=-1, mean=127.5, std=255)
    np.testing.assert_allclose(one.frames, (frames - 127.5) / 255, rtol=1e-6, atol=1e-7)
    first = standardise(np.moveaxis(frames, -1, 1), channel_axis=1, mean=mean, std=std)
    np.testing.assert_array_equal(np.moveaxis(first.frames, 1, -1), found.frames)


def test_channels_over_the_whole_stack() -> None:
    frames = frames_of("u2", (6, 8, 9, 3))
    whole = pool(moments(frames, channel_axis=-1))
    for ddof in (0, 1):
        scaling, status = scaling_of_stack(whole, ddof)
        done, _ = scale(frames, scaling, channel_axis=-1, dtype=np.float64)
        flat = frames.reshape(-1, 3).astype(float)
        wanted = (flat - flat.mean(axis=0)) / flat.std(axis=0, ddof=ddof)
        np.testing.assert_allclose(done.reshape(-1, 3), wanted, rtol=1e-11, atol=1e-12)
        assert not status.any()


def test_straight_into_the_result() -> None:
    frames = frames_of("f4", (3, 9, 10, 3))
    wanted = standardise(frames, channel_axis=-1).frames
    out = np.empty(frames.shape, np.float32)
    assert standardise(frames, channel_axis=-1, out=out).frames is out
    np.testing.assert_array_equal(out, wanted)
    standardise(frames, channel_axis=-1, out=frames)
    np.testing.assert_array_equal(frames, wanted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": np.uint8}, "choose float32"),
        ({"ddof": -1}, "zero or more"),
        ({"epsilon": -1.0}, "zero or more"),
        ({"mean": 1.0}, "both"),
        ({"mean": (1, 2), "std": (1, 2, 3)}, "as many"),
        ({"mean": 1.0, "std": -1.0}, "zero or more"),
        ({"mean": (1, 2), "std": (1, 2), "channel_axis": -1}, "2 channels"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        standardise(np.ones((2, 3, 4)), **options)
