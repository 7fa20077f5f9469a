from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.interpolation import sample, spline, warp

SHAPES = [(23, 31), (7, 9, 12), (2, 40), (1, 12), (3, 1, 8)]


def _coordinates(shape: tuple[int, ...], count: int = 300) -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    return np.stack([rng.uniform(0, length - 1, count) for length in shape])


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_are_scipys(shape: tuple[int, ...], order: int) -> None:
    planes = np.random.default_rng(0).normal(size=(2, *shape))
    at = _coordinates(shape)
    values, _, inside = sample(spline(planes, order=order), at)
    assert inside.all()
    for found, plane in zip(values, planes, strict=True):
        expected = ndimage.map_coordinates(plane, at, order=order, mode="mirror")
        np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("shape", SHAPES[:2])
def test_slopes_are_those_of_the_values(shape: tuple[int, ...], order: int) -> None:
    image = spline(np.random.default_rng(0).normal(size=(2, *shape)), order=order)
    at = _coordinates(shape)
    # Away from the pixels, where the slope of a linear spline jumps.
    at = np.clip(np.floor(at), 0, np.array(shape)[:, None] - 2) + 0.2 + 0.6 * (at % 1)
    _, slopes, _ = sample(image, at, slopes=True)
    assert slopes is not None
    for axis in range(len(shape)):
        step = np.zeros((len(shape), 1))
        step[axis] = 1e-5
        change = sample(image, at + step)[0] - sample(image, at - step)[0]
        np.testing.assert_allclose(slopes[axis], change / 2e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_displacement_gives_the_image_back(dtype: str) -> None:
    planes = np.random.default_rng(0).normal(size=(3, 20, 25)).astype(dtype)
    values, _, inside = warp(spline(planes), np.zeros((2, 20, 25)))
    assert values.dtype == dtype
    assert inside.all()
    np.testing.assert_allclose(values, planes, atol=1e-5 if dtype == "float32" else 1e-13)


def test_a_warp_pulls_back() -> None:
    planes = np.random.default_rng(0).normal(size=(1, 20, 25))
    shift = np.zeros((2, 20, 25))
    shift[0], shift[1] = 2, -3
    values, _, inside = warp(spline(planes), shift)
    np.testing.assert_allclose(values[0, :18, 3:], planes[0, 2:, :22], atol=1e-12)
    assert inside[:18, 3:].all()
    assert inside.sum() == 18 * 22


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("shape", SHAPES[:2])
def test_a_gap_is_seen_between_its_neighbours_only(shape: tuple[int, ...], order: int) -> None:
    planes = np.random.default_rng(0).normal(size=(1, *shape))
    gap = tuple(length // 2 for length in shape)
    holed = planes.copy()
    holed[(0, *gap)] = np.nan
    at = _coordinates(shape, 4000)
    values, _, inside = sample(spline(holed, order=order), at)
    near = (np.abs(at - np.array(gap)[:, None]) < 1).all(axis=0)
    np.testing.assert_array_equal(inside, ~near)
    assert np.isfinite(values).all()
    masked = planes.copy()
    masked[(0, *gap)] = 1e20
    valid = np.ones(shape, bool)
    valid[gap] = False
    again, _, _ = sample(spline(masked, order=order, valid=valid), at)
    np.testing.assert_array_equal(values, again)


def _outside() -> list[Any]:
    return [np.nan, np.inf, -np.inf, -0.01, 29.01, 1e300]


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("place", _outside())
def test_outside_is_said_and_finite(order: int, place: float) -> None:
    image = spline(np.random.default_rng(0).normal(size=(1, 30, 30)), order=order)
    values, _, inside = sample(image, np.array([[5.0, place], [place, 5.0]]))
    assert not inside.any()
    assert np.isfinite(values).all()


def test_other_orders_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="give 1 or 3"):
        spline(np.zeros((1, 5, 5)), order=2)
    with pytest.raises(ValueError, match=r"\(channels, y, x\)"):
        spline(np.zeros((5, 5)))


@pytest.mark.parametrize("order", [1, 3])
def test_gaps_in_an_image_of_fortran_order_are_gaps(order: int) -> None:
    image = np.random.default_rng(3).normal(size=(1, 9, 11))
    image[0, 2:4, 5] = np.nan
    moved = np.full((2, 9, 11), 0.25)
    plain = warp(spline(image, order=order), moved)
    turned = warp(spline(np.asfortranarray(image), order=order), moved)
    np.testing.assert_array_equal(turned[2], plain[2])
    np.testing.assert_array_equal(turned[0], plain[0])
    assert not plain[2].all()
