"""What errors promise: coverage, HC3 by its formula, and digits."""

from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics import mixing

EXTENDED = np.finfo(np.longdouble).eps < 1e-18


def coverage(fit: mixing.MixingFit, truth: np.ndarray) -> np.ndarray:
    low, high = mixing.confidence_interval(fit)
    return ((low <= truth) & (truth <= high)).mean(axis=0)


@pytest.mark.parametrize("noise", ["gaussian", "poisson"])
@pytest.mark.parametrize(
    "model",
    [{}, {"offset": True}, {"gain": True}, {"weights": True}, {"holes": True}],
    ids=lambda model: "-".join(model) or "plain",
)
@pytest.mark.parametrize(("errors", "most"), [("hc2", 0.96), ("hc3", 0.97)])
def test_consistent_intervals_cover_what_they_say(noise, model, errors, most) -> None:
    """HC3 is larger than the error on average, and its own degrees of freedom say so no less."""
    rng = np.random.default_rng(11)
    n = 20_000
    references = rng.uniform(5, 30, (2, 7, 7))
    x = rng.uniform(0.4, 0.7, n)
    truth = np.stack([x, 1 - x], axis=1)
    frames = np.tensordot(truth, references, 1)
    if noise == "gaussian":
        frames = frames + rng.normal(0, 3, frames.shape)
    else:
        frames = rng.poisson(frames).astype(np.float64)
    options = dict(model)
    if options.pop("holes", False):
        frames[:, 3, 3] = np.nan
    if options.pop("weights", False):
        options["weights"] = rng.uniform(0.5, 2, (7, 7))
    design = mixing.prepare(references, errors=errors, **options)
    covered = coverage(mixing.fit(frames, design), truth)
    assert (covered > 0.94).all()
    assert (covered < most).all()


def test_classical_intervals_cover_where_the_noise_is_even(scene) -> None:
    references, truth, frames = scene(n=20_000, count=3, shape=(7, 7))
    covered = coverage(mixing.fit(frames, mixing.prepare(references)), truth)
    assert (covered > 0.94).all()
    assert (covered < 0.96).all()


def test_classical_intervals_are_too_narrow_where_it_is_not() -> None:
    rng = np.random.default_rng(2)
    references = np.stack([rng.gamma(0.5, 30, (7, 7)), rng.gamma(1.5, 5, (7, 7))])
    truth = np.full((20_000, 2), 0.5)
    frames = rng.poisson(np.tensordot(truth, references, 1))
    covered = coverage(mixing.fit(frames, mixing.prepare(references)), truth)
    assert (covered < 0.94).all()


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("holed", [False, True])
def test_hc3_is_that_of_its_formula(scene, count, offset, weighted, holed) -> None:
    references, _, frames = scene(n=5, count=count, shape=(5, 5))
    weight = np.random.default_rng(0).uniform(0.3, 2, (5, 5)) if weighted else np.ones((5, 5))
    if holed:
        frames[:, 1, 1] = np.nan
    design = mixing.prepare(
        references,
        constraint="none",
        offset=offset,
        weights=weight if weighted else None,
        errors="consistent",
    )
    fit = mixing.fit(frames, design)
    flat = references.reshape(count, -1).T
    columns = np.column_stack([flat, np.ones(25)]) if offset else flat
    for i, frame in enumerate(frames):
        seen = np.isfinite(frame.reshape(-1))
        root = np.sqrt(weight.reshape(-1)[seen])
        design_i = columns[seen] * root[:, None]
        y = frame.reshape(-1)[seen] * root
        inverse = np.linalg.inv(design_i.T @ design_i)
        left = y - design_i @ (inverse @ (design_i.T @ y))
        hat = np.einsum("pi,ij,pj->p", design_i, inverse, design_i)
        meat = design_i.T @ ((left / (1 - hat))[:, None] ** 2 * design_i)
        expected = (inverse @ meat @ inverse)[:count, :count]
        np.testing.assert_allclose(fit.covariance[i], expected, rtol=1e-8)
        np.testing.assert_allclose(fit.errors[i], np.sqrt(np.diag(expected)), rtol=1e-9)


def test_without_freedom_there_is_no_error() -> None:
    references = np.array([[1.0, 2.0], [3.0, 1.0]])
    fit = mixing.fit(np.array([[2.0, 2.0]]), mixing.prepare(references, constraint="none"))
    assert fit.dof[0] == 0
    assert np.isnan(fit.errors).all()
    assert np.isfinite(fit.coefficients).all()
    assert all(np.isnan(each).all() for each in mixing.confidence_interval(fit))


def extended_solution(frame: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Sum-to-one least squares in long double: elimination on the normal equations."""
    exact = references.astype(np.longdouble)
    changes = exact[:-1] - exact[-1]
    gram = changes @ changes.T
    right = changes @ (frame.astype(np.longdouble) - exact[-1])
    size = len(gram)
    for i in range(size):
        for j in range(i + 1, size):
            factor = gram[j, i] / gram[i, i]
            gram[j] -= factor * gram[i]
            right[j] -= factor * right[i]
    z = np.zeros(size, np.longdouble)
    for i in reversed(range(size)):
        z[i] = (right[i] - gram[i] @ z) / gram[i, i]
    return np.append(z, 1 - z.sum())


@pytest.mark.skipif(not EXTENDED, reason="long double is no longer than double here")
@pytest.mark.parametrize("likeness", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_coefficients_have_the_digits_that_the_references_allow(count, likeness) -> None:
    rng = np.random.default_rng(4)
    common = rng.uniform(1000, 3000, 4096)
    references = common + likeness * rng.normal(0, 500, (count, 4096))
    shares = rng.dirichlet(np.full(count, 5.0), 12)
    frames = np.rint(shares @ references + rng.normal(0, 30, (12, 4096))).astype(np.uint16)
    fit = mixing.fit(frames, mixing.prepare(references))
    expected = np.array([extended_solution(frame, references) for frame in frames])
    condition = np.linalg.cond((references / np.linalg.norm(references, axis=1)[:, None]).T)
    assert np.abs(fit.coefficients - expected).max() <= 1e-14 * condition**2


@pytest.mark.parametrize("level", [1e3, 1e6])
def test_residuals_survive_a_high_level(level) -> None:
    rng = np.random.default_rng(6)
    references = level + rng.uniform(-100, 100, (2, 64, 64))
    left = rng.normal(0, 1, (4, 64, 64))
    frames = 0.5 * references[0] + 0.5 * references[1] + left
    fit = mixing.fit(frames, mixing.prepare(references))
    fitted = mixing.predict(mixing.prepare(references), fit, dtype=np.float64)
    np.testing.assert_allclose(fit.rss, ((frames - fitted) ** 2).sum(axis=(1, 2)), rtol=1e-9)
