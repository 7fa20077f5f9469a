"""Consistent errors where few pixels carry the difference: degrees of freedom and coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.numerics import mixing

POWER = {"hc2": 1, "hc3": 2}


def coverage(fit: mixing.MixingFit, truth: np.ndarray) -> np.ndarray:
    low, high = mixing.confidence_interval(fit)
    return np.asarray(((low <= truth) & (truth <= high)).mean(axis=0))


def few_pixels(carriers: int, pixels: int, rest: float = 0.0) -> np.ndarray:
    """Two references that differ in few pixels, and elsewhere by a share `rest` of that."""
    rng = np.random.default_rng(carriers)
    base = rng.uniform(100, 200, pixels)
    difference = rng.uniform(-1, 1, pixels) * rest * 200
    difference[:carriers] = 200
    return np.stack([base + np.maximum(difference, 0), base + np.maximum(-difference, 0)])


def noisy(references: np.ndarray, noise: str, n: int = 8000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = np.array([0.6, 0.4])
    mixture = truth @ references
    if noise == "poisson":
        return truth, rng.poisson(mixture, (n, len(mixture))).astype(np.float64)
    return truth, mixture + rng.normal(0, 10, (n, len(mixture)))


@pytest.mark.parametrize("noise", ["gaussian", "poisson"])
@pytest.mark.parametrize("pixels", [49, 400])
@pytest.mark.parametrize("carriers", [2, 3, 5])
def test_intervals_hold_down_to_two_pixels(carriers, pixels, noise) -> None:
    references = few_pixels(carriers, pixels)
    truth, frames = noisy(references, noise)
    covered = coverage(mixing.fit(frames, mixing.prepare(references, errors="hc2")), truth)
    # four standard errors of the count about 95 %
    assert np.abs(covered - 0.95).max() < 0.01
    former = mixing.fit(frames, mixing.prepare(references, errors="hc3"))
    assert (coverage(former, truth) > 0.94).all()


@pytest.mark.parametrize("errors", ["hc2", "hc3"])
@pytest.mark.parametrize("rest", [0.0, 1e-3])
@pytest.mark.parametrize("way", ["plain", "gain", "holes", "huber", "three"])
def test_one_pixel_gives_no_consistent_error_and_says_so(errors, rest, way) -> None:
    references = few_pixels(1, 49, rest)
    options: dict[str, Any] = {"errors": errors}
    if way == "three":
        other = np.random.default_rng(0).uniform(0, 300, 49)
        references = np.stack([*references, other])
    _, frames = noisy(references[:2], "gaussian", 20)
    if way == "holes":
        frames[:, 7] = np.nan
    elif way == "huber":
        options["loss"] = "huber"
    elif way == "gain":
        options["gain"] = True
    fit = mixing.fit(frames, mixing.prepare(references, **options))
    assert np.isfinite(fit.coefficients).all()
    assert np.isnan(fit.errors[:, :2]).all()
    assert np.isnan(fit.error_dof[:, :2]).all()
    assert np.isnan(fit.unconstrained_errors[:, :2]).all()
    assert np.isnan(fit.covariance[:, :2]).all()
    assert (fit.status & mixing.Status.ONE_PIXEL).all()
    assert any("one pixel alone decides" in said for said in mixing.diagnostics(fit))
    if way == "three":
        assert np.isfinite(fit.errors[:, 2]).all()
    plain = mixing.fit(frames, mixing.prepare(references, **{**options, "errors": "classical"}))
    assert np.isfinite(plain.errors).all()
    np.testing.assert_array_equal(
        plain.error_dof, np.repeat(plain.dof[:, None], len(references), 1)
    )


def dense(design_matrix: np.ndarray, contrast: np.ndarray, errors: str) -> tuple[np.ndarray, float]:
    """The matrix B of the variance estimate ``y^T B y``, and its degrees of freedom."""
    inverse = np.linalg.inv(design_matrix.T @ design_matrix)
    hat = design_matrix @ inverse @ design_matrix.T
    keep = np.eye(len(hat)) - hat
    moved = design_matrix @ inverse @ contrast
    form = keep @ np.diag(moved**2 / (1 - np.diag(hat)) ** POWER[errors]) @ keep
    return form, np.trace(form) ** 2 / np.trace(form @ form)


@pytest.mark.parametrize("errors", ["hc2", "hc3"])
@pytest.mark.parametrize("holed", [False, True])
@pytest.mark.parametrize(
    "model", [{}, {"offset": True}, {"gain": True}, {"weights": True}], ids=str
)
def test_errors_and_freedom_are_those_of_the_dense_matrices(scene, model, holed, errors) -> None:
    references, _, frames = scene(n=3, count=3, shape=(5, 5))
    references[0, 2, 2] *= 4
    options = dict(model)
    weight = np.ones(25)
    if options.pop("weights", False):
        weight = np.random.default_rng(0).uniform(0.3, 2, 25)
        options["weights"] = weight.reshape(5, 5)
    if holed:
        frames[:, 1, 1] = np.nan
    constraint = "sum_to_one" if "gain" in options else "none"
    design = mixing.prepare(references, constraint=constraint, errors=errors, **options)
    fit = mixing.fit(frames, design)
    flat = references.reshape(3, -1).T
    columns = np.column_stack([flat, np.ones(25)]) if "offset" in options else flat
    for i, frame in enumerate(frames.reshape(3, -1)):
        seen = np.isfinite(frame)
        root = np.sqrt(weight[seen])
        matrix, y = columns[seen] * root[:, None], frame[seen] * root
        for k in range(3):
            contrast = np.zeros(matrix.shape[1])
            contrast[k] = 1
            if "gain" in options:
                contrast[:3] = (contrast[:3] - fit.coefficients[i, k]) / fit.gain[i]
            form, freedom = dense(matrix, contrast, errors)
            assert fit.errors[i, k] == pytest.approx(np.sqrt(y @ form @ y), rel=1e-7)
            assert fit.error_dof[i, k] == pytest.approx(freedom, rel=1e-8)


def test_a_hot_pixel_of_a_reference_is_named() -> None:
    rng = np.random.default_rng(5)
    references = rng.uniform(100, 200, (2, 7, 7))
    references[0, 3, 4] += 1000
    design = mixing.prepare(references, errors="hc2")
    assert design.high_leverage_pixels.tolist() == [3 * 7 + 4]
    assert 0.8 < design.leverage[25] < 0.95
    truth, frames = noisy(references.reshape(2, -1), "gaussian")
    fit = mixing.fit(frames.reshape(-1, 7, 7), design)
    spread = (fit.coefficients - truth).std()
    assert np.sqrt((fit.errors**2).mean()) == pytest.approx(spread, rel=0.05)
    assert not mixing.prepare(rng.uniform(100, 200, (2, 7, 7))).high_leverage_pixels.size


def test_the_former_name_is_hc3(scene) -> None:
    references, _, frames = scene()
    former = mixing.fit(frames, mixing.prepare(references, errors="consistent"))
    now = mixing.fit(frames, mixing.prepare(references, errors="hc3"))
    np.testing.assert_array_equal(former.errors, now.errors)


def test_freedom_beside_a_held_coefficient_is_that_of_the_rest() -> None:
    rng = np.random.default_rng(1)
    references = rng.uniform(0, 100, (3, 40))
    frames = rng.normal([-0.5, 0.7, 0.6], 0.01, (30, 3)) @ references + rng.normal(0, 10, (30, 40))
    for holed in (False, True):
        if holed:
            frames[:, 3] = np.nan
        held = mixing.fit(
            frames, mixing.prepare(references, constraint="non_negative", errors="hc2")
        )
        two = mixing.fit(frames, mixing.prepare(references[1:], constraint="none", errors="hc2"))
        assert held.at_bound[:, 0].all()
        assert np.isnan(held.error_dof[:, 0]).all()
        np.testing.assert_allclose(held.error_dof[:, 1:], two.error_dof, rtol=0.1)
        np.testing.assert_allclose(held.errors[:, 1:], two.errors, rtol=0.1)
