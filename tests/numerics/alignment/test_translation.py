"""Shifts in noise, of small frames, of scenes with little to see, beside what stays put."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from napari_framewise.numerics.alignment import Settings, Status, align, prepare
from napari_framewise.numerics.transforms import Motion

from .scenes import grid, scene


def noisy_pair(seed: int, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two frames of 96 x 100 of a scene that moved, with white noise; and by how much."""
    rng = np.random.default_rng(seed)
    at = grid((96, 100)) + rng.uniform(0, 60, 2)
    shift = rng.uniform(-5, 5, 2)
    first, second = scene(at + shift), scene(at)
    noise = [rng.normal(0, sigma * second.std(), second.shape) for _ in range(2)]
    return first + noise[0], second + noise[1], shift


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_shifts_are_found_in_strong_noise(sigma: float) -> None:
    found, errors = 0, []
    for seed in range(8):
        small, large, shift = noisy_pair(seed, sigma)
        each = align(prepare(small, settings=Settings(motion="translation")), large)
        assert each.status in (Status.CONVERGED, Status.NOISY, Status.AMBIGUOUS)
        if each.found:
            found += 1
            errors.append((each.matrix[:2, 2] - shift) / np.sqrt(np.diag(each.covariance)))
    assert found >= 7
    assert np.abs(errors).max() < 4
    assert 0.5 < np.sqrt(np.mean(np.square(errors))) < 1.6


@pytest.mark.parametrize("side", [8, 12, 16, 24])
def test_small_frames_are_aligned(side: int) -> None:
    at = grid((side, side)) * 3.0
    for shift in ([0.4, -0.3], [1.2, 0.7]):
        small, large = scene(at + 3 * np.array(shift) + 40), scene(at + 40)
        found = align(prepare(small, settings=Settings(motion="translation")), large)
        assert found.found
        # Of 8 pixels a side four are left between the borders, and of 12 eight.
        atol = 0.15 if side <= 12 else 0.06
        np.testing.assert_allclose(found.matrix[:2, 2], shift, atol=atol)


def test_a_single_blob_in_noise_is_aligned() -> None:
    rng = np.random.default_rng(3)
    at = grid((64, 64))

    def blob(row: float, column: float) -> np.ndarray:
        square = (at[..., 0] - row) ** 2 + (at[..., 1] - column) ** 2
        return 100 * np.exp(-square / (2 * 8.0**2)) + rng.normal(0, 10, (64, 64))

    for shift in ([3.2, -2.1], [-4.4, 0.6], [0.0, 5.0]):
        small = blob(31.0 - shift[0], 33.0 - shift[1])
        found = align(prepare(small, settings=Settings(motion="translation")), blob(31.0, 33.0))
        assert found.status == Status.CONVERGED
        np.testing.assert_allclose(found.matrix[:2, 2], shift, atol=0.6)


@pytest.mark.parametrize("dead", ["column", "row", "dark column", "patch"])
def test_lines_that_stay_put_do_not_hold_the_answer(dead: str) -> None:
    camera = data.camera().astype(float)
    noise = np.random.default_rng(4).normal(0, 2, (2, 128, 128))
    small, large = camera[203:331, 196:324] + noise[0], camera[200:328, 200:328] + noise[1]
    shift = [3.0, -4.0]
    for each in (small, large):
        if dead == "column":
            each[:, 40] = 600
        elif dead == "row":
            each[31] = 500
        elif dead == "dark column":
            each[:, 71] = 0
        else:
            each[30:37, 50:57] = 700
    found = align(prepare(small, settings=Settings(motion="translation")), large)
    assert found.status == Status.CONVERGED
    np.testing.assert_allclose(found.matrix[:2, 2], shift, atol=0.1)


def test_overlap_is_counted_alike_for_every_type() -> None:
    small, large, _ = noisy_pair(6, 0.0)
    overlaps = {
        align(
            prepare(small.astype(kind), settings=Settings(motion="translation")),
            large.astype(kind),
        ).overlap
        for kind in (np.float32, np.float64)
    }
    assert len(overlaps) == 1


@pytest.mark.parametrize("motion", ["translation", "euclidean"])
@pytest.mark.parametrize("dead", ["bright column", "three dead columns", "bright row"])
def test_lines_of_the_detector_do_not_hold_a_smooth_scene(motion: Motion, dead: str) -> None:
    rng = np.random.default_rng(8)
    at = 0.4 * grid((96, 104)) + 30
    shift = np.array([3.3, -4.2])
    small, large = (
        each + rng.normal(0, 0.05 * each.std(), each.shape)
        for each in (scene(at + 0.4 * shift), scene(at))
    )
    top = 1.5 * float(large.max())
    for each in (small, large):
        if dead == "bright row":
            each[41] = top
        elif dead == "bright column":
            each[:, 40] = top
        else:
            each[:, [20, 47, 48]] = 0
    found = align(prepare(small, settings=Settings(motion=motion)), large)
    assert found.status == Status.CONVERGED
    middle = np.array([47.5, 51.5, 1])
    np.testing.assert_allclose((found.matrix @ middle - middle)[:2], shift, atol=0.15)
