from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from skimage import color, data

from napari_framewise.numerics.difference import Settings, compare, focus
from napari_framewise.numerics.difference.light import lighting
from napari_framewise.samples import SAMPLES

SCENE = 255 * color.rgb2gray(data.astronaut())[40:300, 100:380]
MEASURES = (
    "residual", "mse", "mae", "ncc", "ssim", "luminance", "contrast", "structure", "gradient",
    "histogram",
)  # fmt: skip


def auc(score: np.ndarray, truth: np.ndarray) -> float:
    """Area under the curve of true against false positives."""
    known = np.isfinite(score)
    values, hit = score[known], truth[known] > 0
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(values))
    rank[order] = np.arange(1, len(values) + 1)
    count = hit.sum()
    return float((rank[hit].sum() - count * (count + 1) / 2) / (count * (len(hit) - count)))


def test_a_block_that_was_moved_is_found_and_nothing_else() -> None:
    # Under a blur of 3, noise of 10, and light of 0.9 times and 20 more.
    before = 255 * color.rgb2gray(data.astronaut())
    for seed in range(3):
        after = before.copy()
        after[300:310, 100:120] = before[200:210, 300:320]
        noise = np.random.default_rng(seed).normal(0, 10, before.shape)
        found = compare(before, 0.9 * ndimage.gaussian_filter(after, 3) + 20 + noise)
        assert len(found.changed.area) == 1
        top, bottom, left, right = found.changed.box[0]
        assert 285 <= top <= 300 < 310 <= bottom <= 325
        assert 85 <= left <= 100 < 120 <= right <= 135
        assert found.blur == pytest.approx(3, abs=0.3)


def test_changes_are_told_from_motion_blur_light_and_noise() -> None:
    made = SAMPLES["known_changes"].make()
    stacks = dict(made.stacks)
    before, truth = stacks["reference"].frame(0), made.truth["changed"]
    for number, least in enumerate((0.99, 0.98, 0.94)):
        found = compare(before, stacks["stack"].frame(number))
        assert auc(found.measure, truth) > least
        assert len(found.changed.area)
        far = ~ndimage.binary_dilation(truth, np.ones((3, 3)), iterations=12)
        labelled = found.changed.labels > 0
        # At level 2 two regions at the border are false: the page says so.
        assert (labelled & far).sum() <= (0.06, 0.06, 0.25)[number] * labelled.sum()


@pytest.mark.parametrize("photograph", ["moon", "retina"])
def test_a_strong_change_moves_nothing_around_it(photograph: str) -> None:
    # Displacements of up to 15 pixels were found beside it, and nothing was called changed.
    shown = getattr(data, photograph)()
    shown = 255 * color.rgb2gray(shown) if shown.ndim == 3 else shown.astype(float)
    middle = [(length - 240) // 2 for length in shown.shape]
    before = shown[middle[0] : middle[0] + 240, middle[1] : middle[1] + 240]
    random = np.random.default_rng(5)
    after = before + random.normal(0, 1, before.shape)
    after[80:104, 90:112] = before[180:204, 30:52]
    y, x = np.indices(before.shape)
    after[(y - 170) ** 2 + (x - 160) ** 2 < 100] += 45
    found = compare(before + random.normal(0, 1, before.shape), after)
    assert np.abs(found.displacement).max() < 2
    assert found.changed.labels[170, 160] > 0
    near = ndimage.binary_dilation(np.abs(after - before) > 8, np.ones((3, 3)), iterations=14)
    assert near[found.changed.labels > 0].mean() > 0.94


def test_nothing_changed_nothing_found() -> None:
    for seed in range(6):
        random = np.random.default_rng(seed)
        moved = ndimage.shift(SCENE, (1.2, -0.7), order=3, mode="nearest")
        later = 1.1 * ndimage.gaussian_filter(moved, 0.6) - 5
        pair = [each + random.normal(0, 3, SCENE.shape) for each in (SCENE, later)]
        found = compare(*(each[10:-10, 10:-10] for each in pair))
        assert not found.changed.labels.any()
        assert np.median(found.displacement[0]) == pytest.approx(-1.2, abs=0.2)


@pytest.mark.parametrize("shift", [(2.0, -1.0), (-3.5, 2.5)])
def test_the_displacement_is_found(shift: tuple[float, float]) -> None:
    later = ndimage.shift(SCENE, shift, order=3, mode="nearest")
    for tolerance in ("flow", "shift"):
        found = compare(SCENE, later, Settings(tolerance=tolerance))  # type: ignore[arg-type]
        inner = found.displacement[:, 30:-30, 30:-30]
        np.testing.assert_allclose(np.median(inner, axis=(1, 2)), np.negative(shift), atol=0.2)


def test_a_search_finds_the_place_of_the_best_match() -> None:
    later = np.roll(SCENE, (1, 2), axis=(0, 1))
    found = compare(SCENE, later, Settings(tolerance="search", light="none", focus=False))
    inner = found.displacement[:, 40:-40, 40:-40]
    assert np.median(inner[0]) == -1
    assert np.median(inner[1]) == -2


@pytest.mark.parametrize("blur", [0.8, 2.0, 3.5])
def test_the_relative_blur_is_told_whichever_is_sharper(blur: float) -> None:
    random = np.random.default_rng(1)
    blurred = ndimage.gaussian_filter(SCENE, blur) * 0.8 + random.normal(0, 2, SCENE.shape)
    sharp = SCENE + random.normal(0, 2, SCENE.shape)
    assert focus(sharp, blurred).blur == pytest.approx(blur, rel=0.15)
    assert focus(blurred, sharp).blur == pytest.approx(-blur, rel=0.15)
    assert focus(sharp, SCENE + random.normal(0, 2, SCENE.shape)).blur == 0


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_shows_a_large_change(measure: str) -> None:
    later = SCENE.copy()
    later[100:130, 100:130] = SCENE[200:230, 20:50]
    settings = Settings(measure=measure, tolerance="none")  # type: ignore[arg-type]
    random = np.random.default_rng(2)
    found = compare(SCENE + random.normal(0, 2, SCENE.shape), later, settings)
    inside, outside = found.measure[105:125, 105:125], found.measure[20:80, 20:80]
    assert np.median(inside) > 3 * np.median(outside)


@pytest.mark.parametrize("under", [0.0, 1e7, np.nan, np.inf])
def test_what_is_under_a_mask_never_enters(under: float) -> None:
    random = np.random.default_rng(3)
    pair = [SCENE + random.normal(0, 2, SCENE.shape) for _ in range(2)]
    valid = np.ones(SCENE.shape, bool)
    valid[60:90, 100:150] = False
    expected = compare(pair[0], np.where(valid, pair[1], 1.0), valid=valid)
    found = compare(pair[0], np.where(valid, pair[1], under), valid=valid)
    np.testing.assert_array_equal(found.measure, expected.measure)
    np.testing.assert_array_equal(found.changed.labels, expected.changed.labels)
    assert np.isnan(found.measure[60:90, 100:150]).all()
    assert np.isfinite(found.measure[valid]).mean() > 0.9


def test_units_scale_the_same_bits() -> None:
    random = np.random.default_rng(4)
    pair = [SCENE[:96, :96] + random.normal(0, 2, (96, 96)) for _ in range(2)]
    expected = compare(*pair)
    found = compare(*(each * 2.0**40 for each in pair))
    np.testing.assert_array_equal(found.p, expected.p)
    np.testing.assert_array_equal(found.measure, expected.measure)
    mse = replace(Settings(), measure="mse")
    ratio = compare(*(each * 2.0**10 for each in pair), mse).measure / compare(*pair, mse).measure
    np.testing.assert_array_equal(ratio[np.isfinite(ratio)], 2.0**20)


@pytest.mark.parametrize("shape", [(1, 1), (8, 200), (40, 3)])
def test_too_small_images_have_no_answer(shape: tuple[int, int]) -> None:
    found = compare(np.ones(shape), np.zeros(shape))
    assert np.isnan(found.measure).all()
    assert not found.changed.labels.any()


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_flat_and_empty_images_have_no_change(value: float) -> None:
    found = compare(np.full((64, 64), value), np.full((64, 64), value))
    assert not found.changed.labels.any()


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="two of one shape"):
        compare(np.ones((20, 20)), np.ones((20, 21)))


def test_light_is_applied_any_number_of_times() -> None:
    random = np.random.default_rng(3)
    scene = random.normal(100, 20, (40, 40))
    found = lighting(scene, 0.8 * scene + 5, np.ones(scene.shape), "global", 20.0)
    assert found is not None
    np.testing.assert_allclose(found.applied(scene), 0.8 * scene + 5, rtol=1e-6)
    np.testing.assert_array_equal(found.applied(scene), found.applied(scene))
