from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics.bilateral import accuracy_of, bilateral_filter, choose


def frame(shape: tuple[int, ...] = (180, 170), seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    places = np.indices(shape)
    image = (places.sum(axis=0) // 20 % 3) * 0.3 + rng.normal(0, 0.05, shape)
    return image[None, ..., None]


def test_the_exact_sum_is_as_near_as_it_says() -> None:
    there = accuracy_of(frame().astype(np.float32), (2.0, 2.0), 0.1, None)
    assert there.decibels > 110
    assert there.places == 256


@pytest.mark.parametrize("per_sigma", [1, 2])
def test_the_accuracy_of_a_grid_is_that_of_the_frame(per_sigma) -> None:
    frames = frame()
    exact = bilateral_filter(frames, 8.0, 0.1)
    error = bilateral_filter(frames, 8.0, 0.1, per_sigma=per_sigma) - exact
    true = 20 * np.log10(np.ptp(frames) / np.sqrt(np.mean(error**2)))
    assert accuracy_of(frames, (8.0, 8.0), 0.1, per_sigma).decibels == pytest.approx(true, abs=2)


def test_the_faster_way_is_taken_at_the_accuracy_asked_for() -> None:
    frames = frame()
    assert choose(frames, (1.5, 1.5), 0.1, 60.0) is None
    coarse, fine = (choose(frames, (16.0, 16.0), 0.1, asked) for asked in (45.0, 65.0))
    assert coarse == 1
    assert fine is not None
    assert fine > coarse
    assert accuracy_of(frames, (16.0, 16.0), 0.1, fine).decibels >= 65
    # What no grid reaches is summed, unless a grid was asked for.
    assert choose(frames, (16.0, 16.0), 0.1, 119.0) is None
    assert choose(frames, (16.0, 16.0), 0.1, 119.0, exact=False) == 4
    # A guide of colours has no grid.
    colours = np.repeat(frames, 3, axis=-1)
    assert choose(frames, (16.0, 16.0), 0.1, 45.0, guide=colours) is None


def test_a_frame_without_data_or_range_is_no_error() -> None:
    empty = np.full((1, 30, 30, 1), np.nan)
    assert np.isnan(accuracy_of(empty, (2.0, 2.0), 0.1, None).decibels)
    assert choose(empty, (16.0, 16.0), 0.1, 65.0) in (None, 1)
    assert accuracy_of(np.ones((1, 30, 30, 1)), (2.0, 2.0), 0.1, 2).decibels == np.inf


@pytest.mark.parametrize("seed", [0, 3])
def test_a_mask_and_a_guide_count(seed) -> None:
    frames, guide = frame(seed=seed), frame(seed=seed + 1)
    use = np.random.default_rng(seed).uniform(size=(1, 180, 170)) > 0.5
    there = accuracy_of(frames, (3.0, 3.0), 0.1, None, guide=guide, mask=use)
    assert there.decibels > 110
