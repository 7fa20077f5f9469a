from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from tests.numerics.warp.maps import at, bands, plate, turned

from napari_framewise.numerics.transforms import inverse
from napari_framewise.numerics.warp import (
    KERNELS,
    BandLimited,
    Footprints,
    cap_of,
    fourier_warped,
    prepared,
    profile,
)
from napari_framewise.numerics.warp import warped as warped_image
from napari_framewise.numerics.warp.profiles import PROFILES, weights_of

OF = 1024
GRID = np.stack(np.meshgrid(np.arange(OF), np.arange(OF), indexing="ij"), -1).astype(float)


def warped(
    planes: np.ndarray, where: Footprints, valid: np.ndarray | None = None, **options
) -> np.ndarray:
    return warped_image(prepared(planes, valid), where, **options)


def photograph(shape: tuple[int, int] = (60, 70), seed: int = 0) -> np.ndarray:
    return 100 + 30 * ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 0.6)


@pytest.mark.parametrize("name", PROFILES)
def test_footprints_that_lie_alike_take_the_same_weights(name) -> None:
    frame = np.stack([photograph((90, 120), seed) for seed in (1, 2)])
    matrix = np.array([[3.0, 0.0, 1.25], [0.0, 4.0, 1.5], [0.0, 0.0, 1.0]])
    whole = warped(frame, at(matrix, (30, 30)), kernel=name)
    rows, columns = np.indices((90, 120))
    for y, x in ((0, 0), (3, 7), (14, 15), (29, 29)):
        away = np.hypot((rows - 3 * y - 1.25) / 3, (columns - 4 * x - 1.5) / 4)
        weights = profile(name, away)
        mean = (weights * frame).sum(axis=(1, 2)) / weights.sum()
        np.testing.assert_allclose(whole[:, y, x], mean, rtol=2e-6)
    part = warped_image(prepared(frame), at(matrix, (5, 30), 11), kernel=name)
    np.testing.assert_array_equal(part, whole[:, 11:16])
    # Turned a little, no two neighbours lie alike.
    turned_a_little = matrix + 1e-7 * np.eye(3)[[1, 0, 2]] * [[1], [1], [0]]
    near = warped(frame, at(turned_a_little, (30, 30)), kernel=name)
    np.testing.assert_allclose(near, whole, rtol=1e-4)


# ImageMagick's Lanczos leaves 1.1, 3.4 and 1.6, cubic interpolation 60.
@pytest.mark.parametrize(
    ("scale", "degrees", "stop"),
    [((4, 4), 17, 1.05), ((1.7, 1.7), 30, 3.3), ((6, 1.5), 40, 1.58)],
)
def test_what_the_result_cannot_show_is_stopped(scale, degrees, stop) -> None:
    matrix, shape = turned(scale, degrees, OF)
    where = at(matrix, shape)
    leaked, lost = bands(warped(plate(GRID, OF)[None], where)[0], where, OF)
    assert leaked < stop
    assert lost < 0.75


@pytest.mark.parametrize("name", PROFILES)
def test_the_weights_that_kernels_take_are_the_profile(name) -> None:
    weights = weights_of(name)
    r = np.linspace(0, 1, 1000, endpoint=False) * weights.radius
    if weights.cubic:
        inner, outer = (
            np.polynomial.polynomial.polyval(r, weights.terms[a : a + 4]) for a in (0, 4)
        )
        taken = np.where(r < 1, inner, outer)
    else:
        taken = np.polynomial.polynomial.polyval((r / weights.radius) ** 2, weights.terms)
    np.testing.assert_allclose(taken, profile(name, r), atol=2e-6)
    volume = 2 * np.pi * np.trapezoid(r * profile(name, r), r)
    assert weights.volume == pytest.approx(volume, rel=2e-3)


@pytest.mark.parametrize("kernel", ["jinc", "robidoux", "mitchell"])
def test_an_average_is_the_sum_over_the_image_by_hand(kernel) -> None:
    image = photograph()
    matrix = np.array([[2.1, -0.7, 9.0], [0.4, 3.2, 7.0], [0.0, 0.0, 1.0]])
    where = at(matrix, (20, 15))
    found = warped(image[None], where, kernel=kernel)[0]
    pixels = np.stack(np.meshgrid(*map(np.arange, image.shape), indexing="ij"), -1)
    back = np.linalg.inv(matrix[:2, :2])
    for p in ((3, 4), (10, 7), (0, 0)):
        away = np.linalg.norm((pixels - where.places[p]) @ back.T, axis=-1)
        weight = profile(kernel, away)
        assert found[p] == pytest.approx((weight * image).sum() / weight.sum(), rel=1e-6)


def test_an_area_is_that_of_many_samples() -> None:
    image = photograph()
    matrix = np.array([[2.6, -0.7, 9.0], [0.4, 1.7, 7.0], [0.002, 0.001, 1.0]])
    where = at(matrix, (14, 24))
    found = warped(image[None], where, kernel="area")[0]
    k = 100
    for p in ((3, 4), (10, 7), (6, 20)):
        aside = (np.arange(k) + 0.5) / k - 0.5
        sub = np.stack(np.meshgrid(p[0] + aside, p[1] + aside, indexing="ij"), -1)
        weight = sub @ matrix[2, :2] + 1
        places = (sub @ matrix[:2, :2].T + matrix[:2, 2]) / weight[..., None]
        near = np.rint(places).astype(int)
        # Samples are even in the result; an area is even in the image.
        values, sizes = image[near[..., 0], near[..., 1]], weight**-3
        assert found[p] == pytest.approx((values * sizes).sum() / sizes.sum(), abs=0.05)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_identity_and_quarter_turns_are_exact(kernel) -> None:
    image = photograph().astype(np.float32)
    np.testing.assert_array_equal(
        warped(image[None], at(np.eye(3), image.shape), kernel=kernel)[0], image
    )
    turn = np.array([[0.0, -1.0, image.shape[0] - 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    found = warped(image[None], at(turn, image.shape[::-1]), kernel=kernel)[0]
    np.testing.assert_array_equal(found, np.rot90(image, -1))


@pytest.mark.parametrize("degrees", [0, 20])
def test_it_magnifies_better_than_a_cubic_convolution(degrees) -> None:
    cv2 = pytest.importorskip("cv2")
    of = 96
    matrix, shape = turned((0.4, 0.4), degrees, of)
    places = np.stack(np.meshgrid(np.arange(of), np.arange(of), indexing="ij"), -1)

    def scene(p):
        return 128 + 50 * np.cos(p[..., 0] * 1.1) * np.cos(p[..., 1] * 0.9 + 1)

    where = at(matrix, shape)
    image, truth = scene(places).astype(np.float32), scene(where.places)
    swap = np.eye(3)[[1, 0, 2]]
    peer = cv2.warpPerspective(
        image, swap @ inverse(matrix) @ swap, shape[::-1], flags=cv2.INTER_CUBIC
    )
    inside = ((where.places > 6) & (where.places < of - 7)).all(-1)
    own = warped(image[None], where)[0]
    errors = [np.sqrt(np.mean((each - truth)[inside] ** 2)) for each in (own, peer)]
    assert errors[0] < 0.5 * errors[1]


@settings(max_examples=20, deadline=None)
@given(
    st.floats(0.3, 5), st.floats(0.3, 5), st.floats(-180, 180), st.sampled_from(KERNELS),
    st.floats(-1e6, 1e6),
)  # fmt: skip
def test_what_is_flat_stays_flat(first, second, degrees, kernel, value) -> None:
    matrix, shape = turned((first, second), degrees, 24)
    found = warped(np.full((1, 24, 24), value), at(matrix, shape), kernel=kernel)[0]
    known = np.isfinite(found)
    assert known.any()
    np.testing.assert_allclose(found[known], value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", [0.5, 1.1, 3.0])
def test_what_lies_under_a_mask_has_no_say(kernel, scale) -> None:
    image = photograph()
    valid = np.ones(image.shape, bool)
    valid[20:26, 30:37] = False
    valid[:, 60:] = False
    matrix, _ = turned((scale, scale), 12, 60)
    where = at(matrix, (20, 24))
    found = [
        warped(np.where(valid, image, bad)[None], where, kernel=kernel, valid=valid)
        for bad in (np.nan, 1e9, -3.0)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    gaps = warped(np.where(valid, image, np.nan)[None], where, kernel=kernel)
    np.testing.assert_array_equal(found[0], gaps)


def test_a_gap_smaller_than_a_footprint_leaves_no_hole() -> None:
    image = np.full((40, 40), 5.0)
    image[20, 20] = np.nan
    matrix, shape = turned((4, 4), 0, 40)
    for kernel in KERNELS:
        np.testing.assert_allclose(warped(image[None], at(matrix, shape), kernel=kernel), 5.0)


def test_past_the_border_and_the_horizon_there_are_no_data() -> None:
    image = np.ones((1, 32, 32))
    shift = np.eye(3)
    shift[1, 2] = 20.0
    found = warped(image, at(shift, (32, 32)))[0]
    assert np.isfinite(found[:, :12]).all()
    assert np.isnan(found[:, 12:]).all()
    # Rows from 10 on lie behind the camera.
    horizon = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-0.1, 0.0, 1.0]])
    found = warped(image, at(horizon, (32, 32)), most=64.0)[0]
    assert np.isnan(found[10:]).all()
    assert np.isfinite(found[:5, :5]).all()


def test_rows_are_the_same_by_themselves() -> None:
    image = photograph()
    matrix, shape = turned((1.6, 0.8), 33, 60)
    whole = warped(image[None], at(matrix, shape))
    band = warped(image[None], at(matrix, (5, shape[1]), 11))
    np.testing.assert_array_equal(band, whole[:, 11:16])


def test_the_cap_is_met_near_a_horizon_only() -> None:
    def far(points):
        return np.tile(300.0 * np.eye(2), (len(points), 1, 1))

    assert cap_of(far, (50, 50)) == 600


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_change_nothing(unit) -> None:
    image = photograph()
    matrix, shape = turned((2.2, 1.1), 33, 60)
    plain = warped(image[None], at(matrix, shape))
    np.testing.assert_allclose(
        warped(unit * image[None], at(matrix, shape)) / unit, plain, rtol=1e-12
    )


def test_other_kernels_and_shapes_are_refused_in_a_sentence() -> None:
    where = at(np.eye(3), (4, 4))
    with pytest.raises(ValueError, match=r"lanczos.*jinc"):
        warped(np.zeros((1, 4, 4)), where, kernel="lanczos")
    with pytest.raises(ValueError, match=r"\(channels, rows, columns\)"):
        warped(np.zeros((4, 4)), where)


@pytest.mark.parametrize(("scale", "degrees"), [((4, 4), 17), ((1.7, 1.7), 30), ((6, 1.5), 40)])
def test_the_spectrum_is_cut_where_the_result_ends(scale, degrees) -> None:
    matrix, shape = turned(scale, degrees, OF)
    where, image = at(matrix, shape), prepared(plate(GRID, OF)[None])
    found = fourier_warped(image, where, BandLimited(image.planes, matrix[:2, :2]))[0]
    leaked, lost = bands(found, where, OF)
    assert leaked < 0.5
    assert lost < 1.0


def test_a_wave_is_magnified_by_its_spectrum() -> None:
    of = 200

    def wave(places):
        return np.cos(1.3 * places[..., 0] + 1) * np.cos(1.7 * places[..., 1])

    matrix, shape = turned((0.5, 0.5), 20, of)
    where, image = at(matrix, shape), prepared(wave(GRID[:of, :of])[None])
    found = fourier_warped(image, where, BandLimited(image.planes, matrix[:2, :2]))[0]
    inside = ((where.places > 60) & (where.places < 140)).all(-1)
    np.testing.assert_allclose(found[inside], wave(where.places)[inside], atol=0.01)
    same = fourier_warped(image, at(np.eye(3), (9, 9)), BandLimited(image.planes, np.eye(2)))
    np.testing.assert_array_equal(same, image.planes[:, :9, :9])


def test_gaps_leave_no_trace_in_the_spectrum() -> None:
    image = photograph()
    valid = np.ones(image.shape, bool)
    valid[10:30, 10:40] = False
    matrix, shape = turned((2, 2), 10, 60)
    where = at(matrix, shape)
    found = []
    for bad in (np.nan, 1e9):
        given = prepared(np.where(valid, image, bad)[None], valid)
        found.append(fourier_warped(given, where, BandLimited(given.planes, matrix[:2, :2])))
    np.testing.assert_array_equal(found[0], found[1])
    assert np.isnan(found[0]).any()
