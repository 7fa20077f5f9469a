"""Frames too large to be computed at once: cut into bands of rows, with what these reach."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.engine import Engine
from napari_framewise.engine.executors import POOL_NAME, pool
from napari_framewise.engine.job import STEP_SECONDS, one_blas_thread, rows_at
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import Block, Cost, MapBands, MapFrames
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_MOST_SECONDS = 2 * STEP_SECONDS
_OF_BUDGET = 0.75
_LEAST_ROWS = 8
_KEPT_BYTES = 48 * 2**20


def bands_of(
    stacks: Sequence[Stack | None],
    cost: Cost,
    halo: int | None,
    engine: Engine,
    rows: tuple[int, float, float] | None = None,
) -> MapFrames | MapBands:
    """How frames are cut that each answer for themselves.

    A frame stays whole where all blocks in flight fit into the budget and it takes at most 40 ms,
    or where `halo` is None: its result then depends on all of it.

    Parameters
    ----------
    stacks : sequence of Stack or None
        What is read; rows run along the axis that they have in the first.
    cost : Cost
        Bytes and seconds of a whole frame.
    halo : int, optional
        Rows beyond its own that a row of the result depends on.
    engine : Engine
        Its budget and workers.
    rows : tuple, optional
        Where the result has other rows than the frames: how many, and scale and offset of those
        that they lie on, ``scale * row + offset``.
    """
    given = [stack for stack in stacks if stack is not None]
    axis = rows_at(given)
    source = given[0].frame_shape[axis - 1]
    height, scale, offset = rows or (source, 1.0, 0.0)
    frame = sum(stack.frame_bytes for stack in given) + cost.output + cost.scratch
    share = _OF_BUDGET * engine.budget / (engine.executor.workers + 2)
    if halo is None or (frame <= share and cost.seconds <= _MOST_SECONDS):
        return MapFrames()
    by_bytes = share / max(1, frame) * height
    by_time = _MOST_SECONDS / cost.seconds * height if cost.seconds else math.inf
    beside = math.ceil(2 * halo / max(abs(scale), 1e-9))
    # At least as many rows as are computed beside them, or most of the work would be thrown away.
    band = max(int(min(by_bytes, by_time)) - beside, beside, _LEAST_ROWS)
    if band >= height:
        return MapFrames()
    return MapBands(halo, band, height, axis, source, scale, offset)


def per_row(cost: Cost, work: MapBands) -> Cost:
    """What one row of a band takes of what a frame does, with its share of the halo."""
    part = work.share / work.height
    return Cost(
        output=math.ceil(cost.output / work.height),
        scratch=math.ceil(cost.scratch * part),
        seconds=cost.seconds * part,
    )


class BandedFrames(LazyFrames):
    """Lazy frames computed in bands of rows: those that are looked at, side by side on the pool.

    Takes the parameters of `LazyFrames`; `work` is `MapBands`.
    """

    def frame(self, number: int) -> Array:
        """One frame, of `frame_shape`."""
        return self._rows(number, 0, self._bands.height)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Extent of what is computed at once."""
        inner = list(self.frame_shape)
        inner[self._bands.axis - 1] = min(self._bands.band, self._bands.height)
        return self._ordered((*(1 for _ in self.leading_shape), *inner))

    @property
    def _bands(self) -> MapBands:
        assert isinstance(self.work, MapBands)
        return self.work

    def _part(self, number: int, inside: Sequence[Any]) -> Array:
        axis, height = self._bands.axis - 1, self._bands.height
        key = inside[axis]
        chosen = np.arange(height)[key]
        if chosen.size == 0:
            return np.asarray(np.empty((1, *self.frame_shape), self.dtype)[(0, *inside)])
        first, last = int(chosen.min()), int(chosen.max())
        rows = self._rows(number, first, last + 1)
        keys = [*inside]
        keys[axis] = chosen - first
        for place in reversed(range(len(keys))):
            rows = rows[(*(slice(None),) * place, keys[place])]
        return np.asarray(rows)

    def _frames(self, numbers: npt.NDArray[np.int64], inside: Sequence[Any]) -> Array:
        parts = [self._part(int(number), inside) for number in numbers]
        if parts:
            return np.stack(parts)
        return np.empty((0, *self._part(0, inside).shape), self.dtype)

    def _rows(self, number: int, first: int, stop: int) -> Array:
        """Some rows of a frame, put together from bands."""
        work = self._bands
        axis = work.axis - 1
        numbers = range(first // work.band, -(-stop // work.band))
        # On a thread of the pool others wait for threads as well: then one after the other.
        alone = threading.current_thread().name.startswith(POOL_NAME) or len(numbers) == 1
        with one_blas_thread():
            each = map if alone else pool().map
            bands = list(each(self._band, [number] * len(numbers), numbers))
        start = numbers[0] * work.band
        found = bands[0] if len(bands) == 1 else np.concatenate(bands, axis=axis)
        return found[(*(slice(None),) * axis, slice(first - start, stop - start))]

    def _band(self, number: int, band: int) -> Array:
        key = (number, band)
        with self._lock:
            kept = self._blocks.get(key)
            if kept is not None:
                self._blocks.move_to_end(key)
                return np.asarray(kept[0])
        work = self._bands
        start = number * work.height + band * work.band
        stop = min(start + work.band, (number + 1) * work.height)
        block = work.block((start, stop), self.stacks)
        return np.asarray(self._for_all(key, block, 1)[0])

    def _shape_of(self, block: Block) -> tuple[int, ...]:
        shape = list(self.frame_shape)
        shape[self._bands.axis - 1] = block.length
        return tuple(shape)

    def _keep(self, key: tuple[int, int], block: Array) -> None:
        most = max(_KEPT_BYTES, math.prod(self.frame_shape) * self.dtype.itemsize)
        with self._lock:
            self._blocks[key] = block
            while len(self._blocks) > 1 and sum(a.nbytes for a in self._blocks.values()) > most:
                self._blocks.popitem(last=False)
