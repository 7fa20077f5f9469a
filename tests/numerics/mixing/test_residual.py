from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics import mixing

SHAPE = (17, 23)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int64", ">u2"])
def test_the_mean_is_that_of_the_residuals(dtype: str) -> None:
    rng = np.random.default_rng(4)
    references = rng.uniform(100, 2000, (3, *SHAPE))
    frames = rng.uniform(100, 2000, (21, *SHAPE)).astype(dtype)
    options = {"dark": rng.uniform(0, 20, SHAPE), "flat": rng.uniform(0.8, 1.2, SHAPE)}
    design = mixing.prepare(references, offset=True, **options)
    fit = mixing.fit(frames, design)
    whole = mixing.residual_total(frames, design, fit)
    expected = mixing.residual(frames.astype(np.float64), design, fit).mean(axis=0)
    np.testing.assert_allclose(whole.mean(), expected, rtol=0, atol=1e-9)
    first, second = frames[:9], frames[9:]
    merged = mixing.residual_total(first, design, mixing.fit(first, design)).merge(
        mixing.residual_total(second, design, mixing.fit(second, design))
    )
    np.testing.assert_allclose(merged.mean(), expected, rtol=0, atol=1e-9)


def test_missing_pixels_and_frames_take_no_part() -> None:
    rng = np.random.default_rng(5)
    references = rng.uniform(100, 2000, (2, *SHAPE))
    frames = rng.uniform(100, 2000, (8, *SHAPE))
    frames[2] = np.nan
    frames[3, 4, 5] = np.inf
    frames[:, 6, 7] = np.nan
    design = mixing.prepare(references)
    fit = mixing.fit(frames, design)
    total = mixing.residual_total(frames, design, fit)
    assert total.count[4, 5] == 6
    assert total.count[0, 0] == 7
    assert np.isnan(total.mean()[6, 7])
    left = mixing.residual(frames, design, fit)
    expected = left[[0, 1, 4, 5, 6, 7], 4, 5].mean()
    assert total.mean()[4, 5] == pytest.approx(expected, abs=1e-9)
