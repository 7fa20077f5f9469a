"""Rank filters: bit for bit what NumPy gives for every window."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.morphology import ball, disk

from napari_framewise.numerics.rank import median_filter, percentile_filter, runs_of

Array = NDArray[np.float64]
RNG = np.random.default_rng(3)


def windows(frame: NDArray[np.generic], footprint: NDArray[np.bool_], use: Array | None) -> Array:
    """(..., pixels) of the window of every pixel, NaN beyond the border and under the mask."""
    kind = frame.dtype if frame.dtype.kind == "f" else np.float64
    values = frame.astype(kind)
    if use is not None:
        values = np.where(use, values, np.array(np.nan, kind))
    pad = [(side // 2, side // 2) for side in footprint.shape]
    wide = np.pad(values, pad, constant_values=np.nan)
    views = np.lib.stride_tricks.sliding_window_view(wide, footprint.shape)
    return np.where(footprint, views, np.array(np.nan, kind)).reshape(*frame.shape, -1)


def wanted(stacked: Array, percentile: float | None) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if percentile is None:
            return np.asarray(np.nanmedian(stacked, axis=-1))
        return np.asarray(np.nanpercentile(stacked, percentile, axis=-1))


def found(
    frames: NDArray[np.generic],
    sides: tuple[int, ...],
    percentile: float | None,
    shape: str = "box",
    mask: Array | None = None,
) -> Array:
    if percentile is None:
        return median_filter(frames, sides, shape, mask)  # type: ignore[arg-type]
    return percentile_filter(frames, percentile, sides, shape, mask)  # type: ignore[arg-type]


def holey(frames: Array, share: float = 0.3) -> Array:
    frames = frames.copy()
    frames[RNG.random(frames.shape) < share] = np.nan
    frames[0, 2:8, 3:9] = np.nan
    return frames


SCENES: dict[str, NDArray[np.generic]] = {
    "float64": holey(RNG.normal(1e3, 5, (2, 9, 12))),
    "float32": holey(RNG.normal(size=(2, 9, 12))).astype(np.float32),
    "ties": holey(RNG.integers(0, 4, (2, 9, 12)).astype(float)),
    "infinite": np.where(RNG.random((2, 9, 12)) < 0.2, np.inf, RNG.normal(size=(2, 9, 12))),
    "uint8": RNG.integers(0, 256, (2, 9, 12)).astype(np.uint8),
    "flat uint8": RNG.integers(100, 103, (2, 9, 12)).astype(np.uint8),
    "int16": RNG.integers(-300, 300, (2, 9, 12)).astype(np.int16),
    ">u2": RNG.integers(0, 60_000, (2, 9, 12)).astype(">u2"),
    "bool": RNG.random((2, 9, 12)) < 0.5,
}


@pytest.mark.parametrize("shape", ["box", "disc"])
@pytest.mark.parametrize("name", SCENES)
def test_every_window_is_numpy_s(name: str, shape: str) -> None:
    frames = SCENES[name]
    for size, masked in ((1, False), (3, True), (5, False), (35, True)):
        mask = RNG.random((1, 9, 12)) < 0.7 if masked else None
        box = np.ones((size, size), bool) if shape == "box" else disk(size // 2).astype(bool)
        stacked = np.stack(
            [windows(each, box, None if mask is None else mask[0]) for each in frames]
        )
        for percentile in (None, 0.0, 37.3, 90.0, 100.0):
            # A percentile of one infinite value is NaN in NumPy, for it takes differences.
            if name == "infinite" and percentile is not None:
                continue
            got = found(frames, (size, size), percentile, shape, mask)
            np.testing.assert_array_equal(got, wanted(stacked, percentile))


@pytest.mark.parametrize("shape", ["box", "disc"])
def test_infinite_values_are_least_and_greatest(shape: str) -> None:
    frame = np.array([[[1.0, np.inf, np.nan, -np.inf, 5.0]]])
    low, high = (found(frame, (1, 3), q, shape)[0, 0].tolist() for q in (0.0, 100.0))
    assert low == [1.0, 1.0, -np.inf, -np.inf, -np.inf]
    assert high == [np.inf, np.inf, np.inf, 5.0, 5.0]


@pytest.mark.parametrize("dtype", ["f8", "u1"])
@pytest.mark.parametrize("shape", ["box", "disc"])
def test_windows_of_volumes(shape: str, dtype: str) -> None:
    volumes = RNG.integers(0, 200, (2, 5, 6, 7)).astype(dtype)
    mask = RNG.random((2, 5, 6, 7)) < 0.8
    footprint = np.ones((3, 5, 5), bool)
    for sides in ((3, 5, 5), (5, 5, 5)):
        if shape == "disc":
            if sides[0] == 3:
                continue
            footprint = ball(2).astype(bool)
        elif sides[0] == 5:
            footprint = np.ones((5, 5, 5), bool)
        stacked = np.stack([windows(v, footprint, m) for v, m in zip(volumes, mask, strict=True)])
        for percentile in (None, 20.0):
            got = found(volumes, sides, percentile, shape, mask)
            np.testing.assert_array_equal(got, wanted(stacked, percentile))
    big = found(volumes, (3, 35, 35), None, "box", mask)
    stacked = np.stack(
        [windows(v, np.ones((3, 35, 35), bool), m) for v, m in zip(volumes, mask, strict=True)]
    )
    np.testing.assert_array_equal(big, wanted(stacked, None))


@pytest.mark.parametrize("shape", ["box", "disc"])
def test_a_window_of_a_million_pixels_sees_all_of_the_frame(shape: str) -> None:
    for frames in (SCENES["float64"], SCENES["uint8"]):
        got = found(frames, (10**6 + 1, 10**6 + 1), None, shape)
        whole = wanted(frames.reshape(2, -1).astype(float), None)
        np.testing.assert_array_equal(got, np.broadcast_to(whole[:, None, None], got.shape))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    size=st.integers(0, 5).map(lambda n: 2 * n + 1),
    percentile=st.sampled_from([None, 0.0, 12.5, 80.0, 100.0]),
    exponent=st.integers(-300, 300),
    dtype=st.sampled_from(["f8", "f4", "u1"]),
)
def test_what_is_masked_units_and_cuts_change_no_bit(
    seed: int, size: int, percentile: float | None, exponent: int, dtype: str
) -> None:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 100, (2, 20, 11)).astype(dtype)
    mask = rng.random((2, 20, 11)) < 0.6
    got = found(frames, (size, size), percentile, "box", mask)
    for below in (0, 255):
        other = np.where(mask, frames, np.array(below, frames.dtype))
        np.testing.assert_array_equal(found(other, (size, size), percentile, "box", mask), got)
    band = found(frames[:, 3:17], (size, size), percentile, "box", mask[:, 3:17])
    halo = size // 2
    if 7 - halo >= 0 and halo + 7 <= 14:
        np.testing.assert_array_equal(band[:, halo : 14 - halo], got[:, 3 + halo : 17 - halo])
    if dtype == "f8":
        scaled = found(frames * 2.0**exponent, (size, size), percentile, "box", mask)
        np.testing.assert_array_equal(scaled, got * 2.0**exponent)
        below, above = (found(frames, (size, size), q, "box", mask) for q in (0.0, 100.0))
        known = np.isfinite(got)
        assert (below[known] <= got[known]).all()
        assert (got[known] <= above[known]).all()


def test_discs_are_those_of_scikit_image() -> None:
    for radius in range(6):
        runs = runs_of((2 * radius + 1,) * 2, "disc")
        image = np.zeros((2 * radius + 1,) * 2, bool)
        for _, row, reach in runs:
            image[row + radius, radius - reach : radius + reach + 1] = True
        np.testing.assert_array_equal(image, disk(radius).astype(bool))


def test_little_and_nothing() -> None:
    for dtype, sides in product(("f8", "u1"), ((3, 3), (1, 1), (41, 41))):
        one = np.full((1, 1, 1), 7, dtype)
        assert median_filter(one, sides).tolist() == [[[7.0]]]
        assert np.isnan(median_filter(one, sides, mask=np.zeros((1, 1, 1)))).all()
        assert median_filter(one[:0], sides).shape == (0, 1, 1)
        assert median_filter(one[:, :0], sides).shape == (1, 0, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: median_filter(x, (4, 3)), "an odd number is needed"),
        (lambda x: median_filter(x, (3,)), "a side for each axis"),
        (lambda x: percentile_filter(x, 101, (3, 3)), "from 0 to 100"),
        (lambda x: percentile_filter(x, float("nan"), (3, 3)), "from 0 to 100"),
        (lambda x: median_filter(x, (3, 3), mask=np.ones((2, 3))), "The mask has"),
        (lambda x: median_filter(x * 1j, (3, 3)), "real numbers are needed"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.zeros((2, 5, 5)))  # type: ignore[operator]
