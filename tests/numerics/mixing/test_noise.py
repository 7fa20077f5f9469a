"""Noisy references: the pull they exert, its correction, and the error they share."""

from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics import mixing


def noisy_pair(noise: float, pixels: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    truth = rng.normal(3000, 748, (2, pixels))
    return truth, truth + rng.normal(0, noise, truth.shape)


def test_noisy_references_pull_and_the_correction_lets_go() -> None:
    """The published case: x = 0.7, reference noise 600, rms difference 1058."""
    rng = np.random.default_rng(0)
    truth, measured = noisy_pair(600, 500_000, rng)
    assert np.sqrt(np.mean((truth[0] - truth[1]) ** 2)) == pytest.approx(1058, abs=2)
    frame = 0.7 * truth[0] + 0.3 * truth[1] + rng.normal(0, 100, truth.shape[1])
    plain = mixing.fit(frame, mixing.prepare(measured))
    better = mixing.fit(frame, mixing.prepare(measured, reference_noise=[600.0, 600.0]))
    assert plain.coefficients[0, 0] == pytest.approx(0.622, abs=0.001)
    assert better.coefficients[0, 0] == pytest.approx(0.700, abs=0.003)


@pytest.mark.parametrize(
    "model",
    [
        {"constraint": "sum_to_one"},
        {"constraint": "none"},
        {"constraint": "sum_to_one", "offset": True},
        {"constraint": "sum_to_one", "gain": True},
        {"constraint": "none", "weights": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("errors", ["classical", "consistent"])
@pytest.mark.parametrize("holed", [False, True])
def test_own_and_shared_errors_are_those_of_repeated_measurements(model, errors, holed) -> None:
    rng = np.random.default_rng(1)
    options = dict(model)
    pixels = 900
    if options.pop("weights", False):
        options["weights"] = rng.uniform(0.5, 2, pixels)
    truth = rng.normal(3000, 748, (2, pixels))
    shares = np.array([0.62, 0.38])
    centres, own, shared = [], [], []
    for _ in range(150):
        measured = truth + rng.normal(0, 200, truth.shape)
        frames = shares @ truth + rng.normal(0, 150, (8, pixels))
        if holed:
            frames[:, ::7] = np.nan
        design = mixing.prepare(measured, reference_noise=[200.0, 200.0], errors=errors, **options)
        fit = mixing.fit(frames, design)
        centres.append(fit.coefficients[:, 0])
        own.append(fit.errors[:, 0])
        shared.append(fit.shared_errors[:, 0])
    x = np.array(centres)
    within = np.sqrt(x.var(axis=1, ddof=1).mean())
    between = np.sqrt(x.mean(axis=1).var(ddof=1) - within**2 / x.shape[1])
    assert np.mean(own) == pytest.approx(within, rel=0.1)
    assert np.mean(shared) == pytest.approx(between, rel=0.2)
    assert abs(x.mean() - 0.62) < 4 * between / np.sqrt(len(x))


@pytest.mark.parametrize("replicates", [2, 5])
def test_intervals_with_the_shared_error_hold_whatever_is_repeated(replicates) -> None:
    """References measured anew each time: own intervals miss what all frames of a run share."""
    rng = np.random.default_rng(4)
    inside = np.zeros(2)
    for _ in range(200):
        truth = rng.normal(3000, 700, (2, 100))
        measured = truth[:, None] + rng.normal(0, 200, (2, replicates, 100))
        means, noise = zip(*map(mixing.average_replicates, measured), strict=True)
        design = mixing.prepare(np.stack(means), reference_noise=np.stack(noise), errors="hc2")
        frames = 0.65 * truth[0] + 0.35 * truth[1] + rng.normal(0, 100, (5, 100))
        fit = mixing.fit(frames, design)
        for i, shared in enumerate((False, True)):
            low, high = mixing.confidence_interval(fit, shared=shared)
            inside[i] += ((low <= [0.65, 0.35]) & (high >= [0.65, 0.35])).mean() / 200
    assert inside[0] < 0.92
    assert 0.92 < inside[1] < 0.98


def test_reference_noise_of_one_number_each_or_one_per_pixel(scene) -> None:
    references, _, frames = scene()
    each = mixing.fit(frames, mixing.prepare(references, reference_noise=[30.0, 10.0]))
    full = np.broadcast_to(np.array([30.0, 10.0])[:, None, None], references.shape)
    pixel = mixing.fit(frames, mixing.prepare(references, reference_noise=full))
    np.testing.assert_array_equal(each.coefficients, pixel.coefficients)
    np.testing.assert_array_equal(each.shared_errors, pixel.shared_errors)


def test_without_reference_noise_nothing_is_shared(scene) -> None:
    references, _, frames = scene()
    assert (mixing.fit(frames, mixing.prepare(references)).shared_errors == 0).all()
    none = mixing.fit(frames, mixing.prepare(references, reference_noise=[0.0, 0.0]))
    plain = mixing.fit(frames, mixing.prepare(references))
    np.testing.assert_allclose(none.coefficients, plain.coefficients, rtol=1e-12)
    np.testing.assert_allclose(none.errors, plain.errors, rtol=1e-12)
    np.testing.assert_allclose(none.shared_errors, 0, atol=1e-15)


def test_residuals_below_the_references_noise_give_no_error(scene) -> None:
    references, _, frames = scene(noise=1.0)
    fit = mixing.fit(frames, mixing.prepare(references, reference_noise=[50.0, 50.0]))
    assert np.isnan(fit.errors).all()
    assert (fit.status == mixing.Status.NOISE_UNRESOLVED).all()
    assert np.isfinite(fit.coefficients).all()


def test_bounds_hold_with_noisy_references(scene) -> None:
    references, _, frames = scene(n=200)
    design = mixing.prepare(references, reference_noise=[9.0, 9.0], bounds=(0.5, 0.6))
    fit = mixing.fit(frames, design)
    free = mixing.fit(frames, mixing.prepare(references, reference_noise=[9.0, 9.0]))
    x = free.coefficients[:, 0]
    np.testing.assert_allclose(fit.coefficients[:, 0], np.clip(x, 0.5, 0.6), atol=1e-12)
    assert np.isnan(fit.shared_errors[fit.at_bound]).all()


@pytest.mark.parametrize(
    ("noise", "sentence"),
    [
        (np.full((2, 7, 9), 5000.0), "as large as the difference"),
        (np.full((2, 7, 9), -1.0), "negative"),
        (np.ones((2, 7, 8)), "one standard deviation per pixel"),
    ],
)
def test_reference_noise_that_cannot_be_is_told(scene, noise, sentence) -> None:
    references, _, _ = scene()
    with pytest.raises(ValueError, match=sentence):
        mixing.prepare(references, reference_noise=noise)


def test_pixels_where_the_noise_is_not_known_are_left_out(scene) -> None:
    references, _, _ = scene()
    noise = np.ones_like(references)
    noise[1, 2, 3] = np.nan
    assert mixing.prepare(references, reference_noise=noise).reference_pixels_left_out == 1
