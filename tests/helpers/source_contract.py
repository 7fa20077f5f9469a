"""What every source must keep: inherit `SourceContract` and say how its file is written.

A source's tests hold a subclass with a fixture `source` that gives one of `FRAMES`::

    class TestContract(SourceContract):
        @pytest.fixture
        def source(self, tmp_path):
            np.save(tmp_path / "a.npy", FRAMES)
            return open_stack(tmp_path / "a.npy").source
"""

from __future__ import annotations

import os
import pickle
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_framewise.stacks.source import Array, ArraySource, Source
from napari_framewise.stacks.sources.dasks import DaskSource

SHAPE = (9, 37, 21)
FRAMES = np.random.default_rng(1).integers(0, 60000, SHAPE).astype(np.uint16)
WHOLE = tuple(slice(0, length, 1) for length in SHAPE)


def slices(length: int) -> st.SearchStrategy[slice]:
    ends = st.tuples(st.integers(0, length), st.integers(0, length)).map(sorted)
    return st.builds(lambda bounds, step: slice(*bounds, step), ends, st.integers(1, length))


REGIONS = st.tuples(*(slices(length) for length in SHAPE))


class SourceContract:
    """What every source must keep."""

    @pytest.fixture
    def source(self) -> Source:
        """A source of `FRAMES`; each subclass has its own."""
        raise NotImplementedError

    @settings(
        max_examples=25,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(region=REGIONS)
    def test_any_region_is_what_numpy_slices(
        self, source: Source, region: tuple[slice, ...]
    ) -> None:
        block = source.read(region)
        assert isinstance(block, np.ndarray)
        assert block.dtype.newbyteorder("=") == FRAMES.dtype
        np.testing.assert_array_equal(block, FRAMES[region])

    def test_it_says_what_it_is(self, source: Source) -> None:
        assert isinstance(source, Source)
        assert source.shape == SHAPE
        assert source.dtype.newbyteorder("=") == np.uint16
        assert source.chunks is None or len(source.chunks) == len(SHAPE)
        assert all(Path(path).exists() for path in source.paths)

    def test_chunk_by_chunk_is_the_whole(self, source: Source) -> None:
        step = (source.chunks or (1, *SHAPE[1:]))[0]
        parts = [
            source.read((slice(start, min(start + step, SHAPE[0]), 1), *WHOLE[1:]))
            for start in range(0, SHAPE[0], step)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), source.read(WHOLE))

    def test_a_pickled_copy_is_small_and_reads_the_same(self, source: Source) -> None:
        packed = pickle.dumps(source)
        if not isinstance(source, DaskSource | ArraySource):
            # Of several parts the place of each.
            assert len(packed) < 1500 + 400 * len(getattr(source, "parts", ()))
        region = (slice(2, 7, 2), slice(5, 30, 1), slice(0, 21, 3))
        np.testing.assert_array_equal(
            pickle.loads(packed).read(region),  # noqa: S301
            FRAMES[region],
        )

    def test_threads_read_at_the_same_time(self, source: Source) -> None:
        regions = [(slice(n, n + 1, 1), slice(n, 37, 1), slice(0, 21, 1)) for n in range(9)] * 4

        def read(region: tuple[slice, ...]) -> Array:
            return source.read(region)

        with ThreadPoolExecutor(6) as pool:
            for region, block in zip(regions, pool.map(read, regions), strict=True):
                np.testing.assert_array_equal(block, FRAMES[region])

    def test_reading_holds_few_files_open(self, source: Source) -> None:
        if not sys.platform.startswith("linux"):
            pytest.skip("open files are counted through /proc")
        source.read(WHOLE)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            pickle.loads(pickle.dumps(source)).read(WHOLE)  # noqa: S301
        assert len(os.listdir("/proc/self/fd")) <= before + 2

    def test_a_small_region_takes_little_memory(self, source: Source) -> None:
        source.read(WHOLE)
        tracemalloc.start()
        try:
            source.read((slice(0, 1, 1), *WHOLE[1:]))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 4 * FRAMES.nbytes + 2**20
