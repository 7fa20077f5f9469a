from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics.erasing import FILLS, erased

FRAME = np.random.default_rng(3).normal(100, 10, (40, 50))
WHERE = np.array([[3, 4, 20, 11], [30, 30, 5, 20]])
MASK = np.zeros((40, 50), bool)
MASK[3:23, 4:15] = MASK[30:35, 30:50] = True


@pytest.mark.parametrize("fill", FILLS)
def test_only_the_rectangles_change(fill) -> None:
    for frame in (FRAME, FRAME.astype(np.float32), np.stack([FRAME, 2 * FRAME], axis=-1)):
        found = erased(frame, WHERE, fill, value=7)
        assert found.dtype == frame.dtype
        np.testing.assert_array_equal(found[~MASK], frame[~MASK])
        assert (found[MASK] != frame[MASK]).all()


@pytest.mark.parametrize("fill", FILLS)
def test_what_stood_under_a_rectangle_changes_nothing(fill) -> None:
    found = erased(FRAME, WHERE, fill)
    for under in (np.nan, np.inf, 1e300):
        other = np.where(MASK, under, FRAME)
        np.testing.assert_array_equal(erased(other, WHERE, fill), found)


def test_fills() -> None:
    rest = FRAME[~MASK]
    assert (erased(FRAME, WHERE, value=3.5)[MASK] == 3.5).all()
    assert np.isnan(erased(FRAME, WHERE, "nan")[MASK]).all()
    np.testing.assert_allclose(erased(FRAME, WHERE, "mean")[MASK], rest.mean(), rtol=1e-13)
    noise = erased(FRAME, WHERE, "noise", seed=2)[MASK]
    assert noise.mean() == pytest.approx(rest.mean(), abs=4 * rest.std() / np.sqrt(MASK.sum()))
    assert noise.std() == pytest.approx(rest.std(), rel=0.2)
    np.testing.assert_array_equal(noise, erased(FRAME, WHERE, "noise", seed=2)[MASK])


def test_missing_pixels_are_no_part_of_the_mean() -> None:
    gaps = FRAME.copy()
    gaps[0] = np.nan
    known = gaps[~MASK]
    found = erased(gaps, WHERE, "mean")
    np.testing.assert_allclose(found[MASK], np.nanmean(known))
    assert np.isnan(found[0]).all()


def test_integers() -> None:
    frame = np.arange(12, dtype=np.uint8).reshape(3, 4)
    where = np.array([[0, 0, 1, 1]])
    assert erased(frame, where, value=300)[0, 0] == 255
    assert erased(frame, where, value=-3)[0, 0] == 0
    assert erased(frame, where, "mean")[0, 0] == pytest.approx(6)
    assert np.isnan(erased(frame, where, "nan")[0, 0])


@pytest.mark.parametrize("unit", [1e-200, 1e-30, 1e30, 1e200])
def test_units_scale(unit) -> None:
    for fill in ("mean", "noise"):
        wanted = erased(FRAME, WHERE, fill) * unit
        np.testing.assert_allclose(erased(FRAME * unit, WHERE, fill), wanted, rtol=1e-12)


def test_nothing_stays() -> None:
    assert np.isnan(erased(np.ones((2, 2)), np.array([[0, 0, 2, 2]]), "mean")).all()
