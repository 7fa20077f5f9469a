"""Dask arrays: computed where they are read, and no more of them than is read."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_framewise.stacks.sources.dasks import DaskSource
from napari_framewise.stacks.stack import stack_of

FRAMES = np.random.default_rng(0).integers(0, 99, (12, 5, 4)).astype(np.uint16)


def test_a_dask_array_becomes_a_stack() -> None:
    stack = stack_of(da.from_array(FRAMES, chunks=(3, 5, 4)))
    assert isinstance(stack.source, DaskSource)
    assert stack.source.chunks == (3, 5, 4)
    assert stack.source.paths == ()
    np.testing.assert_array_equal(stack.read(2, 9), FRAMES[2:9])


def test_only_the_chunks_that_are_read_are_computed() -> None:
    computed: list[int] = []

    def load(block: np.ndarray, block_info: dict | None = None) -> np.ndarray:
        computed.append(int(block[0, 0, 0]))
        return block

    numbered = np.broadcast_to(np.arange(12)[:, None, None], (12, 5, 4))
    array = da.from_array(numbered, chunks=(3, 5, 4)).map_blocks(load, meta=numbered[:0])
    block = stack_of(array).read(4, 6)
    assert block[:, 0, 0].tolist() == [4, 5]
    assert computed == [3]


def test_uneven_chunks_give_the_largest() -> None:
    array = da.from_array(FRAMES, chunks=((5, 7), (2, 3), 4))
    assert DaskSource(array).chunks == (7, 3, 4)


def test_lengths_that_are_not_known_are_refused() -> None:
    array = da.from_array(FRAMES, chunks=(3, 5, 4))
    unknown = array[array[:, 0, 0] > 50]
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        stack_of(unknown)
