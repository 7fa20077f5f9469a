"""Plane transforms against scipy, scikit-image and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import transform

from napari_framewise.numerics import transforms
from napari_framewise.numerics.transforms import MOTIONS, Motion

PERSPECTIVE = np.array([[1.02, 0.05, 1.3], [-0.03, 0.97, 2.0], [1e-4, 2e-4, 1.0]])
# skimage has x before y.
SWAP = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def positions(matrix: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return np.moveaxis(transforms.mapped(matrix, grid), -1, 0)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint16])
def test_warp_is_scipys_spline_where_there_are_data(order: int, dtype: type) -> None:
    image = (np.random.default_rng(1).random((40, 50)) * 1000).astype(dtype)
    found = transforms.warp(image, PERSPECTIVE, (45, 35), order=order, dtype=np.dtype(np.float64))
    at = positions(PERSPECTIVE, (45, 35))
    wanted = ndimage.map_coordinates(image.astype(float), at, order=order, mode="mirror")
    inside = (at[0] >= 0) & (at[0] <= 39) & (at[1] >= 0) & (at[1] <= 49)
    np.testing.assert_array_equal(np.isfinite(found), inside)
    tolerance = 1e-9 if dtype is np.float64 else 2e-3
    np.testing.assert_allclose(found[inside], wanted[inside], atol=tolerance)


def test_warp_rounds_and_clips_integers_and_leaves_zero_outside() -> None:
    image = np.zeros((9, 9), np.uint8)
    image[:, 4:] = 255
    half = transforms.warp(image, np.array([[1, 0, 0], [0, 1, 0.5], [0, 0, 1.0]]))
    assert half.dtype == np.uint8
    # The spline overshoots at the edge: clipped, not wrapped.
    assert half[4, 2] == 0
    assert half[4, 4] == 255
    assert half[4, 3] in (127, 128)
    assert np.all(half[:, 8] == 0)


def test_warp_moves_labels_by_the_nearest_pixel() -> None:
    labels = np.arange(100, dtype=np.uint64).reshape(10, 10) + 2**63
    shift = np.array([[1, 0, 2.4], [0, 1, -1.3], [0, 0, 1.0]])
    found = transforms.warp(labels, shift, order=0)
    np.testing.assert_array_equal(found[:8, 1:], labels[2:, :9])
    assert np.all(found[8:] == 0)


def test_warp_keeps_64_bit_integers_within_a_float64() -> None:
    image = np.full((6, 6), 2**52 + 1, np.int64)
    np.testing.assert_allclose(transforms.warp(image, np.eye(3)), image, rtol=1e-15)
    assert transforms.warp(np.full((6, 6), np.iinfo(np.int64).max), np.eye(3))[3, 3] > 9.2e18


def test_warp_gives_no_data_next_to_nan_and_only_there() -> None:
    rng = np.random.default_rng(2)
    image = rng.random((20, 20))
    holed = image.copy()
    holed[8, 9] = np.nan
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    lost = np.isnan(transforms.warp(holed, shift)[:19, :19])
    assert {tuple(each) for each in np.argwhere(lost)} == {(7, 8), (7, 9), (8, 8), (8, 9)}
    np.testing.assert_array_equal(np.isnan(transforms.warp(holed, np.eye(3))), np.isnan(holed))


def test_warp_takes_channels_one_by_one() -> None:
    colours = np.random.default_rng(3).random((15, 16, 3))
    found = transforms.warp(colours, PERSPECTIVE)
    for channel in range(3):
        np.testing.assert_array_equal(
            found[..., channel], transforms.warp(colours[..., channel], PERSPECTIVE)
        )


def test_a_transform_of_nan_gives_no_data() -> None:
    assert np.isnan(transforms.warp(np.ones((5, 5)), np.full((3, 3), np.nan))).all()
    assert not transforms.warp(np.ones((5, 5), np.uint8), np.full((3, 3), np.nan), order=0).any()


@pytest.mark.parametrize(
    ("motion", "peer"),
    [
        ("euclidean", transform.EuclideanTransform),
        ("similarity", transform.SimilarityTransform),
        ("affine", transform.AffineTransform),
        ("homography", transform.ProjectiveTransform),
    ],
)
def test_points_are_fitted_as_by_skimage(motion: Motion, peer: type) -> None:
    rng = np.random.default_rng(4)
    here = rng.random((12, 2)) * 100
    there = transforms.mapped(PERSPECTIVE, here) + rng.normal(0, 0.3, here.shape)
    found = transforms.fitted_to_points(here, there, motion)
    known = peer.from_estimate(here[:, ::-1], there[:, ::-1])
    wanted = SWAP @ known.params @ SWAP
    # Those two minimise an algebraic distance there, not the one between the points.
    tolerance = 1e-2 if motion in ("affine", "homography") else 1e-9
    np.testing.assert_allclose(
        transforms.mapped(found, here), transforms.mapped(wanted, here), atol=tolerance
    )


@pytest.mark.parametrize("motion", MOTIONS)
@given(seed=st.integers(0, 2**31))
def test_points_moved_within_a_family_are_fitted_exactly(motion: Motion, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3))
    matrix[2, :2] *= 1e-2
    matrix[:2, 2] *= 100
    matrix = transforms.nearest(matrix, motion)
    here = transforms.corners((40, 60)) + rng.uniform(0, 5, (4, 2))
    found = transforms.fitted_to_points(here, transforms.mapped(matrix, here), motion)
    np.testing.assert_allclose(found, matrix, atol=1e-8)


@given(seed=st.integers(0, 2**31))
def test_the_inverse_leads_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = np.eye(3) + rng.uniform(-0.3, 0.3, (3, 3)) * [[1, 1, 50], [1, 1, 50], [1e-3, 1e-3, 0]]
    points = rng.uniform(0, 50, (5, 2))
    there = transforms.mapped(matrix, points)
    np.testing.assert_allclose(
        transforms.mapped(transforms.inverse(matrix), there), points, atol=1e-8
    )


def test_a_point_behind_the_horizon_has_no_image() -> None:
    matrix = np.array([[1, 0, 0], [0, 1, 0], [0, -0.1, 1.0]])
    np.testing.assert_array_equal(
        np.isnan(transforms.mapped(matrix, [[0, 5], [0, 20]]))[:, 0], [0, 1]
    )


def test_what_a_similarity_does_is_described() -> None:
    angle, scale, shape = np.radians(7.0), 1.3, (31, 51)
    centre = (np.array(shape) - 1) / 2
    matrix = np.eye(3)
    matrix[:2, :2] = scale * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    matrix[:2, 2] = centre + np.array([2.5, -4.0]) - matrix[:2, :2] @ centre
    found = transforms.described(matrix, shape)
    values = [float(found[name]) for name in ("row", "column", "rotation", "scale", "anisotropy")]
    np.testing.assert_allclose(values, [2.5, -4.0, 7.0, 1.3, 1.0], atol=1e-7)


def test_a_stretch_is_described_at_the_centre_of_a_perspective() -> None:
    shape = (21, 41)
    found = transforms.described(PERSPECTIVE, shape)
    centre = np.array([10.0, 20.0])
    ends = [transforms.mapped(PERSPECTIVE, centre + d) for d in np.eye(2) * 1e-5]
    ends += [transforms.mapped(PERSPECTIVE, centre - d) for d in np.eye(2) * 1e-5]
    linear = np.stack([(ends[0] - ends[2]), (ends[1] - ends[3])], axis=1) / 2e-5
    stretch = np.linalg.svd(linear)[1]
    np.testing.assert_allclose(found["scale"], np.sqrt(np.prod(stretch)), rtol=1e-7)
    np.testing.assert_allclose(found["anisotropy"], stretch[0] / stretch[1], rtol=1e-6)


def test_steps_from_frame_to_frame_are_composed_past_a_lost_one() -> None:
    steps = np.tile(np.eye(3), (4, 1, 1))
    steps[1:, 0, 2] = [1.0, np.nan, 2.0]
    np.testing.assert_allclose(transforms.accumulated(steps)[:, 0, 2], [0, 1, np.nan, 3])


def test_steps_may_lead_further_back() -> None:
    steps = np.tile(np.eye(3), (4, 1, 1))
    steps[1:, 0, 2] = [1.0, 5.0, 2.0]
    found = transforms.accumulated(steps, [1, 1, 1, 2])
    np.testing.assert_allclose(found[:, 0, 2], [0, 1, 6, 3])


def test_too_few_points_and_unknown_families_are_named() -> None:
    with pytest.raises(ValueError, match="3 or more"):
        transforms.fitted_to_points(np.zeros((2, 2)), np.zeros((2, 2)), "affine")
    with pytest.raises(ValueError, match="give one of translation"):
        transforms.generators("elastic")  # type: ignore[arg-type]


def test_the_box_that_all_frames_show_is_in_all_and_not_small() -> None:
    rng = np.random.default_rng(12)
    for motion in ("translation", "euclidean", "affine"):
        matrices = np.tile(np.eye(3), (12, 1, 1))
        matrices[:, :2] += rng.normal(0, 0.02, (12, 2, 3))
        matrices[:, :2, 2] = rng.normal(0, 4, (12, 2))
        matrices = np.array([transforms.nearest(each, motion) for each in matrices])
        (top, bottom), (left, right) = transforms.shown_by_all(matrices, (60, 80), (60, 80))
        seen = np.array([transforms.warp(np.ones((60, 80)), each, order=1) for each in matrices])
        shown = np.isfinite(seen).all(axis=0)
        assert shown[top:bottom, left:right].all()
        assert (bottom - top) * (right - left) > 0.75 * shown.sum()
    far = np.eye(3)[None].copy()
    far[0, 0, 2] = 100
    assert transforms.shown_by_all(far, (60, 80), (60, 80)) == ((0, 0), (0, 0))
