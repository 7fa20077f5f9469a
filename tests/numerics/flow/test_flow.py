from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_framewise.numerics.flow import (
    FlowSettings,
    colours,
    estimate,
    inverse,
    legend,
    moved,
    planes_of,
    warped,
)

from .scenes import Array, errors, pulled, shifted, texture

IMAGE = texture((80, 100))


@pytest.mark.parametrize("quality", ["fast", "thorough"])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.4), (6.3, -4.7), (-11.0, 9.5)])
def test_a_shift_is_found(shift: tuple[float, float], quality: Any) -> None:
    found = estimate(IMAGE[None], shifted(IMAGE, shift)[None], FlowSettings(quality=quality))
    left = errors(found.displacement, shift, border=16)
    assert np.median(left) < 0.01
    assert np.percentile(left, 95) < 0.06


@pytest.mark.parametrize("smoothing", ["jumps", "jumps_and_edges", "even", "none"])
def test_a_varying_flow_is_found_whatever_smooths_it(smoothing: Any) -> None:
    y, x = np.indices(IMAGE.shape)
    back = np.stack([1.5 * np.sin(2 * np.pi * x / 90), -0.04 * (x - 50) + 0.03 * (y - 40)])
    second = pulled(IMAGE, back)
    truth = inverse(back)
    found = estimate(IMAGE[None], second[None], FlowSettings(smoothing=smoothing))
    known = np.isfinite(truth).all(axis=0)
    known &= ndimage.binary_erosion(known, iterations=6)
    left = np.hypot(*(found.displacement - truth))[known]
    assert np.mean(left) < (0.15 if smoothing == "none" else 0.1)


@pytest.mark.parametrize("method", ["one_shot", "iterative"])
def test_small_motion_needs_no_pyramid(method: Any) -> None:
    shift = (0.25, -0.2)
    settings = FlowSettings(method=method, smoothing="none", window_sigma=3.0)
    found = estimate(IMAGE[None], shifted(IMAGE, shift)[None], settings)
    assert np.median(errors(found.displacement, shift)) < (0.06 if method == "one_shot" else 0.01)


def test_one_shot_is_the_textbooks_normal_equations() -> None:
    # With a window as wide as the frame every pixel has the one solution of the whole image.
    first, second = IMAGE, shifted(IMAGE, (0.1, 0.15))
    settings = FlowSettings(
        method="one_shot", smoothing="none", window_sigma=400.0, brightness="constant"
    )
    found = estimate(first[None], second[None], settings).displacement
    slopes = [
        np.gradient(ndimage.gaussian_filter(0.5 * (first + second), 0.3), axis=axis)
        for axis in range(2)
    ]
    design = np.stack([slope.ravel() for slope in slopes], axis=1)
    whole = np.linalg.lstsq(design, -(second - first).ravel(), rcond=None)[0]
    np.testing.assert_allclose(np.median(found, axis=(1, 2)), whole, atol=0.02)


def test_brightness_may_change() -> None:
    shift = (2.3, -1.2)
    darker = 0.7 * shifted(IMAGE, shift) + 25
    found = estimate(IMAGE[None], darker[None])
    assert np.median(errors(found.displacement, shift)) < 0.01
    strict = estimate(IMAGE[None], darker[None], FlowSettings(brightness="constant"))
    assert np.median(errors(strict.displacement, shift)) > 0.05


def test_hot_pixels_neither_move_nor_dim_the_rest() -> None:
    shift = (2.3, -1.2)
    rng = np.random.default_rng(6)
    pair = [
        np.where(rng.random(IMAGE.shape) < 1e-3, 65535.0, each)
        for each in (IMAGE, 0.8 * shifted(IMAGE, shift))
    ]
    found = estimate(pair[0][None], pair[1][None])
    assert np.median(errors(found.displacement, shift)) < 0.03


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", ">u2"])
def test_any_real_dtype_serves(dtype: str) -> None:
    shift = (1.5, 2.5)
    pair = [np.rint(each)[None].astype(dtype) for each in (IMAGE, shifted(IMAGE, shift))]
    found = estimate(*pair)
    assert found.displacement.dtype == np.float32
    assert np.median(errors(found.displacement, shift)) < 0.02


@pytest.mark.parametrize(("scale", "offset"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e5)])
def test_the_unit_of_intensity_does_not_matter(scale: float, offset: float) -> None:
    second = shifted(IMAGE, (1.5, -2.5))
    plain = estimate(IMAGE[None], second[None])
    other = estimate(scale * IMAGE[None] + offset, scale * second[None] + offset)
    assert np.percentile(np.abs(plain.displacement - other.displacement), 99) < 2e-3
    np.testing.assert_allclose(
        other.evidence.residual, scale * plain.evidence.residual, rtol=0.1, atol=scale * 0.02
    )


def test_channels_that_cancel_each_other_are_seen_when_thorough() -> None:
    shift = (1.4, -2.2)
    first = np.stack([IMAGE, 200 - IMAGE])
    second = np.stack([shifted(IMAGE, shift), 200 - shifted(IMAGE, shift)])
    # As colour frames come: channels last in memory.
    first, second = (np.moveaxis(np.stack([*each], axis=-1), -1, 0) for each in (first, second))
    found = estimate(first, second, FlowSettings(quality="thorough"))
    assert np.median(errors(found.displacement, shift)) < 0.01


def test_what_stands_under_a_mask_has_no_say() -> None:
    shift = (2.0, 1.0)
    second = shifted(IMAGE, shift)
    valid, later = np.ones(IMAGE.shape, bool), np.ones(IMAGE.shape, bool)
    valid[20:40, 30:60] = False
    later[50:60, 10:30] = False
    results = []
    for value in (np.nan, 1e9, -5.0):
        pair = [
            np.where(mask, each, value)[None] for mask, each in ((valid, IMAGE), (later, second))
        ]
        results.append(estimate(*pair, valid=valid, second_valid=later))
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].displacement, other.displacement)
        np.testing.assert_array_equal(results[0].confidence(), other.confidence())
    flow = results[0]
    np.testing.assert_array_equal(np.isfinite(flow.displacement).all(axis=0), valid)
    assert not flow.confidence()[~valid].any()
    left = np.hypot(*(flow.displacement - np.array(shift)[:, None, None]))
    assert np.percentile(left[16:-16, 16:-16][valid[16:-16, 16:-16]], 95) < 0.2


def test_a_flat_pair_is_known_to_be_unknown() -> None:
    found = estimate(np.full((1, 30, 40), 7.0), np.full((1, 30, 40), 7.0))
    assert not found.displacement.any()
    assert not found.confidence().any()
    assert not found.evidence.structure().any()
    assert np.isinf(found.uncertainty()).all()


def test_a_pair_without_data_gives_nan() -> None:
    found = estimate(np.full((1, 30, 40), np.nan), IMAGE[None, :30, :40])
    assert np.isnan(found.displacement).all()
    assert not found.confidence().any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (2, 2), (5, 40)])
def test_tiny_frames_are_survived(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    found = estimate(rng.normal(size=(1, *shape)), rng.normal(size=(1, *shape)))
    assert np.isfinite(found.displacement).all()


def test_on_an_edge_only_the_flow_across_it_is_known() -> None:
    rng = np.random.default_rng(4)
    line = texture((1, 64), seed=2)
    stripes = [np.broadcast_to(each, (64, 64)) for each in (line, shifted(line, (0.0, 0.8)))]
    noisy = [(each + rng.normal(0, 0.5, each.shape))[None] for each in stripes]
    found = estimate(*noisy)
    inside = (slice(10, -10),) * 2
    structure = found.evidence.structure()[inside]
    assert (structure == 1).mean() > 0.8
    part = found.evidence.known_part(found.displacement)
    np.testing.assert_allclose(part[1][inside][structure == 1], 0.8, atol=0.15)
    assert np.abs(part[0][inside][structure == 1]).max() < 0.15
    assert np.median(found.confidence()[inside]) < 0.5


def test_what_leaves_the_frame_is_not_trusted() -> None:
    found = estimate(IMAGE[None], shifted(IMAGE, (0.0, 7.0))[None])
    assert found.forward_backward is not None
    assert np.isnan(found.forward_backward[:, -7:]).all()
    assert not found.confidence()[:, -7:].any()
    assert np.median(found.confidence()[:, 10:-20]) > 0.9


def test_confidence_ranks_errors_better_than_the_eigenvalue_alone() -> None:
    image, other = texture((100, 120), blur=1.2), texture((100, 120), seed=9, blur=1.2)
    blob = np.hypot(*(np.indices(image.shape) - np.array([50, 60])[:, None, None])) < 25
    moved_blob = shifted(blob.astype(float), (0.0, 5.0)) > 0.5
    first = np.where(blob, other, image)
    second = np.where(moved_blob, shifted(other, (0.0, 5.0)), shifted(image, (0.0, -2.0)))
    truth = np.where(blob, 5.0, -2.0)
    found = estimate(first[None], second[None])
    left = np.hypot(found.displacement[0], found.displacement[1] - truth)
    means = []
    for ranking in (found.confidence(), found.evidence.eigenvalues()[0]):
        best = np.argsort(-ranking.ravel(), kind="stable")[: left.size * 9 // 10]
        means.append(left.ravel()[best].mean())
    assert means[0] < 0.9 * means[1]


def test_volumes_move_too() -> None:
    image = texture((18, 40, 44))
    shift = (0.6, -1.4, 2.1)
    found = estimate(image[None], shifted(image, shift)[None])
    assert np.median(errors(found.displacement, shift, border=5)) < 0.03
    values = found.evidence.eigenvalues()
    assert (np.diff(values, axis=0) >= 0).all()
    assert (found.evidence.structure()[4:-4, 6:-6, 6:-6] == 3).mean() > 0.9
    part = found.evidence.known_part(found.displacement)
    np.testing.assert_allclose(part[:, 9, 20, 20], found.displacement[:, 9, 20, 20], atol=1e-5)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.zeros((1, 5, 5)), np.zeros((1, 5, 6)), "frames of one shape"),
        (np.zeros((5, 5)), np.zeros((5, 5)), r"\(channels, y, x\)"),
        (np.zeros((1, 0, 5)), np.zeros((1, 0, 5)), "at least one pixel"),
        (np.zeros((1, 5, 5), complex), np.zeros((1, 5, 5)), "complex"),
    ],
)
def test_what_can_not_be_compared_is_refused(first: Array, second: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimate(first, second)


def test_colour_frames_become_planes() -> None:
    frame = np.zeros((4, 5, 3))
    assert planes_of(frame, channels_last=True).shape == (3, 4, 5)
    assert planes_of(frame[..., 0]).shape == (1, 4, 5)


# -- what a flow does ------------------------------------------------------------------------------


def test_the_second_frame_comes_back_onto_the_first() -> None:
    second = shifted(IMAGE, (3.4, -2.6))
    flow = estimate(IMAGE[None], second[None]).displacement
    back = warped(second[None], flow)[0]
    inside = (slice(16, -16),) * 2
    assert np.abs(back - IMAGE)[inside].mean() < 0.5
    assert np.isnan(back[-1]).all()


def test_labels_are_not_mixed() -> None:
    labels = np.zeros((1, 20, 20), np.uint16)
    labels[0, 5:10, 5:10] = 700
    flow = np.zeros((2, 20, 20), np.float32)
    flow[0], flow[1] = 2.4, np.nan
    flow[1, :, :15] = -1.0
    back = warped(labels, flow, labels=True)
    assert back.dtype == np.uint16
    assert set(np.unique(back)) == {0, 700}
    np.testing.assert_array_equal(back[0, 3:8, 6:11], 700)
    assert not back[0, :, 15:].any()


def test_the_inverse_leads_back() -> None:
    y, x = np.indices((60, 70))
    flow = np.stack([2 * np.sin(x / 12), 3 * np.cos(y / 15)])
    back = inverse(flow)
    at = np.argwhere(np.ones((60, 70), bool))[::17]
    there = moved(at, flow)
    home = moved(there, back)
    known = np.isfinite(home).all(axis=1)
    assert known.mean() > 0.8
    np.testing.assert_allclose(home[known], at[known], atol=0.05)
    inner = (slice(8, -8),) * 2
    assert np.isfinite(back[0][inner]).all()


def test_a_flow_for_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="shapes must agree"):
        warped(np.zeros((1, 5, 5)), np.zeros((2, 6, 5)))


def test_the_wheel_is_middleburys() -> None:
    # By the formulas of the published code, at full size.
    flow = np.array([[0.0, 0.0], [0.0, 0.0]])
    assert colours(flow).tolist() == [[255, 255, 255]] * 2
    directions = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]], float).T
    right, down, left, up = colours(directions).tolist()
    assert right == [255, 0, 0]
    assert down == [255, 229, 0]
    assert left == [0, 209, 255]
    assert up == [88, 0, 255]
    assert colours(np.full((2, 1), np.nan)).tolist() == [[0, 0, 0]]


def test_larger_flows_are_darker_not_clipped() -> None:
    inside, outside = colours(np.array([[0.0, 0.0], [1.0, 2.0]]), largest=1.0)
    assert outside[0] < inside[0]


def test_the_legend_is_the_flow_from_its_centre() -> None:
    wheel = legend(41)
    assert wheel.shape == (41, 41, 3)
    assert wheel[20, 20].tolist() == [255, 255, 255]
    assert wheel[0, 0].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(wheel[20, 40], colours(np.array([[0.0], [20.0]]), 20.0)[0])
