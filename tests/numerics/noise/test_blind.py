from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import color, data

from napari_framewise.numerics.noise import blind_sigma, sigma_of_image


def grey(name: str) -> np.ndarray:
    image = getattr(data, name)()
    return np.asarray(image if image.ndim == 2 else 255 * color.rgb2gray(image), float)


def test_repeated_white_noise_is_right_on_average_and_its_error_is_stated() -> None:
    random = np.random.default_rng(0)
    for shape in ((64, 64), (128, 96)):
        found = [blind_sigma(random.normal(7, 3, shape)) for _ in range(60)]
        sigmas = np.array([each.sigma for each in found])
        assert sigmas.mean() == pytest.approx(3, rel=0.01)
        assert sigmas.std() == pytest.approx(np.mean([each.error for each in found]), rel=0.35)
        assert not any(each.doubtful for each in found)


def test_photographs_at_two_levels_of_noise() -> None:
    # Parameters were chosen on other photographs.
    names = (
        "astronaut",
        "brick",
        "camera",
        "cell",
        "chelsea",
        "coffee",
        "coins",
        "grass",
        "gravel",
    )
    off: dict[float, list[float]] = {5.0: [], 20.0: []}
    plain: dict[float, list[float]] = {5.0: [], 20.0: []}
    for seed, name in enumerate(names):
        image = grey(name)
        noise = np.random.default_rng(seed).normal(0, 1, image.shape)
        for sigma in off:
            off[sigma].append(abs(blind_sigma(image + sigma * noise).sigma / sigma - 1))
            plain[sigma].append(abs(sigma_of_image(image + sigma * noise) / sigma - 1))
    assert np.mean(off[20.0]) < 0.025
    assert np.median(off[5.0]) < 0.05
    for sigma in off:
        assert np.mean(off[sigma]) < 0.6 * np.mean(plain[sigma])


def test_texture_and_correlated_noise_are_doubted() -> None:
    random = np.random.default_rng(2)
    assert blind_sigma(grey("grass") + random.normal(0, 5, (512, 512))).doubtful
    noise = random.normal(0, 1, (256, 257))
    assert blind_sigma(noise[:, 1:] + noise[:, :-1]).doubtful


def test_structure_is_left_out() -> None:
    random = np.random.default_rng(3)
    y, x = np.mgrid[:128, :128]
    scene = 0.7 * y + 100 * (x > 80) + 30 * np.sin(y * x / 200) * (x < 50)
    found = blind_sigma(scene + random.normal(0, 2, scene.shape))
    assert found.sigma == pytest.approx(2, rel=0.04)
    assert found.share < 0.8


@pytest.mark.parametrize("under", [0.0, 1e12, np.nan, np.inf])
def test_what_is_under_a_mask_never_enters(under: float) -> None:
    random = np.random.default_rng(4)
    image = random.normal(50, 2, (96, 96))
    mask = np.ones(image.shape, bool)
    mask[20:40, 50:90] = False
    expected = blind_sigma(np.where(mask, image, 1.0), mask)
    assert blind_sigma(np.where(mask, image, under), mask) == expected
    assert expected.sigma == pytest.approx(2, rel=0.05)


def test_volumes_are_their_planes_taken_together() -> None:
    random = np.random.default_rng(5)
    assert blind_sigma(random.normal(0, 2, (6, 64, 64))).sigma == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (9, 9), (40,)])
def test_small_images_are_left_to_second_differences(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(6).normal(0, 1, shape)
    found = blind_sigma(image)
    np.testing.assert_equal(found.sigma, sigma_of_image(image))
    assert np.isnan(found.share)


def test_flat_and_empty_images() -> None:
    assert blind_sigma(np.full((64, 64), 7.0)).sigma == 0
    assert blind_sigma(np.zeros((64, 64))).sigma == 0
    assert np.isnan(blind_sigma(np.full((64, 64), np.nan)).sigma)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-60, 60), st.floats(-1e3, 1e3))
def test_units_scale_the_same_bits(seed: int, power: int, offset: float) -> None:
    image = np.random.default_rng(seed).normal(offset, 1, (48, 56))
    found, scaled = blind_sigma(image), blind_sigma(image * 2.0**power)
    assert scaled.sigma == found.sigma * 2.0**power
    assert (scaled.share, scaled.colour) == (found.share, found.colour)
