from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from skimage import data
from skimage.metrics import structural_similarity

from napari_framewise.numerics.quality import (
    REFLECTED,
    SCIKIT_IMAGE,
    VARIANTS,
    WANG_2004,
    Variant,
    least_side,
    ms_ssim,
    ssim,
)
from napari_framewise.numerics.quality.multiscale import WEIGHTS

Array = np.ndarray[Any, np.dtype[Any]]


def pair(seed: int = 0) -> tuple[Array, Array]:
    """The photograph `camera`, and with Gaussian noise of 20 in 8 bits."""
    truth = data.camera().astype(float)
    noise = np.random.default_rng(seed).normal(0, 20, truth.shape)
    return truth, np.rint((truth + noise).clip(0, 255))


def wang_2004(truth: Array, image: Array, peak: float) -> Array:
    """The map as ssim_index.m has it, by direct sums over windows wholly inside."""
    line = np.exp(-(np.arange(-5, 6) ** 2) / 4.5)
    window = np.outer(line, line) / line.sum() ** 2
    means = [signal.correlate2d(each, window, "valid") for each in (truth, image)]
    squares = [signal.correlate2d(each**2, window, "valid") for each in (truth, image)]
    product = signal.correlate2d(truth * image, window, "valid") - means[0] * means[1]
    variances = [square - mean**2 for square, mean in zip(squares, means, strict=True)]
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    top = (2 * means[0] * means[1] + c1) * (2 * product + c2)
    bottom = (means[0] ** 2 + means[1] ** 2 + c1) * (variances[0] + variances[1] + c2)
    return np.asarray(top / bottom)


def test_it_is_that_of_wang_2004() -> None:
    truth, image = pair()
    found = ssim(truth[None], image[None], 255)
    expected = wang_2004(truth, image, 255)
    np.testing.assert_allclose(found.values[0, 5:-5, 5:-5], expected, atol=1e-11)
    assert found.mean()[0] == pytest.approx(expected.mean(), abs=1e-12)
    # As published implementations give it for this pair.
    assert found.mean()[0] == pytest.approx(0.357760, abs=1e-6)


@pytest.mark.parametrize("name", ["camera", "coins", "moon"])
def test_it_is_scikit_images(name: str) -> None:
    truth = getattr(data, name)().astype(float)
    image = truth + np.random.default_rng(1).normal(0, 12, truth.shape)
    for variant, options in (
        (SCIKIT_IMAGE, {}),
        (WANG_2004, {"gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}),
    ):
        expected = structural_similarity(truth, image, data_range=255, **options)
        assert ssim(truth[None], image[None], 255, variant).mean()[0] == pytest.approx(
            expected, abs=1e-10
        )


def test_the_reflected_variant_is_that_of_opencv_and_torchmetrics() -> None:
    truth, image = pair()
    found = ssim(truth[None], image[None], 255, REFLECTED).mean()[0]
    # torchmetrics 1.9 and kornia 0.9 gave 0.35597, OpenCV 5.0 0.35597, DIPlib 3.6 0.35596.
    assert found == pytest.approx(0.35597, abs=1e-5)
    mirrored = [np.pad(each, 5, mode="reflect") for each in (truth, image)]
    assert found == pytest.approx(wang_2004(*mirrored, 255).mean(), abs=1e-11)


def test_several_scales_are_those_of_the_published_code() -> None:
    truth, image = pair()
    product, levels = 1.0, [truth, image]
    for scale, weight in enumerate(WEIGHTS):
        full = wang_2004(*levels, 255)
        if scale < 4:
            # contrast times structure alone: luminance is divided out
            line = np.exp(-(np.arange(-5, 6) ** 2) / 4.5)
            window = np.outer(line, line) / line.sum() ** 2
            a, b = (signal.correlate2d(each, window, "valid") for each in levels)
            full = full / ((2 * a * b + 2.55**2) / (a**2 + b**2 + 2.55**2))
            levels = [
                each.reshape(each.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)) for each in levels
            ]
        product *= full.mean() ** weight
    found = ms_ssim(truth[None], image[None], 255)[0]
    assert found == pytest.approx(product, abs=1e-10)
    # The published code gave 0.7947, torchmetrics 0.7944.
    assert found == pytest.approx(0.7944, abs=1e-3)


def test_frames_too_small_for_five_scales_have_none() -> None:
    truth, image = (each[None, : least_side(), : least_side()] for each in pair())
    assert np.isfinite(ms_ssim(truth, image, 255)).all()
    assert np.isnan(ms_ssim(truth[:, :-1], image[:, :-1], 255)).all()


def test_a_reversed_structure_has_no_fractional_power() -> None:
    truth, _ = pair()
    assert ms_ssim(truth[None], 255 - truth[None], 255)[0] == 0.0


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_under_a_mask_never_enters(name: str) -> None:
    random = np.random.default_rng(3)
    truth = random.uniform(0, 255, (2, 40, 50))
    image = truth + random.normal(0, 9, truth.shape)
    mask = random.random((2, 40, 50)) > 0.2
    outcomes = []
    for under in (0.0, 1e9, np.nan, np.inf):
        hidden = np.where(mask, image, under)
        found = ssim(truth, hidden, 255, VARIANTS[name], mask)
        assert (np.isnan(found.values) == ~mask).all()
        outcomes.append(found.values)
    for other in outcomes[1:]:
        np.testing.assert_array_equal(other, outcomes[0])
    missing = ssim(np.where(mask, truth, np.nan), image, 255, VARIANTS[name])
    np.testing.assert_allclose(missing.values, outcomes[0], atol=1e-12)


def test_windows_with_missing_pixels_hold_the_others() -> None:
    truth, image = (each[None, :40, :40].copy() for each in pair())
    truth[0, 20, 20] = np.nan
    found = ssim(truth, image, 255, SCIKIT_IMAGE).values[0, 21, 22]
    a, b = truth[0, 18:25, 19:26].ravel(), image[0, 18:25, 19:26].ravel()
    a, b = a[np.isfinite(a)], b[np.isfinite(a)]
    covariance = np.cov(a, b)
    c1, c2 = 2.55**2, 7.65**2
    expected = (2 * a.mean() * b.mean() + c1) / (a.mean() ** 2 + b.mean() ** 2 + c1)
    expected *= (2 * covariance[0, 1] + c2) / (covariance[0, 0] + covariance[1, 1] + c2)
    assert found == pytest.approx(expected, abs=1e-12)


def test_terms_say_what_differs() -> None:
    truth, _ = (each[None, 200:260, 200:260] for each in pair())
    brighter = ssim(truth, truth + 40, 255)
    assert brighter.luminance.min() < 0.99
    np.testing.assert_allclose(brighter.contrast, 1, atol=1e-12)
    np.testing.assert_allclose(brighter.structure, 1, atol=1e-12)
    weaker = ssim(truth, truth.mean() + 0.2 * (truth - truth.mean()), 255)
    assert weaker.contrast.min() < 0.5
    np.testing.assert_allclose(weaker.structure.max(), 1, atol=1e-12)
    np.testing.assert_allclose(
        brighter.values, brighter.luminance * brighter.contrast * brighter.structure
    )


def test_a_large_offset_costs_no_digits() -> None:
    random = np.random.default_rng(5)
    truth = random.normal(0, 1, (1, 48, 48))
    image = truth + random.normal(0, 0.5, truth.shape)
    for variant in VARIANTS.values():
        plain = ssim(truth, image, 10, variant)
        lifted = ssim(truth + 2.0**30, image + 2.0**30, 10, variant)
        np.testing.assert_allclose(lifted.contrast, plain.contrast, atol=1e-6)
        np.testing.assert_allclose(lifted.structure, plain.structure, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(-30, 30),
    st.sampled_from(sorted(VARIANTS)),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
def test_invariants(seed: int, power: int, name: str, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(seed)
    truth, image = random.uniform(0, 100, (2, 1, *shape))
    variant = VARIANTS[name]
    found = ssim(truth, image, 100, variant).values
    assert (np.abs(found) <= 1 + 1e-12).all()
    np.testing.assert_allclose(ssim(image, truth, 100, variant).values, found, atol=1e-12)
    np.testing.assert_allclose(ssim(truth, truth, 100, variant).values, 1, atol=1e-12)
    unit = 2.0**power
    scaled = ssim(truth * unit, image * unit, 100 * unit, variant).values
    np.testing.assert_array_equal(scaled, found)


def test_strips_of_a_large_frame_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, image = (each[None] for each in pair())
    whole = ssim(truth, image, 255).values
    monkeypatch.setattr("napari_framewise.numerics.quality.structural._STRIP", 2**13)
    np.testing.assert_array_equal(ssim(truth, image, 255).values, whole)


def test_volumes_have_windows_of_three_axes() -> None:
    random = np.random.default_rng(8)
    truth = random.uniform(0, 255, (1, 9, 12, 12))
    image = truth + random.normal(0, 20, truth.shape)
    found = ssim(truth, image, 255, SCIKIT_IMAGE).mean()[0]
    expected = structural_similarity(truth[0], image[0], data_range=255)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("truth", "image", "peak", "said"),
    [
        (np.ones((1, 4, 4)), np.ones((1, 4, 5)), 1.0, "two of one shape"),
        (np.ones((1, 4, 4)), np.ones((1, 4, 4)), 0.0, "a positive number is needed"),
        (np.ones((1, 4, 4)), np.ones((1, 4, 4)), np.nan, "a positive number is needed"),
    ],
)
def test_bad_arguments_are_refused(truth: Array, image: Array, peak: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ssim(truth, image, peak)


def test_a_variant_says_its_window() -> None:
    assert Variant("box", 5).of(2).reach == 2
    assert WANG_2004.of(3).reach == 5
