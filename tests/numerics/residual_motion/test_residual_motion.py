"""Motion that is left: none in a still stack of noise, and as much as was put in."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_framewise.numerics import residual_motion as numerics

SHAPE = (72, 80)
COUNT = 240


def scene(shift: np.ndarray, seed: int = 3) -> np.ndarray:
    """Blobs, drawn where they are: nothing is interpolated."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    found = np.zeros(SHAPE)
    for _ in range(60):
        row, column = rng.uniform(0, 72) + shift[0], rng.uniform(0, 80) + shift[1]
        width, height = rng.uniform(2, 4), rng.uniform(0.3, 1)
        found += height * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * width**2))
    return found


def judged(frames: np.ndarray, components: int = 5) -> tuple[float, float, float, list]:
    """The passes over a stack, in memory."""
    use = np.isfinite(frames).all(axis=0)
    mean = frames.mean(axis=0)
    rows = numerics.centred(frames, mean, use)
    basis = numerics.first_basis(rows.shape[1], components)
    for _ in range(4):
        basis = numerics.orthonormal(numerics.power_step(rows, basis))
    found = numerics.principal(numerics.scores(rows, basis), components)
    weights = numerics.extremes(found, np.ones(len(frames), bool))
    total, number = numerics.sums_of(frames, weights)
    means = total / number
    parts = [
        numerics.judge(
            means[2 * k], means[2 * k + 1], use, found[:, k], weights[:, 2 * k : 2 * k + 2]
        )
        for k in range(components)
    ]
    return *numerics.motion_left(parts), numerics.least_seen(mean, use, found[:, -1]), parts


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_a_still_stack_of_noise_has_no_motion(noise: float) -> None:
    rng = np.random.default_rng(1)
    frames = scene(np.zeros(2)) + rng.normal(0, noise, (COUNT, *SHAPE))
    motion, upper, least, _ = judged(frames)
    assert motion < 0.02
    assert upper < 0.05
    assert least < 0.3


@pytest.mark.parametrize("size", [0.08, 0.3, 2.0])
def test_known_motion_is_found(size: float) -> None:
    rng = np.random.default_rng(2)
    shifts = rng.normal(0, size, (COUNT, 2))
    frames = np.array([scene(each) for each in shifts]) + rng.normal(0, 0.05, (COUNT, *SHAPE))
    motion, upper, least, _ = judged(frames)
    truth = np.sqrt(((shifts - shifts.mean(axis=0)) ** 2).sum(axis=1).mean())
    assert least < size
    assert motion == pytest.approx(truth, rel=0.15)
    assert upper > 0.9 * truth


def test_cells_that_flash_are_no_motion() -> None:
    rng = np.random.default_rng(4)
    base, extra = scene(np.zeros(2)), scene(np.zeros(2), seed=9)
    flashes = rng.gamma(1.0, 0.5, COUNT)
    frames = base + flashes[:, None, None] * extra + rng.normal(0, 0.05, (COUNT, *SHAPE))
    motion, _, _, parts = judged(frames)
    assert motion < 0.05
    assert not any(each.moves for each in parts)
    # The same flashes, with motion beside them.
    shifts = rng.normal(0, 0.3, (COUNT, 2))
    moving = [
        ndimage.shift(base + 0.3 * one * extra, each, order=3)
        for one, each in zip(flashes, shifts, strict=True)
    ]
    motion, *_ = judged(np.array(moving) + rng.normal(0, 0.05, (COUNT, *SHAPE)))
    assert motion == pytest.approx(0.3 * np.sqrt(2), rel=0.25)
    assert len(parts) == 5


def test_black_borders_are_known_by_their_lines_of_zeros() -> None:
    frames = np.ones((2, 20, 24))
    frames[0, :4] = 0
    frames[1, :, 20:] = 0
    frames[1, 8:10, 8:10] = 0
    found = numerics.padding(frames)
    assert found[0, :4].all()
    assert found[0].sum() == 4 * 24
    assert found[1].sum() == 4 * 20
    assert not numerics.padding(np.ones((1, 5, 5))).any()


def test_binning_averages_what_there_is() -> None:
    frames = np.arange(2 * 5 * 6, dtype=float).reshape(2, 5, 6)
    frames[0, 0, 0] = np.nan
    frames[1, :2, :2] = np.nan
    found = numerics.binned(frames, 2)
    assert found.shape == (2, 2, 3)
    assert found[0, 0, 0] == np.nanmean(frames[0, :2, :2])
    assert np.isnan(found[1, 0, 0])
    np.testing.assert_array_equal(found[:, 1, 1], frames[:, 2:4, 2:4].mean(axis=(1, 2)))
