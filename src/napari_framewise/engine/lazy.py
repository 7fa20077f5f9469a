"""Frames computed as one looks at them: an array-like that is also a source."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.engine.job import STEP_SECONDS, Job, Pace, rows_at
from napari_framewise.engine.sinks import Several
from napari_framewise.engine.work import Block, Cost, MapBands, MapFrames, MapNeighbours
from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.stack import Stack

_BLOCK_BYTES = 2 * 2**20
_MOST_FRAMES = 256
_CACHED_BLOCKS = 8


class LazyFrames:
    """Frames that a function makes of a stack's frames, block by block, as they are looked at.

    It may be looked at from several threads, pickled (the computed blocks stay behind), given to
    napari as a layer's data, and used as the source of a further stack.

    Parameters
    ----------
    stacks : Stack or sequence of Stack or None
        As `run_pass` takes them. What differs from frame to frame (coefficients,
        transforms) comes as a further stack: `stack_of(x, axes=("t", "k"))` has frames of (K,).
    function : callable
        Importable: `function(*blocks, *context, out=array)` fills `out`, (n, *frame_shape); the
        same that `run_pass(..., into=)` takes.
    context : sequence
        Further arguments, the same for all blocks.
    dtype : dtype
        Of the result.
    frame_shape : tuple of int, optional
        Of the result, as the function fills it; by default the first stack's.
    order : sequence of int, optional
        For each axis of the array its number among the leading axes and those of `frame_shape`:
        the order in which the data have them. By default the leading axes come first.
    block_frames : int, optional
        Frames computed at once; by default what takes about 20 ms and 2 MiB.
    cost : Cost
        Bytes and seconds of a frame; seconds are measured where they are not given.
    work : MapFrames, MapNeighbours or MapBands
        Whether the function sees neighbours, or frames in bands.
    """

    def __init__(
        self,
        stacks: Stack | Sequence[Stack | None],
        function: Callable[..., Any],
        context: Sequence[Any] = (),
        *,
        dtype: npt.DTypeLike,
        frame_shape: tuple[int, ...] | None = None,
        order: Sequence[int] | None = None,
        block_frames: int | None = None,
        cost: Cost = Cost(),  # noqa: B008 - frozen
        work: MapFrames | MapNeighbours | MapBands = MapFrames(),  # noqa: B008 - frozen
    ) -> None:
        every = (stacks,) if isinstance(stacks, Stack) else tuple(stacks)
        self.given = tuple(stack is not None for stack in every)
        self.stacks = tuple(stack for stack in every if stack is not None)
        lengths = [stack.n_frames for stack in self.stacks]
        if any(length not in (1, lengths[0]) for length in lengths):
            named = ", ".join(map(str, sorted(set(lengths))))
            raise ValueError(
                f"The stacks have {named} frames; give stacks with equal numbers of frames, or one "
                "frame for all."
            )
        first = self.stacks[0]
        self.function, self.context, self.work, self.cost = function, tuple(context), work, cost
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.frame_shape = first.frame_shape if frame_shape is None else tuple(frame_shape)
        self.leading_shape = first.leading_shape
        count = len(self.leading_shape) + len(self.frame_shape)
        self.order = tuple(range(count)) if order is None else tuple(order)
        each = math.prod(self.frame_shape) * self.dtype.itemsize + cost.scratch
        each += sum(stack.frame_bytes for stack in self.stacks)
        self._most = max(1, min(_MOST_FRAMES, _BLOCK_BYTES // max(1, each)))
        self._block = block_frames
        if block_frames is None and cost.seconds:
            self._block = self._fitting(cost.seconds)
        self._calls = 0
        self._group: tuple[LazyFrames, ...] = (self,)
        self._place = 0
        self._fill_group: Callable[..., Any] = function
        self._forget()

    # -- what it is ----------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the frame axes where all frames are chosen, else their number; the frame."""
        return self._ordered((*self.leading_shape, *self.frame_shape))

    @property
    def frame_order(self) -> tuple[int, ...]:
        """For each axis of a frame of the array its number in `frame_shape`."""
        leading = len(self.leading_shape)
        return tuple(number - leading for number in self.order if number >= leading)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements, had they been computed."""
        return self.size * self.dtype.itemsize

    @property
    def inputs(self) -> tuple[Stack | None, ...]:
        """The stacks as they were given, None in the place of what was not."""
        stacks = iter(self.stacks)
        return tuple(next(stacks) if there else None for there in self.given)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return math.prod(self.leading_shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Extent of what is computed at once."""
        frames = self._block or self._most
        leading = [1] * len(self.leading_shape)
        if leading:
            leading[-1] = max(1, min(frames, self.leading_shape[-1]))
        return self._ordered((*leading, *self.frame_shape))

    @property
    def paths(self) -> tuple[str, ...]:
        """Files behind the stacks."""
        return tuple(path for stack in self.stacks for path in stack.source.paths)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A single value has no length.")
        return self.shape[0]

    def __repr__(self) -> str:
        size = " x ".join(str(length) for length in self.shape)
        return f"<LazyFrames {size}, {self.dtype}>"

    def __getstate__(self) -> dict[str, Any]:
        kept = self.__dict__.copy()
        del kept["_lock"], kept["_blocks"]
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def in_order(self, order: Sequence[int]) -> LazyFrames:
        """The same array with its axes as `numpy.transpose(array, order)` has them."""
        turned = copy.copy(self)
        turned.order = tuple(self.order[axis] for axis in order)
        return turned

    # -- looking -------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Array:
        """Elements: integers, slices, an ellipsis, and index arrays taken axis by axis."""
        given = _each_axis(key, self.shape)
        keys = [given[self.order.index(number)] for number in range(self.ndim)]
        leading, inside = keys[: len(self.leading_shape)], keys[len(self.leading_shape) :]
        numbers = _numbers(leading, self.leading_shape)
        if numbers.ndim == 0:
            found = self._part(int(numbers), inside)
        else:
            frames = self._frames(numbers.ravel(), inside)
            found = frames.reshape(*numbers.shape, *frames.shape[1:])
        return np.asarray(found.transpose(_order_left(keys, self.order)))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("Lazy frames are computed: a copy cannot be avoided.")
        whole = self[...]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def read(self, region: Region) -> Array:
        """Elements of a region, as a source gives them."""
        return self[region]

    def frame(self, number: int) -> Array:
        """One frame, of `frame_shape`."""
        start, block = self._cached(number)
        frame: Array = block[number - start]
        return frame

    def _part(self, number: int, inside: Sequence[Any]) -> Array:
        """An index into one frame."""
        return np.asarray(_inside(self.frame(number)[np.newaxis], inside)[0])

    def _frames(self, numbers: npt.NDArray[np.int64], inside: Sequence[Any]) -> Array:
        """Frames by number, computed straight into the result where they follow each other."""
        count = len(numbers)
        probe = _inside(np.empty((0, *self.frame_shape), self.dtype), inside)
        whole = all(
            isinstance(key, slice) and key.indices(length) == (0, length, 1)
            for key, length in zip(inside, self.frame_shape, strict=True)
        )
        shape = (count, *probe.shape[1:])
        found = self._empty(count) if whole else np.empty(shape, self.dtype)
        consecutive = count > 1 and bool(np.all(np.diff(numbers) == 1))
        at = 0
        while at < count:
            most = self._block or self._most
            if consecutive and count - at >= most:
                start = int(numbers[at])
                if whole:
                    self._compute(start, start + most, found[at : at + most])
                else:
                    piece = self._compute(start, start + most)
                    found[at : at + most] = _inside(piece, inside)
                at += most
                continue
            start, block = self._cached(int(numbers[at]))
            run = at + 1
            while run < count and start <= numbers[run] < start + len(block):
                run += 1
            found[at:run] = _inside(block[numbers[at:run] - start], inside)
            at = run
        return found

    def _cached(self, number: int) -> tuple[int, Array]:
        """The block that a frame is in, and its first frame's number."""
        size = self._block or 1
        start = number - number % size
        key = (start, size)
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
                return start, block
        stop = min(start + size, self.n_frames)
        with self._timed(stop - start):
            block = self._for_all(key, self.work.block((start, stop), self.stacks), stop - start)
        return start, block

    def _compute(self, start: int, stop: int, out: Array | None = None) -> Array:
        if out is None:
            out = self._empty(stop - start)
        with self._timed(stop - start):
            self._run(self.work.block((start, stop), self.stacks), out, self.function)
        return out

    @contextmanager
    def _timed(self, frames: int) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._calls += 1
        # The first call may have compiled something: the second tells what a frame takes.
        if self._block is None and self._calls > 1:
            self._block = self._fitting((time.perf_counter() - began) / frames)
            for each in self._group:
                each._block = self._block

    def _for_all(self, key: tuple[int, int], block: Block, count: int) -> Array:
        """A block of each of the group, computed at once and kept; this one's."""
        # An array in another order, or a pickled one, is no longer the one that was put together.
        group = [*self._group[: self._place], self, *self._group[self._place + 1 :]]
        outs = Several(each._empty(count, each._shape_of(block)) for each in group)
        arrays = tuple(outs)
        self._run(block, outs if len(arrays) > 1 else arrays[0], self._fill_group)
        for each, out in zip(group, arrays, strict=True):
            # What a viewer gets is a view of the cache.
            out.flags.writeable = False
            each._keep(key, out)
        return arrays[self._place]

    def _shape_of(self, block: Block) -> tuple[int, ...]:
        """Of a frame of a block."""
        return self.frame_shape

    def _keep(self, key: tuple[int, int], block: Array) -> None:
        with self._lock:
            self._blocks[key] = block
            while len(self._blocks) > _CACHED_BLOCKS:
                self._blocks.popitem(last=False)

    def _run(self, block: Block, out: Any, function: Callable[..., Any]) -> None:
        """Compute a block."""
        job = Job(
            work=self.work,
            function=function,
            stacks=self.stacks,
            context=self.context,
            merge=None,
            into=None,
            span=block.length,
            step=block.length,
            rows_at=rows_at(self.stacks),
            given=self.given,
        )
        job.run(block, Pace(block.length), _go_on, _go_on, out=out)

    def _empty(self, count: int, frame_shape: tuple[int, ...] | None = None) -> Array:
        """Memory for some frames that lies as the array has them."""
        order, shape = self.frame_order, frame_shape or self.frame_shape
        own = np.empty((count, *(shape[axis] for axis in order)), self.dtype)
        return own.transpose(0, *(1 + order.index(axis) for axis in range(len(order))))

    def _ordered(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(lengths[number] for number in self.order)

    def _fitting(self, seconds: float) -> int:
        return max(1, min(self._most, int(STEP_SECONDS / max(seconds, 1e-9))))

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._blocks: OrderedDict[tuple[int, int], Array] = OrderedDict()


def computed_together(images: Sequence[LazyFrames], function: Callable[..., Any]) -> None:
    """Make one computation serve all of some lazy frames: looked at one, kept for the others.

    Parameters
    ----------
    images : sequence of LazyFrames
        Of the same stacks, context and work.
    function : callable
        As that of one, but that `out` is a tuple with a place for each.
    """
    if len(images) < 2:
        return
    blocks = [each._block for each in images if each._block is not None]
    for place, each in enumerate(images):
        each._group, each._place, each._fill_group = tuple(images), place, function
        # Kept for all only where all have the same blocks.
        each._most = min(other._most for other in images)
        each._block = min(blocks) if blocks else None


def _go_on(*_: Any) -> None:
    """Nobody cancels what is looked at."""


def _each_axis(key: Any, shape: tuple[int, ...]) -> list[Any]:
    """One key per axis: an integer, a slice or an array of integers."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(each is None for each in keys):
        raise IndexError("Lazy frames take no new axis; index first, then add it.")
    dots = [at for at, each in enumerate(keys) if each is Ellipsis]
    if len(dots) > 1:
        raise IndexError("An index can hold only one ellipsis ('...').")
    given = len(keys) - len(dots)
    if given > len(shape):
        raise IndexError(f"{given} indices were given for an array of {len(shape)} dimensions.")
    at = dots[0] if dots else len(keys)
    keys[at : at + len(dots)] = [slice(None)] * (len(shape) - given)
    return [each if isinstance(each, slice) else np.asarray(each) for each in keys]


def _order_left(keys: Sequence[Any], order: tuple[int, ...]) -> list[int]:
    """Order of the axes that an index leaves: integers take theirs away, arrays bring their own."""
    counts = [1 if isinstance(each, slice) else each.ndim for each in keys]
    starts = [sum(counts[:number]) for number in range(len(counts))]
    return [starts[number] + each for number in order for each in range(counts[number])]


def _numbers(keys: Sequence[Any], lengths: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Frame numbers of an index into the leading axes, with the axes that the index leaves."""
    numbers = np.zeros((), np.int64)
    for key, length in zip(keys, lengths, strict=True):
        along = np.arange(length, dtype=np.int64)[key]
        numbers = np.add.outer(numbers * length, along)
    return numbers


def _inside(frames: Array, keys: Sequence[Any]) -> Array:
    """An index into each of the frames, axis by axis."""
    for axis in reversed(range(len(keys))):
        frames = frames[(*(slice(None),) * (axis + 1), keys[axis])]
    return frames
