from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear, nnls

from napari_framewise.numerics import mixing


def wide_scene(count: int, n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """References, and frames whose best coefficients often lie outside of 0 to 1."""
    rng = np.random.default_rng(seed)
    references = rng.uniform(0, 100, (count, 6, 6))
    shares = rng.normal(1 / count, 0.7, (n, count))
    return references, np.tensordot(shares, references, 1) + rng.normal(0, 10, (n, 6, 6))


@pytest.mark.parametrize("count", [2, 3, 4, 6, 9, 16])
def test_non_negative_is_scipys_nnls(count) -> None:
    references, frames = wide_scene(count)
    fit = mixing.fit(frames, mixing.prepare(references, constraint="non_negative"))
    for frame, b in zip(frames, fit.coefficients, strict=True):
        expected, _ = nnls(references.reshape(count, -1).T, frame.reshape(-1))
        np.testing.assert_allclose(b, expected, atol=1e-12)
    assert fit.at_bound.any()
    assert (fit.coefficients[fit.at_bound] == 0).all()
    assert (fit.coefficients >= 0).all()


@pytest.mark.parametrize("count", [2, 3, 5, 12])
def test_boxes_are_scipys_lsq_linear(count) -> None:
    references, frames = wide_scene(count)
    low = np.linspace(-0.2, 0.1, count)
    high = low + np.linspace(0.3, 0.9, count)
    fit = mixing.fit(frames, mixing.prepare(references, constraint="none", bounds=(low, high)))
    for frame, b, rss in zip(frames, fit.coefficients, fit.rss, strict=True):
        columns = references.reshape(count, -1).T
        expected = lsq_linear(columns, frame.reshape(-1), (low, high), "bvls", tol=1e-15)
        np.testing.assert_allclose(b, expected.x, atol=1e-10)
        assert rss == pytest.approx(2 * expected.cost, rel=1e-10)


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(2, 7),
    low=st.floats(-0.5, 0.1),
    width=st.floats(0.0, 1.5),
    offset=st.booleans(),
    weighted=st.booleans(),
    holed=st.booleans(),
)
def test_bounded_sums_meet_the_conditions_of_the_least_residual(
    seed, count, low, width, offset, weighted, holed
) -> None:
    """Karush, Kuhn and Tucker: at a free coefficient no gradient beyond the sum's multiplier."""
    references, frames = wide_scene(count, n=5, seed=seed)
    rng = np.random.default_rng(seed)
    lo = np.full(count, low)
    hi = np.maximum(lo + width * rng.uniform(0.3, 1, count), lo)
    if hi.sum() < 1:
        hi += (1 - hi.sum()) / count * 1.01
    if holed:
        frames[:, 2, :4] = np.nan
    weight = rng.uniform(0.2, 2, (6, 6)) if weighted else np.ones((6, 6))
    design = mixing.prepare(
        references, bounds=(lo, hi), offset=offset, weights=weight if weighted else None
    )
    fit = mixing.fit(frames, design)
    assert (fit.coefficients >= lo - 1e-12).all()
    assert (fit.coefficients <= hi + 1e-12).all()
    np.testing.assert_allclose(fit.coefficients.sum(axis=1), 1, atol=1e-11)
    left = mixing.residual(frames, design, fit) * weight
    left = np.where(np.isfinite(left), left, 0)
    scale = np.abs(references).max() * np.abs(left).sum(axis=(1, 2))
    if offset:
        np.testing.assert_allclose(left.sum(axis=(1, 2)) / scale, 0, atol=1e-12)
    pull = np.tensordot(left, references, ([1, 2], [1, 2])) / scale[:, None]
    for b, slope in zip(fit.coefficients, pull, strict=True):
        can_fall = b > lo + 1e-12
        can_rise = b < hi - 1e-12
        if can_fall.any() and can_rise.any():
            assert slope[can_rise].max() <= slope[can_fall].min() + 1e-10


def test_two_numbers_bound_the_first_of_two_references(scene) -> None:
    references, _, frames = scene(n=300)
    fit = mixing.fit(frames, mixing.prepare(references, bounds=(0.45, 0.65)))
    free = mixing.fit(frames, mixing.prepare(references))
    x = np.clip(free.coefficients[:, 0], 0.45, 0.65)
    np.testing.assert_allclose(fit.coefficients, np.stack([x, 1 - x], axis=1), atol=1e-13)
    held = (free.coefficients[:, 0] < 0.45) | (free.coefficients[:, 0] > 0.65)
    np.testing.assert_array_equal(fit.at_bound, np.stack([held, held], axis=1))
    np.testing.assert_array_equal(fit.status, held * int(mixing.Status.AT_BOUND))
    assert np.isnan(fit.errors[held]).all()
    np.testing.assert_allclose(fit.errors[~held], free.errors[~held], rtol=1e-12)
    np.testing.assert_allclose(fit.unconstrained, free.coefficients, rtol=1e-12)
    np.testing.assert_allclose(fit.unconstrained_errors, free.errors, rtol=1e-12)
    np.testing.assert_array_equal(fit.dof, free.dof + held)


@pytest.mark.parametrize("errors", ["classical", "consistent"])
@pytest.mark.parametrize("holed", [False, True])
def test_errors_beside_a_held_coefficient_are_those_without_it(errors, holed) -> None:
    references, frames = wide_scene(3)
    if holed:
        frames[:, 2, 3] = np.nan
    options = {"errors": errors, "constraint": "none"}
    fit = mixing.fit(frames, mixing.prepare(references, bounds=([0, -9, -9], 9), **options))
    free = mixing.fit(frames, mixing.prepare(references, **options))
    two = mixing.fit(frames, mixing.prepare(references[1:], **options))
    held = fit.at_bound[:, 0]
    assert 10 < held.sum() < 50
    assert not fit.at_bound[:, 1:].any()
    np.testing.assert_allclose(fit.coefficients[held, 1:], two.coefficients[held], rtol=1e-9)
    assert np.isnan(fit.errors[held, 0]).all()
    assert np.isnan(fit.covariance[held][:, 0]).all()
    if errors == "classical":
        np.testing.assert_allclose(fit.errors[held, 1:], two.errors[held], rtol=1e-9)
        np.testing.assert_allclose(fit.covariance[held][:, 1:, 1:], two.covariance[held], rtol=1e-9)
    else:
        np.testing.assert_allclose(fit.errors[held, 1:], two.errors[held], rtol=0.2)
    np.testing.assert_allclose(fit.unconstrained_errors, free.errors, rtol=1e-9)
    np.testing.assert_allclose(fit.errors[~held], free.errors[~held], rtol=1e-9)


def test_equal_bounds_fix_a_coefficient() -> None:
    references, frames = wide_scene(3)
    design = mixing.prepare(references, bounds=([0.25, -9, -9], [0.25, 9, 9]))
    fit = mixing.fit(frames, design)
    assert (fit.coefficients[:, 0] == 0.25).all()
    rest = mixing.prepare(references[1:], constraint="sum_to_one")
    scaled = (frames - 0.25 * references[0]) / 0.75
    np.testing.assert_allclose(
        fit.coefficients[:, 1:] / 0.75, mixing.fit(scaled, rest).coefficients, atol=1e-10
    )


def test_bounds_on_shares_with_a_free_gain() -> None:
    references, frames = wide_scene(2)
    frames = np.abs(frames) * 3
    design = mixing.prepare(references, gain=True, bounds=(0.4, 0.7))
    fit = mixing.fit(frames, design)
    x = fit.coefficients[:, 0]
    known = np.isfinite(x)
    assert known.mean() > 0.8
    assert x[known].min() >= 0.4 - 1e-12
    assert x[known].max() <= 0.7 + 1e-12
    grid = np.linspace(0.4, 0.7, 301)
    for frame, rss in zip(frames[known], fit.rss[known], strict=True):
        mixtures = np.outer(grid, references[0]) + np.outer(1 - grid, references[1])
        y = frame.reshape(-1)
        gains = mixtures @ y / (mixtures**2).sum(axis=1)
        least = ((y - gains[:, None] * mixtures) ** 2).sum(axis=1).min()
        assert rss <= least * (1 + 1e-12)
        assert rss == pytest.approx(least, rel=1e-3)


def test_missing_bounds_are_none() -> None:
    references, frames = wide_scene(3)
    open_ended = mixing.prepare(
        references, constraint="none", bounds=([np.nan, -np.inf, 0], [np.inf, np.nan, np.nan])
    )
    fit = mixing.fit(frames, open_ended)
    assert (fit.coefficients[:, 2] >= 0).all()
    assert (fit.coefficients[:, :2] < 0).any()
    assert not fit.at_bound[:, :2].any()
