"""What confidence is made of, each part against an independent truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_framewise.numerics.flow import FlowSettings, estimate

from .scenes import shifted, texture

IMAGE = texture((64, 72), 11)
SHIFT = (1.4, -0.8)
RNG = np.random.default_rng(12)
FIRST, SECOND = (each + RNG.normal(0, 4, IMAGE.shape) for each in (IMAGE, shifted(IMAGE, SHIFT)))
PLAIN = estimate(FIRST[None], SECOND[None])
INSIDE = (slice(14, -14),) * 2


def test_the_pixels_of_a_window_are_those_that_noise_is_averaged_over() -> None:
    noise = np.random.default_rng(1).normal(size=(800, 800))
    averaged = ndimage.gaussian_filter(noise, 4.0)
    assert PLAIN.evidence.pixels == pytest.approx(noise.var() / averaged.var(), rel=0.1)
    volume = replace(PLAIN.evidence, usable=np.ones((2, 2, 2), bool))
    assert volume.pixels == pytest.approx((4 * np.pi * 16) ** 1.5)


def test_the_tensor_is_that_of_the_image_without_its_noise() -> None:
    sigma = np.sqrt(1.0 + 0.25)
    slopes = [ndimage.gaussian_filter(IMAGE, sigma, order=order) for order in ((1, 0), (0, 1))]
    truth = [
        ndimage.gaussian_filter(a * b, 4.0)[INSIDE].mean()
        for a, b in zip(slopes, slopes, strict=True)
    ]
    # Where light may vary, the tensor is that of the detail alone.
    found_of = estimate(FIRST[None], SECOND[None], FlowSettings(brightness="constant")).evidence
    unit = found_of.spread**2
    found = [unit * found_of.tensor[k][INSIDE].mean() for k in (0, 2)]
    np.testing.assert_allclose(found, truth, rtol=0.1)


def test_the_error_of_a_window_is_what_repeated_noise_does_to_it() -> None:
    # A window's own solution is the flow plus its step: its scatter is the stated error.
    stated, scatter = [], []
    at = (slice(20, -20, 8),) * 2
    for seed in range(12):
        rng = np.random.default_rng(100 + seed)
        pair = [each + rng.normal(0, 8, IMAGE.shape) for each in (IMAGE, shifted(IMAGE, SHIFT))]
        constant = FlowSettings(brightness="constant")
        first, second = (each[None] for each in pair)
        found = estimate(first, second, constant, ranking="residual").evidence
        variance = found.standard_error().astype(float) ** 2 - found.step.astype(float) ** 2
        stated.append(variance[at])
        scatter.append(found.step[at].astype(float) ** 2)
    ratio = np.median(scatter) / np.median(stated)
    assert 0.3 < ratio < 1.5


def test_confidence_falls_to_nothing_where_nothing_is_shared() -> None:
    half = IMAGE.copy()
    half[:, 36:] = texture((64, 36), 13)
    found = estimate(IMAGE[None], half[None]).confidence()
    assert np.median(found[8:-8, 8:26]) > 0.8
    assert (found[:, 46:] > 0.5).mean() < 0.05


@settings(max_examples=6, deadline=None)
@given(st.integers(-99, 99))
def test_powers_of_two_leave_the_same_bits(power: int) -> None:
    scale = 2.0**power
    other = estimate(scale * FIRST[None], scale * SECOND[None])
    np.testing.assert_array_equal(other.displacement, PLAIN.displacement)
    np.testing.assert_array_equal(other.confidence(), PLAIN.confidence())
    np.testing.assert_array_equal(other.evidence.residual, scale * PLAIN.evidence.residual)


@pytest.mark.parametrize("power", [-30, -7, 3, 30])
def test_powers_of_ten_leave_the_same_flow(power: int) -> None:
    scale = 10.0**power
    other = estimate(scale * FIRST[None], scale * SECOND[None])
    np.testing.assert_allclose(other.displacement, PLAIN.displacement, atol=1e-3)
    np.testing.assert_allclose(other.confidence(), PLAIN.confidence(), atol=1e-3)
    np.testing.assert_allclose(other.evidence.residual, scale * PLAIN.evidence.residual, rtol=1e-3)


@pytest.mark.parametrize("quality", ["fast", "thorough"])
def test_the_order_in_memory_does_not_matter(quality: Any) -> None:
    holed = FIRST.copy()
    holed[10:14, 20:30] = np.nan
    valid = np.ones(FIRST.shape, bool)
    valid[40:50, 5:9] = False
    given = [np.repeat(each[None], 2, axis=0) for each in (holed, SECOND)]
    plain = estimate(*given, FlowSettings(quality=quality), valid=valid)
    turned = [np.asfortranarray(each) for each in given]
    other = estimate(
        *turned,
        FlowSettings(quality=quality),
        valid=np.asfortranarray(valid),
        second_valid=np.asfortranarray(np.ones_like(valid)),
    )
    np.testing.assert_array_equal(other.displacement, plain.displacement)
    np.testing.assert_array_equal(other.confidence(), plain.confidence())
