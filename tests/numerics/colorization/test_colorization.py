from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, optimize

from napari_framewise.numerics.colorization import (
    affinity,
    chroma_of,
    coarse_chroma,
    coloured,
    factored,
    loss,
    loss_gradient,
    luminance_of,
    memory_needed,
    weighted,
)

RNG = np.random.default_rng(7)
GREY = ndimage.gaussian_filter(RNG.random((18, 23)), 1.0)
GREY = (GREY - GREY.min()) / np.ptp(GREY)
MARKED = RNG.random(GREY.shape) < 0.05
CHROMA = RNG.normal(0, 0.1, (*GREY.shape, 2))


def published(grey: np.ndarray) -> np.ndarray:
    """The matrix of the published code, pixel by pixel, with no pixel marked: I - W."""
    rows, columns = grey.shape
    matrix = np.eye(grey.size)
    for i in range(rows):
        for j in range(columns):
            if np.isnan(grey[i, j]):
                continue
            near = [
                (a, b)
                for a in range(max(0, i - 1), min(rows, i + 2))
                for b in range(max(0, j - 1), min(columns, j + 2))
                if (a, b) != (i, j) and not np.isnan(grey[a, b])
            ]
            values = np.array([grey[each] for each in near])
            if not len(values):
                continue
            width = 0.6 * np.append(values, grey[i, j]).var()
            width = max(width, -((values - grey[i, j]) ** 2).min() / math.log(0.01), 2e-6)
            weights = np.exp(-((values - grey[i, j]) ** 2) / width)
            for (a, b), weight in zip(near, weights / weights.sum(), strict=True):
                matrix[i * columns + j, a * columns + b] = -weight
    return matrix


def dense_solution(matrix: np.ndarray, marked: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Rows of marked pixels are those of the identity, as in the published code."""
    system, right = matrix.copy(), np.zeros((marked.size, chroma.shape[-1]))
    known = marked.ravel()
    system[known] = np.eye(marked.size)[known]
    right[known] = chroma.reshape(-1, chroma.shape[-1])[known]
    return np.linalg.solve(system, right).reshape(chroma.shape)


def gaps() -> np.ndarray:
    grey = GREY.copy()
    grey[4:7, 5:9] = np.nan
    grey[0, 0] = np.nan
    return grey


@pytest.mark.parametrize("grey", [GREY, gaps(), np.round(GREY * 3) / 3], ids=["", "gaps", "flat"])
def test_weights_are_those_of_the_published_code(grey) -> None:
    spread = np.nanmax(grey) - np.nanmin(grey)
    wanted = np.eye(grey.size) - published(grey / spread)
    for number, probe in enumerate(np.eye(grey.size)[:: grey.size // 40]):
        found = weighted(affinity(grey), probe.reshape(grey.shape))
        np.testing.assert_allclose(found.ravel(), wanted @ probe, atol=1e-10, err_msg=str(number))


def test_the_correlation_form() -> None:
    found = affinity(GREY, "correlation")
    i, j = 8, 9
    window = GREY[i - 1 : i + 2, j - 1 : j + 2]
    mean, variance = window.mean(), window.var()
    plain = 1 + (GREY[i, j] - mean) * (window - mean) / variance
    plain = np.delete(np.maximum(plain, 0.01).ravel(), 4)
    np.testing.assert_allclose(found.weights[:, i, j], plain / plain.sum(), rtol=1e-9)


@pytest.mark.parametrize("form", ["published", "correlation"])
def test_weights_add_up_to_one_and_leave_gaps_out(form) -> None:
    found = affinity(gaps(), form)
    total = found.weights.sum(axis=0)
    np.testing.assert_allclose(total[found.known], 1, rtol=1e-12)
    assert (total[~found.known] == 0).all()
    assert (found.weights >= 0).all()
    under = np.where(np.isnan(gaps()), 1e6, 5.0)
    assert np.allclose(weighted(found, under)[found.known], 5.0)


def test_the_solution_is_that_of_the_dense_system() -> None:
    matrix = published(GREY)
    wanted = dense_solution(matrix, MARKED, CHROMA)
    found = factored(affinity(GREY), MARKED).solve(CHROMA)
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    np.testing.assert_array_equal(found[MARKED], CHROMA[MARKED])


def test_gaps_and_what_no_scribble_reaches() -> None:
    grey = GREY.copy()
    grey[:, 11] = np.nan
    marked = MARKED.copy()
    marked[:, 11:] = False
    system = factored(affinity(grey), marked)
    found = system.solve(CHROMA)
    assert system.reached[:, :11].all()
    assert not system.reached[:, 11:].any()
    assert (found[:, 11:] == 0).all()
    alone = factored(affinity(GREY[:, :11]), marked[:, :11]).solve(CHROMA[:, :11])
    np.testing.assert_allclose(found[:, :11], alone, atol=0.05)
    assert np.isfinite(found).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.01, 0.5), st.booleans())
def test_colours_stay_within_those_of_the_scribbles(seed, share, flat) -> None:
    """Weighted means never leave the hull; one colour everywhere stays that colour."""
    random = np.random.default_rng(seed)
    grey = np.round(random.random((9, 14)), 0 if flat else 3)
    marked = random.random(grey.shape) < share
    marked[4, 4] = True
    chroma = random.normal(size=(*grey.shape, 2))
    found = factored(affinity(grey), marked).solve(chroma)
    for component in range(2):
        known = chroma[marked][:, component]
        assert found[..., component].min() >= known.min() - 1e-9
        assert found[..., component].max() <= known.max() + 1e-9
    one = factored(affinity(grey), marked).solve(np.full_like(chroma, 0.3))
    np.testing.assert_allclose(one, 0.3, atol=1e-9)


def test_frames_with_neighbours_in_time() -> None:
    """A scribble in the first of three equal frames colours all, as its own frame is coloured."""
    movie = np.stack([GREY] * 3)
    marked = np.zeros(movie.shape, bool)
    marked[0] = MARKED
    chroma = np.stack([CHROMA] * 3)
    found = factored(affinity(movie), marked).solve(chroma)
    assert found.shape == chroma.shape
    spread = np.abs(found - found[:1]).max()
    assert 0 < spread < np.ptp(CHROMA[MARKED])
    assert np.corrcoef(found[2].ravel(), found[0].ravel())[0, 1] > 0.7


@pytest.mark.parametrize("unit", [1e-200, 1e-6, 255.0, 1e100])
def test_units_change_nothing(unit) -> None:
    found = factored(affinity(GREY * unit + 3 * unit), MARKED).solve(CHROMA)
    np.testing.assert_allclose(found, factored(affinity(GREY), MARKED).solve(CHROMA), atol=1e-7)


def test_the_loss_and_its_gradient() -> None:
    weights = affinity(gaps())
    matrix = published(gaps() / (np.nanmax(gaps()) - np.nanmin(gaps())))
    known = weights.known.ravel()
    matrix[~known] = 0
    flat = CHROMA.reshape(-1, 2)
    wanted = sum(float(np.sum((matrix @ flat[:, n]) ** 2)) for n in range(2))
    assert loss(weights, CHROMA) == pytest.approx(wanted, rel=1e-8)
    small = affinity(GREY[:4, :5])
    start = CHROMA[:4, :5, 0]
    gradient = loss_gradient(small, start)
    numerical = optimize.approx_fprime(
        start.ravel(), lambda values: loss(small, values.reshape(4, 5)), 1e-6
    )
    np.testing.assert_allclose(gradient.ravel(), numerical, atol=1e-5)


def test_the_solution_has_the_least_loss_where_no_scribble_lies() -> None:
    weights = affinity(GREY)
    found = factored(weights, MARKED).solve(CHROMA)
    rest = found - weighted(weights, found)
    np.testing.assert_allclose(rest[~MARKED], 0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_luminance_comes_back_and_colours_are_shown(grey, red, blue) -> None:
    made = coloured(np.array(grey), np.array([red, blue]))
    assert luminance_of(made) == pytest.approx(grey, abs=1e-12)
    assert (made >= -1e-12).all()
    assert (made <= 1 + 1e-12).all()


def test_chroma_and_luminance_make_the_colour_again() -> None:
    colours = RNG.random((50, 3))
    again = coloured(luminance_of(colours), chroma_of(colours))
    np.testing.assert_allclose(again, colours, atol=1e-12)


def test_the_quick_answer_is_near_the_solution() -> None:
    shape = (240, 260)
    y, x = np.mgrid[: shape[0], : shape[1]]
    disc = (y - 120) ** 2 + (x - 130) ** 2 < 70**2
    grey = np.where(disc, 0.7, 0.3) + np.random.default_rng(0).normal(0, 0.01, shape)
    marked = np.zeros(shape, bool)
    marked[118:123, 110:150] = marked[10:14, 20:200] = True
    chroma = np.where(disc[..., None], [0.2, -0.1], [-0.1, 0.15])
    weights = affinity(grey)
    exact = factored(weights, marked).solve(chroma)
    quick = coarse_chroma(grey, weights, marked, chroma)
    np.testing.assert_array_equal(quick[marked], chroma[marked])
    assert np.sqrt(np.mean((quick - exact) ** 2)) < 0.045
    rows, columns = ndimage.distance_transform_edt(~marked, return_indices=True)[1]
    nearest = chroma[rows, columns]
    assert np.sqrt(np.mean((exact - chroma) ** 2)) < 0.5 * np.sqrt(np.mean((nearest - chroma) ** 2))


def test_memory_is_told_before() -> None:
    for shape in ((64, 64), (60, 150)):
        marked = np.zeros(shape, bool)
        marked[::9, ::9] = True
        taken = factored(affinity(RNG.random(shape)), marked).nbytes
        assert 0.7 * taken < memory_needed(shape) < 3 * taken
    assert memory_needed((4096, 4096)) > 2**34
