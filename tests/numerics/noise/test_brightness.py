"""Noise that grows with brightness, from one image."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from napari_framewise.numerics.noise import noise_growth


def photograph() -> np.ndarray:
    return np.asarray(ndimage.gaussian_filter(data.camera()[:256, :256] / 255.0, 1.5))


@pytest.mark.parametrize(("gain", "read"), [(1.0, 0.0), (2.5, 4.0), (0.2, 1.0)])
def test_gain_and_read_noise_of_a_photograph(gain: float, read: float) -> None:
    random, light = np.random.default_rng(1), 10 + 300 * photograph()
    seen = gain * random.poisson(light) + random.normal(0, read, light.shape)
    found = noise_growth(seen)
    true = gain**2 * light.mean() + read**2
    assert found.grows
    assert found.gain == pytest.approx(gain, rel=0.06)
    assert float(found.variance(seen).mean()) == pytest.approx(true, rel=0.04)


@pytest.mark.parametrize("sigma", [0.003, 0.03])
def test_equal_noise_does_not_grow(sigma: float) -> None:
    seen = photograph() + np.random.default_rng(2).normal(0, sigma, (256, 256))
    assert not noise_growth(seen).grows


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_units_and_what_is_missing_make_no_difference(unit: float) -> None:
    random = np.random.default_rng(3)
    seen = random.poisson(50 + 200 * photograph()).astype(float)
    use = random.random(seen.shape) > 0.01
    found = noise_growth(seen, use)
    other = noise_growth(np.where(use, seen, -1e9) * unit, use)
    assert other.gain == pytest.approx(found.gain * unit, rel=1e-9)
    assert other.growth == pytest.approx(found.growth, rel=1e-9)
    missing = noise_growth(np.where(use, seen, np.nan))
    assert missing == found


@pytest.mark.parametrize("image", [np.zeros((64, 64)), np.full((64, 64), np.nan), np.eye(5)])
def test_too_little_to_tell(image: np.ndarray) -> None:
    assert not noise_growth(image).grows


def test_planes_of_a_volume_are_taken_together() -> None:
    light = 20 + 200 * photograph()[100:196, 100:196]
    volume = np.random.default_rng(4).poisson(np.stack([light] * 6)).astype(float)
    found = noise_growth(volume)
    assert found.grows
    assert float(found.variance(volume).mean()) == pytest.approx(volume.mean(), rel=0.04)
    assert not noise_growth(volume[0, 0]).grows
