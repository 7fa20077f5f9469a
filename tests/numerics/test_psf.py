"""Kernels keep their light where it was; formulas give the widths that they name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_framewise.numerics.psf import (
    centroid,
    cropped_by_energy,
    disc_psf,
    gaussian_psf,
    kernel_of,
    motion_psf,
    point_psf,
    widths,
)


def offset(kernel: np.ndarray) -> np.ndarray:
    return centroid(kernel) - np.array(kernel.shape) // 2


@settings(max_examples=40, deadline=None)
@given(st.tuples(st.integers(1, 8), st.integers(1, 8)), st.integers(0, 1000))
def test_a_kernel_has_its_centroid_in_the_middle(shape: tuple[int, int], seed: int) -> None:
    kernel = kernel_of(np.random.default_rng(seed).random(shape) + 0.1)
    assert all(length % 2 for length in kernel.shape)
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(offset(kernel), 0, atol=5e-4)


def test_an_odd_symmetric_kernel_stays_as_it_is() -> None:
    kernel = gaussian_psf((1.3, 2.0))
    np.testing.assert_allclose(kernel_of(np.pad(7 * kernel, 3)), kernel, atol=1e-15)


def test_formulas_have_their_widths() -> None:
    np.testing.assert_allclose(
        widths(gaussian_psf((1.5, 3.0))), np.sqrt(np.array([1.5, 3.0]) ** 2 + 1 / 12), rtol=2e-3
    )
    # A uniform disc of radius r has a variance of r^2 / 4 along each axis, and a pixel adds 1/12.
    np.testing.assert_allclose(widths(disc_psf((6.0, 6.0))), np.sqrt(9 + 1 / 12), rtol=2e-3)
    line = motion_psf(9.0, 0.0)
    assert widths(line)[1] == pytest.approx(np.sqrt(81 / 12 + 1 / 6), rel=0.01)
    for kernel in (gaussian_psf((1.0, 2.0, 2.0)), disc_psf((3.3, 2.1)), motion_psf(7.3, 33.0)):
        assert kernel.sum() == pytest.approx(1)
        np.testing.assert_allclose(offset(kernel), 0, atol=1e-12)


def test_motion_goes_from_right_to_down() -> None:
    line = motion_psf(9.0, 45.0)
    middle = line.shape[0] // 2
    assert line[middle + 2, middle + 2] > 10 * line[middle + 2, middle - 2]


def test_a_crop_holds_its_share_of_the_light() -> None:
    kernel = gaussian_psf((2.0, 2.0))
    part = cropped_by_energy(kernel, 0.95)
    # Of a round Gaussian the share inside r is 1 - exp(-r^2 / 2 sigma^2).
    assert part.shape[0] // 2 == pytest.approx(2 * np.sqrt(-2 * np.log(0.05)), abs=1)
    assert part.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((3, 3)), "zeros alone"),
        (np.full((3, 3), np.nan), "without a number"),
        (np.array([[1.0, -2.0]]), "sum to zero or less"),
        (np.ones((2, 2, 2, 2)), "one to three axes"),
    ],
)
def test_what_is_no_psf_is_refused(image: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        kernel_of(image)


@pytest.mark.parametrize("photons", [True, False])
@pytest.mark.parametrize("peak", [5000.0, 300.0])
def test_stated_errors_of_a_place_cover(photons: bool, peak: float) -> None:
    y, x = np.mgrid[:41, :41]
    inside = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        place = 20 + random.uniform(-0.5, 0.5, 2)
        light = 100 + peak * np.exp(-((y - place[0]) ** 2 + (x - place[1]) ** 2) / 4.5)
        seen = random.poisson(light) if photons else light + random.normal(0, 10, light.shape)
        found = point_psf(seen, (8, 8))
        inside.append(np.abs(found.place - place) < 1.96 * found.place_error)
    # Of 80; by the ring alone it was 0.55 to 0.75 of photons.
    assert 0.87 <= np.mean(inside) <= 1.0
