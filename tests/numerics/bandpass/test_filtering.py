"""Filters by frequency: their realised transfer, borders, gaps and noise, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from napari_framewise.numerics.bandpass import (
    Butterworth,
    Gaussians,
    LogGabor,
    Response,
    band_noise,
    band_of,
    check_band,
    check_taps,
    filtered,
    filtered_with_gaps,
    gaussians_of,
    radial_spectrum,
)

RNG = np.random.default_rng(7)
SHAPE = (48, 40)


def wave(k: int, m: int) -> np.ndarray:
    """A wave that reflection continues: the cosine transform's own."""
    rows, columns = (np.arange(n) + 0.5 for n in SHAPE)
    return np.outer(np.cos(np.pi * k * rows / SHAPE[0]), np.cos(np.pi * m * columns / SHAPE[1]))


@pytest.mark.parametrize(
    "response", [gaussians_of(0.1, 0.4), LogGabor(0.1, 0.13), Butterworth(0.05, 0.2, 3)]
)
@pytest.mark.parametrize(("k", "m"), [(0, 0), (3, 0), (0, 17), (12, 9), (47, 39)])
def test_the_transfer_is_exact(response: Response, k: int, m: int) -> None:
    frequency = math.hypot(k / (2 * SHAPE[0]), m / (2 * SHAPE[1]))
    wanted = float(response.transfer(np.array(frequency)))
    found = filtered(100 * wave(k, m)[None], response)[0]
    np.testing.assert_allclose(found, 100 * wanted * wave(k, m), atol=1e-11)


@pytest.mark.parametrize("band", [(0.02, 0.08), (0.05, 0.2), (0.1, 0.4), (0.17, 0.399)])
def test_realised_half_power_edges_are_those_that_were_asked_for(band: tuple[float, float]) -> None:
    length = 4_000
    impulse = np.zeros((1, length, 1))
    impulse[0, length // 2] = 1
    found = np.abs(np.fft.rfft(filtered(impulse, gaussians_of(*band))[0, :, 0]))
    above = np.flatnonzero(found >= found.max() / math.sqrt(2)) / length
    np.testing.assert_allclose((above[0], above[-1]), band, rtol=5e-3)


def test_pixels_of_another_size_along_one_axis() -> None:
    # 0.25 cycles per unit along either axis are as strong.
    response = LogGabor(0.2, 0.3)
    rows, columns = (np.arange(n) + 0.5 for n in (40, 40))
    along = np.cos(2 * np.pi * 0.25 * rows * 0.5)[:, None] + 0 * columns
    across = np.cos(2 * np.pi * 0.25 * columns)[None] + 0 * rows[:, None]
    both = filtered(np.stack([along, across]), response, (0.5, 1.0))
    gain = float(response.transfer(np.array(0.25)))
    np.testing.assert_allclose(both, gain * np.stack([along, across]), atol=1e-12)


def test_volumes_and_units() -> None:
    volumes = RNG.normal(size=(2, 6, 10, 12))
    response = gaussians_of(0.1, 0.4)
    found = filtered(volumes, response)
    np.testing.assert_array_equal(filtered(volumes * 2.0**700, response), found * 2.0**700)
    assert np.abs(found.mean(axis=(1, 2, 3))).max() < 1e-15
    wanted = ndimage.gaussian_filter(volumes[0], 4.0, mode="reflect", truncate=8)
    np.testing.assert_allclose(filtered(volumes[:1], Gaussians(4.0))[0], wanted, atol=1e-6)


def test_a_frame_with_a_gap_is_nan_as_a_whole_and_leaves_the_others_alone() -> None:
    frames = RNG.normal(size=(2, 9, 9))
    alone = filtered(frames[1:], Gaussians(1.0))
    frames[0, 4, 4] = np.nan
    found = filtered(frames, Gaussians(1.0))
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1:], alone)


class TestGaps:
    response = Gaussians(1.5, 4.0)

    def test_what_stands_under_the_mask_never_matters(self) -> None:
        frames = RNG.normal(100, 20, (2, 40, 50))
        mask = RNG.random((1, 40, 50)) > 0.3
        found = filtered_with_gaps(frames, self.response, mask=mask)
        for value in (np.nan, np.inf, -1e300):
            other = np.where(mask, frames, value)
            np.testing.assert_array_equal(
                filtered_with_gaps(other, self.response, mask=mask), found
            )
        np.testing.assert_array_equal(np.isnan(found), np.broadcast_to(~mask, found.shape))

    def test_a_flat_frame_is_zero_whatever_is_missing(self) -> None:
        frame = np.where(RNG.random((1, 30, 30)) < 0.6, np.nan, 7.25)
        found = filtered_with_gaps(frame, self.response)
        assert np.nanmax(np.abs(found)) < 1e-13

    def test_far_from_gaps_and_borders_it_is_the_filter_by_frequency(self) -> None:
        frame = ndimage.gaussian_filter(RNG.normal(0, 50, (120, 120)), 1.0)
        holed = frame.copy()
        holed[2:5, 2:5] = np.nan
        inner = (slice(30, -30), slice(30, -30))
        by_frequency = filtered(frame[None], self.response)[0][inner]
        in_space = filtered_with_gaps(holed[None], self.response)[0][inner]
        assert np.abs(in_space - by_frequency).max() < 0.01 * np.abs(by_frequency).max()

    def test_bands_that_the_pixels_cannot_sample_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"their gain is off by \d+ %"):
            check_taps(gaussians_of(0.1, 0.4), (1.0, 1.0))
        with pytest.raises(ValueError, match="only Gaussians can be used there"):
            check_taps(LogGabor(0.1, 0.2), (1.0, 1.0))
        assert check_taps(gaussians_of(0.02, 0.08), (1.0, 1.0)) == gaussians_of(0.02, 0.08)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.1, 0.6, "above the highest frequency"), (1e-4, 1e-3, "below the lowest frequency")],
)
def test_bands_that_the_frames_cannot_have(low: float, high: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_band(low, high, (64, 64))


def test_the_spectrum_of_white_noise_is_its_variance_and_of_a_wave_its_frequency() -> None:
    flat = radial_spectrum(1e6 + RNG.normal(0, 3, (256, 200)))
    assert flat.power[20:].mean() == pytest.approx(9, rel=0.05)
    tone = radial_spectrum(wave(12, 0))
    assert tone.frequencies[np.argmax(tone.power)] == pytest.approx(12 / 96, abs=1 / 80)
    assert np.isnan(radial_spectrum(np.full((8, 8), np.nan)).power).all()


class TestNoise:
    def test_all_its_power_lies_in_the_band_and_it_tiles(self) -> None:
        noise = band_noise((96, 80), 0.1, 0.2, seed=(3,))
        assert noise.mean() == pytest.approx(0, abs=1e-14)
        assert noise.std() == pytest.approx(1, abs=1e-14)
        lengths = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.fftfreq(80))
        power = np.square(np.abs(np.fft.fft2(noise)))
        inside = (lengths >= 0.1) & (lengths <= 0.2)
        assert power[~inside].sum() < 1e-20 * power.sum()

    def test_the_seed_says_all_and_another_gives_other_noise(self) -> None:
        first = band_noise((32, 32), 0.1, 0.3, seed=(1, 0))
        np.testing.assert_array_equal(first, band_noise((32, 32), 0.1, 0.3, seed=(1, 0)))
        other = band_noise((32, 32), 0.1, 0.3, seed=(1, 1))
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.3

    def test_a_band_between_the_frequencies_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"no frequency of an image of this size"):
            band_noise((16, 16), 0.01, 0.02, seed=(0,))


def test_a_difference_of_gaussians_lets_noise_through_outside_its_band() -> None:
    # What the ideal band does not: about 57 % of the power of filtered white noise is in the band.
    response = gaussians_of(0.05, 0.2)
    noise = filtered(RNG.normal(size=(1, 400, 400)), response)[0]
    lengths = np.hypot(np.fft.fftfreq(400)[:, None], np.fft.fftfreq(400))
    power = np.square(np.abs(np.fft.fft2(noise)))
    band = band_of(response)
    share = power[(lengths >= band.low) & (lengths <= band.high)].sum() / power.sum()
    assert 0.45 < share < 0.75
