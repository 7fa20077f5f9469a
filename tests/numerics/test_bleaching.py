"""Decays beside scipy's curve_fit and repeated noise; histograms beside scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit
from skimage.exposure import match_histograms

from napari_framewise.numerics.bleaching import (
    decay_gains,
    fit_decay,
    levels_of,
    match_levels,
    misfit_of,
    ratio_gains,
)


def decaying(
    n: int = 80, half_life: float = 20.0, level: float = 60.0, noise: float = 0.5, seed: int = 0
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100 * 0.5 ** (np.arange(n) / half_life) + level + rng.normal(0, noise, n)


@pytest.mark.parametrize("level", [True, False])
def test_is_scipys_curve_fit(level) -> None:
    values = decaying(level=60 if level else 0)
    times = 3.0 + 0.25 * np.arange(80)
    found = fit_decay(values, times, level=level)

    def curve(t: np.ndarray, *b: float) -> np.ndarray:
        return b[0] * np.exp(-b[1] * (t - 3)) + (b[2] if level else 0)

    start = (90, 0.1, 50) if level else (90, 0.1)
    best, covariance = curve_fit(curve, times, values, start, xtol=1e-14, ftol=1e-14)
    errors = np.sqrt(np.diag(covariance))
    own = (found.amplitude, found.rate, found.level)[: len(best)]
    own_errors = (found.amplitude_error, found.rate_error, found.level_error)[: len(best)]
    np.testing.assert_allclose(own, best, rtol=1e-6)
    np.testing.assert_allclose(own_errors, errors, rtol=1e-4)
    np.testing.assert_allclose(found(times), curve(times, *best), rtol=1e-7)
    assert found.settled
    assert found.half_life == pytest.approx(np.log(2) / best[1], rel=1e-6)


def test_half_lives_and_their_errors_are_those_of_repeated_noise() -> None:
    fits = [fit_decay(decaying(seed=seed)) for seed in range(400)]
    half_lives = np.array([fit.half_life for fit in fits])
    errors = np.array([fit.half_life_error for fit in fits])
    assert half_lives.mean() == pytest.approx(20, abs=4 * half_lives.std() / 20)
    assert errors.mean() == pytest.approx(half_lives.std(), rel=0.1)
    assert 0.92 < (np.abs(half_lives - 20) < 1.99 * errors).mean() < 0.98


@pytest.mark.parametrize("unit", [1e-30, 2.0**40, 1e30])
def test_units_are_the_users_affair(unit) -> None:
    plain, other = fit_decay(decaying()), fit_decay(decaying() * unit)
    assert other.half_life == pytest.approx(plain.half_life, rel=1e-7)
    assert other.level == pytest.approx(plain.level * unit, rel=1e-7)
    slow = fit_decay(decaying(), np.arange(80) * 1e6)
    assert slow.half_life == pytest.approx(plain.half_life * 1e6, rel=1e-7)


def test_missing_frames_take_no_part() -> None:
    values = decaying(noise=0)
    values[[0, 5, 40]] = np.nan
    found = fit_decay(values)
    assert found.count == 77
    assert found.start == 1
    assert found.half_life == pytest.approx(20, rel=1e-6)
    np.testing.assert_allclose(decay_gains(found, [1, 21, 41], background=60), [1, 2, 4], rtol=1e-6)


def test_a_straight_line_has_no_half_life_of_its_own() -> None:
    assert not fit_decay(100 - 0.1 * np.arange(50.0)).settled


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.arange(30.0), "do not grow darker"),
        ([3.0, 2.0, 1.5], "more than 3"),
        (np.full(9, np.nan), "0 frames hold data"),
        (np.zeros(9), "nothing decays"),
        (np.full(60, 300.0), "no more than their means scatter"),
    ],
)
def test_what_does_not_decay_is_told(values, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        fit_decay(values)


def test_scatter_alone_is_no_decay() -> None:
    refused = 0
    for seed in range(100):
        noise = 100 + np.random.default_rng(seed).normal(size=40)
        try:
            fit_decay(noise)
        except ValueError:
            refused += 1
    assert refused >= 96
    slight = decaying(noise=8)
    assert fit_decay(slight).half_life == pytest.approx(20, rel=0.5)


def test_residuals_that_last_and_single_frames_off_the_curve_are_found() -> None:
    lasting, outlying = 0, 0
    for seed in range(100):
        values = decaying(seed=seed)
        found = misfit_of(fit_decay(values), values)
        lasting += found.lasts
        outlying += bool(found.outliers)
        assert found.scatter == pytest.approx(0.5, rel=0.5)
    assert lasting <= 2
    assert outlying <= 2
    times = np.arange(80)
    phases = decaying(half_life=4) + decaying(half_life=60, seed=1)
    assert misfit_of(fit_decay(phases), phases).lasts
    spike = decaying()
    spike[[3, 30]] = np.nan, 0
    found = misfit_of(fit_decay(spike, times), spike, times)
    assert found.outliers == (30,)
    exact = decaying(noise=0)
    assert not misfit_of(fit_decay(exact), exact).lasts
    assert not misfit_of(fit_decay(exact[:8]), exact[:8]).outliers


def test_ratios_bring_means_to_the_reference_above_the_background() -> None:
    means = np.array([110.0, 60.0, np.nan, 10.0, 35.0])
    gains = ratio_gains(means, 110, background=10)
    np.testing.assert_allclose(gains, [1, 2, np.nan, np.nan, 4])
    assert np.isnan(ratio_gains(means, 10, background=10)).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_histograms_are_scikit_images(dtype) -> None:
    rng = np.random.default_rng(0)
    reference = rng.gamma(3, 20, (30, 40)).astype(dtype)
    frames = rng.gamma(2, 15, (3, 30, 40)).astype(dtype)
    found = match_levels(frames, levels_of(reference))
    for frame, own in zip(frames, found, strict=True):
        np.testing.assert_allclose(own, match_histograms(frame, reference), rtol=1e-6)


def test_histograms_within_a_mask_and_without_data() -> None:
    rng = np.random.default_rng(1)
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    reference = rng.normal(100, 10, (20, 20))
    frames = np.stack([reference * 0.5, np.full((20, 20), np.nan), reference])
    frames[0, ~mask] = 1e4
    frames[0, 7, 7] = np.nan
    found = match_levels(frames, levels_of(reference, mask), mask)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[0, 7, 7])
    inside = mask & np.isfinite(found[0])
    np.testing.assert_allclose(found[0][inside], reference[inside], atol=1.5)
    np.testing.assert_allclose(found[2][mask], reference[mask])
    with pytest.raises(ValueError, match="no pixel with data"):
        levels_of(np.full((3, 3), np.nan))
