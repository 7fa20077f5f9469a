"""Sharded zarr v3 arrays: how one is cut, and its shards written chunk by chunk.

The layout is the `sharding_indexed` codec of the zarr v3 specification: the encoded chunks one
after the other, then an index of their offsets and lengths with its CRC-32C. Written here, a
shard takes no more memory than its frames, and a cancel answers between two chunks.
"""

from __future__ import annotations

import itertools
import math
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google_crc32c
import numpy as np
from numcodecs import Blosc

from napari_framewise.stacks.source import Array

if TYPE_CHECKING:
    import zarr

MIB = 2**20
_CHUNK_BYTES = MIB // 2
_LARGEST_SHARD = 64 * MIB
_MISSING = np.iinfo(np.uint64).max
ARRAY = "0"


@dataclass(frozen=True)
class ShardedArray:
    """An array "0" in a zarr folder, whose leading axes are those of the frames.

    Attributes
    ----------
    path : str
        The folder.
    leading, frame_shape : tuple of int
        Lengths of the frame axes and of a frame's axes.
    element : str
        Type of an element in NumPy's notation.
    chunk, shard : tuple of int
        What is encoded as one, and what becomes one file.
    """

    path: str
    leading: tuple[int, ...]
    frame_shape: tuple[int, ...]
    element: str
    chunk: tuple[int, ...]
    shard: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return (*self.leading, *self.frame_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return np.dtype(self.element)

    @property
    def fill_value(self) -> Any:
        """What stands where nothing was written yet: NaN, or 0 of integers."""
        return math.nan if self.dtype.kind == "f" else self.dtype.type(0)

    @property
    def cut(self) -> tuple[int, int]:
        """Frames of a shard, and after how many frames the cut into shards starts anew."""
        axes = len(self.leading)
        if not axes:
            return 1, 1
        frames = math.prod(map(min, self.shard[:axes], self.leading))
        begun = next((axis for axis in range(axes) if self.shard[axis] > 1), axes - 1)
        return max(1, frames), max(1, math.prod(self.leading[begun:]))

    def create(self, group: zarr.Group, names: list[str]) -> None:
        """Make the array, without a chunk in it."""
        from zarr.codecs import BloscCodec

        group.create_array(
            ARRAY,
            shape=self.shape,
            dtype=self.dtype,
            chunks=self.chunk,
            shards=self.shard,
            compressors=[
                BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=self.dtype.itemsize)
            ],
            fill_value=self.fill_value,
            dimension_names=names,
        )

    def write(self, first: int, frames: Array, check: Callable[[], None]) -> None:
        """Write the shards of some frames; each file appears when it is complete.

        Parameters
        ----------
        first : int
            Number of the first frame: the first of a shard.
        frames : ndarray
            All frames of the shards, (n, *frame_shape).
        check : callable
            Called between chunks; raises where the run was cancelled.
        """
        corner, extent = self._box(first, len(frames))
        box = np.ascontiguousarray(frames).reshape(*extent, *self.frame_shape)
        for offset in _corners(box.shape, self.shard):
            part = box[tuple(slice(o, o + s) for o, s in zip(offset, self.shard, strict=True))]
            at = [
                a + o for a, o in zip((*corner, *[0] * len(self.frame_shape)), offset, strict=True)
            ]
            place = [str(a // s) for a, s in zip(at, self.shard, strict=True)]
            self._write_shard(Path(self.path, ARRAY, "c", *place), part, check)

    def write_tile(self, corner: tuple[int, ...], tile: Array, check: Callable[[], None]) -> None:
        """Write the one shard whose first element is at `corner`."""
        place = [str(at // extent) for at, extent in zip(corner, self.shard, strict=True)]
        self._write_shard(Path(self.path, ARRAY, "c", *place), tile, check)

    def _box(self, first: int, count: int) -> tuple[list[int], list[int]]:
        """Corner and extent of frames along the frame axes."""
        corner: list[int] = []
        extent: list[int] = []
        for length in reversed(self.leading):
            first, at = divmod(first, length)
            corner.insert(0, at)
            extent.insert(0, min(count, length))
            count = max(1, count // length)
        return corner, extent

    def _write_shard(self, path: Path, part: Array, check: Callable[[], None]) -> None:
        encode = Blosc(cname="zstd", clevel=1, shuffle=Blosc.SHUFFLE).encode
        counts = [s // c for s, c in zip(self.shard, self.chunk, strict=True)]
        index = np.full((*counts, 2), _MISSING, "<u8")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
        try:
            with partial.open("wb") as file:
                at = 0
                for corner in _corners(part.shape, self.chunk):
                    check()
                    data = encode(self._chunk(part, corner))
                    file.write(data)
                    number = tuple(a // c for a, c in zip(corner, self.chunk, strict=True))
                    index[number] = at, len(data)
                    at += len(data)
                table = index.tobytes()
                file.write(table)
                file.write(google_crc32c.value(table).to_bytes(4, "little"))
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def _chunk(self, part: Array, corner: tuple[int, ...]) -> Array:
        """One chunk of full extent in the byte order of the file."""
        chunk = part[tuple(slice(a, a + c) for a, c in zip(corner, self.chunk, strict=True))]
        little = self.dtype.newbyteorder("<")
        if chunk.shape == self.chunk:
            return np.ascontiguousarray(chunk, little)
        full = np.full(self.chunk, self.fill_value, little)
        full[tuple(slice(0, length) for length in chunk.shape)] = chunk
        return full


def cut_array(
    path: str,
    leading: tuple[int, ...],
    frame_shape: tuple[int, ...],
    dtype: np.dtype[Any],
    shard_bytes: int,
) -> ShardedArray:
    """Chunks of about half a MiB, as whole frames where they are small, in shards of whole frames.

    A frame of more than 64 MiB is divided among shards.
    """
    frame_bytes = max(1, math.prod(frame_shape) * dtype.itemsize)
    inner = list(frame_shape)
    while math.prod(inner) * dtype.itemsize > _CHUNK_BYTES:
        widest = max(range(len(inner)), key=lambda axis: inner[axis])
        inner[widest] = -(-inner[widest] // 2)
    outer = [-(-length // c) * c for length, c in zip(frame_shape, inner, strict=True)]
    for axis in range(len(outer)):
        while math.prod(outer) * dtype.itemsize > _LARGEST_SHARD and outer[axis] > inner[axis]:
            outer[axis] = -(-(outer[axis] // inner[axis]) // 2) * inner[axis]
    chunks = _extents(leading, _CHUNK_BYTES // frame_bytes)
    shards = [
        -(-extent // c) * c if extent == length else max(c, extent // c * c)
        for extent, c, length in zip(
            _extents(leading, shard_bytes // frame_bytes), chunks, leading, strict=True
        )
    ]
    return ShardedArray(
        path,
        leading,
        frame_shape,
        dtype.newbyteorder("=").str,
        (*chunks, *inner),
        (*shards, *outer),
    )


def _extents(lengths: tuple[int, ...], room: int) -> list[int]:
    """Extents of a box of at most `room` consecutive frames: whole inner axes, then a part."""
    extents = [1] * len(lengths)
    for axis in reversed(range(len(lengths))):
        extents[axis] = max(1, min(room, lengths[axis]))
        room //= max(1, lengths[axis])
        if room < 1:
            break
    return extents


def _corners(shape: tuple[int, ...], size: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """First elements of the boxes that a box is cut into, the last axis fastest."""
    return itertools.product(
        *(range(0, length, step) for length, step in zip(shape, size, strict=True))
    )
