from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_framewise.numerics.bilateral import bilateral_filter, reach
from napari_framewise.numerics.bilateral import grid as grids

RNG = np.random.default_rng(5)


def scene(shape: tuple[int, ...] = (40, 48), noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """Plateaus, a ramp and noise: (1, *shape, 1), from about 0 to 1."""
    rng = np.random.default_rng(seed)
    places = np.indices(shape).astype(float)
    steps = sum((np.sin(places[k] / (5 + 2 * k)) > 0) * 0.3 for k in range(len(shape)))
    ramp = sum(places) / sum(shape) * 0.4
    return (steps + ramp + rng.normal(0, noise, shape))[None, ..., None]


def direct(
    frames: np.ndarray,
    sigma: tuple[float, ...],
    range_sigma: float,
    guide: np.ndarray | None = None,
    use: np.ndarray | None = None,
) -> np.ndarray:
    """The definition, term by term over a box of three sigma, in double precision."""
    values = np.asarray(frames[0], np.float64)
    leading = values if guide is None else np.asarray(guide[0], np.float64)
    good = np.isfinite(values).all(axis=-1) & np.isfinite(leading).all(axis=-1)
    good &= True if use is None else use
    answered = good if guide is None else np.isfinite(leading).all(axis=-1)
    shape = good.shape
    out = np.full(values.shape, np.nan)
    reaches = [int(np.ceil(3 * each)) for each in sigma]
    for place in np.ndindex(shape):
        if not answered[place]:
            continue
        window = tuple(
            slice(max(0, at - r), at + r + 1) for at, r in zip(place, reaches, strict=True)
        )
        away = np.zeros([len(range(*w.indices(n))) for w, n in zip(window, shape, strict=True)])
        for axis, (at, r, each) in enumerate(zip(place, reaches, sigma, strict=True)):
            if each == 0:
                continue
            along = (np.arange(max(0, at - r), min(shape[axis], at + r + 1)) - at) / each
            away = away + (along**2).reshape([-1 if k == axis else 1 for k in range(len(shape))])
        inside = good[window]
        apart = np.where(inside[..., None], leading[window] - leading[place], 0) / range_sigma
        weight = np.where(inside, np.exp(-0.5 * (away + (apart**2).sum(axis=-1))), 0)
        if weight.sum() > 0:
            held = np.where(inside[..., None], values[window], 0)
            out[place] = np.tensordot(weight, held, weight.ndim) / weight.sum()
    return out


def decibels(found: np.ndarray, wanted: np.ndarray) -> float:
    error = np.sqrt(np.nanmean((found - wanted) ** 2))
    return float(20 * np.log10(np.nanmax(wanted) - np.nanmin(wanted)) - 20 * np.log10(error))


CASES = [
    ((40, 48), (2.0, 2.0)),
    ((40, 48), (1.0, 3.5)),
    ((40, 48), (0.0, 2.0)),
    ((7, 20, 18), (0.7, 1.5, 1.5)),
    ((1, 30), (2.0, 2.0)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "sigma"), CASES)
def test_the_exact_sum_is_the_definition(shape, sigma, dtype) -> None:
    frames = scene(shape).astype(dtype)
    found = bilateral_filter(frames, sigma, 0.12)
    assert found.dtype == dtype
    assert decibels(found[0], direct(frames, sigma, 0.12)) > (110 if dtype == "float32" else 120)


@pytest.mark.parametrize(("channels", "guides"), [(3, None), (1, 1), (1, 3), (3, 1), (2, 2)])
def test_colours_and_guides_are_the_definition(channels, guides) -> None:
    frames = np.concatenate([scene(seed=k) for k in range(channels)], axis=-1)
    guide = None
    if guides is not None:
        guide = np.concatenate([scene(seed=9 + k) for k in range(guides)], axis=-1)
        guide[0, 5:9, 6, 0] = np.nan
    frames[0, 20:24, 30:33, channels - 1] = np.nan
    use = RNG.uniform(size=(40, 48)) > 0.2
    found = bilateral_filter(frames, 2.0, 0.3, guide=guide, mask=use[None])[0]
    wanted = direct(frames, (2.0, 2.0), 0.3, guide, use)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    assert decibels(found, wanted) > 110
    if guides is not None:
        # Where only the frame has no data, what the guide joins fills it.
        assert np.isfinite(found[20:24, 30:33]).all()


@pytest.mark.parametrize("per_sigma", [None, 2])
def test_what_lies_under_the_mask_or_beside_no_data_changes_nothing(per_sigma) -> None:
    frames = scene()
    use = RNG.uniform(size=(40, 48)) > 0.3
    plain = bilateral_filter(frames, 4.0, 0.2, mask=use[None], per_sigma=per_sigma)
    for value in (np.nan, np.inf, -1e30, 7.0):
        other = frames.copy()
        other[0, ~use] = value
        found = bilateral_filter(other, 4.0, 0.2, mask=use[None], per_sigma=per_sigma)
        np.testing.assert_array_equal(found, plain)
    missing = np.where(use[None, ..., None], frames, np.nan)
    np.testing.assert_array_equal(bilateral_filter(missing, 4.0, 0.2, per_sigma=per_sigma), plain)
    np.testing.assert_array_equal(np.isnan(plain[0, ..., 0]), ~use)


@pytest.mark.parametrize("per_sigma", [None, 1, 2])
def test_an_impulse_s_response_lies_on_its_pixel(per_sigma) -> None:
    # A guide that is the same everywhere leaves a Gaussian: its centroid is the impulse's place.
    frames = np.zeros((1, 101, 101, 1))
    frames[0, 50, 50] = 1.0
    found = bilateral_filter(frames, 8.0, 0.5, guide=np.zeros_like(frames), per_sigma=per_sigma)
    rows, columns = np.indices((101, 101))
    part = found[0, 20:81, 20:81, 0]
    if per_sigma is None:
        assert abs((part * rows[20:81, 20:81]).sum() / part.sum() - 50) < 1e-6
        assert abs((part * columns[20:81, 20:81]).sum() / part.sum() - 50) < 1e-6
    np.testing.assert_allclose(found[0, ..., 0], found[0, ..., 0].T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("per_sigma", "least"), [(1, 46.0), (2, 60.0), (3, 67.0), (4, 72.0)])
def test_a_grid_comes_near_the_exact_sum(per_sigma, least) -> None:
    frames = scene((120, 130))
    exact = bilateral_filter(frames, 12.0, 0.12)
    found = bilateral_filter(frames, 12.0, 0.12, per_sigma=per_sigma)
    assert decibels(found, exact) > least


def test_a_grid_of_volumes_with_a_guide_and_gaps_comes_near_the_exact_sum() -> None:
    frames = np.concatenate([scene((12, 40, 44), seed=k) for k in range(2)], axis=-1)
    guide = scene((12, 40, 44), seed=7)
    frames[0, 3:5, 10:20, 10:20] = np.nan
    guide[0, :, 30:34, 5:9] = np.nan
    sigma = (2.0, 5.0, 5.0)
    exact = bilateral_filter(frames, sigma, 0.15, guide=guide)
    found = bilateral_filter(frames, sigma, 0.15, guide=guide, per_sigma=2)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    assert decibels(found, exact) > 55


def test_the_compensation_of_the_interpolation_gains_eight_decibels(monkeypatch) -> None:
    frames = scene((160, 170))
    exact = bilateral_filter(frames, 16.0, 0.12)
    with_it = decibels(bilateral_filter(frames, 16.0, 0.12, per_sigma=2), exact)
    monkeypatch.setattr(grids, "_INTERPOLATION", 0.0)
    without = decibels(bilateral_filter(frames, 16.0, 0.12, per_sigma=2), exact)
    assert with_it - without > 8


@pytest.mark.parametrize("per_sigma", [None, 2])
@pytest.mark.parametrize("shape", [(90, 60), (4, 70, 30)])
def test_a_band_has_the_bits_of_the_frame(shape, per_sigma) -> None:
    frames = scene(shape).astype(np.float32)
    sigma = (3.0,) * len(shape)
    halo = reach(sigma, per_sigma)
    whole = bilateral_filter(frames, sigma, 0.2, per_sigma=per_sigma)
    first, last = 31, 45
    top, bottom = max(0, first - halo), min(shape[-2], last + halo)
    part = frames[(..., slice(top, bottom), slice(None), slice(None))]
    found = bilateral_filter(
        part, sigma, 0.2, per_sigma=per_sigma, rows=(first - top, last - top), start=top
    )
    np.testing.assert_array_equal(found, whole[..., first:last, :, :])


def test_slabs_of_the_range_have_the_bits_of_the_whole_range(monkeypatch) -> None:
    frames = scene((60, 70)) * 4e3
    frames[0, 7, 9] = 1e6
    whole = bilateral_filter(frames, 8.0, 20.0, per_sigma=2)
    monkeypatch.setattr(grids, "_CELLS", 0.01)
    monkeypatch.setattr(grids, "_FEWEST", 1)
    np.testing.assert_array_equal(bilateral_filter(frames, 8.0, 20.0, per_sigma=2), whole)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 99),
    sigma=st.floats(0, 8),
    range_sigma=st.floats(1e-3, 1e3),
    missing=st.floats(0, 0.9),
    per_sigma=st.sampled_from([None, 1, 2]),
    offset=st.sampled_from([0.0, 1e6]),
)
def test_results_stay_within_the_data(seed, sigma, range_sigma, missing, per_sigma, offset) -> None:
    rng = np.random.default_rng(seed)
    frames = rng.normal(offset, 1, (2, 14, 13, 1))
    frames[rng.uniform(size=frames.shape) < missing] = np.nan
    found = bilateral_filter(frames, sigma, range_sigma, per_sigma=per_sigma)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(frames))
    for one, other in zip(found, frames, strict=True):
        if np.isfinite(other).any():
            assert np.nanmin(one) >= np.nanmin(other) - 1e-9 * (1 + abs(offset))
            assert np.nanmax(one) <= np.nanmax(other) + 1e-9 * (1 + abs(offset))


@pytest.mark.parametrize("per_sigma", [None, 2])
@pytest.mark.parametrize("unit", [2.0**-200, 2.0**300, 1e-30, 1e30])
def test_units_scale_the_result(unit, per_sigma) -> None:
    frames = scene()
    plain = bilateral_filter(frames, 3.0, 0.2, per_sigma=per_sigma)
    found = bilateral_filter(frames * unit, 3.0, 0.2 * unit, per_sigma=per_sigma)
    exact = np.log2(unit) % 1 == 0
    np.testing.assert_allclose(found / unit, plain, rtol=0 if exact else 1e-12)


def test_extremes_of_sigma() -> None:
    frames = scene()
    same = bilateral_filter(frames, 0.0, 0.1)
    np.testing.assert_array_equal(same, frames)
    # A window and a range larger than everything: the mean.
    for per_sigma in (None, 1):
        everything = bilateral_filter(frames, 1e6, 1e9, per_sigma=per_sigma)
        np.testing.assert_allclose(everything, frames.mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sigma": -1.0}, "from 0 on"),
        ({"sigma": (1.0, 2.0, 3.0)}, "each of the 2 axes"),
        ({"range_sigma": 0.0}, "above 0"),
        ({"guide": np.zeros((1, 40, 48, 3)), "per_sigma": 2}, "exact sum"),
    ],
)
def test_what_can_not_be_is_refused_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    given = {"sigma": 2.0, "range_sigma": 0.1} | change
    with pytest.raises(ValueError, match=sentence):
        bilateral_filter(scene(), **given)
