"""Missing pixels are NaN where the data are read: masks, None, and values that stand for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_framewise.io import open_stack
from napari_framewise.stacks.stack import Selection, stack_of

COUNTS = np.array([[[1, 0], [255, 7]], [[0, 0], [3, 4]]], np.uint8)


@pytest.mark.parametrize(
    ("dtype", "read_as"),
    [("u1", "f4"), (">i2", "f4"), ("i4", "f8"), ("u8", "f8"), ("f4", "f4"), ("f8", "f8")],
)
def test_a_value_is_read_as_nan_in_any_type(dtype: str, read_as: str) -> None:
    stack = stack_of(COUNTS.astype(dtype), no_data=0)
    frames = stack.read(0, 2)
    assert stack.dtype == frames.dtype == np.dtype(read_as)
    wanted = np.where(COUNTS == 0, np.nan, COUNTS)
    np.testing.assert_array_equal(frames, wanted)


@pytest.mark.parametrize("value", [-9999, 256, 0.5, 1e300, np.nan])
def test_a_value_that_no_pixel_can_have_changes_nothing(value: float) -> None:
    stack = stack_of(COUNTS, no_data=value)
    assert stack.dtype == np.uint8
    np.testing.assert_array_equal(stack.read(0, 2), COUNTS)


def test_a_typed_value_that_no_pixel_can_have_is_said() -> None:
    stack = stack_of(COUNTS).select(Selection(no_data=-9999))
    assert "no pixel of uint8 can be -9999: none is missing" in stack.account
    assert not stack.select(Selection(no_data=255)).notes
    assert not stack_of(COUNTS, no_data=-9999).notes, "a file's own declaration is no slip"


def test_a_value_is_compared_as_the_data_hold_it() -> None:
    lowest = float(np.finfo(np.float32).min)
    data = np.array([[0.1, lowest, np.inf]], np.float32)[None]
    for value in (0.1, lowest, np.inf):
        found = stack_of(data, no_data=value).read(0, 1)
        assert np.isnan(found).sum() == 1
    np.testing.assert_array_equal(stack_of(data, no_data=-1e300).read(0, 1), data)


def test_the_selection_goes_before_the_file() -> None:
    stack = stack_of(COUNTS, no_data=0).select(Selection(no_data=255))
    np.testing.assert_array_equal(np.isnan(stack.read(0, 2)), COUNTS == 255)


def test_a_value_is_named_when_a_file_is_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "counts.npy", COUNTS)
    stack = open_stack(tmp_path / "counts.npy", no_data=7)
    np.testing.assert_array_equal(np.isnan(stack.read(0, 2)), COUNTS == 7)


def masked(kind: str) -> Any:
    values = np.arange(24.0).reshape(2, 3, 4)
    wrong = np.ma.masked_array(values, values % 5 == 0)
    objects = np.where(values % 5 == 0, None, values)
    return {
        "numpy": wrong,
        "dask": da.from_array(wrong, chunks=(1, 2, 4)),
        "dask of integers": da.from_array(wrong.astype(np.int16), chunks=(2, 2, 3)),
        "dask, masked later": da.ma.masked_where(values % 5 == 0, da.from_array(values)),
        "objects": objects,
        "dask of objects": da.from_array(objects, chunks=(1, 3, 4)),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "numpy",
        "dask",
        "dask of integers",
        "dask, masked later",
        "objects",
        "dask of objects",
    ],
)
def test_masks_and_none_are_nan(kind: str) -> None:
    stack = stack_of(masked(kind))
    values = np.arange(24.0).reshape(2, 3, 4)
    wanted = np.where(values % 5 == 0, np.nan, values)
    assert stack.dtype.kind == "f"
    for start in range(2):
        np.testing.assert_array_equal(stack.frame(start), wanted[start])
    assert stack.read(0, 2).dtype == stack.dtype


class Lazy:
    """What slices like NumPy and gives masked arrays where it is read."""

    shape, dtype = (2, 3, 4), np.dtype(float)

    def __getitem__(self, key: Any) -> Any:
        return masked("numpy")[key]


def test_masks_of_other_array_likes_are_nan() -> None:
    assert np.isnan(stack_of(Lazy()).read(0, 2)).sum() == 5


def test_a_zarr_is_read_with_the_value_typed(tmp_path: Path) -> None:
    array = zarr.create_array(tmp_path / "a.zarr", shape=COUNTS.shape, dtype="u1", chunks=(1, 2, 2))
    array[:] = COUNTS
    stack = open_stack(tmp_path / "a.zarr", no_data=0)
    np.testing.assert_array_equal(np.isnan(stack.read(0, 2)), COUNTS == 0)
