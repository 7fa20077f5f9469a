"""Normalised convolution against direct sums in extended precision, and what must always hold."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_framewise.numerics.normalised_convolution import (
    box_window,
    filled,
    gaussian_window,
    nearest,
    reach_of,
    smoothed,
    window_of,
)

RNG = np.random.default_rng(31)


def index_image(shape: tuple[int, ...], missing: float = 0.3) -> np.ndarray:
    """Values between -50 and 1, with scattered pixels and a hole missing."""
    values = RNG.uniform(-50, 1, shape)
    values[RNG.random(shape) < missing] = np.nan
    values[(..., slice(4, 12), slice(6, 13))] = np.nan
    return values


def direct(values: np.ndarray, weights: np.ndarray, certainty: np.ndarray) -> tuple:
    """Sums over the window in long double, one offset after the other."""
    use = np.isfinite(values) & (certainty > 0)
    known = np.where(use, certainty, 0).astype(np.longdouble)
    given = np.where(use, values, 0).astype(np.longdouble) * known
    radii = [length // 2 for length in weights.shape]
    around = [(radius, radius) for radius in radii]
    wide, wide_known = np.pad(given, around), np.pad(known, around)
    total, weight = np.zeros(values.shape, np.longdouble), np.zeros(values.shape, np.longdouble)
    for at in itertools.product(*map(range, weights.shape)):
        # Convolution: what lies at +u is weighted by the kernel at -u.
        a = np.longdouble(weights[tuple(n - 1 - i for n, i in zip(weights.shape, at, strict=True))])
        part = tuple(slice(i, i + n) for i, n in zip(at, values.shape, strict=True))
        total, weight = total + a * wide[part], weight + a * wide_known[part]
    with np.errstate(invalid="ignore"):
        return total / weight, weight


def outer(window: tuple[np.ndarray, ...]) -> np.ndarray:
    weights = np.ones(())
    for taps in window:
        weights = weights[..., None] * taps
    return weights


@pytest.mark.parametrize("shape", [(30, 37), (9, 16, 21)])
@pytest.mark.parametrize("window", [gaussian_window, box_window])
@pytest.mark.parametrize("size", [(2.0, 1.3, 3.1), (4.0, 0.6, 2.0)])
def test_it_is_the_direct_sum(shape: tuple[int, ...], window, size: tuple[float, ...]) -> None:
    values, certainty = index_image(shape, 0.6), RNG.random(shape)
    taps = window(size[-len(shape) :])
    found = smoothed(values[None], taps, confidence=certainty[None])
    wanted, weight = direct(values, outer(taps), certainty)
    np.testing.assert_array_equal(np.isnan(found.values[0]), weight == 0)
    known = weight > 0
    np.testing.assert_allclose(found.values[0][known], wanted[known], rtol=1e-12, atol=50e-12)
    np.testing.assert_allclose(found.confidence[0], weight, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("kernel", [(5, 3), (1, 7), (3, 3, 5)])
def test_any_image_is_a_kernel(kernel: tuple[int, ...]) -> None:
    values = index_image((6, 20, 26)[-len(kernel) :])
    weights = window_of(RNG.random(kernel), len(kernel))
    found = smoothed(values[None], weights)
    wanted, weight = direct(values, weights, np.ones(values.shape))
    known = weight > 0
    np.testing.assert_allclose(found.values[0][known], wanted[known], rtol=1e-12, atol=1e-11)
    np.testing.assert_array_equal(found.confidence[0] > 0, known)


def test_a_kernel_with_negative_weights_is_exact_where_data_is_complete_and_on_constants() -> None:
    sharpen = window_of([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], 2)
    values = RNG.normal(size=(1, 20, 30))
    wanted = ndimage.convolve(values[0], sharpen)
    found = smoothed(values, sharpen).values[0]
    np.testing.assert_allclose(found[1:-1, 1:-1], wanted[1:-1, 1:-1], atol=1e-13)
    flat = np.where(RNG.random((1, 20, 30)) < 0.3, np.nan, 7.0)
    found = smoothed(flat, sharpen).values
    np.testing.assert_allclose(found[np.isfinite(found)], 7.0, rtol=1e-14)
    edge = smoothed(flat, window_of([[-1, 0, 1]], 2)).values
    np.testing.assert_allclose(edge[np.isfinite(edge)], 0, atol=1e-14)


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.4, 1.0, 3.7, 11.0]),
    st.floats(0, 0.99),
    st.floats(-1e6, 1e6),
)
def test_no_result_leaves_the_range_of_the_data_under_its_window(
    seed: int, sigma: float, missing: float, offset: float
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice([offset, offset + 1, 3 * offset], (1, 17, 23))
    values[rng.random(values.shape) < missing] = rng.choice([np.nan, np.inf, -np.inf])
    window = gaussian_window((sigma, 0.7 * sigma))
    found = smoothed(values, window)
    usable = np.isfinite(values[0])
    size = [2 * radius + 1 for radius in reach_of(window)]
    low = ndimage.minimum_filter(
        np.where(usable, values[0], np.inf), size, cval=np.inf, mode="constant"
    )
    high = ndimage.maximum_filter(
        np.where(usable, values[0], -np.inf), size, cval=-np.inf, mode="constant"
    )
    known = np.isfinite(found.values[0])
    assert (found.values[0][known] >= low[known]).all()
    assert (found.values[0][known] <= high[known]).all()
    assert (found.confidence >= 0).all()
    assert (found.confidence <= 1).all()
    np.testing.assert_array_equal(known, found.confidence[0] > 0)


@pytest.mark.parametrize("under", [0.0, 1e300, -1e300, np.inf, -np.inf, np.nan])
def test_what_stands_under_the_mask_changes_no_bit(under: float) -> None:
    values = RNG.normal(size=(2, 30, 40))
    mask = RNG.random((2, 30, 40)) < 0.6
    window = gaussian_window((2.0, 3.0))
    wanted = smoothed(values, window, mask=mask)
    found = smoothed(np.where(mask, values, under), window, mask=mask)
    low = smoothed(np.where(mask, values, under), window, confidence=mask.astype(float))
    for each in (found, low):
        np.testing.assert_array_equal(each.values, wanted.values)
        np.testing.assert_array_equal(each.confidence, wanted.confidence)


def test_bands_of_rows_have_the_bits_of_the_whole_frame() -> None:
    values = index_image((1, 90, 70))
    window = gaussian_window((3.0, 2.0))
    whole = smoothed(values, window, border_normalised=True)
    reach = reach_of(window)[0]
    part = smoothed(values[:, 40 - reach : 61 + reach], window, border_normalised=True)
    for one, other in zip(part, whole, strict=True):
        np.testing.assert_array_equal(one[:, reach:-reach], other[:, 40:61])


def test_the_confidence_of_complete_data_is_one_up_to_the_border_where_it_is_asked_for() -> None:
    window = gaussian_window((3.0, 3.0))
    plain = smoothed(np.ones((1, 40, 40)), window).confidence[0]
    assert plain[20, 20] == pytest.approx(1, abs=1e-3)
    assert plain[0, 20] == pytest.approx(0.5, abs=0.08)
    whole = smoothed(np.ones((1, 40, 40)), window, border_normalised=True).confidence
    np.testing.assert_allclose(whole, 1, rtol=1e-14)


def test_far_windows_and_single_rows_are_served() -> None:
    values = np.array([[[1.0, np.nan, 3.0]]])
    found = smoothed(values, gaussian_window((500.0, 500.0))).values
    np.testing.assert_allclose(found, 2, rtol=1e-5)
    np.testing.assert_array_equal(smoothed(values, gaussian_window((0, 0))).values, values)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gaussian_window((-1.0,)), "sigma -1"),
        (lambda: gaussian_window((1e6,)), "give 0 to"),
        (lambda: box_window((0.0,)), "box of 0"),
        (lambda: window_of(np.ones((2, 3)), 2), "odd number"),
        (lambda: window_of(np.ones(3), 2), "as many axes"),
        (lambda: window_of(np.zeros((3, 3)), 2), "are 0"),
        (lambda: window_of(np.full((3, 3), np.nan), 2), "finite"),
        (
            lambda: smoothed(
                np.ones((1, 3, 3)), box_window((3, 3)), confidence=np.full((1, 3, 3), 1.5)
            ),
            "to 1.5; give values from 0",
        ),
        (
            lambda: smoothed(np.ones((1, 3, 3)), box_window((3, 3)), mask=np.ones((1, 3, 4))),
            "one image for each frame",
        ),
    ],
)
def test_what_is_no_window_or_certainty_is_refused(call, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()


def test_filling_keeps_what_is_known_and_stays_in_its_range() -> None:
    values = index_image((2, 40, 50), 0.5)
    found = filled(values)
    known = np.isfinite(values)
    np.testing.assert_array_equal(found.values[known], values[known])
    assert np.isfinite(found.values).all()
    assert found.values.min() >= np.nanmin(values)
    assert found.values.max() <= np.nanmax(values)
    for frame, distance in zip(known, found.distance, strict=True):
        np.testing.assert_array_equal(distance, ndimage.distance_transform_edt(~frame))
    flat = filled(np.where(known, 0.1, np.nan)).values
    np.testing.assert_array_equal(flat, 0.1)
    assert np.isnan(filled(np.full((1, 4, 4), np.nan)).values).all()


def test_filling_follows_a_smooth_field_better_than_the_nearest_pixel() -> None:
    # Fields and gaps of other seeds than those on which the blending of scales was chosen.
    errors = []
    for seed in range(100, 103):
        rng = np.random.default_rng(seed)
        field = ndimage.gaussian_filter(rng.normal(size=(160, 160)), 12)
        field /= field.std()
        missing = rng.random(field.shape) < 0.8
        given = np.where(missing, np.nan, field)[None]
        both = filled(given).values[0], nearest(given)[0]
        errors.append([np.sqrt(np.mean((each - field)[missing] ** 2)) for each in both])
    ours, peer = np.mean(errors, axis=0)
    assert ours < 0.45 * peer


def test_what_fills_does_not_depend_on_what_stands_under_the_mask() -> None:
    values, mask = RNG.normal(size=(1, 30, 40)), RNG.random((1, 30, 40)) < 0.5
    wanted = filled(values, mask=mask).values
    found = filled(np.where(mask, values, np.inf), mask=mask).values
    np.testing.assert_array_equal(found, wanted)
