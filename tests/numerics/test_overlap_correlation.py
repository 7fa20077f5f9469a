"""Normalised correlation over every shift, against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics.overlap_correlation import Spectra, correlations, peaks


def written_out(
    image: np.ndarray, mask: np.ndarray, template: np.ndarray, use: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Correlation at every shift by a loop, over the pixels that both may use."""
    (_, rows, columns), (_, height, width) = image.shape, template.shape
    values = np.full((rows + height - 1, columns + width - 1), np.nan)
    counts = np.zeros(values.shape, int)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            down, right = i - height + 1, j - width + 1
            there = np.zeros((height, width), bool)
            y, x = np.mgrid[0:height, 0:width]
            inside = (y + down >= 0) & (y + down < rows) & (x + right >= 0) & (x + right < columns)
            there[inside] = mask[(y + down)[inside], (x + right)[inside]]
            both = there & use
            counts[i, j] = both.sum()
            if counts[i, j] < 2:
                continue
            one = image[:, (y + down)[both], (x + right)[both]]
            two = template[:, both]
            one = one - one.mean(axis=1, keepdims=True)
            two = two - two.mean(axis=1, keepdims=True)
            values[i, j] = (one * two).sum() / np.sqrt((one**2).sum() * (two**2).sum())
    return values, counts


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("masked", [False, True])
def test_every_shift_is_a_correlation_over_its_own_overlap(channels: int, masked: bool) -> None:
    rng = np.random.default_rng(2)
    image, template = rng.normal(size=(channels, 9, 11)), rng.normal(size=(channels, 5, 4))
    mask, use = np.ones((9, 11), bool), np.ones((5, 4), bool)
    if masked:
        mask, use = rng.random((9, 11)) < 0.7, rng.random((5, 4)) < 0.8
    spectra = Spectra.of(image, mask if masked else None, (5, 4))
    values, overlap = correlations(spectra, template, use.astype(float), 0.2)
    wanted, counts = written_out(image, mask, template, use)
    np.testing.assert_array_equal(overlap, counts)
    known = counts >= max(0.2 * use.sum(), 2)
    np.testing.assert_allclose(values[known], wanted[known], atol=1e-9)
    assert np.isnan(values[~known]).all()


def test_what_stands_under_the_mask_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    image, template, mask = rng.normal(size=(1, 20, 20)), rng.normal(size=(1, 6, 6)), np.ones(36)
    use = np.ones((20, 20))
    use[4:9, 4:9] = 0
    other = np.where(use > 0, image, 1e3)
    first, second = (
        correlations(Spectra.of(each, use, (6, 6)), template, mask.reshape(6, 6), 0.3)[0]
        for each in (image, other)
    )
    np.testing.assert_array_equal(first, second)


def test_the_place_of_a_template_is_the_highest_peak_and_others_lie_apart() -> None:
    image = np.random.default_rng(4).normal(size=(1, 40, 50))
    template = image[:, 7:19, 30:44]
    values, overlap = correlations(
        Spectra.of(image, None, (12, 14)), template, np.ones((12, 14)), 0.3
    )
    found = peaks(values, overlap, 5, 4)
    assert found[0] == (7 + 11, 30 + 13)
    assert len(found) == 5
    for number, one in enumerate(found):
        for two in found[:number]:
            assert max(abs(one[0] - two[0]), abs(one[1] - two[1])) > 4


def test_volumes_are_correlated_over_every_shift() -> None:
    rng = np.random.default_rng(5)
    image, template = rng.normal(size=(1, 5, 6, 7)), rng.normal(size=(1, 3, 4, 3))
    mask, use = rng.random((5, 6, 7)) < 0.8, rng.random((3, 4, 3)) < 0.9
    spectra = Spectra.of(image, mask, (3, 4, 3))
    values, overlap = correlations(spectra, template, use.astype(float), 0.3)
    for place in np.ndindex(values.shape):
        shift = np.array(place) - np.array(template.shape[1:]) + 1
        at = np.argwhere(use)
        there = at + shift
        inside = ((there >= 0) & (there < image.shape[1:])).all(axis=1)
        inside[inside] = mask[tuple(there[inside].T)]
        assert overlap[place] == inside.sum()
        if inside.sum() < max(0.3 * use.sum(), 2):
            assert np.isnan(values[place])
            continue
        one, two = image[0][tuple(there[inside].T)], template[0][tuple(at[inside].T)]
        np.testing.assert_allclose(values[place], np.corrcoef(one, two)[0, 1], atol=1e-9)
    best = peaks(np.nan_to_num(values), overlap, 3, 1)
    assert len(best) == 3
    assert all(len(each) == 3 for each in best)
