"""Separable filters against scipy, on every axis and at both kinds of border."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_framewise.numerics.separable import banded, correlated, filtered


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mirrored_borders_are_scipys_reflect(axis: int, dtype: str) -> None:
    planes = np.random.default_rng(3).normal(size=(5, 9, 12)).astype(dtype)
    taps = np.array([0.1, 0.5, 0.3, -0.2, 0.7])
    expected = ndimage.correlate1d(planes.astype(float), taps, axis=axis, mode="reflect")
    tolerance = 1e-5 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(correlated(planes, taps, axis), expected, atol=tolerance)


def test_an_axis_shorter_than_the_taps_is_mirrored_again_and_again() -> None:
    planes = np.arange(6.0).reshape(2, 3)
    taps = np.arange(1.0, 10.0)
    expected = ndimage.correlate1d(planes, taps, axis=1, mode="reflect")
    np.testing.assert_allclose(correlated(planes, taps, 1), expected, rtol=1e-13)


def test_a_ramp_goes_on_past_an_odd_border() -> None:
    ramp = np.tile(np.arange(8.0), (3, 1))
    slope = correlated(ramp, np.array([-0.5, 0.0, 0.5]), 1, "odd")
    np.testing.assert_allclose(slope, np.ones_like(ramp), rtol=1e-14)


def test_a_band_is_its_matrix() -> None:
    positions = np.array([-1, 1, 3])
    band = banded(positions, np.tile([0.25, 0.5, 0.25], (3, 1)), 6, "even")
    values = np.random.default_rng(0).normal(size=(4, 6))
    matrix = np.zeros((3, 6))
    for j, start in enumerate(band.starts):
        matrix[j, start : start + band.weights.shape[1]] = band.weights[j]
    np.testing.assert_allclose(filtered(values, band, 1), values @ matrix.T, rtol=1e-14)
    assert np.allclose(matrix.sum(axis=1), 1)
