"""Outlines as pixels, against brute force and areas in closed form."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.numerics.rasterization import inside_ellipse, inside_polygon, near_path

SHAPE = (40, 50)


def whole(box, inside, shape=SHAPE):
    image = np.zeros(shape, bool)
    image[box] = inside
    return image


def test_a_rectangle_holds_its_edges() -> None:
    corners = np.array([[2, 3], [2, 7], [5, 7], [5, 3.0]])
    expected = np.zeros(SHAPE, bool)
    expected[2:6, 3:8] = True
    np.testing.assert_array_equal(whole(*inside_polygon(corners, SHAPE)), expected)


@given(st.floats(0, 7), st.floats(2, 15), st.floats(-20, 60), st.floats(-20, 60))
def test_a_turned_rectangle_is_what_its_sides_say(
    angle: float, size: float, row: float, column: float
) -> None:
    a, b = (
        size * np.array([np.cos(angle), np.sin(angle)]),
        2.3 * np.array([-np.sin(angle), np.cos(angle)]),
    )
    centre = np.array([row, column])
    corners = np.array([centre - a - b, centre - a + b, centre + a + b, centre + a - b])
    offsets = np.moveaxis(np.indices(SHAPE), 0, -1) - centre
    along = np.abs(offsets @ a) / (a @ a), np.abs(offsets @ b) / (b @ b)
    sure = (np.abs(along[0] - 1) > 1e-9) & (np.abs(along[1] - 1) > 1e-9)
    expected = (along[0] <= 1) & (along[1] <= 1)
    found = whole(*inside_polygon(corners, SHAPE))
    np.testing.assert_array_equal(found[sure], expected[sure])


@given(st.floats(0, 7), st.floats(1, 15), st.floats(-1, 1), st.floats(-10, 50))
def test_an_ellipse_is_its_equation(angle: float, size: float, shear: float, row: float) -> None:
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turned @ np.array([[size, shear * size], [0, 5.0]])
    centre = np.array([row, 20.0])
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) @ matrix.T + centre
    parts = np.linalg.solve(matrix, (np.moveaxis(np.indices(SHAPE), 0, -1) - centre)[..., None])
    radius = np.square(parts[..., 0]).sum(axis=-1)
    sure = np.abs(radius - 1) > 1e-9
    found = whole(*inside_ellipse(corners, SHAPE))
    np.testing.assert_array_equal(found[sure], (radius <= 1)[sure])


def test_a_circle_has_its_area() -> None:
    corners = np.array([[0, 0], [0, 400], [400, 400], [400, 0.0]])
    box, inside = inside_ellipse(corners, (401, 401))
    assert inside.sum() == pytest.approx(np.pi * 200**2, rel=1e-3)
    assert whole(box, inside, (401, 401))[200, 0]


@pytest.mark.parametrize("width", [0.1, 1.0, 3.0, 7.5])
def test_a_path_is_all_that_lies_near_it(width: float) -> None:
    vertices = np.array([[5, 5], [30, 17.3], [12.2, 44], [-8, 44], [20, 60]])
    nearest = np.full(SHAPE, np.inf)
    pixels = np.moveaxis(np.indices(SHAPE), 0, -1).astype(float)
    for first, last in pairwise(vertices):
        share = np.clip((pixels - first) @ (last - first) / ((last - first) @ (last - first)), 0, 1)
        ends = first + share[..., None] * (last - first)
        nearest = np.minimum(nearest, np.linalg.norm(pixels - ends, axis=-1))
    expected = nearest <= max(width, 1) / 2 + 1e-12
    np.testing.assert_array_equal(whole(*near_path(vertices, width, SHAPE)), expected)


def test_a_thin_line_has_no_gaps() -> None:
    from scipy.ndimage import label

    for slope in np.linspace(-1.5, 1.5, 31):
        image = whole(*near_path(np.array([[20, 2], [20 + 12 * slope, 14.0]]), 1, SHAPE))
        assert label(image, np.ones((3, 3)))[1] == 1


def test_what_lies_outside_or_is_no_outline_has_no_pixels() -> None:
    outside = np.array([[-9, -9], [-9, -4], [-4, -4], [-4, -9.0]])
    for find in (inside_polygon, inside_ellipse):
        assert not whole(*find(outside, SHAPE)).any()
        assert not whole(*find(np.full((4, 2), np.nan), SHAPE)).any()
    assert not whole(*inside_ellipse(np.ones((4, 2)), SHAPE)).any()
    assert not whole(*inside_polygon(np.empty((0, 2)), SHAPE)).any()
    assert whole(*near_path(np.array([[3.0, 4.0]]), 1, SHAPE)).sum() == 1
