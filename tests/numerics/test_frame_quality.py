"""Bad frames: each kind is found, and a good stack has none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_framewise.numerics import frame_quality as numerics


def movie(count: int = 30, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    scene = ndimage.gaussian_filter(rng.normal(size=(60, 70)), 1.5)
    scene = 90 + 40 * scene / scene.std()
    return np.clip(np.rint(scene + rng.normal(0, 8, (count, 60, 70))), 0, 255)


def codes(frames: np.ndarray) -> np.ndarray:
    return numerics.content_reasons(numerics.looks(frames, 255.0))


@pytest.mark.parametrize("seed", range(4))
def test_a_good_stack_has_no_bad_frames(seed: int) -> None:
    frames = movie(seed=seed)
    assert not codes(frames).any()
    fading = 20 + (frames - 20) * np.linspace(1, 0.3, len(frames))[:, None, None]
    assert not codes(fading).any()


def test_each_kind_of_bad_frame_is_found() -> None:
    frames = movie()
    frames[3] = 0
    frames[4] = np.nan
    frames[9] = np.clip(frames[9] * 4, 0, 255)
    rng = np.random.default_rng(2)
    frames[15] = ndimage.gaussian_filter(frames[15], 4) + rng.normal(0, 8, frames[15].shape)
    wanted = np.zeros(len(frames), int)
    wanted[[3, 4]] = numerics.BLANK
    wanted[9], wanted[15] = numerics.SATURATED, numerics.BLURRED
    np.testing.assert_array_equal(codes(frames), wanted)


def test_hot_pixels_are_no_lack_of_focus_and_noise_alone_is_noise() -> None:
    frames = movie()
    rng = np.random.default_rng(7)
    frames[0][tuple(rng.integers(0, 60, (2, 15)))] = 1e5
    frames[12] = rng.normal(90, 40, frames[12].shape)
    wanted = np.zeros(len(frames), int)
    wanted[12] = numerics.NOISE
    np.testing.assert_array_equal(numerics.content_reasons(numerics.looks(frames)), wanted)


@pytest.mark.parametrize("unit", [2.0**-40, 1.0, 2.0**40])
def test_units_change_nothing(unit: float) -> None:
    frames = movie()
    frames[7] = ndimage.gaussian_filter(frames[7], 4)
    found = numerics.content_reasons(numerics.looks(frames * unit, 255.0 * unit))
    np.testing.assert_array_equal(found, codes(frames))


def test_a_jump_that_stays_is_no_bad_frame() -> None:
    rng = np.random.default_rng(5)
    path = rng.normal(0, 0.2, (40, 2))
    path[20:] += [8, -5]
    none = np.zeros(40, int)
    assert not numerics.alignment_reasons(none, np.full(40, 0.9), path).any()
    path[30] += 12
    found = numerics.alignment_reasons(none, np.full(40, 0.9), path)
    assert np.flatnonzero(found).tolist() == [30]
    drift = np.column_stack([np.linspace(0, 60, 40), np.linspace(0, -30, 40)])
    assert not numerics.alignment_reasons(none, np.full(40, 0.9), drift).any()


def test_a_frame_that_is_unlike_the_others_is_marked() -> None:
    rng = np.random.default_rng(6)
    correlation = 0.9 + rng.normal(0, 0.005, 30)
    correlation[11] = 0.3
    correlation[12] = np.nan
    found = numerics.alignment_reasons(np.zeros(30, int), correlation, np.zeros((30, 2)))
    assert np.flatnonzero(found).tolist() == [11]
    assert numerics.REASONS[found[11]] == "low correlation"
