"""Lee filters against their equations, window by window, and noise of known strength."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.speckle import (
    enhanced_lee,
    fit_of_image,
    growth_of_noise,
    lee,
    lee_additive,
    looks_of_image,
    variation_of_looks,
)

RNG = np.random.default_rng(12)


def by_hand(frame: NDArray[np.float64], kind: str, noise: float, damping: float = 1.0) -> object:
    out = np.full(frame.shape, np.nan)
    for y, x in np.ndindex(frame.shape):
        window = frame[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        window = window[np.isfinite(window)]
        if not math.isfinite(frame[y, x]):
            continue
        mean, variance = window.mean(), window.var()
        if kind == "lee":
            signal = max(0.0, variance - mean**2 * noise**2) / (1 + noise**2)
            k = signal / (signal + mean**2 * noise**2)
        elif kind == "additive":
            k = max(0.0, variance - noise**2) / variance if variance else 0.0
        else:
            here, most = math.sqrt(variance) / mean, math.sqrt(1 + 2 * noise**2)
            k = 0.0 if here <= noise else 1.0
            if noise < here < most:
                k = 1 - math.exp(-damping * (here - noise) / (most - here))
        out[y, x] = mean + k * (frame[y, x] - mean)
    return out


def test_the_filters_are_their_equations() -> None:
    frame = 30 * RNG.gamma(3, 1 / 3, (15, 16))
    frame[4:7, 5:9] = 900.0
    frame[RNG.random(frame.shape) < 0.2] = np.nan
    frame[9, 9] = np.inf
    for found, wanted in (
        (lee(frame[None], 0.5, (5, 5)), by_hand(frame, "lee", 0.5)),
        (lee_additive(frame[None], 9.0, (5, 5)), by_hand(frame, "additive", 9.0)),
        (
            enhanced_lee(frame[None], 0.5, (5, 5), damping=1.5),
            by_hand(frame, "enhanced", 0.5, 1.5),
        ),
    ):
        np.testing.assert_allclose(found.values[0], wanted, rtol=1e-11)
        np.testing.assert_array_equal(np.isnan(found.weight[0]), ~np.isfinite(frame))


def test_four_looks_are_smoothed_without_bias() -> None:
    frames = 100 * np.random.default_rng(30).gamma(4, 1 / 4, (1, 512, 512))
    inner = np.s_[0, 8:-8, 8:-8]
    for function, least in ((lee, 115), (enhanced_lee, 150)):
        found = function(frames, 0.5, (7, 7)).values
        assert (found[inner].mean() / found[inner].std()) ** 2 >= least
        assert abs(found.mean() / frames.mean() - 1) < 0.002


def test_points_stay_in_the_enhanced_filter() -> None:
    frames = 100 * RNG.gamma(4, 1 / 4, (1, 64, 64))
    frames[0, 32, 32] = 5e4
    assert enhanced_lee(frames, 0.5, (7, 7)).values[0, 32, 32] == 5e4


@pytest.mark.parametrize("function", [lee, lee_additive, enhanced_lee])
def test_no_pixel_depends_on_what_is_masked(function: object) -> None:
    frames = 50 * RNG.gamma(4, 1 / 4, (2, 20, 21))
    mask = RNG.random((2, 20, 21)) < 0.7
    found = function(frames, 0.5, (5, 5), mask)  # type: ignore[operator]
    for below in (np.nan, np.inf, -1e30, 0.0):
        other = function(np.where(mask, frames, below), 0.5, (5, 5), mask)  # type: ignore[operator]
        np.testing.assert_array_equal(other.values, found.values)
    np.testing.assert_array_equal(np.isnan(found.values), ~mask)


def test_flat_frames_stay_flat() -> None:
    for value in (0.0, 0.1, -7.0):
        frames = np.full((1, 9, 9), value)
        for function in (lee, lee_additive, enhanced_lee):
            np.testing.assert_array_equal(function(frames, 0.5, (3, 3)).values, frames)


def test_the_variation_of_looks_is_that_of_gamma_and_nakagami() -> None:
    for looks in (1, 3.3, 50):
        intensity = RNG.gamma(looks, 1 / looks, 400_000)
        for amplitude, values in ((False, intensity), (True, np.sqrt(intensity))):
            wanted = values.std() / values.mean()
            assert variation_of_looks(looks, amplitude) == pytest.approx(wanted, rel=0.01)
    assert variation_of_looks(math.inf) == variation_of_looks(math.inf, True) == 0


@pytest.mark.parametrize("amplitude", [False, True])
@pytest.mark.parametrize("looks", [1, 4, 25, 400])
def test_looks_are_estimated_on_a_scene(looks: int, amplitude: bool) -> None:
    rng = np.random.default_rng(77 + looks)
    scene = 10 + 200 * (ndimage.gaussian_filter(rng.normal(size=(256, 256)), 12) > 0)
    values = scene * rng.gamma(looks, 1 / looks, scene.shape)
    values = np.sqrt(values) if amplitude else values
    values[:, 100:130] = np.nan
    found = looks_of_image(values, amplitude=amplitude)
    assert found == pytest.approx(looks, rel=0.15)
    assert looks_of_image(values * 2.0**30, amplitude=amplitude) == found
    assert growth_of_noise(values) == pytest.approx(1, abs=0.25)


def test_which_model_fits() -> None:
    ramp = np.linspace(5, 60, 256) * np.ones((256, 1))
    assert abs(growth_of_noise(ramp + RNG.normal(0, 2, ramp.shape))) < 0.15
    assert growth_of_noise(RNG.poisson(ramp).astype(float)) == pytest.approx(0.5, abs=0.15)
    assert math.isnan(growth_of_noise(ramp[:8]))
    assert math.isnan(growth_of_noise(-ramp))
    found = fit_of_image(RNG.normal(-20, 2, (128, 128)))
    assert found.negative == 1
    assert found.sigma == pytest.approx(2, rel=0.1)
    assert math.isnan(found.looks)


def test_nothing_to_tell_from() -> None:
    assert math.isnan(looks_of_image(np.full((9, 9), np.nan)))
    assert looks_of_image(np.full((9, 9), 3.0)) == math.inf
    assert math.isnan(looks_of_image(np.ones((1, 1))))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: lee(x, -1, (3, 3)), "from 0 on"),
        (lambda x: lee_additive(x, float("nan"), (3, 3)), "from 0 on"),
        (lambda x: enhanced_lee(x, 0.5, (3, 3), damping=-1), "damping"),
        (lambda x: lee(x, 0.5, (2, 3)), "an odd number is needed"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.ones((1, 5, 5)))  # type: ignore[operator]
