"""Correlation at the best shift, against a direct search over every shift."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from skimage.registration import phase_cross_correlation

from napari_framewise.numerics.similarity import (
    Canvas,
    Filter,
    Spectra,
    Transform,
    best_shifts,
    chances,
    fractions,
    on_canvas,
)

Image = NDArray[np.float64]


def scene(shape: tuple[int, int], seed: int, sigma: float = 1.2) -> Image:
    noise = np.random.default_rng(seed).normal(size=shape)
    return np.asarray(ndimage.gaussian_filter(noise, sigma), float)


def overlapping(canvas: Canvas, i: int, j: int, dy: int, dx: int) -> tuple[Image, Image]:
    """Pixels of both that overlap at a shift, one after the other."""
    rows, columns = canvas.values.shape[1:]
    here = slice(max(0, -dy), min(rows, rows - dy)), slice(max(0, -dx), min(columns, columns - dx))
    there = slice(max(0, dy), min(rows, rows + dy)), slice(max(0, dx), min(columns, columns + dx))
    masks = canvas.masks[canvas.groups]
    both = (masks[i][here] > 0) & (masks[j][there] > 0)
    return canvas.values[i][here][both].astype(float), canvas.values[j][there][both].astype(float)


def directly(
    canvas: Canvas, i: int, j: int, reach: tuple[int, int], least: float
) -> tuple[float, float, float]:
    """Correlation and shift by trying each."""
    best, found = -np.inf, (np.nan, np.nan, np.nan)
    fewest = least * min(canvas.counts[i], canvas.counts[j])
    for dy in range(-reach[0], reach[0] + 1):
        for dx in range(-reach[1], reach[1] + 1):
            f, g = overlapping(canvas, i, j, dy, dx)
            if len(f) < max(2, fewest) or f.var() < 0.01 or g.var() < 0.01:
                continue
            r = np.corrcoef(f, g)[0, 1]
            z = np.arctanh(np.clip(r, -0.999, 0.999)) * np.sqrt(len(f))
            if z > best:
                best, found = z, (r, dy, dx)
    return found


def compared(canvas: Canvas, reach: tuple[int, int], least: float) -> tuple[Image, Image]:
    shape = canvas.values.shape[1:]
    spectra = Spectra.of(canvas, Transform((shape[0], shape[1]), reach))
    found = best_shifts(spectra, spectra, least_overlap=least)
    n = len(canvas)
    return found.score.reshape(n, n), found.shifts.reshape(n, n, 2)


@pytest.mark.parametrize("least", [0.2, 0.6])
def test_every_pair_is_what_trying_every_shift_finds(least: float) -> None:
    whole = scene((60, 60), 1)
    images = [whole[k : k + 20, 3 * k : 3 * k + 23] for k in range(6)]
    images += [scene((20, 23), seed) for seed in range(2, 6)]
    canvas = on_canvas(images, (20, 23))
    reach = 9, 11
    score, shifts = compared(canvas, reach, least)
    for i in range(0, 10, 3):
        for j in range(10):
            r, dy, dx = directly(canvas, i, j, reach, least)
            assert score[i, j] == pytest.approx(r, abs=1e-7)
            assert tuple(shifts[i, j]) == (dy, dx)


def test_missing_pixels_and_sizes_that_differ_take_no_part() -> None:
    rng = np.random.default_rng(0)
    whole = scene((50, 50), 7)
    images = [whole[:20, :22].copy(), whole[4:22, 3:25].copy(), whole[2:17, 1:20].copy()]
    images[0][rng.random(images[0].shape) < 0.2] = np.nan
    images[2][3:6, 5:9] = np.inf
    canvas = on_canvas(images, (20, 22), Filter("nothing"))
    reach = 8, 8
    score, shifts = compared(canvas, reach, 0.3)
    for i in range(3):
        for j in range(3):
            r, dy, dx = directly(canvas, i, j, reach, 0.3)
            apart = canvas.origins[j] - canvas.origins[i]
            assert score[i, j] == pytest.approx(r, abs=1e-7)
            assert tuple(shifts[i, j] + apart) == (dy, dx)
    assert score[0, 1] == pytest.approx(1, abs=1e-6)
    # Row 4, column 3 of the first is the first pixel of the second.
    assert tuple(shifts[0, 1]) == (-4, -3)
    assert tuple(shifts[1, 2]) == (2, 2)


def test_what_stands_under_a_mask_does_not_matter() -> None:
    images = [scene((16, 18), seed) for seed in (1, 2)]
    mask = np.random.default_rng(3).random((16, 18)) < 0.8
    other = [np.where(mask, image, 1e6) for image in images]
    first, second = (on_canvas(each, (16, 18), masks=[mask, mask]) for each in (images, other))
    np.testing.assert_array_equal(first.values, second.values)
    assert len(first.masks) == 1


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1000), st.integers(-6, 6), st.integers(-6, 6), st.floats(0.1, 50),
    st.floats(-100, 100),
)  # fmt: skip
def test_gain_offset_and_shift_change_nothing(
    seed: int, dy: int, dx: int, gain: float, offset: float
) -> None:
    whole = scene((40, 40), seed)
    images = [whole[8:32, 8:32], gain * whole[8 - dy : 32 - dy, 8 - dx : 32 - dx] + offset]
    score, shifts = compared(on_canvas(images, (24, 24), Filter("nothing")), (8, 8), 0.4)
    assert score[0, 1] == pytest.approx(1, abs=1e-6)
    assert tuple(shifts[0, 1]) == (dy, dx)
    assert tuple(shifts[1, 0]) == (-dy, -dx)


def test_the_shift_is_that_of_masked_registration_in_scikit_image() -> None:
    whole = scene((80, 80), 5)
    images = [whole[10:50, 10:50], whole[4:44, 17:57]]
    _, shifts = compared(on_canvas(images, (40, 40), Filter("nothing")), (16, 16), 0.3)
    one = np.ones((40, 40), bool)
    peer = phase_cross_correlation(
        images[1], images[0], reference_mask=one, moving_mask=one, overlap_ratio=0.3
    )[0]
    np.testing.assert_array_equal(shifts[0, 1], peer)


def test_fractions_of_a_pixel() -> None:
    whole = scene((80, 80), 9, 2.0)
    errors = []
    for dy, dx in ((0.3, -0.2), (1.45, 2.1), (-2.25, 0.5)):
        moved = ndimage.shift(whole, (dy, dx), order=5)
        canvas = on_canvas([whole[16:64, 16:64], moved[16:64, 16:64]], (48, 48))
        spectra = Spectra.of(canvas, Transform((48, 48), (6, 6)))
        pairs = np.array([[0, 1]])
        found = best_shifts(spectra, spectra, pairs)
        shift = found.shifts + fractions(canvas, canvas, pairs, found)
        errors.append(np.abs(shift[0] - (dy, dx)).max())
    assert max(errors) < 0.05


@pytest.mark.parametrize("sigma", [0.0, 1.5])
def test_chances_are_how_often_unrelated_images_do_as_well(sigma: float) -> None:
    images = [scene((48, 48), 100 + seed, sigma) for seed in range(36)]
    canvas = on_canvas(images, (48, 48))
    spectra = Spectra.of(canvas, Transform((48, 48), (12, 12)))
    pairs = np.argwhere(np.triu(np.ones((36, 36)), 1))
    found = chances(spectra, spectra, pairs, best_shifts(spectra, spectra, pairs))
    for level in (0.2, 0.05):
        assert 0.5 * level < np.mean(found < level) < 1.6 * level


def test_images_without_contrast_or_data_have_no_answer() -> None:
    images = [scene((12, 12), 1), np.full((12, 12), 3.0), np.full((12, 12), np.nan)]
    score, shifts = compared(on_canvas(images, (12, 12)), (4, 4), 0.3)
    assert score[0, 0] == pytest.approx(1)
    assert np.isnan(score[1:]).all()
    assert np.isnan(shifts[0, 1:]).all()


def test_an_image_that_does_not_fit_the_canvas_is_refused() -> None:
    with pytest.raises(ValueError, match="8 x 9 pixels was given for a canvas of 8 x 8"):
        on_canvas([np.zeros((8, 9))], (8, 8))
    with pytest.raises(ValueError, match="must be the larger"):
        Filter("band", 3, 2)
