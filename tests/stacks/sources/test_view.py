"""The array-like behaves as the array behind it, and reads no more than it must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.stacks.source import Array, ArraySource, Region
from napari_framewise.stacks.sources.view import SourceView

DATA = np.arange(6 * 5 * 4, dtype=">i2").reshape(6, 5, 4)


@dataclass
class Counting:
    """A source that notes what was read of it."""

    array: Array
    chunks: tuple[int, ...] | None = None
    regions: list[Region] = field(default_factory=list)
    paths: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def read(self, region: Region) -> Array:
        self.regions.append(region)
        return self.array[region]


def parts(length: int) -> st.SearchStrategy[int | slice]:
    return st.integers(-length, length - 1) | st.slices(length)


@st.composite
def keys(draw: st.DrawFn) -> Any:
    key: list[Any] = [draw(parts(length)) for length in DATA.shape]
    first = draw(st.integers(0, 3))
    last = draw(st.integers(first, 3))
    if draw(st.booleans()):
        key[first:last] = [Ellipsis]
        return tuple(key)
    return tuple(key[:first]) if first != 1 else key[0]


@pytest.mark.parametrize("chunks", [None, (1, 5, 4), (4, 2, 3)])
@given(key=keys())
def test_an_index_gives_what_numpy_gives(chunks: tuple[int, ...] | None, key: Any) -> None:
    view = SourceView(Counting(DATA, chunks))
    found = view[key]
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.dtype("i2")
    np.testing.assert_array_equal(found, DATA[key])


def test_it_has_what_a_layer_asks_for() -> None:
    view = SourceView(ArraySource(DATA))
    assert (view.shape, view.ndim, view.size, view.nbytes, len(view)) == ((6, 5, 4), 3, 120, 240, 6)
    assert view.dtype == np.int16
    assert view.dtype.isnative
    np.testing.assert_array_equal(np.asarray(view), DATA)
    np.testing.assert_array_equal(np.asarray(view, np.float32), DATA.astype(np.float32))
    with pytest.raises(ValueError, match="makes a copy"):
        np.asarray(view, copy=False)


def test_a_frame_is_read_alone_where_the_format_has_no_chunks() -> None:
    source = Counting(DATA)
    _ = SourceView(source)[3]
    assert source.regions == [(slice(3, 4, 1), slice(0, 5, 1), slice(0, 4, 1))]


def test_neighbours_in_a_chunk_are_read_once() -> None:
    source = Counting(DATA, (3, 5, 4))
    view = SourceView(source)
    for number in (0, 1, 2, 1, 5, 4, 0):
        np.testing.assert_array_equal(view[number], DATA[number])
    assert [region[0] for region in source.regions] == [slice(0, 3, 1), slice(3, 6, 1)]


def test_what_is_too_large_is_not_kept() -> None:
    large = np.broadcast_to(np.uint8(7), (60, 1024, 1024))
    source = Counting(large, (60, 1024, 1024))
    view = SourceView(source)
    _ = view[0], view[0]
    assert [region[0] for region in source.regions] == [slice(0, 1, 1)] * 2


def blocks_of(view: SourceView) -> Iterator[Array]:
    yield from view._blocks.values()


def test_the_oldest_blocks_make_room() -> None:
    large = np.broadcast_to(np.uint8(7), (8, 4096, 4096))
    view = SourceView(Counting(large, (1, 4096, 4096)))
    for number in range(8):
        _ = view[number]
    assert sum(block.nbytes for block in blocks_of(view)) <= 48 * 2**20


@pytest.mark.parametrize(
    ("key", "error", "sentence"),
    [
        (6, IndexError, "out of bounds"),
        ((0, 0, -5), IndexError, "out of bounds"),
        ((0, 0, 0, 0), IndexError, "4 indices were given for 3 axes"),
        ((..., ...), IndexError, "single ellipsis"),
        (np.array([1, 2]), TypeError, "ndarray"),
        (None, TypeError, "NoneType"),
    ],
)
def test_other_indices_are_refused(key: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        _ = SourceView(ArraySource(DATA))[key]
