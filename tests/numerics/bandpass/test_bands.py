"""Bands and sigmas, against the closed form and one another."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from napari_framewise.numerics.bandpass import (
    NARROWEST,
    Butterworth,
    Gaussians,
    LogGabor,
    band_of,
    gaussians_of,
)


@given(st.floats(1e-6, 1e6), st.floats(math.log(NARROWEST) + 1e-4, math.log(1e4)))
@settings(max_examples=50, deadline=None)
def test_the_gain_at_both_edges_is_the_largest_over_the_root_of_two(low: float, log: float) -> None:
    high = low * math.exp(log)
    gaussians = gaussians_of(low, high)
    peak = minimize_scalar(
        lambda log: -gaussians.transfer(np.array(math.exp(log))),
        bounds=(math.log(low), math.log(high)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    band = band_of(gaussians)
    assert band.gain == pytest.approx(-peak.fun, rel=1e-9)
    edges = gaussians.transfer(np.array([low, high]))
    np.testing.assert_allclose(edges, band.gain / math.sqrt(2), rtol=1e-8)
    np.testing.assert_allclose((band.low, band.high), (low, high), rtol=1e-8)


@pytest.mark.parametrize(
    ("ratio", "octaves", "gain"), [(1.6, 1.270, 0.334), (2, 1.326, None), (4, 1.674, None)]
)
def test_published_widths(ratio: float, octaves: float, gain: float | None) -> None:
    band = band_of(Gaussians(1.0, ratio))
    assert math.log2(band.high / band.low) == pytest.approx(octaves, abs=5e-4)
    if gain is not None:
        assert band.gain == pytest.approx(gain, abs=5e-4)


def test_the_narrowest_band_is_that_of_the_laplacian() -> None:
    # Sigmas that agree: H is f^2 exp(-2 (pi f sigma)^2) but for a factor.
    x = np.linspace(1e-6, 12, 4_000_001)
    inside = x[x * np.exp(1 - x) >= math.sqrt(0.5)]
    assert math.sqrt(inside[-1] / inside[0]) == pytest.approx(NARROWEST, abs=1e-4)
    with pytest.raises(ValueError, match=r"1\.200 octaves; no difference of Gaussians is narrower"):
        gaussians_of(0.1, 0.1 * 2**1.2)


def test_one_edge_makes_a_low_pass_or_a_high_pass_filter() -> None:
    low_pass, high_pass = gaussians_of(None, 0.2), gaussians_of(0.2, None)
    for response in (low_pass, high_pass):
        assert float(response.transfer(np.array(0.2))) == pytest.approx(math.sqrt(0.5))
    assert low_pass.transfer(np.array(0.0)) == 1
    assert high_pass.transfer(np.array(0.0)) == 0
    assert band_of(low_pass).high == pytest.approx(0.2)
    assert band_of(low_pass).low == 0
    assert band_of(high_pass).low == pytest.approx(0.2)


@pytest.mark.parametrize(
    "response",
    [LogGabor(0.1, 0.13), LogGabor(0.02, 0.4), *(Butterworth(0.1, 0.2, n) for n in (1, 2, 8))],
)
def test_other_forms_have_their_half_power_edges_and_a_gain_of_one(response: LogGabor) -> None:
    edges = response.transfer(np.array([response.low, response.high]))
    np.testing.assert_allclose(edges, math.sqrt(0.5), rtol=1e-12)
    centre = math.sqrt(response.low * response.high)
    assert response.transfer(np.array([0.0, centre])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("order", [1, 3])
def test_butterworth_with_one_edge(order: int) -> None:
    frequencies = np.array([0.0, 0.05, 0.1, 0.4])
    ratios = frequencies / 0.1
    low_pass = Butterworth(0.0, 0.1, order).transfer(frequencies)
    np.testing.assert_allclose(low_pass, 1 / np.sqrt(1 + ratios ** (2 * order)))
    high_pass = Butterworth(0.1, math.inf, order).transfer(frequencies)
    np.testing.assert_allclose(np.square(low_pass) + np.square(high_pass), 1)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.2, 0.1, "the upper edge must lie above the lower edge"),
        (-0.1, 0.1, "give a frequency above 0"),
        (None, None, "No edge was given"),
        (1e-9, 1e9, "leave out the lower edge"),
    ],
)
def test_bands_that_there_are_not(low: float | None, high: float | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gaussians_of(low, high)


def test_forms_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="the second must be wider"):
        Gaussians(2.0, 1.0)
    with pytest.raises(ValueError, match="for low-pass and high-pass"):
        LogGabor(0.0, 0.1)
    with pytest.raises(ValueError, match="upper edge must lie above"):
        Butterworth(0.2, 0.1)
