from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.numerics.mixing.replicates import ReplicateMean, average_replicates


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", ">u2", "int64"])
def test_mean_and_its_standard_error(dtype) -> None:
    frames = np.random.default_rng(0).integers(0, 200, (9, 4, 5)).astype(dtype)
    mean, error = average_replicates(frames)
    np.testing.assert_allclose(mean, frames.mean(axis=0, dtype=np.float64), rtol=1e-13)
    exact = frames.astype(np.float64)
    np.testing.assert_allclose(error, exact.std(axis=0, ddof=1) / 3, rtol=1e-12)


@given(cuts=st.lists(st.integers(1, 11), max_size=3), level=st.sampled_from([0.0, 1e6]))
def test_blocks_merge_to_the_whole(cuts, level) -> None:
    frames = np.random.default_rng(1).normal(level, 1, (12, 3))
    parts = [part for part in np.split(frames, sorted(cuts)) if len(part)]
    merged = ReplicateMean.of(parts[0])
    for part in parts[1:]:
        merged = merged.merge(ReplicateMean.of(part))
    mean, error = merged.result()
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(error, frames.std(axis=0, ddof=1) / np.sqrt(12), rtol=1e-9)


def test_missing_pixels_are_left_out() -> None:
    frames = np.random.default_rng(2).normal(0, 1, (5, 4))
    frames[0, 0] = np.nan
    frames[1:, 1] = np.inf
    frames[:, 2] = np.nan
    mean, error = average_replicates(frames)
    assert mean[0] == pytest.approx(frames[1:, 0].mean())
    assert mean[1] == frames[0, 1]
    assert np.isnan(mean[2])
    assert np.isnan(error[1:3]).all()
    assert np.isfinite(error[[0, 3]]).all()
    halves = ReplicateMean.of(frames[:1]).merge(ReplicateMean.of(frames[1:]))
    np.testing.assert_allclose(halves.result()[0], mean, rtol=1e-14)
    np.testing.assert_allclose(halves.result()[1], error, rtol=1e-12)


@pytest.mark.parametrize("frames", [np.zeros((1, 3, 3)), np.zeros(4), np.zeros((0, 2))])
def test_one_frame_tells_no_noise(frames) -> None:
    with pytest.raises(ValueError, match="at least two frames"):
        average_replicates(frames)


def test_complex_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="complex"):
        average_replicates(np.zeros((3, 2), complex))
