"""Pixels that lie plainly in a file: mapped, so that only what is looked at is read."""

from __future__ import annotations

import math
import mmap
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.handles import HandleCache

_LET_GO_BYTES = 16 * 2**20


class MappedFile(mmap.mmap):
    """A file's bytes, of which those looked at long ago do not count as memory taken.

    Pages of a map stay with the process until the system is short of memory, and until then
    whoever limits it (a cluster's nanny, say) counts them. So they are let go now and then; a
    reader that is still at one of them gets it back from the system's own cache.
    """

    looked_at = 0

    def look(self, nbytes: int) -> None:
        """Note how many bytes a reader is about to look at."""
        self.looked_at += nbytes
        if self.looked_at > _LET_GO_BYTES:
            self.looked_at = 0
            self.let_go()

    def let_go(self) -> None:
        """Give back the pages; what was written to them stays in the file."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.madvise(mmap.MADV_DONTNEED)


_MAPS: HandleCache[MappedFile] = HandleCache(32)


def mapped_file(path: str) -> MappedFile:
    """A file's bytes; shared by all readers of the process.

    Raises
    ------
    ValueError
        Where the file is empty.
    """
    return _MAPS.get(path, "map", lambda: _map(path))


def _map(path: str) -> MappedFile:
    with open(path, "rb") as file:
        try:
            return MappedFile(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ValueError(f"{path} is empty (0 bytes); give a file that holds data.") from None


@dataclass(frozen=True)
class MappedSource:
    """An array whose bytes lie at one place of a file, at constant distances.

    It serves .npy, stored members of .npz, contiguous HDF5, and TIFF whose pages lie at equal
    distances.

    Attributes
    ----------
    path : str
        The file.
    shape : tuple of int
        Shape of the array.
    element : str
        Type of an element in NumPy's notation, byte order included: "<u2".
    offset : int
        Position of the first element, in bytes.
    strides : tuple of int
        Bytes from one element to the next along each axis.
    """

    path: str
    shape: tuple[int, ...]
    element: str
    offset: int
    strides: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return np.dtype(self.element)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """None: any region is as cheap."""
        return None

    @property
    def paths(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def array(self) -> Array:
        """The whole array as a read-only view of the file.

        Raises
        ------
        ValueError
            Where the file is shorter than the array.
        """
        return self._over(mapped_file(self.path))

    def read(self, region: Region) -> Array:
        """A view of a region; a copy where the elements do not lie on their natural boundaries."""
        content = mapped_file(self.path)
        block = self._over(content)[region]
        content.look(block.nbytes)
        return block if block.flags.aligned else block.copy()

    def _over(self, content: MappedFile) -> Array:
        needed = self.offset + mapped_extent(self.shape, self.strides, self.dtype.itemsize)
        if len(content) < needed:
            raise ValueError(truncated(self.path, needed, len(content)))
        return np.ndarray(self.shape, self.dtype, content, self.offset, self.strides)


def mapped_extent(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> int:
    """Bytes from the first element to the end of the last; 0 for an empty array."""
    if 0 in shape:
        return 0
    steps = ((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    return sum(steps) + itemsize


def strides_of(shape: tuple[int, ...], itemsize: int, fortran: bool = False) -> tuple[int, ...]:
    """Strides in bytes of an array without gaps."""
    if fortran:
        return tuple(itemsize * math.prod(shape[:axis]) for axis in range(len(shape)))
    return tuple(itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def mapped_source(
    path: str, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int, fortran: bool = False
) -> MappedSource:
    """Source of an array without gaps; says at once where the file is too short for it.

    Raises
    ------
    ValueError
        Where the file is shorter than the array.
    """
    needed = offset + math.prod(shape) * dtype.itemsize
    size = os.path.getsize(path)
    if size < needed:
        raise ValueError(truncated(path, needed, size))
    strides = strides_of(shape, dtype.itemsize, fortran)
    return MappedSource(path, shape, dtype.str, offset, strides)


def truncated(path: str, needed: int, size: int) -> str:
    """The sentence for a file that is shorter than its header says."""
    return (
        f"{path} is cut off: its header promises {needed:,} bytes and it has {size:,}; "
        "copy or write it again."
    )
