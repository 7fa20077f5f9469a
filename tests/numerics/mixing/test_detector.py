from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics import mixing


def dim_pair(rng: np.random.Generator, pixels: int = 49) -> tuple[np.ndarray, np.ndarray]:
    """References of a few electrons, and 20,000 frames of Poisson counts at x = 0.6."""
    references = np.stack([rng.gamma(1.5, 8, pixels), rng.gamma(1.5, 12, pixels)]) + 1
    frames = rng.poisson(np.array([0.6, 0.4]) @ references, (20_000, pixels))
    return references, frames.astype(np.float64)


def test_poisson_weights_are_unbiased_and_better() -> None:
    rng = np.random.default_rng(0)
    references, frames = dim_pair(rng)
    options = {"detector": mixing.Detector(), "poisson_weights": True, "middle": [0.6, 0.4]}
    plain = mixing.fit(frames, mixing.prepare(references)).coefficients[:, 0]
    fit = mixing.fit(frames, mixing.prepare(references, **options))
    x = fit.coefficients[:, 0]
    assert abs(x.mean() - 0.6) < 4 * x.std() / np.sqrt(len(x))
    assert x.std() < 0.97 * plain.std()
    low, high = mixing.confidence_interval(fit)
    assert 0.94 < ((low < [0.6, 0.4]) & (high > [0.6, 0.4])).mean() < 0.96
    # what the data's own weights would have done
    naive = np.array(
        [
            mixing.fit(
                frame, mixing.prepare(references, weights=1 / np.maximum(frame, 1))
            ).coefficients[0, 0]
            for frame in frames[:300]
        ]
    )
    assert naive.mean() - 0.6 > 0.02


@pytest.mark.parametrize(("gain", "read_noise"), [(0.5, 5.0), (4.0, 3.0), (2.0, 0.0)])
def test_the_variance_is_that_of_simulated_electrons(gain, read_noise) -> None:
    rng = np.random.default_rng(7)
    electrons = np.array([0.0, 4.0, 60.0, 900.0])
    counts = (rng.poisson(electrons, (200_000, 4)) + rng.normal(0, read_noise, (200_000, 4))) / gain
    detector = mixing.Detector(gain=gain, offset=100, read_noise=read_noise)
    variance = detector.variance(electrons / gain + 100)
    np.testing.assert_allclose(variance, counts.var(axis=0), rtol=0.02)
    assert detector.variance(np.array(50.0)) == pytest.approx((read_noise / gain) ** 2)


def test_poisson_weights_are_one_over_the_variance_after_dark_and_flat() -> None:
    rng = np.random.default_rng(8)
    flat = np.linspace(0.4, 1.6, 300)
    flat /= flat.mean()
    dark = np.linspace(100, 130, 300)
    electrons = rng.uniform(20, 400, (2, 300))
    detector = mixing.Detector(gain=2.0, offset=100, read_noise=6.0)
    design = mixing.prepare(
        electrons * flat / 2 + dark,
        dark=dark,
        flat=flat,
        detector=detector,
        poisson_weights=True,
        middle=[0.6, 0.4],
    )
    light = np.array([0.6, 0.4]) @ electrons * flat + (dark - 100) * 2
    frames = (rng.poisson(light, (40_000, 300)) + rng.normal(0, 6, (40_000, 300))) / 2 + 100
    variance = ((frames - dark) / flat).var(axis=0)
    np.testing.assert_allclose(design.root_weight**2 * variance, 1, rtol=0.05)


def test_three_sigma_below_saturation_is_left_out() -> None:
    """4 electrons a count and a read noise of 12: the variance of v counts is v / 4 + 9."""
    level = np.linspace(100.0, 900.0, 801)
    references = np.stack([level, level + np.where(np.arange(801) % 2, 1.0, -1.0)])
    detector = mixing.Detector(gain=4.0, read_noise=12.0, saturation=800)
    design = mixing.prepare(references, detector=detector, middle=[1.0, 0.0])
    expected = level + 3 * np.sqrt(level / 4 + 9) >= 800
    expected |= (references >= 800).any(axis=0)
    np.testing.assert_array_equal(~design.used, expected)
    assert 730 < level[design.used].max() < 760


@pytest.mark.parametrize("gain", [0.5, 4.0])
@pytest.mark.parametrize("poisson", [False, True])
@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("holed", [False, True])
def test_chi_square_is_one_where_the_noise_is_the_detectors(
    gain, poisson, corrected, holed
) -> None:
    rng = np.random.default_rng(1)
    electrons = rng.uniform(20, 400, (2, 12, 12))
    current = rng.uniform(0, 80, (12, 12)) if corrected else np.zeros((12, 12))
    dark = current / gain + 100
    flat = rng.uniform(0.7, 1.3, (12, 12)) if corrected else np.ones((12, 12))
    flat /= flat.mean()
    shares = rng.uniform(0.3, 0.7, 400)
    light = np.tensordot(np.stack([shares, 1 - shares], 1), electrons, 1) * flat
    frames = (rng.poisson(light + current) + rng.normal(0, 5, light.shape)) / gain + 100
    if holed:
        frames[:, 3, 3:9] = np.nan
    references = electrons * flat / gain + dark
    design = mixing.prepare(
        references,
        dark=dark if corrected else None,
        flat=3 * flat if corrected else None,
        detector=mixing.Detector(gain=gain, offset=100, read_noise=5),
        poisson_weights=poisson,
    )
    fit = mixing.fit(frames, design)
    assert fit.chi2.mean() == pytest.approx(1, abs=0.02)
    assert 0.9 < ((fit.coefficients[:, 0] - shares) / fit.errors[:, 0]).std() < 1.1
    assert np.isnan(mixing.fit(frames, mixing.prepare(references)).chi2).all()


def test_dark_and_flat_come_first(scene) -> None:
    references, _, frames = scene()
    rng = np.random.default_rng(2)
    dark = rng.uniform(50, 150, frames.shape[1:])
    flat = rng.uniform(0.5, 1.5, frames.shape[1:])
    even = flat / flat.mean()
    options = {"constraint": "none", "offset": True, "errors": "consistent"}
    design = mixing.prepare(references, dark=dark, flat=flat, **options)
    fit = mixing.fit(frames, design)
    by_hand = (frames - dark) / even
    plain = mixing.prepare((references - dark) / even, **options)
    expected = mixing.fit(by_hand, plain)
    for name in ("coefficients", "errors", "offset", "rss", "r2"):
        np.testing.assert_allclose(getattr(fit, name), getattr(expected, name), rtol=1e-9)
    np.testing.assert_allclose(
        mixing.residual(frames, design, fit), mixing.residual(by_hand, plain, expected), atol=1e-8
    )


def test_weights_only_count_in_proportion(scene) -> None:
    references, _, frames = scene()
    weights = np.random.default_rng(0).uniform(0, 2, frames.shape[1:])
    a = mixing.fit(frames, mixing.prepare(references, weights=weights))
    b = mixing.fit(frames, mixing.prepare(references, weights=1e6 * weights))
    np.testing.assert_allclose(a.coefficients, b.coefficients, rtol=1e-12)
    np.testing.assert_allclose(a.errors, b.errors, rtol=1e-10)
    np.testing.assert_allclose(a.rmse, b.rmse, rtol=1e-10)


def test_saturating_pixels_are_left_out_for_all_frames_alike() -> None:
    rng = np.random.default_rng(3)
    references = np.stack([np.linspace(100, 1200, 2000), np.linspace(1100, 300, 2000)])
    shares = rng.uniform(0.4, 0.7, 800)
    expected = np.outer(shares, references[0]) + np.outer(1 - shares, references[1])
    frames = np.minimum(rng.poisson(expected), 800)
    detector = mixing.Detector(saturation=800)
    seen = references.copy()
    seen[seen > 1199] = np.nan
    spread = [[0.4, 0.6], [0.7, 0.3]]
    design = mixing.prepare(seen, detector=mixing.Detector(saturation=1e9), middle=spread)
    biased = mixing.fit(frames, design).coefficients[:, 0] - shares
    full = mixing.prepare(references[:, :1000], detector=detector, middle=spread)
    assert full.saturated_pixels_left_out > 0
    peak = expected.max(axis=0) + 3 * np.sqrt(expected.max(axis=0))
    assert full.saturated_pixels_left_out >= np.count_nonzero(peak[:1000] >= 800)
    left = mixing.fit(frames[:, :1000], full)
    difference = left.coefficients[:, 0] - shares
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(len(difference))
    assert abs(biased.mean()) > 10 * biased.std() / np.sqrt(len(biased))


def test_references_that_saturate_are_left_out() -> None:
    references = np.stack([np.full(50, 10.0) + np.arange(50), np.full(50, 30.0)])
    references[0, 7] = 255
    design = mixing.prepare(references, detector=mixing.Detector(saturation=255))
    assert design.saturated_pixels_left_out == 1
    assert not design.used[7]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"gain": 0.0}, "gain was 0.0"),
        ({"gain": np.nan}, "gain was nan"),
        ({"read_noise": -1.0}, "read noise was -1.0"),
        ({"offset": np.inf}, "offset was inf"),
    ],
)
def test_detectors_that_cannot_be(options, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        mixing.Detector(**options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mask": np.zeros((7, 9))}, "selects no pixel"),
        ({"mask": np.ones((7, 8))}, "must have the frames' shape"),
        ({"weights": np.full((7, 9), -1.0)}, "negative"),
        ({"weights": np.zeros((7, 9))}, "No pixel is left"),
        ({"flat": np.zeros((7, 9))}, "No pixel is left"),
        ({"dark": np.ones((9, 7))}, "must have the frames' shape"),
        ({"dark": np.ones((7, 9), complex)}, "complex"),
        ({"detector": mixing.Detector(saturation=10)}, "predicted to saturate"),
        (
            {"detector": mixing.Detector(offset=1e9), "poisson_weights": True},
            "no light and no read noise",
        ),
    ],
)
def test_pictures_that_cannot_be(scene, options, sentence) -> None:
    references, _, _ = scene()
    with pytest.raises(ValueError, match=sentence):
        mixing.prepare(references, **options)
