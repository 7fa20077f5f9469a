from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_framewise.numerics.derivatives import (
    eroded,
    gaussian_taps,
    gradient,
    gradient_radius,
    smooth,
)


@pytest.mark.parametrize("sigma", [0.5, 1.3, 3.0])
@pytest.mark.parametrize("shape", [(2, 30, 41), (17, 12, 19)])
def test_smoothing_is_scipys(sigma: float, shape: tuple[int, ...]) -> None:
    planes = np.random.default_rng(0).normal(size=shape)
    for values, wanted in zip(smooth(planes, sigma), planes, strict=True):
        expected = ndimage.gaussian_filter(wanted, sigma, truncate=4.0, radius=_radius(sigma))
        np.testing.assert_allclose(values, expected, atol=1e-12)


def _radius(sigma: float) -> int:
    return len(gaussian_taps(sigma)) // 2


@given(
    st.floats(0, 3),
    st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    st.tuples(st.integers(1, 9), st.integers(2, 9), st.integers(1, 30)),
)
def test_the_gradient_of_a_ramp_is_its_slope_up_to_the_border(
    sigma: float, slopes: list[float], shape: tuple[int, int, int]
) -> None:
    reach = gradient_radius(sigma)
    if any(1 < length <= 2 * reach for length in shape):
        return
    ramp = np.tensordot(slopes, np.indices(shape), 1)
    found = gradient(ramp, sigma, ndim=3)
    for axis in range(3):
        expected = slopes[axis] if shape[axis] > 1 else 0.0
        np.testing.assert_allclose(found[axis], expected, atol=1e-9)


def test_the_gradient_is_that_of_the_smoothed_image() -> None:
    y, x = np.indices((60, 70))
    sigma, fy, fx = 1.5, 0.11, 0.07
    wave = np.sin(2 * np.pi * (fy * y + fx * x))
    passed = np.exp(-2 * np.pi**2 * sigma**2 * (fy**2 + fx**2))
    slope = 2 * np.pi * fx * passed * np.cos(2 * np.pi * (fy * y + fx * x))
    found = gradient(wave, sigma)[1]
    # The sampled derivative differs a little from the continuous one.
    np.testing.assert_allclose(found[10:-10, 10:-10], slope[10:-10, 10:-10], atol=2e-3)


def test_planes_are_filtered_one_by_one() -> None:
    planes = np.random.default_rng(1).normal(size=(3, 2, 20, 22)).astype(np.float32)
    together = gradient(planes, 0.8)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(together[:, 1, 1], gradient(planes[1, 1], 0.8))


@pytest.mark.parametrize("sigma", [-1.0, float("nan"), float("inf")])
def test_a_sigma_that_is_none_is_refused(sigma: float) -> None:
    with pytest.raises(ValueError, match="give 0 or more pixels"):
        gaussian_taps(sigma)


def test_shared_taps_can_not_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        gaussian_taps(1.0)[0] = 1


def test_a_mask_loses_the_neighbourhood_of_its_gaps() -> None:
    valid = np.ones((12, 15), bool)
    valid[6, 7] = False
    left = eroded(valid, 2)
    assert not left[4:9, 5:10].any()
    assert left.sum() == 12 * 15 - 25
    assert eroded(np.ones((12, 15), bool), 2, outside=False).sum() == 8 * 11
