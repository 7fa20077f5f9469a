"""Offsets and gains, applied and undone, beside NumPy's own arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from napari_framewise.numerics.scaling import Scaling, scale, unscale


def _scaling(n: int, channels: int = 1) -> Scaling:
    random = np.random.default_rng(1)
    offset = random.uniform(-5, 5, (n, channels))
    return Scaling(offset, random.uniform(0.5, 2, (n, channels)), 3.0)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64", ">i4"])
def test_every_frame_and_channel_has_its_own(dtype: str) -> None:
    frames = np.random.default_rng(2).integers(0, 100, (3, 4, 5, 2)).astype(dtype)
    scaling = _scaling(3, 2)
    offset, gain = (each[:, None, None, :] for each in (scaling.offset, scaling.gain))
    expected = (frames.astype(float) - offset) * gain + 3.0
    got, clipped = scale(frames, scaling, channel_axis=-1, dtype=np.float64)
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    assert not clipped.any()


def test_what_was_scaled_comes_back() -> None:
    frames = np.random.default_rng(3).normal(size=(4, 6, 7))
    scaling = _scaling(4)
    there, _ = scale(frames, scaling, dtype=np.float64)
    back, _ = unscale(there, scaling, dtype=np.float64)
    np.testing.assert_allclose(back, frames, atol=1e-13)


def test_integers_round_half_to_even_and_are_clipped_never_wrapped() -> None:
    frames = np.array([[0.5, 1.5, 2.5, -3.0, 300.0, np.nan]])
    got, clipped = scale(frames, Scaling(np.zeros((1, 1)), np.ones((1, 1))), dtype=np.uint8)
    assert got.tolist() == [[0, 2, 2, 0, 255, 0]]
    assert clipped.tolist() == [[2]]


@pytest.mark.parametrize("span", [22, 30, 254, 300, 1022, 4094, 65520])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32"])
@pytest.mark.parametrize("channels", [False, True])
def test_exact_ties_go_to_even_where_the_gain_is_not_exact(span, dtype, channels) -> None:
    info = np.iinfo(dtype)
    width = int(info.max) - int(info.min)
    values = np.unique(np.linspace(0, span, 4096).astype(int))
    expected = [round(Fraction(int(x) * width, span)) + int(info.min) for x in values]
    frames = (values + 7).astype(np.uint32)[None]
    scaling = Scaling(np.full((1, 1), 7.0), np.full((1, 1), width / span), float(info.min))
    if channels:
        frames = np.stack([frames, frames], axis=-1)
    got, clipped = scale(frames, scaling, channel_axis=-1 if channels else None, dtype=dtype)
    np.testing.assert_array_equal(got.reshape(len(values), -1)[:, 0], np.array(expected, dtype))
    assert not clipped.any()


def test_offsets_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="offsets and gains for 2 frames"):
        scale(np.zeros((3, 4)), _scaling(2))
