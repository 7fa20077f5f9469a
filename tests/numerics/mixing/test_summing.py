"""Errors and residual sums keep their digits, however small the noise is against the signal."""

from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics.mixing import fit, prepare

PIXELS = 600


def sandwich(references: np.ndarray, frame: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """HC2 variances of all but the last coefficient, and the residual sum, in long double."""
    root = np.sqrt(weights.astype(np.longdouble))
    wide = references.astype(np.longdouble)
    design = root[:, None] * (wide[:-1] - wide[-1]).T
    y = root * (frame.astype(np.longdouble) - wide[-1])
    gram = design.T @ design
    inverse = np.linalg.inv(gram.astype(np.float64)).astype(np.longdouble)
    for _ in range(3):  # Newton's steps to all digits
        inverse = inverse @ (2 * np.eye(len(gram)) - gram @ inverse)
    x = inverse @ (design.T @ y)
    x = x + inverse @ (design.T @ (y - design @ x))
    left = y - design @ x
    leverage = np.einsum("pi,ij,pj->p", design, inverse, design)
    meat = (design.T * (left**2 / (1 - leverage))) @ design
    return np.append(np.diag(inverse @ meat @ inverse), left @ left)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("noise", [100.0, 1.0, 1e-2, 1e-4])
def test_errors_keep_their_digits(count: int, weighted: bool, noise: float) -> None:
    rng = np.random.default_rng(count)
    references = rng.uniform(0, 3000, (count, PIXELS))
    references[0, 7] = 9e3  # a pixel that nearly fixes its own value
    shares = rng.dirichlet(np.ones(count), 5)
    frames = shares @ references + noise * rng.normal(size=(5, PIXELS))
    weights = np.ones(PIXELS)
    if weighted:
        weights = rng.uniform(0.2, 2, PIXELS)
        weights[1::11] = 0
    design = prepare(references, weights=weights if weighted else None, errors="hc2")
    found = fit(frames, design)
    got = np.column_stack([found.errors[:, :-1] ** 2, found.rss])
    expected = np.array([sandwich(references, each, weights) for each in frames], np.float64)
    # a residual is known to the last bit of its pixel
    np.testing.assert_allclose(got, expected, rtol=1e-12 + 1e-15 * 9e3 / noise)


def test_frames_are_the_same_in_any_block() -> None:
    rng = np.random.default_rng(1)
    references = rng.uniform(0, 3000, (3, 37, 41))
    clean = np.tensordot(rng.dirichlet(np.ones(3), 23), references, 1)
    frames = np.rint(clean + rng.normal(0, 30, clean.shape)).astype(np.uint16)
    for options in ({}, {"offset": True}, {"constraint": "none"}, {"bounds": (0.2, 0.5)}):
        design = prepare(references, errors="hc2", **options)  # type: ignore[arg-type]
        whole = fit(frames, design)
        for size in (1, 3, 10):
            parts = [fit(frames[n : n + size], design) for n in range(0, 23, size)]
            for name in ("coefficients", "errors", "rss", "r2"):
                cut = np.concatenate([getattr(part, name) for part in parts])
                np.testing.assert_array_equal(cut, getattr(whole, name))
