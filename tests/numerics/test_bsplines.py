"""B-splines against scipy's, their integrals against quadrature, fits against known functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline, make_smoothing_spline

from napari_framewise.numerics.bsplines import Axis, Lattice, fit, roughness_scale


def scipys(axis: Axis, coefficients: np.ndarray) -> BSpline:
    d = axis.degree
    knots = axis.start + axis.spacing * np.arange(-d, axis.cells + d + 1)
    return BSpline(knots, coefficients, d)


@given(
    degree=st.integers(0, 5),
    cells=st.integers(1, 9),
    start=st.floats(-50, 50),
    length=st.floats(0.1, 100),
    derivative=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_basis_is_scipys(
    degree: int, cells: int, start: float, length: float, derivative: int
) -> None:
    axis = Axis(start, start + length, cells, degree)
    coefficients = np.random.default_rng(cells).normal(size=axis.count)
    # Off the knots, where a derivative of the highest order jumps; and beyond both ends.
    at = start + axis.spacing * (np.arange(-1, cells + 1) + 0.37)
    if derivative > degree:
        expected = np.zeros(len(at))
    else:
        spline = scipys(axis, coefficients)
        expected = spline.derivative(derivative)(at) if derivative else spline(at)
    found = axis.design(at, derivative) @ coefficients
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, atol=1e-9 * scale)


@pytest.mark.parametrize("orders", [(0, 0), (1, 1), (2, 2), (3, 3), (0, 2), (3, 1)])
def test_gram_matrices_are_integrals(orders: tuple[int, int]) -> None:
    axis = Axis(-1.0, 4.0, 4)
    at = np.linspace(-1, 4, 80_001)
    middle = (at[1:] + at[:-1]) / 2
    first, second = (axis.design(middle, k).toarray() for k in orders)
    expected = first.T @ second * (at[1] - at[0])
    found = axis.gram(*orders).toarray()
    np.testing.assert_allclose(found, expected, atol=2e-7 * np.abs(expected).max())


def test_bending_energy_is_that_of_a_paraboloid() -> None:
    # f = 2 y^2 + 3 x y - x^2 over 4 x 6: f_yy = 4, f_xy = 3, f_xx = -2.
    lattice = Lattice((Axis(0, 4, 5), Axis(-2, 4, 3)))
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(0, 4, 400), rng.uniform(-2, 4, 400)])
    y, x = points.T
    found = fit(lattice, points, 2 * y**2 + 3 * x * y - x**2, strength=0.0)
    flat = found.coefficients.ravel()
    assert flat @ (lattice.roughness(2) @ flat) == pytest.approx(24 * (16 + 2 * 9 + 4), rel=1e-6)
    scaled = lattice.roughness(2, (2.0, 2.0)).toarray()
    np.testing.assert_allclose(scaled, 4 * lattice.roughness(2).toarray(), rtol=1e-12)


@pytest.mark.parametrize(("order", "null"), [(1, 1), (2, 4), (3, 10)])
def test_roughness_leaves_polynomials_below_its_order_free(order: int, null: int) -> None:
    lattice = Lattice((Axis(0, 3, 3), Axis(0, 2, 2), Axis(0, 2, 2)))
    values = np.linalg.eigvalsh(lattice.roughness(order).toarray())
    assert (values < 1e-10 * values.max()).sum() == null
    assert values.min() > -1e-10 * values.max()


def test_grid_and_points_are_the_same_function() -> None:
    lattice = Lattice((Axis(0, 3, 3), Axis(0, 5, 4, 2), Axis(1, 2, 1, 1)))
    coefficients = np.random.default_rng(1).normal(size=(2, *lattice.shape))
    grid = [np.linspace(0, 3, 4), np.linspace(0, 5, 5), np.linspace(1, 2, 3)]
    points = np.stack([each.ravel() for each in np.meshgrid(*grid, indexing="ij")], axis=1)
    for orders in ((0, 0, 0), (1, 0, 1), (0, 2, 0)):
        np.testing.assert_allclose(
            lattice.on_grid(coefficients, grid, orders).reshape(2, -1),
            lattice.values(coefficients, points, orders),
            atol=1e-12,
        )


def test_a_fit_without_strength_goes_through_what_the_spline_can_show() -> None:
    rng = np.random.default_rng(2)
    lattice = Lattice((Axis(0, 1, 4), Axis(0, 1, 4), Axis(0, 1, 2)))
    truth = rng.normal(size=(2, *lattice.shape))
    points = rng.uniform(0, 1, (1500, 3))
    data = lattice.values(truth, points).T
    data[7, 0] = np.nan
    points[9, 1] = np.nan
    found = fit(lattice, points, data, strength=0.0)
    np.testing.assert_allclose(found.values(points[20:]), data[20:].T, atol=1e-5)
    assert np.isnan(found.residuals[[7, 9]]).all()
    assert np.isfinite(found.coefficients).all()


def test_what_stands_under_no_data_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 1, (60, 1))
    z = np.sin(4 * x[:, 0]) + 0.1 * rng.normal(size=60)
    lattice = Lattice((Axis(0, 1, 10),))
    weights = np.ones(60)
    weights[::7] = 0
    wild = np.where(weights > 0, z, 1e9)
    kept = weights > 0
    one, other = fit(lattice, x, wild, weights=weights), fit(lattice, x[kept], z[kept])
    np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-9)
    np.testing.assert_allclose(one.sigma, other.sigma, rtol=1e-9)


def test_a_smoothing_fit_in_one_dimension_is_scipys() -> None:
    rng = np.random.default_rng(4)
    x = np.sort(rng.uniform(0, 1, 40))
    z = np.cos(5 * x) + 0.1 * rng.normal(size=40)
    # Knots so close that the spline may follow scipy's, whose knots are the data.
    lattice = Lattice((Axis(x[0], x[-1], 250),))
    natural = roughness_scale(lattice, x[:, None], units=(1.0,))
    mine = fit(lattice, x[:, None], z, strength=1e-3 / natural, units=(1.0,))
    expected = make_smoothing_spline(x, z, lam=1e-3)
    at = np.linspace(x[0], x[-1], 200)
    np.testing.assert_allclose(mine.values(at[:, None])[0], expected(at), atol=2e-5)


@pytest.mark.parametrize("power", [-160, -12, 9, 160])
def test_units_change_nothing(power: int) -> None:
    rng = np.random.default_rng(5)
    unit = 10.0**power
    length = 10.0 ** np.clip(power, -20, 20)
    points = rng.uniform(0, 1, (150, 2))
    data = np.sin(4 * points[:, 0]) * points[:, 1] + 0.05 * rng.normal(size=150)
    base = fit(Lattice((Axis(0, 1, 5), Axis(0, 1, 5))), points, data)
    here = fit(Lattice((Axis(0, length, 5),) * 2), points * length, data * unit)
    np.testing.assert_allclose(here.coefficients, base.coefficients * unit, rtol=1e-5, atol=0)
    np.testing.assert_allclose(here.sigma, base.sigma * unit, rtol=1e-6)
    np.testing.assert_allclose(here.deviation(points * length), unit * base.deviation(points), 1e-5)


def test_leaving_a_point_out_is_what_its_leverage_says() -> None:
    rng = np.random.default_rng(6)
    x = rng.uniform(0, 1, (40, 1))
    z = np.sin(6 * x[:, 0]) + 0.1 * rng.normal(size=40)
    lattice = Lattice((Axis(0, 1, 8),))
    natural = roughness_scale(lattice, x)
    whole = fit(lattice, x, z, strength=0.01)
    for i in (0, 11, 39):
        kept = np.arange(40) != i
        # The same strength in units of the data, whose number has changed.
        rest = fit(
            lattice,
            x[kept],
            z[kept],
            strength=0.01 * natural / roughness_scale(lattice, x[kept]),
        )
        expected = z[i] - rest.values(x[i : i + 1])[0, 0]
        assert whole.left_out[i, 0] == pytest.approx(expected, rel=1e-4)


def test_stated_errors_cover() -> None:
    """Over repeated noise, errors between the data are as large as stated."""
    rng = np.random.default_rng(7)
    lattice = Lattice((Axis(0, 1, 6), Axis(0, 1, 6)))
    points = rng.uniform(0, 1, (260, 2))
    at = rng.uniform(0.05, 0.95, (60, 2))

    def truth(p: np.ndarray) -> np.ndarray:
        return np.sin(4 * p[:, 0]) * np.cos(3 * p[:, 1])

    ratios, sigmas = [], []
    for _ in range(40):
        found = fit(lattice, points, truth(points) + 0.1 * rng.normal(size=260))
        ratios.append((found.values(at)[0] - truth(at)) / found.deviation(at)[0])
        sigmas.append(found.sigma[0])
    assert np.mean(sigmas) == pytest.approx(0.1, rel=0.05)
    assert 0.92 < np.mean(np.abs(ratios) < 1.96) < 0.99


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strength": -1.0}, "strength of -1"),
        ({"weights": [-1.0, 1.0, 1.0]}, "weight of -1"),
        ({"weights": [1.0]}, "each point needs"),
        ({"data": [np.nan] * 3}, "No point has data"),
        ({"points": [[0.0, 1.0]] * 3}, "needs"),
    ],
)
def test_what_cannot_be_fitted_is_said(change: dict, words: str) -> None:
    given = {"points": [[0.1], [0.5], [0.9]], "data": [1.0, 2.0, 3.0]} | change
    with pytest.raises(ValueError, match=words):
        fit(Lattice((Axis(0, 1, 2),)), **given)


def test_knots_that_cannot_be_are_said() -> None:
    for bad in ((0, 1, 0), (1, 1, 2), (0, np.nan, 2), (0, 1, 2, 6)):
        with pytest.raises(ValueError, match="asked for"):
            Axis(*bad)
    with pytest.raises(ValueError, match="fewer cells"):
        fit(Lattice((Axis(0, 1, 99), Axis(0, 1, 99))), [[0.0, 0.0]], [1.0])
