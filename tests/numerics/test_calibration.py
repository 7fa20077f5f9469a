"""Fields over a third variable against a map in closed form, inverses, halves, left-out values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_framewise.numerics.bsplines import Axis, Lattice
from napari_framewise.numerics.calibration import (
    Judgement,
    at_value,
    common_index,
    common_to_neighbours,
    covered,
    fit_field,
    hull_of,
    judged,
    regular_grid,
    row_ends,
    seen_from,
    slopes_of,
    straight_from,
    straight_image,
)
from napari_framewise.numerics.interpolation import spline, warp
from napari_framewise.samples.pressure import NODES, PITCH, SHAPE, nodes_of, seen

VALUES = np.arange(6.0)


def nodes(noise: float = 0.0, seed: int = 0) -> tuple[Any, Any, Any, Any]:
    ideal = nodes_of()
    where = np.concatenate([seen(ideal, value) for value in VALUES])
    where += np.random.default_rng(seed).normal(0, noise, where.shape)
    index = np.tile(np.argwhere(np.ones(NODES)), (6, 1))
    return np.repeat(VALUES, len(ideal)), np.tile(ideal, (6, 1)), where, index


def between(field: Any) -> Any:
    """Errors of a field at values between those fitted, within the nodes."""
    ideal = nodes_of()
    at = np.random.default_rng(5).uniform(ideal.min(axis=0), ideal.max(axis=0), (150, 2))
    errors = []
    for value in VALUES[:-1] + 0.5:
        found = at + field.fit.values(np.column_stack([np.full(len(at), value), at])).T
        errors.append(found - seen(at, value))
    return np.concatenate(errors)


def judgement_of(*given: Any) -> Judgement:
    steps = judged(*given)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value


def test_values_between_are_interpolated_from_exact_nodes() -> None:
    values, straight, where, _ = nodes()
    errors = between(fit_field(values, straight, where, SHAPE, PITCH, strength=0.0))
    assert np.hypot(*errors.T).max() < 0.005


def test_noise_and_missing_nodes_leave_the_field_within_three_hundredths() -> None:
    values, straight, where, _ = nodes(0.014)
    kept = np.random.default_rng(1).random(len(where)) > 0.15
    where[~kept] = np.nan
    field = fit_field(values, straight, where, SHAPE, PITCH, strength=0.08)
    errors = between(field)
    assert np.sqrt((errors**2).sum(axis=1).mean()) < 0.03
    assert np.hypot(*errors.T).max() < 0.15
    assert field.fit.sigma == pytest.approx(0.014, rel=0.12)


@pytest.mark.parametrize(("count", "degree"), [(1, 0), (2, 1), (3, 2), (4, 3), (6, 3)])
def test_few_values_lower_the_degree(count: int, degree: int) -> None:
    values, straight, where, _ = nodes()
    used = values < count
    field = fit_field(values[used], straight[used], where[used], SHAPE, PITCH, strength=1e-4)
    assert field.fit.lattice.axes[0].degree == degree
    assert np.abs(field.fit.residuals).max() < 0.02


def test_the_inverse_leads_back_and_slopes_are_differences() -> None:
    values, straight, where, _ = nodes()
    field = fit_field(values, straight, where, SHAPE, PITCH, strength=1e-4)
    axis, lattice = field.fit.lattice.axes[0], Lattice(field.fit.lattice.axes[1:])
    (plane,) = at_value(axis, field.fit.coefficients, 3.3)
    at = np.random.default_rng(2).uniform([60, 60], [420, 580], (40, 2))
    there = seen_from(lattice, plane, at)
    np.testing.assert_allclose(straight_from(lattice, plane, there), at, atol=1e-6)
    slopes = slopes_of(lattice, plane, at)
    for axis_number, step in enumerate(np.eye(2) * 1e-4):
        ahead, behind = (seen_from(lattice, plane, at + sign * step) for sign in (1, -1))
        np.testing.assert_allclose(slopes[:, :, axis_number], (ahead - behind) / 2e-4, atol=1e-6)


def test_halves_agree_unless_the_model_is_wrong() -> None:
    values, straight, where, index = nodes(0.02)
    field = fit_field(values, straight, where, SHAPE, PITCH, strength=0.08)
    right = judgement_of(field, values, straight, where, index, SHAPE, PITCH)
    assert not right.is_wrong
    assert right.beyond.tolist() == [True, False, False, False, False, True]
    assert right.left_out[1:-1].max() < 0.06
    # Every second node seen elsewhere: two boards printed over each other.
    wrong = where.copy()
    wrong[(values + index.sum(axis=1)) % 2 == 0] += [0.0, 0.5]
    field = fit_field(values, straight, wrong, SHAPE, PITCH, strength=0.08)
    assert judgement_of(field, values, straight, wrong, index, SHAPE, PITCH).is_wrong


def test_rows_and_columns_follow_the_motion_from_value_to_value() -> None:
    index = np.argwhere(np.ones(NODES))
    places = [seen(nodes_of(), value) + np.array([0, 15 * value]) for value in VALUES]
    given = [index, *(index + np.array([1, -2]) for _ in VALUES[1:])]
    for each in common_index(places, given, range(6)):
        np.testing.assert_array_equal(each, index)


def test_a_regular_grid_is_found_whatever_its_turn() -> None:
    index = np.argwhere(np.ones((4, 6)))
    step, origin = np.array([3.0, 20.0]), np.array([7.0, 9.0])
    places = origin + index[:, 1:] * step + index[:, :1] * np.array([20.0, -3.0])
    found = regular_grid(places, index)
    np.testing.assert_allclose(found[0], origin, atol=1e-9)
    np.testing.assert_allclose(found[1], step, atol=1e-9)


def test_what_lies_beyond_the_nodes_is_not_covered() -> None:
    hull = hull_of(nodes_of(), PITCH / 2)
    low, high = nodes_of().min(axis=0), nodes_of().max(axis=0)
    inside = covered(hull, np.array([low - 20, high + 20, (low + high) / 2, low - 24, high + 24]))
    assert inside.tolist() == [True, True, True, False, False]


def test_neighbours_share_what_smoothing_took_away_and_no_noise() -> None:
    values, straight, where, index = nodes(0.02)
    image = values.astype(np.int64)
    right, smoothed = (
        fit_field(values, straight, where, SHAPE, PITCH, strength=strength)
        for strength in (0.08, 1e7)
    )
    share, _ = common_to_neighbours(right.fit.residuals, image, index)
    assert share < 0.1
    share, size = common_to_neighbours(smoothed.fit.residuals, image, index)
    assert share > 0.5
    assert size > 0.05


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gaps", [False, True])
def test_one_pass_straightens_as_displacements_and_samples_do(dtype: Any, gaps: bool) -> None:
    rng = np.random.default_rng(3)
    planes = rng.normal(100, 30, (2, 50, 64)).astype(dtype)
    if gaps:
        planes[:, 20:23, 30:36] = np.nan
    lattice = Lattice((Axis(0.0, 49.0, 4), Axis(0.0, 63.0, 5)))
    plane = rng.normal(0, 3, (2, *lattice.shape))
    hull = hull_of(np.array([[2.0, 5], [45, 8], [40, 60.5], [7, 52]]), 1.3)
    image = spline(planes)
    displacement = lattice.on_grid(plane, [np.arange(50), np.arange(64)])
    expected, _, inside = warp(image, displacement)
    places = np.argwhere(np.ones((50, 64))).astype(float)
    for limits, known in ((hull, covered(hull, places).reshape(50, 64)), (np.empty((0, 3)), True)):
        found = straight_image(image, lattice, plane, limits)
        assert found.dtype == dtype
        wanted = np.where(inside & known, expected, np.nan)
        np.testing.assert_allclose(found, wanted, rtol=2e-5 if dtype == np.float32 else 1e-12)


@given(turn=st.floats(0, 6.28), margin=st.floats(-3, 9), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_rows_end_where_the_hull_does(turn: float, margin: float, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(5, 30, (7, 2))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    hull = hull_of((points - 17) @ rotation + 17, margin)
    places = np.argwhere(np.ones((36, 40))).astype(float)
    ends = row_ends(hull, (36, 40))
    columns = np.arange(40)
    inside = (columns >= ends[:, :1]) & (columns < ends[:, 1:])
    np.testing.assert_array_equal(inside, covered(hull, places).reshape(36, 40))


def test_too_few_nodes_are_said() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        fit_field(np.zeros(3), np.ones((3, 2)), np.ones((3, 2)), (10, 10), 3.0)
