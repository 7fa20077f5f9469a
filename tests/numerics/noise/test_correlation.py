from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_framewise.numerics.noise import autocorrelation, variance_factor


def test_white_noise_hangs_together_nowhere() -> None:
    found = autocorrelation(np.random.default_rng(1).normal(size=(200, 200)))
    assert found[4, 4] == 1
    assert np.count_nonzero(found) <= 3
    assert variance_factor(found) == pytest.approx(1.0, abs=0.05)


def test_smoothed_noise_has_its_kernels_correlation() -> None:
    kernel = np.outer([1, 2, 1], [1, 4, 1]) / 24
    noise = np.random.default_rng(2).normal(size=(300, 300))
    found = autocorrelation(ndimage.convolve(noise, kernel, mode="wrap"), reach=3)
    known = ndimage.convolve(np.pad(kernel, 3), kernel, mode="constant")[1:-1, 1:-1]
    np.testing.assert_allclose(found, known / known.max(), atol=0.03)
    # The variance of a mean of many pixels, by the sum of the kernel.
    assert variance_factor(found) == pytest.approx(1 / np.sum(kernel**2), rel=0.08)


def test_impulses_and_gaps_do_not_hide_it() -> None:
    rng = np.random.default_rng(3)
    noise = ndimage.gaussian_filter(rng.normal(size=(200, 200)), 1.0)
    plain = autocorrelation(noise)
    holes = rng.random(noise.shape) > 0.1
    spoiled = np.where(rng.random(noise.shape) < 0.01, 1e6, noise)
    np.testing.assert_allclose(autocorrelation(spoiled, holes), plain, atol=0.06)
    np.testing.assert_array_equal(
        autocorrelation(np.where(holes, spoiled, 1e30), holes), autocorrelation(spoiled, holes)
    )


@pytest.mark.parametrize("values", [np.zeros((50, 50)), np.full((9, 9), np.nan), np.ones((2, 3))])
def test_where_nothing_can_be_said_pixels_are_independent(values: np.ndarray) -> None:
    found = autocorrelation(values, reach=2)
    assert found.sum() == found[2, 2] == 1


def test_volumes_too() -> None:
    noise = ndimage.gaussian_filter1d(np.random.default_rng(4).normal(size=(20, 40, 40)), 1.0, 0)
    found = autocorrelation(noise, reach=1)
    assert found[0, 1, 1] == pytest.approx(np.exp(-0.25), abs=0.05)
    assert abs(found[1, 1, 0]) < 0.05
