"""Moments over windows: against sums of fractions, window by window."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from napari_framewise.numerics.window_moments import (
    Window,
    box_window,
    gaussian_window,
    neighbour_correlation,
    pivoted_comoments,
    window_comoments,
    window_moments,
)

Array = NDArray[np.float64]
RNG = np.random.default_rng(5)


def holey(shape: tuple[int, ...], share: float = 0.3) -> Array:
    values = RNG.normal(size=shape)
    values[RNG.random(shape) < share] = np.nan
    return values


def around(frame: Array, at: tuple[int, ...], sides: tuple[int, ...]) -> Array:
    """The window at a place, cut off at the border."""
    return frame[
        tuple(
            slice(max(0, p - side // 2), p + side // 2 + 1)
            for p, side in zip(at, sides, strict=True)
        )
    ]


def exact(values: Array) -> tuple[int, Fraction, Fraction]:
    known = [Fraction(float(each)) for each in values.ravel() if np.isfinite(each)]
    mean = sum(known, Fraction(0)) / max(1, len(known))
    return len(known), mean, sum(((each - mean) ** 2 for each in known), Fraction(0))


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ((7, 9), (3, 3)),
        ((7, 9), (1, 5)),
        ((6, 5), (7, 21)),
        ((4, 5, 6), (3, 1, 5)),
        ((1, 1), (3, 3)),
    ],
)
@pytest.mark.parametrize(("offset", "size"), [(0, 1), (1e6, 1e-3), (-1e6, 1e3), (0, 1e-90)])
def test_moments_are_those_of_fractions(
    shape: tuple[int, ...], sides: tuple[int, ...], offset: float, size: float
) -> None:
    frames = offset + size * holey((2, *shape))
    frames[0].flat[0] = np.inf
    found = window_moments(frames, box_window(sides))
    variance = found.variance(1)
    for n, *at in product(*map(range, frames.shape)):
        window = around(frames[n], tuple(at), sides)
        count, mean, squares = exact(window)
        place = (n, *at)
        assert found.count[place] == count
        if not count:
            assert np.isnan(found.mean[place])
            assert np.isnan(found.squares[place])
            continue
        largest = np.abs(window[np.isfinite(window)]).max()
        assert abs(found.mean[place] - mean) <= 4e-16 * largest
        assert abs(found.squares[place] - squares) <= Fraction(1e-14) * squares
        assert np.isnan(variance[place]) == (count < 2)


def test_a_flat_window_has_no_variance_at_all() -> None:
    frames = np.full((1, 12, 13), 0.1)
    frames[RNG.random(frames.shape) < 0.3] = np.nan
    found = window_moments(frames, box_window((7, 7)))
    assert not found.squares.any()
    assert (found.mean == 0.1).all()
    assert np.isnan(neighbour_correlation(frames, (7, 7))).all()


def test_covariance_and_correlation_are_numpy_s() -> None:
    first, second = holey((2, 8, 9)), 1e5 + holey((2, 8, 9))
    mask = RNG.random((1, 8, 9)) < 0.8
    found = window_comoments(first, second, box_window((5, 3)), mask)
    covariance, correlation, variances = (
        found.covariance(1), found.correlation(), found.variances(1),
    )  # fmt: skip
    use = np.isfinite(first) & np.isfinite(second) & mask
    for n, y, x in product(range(2), range(8), range(9)):
        a, b, u = (around(each[n], (y, x), (5, 3)) for each in (first, second, use))
        assert found.count[n, y, x] == u.sum()
        if u.sum() < 3:
            continue
        wanted = np.cov(a[u], b[u])
        assert covariance[n, y, x] == pytest.approx(wanted[0, 1], rel=1e-9, abs=1e-11)
        assert variances[1][n, y, x] == pytest.approx(wanted[1, 1], rel=1e-9)
        assert correlation[n, y, x] == pytest.approx(np.corrcoef(a[u], b[u])[0, 1], abs=1e-9)


def test_the_gaussian_window_gives_the_ssim_of_scikit_image() -> None:
    first = RNG.uniform(0, 1, (32, 40))
    second = first + RNG.normal(0, 0.1, first.shape)
    found = window_comoments(first[None], second[None], gaussian_window((1.5, 1.5), (5, 5)))
    ux, uy = found.mean_a[0], found.mean_b[0]
    (vx, vy), vxy = (each[0] for each in found.variances()), found.covariance()[0]
    c1, c2 = 0.01**2, 0.03**2
    ssim = (2 * ux * uy + c1) * (2 * vxy + c2) / ((ux**2 + uy**2 + c1) * (vx + vy + c2))
    _, wanted = structural_similarity(
        first, second, data_range=1.0, gaussian_weights=True, use_sample_covariance=False, full=True
    )
    np.testing.assert_allclose(ssim[5:-5, 5:-5], wanted[5:-5, 5:-5], atol=1e-12)


@pytest.mark.parametrize(("shape", "sides"), [((7, 9), (3, 5)), ((4, 5, 6), (3, 3, 3))])
def test_neighbours_are_correlated_as_all_pairs_in_the_window_are(
    shape: tuple[int, ...], sides: tuple[int, ...]
) -> None:
    frames = 1e4 + holey((1, *shape), 0.2)
    mask = RNG.random((1, *shape)) < 0.9
    found = neighbour_correlation(frames, sides, mask)
    known = np.where(mask, frames, np.nan)[0]
    for at in product(*map(range, shape)):
        window = around(known, at, sides)
        pairs = []
        for axis in range(len(shape)):
            one = np.moveaxis(window, axis, 0)
            pairs.append(np.stack([one[:-1].ravel(), one[1:].ravel()]))
        both = np.concatenate(pairs, axis=1)
        both = both[:, np.isfinite(both).all(axis=0)]
        both = np.concatenate([both, both[::-1]], axis=1)
        if both.shape[1] < 2:
            assert np.isnan(found[(0, *at)])
        else:
            assert found[(0, *at)] == pytest.approx(np.corrcoef(both)[0, 1], abs=1e-9)


def test_white_noise_is_not_correlated_and_smooth_noise_is() -> None:
    noise = RNG.normal(size=(1, 200, 200))
    smooth = noise[:, 1:, 1:] + noise[:, :-1, 1:] + noise[:, 1:, :-1] + noise[:, :-1, :-1]
    assert abs(neighbour_correlation(noise, (15, 15)).mean()) < 0.01
    assert neighbour_correlation(smooth, (15, 15)).mean() == pytest.approx(0.5, abs=0.03)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    sides=st.tuples(*[st.integers(0, 6).map(lambda n: 2 * n + 1)] * 2),
    cut=st.tuples(st.integers(0, 8), st.integers(9, 20)),
    exponent=st.integers(-60, 60),
)
def test_what_is_masked_units_and_cuts_change_no_bit(
    seed: int, sides: tuple[int, int], cut: tuple[int, int], exponent: int
) -> None:
    rng = np.random.default_rng(seed)
    frames = rng.normal(rng.normal(0, 1e3), 1, (2, 20, 11))
    mask = rng.random((2, 20, 11)) < 0.7
    window = box_window(sides)
    found = window_moments(frames, window, mask)
    for below in (np.nan, np.inf, -1e300, 7.0):
        other = window_moments(np.where(mask, frames, below), window, mask)
        for one, two in zip(vars(found).values(), vars(other).values(), strict=True):
            np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(
        window_moments(np.where(mask, frames, np.nan), window).squares, found.squares
    )
    scaled = window_moments(frames * 2.0**exponent, window, mask)
    np.testing.assert_array_equal(scaled.mean, found.mean * 2.0**exponent)
    np.testing.assert_array_equal(scaled.squares, found.squares * 4.0**exponent)
    # Some rows with the halo that they depend on, as a band of a large frame is given.
    low, high = max(0, cut[0] - window.reach), cut[1] + window.reach
    band = window_moments(frames[:, low:high], window, mask[:, low:high])
    np.testing.assert_array_equal(
        band.squares[:, cut[0] - low : cut[1] - low], found.squares[:, cut[0] : cut[1]]
    )
    np.testing.assert_array_equal(
        neighbour_correlation(frames[:, low:high], sides, mask[:, low:high])[
            :, cut[0] - low : cut[1] - low
        ],
        neighbour_correlation(frames, sides, mask)[:, cut[0] : cut[1]],
    )


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u2", "i8", "f2", ">f4", "?"])
def test_every_real_type_gives_the_numbers_of_float64(dtype: str) -> None:
    frames = RNG.integers(0, 90, (2, 6, 7)).astype(dtype)
    one = window_moments(frames, box_window((3, 3)))
    two = window_moments(frames.astype(np.float64), box_window((3, 3)))
    np.testing.assert_array_equal(one.squares, two.squares)


def test_a_window_beside_its_pixel_counts_what_it_says() -> None:
    frames = np.arange(6.0).reshape(1, 1, 6)
    found = window_moments(frames, Window((0, 1), ((1.0,), (1.0, 1.0))))
    np.testing.assert_array_equal(found.mean[0, 0], [1.5, 2.5, 3.5, 4.5, 5.0, np.nan])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: window_moments(x, box_window((4, 3))), "an odd number is needed"),
        (lambda x: window_moments(x, box_window((0, 3))), "1 or 3"),
        (lambda x: window_moments(x, box_window((3,))), "has 1 axes"),
        (lambda x: window_moments(x * 1j, box_window((3, 3))), "real numbers are needed"),
        (lambda x: window_moments(x, box_window((3, 3)), np.ones((1, 2, 2))), "The mask has"),
        (lambda x: window_comoments(x, x[:1], box_window((3, 3))), "two of one shape"),
        (lambda x: neighbour_correlation(x, (3, 2)), "an odd number is needed"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.zeros((2, 5, 5)))  # type: ignore[operator]


@pytest.mark.parametrize("gaps", [False, True])
def test_pivoted_moments_are_the_exact_ones(gaps: bool) -> None:
    random = np.random.default_rng(4)
    first, second = random.normal(50, 9, (2, 2, 24, 30))
    if gaps:
        first[0][random.random((24, 30)) < 0.2] = np.nan
    mask = random.random((1, 24, 30)) > 0.1 if gaps else None
    for window in (box_window((7, 5)), gaussian_window((1.5, 1.5), (5, 5))):
        exact = window_comoments(first, second, window, mask)
        quick = pivoted_comoments(first, second, window, mask)
        for name in ("count", "mean_a", "mean_b", "squares_a", "squares_b", "products"):
            np.testing.assert_allclose(
                getattr(quick, name), getattr(exact, name), rtol=1e-9, atol=1e-9, err_msg=name
            )
