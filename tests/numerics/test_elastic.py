"""Elastic registration: algebra against brute force, known fields, barrier, nothing to find."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from napari_framewise.numerics.bsplines import Axis, Lattice
from napari_framewise.numerics.elastic import (
    Field,
    Registration,
    Settings,
    Status,
    determinants,
    normal,
    register,
    register_blocks,
    registering,
    unfolded,
)
from napari_framewise.numerics.elastic.field import FloatArray
from napari_framewise.numerics.elastic.roughness import roughness
from napari_framewise.numerics.elastic.spreading import spread

SHAPE = (128, 144)
CHEAP = settings(max_examples=25, deadline=None)
SMALL = Settings(spacing=16.0, window=15)


@lru_cache
def scene(seed: int = 0, shape: tuple[int, int] = (168, 184)) -> FloatArray:
    """Texture of several sizes, around 100."""
    rng = np.random.default_rng(seed)
    parts = [s * ndimage.gaussian_filter(rng.normal(size=shape), s) for s in (1.5, 3, 6)]
    return 100 + 60 * np.sum(parts, axis=0)


def truth(points: FloatArray, size: float = 4.0) -> FloatArray:
    """Where pixels of the reference (n, 2) are in the image: smooth, and no spline."""
    row, column = points[..., 0], points[..., 1]
    down = size * np.sin(2 * np.pi * row / 150) * np.cos(2 * np.pi * column / 130) + 1.5
    right = size * np.cos(2 * np.pi * (row + column) / 170) - 2.0
    return points + np.stack([down, right], axis=-1)


def pixels(shape: tuple[int, int] = SHAPE) -> FloatArray:
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).astype(float)


def pair(noise: float = 2.0, size: float = 4.0, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Reference and image, cut from one scene 20 pixels from its border."""
    whole = scene(seed)
    at = truth(pixels(), size) + 20
    reference = ndimage.map_coordinates(whole, at.transpose(2, 0, 1), order=5)
    image = whole[20 : 20 + SHAPE[0], 20 : 20 + SHAPE[1]]
    rng = np.random.default_rng(seed + 100)
    return (
        reference + rng.normal(0, noise, SHAPE),
        image + rng.normal(0, noise, SHAPE),
    )


def misses(found: Registration, size: float = 4.0, edge: int = 12) -> FloatArray:
    """Distance of the transform from the truth, away from the border."""
    inner = pixels()[edge:-edge, edge:-edge].reshape(-1, 2)
    return np.sqrt(((found.field.pull_back(inner) - truth(inner, size)) ** 2).sum(axis=1))


def some_field(seed: int = 0, size: float = 1.5) -> Field:
    rng = np.random.default_rng(seed)
    matrix = np.array([[1.02, 0.05, 3.0], [-0.04, 0.97, -2.0], [0, 0, 1]])
    return Field(matrix, rng.normal(0, size, (2, 7, 8)), SHAPE)


def test_a_refined_field_is_the_same() -> None:
    field = some_field()
    points = np.random.default_rng(1).uniform(0, 127, (50, 2))
    fine = field.refined()
    assert fine.coefficients.shape == (2, 11, 13)
    np.testing.assert_allclose(fine.pull_back(points), field.pull_back(points), atol=1e-11)


def test_a_field_agrees_with_its_b_splines_and_its_slopes_with_differences() -> None:
    field = some_field()
    points = np.random.default_rng(1).uniform(1, 126, (50, 2))
    plain = points @ field.matrix[:2, :2].T + field.matrix[:2, 2]
    plain = plain + field.lattice.values(field.coefficients, points).T
    np.testing.assert_allclose(field.pull_back(points), plain, atol=1e-11)
    grid = field.on_grid((np.arange(5.0), np.arange(6.0)))
    np.testing.assert_allclose(
        grid.reshape(2, -1).T, field.pull_back(pixels((5, 6)).reshape(-1, 2)), atol=1e-11
    )
    for axis in range(2):
        aside = 1e-5 * np.eye(2)[axis]
        change = (field.pull_back(points + aside) - field.pull_back(points - aside)) / 2e-5
        np.testing.assert_allclose(field.jacobian(points)[:, :, axis], change, atol=1e-8)
    slopes = field.slopes_on_grid((points[:1, 0], points[:1, 1]))[..., 0, 0]
    np.testing.assert_allclose(slopes, field.jacobian(points[:1])[0], atol=1e-11)


@CHEAP
@given(
    step=arrays.arrays(np.float64, (2, 7, 8), elements=st.floats(-200, 200)),
    seed=st.integers(0, 5),
)
def test_no_step_folds_and_what_does_not_fold_is_inverted(step: FloatArray, seed: int) -> None:
    before = unfolded(Field.still(np.eye(3), SHAPE, (4, 5)), some_field(seed, 0.5))
    after = unfolded(before, before.with_coefficients(before.coefficients + step))
    assert determinants(after, 40).min() > 0
    points = np.random.default_rng(seed).uniform(0, np.array(SHAPE) - 1, (20, 2))
    np.testing.assert_allclose(after.push(after.pull_back(points)), points, atol=1e-5)


def test_a_step_that_does_not_fold_is_taken_whole() -> None:
    before = Field.still(np.eye(3), SHAPE, (4, 5))
    after = before.with_coefficients(some_field().coefficients)
    np.testing.assert_array_equal(unfolded(before, after).coefficients, after.coefficients)


def test_normal_equations_are_those_of_the_design_matrix() -> None:
    lattice = Lattice((Axis(0, 20, 4), Axis(0, 17, 3)))
    coordinates = np.arange(0, 21.0), np.arange(0, 18.0)
    rng = np.random.default_rng(0)
    first, second = rng.uniform(0, 1, (2, 21, 18))
    weights = np.stack([first + 1, first * 0.3, second + 1])
    points = np.stack(np.meshgrid(*coordinates, indexing="ij"), axis=-1).reshape(-1, 2)
    design = lattice.design(points).toarray()
    whole = np.zeros((2 * lattice.size, 2 * lattice.size))
    for i in range(2):
        for j in range(2):
            whole[i::2, j::2] = design.T @ (weights[i + j].ravel()[:, None] * design)
    found = normal.hessian(lattice, coordinates, weights)
    for diagonal in range(normal.band_of(lattice)):
        expected = np.diagonal(whole, -diagonal)
        np.testing.assert_allclose(found[diagonal, : len(expected)], expected, atol=1e-9)
    assert not np.tril(whole, -normal.band_of(lattice)).any()
    right = rng.normal(size=(2, 21, 18))
    gradient = normal.gradient(lattice, coordinates, right)
    np.testing.assert_allclose(gradient.reshape(-1, 2), design.T @ right.reshape(2, -1).T)
    target = rng.normal(size=len(whole))
    np.testing.assert_allclose(whole @ normal.solved(found, target), target, atol=1e-3)


def test_roughness_is_the_integral_of_its_derivatives() -> None:
    lattice = Lattice((Axis(0, 20, 4), Axis(0, 18, 3)))
    field = np.random.default_rng(0).normal(size=(2, *lattice.shape))
    flat = np.moveaxis(field, 0, -1).ravel()
    nodes, weights = np.polynomial.legendre.leggauss(24)
    axes, measures = [], []
    for axis in lattice.axes:
        starts = np.arange(axis.cells)[:, None] * axis.spacing
        axes.append((starts + (nodes + 1) / 2 * axis.spacing).ravel())
        measures.append(np.tile(weights * axis.spacing / 2, axis.cells))

    def second(i: int, a: int, b: int) -> FloatArray:
        orders = [0, 0]
        orders[a] += 1
        orders[b] += 1
        return lattice.on_grid(field[i], axes, orders)

    def integral(values: FloatArray) -> float:
        return float(measures[0] @ values**2 @ measures[1])

    ways = [(i, a, b) for i in range(2) for a in range(2) for b in range(2)]
    bending = sum(integral(second(*each)) for each in ways)
    divergence = sum(integral(second(0, 0, g) + second(1, 1, g)) for g in range(2))
    curl = sum(integral(second(0, 1, g) - second(1, 0, g)) for g in range(2))
    found = roughness(lattice, 2.0, 3.0, 5.0)
    energy = float(flat @ (found @ flat))
    assert energy == pytest.approx(2 * bending + 3 * divergence + 5 * curl, rel=1e-9)


def test_a_known_field_is_found_both_ways() -> None:
    reference, image = pair()
    found = register(reference, image, settings=SMALL)
    away = misses(found)
    assert found.status == Status.CONVERGED
    assert away.mean() < 0.08
    assert np.percentile(away, 99) < 0.4
    assert found.least_determinant > 0
    assert found.inconsistency < 1e-6
    assert found.correlation[1] > found.correlation[0] + 0.3
    assert found.rmse[1] < 0.5 * found.rmse[0]
    # The other way round, the images' parts exchanged, the inverse is found.
    other = register(image, reference, settings=SMALL)
    points = pixels()[20:-20:8, 20:-20:8].reshape(-1, 2)
    there = other.field.pull_back(found.field.pull_back(points))
    assert np.sqrt(((there - points) ** 2).sum(axis=1)).mean() < 0.1


def test_least_squares_find_it_where_brightness_is_the_same() -> None:
    reference, image = pair()
    found = register(reference, image, settings=Settings(spacing=16.0, similarity="squares"))
    assert misses(found).mean() < 0.15


def test_gain_and_offset_cost_little() -> None:
    reference, image = pair()
    plain = misses(register(reference, image, settings=SMALL)).mean()
    ramp = np.linspace(0.7, 1.1, SHAPE[1])
    changed = misses(register(ramp * reference + 25, image, settings=SMALL)).mean()
    assert changed < 1.3 * plain


@pytest.mark.parametrize("unit", [1e-12, 1e12, 1e200])
def test_units_change_nothing(unit: float) -> None:
    reference, image = pair()
    plain = register(reference, image, settings=SMALL)
    scaled = register(unit * reference, unit * image, settings=SMALL)
    np.testing.assert_allclose(scaled.field.coefficients, plain.field.coefficients, atol=1e-5)
    np.testing.assert_allclose(scaled.rmse / unit, plain.rmse, rtol=1e-6)


def test_what_stands_under_masks_has_no_say() -> None:
    reference, image = pair()
    here, there = np.ones(SHAPE, bool), np.ones(SHAPE, bool)
    here[40:60, 50:80] = False
    there[90:110, 20:50] = False
    first, second = reference.copy(), image.copy()
    first[~here] = 1e6
    second[~there] = np.random.default_rng(0).normal(0, 1e4, (~there).sum())
    found = register(first, second, reference_mask=here, image_mask=there, settings=SMALL)
    first[~here], second[~there] = np.nan, np.nan
    again = register(first, second, settings=SMALL)
    np.testing.assert_array_equal(found.field.coefficients, again.field.coefficients)
    assert misses(found).mean() < 0.12


def test_landmarks_lead_where_the_images_do_not() -> None:
    reference, image = pair(size=7.0)
    rows, columns = np.meshgrid([20.0, 64, 108], [20.0, 72, 124], indexing="ij")
    here = np.column_stack([rows.ravel(), columns.ravel()])
    there = truth(here, 7.0)
    half = reference.copy()
    half[:, 70:] = np.random.default_rng(0).normal(100, 5, (128, 74))
    plain = register(half, image, settings=SMALL)
    led = register(half, image, landmarks=(here, there), settings=replace(SMALL, landmarks=10.0))
    assert plain.landmark_errors.size == 0
    assert led.landmark_errors.mean() < 0.5
    assert led.least_determinant > 0
    inner = pixels()[12:-12, 80:-12].reshape(-1, 2)
    away = np.sqrt(((led.field.pull_back(inner) - truth(inner, 7.0)) ** 2).sum(axis=1))
    assert away.mean() < 2.5


def test_landmarks_that_are_off_do_little_harm_and_help_far_motion() -> None:
    reference, image = pair(size=7.0)
    rows, columns = np.meshgrid([20.0, 64, 108], [20.0, 72, 124], indexing="ij")
    here = np.column_stack([rows.ravel(), columns.ravel()])
    there = truth(here, 7.0) + np.random.default_rng(1).normal(0, 2, here.shape)
    led = register(reference, image, landmarks=(here, there), settings=SMALL)
    assert misses(led, 7.0).mean() < 0.2
    assert 0.8 < led.landmark_errors.mean() < 3


def test_a_start_that_is_far_off_is_taken() -> None:
    whole = scene()
    reference = whole[:96, :96]
    image = whole[48:144, 40:136]
    matrix = np.eye(3)
    matrix[:2, 2] = -47, -41
    found = register(reference, image, start=matrix, settings=SMALL)
    there = found.field.pull_back([[70.0, 60.0]])
    np.testing.assert_allclose(there, [[22.0, 20.0]], atol=0.1)


def test_images_of_two_sizes_and_types() -> None:
    reference, image = pair()
    image = np.rint(np.clip(image[4:, :130], 0, 255)).astype(np.uint8)
    found = register(reference.astype(np.float32), image, settings=SMALL)
    inner = pixels()[20:-20, 20:-34].reshape(-1, 2)
    away = found.field.pull_back(inner) - (truth(inner) - [4, 0])
    assert np.sqrt((away**2).sum(axis=1)).mean() < 0.12


def stripes(period: float) -> FloatArray:
    row, column = pixels((96, 96)).transpose(2, 0, 1)
    rng = np.random.default_rng(int(period))
    pattern = np.sin(2 * np.pi * row / period) + np.sin(2 * np.pi * column / period)
    return pattern + rng.normal(0, 0.02, (96, 96))


NOTHING = {
    "noise": (*np.random.default_rng(5).normal(size=(2, 96, 96)), Status.UNLIKE),
    "unrelated": (scene(0)[:96, :96], scene(1)[:96, :96], Status.UNLIKE),
    "flat": (np.full((96, 96), 3.0), scene(0)[:96, :96], Status.FLAT),
    "no data": (np.full((96, 96), np.nan), scene(0)[:96, :96], Status.NO_DATA),
    "period of 7": (stripes(7), np.roll(stripes(7), 1, 0), Status.AMBIGUOUS),
    "period of 16": (stripes(16), np.roll(stripes(16), 3, 1), Status.AMBIGUOUS),
}


@pytest.mark.parametrize("case", NOTHING)
def test_nothing_to_find_is_said(case: str) -> None:
    first, second, status = NOTHING[case]
    for reference, image in ((first, second), (second, first)):
        found = register(reference, image, settings=SMALL)
        assert found.status == status
        assert not found.found
        assert np.isnan(found.field.coefficients).all()
        assert found.status.sentence.endswith(".")


@pytest.mark.parametrize("seed", range(4))
def test_noise_alone_is_no_answer(seed: int) -> None:
    first, second = np.random.default_rng(seed).normal(size=(2, 96, 96))
    assert register(first, second, settings=SMALL).status in (Status.UNLIKE, Status.NOISY)


def test_steps_come_one_at_a_time_with_their_objective() -> None:
    reference, image = pair()
    running = registering(reference, image, settings=SMALL)
    first = next(running)
    assert first.affine
    assert first.level > 0
    running.close()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "complex": ({"reference": np.ones((32, 32), complex)}, "real numbers"),
    "three axes": ({"image": np.ones((3, 32, 32))}, "one plane"),
    "tiny": ({"image": np.ones((8, 40))}, "16 x 16"),
    "mask": ({"image_mask": np.ones((3, 3))}, "mask of the image"),
    "landmarks": ({"landmarks": ([[1, 2], [3, 4]], [[1, 2]])}, "in pairs"),
    "singular start": ({"start": np.diag([1.0, 0, 1])}, "singular"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(case: str) -> None:
    options, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        register(**{"reference": scene()[:32, :32], "image": scene()[:32, :32]} | options)


def test_settings_that_make_no_sense_are_refused() -> None:
    for options in ({"spacing": 1.0}, {"window": 10}, {"smoothness": -1.0}):
        with pytest.raises(ValueError, match=r"needed|0 or more"):
            replace(Settings(), **options)


def test_blocks_tell_a_smooth_motion() -> None:
    reference, image = pair(size=2.0)
    found = register_blocks(reference, image, settings=Settings(spacing=20.0))
    assert found.status == Status.CONVERGED
    # A block tells the mean of its motion, which is less than the motion of its middle.
    assert misses(found, 2.0, edge=20).mean() < 0.45
    assert found.least_determinant > 0
    assert found.inconsistency < 1e-6


def test_blocks_without_signal_follow_their_neighbours() -> None:
    reference, image = pair(size=1.0)
    empty = reference.copy()
    empty[44:84, 50:94] = np.random.default_rng(0).normal(100, 2, (40, 44))
    found = register_blocks(empty, image, settings=Settings(spacing=20.0))
    assert misses(found, 1.0, edge=20).mean() < 0.3
    masked = empty.copy()
    masked[44:84, 50:94] = np.nan
    again = register_blocks(masked, image, settings=Settings(spacing=20.0))
    assert misses(again, 1.0, edge=20).mean() < 0.3


@pytest.mark.parametrize("case", ["unrelated", "noise", "flat", "no data", "period of 7"])
def test_blocks_say_that_nothing_is_there(case: str) -> None:
    first, second, _ = NOTHING[case]
    found = register_blocks(first, second, settings=Settings(spacing=20.0))
    assert not found.found
    assert np.isnan(found.field.coefficients).all()


def rippled(period: float, seed: int) -> tuple[FloatArray, FloatArray]:
    """A pair that moved to and fro by 1.4 pixels within each period, with noise."""
    rng = np.random.default_rng(seed)
    image = 20 * ndimage.gaussian_filter(rng.normal(size=(160, 160)), 2)
    row, column = np.indices(image.shape).astype(float)
    at = [row + 1.4 * np.sin(2 * np.pi * column / period), column]
    reference = ndimage.map_coordinates(image, at, order=3, mode="mirror")
    return tuple(each + rng.normal(0, 0.3, each.shape) for each in (reference, image))  # type: ignore[return-value]


@pytest.mark.parametrize("way", [register, register_blocks])
@pytest.mark.parametrize(("period", "status"), [(320, 0), (40, 2), (30, 2)])
def test_what_bends_between_nodes_is_not_called_converged(
    way: Any, period: float, status: int
) -> None:
    found = way(*rippled(period, 7))
    assert found.status == (Status.CONVERGED if status == 0 else Status.COARSE)
    assert (found.left.shift <= 0.5) == (status == 0)
    assert found.found


@pytest.mark.parametrize("case", [(128, 3.0, 5), (128, 6.0, 6), (256, 4.0, 0)])
def test_smooth_unrelated_textures_are_unlike(case: tuple[int, float, int]) -> None:
    side, sigma, number = case
    rng = np.random.default_rng([side, int(10 * sigma), number])
    first, second = (
        10 * sigma * ndimage.gaussian_filter(rng.normal(size=(side, side)), sigma)
        + rng.normal(0, 0.3, (side, side))
        for _ in range(2)
    )
    assert register(first, second).status == Status.UNLIKE


@pytest.mark.parametrize("period", [12, 24])
def test_blocks_of_a_lattice_are_ambiguous_unless_a_start_is_given(period: int) -> None:
    row, column = np.indices((128, 128))
    pattern = np.sin(2 * np.pi * row / period) + np.sin(2 * np.pi * column / period)
    noise = np.random.default_rng(period).normal(0, 0.1, (2, 128, 128))
    first, second = pattern + noise[0], np.roll(pattern, 2, axis=0) + noise[1]
    assert register_blocks(first, second).status == Status.AMBIGUOUS
    assert register_blocks(first, second, start=np.eye(3)).found


def test_a_block_tells_the_mean_over_its_texture() -> None:
    lattice = Field.still(np.eye(3), (65, 65), (2, 2)).lattice
    coefficients = np.random.default_rng(3).normal(size=(2, *lattice.shape))
    texture = np.random.default_rng(4).random((65, 65)) ** 8
    blocks = [
        (slice(a, a + 20), slice(b, b + 20)) for a in range(0, 46, 5) for b in range(0, 46, 5)
    ]
    moved = lattice.on_grid(coefficients, [np.arange(65.0)] * 2)
    shifts = np.array(
        [[np.average(each[block], weights=texture[block]) for each in moved] for block in blocks]
    )
    found = spread(lattice, texture, blocks, shifts, np.ones(len(blocks)), 1e-12)
    again = lattice.on_grid(found, [np.arange(65.0)] * 2)
    assert np.abs(again - moved)[:, 8:-8, 8:-8].max() < 1e-3
