from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from napari_framewise.numerics.noise import sigma_of_image


@pytest.mark.parametrize("shape", [(200, 300), (40, 50, 60), (5, 60), (20, 20)])
def test_white_noise_on_a_ramp_is_measured(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    ramp = np.tensordot(np.arange(1, len(shape) + 1), np.indices(shape), 1)
    found = sigma_of_image(ramp + rng.normal(0, 3.0, shape))
    assert found == pytest.approx(3.0, rel=0.04 if np.prod(shape) > 1e4 else 0.2)


@pytest.mark.parametrize("sigma", [10.0, 20.0])
def test_texture_adds_little(sigma: float) -> None:
    picture = data.camera()[::2, ::2].astype(float)
    noisy = picture + np.random.default_rng(2).normal(0, sigma, picture.shape)
    assert sigma_of_image(noisy) == pytest.approx(sigma, rel=0.1)


def test_impulses_and_a_masked_object_add_little() -> None:
    rng = np.random.default_rng(3)
    image = rng.normal(50, 2.0, (200, 200))
    image[rng.random(image.shape) < 0.02] = 4000.0
    assert sigma_of_image(image) == pytest.approx(2.0, rel=0.25)
    valid = np.ones(image.shape, bool)
    valid[20:120] = False
    other = np.where(valid, image, 1e9)
    assert sigma_of_image(other, valid) == sigma_of_image(np.where(valid, image, np.nan))
    assert sigma_of_image(other, valid) == pytest.approx(2.0, rel=0.25)


@pytest.mark.parametrize("factor", [1e-30, 1e-3, 1e30, 1e300])
def test_units_do_not_matter(factor: float) -> None:
    image = np.random.default_rng(4).normal(100, 3, (64, 64))
    assert sigma_of_image(factor * image) == pytest.approx(factor * sigma_of_image(image), rel=1e-9)
    assert sigma_of_image(np.ldexp(image, 40)) == np.ldexp(sigma_of_image(image), 40)


def test_where_nothing_can_be_said() -> None:
    assert np.isnan(sigma_of_image(np.full((9, 9), np.nan)))
    assert np.isnan(sigma_of_image(np.zeros((2, 2))))
    assert sigma_of_image(np.full((30, 30), 7, np.uint16)) == 0
    smooth = ndimage.gaussian_filter(np.random.default_rng(5).normal(size=(90, 90)), 2)
    assert sigma_of_image(smooth) < 0.2 * smooth.std()
