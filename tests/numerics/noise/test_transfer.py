from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.numerics.noise import Repeats, Transfer, photon_transfer


def frames_of(
    count: int, light: np.ndarray, gain: float, offset: float, read: float, seed: int = 0
) -> np.ndarray:
    """Poisson electrons, `gain` electrons per count, read noise in counts."""
    random = np.random.default_rng(seed)
    electrons = random.poisson(light, (count, *light.shape))
    return offset + electrons / gain + random.normal(0, read, electrons.shape)


def measured(frames: np.ndarray, **given: Any) -> Transfer:
    mean, variance = frames.mean(axis=0), frames.var(axis=0, ddof=1)
    return photon_transfer(mean, variance, len(frames) - 1, **given)


LIGHT = np.add.outer(np.linspace(5, 400, 64), np.linspace(0, 200, 64))


def test_the_gain_from_100_frames_is_right_to_1_percent() -> None:
    found = [measured(frames_of(100, LIGHT, 2.5, 100, 1.5, seed)) for seed in range(8)]
    gains = np.array([each.gain for each in found])
    assert np.abs(gains / 2.5 - 1).max() < 0.01
    errors = (gains - 2.5) / [each.gain_error for each in found]
    assert 0.3 < errors.std() < 2
    expected = 1.5**2 - 100 / 2.5
    assert np.mean([each.intercept for each in found]) == pytest.approx(expected, rel=0.02)
    assert all(np.isnan(each.offset) for each in found)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_few_frames_are_unbiased_within_their_error(count: int) -> None:
    off = []
    for seed in range(12):
        found = measured(frames_of(count, LIGHT, 0.7, 300, 4, seed))
        off.append((found.slope - 1 / 0.7) / found.slope_error)
    assert abs(np.mean(off)) < 1.2
    assert 0.4 < np.std(off) < 1.7


def test_dark_frames_take_offset_and_read_noise_apart() -> None:
    fixed = np.random.default_rng(9).normal(0, 3, LIGHT.shape)
    lit = frames_of(50, LIGHT, 2.0, 100, 2.0) + fixed
    below = frames_of(50, 0 * LIGHT, 2.0, 100, 2.0, seed=1) + fixed
    dark = (below.mean(axis=0), below.var(axis=0, ddof=1), 49)
    found = measured(lit, dark=dark)
    assert found.gain == pytest.approx(2, rel=0.01)
    assert found.offset == pytest.approx(100 + fixed.mean(), abs=5 * found.offset_error)
    assert found.read_noise == pytest.approx(2, rel=0.01)


def test_pixels_that_move_or_saturate_are_left_out() -> None:
    frames = frames_of(60, LIGHT, 1.0, 50, 1)
    frames[::2, 10:14, 10:40] += 80
    frames = frames.clip(None, 560)
    full = frames.max(axis=0) >= 560
    found = measured(frames, full=full)
    assert found.gain == pytest.approx(1, rel=0.02)
    assert found.saturated == full.sum()
    assert found.left_out >= 4 * 30 - 5


def test_brightness_that_all_pixels_follow_is_taken_out() -> None:
    random = np.random.default_rng(4)
    lamp = 1 + 0.1 * random.normal(size=80)
    frames = np.stack([frames_of(1, each * LIGHT, 2, 100, 1, k)[0] for k, each in enumerate(lamp)])
    first = frames[0]
    level = (frames - first).mean(axis=(1, 2))
    level -= level.mean()
    blocks = [slice(0, 30), slice(30, 31), slice(31, 80)]
    parts = [Repeats.of(frames[each], level[each], first) for each in blocks]
    whole = parts[0].merge(parts[1]).merge(parts[2])
    np.testing.assert_allclose(whole.mean(), frames.mean(axis=0))
    np.testing.assert_allclose(whole.variance()[0], frames.var(axis=0, ddof=1), rtol=1e-9)
    plain = photon_transfer(whole.mean(), *whole.variance())
    found = photon_transfer(whole.mean(), *whole.variance(float(level @ level)))
    assert found.gain == pytest.approx(2, rel=0.02)
    assert not abs(plain.gain - 2) < 0.2


@pytest.mark.parametrize(
    "mean",
    [np.full((8, 8), 5.0), np.full((8, 8), np.nan), np.arange(4.0).reshape(2, 2)],
)
def test_too_little_to_tell_is_no_number(mean: np.ndarray) -> None:
    found = photon_transfer(mean, np.ones_like(mean), 9)
    assert np.isnan(found.gain)
    assert len(found.mean) == 0
