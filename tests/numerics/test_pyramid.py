from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.numerics.pyramid import filled, pyramid, resized


@given(st.floats(0.35, 0.95), st.integers(20, 90), st.integers(1, 3))
def test_levels_cover_the_same_area(ratio: float, length: int, channels: int) -> None:
    planes = np.ones((channels, length, 2 * length), np.float32)
    levels = pyramid(planes, ratio=ratio, smallest=10)
    assert levels[0].planes is planes
    for finer, coarser in pairwise(levels):
        assert coarser.shape[0] < finer.shape[0] or coarser.shape[1] < finer.shape[1]
    for level in levels:
        assert min(level.shape) >= 10
        for axis, size in enumerate((length, 2 * length)):
            step, offset = level.step[axis], level.offset[axis]
            last = step * (level.shape[axis] - 1) + offset
            # Both ends are half a pixel of the level from the border.
            assert offset + 0.5 == pytest.approx(step / 2)
            assert size - 0.5 - last == pytest.approx(step / 2)
        np.testing.assert_allclose(level.planes, 1, atol=1e-5)


def test_a_ramp_keeps_its_place_on_every_level() -> None:
    ramp = np.indices((80, 96))[1][None].astype(np.float64)
    for level in pyramid(ramp, ratio=0.7):
        x = level.step[1] * np.arange(level.shape[1]) + level.offset[1]
        inside = slice(4, -4)
        np.testing.assert_allclose(level.planes[0, 5, inside], x[inside], atol=1e-9)


def test_a_coarse_level_does_not_alias() -> None:
    x = np.indices((128, 128))[1]
    ripples = np.cos(2 * np.pi * 0.42 * x)[None]
    coarse = pyramid(ripples, ratio=0.5, levels=2)[1].planes
    assert np.abs(coarse[:, 8:-8, 8:-8]).max() < 0.12
    assert np.abs(ripples[:, ::2, ::2]).max() == 1


def test_a_volume_keeps_its_few_planes() -> None:
    levels = pyramid(np.zeros((1, 5, 64, 64)), ratio=0.5, smallest=16)
    assert [level.shape for level in levels] == [(5, 64, 64), (5, 32, 32), (5, 16, 16)]


def test_a_level_says_where_it_rests_on_data() -> None:
    valid = np.ones((64, 64), bool)
    valid[:, :32] = False
    levels = pyramid(np.zeros((1, 64, 64)), valid=valid, ratio=0.5)
    for level in levels:
        assert level.valid is not None
        assert not level.valid[:, : level.shape[1] // 2].any()
        assert level.valid[:, level.shape[1] // 2 :].all()


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.5, 2.0])
def test_a_ratio_that_does_not_shrink_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        pyramid(np.zeros((1, 30, 30)), ratio=ratio)


def test_growing_linearly_makes_no_new_extremes() -> None:
    flow = np.random.default_rng(2).normal(size=(2, 13, 17)).astype(np.float32)
    grown = resized(flow, (29, 40), kernel="linear")
    assert grown.shape == (2, 29, 40)
    assert grown.min() >= flow.min() - 1e-6
    assert grown.max() <= flow.max() + 1e-6


def test_gaps_are_filled_from_around_and_what_stood_there_has_no_say() -> None:
    rng = np.random.default_rng(3)
    y, x = np.indices((50, 60))
    planes = (0.2 * y + 0.1 * x)[None] + rng.normal(0, 0.01, (2, 50, 60))
    valid = np.ones((50, 60), bool)
    valid[20:31, 25:41] = False
    valid[3, :] = False
    whole, usable = filled(planes, valid)
    assert usable is not None
    np.testing.assert_array_equal(usable, valid)
    np.testing.assert_array_equal(whole[:, valid], planes[:, valid])
    assert np.abs(whole - planes).max() < 2.5
    spoiled = np.where(valid, planes, 1e30)
    np.testing.assert_array_equal(filled(spoiled, valid)[0], whole)
    np.testing.assert_array_equal(filled(np.where(valid, planes, np.nan))[0], whole)


def test_nothing_is_done_where_nothing_is_missing() -> None:
    planes = np.zeros((1, 4, 5))
    whole, usable = filled(planes)
    assert whole is planes
    assert usable is None


def test_no_data_at_all_gives_zeros() -> None:
    whole, usable = filled(np.full((1, 4, 5), np.nan))
    assert usable is not None
    assert not usable.any()
    assert not whole.any()
