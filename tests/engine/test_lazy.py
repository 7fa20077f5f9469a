from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.engine import computations as do
from tests.engine.conftest import Drain

from napari_framewise.engine import Engine
from napari_framewise.engine.lazy import LazyFrames, computed_together
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.work import Cost, MapFrames, MapNeighbours
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.stack import Selection, stack_of

VOLUMES = np.random.default_rng(3).integers(0, 30_000, (4, 5, 6, 7), dtype=np.uint16)


COMPUTED: list[int] = []


def doubled(block: np.ndarray, *, out: np.ndarray) -> None:
    out[...] = 2.0 * block


def both(block: np.ndarray, *, out: tuple[np.ndarray, np.ndarray]) -> None:
    COMPUTED.append(len(block))
    first, second = out
    do.negative(block, out=first)
    doubled(block, out=second)


def negatives(block_frames: int | None = 3, **choice: Any) -> LazyFrames:
    stack = stack_of(VOLUMES, axes=tuple("pqyx"), selection=Selection((0, 1), **choice))
    return LazyFrames(stack, do.negative, dtype=np.int32, block_frames=block_frames)


@given(hnp.basic_indices(VOLUMES.shape, allow_newaxis=False), st.sampled_from([1, 3, 100, None]))
def test_indexes_like_numpy(key: Any, block_frames: int | None) -> None:
    wanted = -VOLUMES.astype(np.int32)[key]
    found = negatives(block_frames)[key]
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, wanted)


@given(
    st.integers(0, 3),
    hnp.arrays(np.int64, st.integers(0, 6), elements=st.integers(-4, 3)),
    st.booleans(),
)
def test_takes_index_arrays_axis_by_axis(axis: int, chosen: np.ndarray, as_list: bool) -> None:
    key = (*[slice(None)] * axis, chosen.tolist() if as_list and len(chosen) else chosen)
    np.testing.assert_array_equal(negatives()[key], -VOLUMES.astype(np.int32)[key])
    twice = negatives()[[3, 0], :, [1, 2, 2]]
    np.testing.assert_array_equal(twice, -VOLUMES.astype(np.int32)[[3, 0]][:, :, [1, 2, 2]])


def test_describes_itself_as_an_array_does() -> None:
    lazy = negatives()
    assert (lazy.shape, lazy.ndim, lazy.size) == ((4, 5, 6, 7), 4, 840)
    assert (lazy.dtype, lazy.nbytes, len(lazy)) == (np.dtype(np.int32), 3360, 4)
    assert repr(lazy) == "<LazyFrames 4 x 5 x 6 x 7, int32>"
    np.testing.assert_array_equal(np.asarray(lazy), -VOLUMES.astype(np.int32))
    assert np.asarray(lazy, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy cannot be avoided"):
        np.asarray(lazy, copy=False)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "take no new axis"),
        ((0,) * 5, "5 indices were given for an array of 4 dimensions"),
        ((..., 0, ...), "only one ellipsis"),
        (4, "out of bounds"),
        ((0, 0, 6), "out of bounds"),
    ],
)
def test_a_bad_index_is_an_index_error(key: Any, message: str) -> None:
    with pytest.raises(IndexError, match=message):
        negatives()[key]


def test_chosen_frames_run_along_one_axis() -> None:
    lazy = negatives(frames=(3, 17, 4))
    assert lazy.shape == (4, 6, 7)
    np.testing.assert_array_equal(lazy[...], -VOLUMES.astype(np.int32).reshape(20, 6, 7)[3:17:4])


def test_a_single_image_stays_one() -> None:
    lazy = LazyFrames(stack_of(VOLUMES[0, 0]), do.negative, dtype=np.int32)
    assert lazy.shape == (6, 7)
    np.testing.assert_array_equal(lazy[2:], -VOLUMES[0, 0, 2:].astype(np.int32))


def test_computes_around_what_is_looked_at_and_keeps_it() -> None:
    seen: list[int] = []

    def watched(block: np.ndarray, *, out: np.ndarray) -> None:
        seen.append(len(block))
        do.negative(block, out=out)

    data = np.arange(100 * 6, dtype=np.int16).reshape(100, 2, 3)
    lazy = LazyFrames(stack_of(data), watched, dtype=np.int16, block_frames=10)
    for frame in (42, 45, 49, 40):
        np.testing.assert_array_equal(lazy[frame], -data[frame])
    assert seen == [10]
    for frame in range(0, 100, 10):
        lazy[frame]
    # Two blocks more than the cache holds: the first two have left it.
    assert len(seen) == 10
    lazy[95], lazy[20]
    assert len(seen) == 10
    lazy[19]
    assert len(seen) == 11


def test_one_computation_serves_all_images_of_a_group() -> None:
    data = np.arange(30 * 6, dtype=np.int16).reshape(30, 2, 3)
    stack = stack_of(data)
    # Of types and times that alone would be computed in blocks of other lengths.
    images = [
        LazyFrames(stack, do.negative, dtype=np.int16, cost=Cost(seconds=1e-3)),
        LazyFrames(stack, doubled, dtype=np.float64, cost=Cost(seconds=2e-3)),
    ]
    computed_together(images, both)
    negative, double = images[0].in_order((0, 2, 1)), images[1]
    COMPUTED.clear()
    for frame in (3, 4, 0, 29):
        np.testing.assert_array_equal(negative[frame], -data[frame].T)
        np.testing.assert_array_equal(double[frame], 2 * data[frame])
    assert len(COMPUTED) == 2
    COMPUTED.clear()
    again = pickle.loads(pickle.dumps((negative, double)))  # noqa: S301
    for each, whole in zip(again, (-data.transpose(0, 2, 1), 2 * data), strict=True):
        np.testing.assert_array_equal(each[7], whole[7])
        np.testing.assert_array_equal(each[...], whole)
    assert 1 <= len(COMPUTED) <= 2


def test_finds_out_how_many_frames_are_quick_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if a block might take a second, so that a busy machine does not matter.
    monkeypatch.setattr("napari_framewise.engine.lazy.STEP_SECONDS", 1.0)

    def tenth_of_a_second(block: np.ndarray, *, out: np.ndarray) -> None:
        time.sleep(0.1 * len(block))
        do.negative(block, out=out)

    stack = stack_of(np.zeros((1000, 2, 3), np.int16))
    slow = LazyFrames(stack, tenth_of_a_second, dtype=np.int16)
    quick = LazyFrames(stack, do.negative, dtype=np.int16)
    for frame in (500, 501, 502):
        slow[frame], quick[frame]
    assert slow.chunks[0] < 10 < quick.chunks[0]
    known = LazyFrames(stack, do.negative, dtype=np.int16, cost=Cost(seconds=0.25))
    assert known.chunks == (4, 2, 3)


def test_what_is_looked_at_cannot_spoil_the_cache() -> None:
    lazy = negatives()
    with pytest.raises(ValueError, match="read-only"):
        lazy[1, 2][0, 0] = 5
    whole = lazy[...]
    whole[...] = 0
    np.testing.assert_array_equal(lazy[1, 2], -VOLUMES[1, 2].astype(np.int32))


def test_sees_neighbours(movie: np.ndarray) -> None:
    lazy = LazyFrames(
        stack_of(movie), do.window_means, dtype=np.float64, work=MapNeighbours(2, 1), block_frames=7
    )
    for frame in (0, 6, 7, 700, 1499):
        wanted = movie[max(0, frame - 2) : frame + 2].mean(0)
        np.testing.assert_allclose(lazy[frame], wanted)
    np.testing.assert_allclose(lazy[5:30, 3], np.stack([lazy[frame][3] for frame in range(5, 30)]))


def test_frames_with_their_own_coefficients(movie: np.ndarray) -> None:
    coefficients = np.linspace(0, 1, 1500, dtype=np.float32)[:, None]
    lazy = LazyFrames(
        [stack_of(movie), stack_of(coefficients, axes=("t", "k"))],
        do.add_from_twins,
        dtype=np.float32,
    )
    np.testing.assert_allclose(lazy[...], movie * coefficients[:, :, None], rtol=1e-6)
    with pytest.raises(ValueError, match="have 1499, 1500 frames"):
        LazyFrames(
            [stack_of(movie), stack_of(coefficients[1:], axes=("t", "k"))],
            do.add_from_twins,
            dtype=np.float32,
        )


def test_may_be_looked_at_from_several_threads(movie: np.ndarray) -> None:
    lazy = LazyFrames(stack_of(movie), do.negative, dtype=np.int32, block_frames=16)
    at_once = threading.Barrier(4)
    rng = np.random.default_rng(0)

    def look(frames: np.ndarray) -> bool:
        at_once.wait()
        return all((lazy[frame] == -movie[frame].astype(np.int32)).all() for frame in frames)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(look, rng.integers(0, 1500, (4, 300))))


def test_pickles_without_what_it_has_computed(movie: np.ndarray) -> None:
    source = stack_of(movie[:20])
    lazy = LazyFrames(source, do.negative, dtype=np.int64)
    before = len(pickle.dumps(lazy))
    lazy[3]
    lazy[4]
    lazy[5]
    assert len(pickle.dumps(lazy)) <= before + 20
    again = pickle.loads(pickle.dumps(lazy))  # noqa: S301
    np.testing.assert_array_equal(again[...], lazy[...])


def test_is_a_source_for_the_next(engine: Engine, drain: Drain) -> None:
    lazy = negatives()
    assert isinstance(lazy, Source)
    assert lazy.chunks == (1, 3, 6, 7)
    stack = stack_of(lazy, axes=tuple("pqyx"))
    values, _ = drain(run_pass(MapFrames(), do.frame_sums, [stack], engine=engine))
    wanted = -VOLUMES.astype(float).sum(axis=(2, 3)).ravel()
    np.testing.assert_array_equal(np.concatenate(values), wanted)


def test_paths_are_those_of_all_files() -> None:
    one, other = do.Mapped("/one.npy"), do.Mapped("/other.npy")
    lazy = object.__new__(LazyFrames)
    for sources, paths in [
        ((one, other), ("/one.npy", "/other.npy")),
        ((one, stack_of(VOLUMES).source), ("/one.npy",)),
        ((stack_of(VOLUMES).source,), ()),
    ]:
        lazy.stacks = tuple(_Bare(source) for source in sources)
        assert lazy.paths == paths


class _Bare:
    def __init__(self, source: Any) -> None:
        self.source = source


@given(st.permutations(range(4)), st.data())
def test_any_order_of_axes_indexes_like_numpy(order: list[int], data: st.DataObject) -> None:
    stack = stack_of(VOLUMES, axes=tuple("pqyx"), selection=Selection((0, 1)))
    lazy = LazyFrames(stack, do.negative, dtype=np.int32, order=order, block_frames=3)
    wanted = -VOLUMES.astype(np.int32).transpose(order)
    assert lazy.shape == wanted.shape
    key = data.draw(hnp.basic_indices(wanted.shape, allow_newaxis=False))
    np.testing.assert_array_equal(lazy[key], wanted[key])
