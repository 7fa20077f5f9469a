"""Restored scenes beside the truth, solvers beside each other, and what is said of the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest
from scipy import ndimage, optimize
from skimage import data as photographs

from napari_framewise.numerics.deconvolution import (
    Boundary,
    Method,
    Settings,
    Verdict,
    blur_of,
    noise_amplification,
    noise_gain_of,
    prepare,
    restore,
    restoring,
    total_variation,
)
from napari_framewise.numerics.deconvolution.admm import admm_steps
from napari_framewise.numerics.deconvolution.bands import Bands
from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.descent import fista_steps
from napari_framewise.numerics.psf import disc_psf, gaussian_psf

METHODS = get_args(Method)
SCENE = photographs.camera()[120:216, 200:300] / 255.0
KERNEL = gaussian_psf((1.6, 1.6))


def decibels(image: np.ndarray, truth: np.ndarray) -> float:
    return float(-10 * np.log10(np.nanmean((image - truth) ** 2)))


def blurred(kernel: np.ndarray = KERNEL, noise: float = 5e-3) -> np.ndarray:
    """A part of a larger scene, blurred."""
    whole = photographs.camera()[88:248, 168:332] / 255.0
    seen = ndimage.convolve(whole, kernel, mode="reflect")[32:-32, 32:-32]
    return np.asarray(seen + np.random.default_rng(1).normal(0, noise, seen.shape))


@pytest.mark.parametrize("method", [each for each in METHODS if each != "inverse"])
@pytest.mark.parametrize("boundary", ["unknown", "reflect"])
def test_every_method_comes_nearer_to_the_scene(method: Method, boundary: Boundary) -> None:
    seen = blurred()
    found = restore(seen, prepare(KERNEL, seen.shape, Settings(method=method, boundary=boundary)))
    gain = decibels(found.image, SCENE) - decibels(seen, SCENE)
    assert gain > (2.0 if method in ("tv", "tv_fista") and boundary == "unknown" else 0.7)
    assert found.noise == pytest.approx(5e-3, rel=0.1)


def last(steps: Iterator[Step], count: int) -> np.ndarray:
    return next(step.scene for step in steps if step.number == count)


@pytest.mark.parametrize("boundary", get_args(Boundary))
def test_fista_and_admm_find_the_same_least_objective(boundary: Boundary) -> None:
    seen, weight = blurred()[:40, :44], 1e-3
    blur, data = blur_of(KERNEL, seen.shape, boundary), Data.of(seen)
    by_fista = last(fista_steps(blur, data, weight), 400)
    by_admm = last(admm_steps(blur, data, weight=weight), 300)
    least = [
        np.sum((blur.forward(scene) - seen) ** 2) / 2 + weight * total_variation(scene)
        for scene in (by_fista, by_admm)
    ]
    assert least[1] == pytest.approx(least[0], rel=1e-3)


def test_no_small_change_makes_the_objective_less() -> None:
    kernel = disc_psf((1.5, 1.5))
    seen, weight = blurred()[:10, :11], 0.01
    blur = blur_of(kernel, (10, 11), "reflect")

    def objective(scene: np.ndarray) -> float:
        left = blur.forward(scene.reshape(10, 11)) - seen
        return float(np.sum(left**2) / 2 + weight * total_variation(scene.reshape(10, 11)))

    found = last(admm_steps(blur, Data.of(seen), weight=weight), 2000)
    better = optimize.minimize(objective, found.ravel(), method="Powell", options={"maxiter": 2})
    assert better.fun >= objective(found) * (1 - 1e-3)


def test_the_discrepancy_principle_leaves_the_noise() -> None:
    seen = blurred()
    for method in ("tikhonov", "richardson_lucy", "landweber"):
        settings = Settings(method=method, iterations=400, tolerance=1e-5, boundary="reflect")
        found = restore(seen, prepare(KERNEL, seen.shape, settings))
        assert found.residual == pytest.approx(found.noise, rel=0.05)


@pytest.mark.parametrize("boundary", ["reflect", "unknown"])
def test_total_variation_leaves_the_noise_less_what_the_scene_takes_up(boundary: Boundary) -> None:
    seen = blurred()
    settings = Settings(iterations=400, tolerance=1e-5, boundary=boundary)
    found = restore(seen, prepare(KERNEL, seen.shape, settings))
    assert 0.02 < found.freedom <= 0.1
    left = found.noise * np.sqrt(1 - found.freedom)
    assert found.residual == pytest.approx(left, rel=0.02)


def test_a_smooth_scene_takes_up_no_more_than_a_tenth() -> None:
    # Its filter's trace would be more, and the weight run away with it.
    whole = photographs.moon()[60:188, 60:188] / 255.0
    seen = ndimage.convolve(whole, KERNEL, mode="reflect")
    seen += np.random.default_rng(11).normal(0, 1e-3, seen.shape)
    found = restore(seen, prepare(KERNEL, seen.shape, Settings(boundary="reflect")))
    assert found.freedom <= 0.1
    assert found.residual > 0.9 * found.noise
    assert decibels(found.image, whole) > decibels(seen, whole)


def test_bands_tell_residual_and_degrees_of_freedom_as_the_coefficients_do() -> None:
    random = np.random.default_rng(3)
    for boundary in ("reflect", "periodic"):
        domain = blur_of(KERNEL, (30, 37), boundary).domain
        rough = domain.roughness((1.0, 1.0))
        bands = Bands.of(domain.power, rough, domain.multiplicity)
        off = domain.transform(random.normal(size=(30, 37))) * (rough > 0)
        for weight in (1e-4, 1e-2, 1.0):
            below = domain.power + weight * rough
            squares = np.square(np.abs(off) * weight / below)
            spectrum = bands.spectrum(off)
            assert bands.residual(spectrum, weight) == pytest.approx(
                domain.energy(squares), rel=1e-3
            )
            kept = domain.energy(np.where(rough > 0, domain.power / below, 0)) / domain.energy(
                np.ones(rough.shape)
            )
            assert bands.freedom(weight) == pytest.approx(kept, rel=5e-3)
            again = bands.weight_for(spectrum, bands.residual(spectrum, weight), 0.1)
            assert again == pytest.approx(weight, rel=1e-3)


@pytest.mark.parametrize("boundary", get_args(Boundary))
@pytest.mark.parametrize("level", [50.0, -1e4])
def test_a_level_far_above_the_scene_costs_no_digits(boundary: Boundary, level: float) -> None:
    seen = blurred()[:48, :48]
    if boundary == "zero":
        # Past that border the scene is dark, so that a level is no level.
        level /= 1e3
    settings = Settings(boundary=boundary, iterations=8, noise=5e-3)
    prepared = prepare(KERNEL, seen.shape, settings)
    plain, raised = (restore(seen + each, prepared).image for each in (0.0, level))
    if boundary != "zero":
        np.testing.assert_allclose(raised - level, plain, atol=2e-5)
    else:
        assert np.isfinite(raised).all()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_depends_on_what_stands_under_missing_pixels(method: Method) -> None:
    seen = blurred()
    gone = np.zeros(seen.shape, bool)
    gone[20:24, 30:36] = gone[60] = True
    prepared = prepare(KERNEL, seen.shape, Settings(method=method, iterations=12))
    images = []
    for value in (np.nan, np.inf, 1e30):
        given = np.where(gone, value, seen)
        images.append(restore(given, prepared, missing=gone).image)
    for each in images[1:]:
        np.testing.assert_array_equal(each, images[0])
    # What lies within the reach of known pixels is an answer, and near the truth.
    assert np.isfinite(images[0]).mean() > 0.98
    if method == "tv":
        assert decibels(images[0][gone], SCENE[gone]) > 20


def test_a_region_leaves_its_surroundings_out() -> None:
    seen = blurred()
    use = np.zeros(seen.shape, bool)
    use[20:70, 30:80] = True
    other = np.where(use, seen, 7.0)
    prepared = prepare(KERNEL, seen.shape, Settings())
    found = restore(other, prepared, use)
    assert np.array_equal(np.isfinite(found.image), use)
    inner = np.s_[22:68, 32:78]
    assert decibels(found.image[inner], SCENE[inner]) > decibels(seen[inner], SCENE[inner]) + 1.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("exponent", [-60, 60])
def test_units_leave_the_same_bits(method: Method, exponent: int) -> None:
    seen, unit = blurred()[:40, :40], 2.0**exponent
    settings = Settings(method=method, iterations=8)
    plain = restore(seen, prepare(KERNEL, seen.shape, settings))
    scaled = restore(seen * unit, prepare(KERNEL, seen.shape, settings))
    np.testing.assert_array_equal(scaled.image, plain.image * unit)
    assert scaled.noise == plain.noise * unit


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (np.full((60, 60), np.nan), Verdict.NO_DATA),
        (np.full((60, 60), 7.0), Verdict.FLAT),
        (np.random.default_rng(2).normal(50, 3, (120, 120)), Verdict.NOISE),
    ],
)
def test_where_there_is_nothing_to_find_it_says_so(frame: np.ndarray, said: Verdict) -> None:
    found = restore(frame, prepare(KERNEL, frame.shape, Settings()))
    assert found.verdict is said
    assert said.sentence


@pytest.mark.parametrize("of", [gaussian_psf, disc_psf])
@pytest.mark.parametrize("noise", [1e-3, 1e-2])
def test_a_psf_of_twice_the_width_is_told_from_the_right_one(of: object, noise: float) -> None:
    make = gaussian_psf if of is gaussian_psf else disc_psf
    width = 1.6 if of is gaussian_psf else 3.0
    seen = blurred(make((width, width)), noise)
    right = restore(seen, prepare(make((width, width)), seen.shape, Settings()))
    wrong = restore(seen, prepare(make((2 * width, 2 * width)), seen.shape, Settings()))
    assert right.verdict in (Verdict.GOOD, Verdict.STOPPED)
    assert wrong.verdict in (Verdict.UNREACHED, Verdict.RINGING)


def test_iterations_that_are_used_up_are_not_blamed_on_the_psf() -> None:
    seen = blurred(noise=1e-3)
    for method in ("richardson_lucy", "landweber"):
        settings = Settings(method=method, iterations=6)
        found = restore(seen, prepare(KERNEL, seen.shape, settings))
        assert found.residual > 1.15 * found.noise
        assert found.verdict is Verdict.STOPPED


def test_a_texture_whose_contrast_comes_back_is_no_ringing() -> None:
    whole = photographs.grass()[20:148, 30:158] / 255.0
    seen = ndimage.convolve(whole, gaussian_psf((2.4, 2.4)), mode="reflect")
    seen += np.random.default_rng(7).normal(0, 1e-3, seen.shape)
    said = {}
    for width in (2.4, 3.0):
        kernel = gaussian_psf((width, width))
        said[width] = restore(seen, prepare(kernel, seen.shape, Settings())).verdict
    assert said[2.4] in (Verdict.GOOD, Verdict.STOPPED)
    assert said[3.0] is Verdict.RINGING


def test_the_inverse_gives_a_scene_back_without_noise_and_noise_with_it() -> None:
    kernel = np.zeros((3, 3))
    kernel[1] = (0.2, 0.6, 0.2)
    scene = SCENE[:64, :64]
    seen = ndimage.convolve(scene, kernel, mode="wrap")
    prepared = prepare(kernel, seen.shape, Settings(method="inverse"))
    np.testing.assert_allclose(restore(seen, prepared).image, scene, atol=1e-12)
    gain = noise_gain_of(prepared)
    random = np.random.default_rng(8)
    noise = random.normal(size=(50, *seen.shape))
    measured = np.std([restore(seen + each, prepared).image - scene for each in noise])
    assert measured == pytest.approx(gain, rel=0.02)
    floored = prepare(kernel, seen.shape, Settings(method="inverse", floor=0.5))
    assert noise_gain_of(floored) < gain
    wide = prepare(KERNEL, (96, 100), Settings(method="inverse"))
    assert restore(blurred(), wide).verdict is Verdict.AMPLIFIED


def test_the_amplification_map_is_one_over_the_spectrum() -> None:
    kernel = gaussian_psf((0.6, 0.8))
    prepared = prepare(kernel, (31, 40), Settings(method="inverse"))
    placed = np.zeros((31, 40))
    placed[: kernel.shape[0], : kernel.shape[1]] = kernel
    back = (-(kernel.shape[0] // 2), -(kernel.shape[1] // 2))
    spectrum = np.abs(np.fft.fft2(np.roll(placed, back, (0, 1))))
    found = noise_amplification(prepared.blur.domain)
    np.testing.assert_allclose(found, np.fft.fftshift(1 / spectrum), rtol=1e-9)
    assert noise_amplification(prepared.blur.domain, 0.5).max() == pytest.approx(2)


def test_richardson_lucy_keeps_a_flat_field_to_the_border() -> None:
    kernel, flat = gaussian_psf((1.0, 1.5, 1.5))[1:-1], np.full((8, 20, 24), 100.0)
    # Not quite flat, for what is flat has nothing to restore.
    slope = 1e-9 * np.arange(flat.size).reshape(flat.shape)
    for boundary in get_args(Boundary):
        blur = blur_of(kernel, flat.shape, boundary)
        seen = blur.forward(flat) if boundary == "zero" else flat
        settings = Settings(method="richardson_lucy", boundary=boundary, iterations=3)
        found = restore(seen + slope, prepare(kernel, flat.shape, settings))
        np.testing.assert_allclose(found.image, 100, rtol=0.02)


def test_no_value_below_zero_where_that_is_asked() -> None:
    seen = np.zeros((40, 40))
    seen[20, 20] = 1.0
    seen = ndimage.convolve(seen, KERNEL) + np.random.default_rng(4).normal(0, 1e-4, seen.shape)
    for method in ("tv", "tv_fista", "landweber", "richardson_lucy"):
        settings = Settings(method=method, non_negative=True, iterations=20)
        assert restore(seen, prepare(KERNEL, seen.shape, settings)).image.min() >= 0


def test_a_frame_begun_from_one_alike_takes_fewer_iterations() -> None:
    seen = blurred()
    prepared = prepare(KERNEL, seen.shape, Settings())
    first = restore(seen, prepared)
    noise = np.random.default_rng(5).normal(0, 1e-4, seen.shape)
    again = restore(seen + noise, prepared, start=first.scene)
    assert again.iterations < first.iterations


@pytest.mark.parametrize("boundary", ["reflect", "unknown"])
def test_fista_goes_on_from_where_the_weight_was_found(boundary: Boundary) -> None:
    seen = blurred(noise=1e-2)[:48, :48]
    found = {
        method: restore(
            seen, prepare(KERNEL, seen.shape, Settings(method=method, boundary=boundary))
        )
        for method in ("tv", "tv_fista")
    }
    # From the data it took all 100 iterations, and had not come to rest then.
    assert found["tv_fista"].verdict is Verdict.GOOD
    assert found["tv_fista"].iterations < 60
    assert found["tv_fista"].weight == pytest.approx(found["tv"].weight, rel=0.02)
    assert found["tv_fista"].objective == pytest.approx(found["tv"].objective, rel=3e-3)


def test_restarts_of_fista_are_counted() -> None:
    seen = blurred(noise=1e-2)[:48, :48]
    settings = Settings(method="tv_fista", iterations=300, tolerance=0.0, weight=3e-3)
    course = list(restoring(seen, prepare(KERNEL, seen.shape, settings)))
    counts = [each.restarts for each in course]
    assert counts == sorted(counts)
    objectives = [each.objective for each in course]
    assert objectives[-1] <= objectives[5]


def test_pixels_of_another_size_along_an_axis_weigh_as_one_over_it() -> None:
    image = np.random.default_rng(6).normal(size=(5, 6))
    assert total_variation(image, (0.0, 1.0)) == pytest.approx(np.abs(np.diff(image, axis=1)).sum())
    seen = blurred()[:40, :40]
    plain = restore(seen, prepare(KERNEL, seen.shape, Settings(iterations=10)))
    same = restore(seen, prepare(KERNEL, seen.shape, Settings(iterations=10, spacing=(2.0, 2.0))))
    other = restore(seen, prepare(KERNEL, seen.shape, Settings(iterations=10, spacing=(4.0, 1.0))))
    np.testing.assert_array_equal(same.image, plain.image)
    assert not np.array_equal(other.image, plain.image)
