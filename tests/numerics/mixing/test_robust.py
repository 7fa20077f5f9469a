from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from napari_framewise.numerics import mixing


def spoiled(frames: np.ndarray, share: float = 0.05, seed: int = 9) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return frames + np.where(rng.random(frames.shape) < share, 3000.0, 0.0)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("holed", [False, True])
def test_solves_the_huber_problem(scene, count, holed) -> None:
    references, _, frames = scene(n=6, count=count, shape=(12, 12))
    frames = spoiled(frames)
    if holed:
        frames[:, 3, :5] = np.nan
    design = mixing.prepare(references, constraint="none", loss="huber")
    fit = mixing.fit(frames, design)
    flat = references.reshape(count, -1)
    for frame, b in zip(frames, fit.coefficients, strict=True):
        seen = np.isfinite(frame.reshape(-1))
        y, columns = frame.reshape(-1)[seen], flat[:, seen].T
        scale = np.median(np.abs(y - columns @ b)) / 0.6745
        reference = least_squares(
            lambda c, y=y, columns=columns: y - columns @ c,
            b,
            loss="huber",
            f_scale=1.345 * scale,
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        )
        # the scale is held after a few steps, a little before it settles
        np.testing.assert_allclose(b, reference.x, atol=2e-4)


@pytest.mark.parametrize("errors", ["classical", "consistent"])
@pytest.mark.parametrize("offset", [False, True])
def test_is_robust_and_knows_its_error(scene, errors, offset) -> None:
    references, shares, frames = scene(n=1500, shape=(12, 12))
    design = mixing.prepare(references, loss="huber", errors=errors, offset=offset)
    clean = mixing.fit(frames, design)
    linear = mixing.fit(frames, mixing.prepare(references, offset=offset))
    z = ((clean.coefficients - shares) / clean.errors)[:, 0]
    assert 0.92 < z.std() < 1.08
    # 95 % efficient: errors about 2.6 % larger
    ratio = (clean.coefficients - shares).std() / (linear.coefficients - shares).std()
    assert ratio == pytest.approx(1 / np.sqrt(0.95), abs=0.03)
    both_ways = np.where(np.arange(144).reshape(12, 12) % 2, 1, -1) * (spoiled(frames) - frames)
    dirty = mixing.fit(frames + both_ways, design)
    worse = mixing.fit(frames + both_ways, mixing.prepare(references, offset=offset))
    assert (dirty.coefficients - shares).std() < 0.2 * (worse.coefficients - shares).std()
    z = ((dirty.coefficients - shares) / dirty.errors)[:, 0]
    assert 0.9 < z.std() < 1.15
    assert not dirty.status.any()


def test_bounds_hold_in_the_robust_fit(scene) -> None:
    references, _, frames = scene(n=80, count=2)
    frames = spoiled(frames)
    free = mixing.fit(frames, mixing.prepare(references, loss="huber"))
    fit = mixing.fit(frames, mixing.prepare(references, loss="huber", bounds=(0.5, 0.6)))
    x = free.coefficients[:, 0]
    np.testing.assert_allclose(fit.coefficients[:, 0], np.clip(x, 0.5, 0.6), atol=1e-6)
    np.testing.assert_array_equal(fit.at_bound[:, 0], (x < 0.5) | (x > 0.6))
    np.testing.assert_allclose(fit.unconstrained, free.coefficients, atol=1e-12)


def test_perfect_frames_and_frames_without_data(scene) -> None:
    references, shares, frames = scene(n=4, noise=0.0)
    frames[1] = np.nan
    frames[2, 0, :3] += 500
    fit = mixing.fit(frames, mixing.prepare(references, loss="huber"))
    good = [0, 2, 3]
    np.testing.assert_allclose(fit.coefficients[good], shares[good], atol=1e-7)
    assert fit.status[1] == mixing.Status.NO_DATA
