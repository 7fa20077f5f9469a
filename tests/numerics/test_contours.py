"""Contours against areas counted cell by cell, discs in closed form, and masks filled again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_framewise.numerics.contours import (
    Contour,
    arc_lengths,
    curvature,
    largest_sigma,
    length,
    normals,
    outlines,
    outlines_of_labels,
    resampled,
    signed_area,
    smoothed,
    smoothed_outline,
)
from napari_framewise.numerics.rasterization import inside_polygon

Array = npt.NDArray[Any]
MASKS = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def disc(radius: float, middle: tuple[float, float], shape: tuple[int, int]) -> Array:
    rows, columns = np.indices(shape)
    return np.hypot(rows - middle[0], columns - middle[1]) <= radius


def area_of_cells(mask: Array) -> float:
    """Area inside the outline, from how many corners of each cell of four pixels are inside."""
    padded = np.pad(mask, 1).astype(int)
    corners = padded[:-1, :-1], padded[1:, :-1], padded[1:, 1:], padded[:-1, 1:]
    count = sum(corners)
    crossed = (count == 2) & (corners[0] == corners[2])
    area = np.choose(count, [0, 1 / 8, 1 / 2, 7 / 8, 1])
    return float(np.where(crossed, 1 / 4, area).sum())


@given(MASKS)
def test_loops_enclose_the_mask_and_nothing_else(mask: Array) -> None:
    mask = np.pad(mask, 1)
    found = outlines(mask)
    assert all(each.closed for each in found)
    assert sum(map(signed_area, found)) == pytest.approx(area_of_cells(mask), abs=1e-9)
    filled = np.zeros(mask.shape, bool)
    for each in found:
        box, inside = inside_polygon(each.points, mask.shape)
        filled[box] ^= inside
    np.testing.assert_array_equal(filled, mask)


@given(MASKS)
def test_open_outlines_end_on_the_border_and_points_separate_neighbours(mask: Array) -> None:
    limit = np.array(mask.shape) - 0.5
    for each in outlines(mask):
        on_border = (each.points == -0.5) | (each.points == limit)
        if not each.closed:
            assert on_border[[0, -1]].any(axis=1).all()
        assert not on_border[1:-1].any() or not each.closed
        middles = each.points[~on_border.any(axis=1)]
        ends = np.floor(middles).astype(int), np.ceil(middles).astype(int)
        assert (mask[tuple(ends[0].T)] != mask[tuple(ends[1].T)]).all()


@given(MASKS)
def test_the_other_side_has_the_same_open_lines_the_other_way(mask: Array) -> None:
    # Where four pixels meet crosswise, inside and outside are joined differently.
    corners = mask[:-1, :-1], mask[1:, :-1], mask[1:, 1:], mask[:-1, 1:]
    if mask.shape > (1, 1) and ((corners[0] == corners[2]) & (corners[0] != corners[1])).any():
        return
    there, back = outlines(mask), outlines(~mask)
    assert sorted(map(length, there)) == pytest.approx(sorted(map(length, back)))
    areas = [sorted(signed_area(each) for each in of if each.closed) for of in (there, back)]
    assert areas[0] == pytest.approx([-each for each in reversed(areas[1])])


def test_full_empty_and_missing_pixels() -> None:
    assert outlines(np.ones((4, 5))) == ()
    assert outlines(np.full((4, 5), np.nan)) == ()
    with pytest.raises(ValueError, match="rows and columns"):
        outlines(np.ones((2, 4, 5)))
    image = np.full((6, 7), np.nan)
    image[2:4, 2:5] = 0.5
    ((label, contour),) = outlines_of_labels(image)
    assert label == 0.5
    assert signed_area(contour) == pytest.approx(2 * 3 - 0.5)


def test_labels_that_touch_are_traced_each_by_itself() -> None:
    labels = np.zeros((9, 12), np.uint16)
    labels[2:7, 2:6], labels[2:7, 6:10] = 4, 900
    found = outlines_of_labels(labels)
    assert [label for label, _ in found] == [4, 900]
    assert [signed_area(each) for _, each in found] == [19.5, 19.5]
    expected = [each.points for value in (4, 900) for each in outlines(labels == value)]
    for (_, contour), points in zip(found, expected, strict=True):
        assert {tuple(point) for point in contour.points} == set(map(tuple, points))


@pytest.mark.parametrize("radius", [10, 15, 20, 40, 80])
def test_normals_of_a_disc_are_radial_within_two_degrees(radius: float) -> None:
    middle = np.array([radius + 7.37, radius + 5.81])
    shape = (int(2 * radius) + 15,) * 2
    (outline,) = outlines(disc(radius, tuple(middle), shape))
    smooth, sigma = smoothed_outline(outline, 6.0, 0.5)
    radial = smooth.points - middle
    radial /= np.hypot(*radial.T)[:, None]
    angles = np.degrees(np.arccos(np.clip((normals(smooth) * radial).sum(axis=1), -1, 1)))
    assert angles.max() < 2
    assert np.sqrt((angles**2).mean()) < 1
    assert curvature(smooth, sigma).mean() * radius == pytest.approx(1, abs=0.02)
    assert arc_lengths(smooth, sigma)[-1] == pytest.approx(2 * np.pi * radius, rel=0.015)


def test_a_hole_is_bent_the_other_way_and_its_normals_point_into_it() -> None:
    ring = disc(20, (30, 30), (61, 61)) & ~disc(9, (30, 30), (61, 61))
    hole = min(outlines(ring), key=length)
    smooth, sigma = smoothed_outline(hole, 3.0, 0.5)
    assert signed_area(hole) < 0
    assert curvature(smooth, sigma).mean() == pytest.approx(-1 / 9, rel=0.05)
    assert (((smooth.points - 30) * normals(smooth)).sum(axis=1) < 0).all()


@pytest.mark.parametrize("sigma", [0.5, 2.0, 4.0])
def test_smoothing_shrinks_a_circle_by_its_equation_and_curvature_takes_it_back(
    sigma: float,
) -> None:
    radius = 9.0
    turn = 2 * np.pi * np.arange(400) / 400
    circle = Contour(radius * np.stack([-np.sin(turn), np.cos(turn)], axis=1), closed=True)
    smooth = smoothed(circle, sigma)
    shrunk = np.hypot(*smooth.points.T)
    np.testing.assert_allclose(shrunk, radius * np.exp(-(sigma**2) / (2 * radius**2)), rtol=2e-4)
    np.testing.assert_allclose(curvature(smooth, sigma), 1 / radius, rtol=2e-3)
    assert arc_lengths(smooth, sigma)[-1] == pytest.approx(2 * np.pi * radius, rel=1e-3)


@given(st.integers(1, 39), st.floats(0.3, 3))
def test_where_a_loop_begins_changes_nothing(shift: int, sigma: float) -> None:
    points = np.random.default_rng(shift).normal(size=(40, 2)).cumsum(axis=0)
    plain = smoothed(Contour(points, closed=True), sigma).points
    turned = smoothed(Contour(np.roll(points, shift, axis=0), closed=True), sigma).points
    np.testing.assert_allclose(turned, np.roll(plain, shift, axis=0), atol=1e-9)


@given(st.floats(0, 6.28), st.floats(0.2, 5), st.floats(1, 20))
def test_an_open_line_keeps_its_ends_and_stays_straight(
    angle: float, sigma: float, size: float
) -> None:
    ends = np.array([[3.0, 4.0], [3 + size * np.sin(angle), 4 + size * np.cos(angle)]])
    smooth = smoothed(resampled(Contour(ends, closed=False), 0.5), sigma)
    np.testing.assert_allclose(smooth.points[[0, -1]], ends, atol=1e-9)
    across = np.array([np.cos(angle), -np.sin(angle)])
    np.testing.assert_allclose((smooth.points - ends[0]) @ across, 0, atol=1e-9)
    np.testing.assert_allclose(np.abs(normals(smooth) @ across), 1, atol=1e-9)
    bent = curvature(smooth)
    assert np.isnan(bent[[0, -1]]).all()
    np.testing.assert_allclose(bent[1:-1], 0, atol=1e-6)


def test_a_pixel_that_stands_alone_is_smoothed_no_further_than_it_can_be() -> None:
    mask = np.zeros((5, 5))
    mask[2, 3] = 1
    (outline,) = outlines(mask)
    smooth, sigma = smoothed_outline(outline, 6.0, 0.5)
    assert sigma == largest_sigma(outline) < 0.3
    np.testing.assert_allclose(smooth.points.mean(axis=0), [2, 3], atol=1e-12)
    assert np.isfinite(normals(smooth)).all()
    assert len(smooth) == 8


def test_points_that_coincide_have_no_normal() -> None:
    assert np.isnan(normals(Contour([[1, 1], [1, 1]], closed=True))).all()
    assert np.isnan(curvature(Contour([[1, 1]], closed=False))).all()
    with pytest.raises(ValueError, match="shape"):
        Contour(np.zeros((0, 2)), closed=True)
    with pytest.raises(ValueError, match="positive"):
        resampled(Contour([[0, 0], [1, 1]], closed=False), 0.0)


def test_resampling_keeps_length_and_spacing() -> None:
    square = Contour([[0, 0], [6, 0], [6, 8], [0, 8]], closed=True)
    even = resampled(square, 0.5)
    assert len(even) == 56
    np.testing.assert_allclose(np.diff(arc_lengths(even)), 0.5)
    assert length(even) == length(square) == 28
    scaled = square.scaled((2.0, 1.0))
    assert signed_area(scaled) == 2 * signed_area(square) == 96
