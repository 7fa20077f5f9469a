from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics.bilateral import bilateral_filter
from napari_framewise.numerics.tonemapping import Tones, base_of, luminance, tone_mapped


def room(colours: int = 3, seed: int = 0) -> np.ndarray:
    """A dark and a bright half (five decades) with texture, and a hue: (1, 60, 80, c)."""
    rng = np.random.default_rng(seed)
    light = np.where(np.arange(80) < 40, 1e-2, 1e3) * np.ones((60, 1))
    light = light * np.exp(rng.normal(0, 0.1, light.shape))
    hue = np.array([1.0, 0.6, 0.3])[:colours]
    return (light[..., None] * hue)[None]


def tones(**given) -> Tones:
    frames = room()
    light = luminance(frames)
    _, base = base_of(frames, (3.0, 3.0), 0.4, 1e-4, 1.0)
    low, high = (10.0 ** float(each) for each in (base.min(), base.max()))
    floor = float(light.min()) / 10
    return Tones(**({"sigma": (3.0, 3.0), "range_sigma": 0.4, "low": low, "high": high,
                     "floor": floor, "gamma": 1.0} | given))  # fmt: skip


@pytest.mark.parametrize("contrast", [2.0, 5.0, 50.0])
def test_the_base_has_the_contrast_asked_for_and_the_detail_stays(contrast) -> None:
    frames = room(1)
    decades = np.log10(frames[..., 0])
    base = bilateral_filter(decades[..., None], 3.0, 0.4)[..., 0]
    made = Tones((3.0, 3.0), 0.4, 10 ** base.min(), 10 ** base.max(), 1e-4, contrast, gamma=1.0)
    assert (base.max() - base.min()) * made.factor == pytest.approx(np.log10(contrast))
    # Much darker, so that no detail is clipped at 1.
    shown = np.log10(tone_mapped(frames * 1e-2, made)[..., 0].astype(float))
    wanted = made.factor * (base - 2 - base.max()) + decades - base
    np.testing.assert_allclose(shown, wanted, atol=0.03)


def test_colours_keep_their_proportions() -> None:
    shown = tone_mapped(room() * 1e-3, tones())
    np.testing.assert_allclose(shown[..., 1] / shown[..., 0], 0.6, rtol=1e-5)
    np.testing.assert_allclose(shown[..., 2] / shown[..., 0], 0.3, rtol=1e-5)


def test_negative_and_dark_light_stays_finite_and_what_is_missing_stays_missing() -> None:
    frames = room()
    frames[0, 5:8, 5:8] = -0.01
    frames[0, 9, 9] = 0
    frames[0, 20:23, 50:53, 1] = np.nan
    shown = tone_mapped(frames, tones())
    missing = np.isnan(frames).any(axis=-1)
    np.testing.assert_array_equal(np.isnan(shown), np.repeat(missing[..., None], 3, axis=-1))
    assert np.nanmin(shown) == 0
    assert np.nanmax(shown) <= 1
    other = frames.copy()
    other[0, 20:23, 50:53, 0] = 1e9
    np.testing.assert_array_equal(tone_mapped(other, tones()), shown)


def test_a_scene_of_less_contrast_is_not_stretched() -> None:
    flat = np.full((1, 20, 20, 1), 3.0)
    made = Tones((2.0, 2.0), 0.4, 3.0, 3.0, 0.01, gamma=1.0)
    np.testing.assert_allclose(tone_mapped(flat, made), 1.0, rtol=1e-6)
    assert Tones((2.0, 2.0), 0.4, 1.0, 2.0, 0.01, contrast=5).factor == 1


@pytest.mark.parametrize("unit", [2.0**-60, 2.0**80, 1e6])
def test_units_change_nothing(unit) -> None:
    made = tones()
    scaled = tones(low=made.low * unit, high=made.high * unit, floor=made.floor * unit)
    plain, other = tone_mapped(room(), made), tone_mapped(room() * unit, scaled)
    np.testing.assert_allclose(other, plain, rtol=0 if np.log2(unit) % 1 == 0 else 3e-3)


def test_a_band_has_the_bits_of_the_frame() -> None:
    made = tones()
    halo = made.reach
    frames = np.tile(room(), (1, 3, 1, 1))
    whole = tone_mapped(frames, made)
    top, bottom = 80 - halo, 100 + halo
    found = tone_mapped(frames[:, top:bottom], made, (halo, halo + 20), top)
    np.testing.assert_array_equal(found, whole[:, 80:100])


def test_an_opacity_stays() -> None:
    frames = np.concatenate([room(), np.full((1, 60, 80, 1), 0.25)], axis=-1)
    shown = tone_mapped(frames, tones())
    np.testing.assert_array_equal(shown[..., 3], np.float32(0.25))
    np.testing.assert_array_equal(shown[..., :3], tone_mapped(room(), tones()))
