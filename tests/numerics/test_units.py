"""Units are the user's affair: numbers times a power of two or ten give the same answer, scaled."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_framewise.numerics import mixing, standardise
from napari_framewise.numerics.normalise import normalise
from napari_framewise.numerics.statistics import join_moments, moments, pool
from napari_framewise.numerics.unmixing import prepare_spectra, unmix

Answer = list[tuple[np.ndarray, int]]
TWOS = st.integers(-99, 99).map(lambda k: 2.0**k)
TENS = st.integers(-30, 30).map(lambda k: 10.0**k)


class Case(NamedTuple):
    """What is computed of frames times a number: answers, and the power of it that each bears."""

    call: Callable[[np.ndarray, float], Answer]
    close: float = 1e-12


def pair(pixels: int = 60, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    references = rng.uniform(500, 3000, (count, pixels))
    shares = rng.dirichlet(np.full(count, 2.0), 7)
    return references, shares @ references + rng.normal(0, 30, (7, pixels))


REFERENCES, FRAMES = pair()


def answer_of(fit: mixing.MixingFit, power: int, squares: int = 2) -> Answer:
    """Coefficients in units to a power, and what follows from them."""
    return [
        (fit.coefficients, power),
        (fit.errors, power),
        (fit.unconstrained_errors, power),
        (fit.shared_errors, power),
        (fit.error_dof, 0),
        (fit.offset, 1),
        (fit.offset_errors, 1),
        (fit.rss, squares),
        (fit.r2, 0),
        (fit.chi2, 0),
        (fit.status, 0),
    ]


def mixed(**options: Any) -> Callable[[np.ndarray, float], Answer]:
    """Frames, references and whatever bears a unit, all times a number."""

    def call(frames: np.ndarray, unit: float) -> Answer:
        given = dict(options)
        for name in ("dark", "reference_noise"):
            if name in given:
                given[name] = np.asarray(given[name]) * unit
        if given.pop("detected", False):
            given["detector"] = mixing.Detector(2.0 / unit, 10 * unit, 5.0, 2900 * unit)
        references = (REFERENCES * unit).astype(frames.dtype)
        # weights of one over a variance take the unit out of the sum
        squares = 0 if given.get("poisson_weights") else 2
        return answer_of(mixing.fit(frames, mixing.prepare(references, **given)), 0, squares)

    return call


def alone(**options: Any) -> Callable[[np.ndarray, float], Answer]:
    """Only the frames times a number: without a sum to one, the coefficients follow."""
    design = mixing.prepare(REFERENCES, **options)
    return lambda frames, _: answer_of(mixing.fit(frames, design), 1)


def unmixed(constraint: Any) -> Callable[[np.ndarray, float], Answer]:
    design = prepare_spectra(REFERENCES, constraint=constraint)

    def call(frames: np.ndarray, _: float) -> Answer:
        found = unmix(frames.T, design)
        return [(found.abundances, 1), (found.errors, 1), (found.residual, 1), (found.at_bound, 0)]

    return call


def measured(frames: np.ndarray, _: float) -> Answer:
    found = moments(frames)
    whole = pool(found)
    return [
        (found.mean, 1),
        (found.std(), 1),
        (whole.mean, 1),
        (whole.std, 1),
        (whole.between_share, 0),
        (whole.mean_of_stds, 1),
    ]


CASES = {
    "sum to one": Case(mixed(errors="hc2")),
    "offset": Case(mixed(errors="hc2", offset=True)),
    "gain": Case(mixed(errors="hc2", gain=True, dark=np.full(60, 7.0))),
    "bounded": Case(mixed(errors="hc3", constraint="fully_constrained")),
    "noisy references": Case(mixed(reference_noise=[30.0, 20.0])),
    "detector": Case(mixed(detected=True, poisson_weights=True)),
    "huber": Case(mixed(loss="huber", errors="hc2"), 1e-6),
    "frames alone": Case(alone(constraint="none", errors="hc2")),
    "frames alone, classical": Case(alone(constraint="none", offset=True)),
    "frames alone, non-negative": Case(alone(constraint="non_negative", errors="hc2")),
    "unmix": Case(unmixed("none")),
    "unmix, non-negative": Case(unmixed("non_negative")),
    "statistics": Case(measured),
    "standardise": Case(
        lambda frames, _: [(standardise.standardise(frames, dtype=np.float64).frames, 0)]
    ),
    **{
        f"normalise, {method}": Case(
            lambda frames, _, method=method: [(normalise(frames, method, dtype="f8").frames, 0)]  # type: ignore[misc]
        )
        for method in ("min_max", "maximum", "percentiles", "mean", "z_score")
    },
}


def compared(case: Case, unit: float, frames: np.ndarray, equal: bool, close: float) -> None:
    before = case.call(frames, 1.0)
    scaled = (frames.astype(np.float64) * unit).astype(frames.dtype)
    after = case.call(scaled, unit)
    for number, ((old, power), (new, _)) in enumerate(zip(before, after, strict=True)):
        wanted = old.astype(np.float64) * unit**power
        if equal:
            np.testing.assert_array_equal(new, wanted, err_msg=f"answer {number}")
        else:
            size = np.nanmax(np.abs(wanted), initial=0) if np.isfinite(wanted).any() else 0
            np.testing.assert_allclose(
                new, wanted, rtol=close, atol=close * size, err_msg=f"answer {number}"
            )


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=6)
@given(unit=TWOS)
def test_powers_of_two_give_the_same_bits(name: str, unit: float) -> None:
    compared(CASES[name], unit, FRAMES, True, 0.0)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=6)
@given(unit=TENS)
def test_powers_of_ten_give_the_same_to_rounding(name: str, unit: float) -> None:
    compared(CASES[name], unit, FRAMES, False, CASES[name].close)


@pytest.mark.parametrize("name", ["sum to one", "frames alone", "unmix", "statistics"])
@pytest.mark.parametrize("unit", [1e-20, 1e15])
def test_float32_keeps_its_own_rounding(name: str, unit: float) -> None:
    compared(CASES[name], unit, FRAMES.astype(np.float32), False, 1e-3)


@pytest.mark.parametrize("unit", [1e300, -1e300, 1e-300, 1e155, 1e-170])
def test_squares_beyond_float64_do_no_harm(unit: float) -> None:
    frames = np.random.default_rng(1).uniform(0.2, 1, (5, 8, 9, 2))
    frames[2, 3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, plain = (moments(each, channel_axis=-1) for each in (frames * unit, frames))
        np.testing.assert_allclose(found.mean, plain.mean * unit, rtol=1e-13)
        np.testing.assert_allclose(found.std(1), plain.std(1) * abs(unit), rtol=1e-12)
        whole, reference = pool(found), pool(plain)
        np.testing.assert_allclose(whole.mean, reference.mean * unit, rtol=1e-12)
        np.testing.assert_allclose(whole.std, reference.std * abs(unit), rtol=1e-12)
        np.testing.assert_allclose(whole.between_share, reference.between_share, rtol=1e-10)
        for own in (standardise.standardise, normalise):
            options: dict[str, Any] = {"channel_axis": -1, "dtype": np.float64}
            if own is normalise:
                options["method"] = "z_score"
            np.testing.assert_allclose(
                own(frames * unit, **options).frames,
                np.sign(unit) * own(frames, **options).frames,
                rtol=1e-10,
                atol=1e-12,
            )
        made, _ = standardise.scaling_of_stack(whole, ddof=1)
        same, _ = standardise.scaling_of_stack(reference, ddof=1)
        np.testing.assert_allclose(made.gain * abs(unit), same.gain, rtol=1e-12)


def test_blocks_in_and_out_of_range_join() -> None:
    frames = np.random.default_rng(2).uniform(1, 2, (4, 6, 6))
    frames[2:] *= 1e200
    parts = [moments(frames[:2]), moments(frames[2:])]
    joined = pool(join_moments(parts))
    assert joined.std[0] == pytest.approx(1e200 * (frames / 1e200).std(), rel=1e-12)
