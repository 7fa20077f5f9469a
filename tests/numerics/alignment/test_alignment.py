"""Alignment against scenes whose transform is known."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from napari_framewise.numerics import transforms
from napari_framewise.numerics.alignment import Alignment, Settings, Status, align, prepare
from napari_framewise.numerics.transforms import MOTIONS, Motion

from .scenes import grid, image, moved, scene, template


def error(found: Alignment, truth: np.ndarray, shape: tuple[int, int] = (90, 80)) -> float:
    return float(transforms.displacement(found.matrix, truth, shape))


def aligned(matrix: np.ndarray, **given: Any) -> Alignment:
    return align(prepare(template(matrix), settings=Settings(**given)), image())


@pytest.mark.parametrize("method", ["inverse", "forward"])
@pytest.mark.parametrize("motion", MOTIONS)
def test_every_family_finds_its_transform(motion: Motion, method: str) -> None:
    truth = moved(motion)
    found = aligned(truth, motion=motion, method=method)
    assert found.status == Status.CONVERGED
    assert error(found, truth) < 1e-3
    assert found.correlation > 0.99999
    np.testing.assert_allclose([found.gain, found.offset], [1, 0], atol=0.02)
    np.testing.assert_allclose(found.matrix, transforms.nearest(found.matrix, motion), atol=1e-12)


@pytest.mark.parametrize("loss", ["linear", "huber", "tukey"])
def test_gain_and_offset_are_found_beside_the_transform(loss: str) -> None:
    truth = moved("affine")
    given = prepare(template(truth), settings=Settings(motion="affine", loss=loss))
    found = align(given, 0.6 * image() + 40)
    assert error(found, truth) < 1e-3
    np.testing.assert_allclose([found.gain, found.offset], [0.6, 40], rtol=1e-3)


@settings(max_examples=15)
@given(
    shift=st.tuples(st.floats(-35, 35), st.floats(-35, 35)),
    angle=st.floats(-12, 12),
)
def test_correlation_finds_a_far_away_start(shift: tuple[float, float], angle: float) -> None:
    truth = np.eye(3)
    turn = np.radians(angle)
    truth[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    centre = np.array([44.5, 39.5])
    truth[:2, 2] = np.array([79.5, 84.5]) + shift - truth[:2, :2] @ centre
    # The template lies in the image but for its corners.
    ends = transforms.mapped(truth, transforms.corners((90, 80)))
    assert ends.min() > -15
    found = aligned(truth, motion="euclidean")
    assert found.status == Status.CONVERGED
    assert found.overlap > 0.8
    assert error(found, truth) < 2e-3


def test_half_a_turn_is_found_where_rotations_are_looked_at() -> None:
    centre = np.array([44.5, 39.5])
    truth = np.diag([-1.0, -1.0, 1.0])
    truth[:2, 2] = np.array([80.0, 85.0]) + centre
    assert error(aligned(truth, rotations=180.0), truth) < 1e-3


def test_a_given_start_is_used() -> None:
    truth = moved("translation")
    ready = prepare(template(truth), settings=Settings(motion="translation", start="given"))
    near = truth.copy()
    near[:2, 2] += [2.0, -1.5]
    assert error(align(ready, image(), start=near), truth) < 1e-3


@pytest.mark.parametrize("hidden", [np.nan, 1e6, -5.0])
def test_what_stands_under_masks_changes_nothing(hidden: float) -> None:
    truth = moved("affine")
    small, large = template(truth), image()
    small_mask, large_mask = np.ones(small.shape, bool), np.ones(large.shape, np.uint8)
    small_mask[20:45, 30:60] = False
    large_mask[100:130, 60:90] = 0
    ready = Settings(motion="affine")
    wanted = align(prepare(small, small_mask, settings=ready), large, large_mask)
    small[~small_mask], large[large_mask == 0] = hidden, hidden
    found = align(prepare(small, small_mask, settings=ready), large, large_mask)
    np.testing.assert_array_equal(found.matrix, wanted.matrix)
    np.testing.assert_array_equal(found.covariance, wanted.covariance)
    assert error(found, truth) < 5e-3


def test_nan_is_a_mask() -> None:
    truth = moved("affine")
    small, large = template(truth), image()
    mask = np.ones(small.shape, bool)
    mask[:, :15] = False
    ready = Settings(motion="affine")
    masked = align(prepare(small, mask, settings=ready), large)
    small[:, :15] = np.nan
    np.testing.assert_array_equal(
        align(prepare(small, settings=ready), large).matrix, masked.matrix
    )


@pytest.mark.parametrize("loss", ["huber", "tukey"])
def test_robust_weights_bear_what_does_not_fit(loss: str) -> None:
    truth = moved("similarity")
    small = template(truth)
    small[20:38, 20:38] = 190.0
    near = truth.copy()
    near[:2, 2] += [1.5, -1.0]
    errors = {}
    for each in (loss, "linear"):
        ready = Settings(motion="similarity", loss=each, start="given")
        errors[each] = error(align(prepare(small, settings=ready), image(), start=near), truth)
    assert errors[loss] < 0.1
    assert not errors["linear"] < 5 * errors[loss]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, ">f4", np.float64])
def test_any_real_type_is_taken(dtype: Any) -> None:
    truth = moved("translation")
    small, large = template(truth).astype(dtype), image().astype(dtype)
    found = align(prepare(small, settings=Settings(motion="translation")), large)
    assert error(found, truth) < 0.02


def test_large_offsets_cost_no_digits() -> None:
    truth = moved("affine")
    ready = prepare(template(truth) + 1e9, settings=Settings(motion="affine"))
    assert error(align(ready, image() + 1e9), truth) < 1e-3


def test_channels_are_used_together() -> None:
    rows, columns = np.mgrid[0:100, 0:100].astype(float)
    along = [100 + 50 * np.sin(each / 7) + 0.01 * each**2 for each in (rows, columns)]
    colours = np.stack(along, axis=-1)
    small = colours[12:80, 21:85]
    ready = Settings(motion="translation")
    found = align(prepare(small, settings=ready), colours)
    np.testing.assert_allclose(found.matrix[:2, 2], [12, 21], atol=1e-3)
    for channel in range(2):
        alone = align(prepare(small[..., channel], settings=ready), colours[..., channel])
        assert alone.status == Status.FLAT
    with pytest.raises(ValueError, match=r"2 channels and the template 1;"):
        align(prepare(small[..., 0], settings=ready), colours)


def test_covariance_is_that_of_many_noises() -> None:
    truth = moved("affine")
    small, large = template(truth), image()
    rng = np.random.default_rng(5)
    ready = Settings(motion="affine", loss="linear")
    found = [
        align(
            prepare(small + rng.normal(0, 4, small.shape), settings=ready),
            large + rng.normal(0, 4, large.shape),
            start=truth,
        )
        for _ in range(60)
    ]
    errors = np.sqrt(np.mean([error(each, truth) ** 2 for each in found]))
    told = np.sqrt(np.mean([each.motion_error**2 for each in found]))
    # 60 draws of 6 parameters tell the ratio within about 10 %; the rest is the approximation.
    assert 0.7 < told / errors < 1.4
    centre = np.array([44.5, 39.5])
    shifts = [
        transforms.mapped(each.matrix, centre) - transforms.mapped(truth, centre) for each in found
    ]
    deviation = np.sqrt(np.mean([each.covariance[2, 2] for each in found]))
    assert 0.7 < deviation / np.std(shifts, axis=0)[0] < 1.4


def noisy(values: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """A scene with noise of a kind."""
    if kind == "poisson":
        return rng.poisson(np.clip(values, 1, None)).astype(float)
    if kind == "correlated":
        return values + 20 * ndimage.gaussian_filter(rng.normal(size=values.shape), 1.2)
    found = values + rng.normal(0, 6, values.shape)
    if kind == "impulses":
        hit = rng.random(values.shape) < 0.02
        found[hit] = rng.choice([0.0, 255.0], hit.sum())
    return found


@pytest.mark.parametrize(
    ("motion", "kind", "smoothing"),
    [
        ("homography", "white", 0.0),
        ("homography", "poisson", 0.0),
        ("affine", "white", 2.0),
        ("affine", "correlated", 0.0),
        ("similarity", "impulses", 0.0),
    ],
)
def test_errors_are_those_of_repeated_noise(motion: Motion, kind: str, smoothing: float) -> None:
    truth = moved(motion)
    small, large = template(truth), image()
    rng = np.random.default_rng(8)
    ready = Settings(motion=motion, smoothing=smoothing, start="given")
    to_centre = np.array([[1, 0, 44.5], [0, 1, 39.5], [0, 0, 1]])
    deviations, distances = [], []
    for _ in range(40):
        fixed = prepare(noisy(small, kind, rng), settings=ready)
        found = align(fixed, noisy(large, kind, rng), start=truth)
        assert found.status == Status.CONVERGED
        # What leads from where the fit ended to the truth, from the template's centre.
        left = transforms.composed(transforms.inverse(found.matrix @ to_centre), truth @ to_centre)
        change = (left - np.eye(3)).ravel()[:8]
        free = transforms.generators(motion)
        away = np.linalg.lstsq(free.T, change, rcond=None)[0]
        deviations.append(away / np.sqrt(np.diag(found.covariance)))
        distances.append(away @ np.linalg.solve(found.covariance, away))
    scores = np.array(deviations)
    # 40 draws tell a spread within 11 % (one standard deviation), a mean within 0.16.
    assert np.all((scores.std(axis=0) > 0.6) & (scores.std(axis=0) < 1.45))
    assert np.abs(scores.mean(axis=0)).max() < 0.6
    assert 0.7 < np.mean(distances) / scores.shape[1] < 1.4
    covered = np.mean(np.array(distances) < stats.chi2.ppf(0.95, scores.shape[1]))
    assert covered >= 0.85


def test_hot_pixels_that_stay_put_do_not_hold_the_answer() -> None:
    rng = np.random.default_rng(9)
    scenery = grid((96, 100))
    first, second = scene(scenery), scene(scenery - np.array([3.0, -2.0]))
    rows, columns = rng.integers(8, 88, 12), rng.integers(8, 92, 12)
    for each in (first, second):
        each += rng.normal(0, 2, each.shape)
        each[rows, columns] = 10_000
    found = align(prepare(first, settings=Settings(motion="translation")), second)
    assert found.status == Status.CONVERGED
    np.testing.assert_allclose(found.matrix[:2, 2], [3, -2], atol=0.05)


@pytest.mark.parametrize("motion", ["translation", "euclidean", "affine", "homography"])
@pytest.mark.parametrize("period", [8.0, 12.0, 20.5])
def test_a_lattice_is_ambiguous_whatever_its_period(motion: Motion, period: float) -> None:
    # It looks the same half a period down and across: nearer than an eighth of the frame.
    rng = np.random.default_rng(int(period))
    at = 2 * np.pi * grid((96, 112)) / period

    def lattice(shift: float) -> np.ndarray:
        pattern = np.cos(at[..., 0] + shift) * np.cos(at[..., 1] - shift)
        return 100 + 40 * pattern + rng.normal(0, 2, pattern.shape)

    found = align(prepare(lattice(0.0), settings=Settings(motion=motion)), lattice(np.pi / 2))
    assert not found.found


def test_history_tells_every_iteration() -> None:
    found = aligned(moved("affine"), motion="affine")
    assert len(found.history) == found.iterations
    levels, costs, steps = found.history[:, 0], found.history[:, 1], found.history[:, 2]
    assert levels[-1] == 0
    assert np.all(np.diff(levels) <= 0)
    assert steps[-1] < 0.001
    assert costs[-1] < 0.1


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize(
    ("small", "status"),
    [
        (np.full((50, 50), 3.0), Status.FLAT),
        (np.full((50, 50), np.nan), Status.NO_DATA),
        (np.zeros((0, 50)), Status.NO_DATA),
        (np.zeros((1, 1)), Status.NO_DATA),
    ],
)
def test_a_template_without_anything_to_see(
    motion: Motion, small: np.ndarray, status: Status
) -> None:
    found = align(prepare(small, settings=Settings(motion=motion)), image())
    assert found.status == status
    assert not found.found
    assert np.isnan(found.matrix).all()
    assert status.sentence.endswith(".")


@pytest.mark.parametrize("large", [np.full((60, 60), np.nan), np.zeros((60, 60)), np.zeros((3, 0))])
def test_an_image_without_anything_to_see(large: np.ndarray) -> None:
    found = align(prepare(image((50, 50)), settings=Settings()), large)
    assert found.status == Status.NO_DATA
    assert np.isnan(found.matrix).all()


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_stripes_tell_nothing_of_the_motion_along_them(noise: float) -> None:
    rng = np.random.default_rng(6)
    stripes = 100 + 50 * np.sin(np.arange(120) / 5.0) + np.zeros((110, 1))
    large = stripes + rng.normal(0, noise, stripes.shape)
    small = stripes[20:90, 20:90] + rng.normal(0, noise, (70, 70))
    found = align(prepare(small, settings=Settings(motion="translation")), large)
    assert found.status in (Status.FLAT, Status.UNLIKE)
    assert np.isnan(found.matrix).all()


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_aligned_to_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = align(
        prepare(rng.normal(size=(64, 64)), settings=Settings()), rng.normal(size=(90, 80))
    )
    assert found.status >= Status.FLAT
    assert np.isnan(found.matrix).all()


def test_images_that_do_not_overlap_are_not_matched() -> None:
    from skimage import data

    camera = data.camera().astype(float)
    found = align(prepare(camera[330:450, 20:140], settings=Settings()), camera[100:300, 300:500])
    assert found.status >= Status.FLAT


@pytest.mark.parametrize(
    ("truth", "corner"),
    [
        ([[0.917, -0.087, 267.631], [0.262, 0.846, 147.048], [0.0, 0.0, 1.0]], (260, 164)),
        ([[1.149, 0.096, 176.047], [-0.012, 1.248, 132.135], [0.0, 0.0, 1.0]], (198, 154)),
        ([[1.228, 0.078, 220.358], [0.004, 1.08, 192.411], [0.0, 0.0, 1.0]], (239, 209)),
    ],
)
def test_bricks_are_not_taken_for_other_bricks(
    truth: list[list[float]], corner: tuple[int, int]
) -> None:
    from skimage import data

    wall = data.brick().astype(float)
    at = np.moveaxis(transforms.mapped(truth, grid((100, 100))), -1, 0)
    part = ndimage.map_coordinates(wall, at, order=5)
    start = np.array([[1.0, 0.0, corner[0]], [0.0, 1.0, corner[1]], [0.0, 0.0, 1.0]])
    found = align(prepare(part, settings=Settings(motion="affine")), wall, start=start)
    assert found.status == Status.CONVERGED
    assert error(found, np.array(truth), (100, 100)) < 0.1


@pytest.mark.parametrize(("here", "there"), [((134, 58), (224, 267)), ((43, 12), (261, 300))])
def test_bricks_that_are_not_in_the_image_are_not_found(
    here: tuple[int, int], there: tuple[int, int]
) -> None:
    from skimage import data

    wall = data.brick().astype(float)
    part = wall[here[0] : here[0] + 106, here[1] : here[1] + 106]
    other = wall[there[0] : there[0] + 160, there[1] : there[1] + 160]
    found = align(prepare(part, settings=Settings(motion="affine")), other)
    assert found.status >= Status.FLAT
    assert np.isnan(found.matrix).all()


def test_a_scale_of_a_half_is_found_among_bricks() -> None:
    from skimage import data

    wall = data.brick().astype(float)
    truth = np.diag([0.5, 0.5, 1.0])
    truth[:2, 2] = 170, 240
    at = np.moveaxis(transforms.mapped(truth, grid((100, 100))), -1, 0)
    part = ndimage.map_coordinates(wall, at, order=5)
    start = np.eye(3)
    start[:2, 2] = truth[:2, 2] - 24.75
    found = align(prepare(part, settings=Settings(motion="similarity")), wall, start=start)
    assert found.status == Status.CONVERGED
    assert error(found, truth, (100, 100)) < 0.1


def test_a_scene_that_repeats_itself_is_ambiguous() -> None:
    rows, columns = np.mgrid[0:160, 0:160]
    lattice = 100 + 40 * np.cos(rows * np.pi / 8) + 40 * np.cos(columns * np.pi / 8)
    rng = np.random.default_rng(4)
    large = lattice + rng.normal(0, 3, lattice.shape)
    small = lattice[40:120, 37:117] + rng.normal(0, 3, (80, 80))
    found = align(prepare(small, settings=Settings(motion="translation")), large)
    assert found.status == Status.AMBIGUOUS
    assert np.isnan(found.matrix).all()
    # Who knows where it lies says so.
    start = np.array([[1, 0, 41.0], [0, 1, 36.0], [0, 0, 1]])
    ready = prepare(small, settings=Settings(motion="translation", start="given"))
    given = align(ready, large, start=start)
    np.testing.assert_allclose(given.matrix[:2, 2], [40, 37], atol=0.05)


def test_dirt_that_stays_put_does_not_hold_the_answer() -> None:
    rng = np.random.default_rng(10)
    scenery = grid((110, 120))
    first, second = scene(scenery), scene(scenery - np.array([6.0, -5.0]))
    for each in (first, second):
        each += rng.normal(0, 2, each.shape)
        each[30:33, 40:43] = 4000
    found = align(prepare(first, settings=Settings(motion="translation")), second)
    assert not found.found or np.abs(found.matrix[:2, 2] - [6, -5]).max() < 0.1


def test_slow_is_what_falls_short_of_its_stated_error() -> None:
    # One iteration a level, and the last equations arrive nevertheless.
    truth = moved("affine")
    found = aligned(truth, motion="affine", iterations=1)
    assert found.status == Status.CONVERGED
    assert error(found, truth) < 4 * found.motion_error
    # From farther off they do not.
    near = truth.copy()
    near[:2, 2] += [4.0, -3.0]
    ready = Settings(motion="affine", start="given", iterations=1)
    found = align(prepare(template(truth), settings=ready), image(), start=near)
    assert found.status != Status.CONVERGED or error(found, truth) < 4 * found.motion_error


def test_bad_shapes_masks_and_numbers_are_named() -> None:
    with pytest.raises(ValueError, match=r"one image \(rows, columns\)"):
        prepare(np.zeros((2, 3, 4, 5)), settings=Settings())
    with pytest.raises(ValueError, match="complex"):
        prepare(np.zeros((9, 9), complex), settings=Settings())
    with pytest.raises(ValueError, match=r"mask of the template has the shape \(3, 3\)"):
        prepare(np.zeros((9, 9)), np.ones((3, 3)), settings=Settings())
    with pytest.raises(ValueError, match="give one of translation"):
        Settings(motion="elastic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tolerance above 0"):
        Settings(tolerance=0)


def test_settings_are_plain_values() -> None:
    assert dataclasses.asdict(Settings(motion="affine"))["motion"] == "affine"
