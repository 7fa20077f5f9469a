from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio

from napari_framewise.numerics.quality import errors_of, evened, leftovers, matched

RNG = np.random.default_rng(7)
TRUTH = 100 + 40 * RNG.normal(size=(3, 40, 50))


def test_errors_are_those_of_their_formulas_and_of_scikit_image() -> None:
    image = TRUTH + RNG.normal(2, 9, TRUTH.shape)
    found = errors_of(TRUTH, image)
    error = image - TRUTH
    for frame in range(3):
        e, t = error[frame], TRUTH[frame]
        assert found.mse[frame] == pytest.approx(mean_squared_error(t, image[frame]))
        psnr = peak_signal_noise_ratio(t, image[frame], data_range=255)
        assert found.psnr(255)[frame] == pytest.approx(psnr)
        assert found.bias[frame] == pytest.approx(e.mean())
        assert found.mae[frame] == pytest.approx(np.abs(e).mean())
        assert found.maximum[frame] == np.abs(e).max()
        assert found.snr_mean[frame] == pytest.approx(t.mean() / e.std())
        assert found.snr_power[frame] == pytest.approx(10 * np.log10((t**2).sum() / (e**2).sum()))
        assert found.snr_variance[frame] == pytest.approx(t.var() / e.var())
    half = errors_of(TRUTH, TRUTH + error / 2)
    np.testing.assert_allclose(half.isnr(found), 20 * np.log10(2))


def test_missing_pixels_are_left_out() -> None:
    image = TRUTH + RNG.normal(0, 5, TRUTH.shape)
    image[0, 3:9] = np.nan
    truth = TRUTH.copy()
    truth[1, :, 7] = np.nan
    image[2] = np.nan
    found = errors_of(truth, image)
    known = np.isfinite(image[0])
    assert found.mse[0] == pytest.approx(np.mean((image[0] - truth[0])[known] ** 2))
    assert found.count.tolist() == [34 * 50, 40 * 49, 0]
    assert np.isnan(found.mse[2])
    assert np.isnan(found.maximum[2])


def test_no_error_is_infinitely_good() -> None:
    found = errors_of(TRUTH, TRUTH)
    assert np.isinf(found.psnr(1)).all()
    assert np.isinf(found.snr_power).all()


def test_gain_and_offset_are_least_squares() -> None:
    image = 3 + 0.5 * TRUTH + RNG.normal(0, 4, TRUTH.shape)
    made, gain, offset = matched(TRUTH, image)
    for frame in range(3):
        slope, lift = np.polyfit(image[frame].ravel(), TRUTH[frame].ravel(), 1)
        assert gain[frame] == pytest.approx(slope)
        assert offset[frame] == pytest.approx(lift)
    np.testing.assert_allclose(made, gain[:, None, None] * image + offset[:, None, None])
    assert errors_of(TRUTH, made).bias == pytest.approx(np.zeros(3), abs=1e-10)


def test_light_is_split_from_noise() -> None:
    truth = np.abs(TRUTH[:1])
    y, x = np.mgrid[-1:1:40j, -1:1:50j]
    shade = 1.1 - 0.3 * (y**2 + x**2)
    noise = RNG.normal(0, 3, truth.shape)
    found = evened(truth, truth * shade + 4 * x + noise, 3)
    assert np.sqrt(found.rough[0]) == pytest.approx(3, rel=0.03)
    smooth = truth * (shade - 1) + 4 * x
    assert found.uniform[0] + found.smooth[0] == pytest.approx(np.mean(smooth**2), rel=0.03)
    assert found.smooth[0] > 50
    only = evened(truth, 0.9 * truth + 5, 3)
    assert only.uniform[0] == pytest.approx(np.mean((5 - 0.1 * truth) ** 2))
    assert only.smooth[0] + only.rough[0] < 1e-9 * only.uniform[0]


@pytest.mark.parametrize("shape", [(1, 30, 20), (2, 6, 9, 8)])
def test_squares_of_the_parts_add_up(shape: tuple[int, ...]) -> None:
    truth = RNG.normal(10, 3, shape)
    image = truth + RNG.normal(1, 2, shape)
    image[0, 2] = np.nan
    found = evened(truth, image, 2)
    np.testing.assert_allclose(
        found.uniform + found.smooth + found.rough, errors_of(truth, image).mse
    )
    np.testing.assert_array_equal(np.isnan(found.image), np.isnan(image))
    np.testing.assert_allclose(errors_of(truth, found.image).mse, found.rough)


def test_white_noise_leaves_no_structure() -> None:
    noise = RNG.normal(0, 2, (2, 128, 96))
    truth = np.cumsum(RNG.normal(size=noise.shape), axis=2)
    found = leftovers(truth, truth + noise)
    assert np.abs(found.neighbours).max() < 0.03
    assert np.abs(found.with_truth).max() < 0.03
    np.testing.assert_allclose(found.spectrum.mean(axis=1), 4, rtol=0.05)
    assert found.of_truth[:, 0].min() > 100 * found.of_truth[:, -1].max() / 10


def test_the_autocorrelation_is_that_of_direct_sums() -> None:
    error = RNG.normal(size=(1, 30, 26))
    error[0, :, 1:] += 0.8 * error[0, :, :-1]
    error[0, 4:7, 3:9] = np.nan
    found = leftovers(np.zeros_like(error), error)
    values = error[0] - np.nanmean(error[0])
    variance = np.nanmean(values**2)
    for down, right in ((0, 1), (3, 0), (2, 5)):
        products = values[down:, right:] * values[: 30 - down, : 26 - right]
        expected = np.nanmean(products) / variance
        assert found.autocorrelation[0, 8 + down, 8 + right] == pytest.approx(expected)
    assert found.autocorrelation[0, 8, 8] == pytest.approx(1)
    assert found.neighbours[0] > 0.15


def test_lost_contrast_goes_against_the_truth() -> None:
    found = leftovers(TRUTH, TRUTH.mean() + 0.7 * (TRUTH - TRUTH.mean()))
    np.testing.assert_allclose(found.with_truth, -1)
