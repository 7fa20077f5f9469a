"""Plane fits: exact on ramps, equal to least squares, and errors that cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_framewise.numerics.normalised_convolution import (
    LEAST_RANK,
    gaussian_window,
    gradient,
    reach_of,
)

RNG = np.random.default_rng(41)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.7, 0.95])
def test_a_ramp_is_exact_whatever_is_missing(missing: float) -> None:
    y, x = np.mgrid[:256, :256].astype(float)
    ramp = 3 * x + 2 * y + 7
    ramp[RNG.random(ramp.shape) < missing] = np.nan
    ramp[100:150, 60:120] = np.nan
    found = gradient(ramp[None], (3.0, 3.0))
    known = np.isfinite(found.slopes[0])
    np.testing.assert_array_equal(known, found.confidence >= LEAST_RANK)
    assert known.mean() > 0.9
    assert np.abs(found.slopes[0][known] - 2).max() < 1e-9
    assert np.abs(found.slopes[1][known] - 3).max() < 1e-9


def test_a_volume_with_a_sigma_for_each_axis() -> None:
    z, y, x = np.mgrid[:12, :24, :30].astype(float)
    ramp = 5 * z - 2 * y + 0.5 * x
    ramp[RNG.random(ramp.shape) < 0.6] = np.nan
    found = gradient(ramp[None], (0.8, 2.0, 3.0))
    for slope, wanted in zip(found.slopes, (5, -2, 0.5), strict=True):
        np.testing.assert_allclose(slope[np.isfinite(slope)], wanted, atol=1e-10)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9))
def test_it_is_the_least_squares_fit_of_a_plane(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    values, certainty = rng.normal(10, 3, (13, 15)), rng.random((13, 15))
    certainty[rng.random((13, 15)) < missing] = 0
    found = gradient(values[None], (1.5, 2.0), confidence=certainty[None])
    row, column = rng.integers(0, 13), rng.integers(0, 15)
    y, x = np.mgrid[:13, :15]
    u, v = y - row, x - column
    inside = (abs(u) <= 6) & (abs(v) <= 8) & (certainty > 0)
    a = np.exp(-(u**2) / 4.5 - v**2 / 8.0)[inside]
    c = certainty[inside]
    design = np.stack([np.ones(inside.sum()), u[inside], v[inside]], axis=1)
    if np.isnan(found.slopes[0, 0, row, column]):
        return
    normal = design.T @ (design * (a * c)[:, None])
    fit = np.linalg.solve(normal, design.T @ (a * c * values[inside]))
    got = found.slopes[:, 0, row, column]
    np.testing.assert_allclose(got, fit[1:], rtol=1e-6, atol=1e-8)
    errors = found.errors[:, 0, row, column]
    spread = design.T @ (design * (a**2 * c)[:, None])
    inverse = np.linalg.inv(normal)
    free = a.sum() - np.trace(inverse @ spread)
    left = (a * c * (values[inside] - design @ fit) ** 2).sum()
    if np.isfinite(errors).all() and free > 1e-3 * a.sum():
        wanted = np.sqrt(left / free * np.diag(inverse @ spread @ inverse)[1:])
        np.testing.assert_allclose(errors, wanted, rtol=1e-4)


@pytest.mark.parametrize(
    ("missing", "graded"), [(0.0, False), (0.5, False), (0.7, False), (0.3, True)]
)
def test_standard_errors_are_those_of_repeated_noise(missing: float, graded: bool) -> None:
    y, x = np.mgrid[:64, :64].astype(float)
    use = RNG.random((64, 64)) >= missing
    certainty = np.where(use, RNG.uniform(0.1, 1, use.shape) if graded else 1.0, 0.0)
    plane = 0.3 * y - 0.2 * x
    scaled = []
    for _ in range(12):
        noise = RNG.normal(size=use.shape) / np.sqrt(np.where(use, certainty, 1))
        given_confidence = certainty[None] if graded else None
        found = gradient(
            (plane + noise)[None], (3.0, 3.0), mask=use[None], confidence=given_confidence
        )
        scaled.append(((found.slopes[0] - 0.3) / found.errors[0])[0, 8:-8:6, 8:-8:6])
    values = np.concatenate([each.ravel() for each in scaled])
    values = values[np.isfinite(values)]
    assert len(values) > 500
    assert 0.62 < (np.abs(values) < 1).mean() < 0.74
    assert 0.90 < (np.abs(values) < 1.96).mean() < 0.98


def test_three_pixels_make_a_plane_and_a_line_of_them_none() -> None:
    values = np.full((1, 9, 9), np.nan)
    values[0, 4, 3:6] = 1.0, 2.0, 3.0
    line = gradient(values, (2.0, 2.0))
    assert np.isnan(line.slopes).all()
    assert (line.confidence < LEAST_RANK).all()
    values[0, 5, 4] = 4.0
    corner = gradient(np.where(np.isin(values, [1, 2, 4]), values, np.nan), (2.0, 2.0))
    np.testing.assert_allclose(corner.slopes[:, 0, 4, 4], [2, 1], atol=1e-12)
    assert np.isnan(corner.errors[:, 0, 4, 4]).all()


@pytest.mark.parametrize("under", [0.0, 1e300, np.inf, np.nan])
def test_what_stands_under_the_mask_changes_no_bit(under: float) -> None:
    values, mask = RNG.normal(size=(1, 30, 40)), RNG.random((1, 30, 40)) < 0.6
    wanted = gradient(values, (2.0, 2.0), mask=mask)
    found = gradient(np.where(mask, values, under), (2.0, 2.0), mask=mask)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_bands_of_rows_have_the_bits_of_the_whole_frame() -> None:
    values = RNG.normal(size=(1, 80, 60))
    values[RNG.random(values.shape) < 0.4] = np.nan
    whole = gradient(values, (2.0, 3.0))
    reach = max(reach_of(gaussian_window((2.0, 3.0))))
    part = gradient(values[:, 40 - reach : 50 + reach], (2.0, 3.0))
    for one, other in zip(part, whole, strict=True):
        np.testing.assert_array_equal(one[..., reach:-reach, :], other[..., 40:50, :])


def test_a_sigma_that_no_neighbour_counts_under_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 0\.3"):
        gradient(np.zeros((1, 5, 5)), (0.1, 2.0))
