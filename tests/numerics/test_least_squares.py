from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from napari_framewise.numerics.least_squares import project


@given(seed=st.integers(0, 10_000), size=st.integers(1, 6), count=st.integers(1, 10))
def test_projection_is_the_dual_of_nnls(seed, size, count) -> None:
    """Lawson & Hanson (1974), chapter 23: the nearest point is found from an nnls."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (count, size))
    inside = rng.normal(0, 1, size)
    limits = rows @ inside - rng.exponential(0.5, count) * rng.integers(0, 2, count)
    start = rng.normal(0, 5, (8, size))
    point, active, status = project(start, rows[None], limits)
    assert not status.any()
    assert ((point @ rows.T - limits) >= -1e-10).all()
    for u, q, held in zip(point, start, active, strict=True):
        # min |x|^2 with rows x >= h, x = u - q
        h = limits - rows @ q
        stacked = np.vstack([rows.T, h])
        target = np.append(np.zeros(size), 1.0)
        dual, _ = nnls(stacked, target)
        left = stacked @ dual - target
        np.testing.assert_allclose(u - q, -left[:size] / left[size], atol=1e-8)
        assert np.abs(rows[held] @ u - limits[held]).max(initial=0) < 1e-10


def test_rows_may_differ_by_point() -> None:
    rows = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    point, active, _ = project(np.full((2, 2), -3.0), rows, np.array([1.0]))
    np.testing.assert_array_equal(point, [[1, -3], [-3, 1]])
    assert active.all()


def test_bounds_that_cannot_be_met_are_told() -> None:
    rows = np.array([[[1.0], [-1.0]]])
    _, _, status = project(np.array([[0.0]]), rows, np.array([2.0, -1.0]))
    assert status.tolist() == [2]


def test_points_within_the_bounds_stay() -> None:
    start = np.array([[0.3, 0.4], [1.0, 2.0]])
    point, active, status = project(start, np.eye(2)[None], np.zeros(2))
    np.testing.assert_array_equal(point, start)
    assert not active.any()
    assert not status.any()
